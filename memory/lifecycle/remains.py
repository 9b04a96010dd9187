"""The files of an office whose keys are gone."""

import shutil
from collections.abc import Collection
from pathlib import Path

from memory.lifecycle.data_map import covers
from memory.locations import Locations


def remove(locations: Locations, *, but: Collection[Path] = ()) -> tuple[Path, ...]:
    """Remove every file of the office; return what is not Bureau's or could not be removed.

    ``but`` stay and are not returned. Logs and caches of this user go as well.
    """
    from platformdirs import user_cache_path, user_log_path

    home, left = locations.home, []
    # The note that the office is being erased goes last: what a crash leaves, the next start removes.
    for path in sorted(home.rglob("*"), key=lambda path: (path != locations.erasing, path), reverse=True):
        try:
            if path in but:
                continue
            if path.is_dir() and not path.is_symlink():
                if not any(path.iterdir()):
                    path.rmdir()
            elif covers(path.relative_to(home).as_posix()) is not None:
                path.unlink(missing_ok=True)
            else:
                left.append(path)
        except OSError:  # the keys are gone: what cannot be removed is noise, and its owner hears of it
            left.append(path)
    if not left and not but:
        home.rmdir()
    for folder in (user_cache_path("bureau", appauthor=False), user_log_path("bureau", appauthor=False)):
        shutil.rmtree(folder, ignore_errors=True)
    return tuple(reversed(left))
