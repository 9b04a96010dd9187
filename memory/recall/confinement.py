"""What the recall process takes from its surroundings, and what it gives up before it works."""

import ctypes
import os
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PASSED_ON = ("LANG", "LC_ALL", "LC_CTYPE", "SYSTEMROOT", "WINDIR")


def environment(scratch: Path) -> dict[str, str]:
    """Return the child's whole environment: no key, no token; what it may write goes to ``scratch``."""
    root = str(Path(__file__).parents[2])
    chosen = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return chosen | {
        "PYTHONPATH": root,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "SQLITE_TMPDIR": str(scratch),
        "ANONYMIZED_TELEMETRY": "False",
        "OTEL_SDK_DISABLED": "true",
        # The wheel of ONNX Runtime reports its use to its maker otherwise, and leaves a device id.
        "ORT_DISABLE_TELEMETRY": "1",
        "OMP_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        # Freed memory is overwritten, because Chroma writes memory that it never filled to its folder.
        "MALLOC_PERTURB_": "165",
        "MALLOC_ARENA_MAX": "2",
        # Large pieces go back to the system when freed; the model's loading would stay resident otherwise.
        "MALLOC_MMAP_THRESHOLD_": "262144",
        "MALLOC_TRIM_THRESHOLD_": "131072",
    }


def confine(parent: int) -> None:
    """Die with the parent, leave no core dump, let no other process of the owner read this memory.

    Ends the process when the parent is gone already.
    """
    if sys.platform == "linux":
        library = ctypes.CDLL(None, use_errno=True)
        library.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        library.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        # The owner's Ctrl+C is for the office, which ends this process in good order.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if os.getppid() != parent:
            sys.exit(0)


def own_memory() -> int:
    """Return the bytes of memory this process holds: its proportional share, else its resident size.

    Asked from outside, a process that cannot be dumped does not tell.
    """
    import psutil

    full = psutil.Process().memory_full_info()
    return int(getattr(full, "pss", full.uss))
