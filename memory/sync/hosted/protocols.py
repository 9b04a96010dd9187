"""Which versions of the protocol the service speaks, and what it says to a device that speaks none of them."""

import re

from memory.sync.hosted.errors import Refusal

PROTOCOLS = (1,)
_SPOKEN = re.compile(r"\bprotocol (\d{1,4})\b")


def require_known(versions: str) -> None:
    """Raise Refusal (426) for a device that says ``protocol N`` of one that is not spoken here."""
    spoken = _SPOKEN.search(versions)
    if spoken is not None and int(spoken[1]) not in PROTOCOLS:
        raise Refusal(
            426,
            "newer_protocol",
            "The service does not speak this version of the protocol.",
            protocols=list(PROTOCOLS),
        )
