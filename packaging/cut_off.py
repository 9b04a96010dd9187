"""Run a Python module where only loopback exists: `python packaging/cut_off.py pytest -n 2`.

On Linux, as root, the kernel itself cuts the network off for the module and every process it starts.
Elsewhere the guard of tests/conftest.py watches alone, and a line says so.
"""

import ctypes
import os
import socket
import struct
import sys

CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS = 0x8914
IFF_UP = 1


def leave_the_network() -> bool:
    """Move this process into a network of its own that has loopback only; False where not allowed."""
    if not sys.platform.startswith("linux"):
        return False
    import fcntl  # Windows has none

    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as endpoint:
        fcntl.ioctl(endpoint, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
    return True


def main() -> None:
    """Leave the network and become the module named by the arguments."""
    if leave_the_network():
        print("The tests run in a network of their own: loopback and nothing else.", flush=True)
    else:
        print("The kernel did not cut the network off here; the tests' own guard does.", flush=True)
    os.execv(sys.executable, [sys.executable, "-m", *sys.argv[1:]])


if __name__ == "__main__":
    main()
