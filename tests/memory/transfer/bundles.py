"""Exports that were tampered with, as an attacker who can repair every checksum would."""

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path

from memory.transfer.age import Encryption

Files = dict[str, bytes]


def files_of(archive: Path) -> Files:
    """Return the files of an export."""
    with zipfile.ZipFile(archive) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def unzipped(archive: Path) -> Path:
    """Unpack an export beside itself."""
    folder = archive.with_suffix(".unzipped")
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
    return folder


def write(path: Path, files: Files, *, repair: bool = True, unsigned: bool = True) -> Path:
    """Write files as an export, their manifests made anew."""
    files = dict(files)
    if unsigned:
        files.pop("signature.json", None)
    if repair:
        files["manifest-sha512.txt"] = _manifest(files, payload=True)
        files["tagmanifest-sha512.txt"] = _manifest(files, payload=False)
    with zipfile.ZipFile(path, "w") as made:
        for name, content in files.items():
            made.writestr(zipfile.ZipInfo(name), content)
    return path


def changed(source: Path, path: Path, change: Callable[[Files], None]) -> Path:
    """Write what ``change`` makes of an export, every checksum repaired."""
    files = files_of(source)
    change(files)
    return write(path, files)


def encrypted(source: Path, path: Path, encryption: Encryption) -> Path:
    """Encrypt a file as it is."""
    with path.open("wb") as file:
        sink = encryption(file)
        sink.write(source.read_bytes())
        sink.close()
    return path


def _manifest(files: Files, *, payload: bool) -> bytes:
    unlisted = {"tagmanifest-sha512.txt", "signature.json"}
    chosen = (name for name in files if name.startswith("data/") == payload and name not in unlisted)
    return "".join(f"{hashlib.sha512(files[name]).hexdigest()}  {name}\n" for name in chosen).encode()
