"""The hosted service of OfficeSync: it keeps what it cannot read, relays it, and proves that it erased it.

Nothing of the desktop imports this package, and it imports nothing of the desktop; of Bureau it knows the wire format
beside it, `resources.language` and `vault.redaction`. ``bureau-hosted`` is its command.
"""
