"""Open the gallery: ``python -m desktop.gallery [light|dark] [zoom]``."""

import sys

from PySide6.QtCore import QEventLoop
from PySide6.QtWidgets import QApplication

from desktop.gallery.window import Gallery
from desktop.theme.appearance import Scheme, appearance


def main() -> int:
    """Open the window and run until it is closed."""
    app = QApplication(sys.argv)
    scheme = Scheme(sys.argv[1]) if len(sys.argv) > 1 else Scheme.SYSTEM
    appearance().apply(app, scheme, float(sys.argv[2]) if len(sys.argv) > 2 else 1.0)
    window = Gallery()
    window.show()
    while window.isVisible():
        app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
    return 0


if __name__ == "__main__":
    sys.exit(main())
