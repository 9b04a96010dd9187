"""``bureau paths``: where the office keeps its things."""

import json

from memory.locations import Locations


def show_paths(locations: Locations, *, as_json: bool) -> None:
    """Print where the office keeps its things."""
    rows = {
        "home": locations.home,
        "database": locations.database,
        "blobs": locations.blobs,
        "workspace": locations.workspace,
        "keyslots": locations.keyslots,
        "index": locations.snapshot,
        "backups": locations.backups,
        "logs": locations.logs,
    }
    if as_json:
        print(json.dumps({name: str(path) for name, path in rows.items()}))
        return
    for name, path in rows.items():
        print(f"{name:10} {path}")
