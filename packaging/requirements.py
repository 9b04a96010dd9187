"""Makes docs/requirements.md: every promise with the tests that prove it, or the capability that still owes it.

    .venv/bin/python packaging/requirements.py          write the table
    .venv/bin/python packaging/requirements.py check    say what is wrong; exit 1 if anything is

A test proves a requirement when it carries `@pytest.mark.req("R047")`, itself or its module by `pytestmark`. The
promises are in docs/requirements.toml. `make test` runs every test named here, so a proof that fails shows there.
"""

import ast
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PROMISES = ROOT / "docs" / "requirements.toml"
TABLE = ROOT / "docs" / "requirements.md"
KEPT_HERE = ("D", "D+S")

Tests = Mapping[str, list[str]]


def proofs(folder: Path = ROOT / "tests") -> dict[str, list[str]]:
    """Return for each requirement the tests that are marked with it, as ``tests/x/test_y.py::test_z``."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(folder.rglob("test_*.py")):
        place = path.relative_to(folder.parent).as_posix()
        module = ast.parse(path.read_text("utf-8"))
        of_all = {id_ for value in _assigned(module, "pytestmark") for id_ in _ids(value)}
        for name, decorators in _tests(module):
            for identifier in sorted(of_all | {id_ for each in decorators for id_ in _ids(each)}):
                found[identifier].append(f"{place}::{name}")
    return dict(found)


def table(promises: Mapping[str, Any], tests: Tests) -> str:
    """Return the text of docs/requirements.md."""
    rows = promises["requirements"]
    here = [row for row in rows.values() if row["scope"] in KEPT_HERE]
    proved = sum(bool(tests.get(identifier)) for identifier, row in rows.items() if row["scope"] in KEPT_HERE)
    lines = [
        "# What is promised about people's data, and what proves it",
        "",
        "Made by `make requirements` of `requirements.toml` and of the tests' marks; a test keeps it true.",
        "Scope: D the desktop, S the sync service, D+S both, DOC a document, OUT not kept here, with the reason.",
        "",
        f"{proved} of {len(here)} promises of the desktop are proved by tests, in whole or for the desktop's part.",
        "",
        "| id | scope | promise | proved by | still owed by |",
        "|---|---|---|---|---|",
    ]
    for identifier, row in rows.items():
        marked = "<br>".join(f"`{test.removeprefix('tests/')}`" for test in tests.get(identifier, []))
        owed = row.get("reason") or ", ".join(row.get("owed", ()))
        lines.append(f"| {identifier} | {row['scope']} | {row['promise']} | {marked} | {owed} |")
    capabilities = (f"* **{name}**: {words}" for name, words in promises["capabilities"].items())
    return "\n".join([*lines, "", "## Capabilities", "", *capabilities, ""])


def faults(promises: Mapping[str, Any], tests: Tests) -> Iterator[str]:
    """Say which marks name no promise, and which promises neither a test nor a capability stands for."""
    rows, capabilities = promises["requirements"], promises["capabilities"]
    yield from (
        f"{identifier} is marked on {names[0]} but is no promise of requirements.toml."
        for identifier, names in tests.items()
        if identifier not in rows
    )
    for identifier, row in rows.items():
        owed = set(row.get("owed", ()))
        yield from (f"{identifier}: no capability is called {name!r}." for name in owed - set(capabilities))
        if row["scope"] == "OUT" and not row.get("reason"):
            yield f"{identifier} is out of scope without a reason."
        if row["scope"] in (*KEPT_HERE, "S") and not owed and not tests.get(identifier):
            yield f"{identifier} is said to be kept, and no test proves it."


def _assigned(module: ast.Module, name: str) -> Iterator[ast.expr]:
    for statement in module.body:
        if isinstance(statement, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == name for target in statement.targets
        ):
            yield statement.value


def _tests(module: ast.Module) -> Iterator[tuple[str, list[ast.expr]]]:
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node.name, node.decorator_list
        if isinstance(node, ast.ClassDef) and node.name.endswith("Machine"):
            yield node.name, node.decorator_list


def _ids(expression: ast.expr) -> Iterator[str]:
    for node in ast.walk(expression):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "req":
            yield from (str(each.value) for each in node.args if isinstance(each, ast.Constant))


def main(arguments: list[str]) -> int:
    """Carry out one command; return its exit code."""
    promises, tests = tomllib.loads(PROMISES.read_text("utf-8")), proofs()
    found = list(faults(promises, tests))
    if arguments == ["check"]:
        if not TABLE.is_file() or TABLE.read_text("utf-8") != table(promises, tests):
            found.append("docs/requirements.md is not what the tests say: run make requirements.")
    elif not arguments:
        TABLE.write_text(table(promises, tests), "utf-8")
    else:
        print(__doc__)
        return 2
    print("\n".join(found) or "Every promise is proved or owed.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
