"""What its owner is told of files that are on their way between the devices."""

from collections.abc import Callable

from memory.sync.transfers import Moving
from resources.language import ngettext

_FAULTS: dict[str, Callable[[int], str]] = {
    "too_large": lambda count: ngettext(
        "{count} file is larger than the service takes: it stays on this device.",
        "{count} files are larger than the service takes: they stay on this device.",
        count,
    ),
    "no_room": lambda count: ngettext(
        "There is no room at the service for {count} file: erase something, or ask who runs it for more.",
        "There is no room at the service for {count} files: erase something, or ask who runs it for more.",
        count,
    ),
    "lost": lambda count: ngettext(
        "Pieces of {count} file are not there yet: let the device that has it sync. They are asked for again.",
        "Pieces of {count} files are not there yet: let the device that has them sync. They are asked for again.",
        count,
    ),
    "damaged": lambda count: ngettext(
        "A piece of {count} file arrived damaged and was not taken; it is fetched again.",
        "Pieces of {count} files arrived damaged and were not taken; they are fetched again.",
        count,
    ),
    "disk_full": lambda count: ngettext(
        "The disk is full: {count} file from another device waits for space. Free some.",
        "The disk is full: {count} files from other devices wait for space. Free some.",
        count,
    ),
    "read_only": lambda count: ngettext(
        "The folder of files cannot be written: {count} file waits. Give yourself write access to it.",
        "The folder of files cannot be written: {count} files wait. Give yourself write access to it.",
        count,
    ),
    "unreadable": lambda count: ngettext(
        "{count} file is damaged on this disk and does not go out: attach it again, or restore a backup.",
        "{count} files are damaged on this disk and do not go out: attach them again, or restore a backup.",
        count,
    ),
}


def moving_words(moving: Moving) -> str:
    """Return how many files are still to leave and to arrive; empty where none is."""
    words = []
    if moving.leaving:
        words.append(
            ngettext("{count} file is still to be sent.", "{count} files are still to be sent.", moving.leaving)
            .format(count=moving.leaving)
        )  # fmt: skip
    if moving.arriving:
        words.append(
            ngettext("{count} file is still to arrive.", "{count} files are still to arrive.", moving.arriving)
            .format(count=moving.arriving)
        )  # fmt: skip
    return " ".join(words)


def fault_words(moving: Moving) -> tuple[str, ...]:
    """Return why files do not go on, each with what to do about it."""
    return tuple(_FAULTS[fault](count).format(count=count) for fault, count in sorted(moving.faults.items()))
