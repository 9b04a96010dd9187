"""Put this folder into its virtual environment: importable from where it lies, with the command `bureau`.

Run by the environment's own Python. It does by hand what an editable installation does, without a build and
without anything that would slow the command down.
"""

import os
import shutil
import sys
import sysconfig
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = """\
import sys

from {module} import {function}

if __name__ == "__main__":
    sys.exit({function}())
"""


def interpreter_line(python: Path) -> str:
    """Return the first lines of a script; the kernel takes no blank and only 127 bytes in the path there."""
    if " " not in str(python) and len(os.fsencode(python)) < 120:
        return f"#!{python}\n"
    return f"#!/bin/sh\n'''exec' \"{python}\" \"$0\" \"$@\"\n' '''\n"


def write_command(name: str, target: str) -> Path:
    """Write the command NAME that calls TARGET, "module:function"; return its file."""
    module, _, function = target.partition(":")
    program = PROGRAM.format(module=module, function=function)
    scripts = Path(sysconfig.get_path("scripts"))
    if sys.platform == "win32":
        (scripts / f"{name}-script.py").write_text(program, "utf-8")
        file = scripts / f"{name}.cmd"
        file.write_text(f'@"%~dp0python.exe" "%~dp0{name}-script.py" %*\n', "utf-8")
        return file
    file = scripts / name
    file.write_text(interpreter_line(scripts / "python") + program, "utf-8")
    file.chmod(0o755)
    return file


def main() -> None:
    """Write the path file, the commands and the metadata by which other tools find this installation."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    site = Path(sysconfig.get_path("purelib"))
    name, version = project["name"], project["version"]
    for former in site.glob(f"{name}-*.dist-info"):
        shutil.rmtree(former)
    path_file = site / f"{name}.pth"
    path_file.write_text(f"{ROOT}\n", "utf-8")
    commands = [write_command(command, target) for command, target in project["scripts"].items()]
    metadata = site / f"{name}-{version}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", "utf-8")
    (metadata / "INSTALLER").write_text("packaging/installation.py\n", "utf-8")
    files = [path_file, *commands, metadata / "METADATA", metadata / "INSTALLER", metadata / "RECORD"]
    record = "".join(f"{os.path.relpath(file, site)},,\n" for file in files)
    (metadata / "RECORD").write_text(record, "utf-8")


if __name__ == "__main__":
    main()
