"""``python -m desktop`` is ``bureau``."""

import sys

from desktop.command_line import main

if __name__ == "__main__":
    sys.exit(main())
