"""Lock the dependencies of pyproject.toml: packaging/lock/run.txt, and develop.txt with what comes on top.

hosted.txt is what the hosted service needs where it is installed alone, in the same versions. moto.txt is a peer of the
tests with an environment of its own.

`make lock` runs it and needs a network. The files hold versions, hashes and environment markers for every
supported system and no addresses, so that they install from whatever index the reader has set up.
"""

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "packaging" / "lock"
MOTO = ("moto[s3]>=5.2,<6", "flask>=3.1,<4", "flask-cors>=6,<7")


def resolve(output: Path, *options: str, source: Path = ROOT / "pyproject.toml") -> str:
    """Resolve `source` into a requirements file with hashes, keeping the versions that `output` has."""
    command = [sys.executable, "-m", "uv", "pip", "compile", str(source), "--quiet", "--no-config"]
    command += ["--universal", "--python-version", "3.11", "--generate-hashes", "--only-binary", ":all:"]
    command += ["--no-emit-index-url", "--no-emit-find-links", "--no-header", "--no-annotate"]
    subprocess.run([*command, "--output-file", str(output), *options], cwd=ROOT, check=True)
    return output.read_text("utf-8")


def entries(text: str) -> list[str]:
    """Split a requirements file into its entries, each a requirement with the hashes below it."""
    found: list[str] = []
    for line in text.splitlines():
        if line and not line[0].isspace():
            found.append(line + "\n")
        elif line:
            found[-1] += line + "\n"
    return found


def write_hosted(scratch: Path, versions: Path) -> None:
    """Write hosted.txt: the extra alone, in the versions that are locked for developing."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    source = scratch / "hosted.in"
    source.write_text("\n".join(project["optional-dependencies"]["hosted"]), "utf-8")
    resolve(FOLDER / "hosted.txt", "--constraints", str(versions), source=source)


def write_moto(scratch: Path) -> None:
    """Write moto.txt: a peer of the tests, whose versions do not fit beside the others'."""
    source = scratch / "moto.in"
    source.write_text("\n".join(MOTO), "utf-8")
    resolve(FOLDER / "moto.txt", source=source)


def main() -> None:
    """Write the files. Takes options of uv, for example `--upgrade-package keyring` or `--upgrade`."""
    options = sys.argv[1:]
    run, develop = FOLDER / "run.txt", FOLDER / "develop.txt"
    already = entries(resolve(run, *options))
    with tempfile.TemporaryDirectory() as scratch:
        both = Path(scratch) / "both.txt"
        former = develop.read_text("utf-8") if develop.is_file() else ""
        both.write_text("".join(already) + former, "utf-8")
        extras = ("--extra", "develop", "--extra", "hosted")
        everything = entries(resolve(both, *extras, "--constraints", str(run), *options))
        write_hosted(Path(scratch), both)
        write_moto(Path(scratch))
    on_top = [entry for entry in everything if entry not in already]
    names = {entry.partition("==")[0] for entry in already}
    if twice := sorted(entry.partition(" ")[0] for entry in on_top if entry.partition("==")[0] in names):
        sys.exit(f"These would be locked twice, with different versions or markers: {', '.join(twice)}")
    develop.write_text("".join(on_top), "utf-8")


if __name__ == "__main__":
    main()
