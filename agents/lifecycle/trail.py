"""A note of where the audit trail ends, kept outside the database, so that an end that was cut off shows."""

import hashlib
import hmac
import json

from sqlalchemy.orm import Session

from memory import audit
from memory.errors import DatabaseDamaged
from memory.locations import Locations
from resources.language import gettext as _
from vault.durable_file import write_durably
from vault.master_keys import MasterKeys

FILE = "audit.seal"
_PURPOSE = b"bureau/v1/audit-seal"


def note_end(locations: Locations, keys: MasterKeys, end: audit.End) -> None:
    """Keep the last number and hash of the trail, sealed with a key of the office. Raises SavingFailed."""
    said = f"{end.number} {end.hash}"
    content = {"number": end.number, "hash": end.hash, "seal": _seal(keys, said)}
    write_durably(locations.home / FILE, json.dumps(content).encode())


def check(session: Session, locations: Locations, keys: MasterKeys) -> int:
    """Check the whole chain and that it reaches as far as was noted; return its length.

    Raises DatabaseDamaged naming what is wrong.
    """
    length = audit.verify(session)
    try:
        content = json.loads((locations.home / FILE).read_bytes())
        number, digest, seal = int(content["number"]), str(content["hash"]), str(content["seal"])
    except FileNotFoundError:
        return length  # nothing was noted yet, as in a new office
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatabaseDamaged(_seal_wrong()) from error
    if not hmac.compare_digest(seal, _seal(keys, f"{number} {digest}")):
        raise DatabaseDamaged(_seal_wrong())
    if not audit.reaches(session, number, digest):
        raise DatabaseDamaged(
            _(
                "The audit trail ends before entry {number}: its end was cut off, restore a backup to see it."
            ).format(number=number)
        )
    return length


def _seal(keys: MasterKeys, said: str) -> str:
    return hmac.new(keys.derive(_PURPOSE), said.encode(), hashlib.sha256).hexdigest()


def _seal_wrong() -> str:
    return _(
        "{file} is damaged or was changed: remove it, and the end of the audit trail is noted anew."
    ).format(file=FILE)
