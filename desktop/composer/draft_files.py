"""The files of a draft as chips with a cross: a picture shows itself, a file that failed says so in colour."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtWidgets import QWidget

from desktop.widgets.chip import Chip
from desktop.widgets.picture_chip import PictureChip


@dataclass(frozen=True, slots=True)
class DraftFile:
    """A file that is sent with the next message; ``label`` is its name and what is known of it."""

    id: str
    label: str
    failed: bool = False
    image: bool = False
    picture: bytes = b""


def chips_of(
    files: Sequence[DraftFile],
    parent: QWidget,
    remove: Callable[[str], object],
    open_file: Callable[[str], object],
) -> list[QWidget]:
    """Return one chip for each file."""
    made: list[QWidget] = []
    for file in files:
        if file.image and not file.failed:
            chip: Chip = PictureChip(file.label, parent, file.picture, removable=True)
        else:
            chip = Chip(file.label, parent, icon="warning" if file.failed else "attach", removable=True)
            chip.set_fault(file.failed)
        chip.removed.connect(lambda it=file.id: remove(it))
        chip.clicked.connect(lambda _on=False, it=file.id: open_file(it))
        made.append(chip)
    return made
