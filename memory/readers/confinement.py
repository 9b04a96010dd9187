"""Takes from the process that calls it what a reader of untrusted files does not need.

Limits on memory, time, files and size everywhere POSIX; on Linux also a network namespace without interfaces,
a system call filter that refuses new sockets, programs and tracing, and Landlock, which leaves only
the interpreter and its libraries readable. What the system refuses is reported, never taken for granted.
"""

import ctypes
import os
import platform
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_SECCOMP = 22
_PR_SET_NO_NEW_PRIVS = 38
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_SIGKILL = 9


@dataclass(frozen=True, slots=True)
class Limits:
    """What one reading may use: memory, processor time, wall time, size of the file and of the answer."""

    memory_megabytes: int = 1536
    processor_seconds: int = 100
    seconds: int = 120
    file_megabytes: int = 200
    answer_megabytes: int = 400
    files_per_worker: int = 50


@dataclass(frozen=True, slots=True)
class Confinement:
    """What is enforced in this process; a False is something the system would not enforce."""

    limits: bool
    no_network: bool
    no_new_sockets: bool
    no_files: bool
    dies_with_office: bool


def confine(limits: Limits, parent: int, readable: Sequence[Path]) -> Confinement:
    """Confine this process for the rest of its life. ``parent`` is the office's process id.

    ``readable`` are the folders it goes on reading libraries from. Call it before any thread is started.
    """
    limited = _limit(limits)
    if not sys.platform.startswith("linux"):
        return Confinement(limited, False, False, False, False)
    libc = ctypes.CDLL(None, use_errno=True)
    no_network = libc.unshare(_CLONE_NEWNET) == 0 or libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    dies = libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0) == 0
    if os.getppid() != parent:
        raise SystemExit(0)  # the office died before the signal was asked for
    locked = libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    no_files = locked and _leave_readable(libc, readable)
    no_sockets = locked and _filter_system_calls(libc)
    return Confinement(limited, no_network, no_sockets, no_files, dies)


def _limit(limits: Limits) -> bool:
    if sys.platform == "win32":
        return False
    import resource

    def lower(which: int, value: int) -> None:
        _, hard = resource.getrlimit(which)
        wanted = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (wanted, wanted))

    lower(resource.RLIMIT_CORE, 0)
    lower(resource.RLIMIT_FSIZE, 0)
    lower(resource.RLIMIT_NOFILE, 64)
    if sys.platform == "darwin":  # refuses a limit of the address space
        return False
    lower(resource.RLIMIT_AS, limits.memory_megabytes * 1024 * 1024)
    return True


def allow_processor_seconds(seconds: int) -> None:
    """Let this process use that many more seconds of processor time before the system ends it."""
    if sys.platform == "win32":
        return
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    until = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(
        resource.RLIMIT_CPU, (until if hard == resource.RLIM_INFINITY else min(until, hard), hard)
    )


_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_LANDLOCK_READ = 0b1101  # execute (libraries are mapped so), read a file, read a folder
_LANDLOCK_ALL = {1: (1 << 13) - 1, 2: (1 << 14) - 1}
_LANDLOCK_LATEST = (1 << 15) - 1


def _leave_readable(libc: ctypes.CDLL, readable: Sequence[Path]) -> bool:
    """Refuse all access to files but reading below the given folders; return whether the kernel can."""
    version = libc.syscall(_LANDLOCK_CREATE, None, 0, 1)
    if version < 1:
        return False
    handled = struct.pack("=Q", _LANDLOCK_ALL.get(version, _LANDLOCK_LATEST))
    rules = libc.syscall(_LANDLOCK_CREATE, handled, len(handled), 0)
    if rules < 0:
        return False
    try:
        for folder in readable:
            if not folder.is_dir():
                continue
            descriptor = os.open(folder, os.O_PATH | os.O_CLOEXEC)
            rule = struct.pack("=Qi", _LANDLOCK_READ, descriptor)
            added = libc.syscall(_LANDLOCK_ADD, rules, 1, rule, 0)
            os.close(descriptor)
            if added != 0:
                return False
        return bool(libc.syscall(_LANDLOCK_RESTRICT, rules, 0) == 0)
    finally:
        os.close(rules)


@dataclass(frozen=True, slots=True)
class _Machine:
    """The identity of an architecture for the filter and its numbers of the refused system calls."""

    audit: int
    refused: tuple[int, ...]
    highest: int


_X86_64 = {
    "socket": 41, "connect": 42, "bind": 49, "listen": 50, "socketpair": 53, "io_uring_setup": 425,
    "clone": 56, "fork": 57, "vfork": 58, "execve": 59, "execveat": 322, "clone3": 435,
    "kill": 62, "tkill": 200, "tgkill": 234, "pidfd_send_signal": 424, "pidfd_getfd": 438,
    "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "perf_event_open": 298, "bpf": 321,
    "unshare": 272, "setns": 308, "mount": 165, "userfaultfd": 323,
    "add_key": 248, "request_key": 249, "keyctl": 250,
}  # fmt: skip
_AARCH64 = {
    "socket": 198, "connect": 203, "bind": 200, "listen": 201, "socketpair": 199, "io_uring_setup": 425,
    "clone": 220, "execve": 221, "execveat": 281, "clone3": 435,
    "kill": 129, "tkill": 130, "tgkill": 131, "pidfd_send_signal": 424, "pidfd_getfd": 438,
    "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271, "perf_event_open": 241, "bpf": 280,
    "unshare": 97, "setns": 268, "mount": 40, "userfaultfd": 282,
    "add_key": 217, "request_key": 218, "keyctl": 219,
}  # fmt: skip
_MACHINES = {
    "x86_64": _Machine(0xC000003E, tuple(_X86_64.values()), 0x3FFFFFFF),  # above it are the x32 calls
    "aarch64": _Machine(0xC00000B7, tuple(_AARCH64.values()), 0xFFFFFFFF),
}
_LOAD, _JUMP_EQUAL, _JUMP_GREATER, _RETURN = 0x20, 0x15, 0x25, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050001, 0x80000000


def _filter_system_calls(libc: ctypes.CDLL) -> bool:
    """Refuse the calls that reach other machines or processes, threads included; return whether it can be."""
    machine = _MACHINES.get(platform.machine())
    if machine is None or struct.calcsize("P") != 8:
        return False
    count = len(machine.refused)
    program = [
        (_LOAD, 0, 0, 4),
        (_JUMP_EQUAL, 1, 0, machine.audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),
        (_JUMP_GREATER, count + 1, 0, machine.highest),
        *((_JUMP_EQUAL, count - index, 0, number) for index, number in enumerate(machine.refused)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in program))
    header = ctypes.create_string_buffer(struct.pack("@HxxxxxxQ", len(program), ctypes.addressof(code)))
    return bool(libc.prctl(_PR_SET_SECCOMP, 2, header, 0, 0) == 0)
