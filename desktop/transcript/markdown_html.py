"""Markdown to the HTML subset that Qt's rich text draws: no raw HTML, no images, colours by class only."""

import re
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from itertools import pairwise
from typing import Any
from urllib.parse import quote, unquote

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.gfm_autolink import gfm_autolink_plugin
from mdit_py_plugins.texmath import texmath_plugin

CITE = "cite:"
"""Link scheme of a cited place: ``cite:3`` is the fourth citation of the message."""
CHIP = "chip:"
"""Image scheme of a citation chip: its label and, after a slash, the punctuation that stands behind it.

The segment draws both, as Qt would break the line between a picture and a comma; nothing is ever loaded.
"""
PICTURE = "picture:"
"""Image and link scheme of a picture among the chat's files: its id follows."""
FORMULA = "formula:"
"""Image scheme of a formula within a line."""

Environment = dict[str, Any]
_Tokens = Sequence[Token]
_BEHIND_CHIP = re.compile(r"[,.;:!?…)\]»”’]+")
_TASK = re.compile(r"^\[([ xX])\]\s+")


@lru_cache(maxsize=1)
def parser() -> MarkdownIt:
    """Return the one parser: CommonMark with tables, strikethrough, task lists, bare links and math."""
    md = MarkdownIt("commonmark", {"html": False, "breaks": False})
    md.enable(["table", "strikethrough"])
    md.use(gfm_autolink_plugin)
    md.use(dollarmath_plugin, allow_space=False, allow_digits=False, double_inline=True, allow_labels=False)
    md.use(texmath_plugin, delimiters="brackets")
    md.core.ruler.push("task_marks", _mark_tasks)
    md.core.ruler.push("pictured", _mark_pictured)
    for name, rule in (
        ("code_inline", _code_inline),
        ("fence", _code_block),
        ("code_block", _code_block),
        ("image", _image),
        ("link_open", _link_open),
        ("link_close", _link_close),
        ("softbreak", _soft_break),
        ("blockquote_open", lambda *_: _QUOTE_OPEN),
        ("blockquote_close", lambda *_: "</td></tr></table>"),
        ("hr", lambda *_: "<hr>"),
        ("table_open", lambda *_: '<table class="grid" border="1" cellspacing="0" cellpadding="0">'),
        ("th_open", _cell("th")),
        ("td_open", _cell("td")),
        ("math_inline", _formula),
        ("math_inline_double", _formula),
        ("math_block", _formula_block),
        ("math_block_eqno", _formula_block),
    ):
        md.add_render_rule(name, lambda self, *rest, _rule=rule: _rule(*rest))
    return md


_WELL_OPEN = '<table class="well" border="0" cellspacing="0" cellpadding="6" width="100%"><tr><td>'
_QUOTE_OPEN = (
    '<table class="quote" border="0" cellspacing="0" cellpadding="0"><tr><td class="bar" width="3"></td>'
    '<td class="quoted">'
)


def _mark_tasks(state: StateCore) -> None:
    tokens = state.tokens
    for index in range(2, len(tokens)):
        token = tokens[index]
        if token.type != "inline" or tokens[index - 2].type != "list_item_open" or not token.children:
            continue
        match = _TASK.match(token.content)
        first = token.children[0]
        if match and first.type == "text" and _TASK.match(first.content):
            mark = "☐" if match.group(1) == " " else "☑"
            first.content = f"{mark} {first.content[match.end() :]}"
            if tokens[index - 3].type.endswith("_list_open"):
                tokens[index - 3].attrSet("style", "list-style-type: none")


def _mark_pictured(state: StateCore) -> None:
    """Name paragraphs that hold a picture: the distance of their lines is not a share of its height."""
    for opening, content in pairwise(state.tokens):
        if opening.type == "paragraph_open" and any(
            child.type == "image" and str(child.attrs.get("src", "")).startswith(PICTURE)
            for child in content.children or ()
        ):
            opening.attrSet("class", "pictured")


def _code_inline(tokens: _Tokens, index: int, options: Any, env: Environment) -> str:
    return f"<code>{escape(tokens[index].content)}</code>"


def _code_block(tokens: _Tokens, index: int, options: Any, env: Environment) -> str:
    text = escape(tokens[index].content.rstrip("\n"))
    return f"{_WELL_OPEN}<pre>{text}</pre></td></tr></table>"


def _image(tokens: _Tokens, index: int, options: Any, env: Environment) -> str:
    token = tokens[index]
    address = str(token.attrs.get("src", ""))
    label = token.content or address
    if address.startswith(PICTURE):
        return f'<a href="{escape(address)}"><img src="{escape(address)}" alt="{escape(label)}"></a>'
    return f'<a href="{escape(address)}">▦ {escape(label)}</a>'


def _link_open(tokens: _Tokens, index: int, options: Any, env: Environment) -> str:
    address = str(tokens[index].attrs.get("href", ""))
    if address.startswith(CITE):
        words: list[str] = []
        at = index + 1
        while at < len(tokens) and (token := tokens[at]).type != "link_close":
            words.append(token.content)
            token.content, token.type, token.children = "", "text", None
            at += 1
        chip = CHIP + quote("".join(words), safe="") + _taken_behind(tokens[at + 1 : at + 2])
        return f'<a href="{escape(address)}"><img src="{chip}" style="vertical-align: bottom">'
    return f'<a href="{escape(address)}">'


def _taken_behind(following: _Tokens) -> str:
    """Take the punctuation that begins the text behind a chip out of it, as the end of the chip's address."""
    for token in following:
        found = _BEHIND_CHIP.match(token.content) if token.type == "text" else None
        if found is not None:
            token.content = token.content[found.end() :]
            return "/" + quote(found[0], safe="")
    return ""


def chip_words(address: str) -> tuple[str, str]:
    """Return the label of a chip's address (without its scheme) and the punctuation behind it."""
    label, _slash, behind = address.partition("/")
    return unquote(label), unquote(behind)


def _link_close(tokens: _Tokens, index: int, options: Any, env: Environment) -> str:
    return "</a>"


def _soft_break(tokens: _Tokens, index: int, options: Any, env: Environment) -> str:
    return "<br>" if env.get("breaks") else "\n"


def _cell(tag: str) -> Any:
    def render(tokens: _Tokens, index: int, options: Any, env: Environment) -> str:
        style = str(tokens[index].attrs.get("style", ""))
        side = style.removeprefix("text-align:")
        return f'<{tag} align="{side}">' if side in ("right", "center") else f'<{tag} align="left">'

    return render


def _formula(tokens: _Tokens, index: int, options: Any, env: Environment) -> str:
    source = tokens[index].content.strip()
    if env.get("live"):
        return f"<code>{escape(source)}</code>"
    return (
        f'<img src="{FORMULA}{quote(source, safe="")}" alt="{escape(source)}" style="vertical-align: middle">'
    )


def _formula_block(tokens: _Tokens, index: int, options: Any, env: Environment) -> str:
    return f'<p align="center">{_formula(tokens, index, options, env)}</p>'
