"""``bureau export``, ``verify`` and ``import`` as a script runs them."""

from pathlib import Path

import pytest

from tests.terminal.program import Terminal

pytestmark = pytest.mark.slow


@pytest.mark.req("R119")
@pytest.mark.req("R120")
def test_out_checked_and_in_again(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    one, other = Terminal(tmp_path / "one"), Terminal(tmp_path / "other")
    assert one.run("memory", "add", "Prefers tea")[0] == 0
    bundle, words = tmp_path / "out.aofx", tmp_path / "words.txt"
    words.write_text("four plain words\n")
    written = one.value("export", str(bundle))
    assert written["counts"]["memory"] == 1 and written["path"] == str(bundle)
    code, _output, errors = one.run("export", str(bundle))
    assert code == 1 and "already" in errors and errors.count("\n") == 1
    checked = one.value("verify", str(bundle))
    assert checked["signed"] == "here" and checked["sha256"] == written["sha256"]
    sealed = str(tmp_path / "out.aofx.age")
    assert one.run("export", sealed, "--encrypt-with", str(words))[0] == 0
    words.with_name("none.txt").write_text("\n")
    code, _output, errors = one.run(
        "export", str(tmp_path / "open.aofx"), "--encrypt-with", str(words.with_name("none.txt"))
    )
    assert code == 2 and "is empty" in errors
    assert not (tmp_path / "open.aofx").exists()
    seen = other.value("import", sealed, "--decrypt-with", str(words), "--preview")
    assert seen["counts"]["memory"] == {"new": 1}
    assert "Prefers tea" not in other.run("memory", "list")[1]
    code, _output, errors = other.run("import", sealed, "--decrypt-with", str(words))
    assert code == 0, errors
    assert "Prefers tea" in other.run("memory", "list")[1]
    broken = tmp_path / "broken.aofx"
    broken.write_bytes(bundle.read_bytes()[:-200])
    for command in ("verify", "import"):
        code, _output, errors = one.run(command, str(broken))
        assert code == 2 and errors.count("\n") == 1
    part = one.value("export", str(tmp_path / "notes"), "--category", "notes", "--since", "12mo")
    assert part["counts"] == {"memory": 1}
    assert one.run("export", str(tmp_path / "x.aofx"), "--since", "soon")[0] == 2
