"""HTML by hand: everything that is put into it is escaped."""

from collections.abc import Iterable
from html import escape

from fastapi.responses import HTMLResponse

from resources.language import chosen_language

STYLE = """\
:root { color-scheme: light dark; --ink: #1d2129; --paper: #fbfaf8; --line: #d9d5cd; --accent: #2f5d8a;
  --bad: #a3302a; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e6e1; --paper: #191b1f; --line: #3a3d44; --accent: #8fb8e0; --bad: #f0948c; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 42rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 1rem; }
h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem; border-top: 1px solid var(--line); padding-top: 1.2rem; }
label { display: block; margin: .8rem 0 .3rem; }
input { font: inherit; color: inherit; background: transparent; border: 1px solid var(--line); border-radius: .4rem;
  display: block; padding: .5rem .7rem; width: 100%; max-width: 24rem; }
button { font: inherit; color: var(--paper); background: var(--accent); border: 0; border-radius: .4rem;
  padding: .55rem 1rem; margin: .8rem .6rem 0 0; cursor: pointer; }
button.danger { background: var(--bad); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; font-size: .95rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--line);
  overflow-wrap: break-word; hyphens: auto; }
form + table { margin-top: 1.4rem; }
a { color: var(--accent); }
.note { border-left: 3px solid var(--accent); padding: .2rem 0 .2rem .8rem; }
.bad { border-color: var(--bad); }
code { font-size: 1.05em; overflow-wrap: anywhere; }
"""


def page(title: str, *parts: str, status: int = 200) -> HTMLResponse:
    """Return a whole page."""
    text = (
        f'<!doctype html><html lang="{chosen_language()}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="robots" content="noindex"><link rel="stylesheet" href="/style.css">'
        f"<title>{escape(title)}</title></head><body><main><h1>{escape(title)}</h1>{''.join(parts)}</main></body></html>"
    )
    return HTMLResponse(text, status, headers={"Cache-Control": "no-store"})


def paragraph(text: str, kind: str = "") -> str:
    """Return a paragraph; its kind may be ``note`` or ``note bad``."""
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def heading(text: str) -> str:
    """Return a heading of a part."""
    return f"<h2>{escape(text)}</h2>"


def code(text: str) -> str:
    """Return a text that is to be copied."""
    return f"<p><code>{escape(text)}</code></p>"


def link(address: str, text: str) -> str:
    """Return a link in a paragraph of its own."""
    return f'<p><a href="{escape(address)}">{escape(text)}</a></p>'


def table(rows: Iterable[tuple[str, ...]], head: tuple[str, ...] = ()) -> str:
    """Return a table; the first cell of each row names it."""
    said = "".join(f'<th scope="col">{escape(each)}</th>' for each in head)
    lines = [
        f'<tr><th scope="row">{escape(first)}</th>{"".join(f"<td>{escape(each)}</td>" for each in rest)}</tr>'
        for first, *rest in rows
    ]
    return (
        f"<table>{f'<thead><tr>{said}</tr></thead>' if head else ''}<tbody>{''.join(lines)}</tbody></table>"
    )


def form(address: str, button: str, *fields: str, danger: bool = False) -> str:
    """Return a form that posts."""
    kind = ' class="danger"' if danger else ""
    return (
        f'<form method="post" action="{escape(address)}">{"".join(fields)}'
        f"<button{kind}>{escape(button)}</button></form>"
    )


def field(name: str, label: str, kind: str = "text", complete: str = "off") -> str:
    """Return a labelled input that must be filled in."""
    return (
        f'<label for="{name}">{escape(label)}</label>'
        f'<input id="{name}" name="{name}" type="{kind}" autocomplete="{complete}" required>'
    )


def hidden(name: str, value: str) -> str:
    """Return an input that nobody sees."""
    return f'<input type="hidden" name="{name}" value="{escape(value)}">'
