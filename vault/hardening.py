"""Keep the memory of this process out of core dumps."""

import ctypes
import os
import sys

_PR_SET_DUMPABLE = 4


def forbid_core_dumps() -> None:
    """Let a crash of this process write no memory to disk.

    The limit alone does not bind a kernel that pipes cores into a collector; on Linux the process is
    therefore also marked as not dumpable, which besides keeps other processes of the same user from
    attaching to it. Its /proc entries then belong to root, so only root can measure its memory from outside.
    Children that execute another program start dumpable again, with the limit still at zero.
    """
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        library = ctypes.CDLL(None, use_errno=True)
        if library.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
