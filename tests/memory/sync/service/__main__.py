"""The command that proves the sync: see `proving`."""

import sys

from tests.memory.sync.service.proving import main

if __name__ == "__main__":
    sys.exit(main())
