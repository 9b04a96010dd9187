"""The catalogues of every sentence a person may see: `resources/i18n/bureau.pot` and one `.po` and `.mo` per language.

    .venv/bin/python packaging/translations.py extract         read the sentences of the code into bureau.pot
    .venv/bin/python packaging/translations.py merge           give every .po the sentences of bureau.pot
    .venv/bin/python packaging/translations.py compile         write every .mo
    .venv/bin/python packaging/translations.py check           say what is missing or wrong; exit 1 if anything is
    .venv/bin/python packaging/translations.py missing CODE    print what a language lacks, as JSON to be filled in
    .venv/bin/python packaging/translations.py fill CODE FILE  take the translations of such a JSON file

After a change of sentences: extract, merge, translate what `check` names in the .po files (or by missing and fill),
compile. The files hold no dates, line numbers or paths, so that only a changed sentence changes them.
"""

import ast
import io
import json
import string
import sys
from collections.abc import Iterable, Iterator
from gettext import c2py
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "resources" / "i18n"
TEMPLATE = FOLDER / "bureau.pot"
CODE = ("desktop", "agents", "memory", "vault", "resources")
COMMANDS = "desktop/command_line"
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "plural": (1, 2)}
ROUTINE = "python packaging/translations.py extract, then merge, translate, compile"

Words = str | tuple[str, ...]


class DatelessCatalogue(Catalog):
    """A catalogue whose header says only what a reader needs: the same sentences give the same bytes."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        """Return the lines of the header."""
        lines = [("MIME-Version", "1.0"), ("Content-Type", "text/plain; charset=utf-8")]
        lines.append(("Content-Transfer-Encoding", "8bit"))
        if self.locale is not None:
            lines += [("Language", str(self.locale)), ("Plural-Forms", self.plural_forms)]
        return lines


def new_catalogue(code: str | None, comment: str) -> DatelessCatalogue:
    """Return an empty catalogue of a language, or the template's."""
    return DatelessCatalogue(locale=code, header_comment=comment, fuzzy=False, charset="utf-8")


def po_file(code: str) -> Path:
    """Return the place of a language's translations."""
    return FOLDER / code / "LC_MESSAGES" / "bureau.po"


def languages() -> list[str]:
    """Return the codes that have a catalogue."""
    return sorted(path.parts[-3] for path in FOLDER.glob("*/LC_MESSAGES/bureau.po"))


def sentences(root: Path = ROOT) -> DatelessCatalogue:
    """Return the template of the code below `root`: every sentence once."""
    template = new_catalogue(None, "# Every sentence of Bureau; see packaging/translations.py.")
    for package in CODE:
        for path in sorted((root / package).rglob("*.py")):
            for _line, words, comments, context in extract_from_file("python", path, keywords=KEYWORDS):
                template.add(words, auto_comments=comments, context=context)
    for path in sorted((root / COMMANDS).rglob("*.py")):
        for words in command_helps(path):
            template.add(words)
    return template


def command_helps(path: Path) -> Iterator[str]:
    """Return the docstrings of a file's click commands: `bureau --help` shows them."""
    for function in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(function, ast.FunctionDef) and any(map(_makes_command, function.decorator_list)):
            yield ast.get_docstring(function) or ""


def read(path: Path, code: str | None) -> DatelessCatalogue:
    """Read a catalogue. Raises OSError and babel's PoFileError."""
    with path.open("rb") as file:
        found = read_po(file, locale=code, abort_invalid=True)
    catalogue = new_catalogue(code, found.header_comment)
    for message in _messages(found):
        catalogue.add(message.id, message.string, flags=message.flags)
    return catalogue


def po_text(catalogue: Catalog) -> bytes:
    """Return the text of a .po or .pot file, sorted by sentence."""
    file = io.BytesIO()
    write_po(file, catalogue, width=0, no_location=True, sort_output=True, ignore_obsolete=True)
    return file.getvalue()


def mo_bytes(catalogue: Catalog) -> bytes:
    """Return the compiled form."""
    file = io.BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()


def merged(template: Catalog, former: Catalog) -> DatelessCatalogue:
    """Return the sentences of the template with the translations that are known; what the code lost is dropped."""
    result = new_catalogue(str(former.locale), former.header_comment)
    for message in _messages(template):
        known = former.get(message.id)
        fits = known is not None and isinstance(known.string, tuple | list) == message.pluralizable
        result.add(message.id, known.string if known is not None and fits else "", flags=message.flags)
    return result


