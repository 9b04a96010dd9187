"""The keys of an office are destroyed in one go: what a crash leaves of it is destroyed at the next start."""

import json
from pathlib import Path

from vault import keyslots
from vault.durable_file import remove_durably, write_durably
from vault.keyring_store import PROMPT_SECONDS, KeyringStore

_FILE = "erasing.json"


def is_being_erased(folder: Path) -> bool:
    """Return whether the owner had the keys of the office in a folder destroyed and its files still stand there."""
    return (folder / _FILE).exists()


def begin(folder: Path, item: str, store: str) -> None:
    """Note that the keys go: the name of their item in the store of this identity. Raises SavingFailed."""
    write_durably(folder / _FILE, json.dumps({"item": item, "store": store}).encode())


def call_off(folder: Path) -> None:
    """Take the note back, where the store kept the keys. Raises SavingFailed."""
    remove_durably(folder / _FILE)


def finish(folder: Path, *, prompt_seconds: float = PROMPT_SECONDS) -> None:
    """Destroy the item and the slots that are left; the note goes last, with the files of the office.

    Raises StoreUnusable, SavingFailed; then the next start tries again.
    """
    noted = json.loads((folder / _FILE).read_bytes())
    if noted["store"] != keyslots.PASSPHRASE_STORE:
        KeyringStore.open(folder, prompt_seconds=prompt_seconds).delete(noted["item"])
    keyslots.destroy(folder)
