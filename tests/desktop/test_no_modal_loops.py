"""A modal loop inside a coroutine stops other tasks for ever, so the window has none."""

import ast
from pathlib import Path

import desktop

_FORBIDDEN = {"exec", "exec_"}
_STATIC = {
    "QMessageBox": {"question", "information", "warning", "critical", "about"},
    "QFileDialog": {"getOpenFileName", "getOpenFileNames", "getSaveFileName", "getExistingDirectory"},
    "QInputDialog": {"getText", "getItem", "getInt", "getDouble", "getMultiLineText"},
}


def modal_calls(source: str) -> list[int]:
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        owner = node.func.value.id if isinstance(node.func.value, ast.Name) else ""
        if node.func.attr in _FORBIDDEN or node.func.attr in _STATIC.get(owner, ()):
            found.append(node.lineno)
    return found


def test_nothing_in_the_window_runs_a_loop_of_its_own():
    files = sorted(Path(desktop.__file__).parent.rglob("*.py"))
    assert len(files) > 10
    guilty = {str(file): lines for file in files if (lines := modal_calls(file.read_text()))}
    assert guilty == {}


def test_the_search_finds_each_kind():
    source = "dialog.exec()\nmenu.exec_(here)\nQFileDialog.getOpenFileName(self)\ndialog.open()\n"
    assert modal_calls(source) == [1, 2, 3]