def write(path: Path, content: bytes) -> None:
    """Write a file where its content changed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file() or path.read_bytes() != content:
        path.write_bytes(content)


def faults() -> Iterator[str]:
    """Say what is wrong with the catalogues, one sentence each."""
    if not TEMPLATE.is_file() or TEMPLATE.read_bytes() != po_text(sentences()):
        yield f"bureau.pot is not what the code says: run {ROUTINE}."
        return
    template = read(TEMPLATE, None)
    for code in languages():
        path = po_file(code)
        catalogue = read(path, code)
        if path.read_bytes() != po_text(merged(template, catalogue)):
            yield f"{code}: the .po has other sentences than bureau.pot: run {ROUTINE}."
            continue
        yield from (f"{code}: {fault}" for fault in catalogue_faults(catalogue))
        compiled = path.with_suffix(".mo")
        if not compiled.is_file() or compiled.read_bytes() != mo_bytes(catalogue):
            yield f"{code}: the .mo is not made of the .po: run python packaging/translations.py compile."


def catalogue_faults(catalogue: Catalog) -> Iterator[str]:
    """Say which sentences are untranslated, uncertain, or lost a placeholder or an outer space."""
    singular_only = _forms_of_one(catalogue)
    for message in _messages(catalogue):
        identifiers, forms = _tuple(message.id), _tuple(message.string)
        wanted = catalogue.num_plurals if message.pluralizable else 1
        if message.fuzzy or len(forms) != wanted or not all(forms):
            yield f"not translated: {identifiers[0]!r}"
            continue
        for number, form in enumerate(forms):
            allowed = [placeholders(identifiers[-1])]
            if number in singular_only:
                allowed.append(placeholders(identifiers[0]))
            if placeholders(form) not in allowed:
                yield f"other placeholders than {identifiers[-1]!r}: {form!r}"
            if _edges(form) != _edges(identifiers[-1]):
                yield f"other spaces or line breaks at the edges than {identifiers[-1]!r}: {form!r}"


def placeholders(sentence: str) -> list[tuple[str, str, str]]:
    """Return the placeholders of a sentence, sorted: name, format, conversion. A broken brace is one of its own."""
    try:
        parts = list(string.Formatter().parse(sentence))
    except ValueError as error:
        return [(str(error), "", "")]
    return sorted((name, form or "", kind or "") for _text, name, form, kind in parts if name is not None)


def missing(code: str) -> dict[str, Words]:
    """Return the sentences a language lacks; plural sentences with as many empty forms as the language has."""
    catalogue = read(po_file(code), code)
    return {
        _tuple(message.id)[0]: ("",) * catalogue.num_plurals if message.pluralizable else ""
        for message in _messages(catalogue)
        if message.fuzzy or not all(_tuple(message.string))
    }


def fill(code: str, translations: dict[str, list[str] | str]) -> list[str]:
    """Write translations into a language's .po; return the sentences that it does not have."""
    catalogue = read(po_file(code), code)
    known = {_tuple(message.id)[0]: message for message in _messages(catalogue)}
    for identifier, words in translations.items():
        if identifier in known:
            known[identifier].string = tuple(words) if isinstance(words, list) else words
    write(po_file(code), po_text(catalogue))
    return [identifier for identifier in translations if identifier not in known]


def _makes_command(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(called, ast.Attribute) and called.attr in ("command", "group")


def _messages(catalogue: Iterable[Message]) -> Iterator[Message]:
    return (message for message in catalogue if message.id)


def _tuple(words: object) -> tuple[str, ...]:
    return tuple(map(str, words)) if isinstance(words, tuple | list) else (str(words or ""),)


def _edges(text: str) -> tuple[str, str]:
    return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]


def _forms_of_one(catalogue: Catalog) -> set[int]:
    form_of = c2py(catalogue.plural_expr)
    counts: dict[int, list[int]] = {}
    for count in range(1000):
        counts.setdefault(int(form_of(count)), []).append(count)
    return {form for form, used in counts.items() if used == [1]}


def main(arguments: list[str]) -> int:
    """Carry out one command; return its exit code."""
    match arguments:
        case ["extract"]:
            write(TEMPLATE, po_text(sentences()))
        case ["merge"]:
            template = read(TEMPLATE, None)
            for code in languages():
                write(po_file(code), po_text(merged(template, read(po_file(code), code))))
        case ["compile"]:
            for code in languages():
                write(po_file(code).with_suffix(".mo"), mo_bytes(read(po_file(code), code)))
        case ["check"]:
            found = list(faults())
            print("\n".join(found) if found else f"Complete: {', '.join(languages())}.")
            return 1 if found else 0
        case ["missing", code]:
            print(json.dumps(missing(code), ensure_ascii=False, indent=1))
        case ["fill", code, file]:
            unknown = fill(code, json.loads(Path(file).read_text("utf-8")))
            print("\n".join(f"The code does not say: {each!r}" for each in unknown))
        case _:
            print(__doc__)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
