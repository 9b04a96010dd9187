"""``make prove-erasure``: after a deep erase, nothing on the raw device decrypts to what was erased.

Needs root, a loop device and mkfs.ext4. An office is made on an ext4 image of its own, markers are planted, erased
deeply, and the passphrase is changed. Then the device is unmounted and read from its first byte to its last: as it
is, and decrypted with every key that still exists. The former key is the control: with it the markers must show, or
the search would prove nothing.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC

from agents.indexing import index_said
from agents.office import Office
from memory import messages
from memory.lifecycle.subjects import Subject
from memory.locations import Locations
from vault.secret import Secret

MEGABYTES = 192
MARKER = "ochre pelican beside seventeen lighthouses"
WORDS = (b"ochre pelican", b"seventeen", b"lighthouses")
FORMER, LATER = "two herons at the weir", "nine larks over the field"
BLOCK = 1 << 20


async def _erase(home: Path) -> dict[str, bytes]:
    """Plant, erase deeply, change the passphrase; return the keys that exist afterwards and the former one."""
    office = await Office.open(Locations(home), passphrase=FORMER)
    try:
        former = office.vault.keys.database_key
        for number in range(40):
            await office.notes.add(f"{number}: {MARKER}, and again {MARKER}")
        conversation = await office.create_conversation(title="Everything")
        for number in range(40):
            said = await office.database.write(
                messages.add_owner_message, conversation.id, f"{number} {MARKER} " * 20
            )
            await office.database.write(index_said, said.id)
        file = await office.attach(conversation.id, MARKER.encode() * 1_000, "pelicans.txt")
        await office.files.settled([file.id])
        await office.database.fold_log()
        subjects = [Subject("conversation", conversation.id)]
        found = await office.database.read(_notes)
        subjects += [Subject("note", identifier) for identifier in found]
        report = await office.erasing.proved((await office.erasing.erase(subjects, deep=True)).id)
        if report.state != "clean":
            raise RuntimeError(f"the office's own search found traces: {report.proof}")
        await asyncio.to_thread(office.vault.change_passphrase, Secret(LATER))
        keys = office.vault.keys
        return {
            "former": former,
            "database key": keys.database_key,
            "signing seed": keys.signing_seed,
            "sealing key": keys.sealing_key,
            "fingerprint salt": keys.fingerprint_salt,
        }
    finally:
        await office.close()


def _notes(session: object) -> list[str]:
    from memory import notes

    return [note.id for note in notes.notes(session)]  # type: ignore[arg-type]  # the lane's session


def _count(device: Path, key: bytes | None) -> int:
    """Return how often a marker word stands on the device, as it is or decrypted with a key."""
    return sum(text.lower().count(word) for text in _texts(device, key) for word in WORDS)


def _texts(device: Path, key: bytes | None) -> Iterator[bytes]:
    with device.open("rb") as raw:
        before = bytes(16)
        while block := raw.read(BLOCK):
            if key is None:
                yield block
            else:
                # Every ciphertext block is the vector of the next, wherever on the device a page may lie.
                decryptor = Cipher(AES256(key), CBC(before)).decryptor()
                yield decryptor.update(block) + decryptor.finalize()
                before = block[-16:]


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def main() -> int:
    """Prove it, print what was found as JSON, and return 0 where nothing was."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("losetup", "mkfs.ext4", "mount", "umount"))):
        print("This needs root, losetup, mount and mkfs.ext4.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as name:
        image, place = Path(name) / "disk.img", Path(name) / "disk"
        place.mkdir()
        with image.open("wb") as file:
            file.truncate(MEGABYTES << 20)
        device = _run("losetup", "--find", "--show", str(image))
        try:
            _run("mkfs.ext4", "-q", device)
            _run("mount", device, str(place))
            try:
                keys = asyncio.run(_erase(place / "office"))
            finally:
                _run("umount", str(place))
            hits = {"as it is": _count(Path(device), None)}
            hits |= {name: _count(Path(device), key) for name, key in keys.items()}
        finally:
            _run("losetup", "--detach", device)
    control = hits.pop("former")
    print(json.dumps({"megabytes": MEGABYTES, "found": hits, "found with the former key": control}, indent=1))
    if not control:
        print("The former key shows nothing: the search itself is broken.", file=sys.stderr)
        return 1
    return 1 if any(hits.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
