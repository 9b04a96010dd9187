"""What can go wrong while finding again.

RecallError
├── ModelDamaged        the embedding model or its tokenizer is not the one this version was made for
├── RecallDown          the recall process does not answer; full text goes on without it
└── SnapshotDamaged     the sealed index does not open; it is rebuilt from the database
"""


class RecallError(Exception):
    """A fault of recall, told in one sentence that names the fix."""


class ModelDamaged(RecallError):
    """The embedding model or its tokenizer is not the one this version was made for."""


class RecallDown(RecallError):
    """The recall process does not answer; full text goes on without it."""


class SnapshotDamaged(RecallError):
    """The sealed index does not open; it is rebuilt from the database."""
