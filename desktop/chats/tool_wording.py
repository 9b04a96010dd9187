"""Tool calls in the words of the office: what was read, recalled, written."""

import json
from typing import Any

from resources.language import gettext as _


def tool_names() -> dict[str, str]:
    """Return the built-in tools with what they allow, for the editor of an agent."""
    return {
        "remember": _("Remember: propose notes"),
        "recall": _("Recall: search the memory"),
        "read_attachment": _("Read: page through files"),
    }


def call_words(tool: str, arguments: dict[str, Any]) -> str:
    """Return a call as a short sentence without subject, such as ``recalled “soil”``."""
    if tool == "recall":
        return _("recalled “{query}”").format(query=_short(arguments.get("query", "")))
    if tool == "quote":
        return _("looked for quotations on “{query}”").format(query=_short(arguments.get("question", "")))
    if tool == "remember":
        return _("proposed a note: “{text}”").format(text=_short(arguments.get("text", "")))
    if tool == "read_attachment":
        return _("read {file}").format(file=_place(arguments))
    return _("called {tool}").format(tool=tool)


def call_details(arguments: dict[str, Any], result: str) -> str:
    """Return arguments and result as Markdown for the folded part of a card."""
    shown = json.dumps(arguments, ensure_ascii=False, indent=2)
    parts = [f"```json\n{shown}\n```"] if arguments else []
    if result:
        parts.append("```text\n" + result[:4000].replace("```", "ʼʼʼ") + "\n```")
    return "\n\n".join(parts)


def sentence(agent: str, tool: str, arguments: dict[str, Any]) -> str:
    """Return a call with its subject: ``Researcher recalled “soil”``."""
    return f"{agent} {call_words(tool, arguments)}" if agent else call_words(tool, arguments).capitalize()


def _place(arguments: dict[str, Any]) -> str:
    name = str(arguments.get("name") or arguments.get("file") or arguments.get("attachment") or _("a file"))
    first, last = arguments.get("first_page"), arguments.get("last_page")
    page = arguments.get("page") or arguments.get("pages")
    if first and last:
        return _("{file}, pages {first}–{last}").format(file=name, first=first, last=last)
    return _("{file}, page {page}").format(file=name, page=page) if page else name


def _short(text: Any, most: int = 60) -> str:
    plain = " ".join(str(text).split())
    return plain if len(plain) <= most else plain[: most - 1].rstrip() + "…"
