"""Who is at the other end of the socket, and whether the office itself started them."""

import os
import socket
import struct
import sys

import psutil


def peer(connection: socket.socket) -> tuple[int, int | None]:
    """Return the user id and, where the system tells, the process id of the other end."""
    if sys.platform == "linux":
        size = struct.calcsize("3i")
        pid, uid, _gid = struct.unpack(
            "3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
        )
        return uid, pid
    else:
        # LOCAL_PEERCRED of macOS and BSD: version, uid, groups.
        _version, uid = struct.unpack_from("2I", connection.getsockopt(0, 1, 128))
        return uid, None


def is_descendant(pid: int, ancestor: int) -> bool:
    """Whether ``ancestor`` started a process, directly or through others; it is not its own descendant."""
    if pid == ancestor:
        return False
    try:
        return any(parent.pid == ancestor for parent in psutil.Process(pid).parents())
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False


def is_own(connection: socket.socket) -> bool:
    """Whether the other end is a process of this user."""
    return peer(connection)[0] == os.getuid()


def may_enter(connection: socket.socket) -> bool:
    """Whether the other end is this user and no tool, server or script of the office itself."""
    uid, pid = peer(connection)
    return uid == os.getuid() and (pid is None or not is_descendant(pid, os.getpid()))


def adopt_orphans() -> None:
    """Become the reaper of all descendants on Linux, so that none escapes its ancestry by a double fork."""
    if sys.platform != "linux":
        return
    import ctypes

    set_child_subreaper = 36
    ctypes.CDLL(None, use_errno=True).prctl(set_child_subreaper, 1, 0, 0, 0)
