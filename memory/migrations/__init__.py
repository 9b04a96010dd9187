"""How an office made by an earlier version becomes one of today. See ARCHITECTURE.md, "The database"."""

REVISIONS = ("0001",)
"""Every revision in order; the last is what the tables are today."""

HEAD = REVISIONS[-1]
