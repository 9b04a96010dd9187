"""Replicas of the service that are killed and started again: real processes, each with a port of its own.

They are children of one process that has imported the service and forks, so a start takes the time of a service's start
and not that of its imports, and many kills fit into a test.
"""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping

import httpx2

_PATIENCE_SECONDS = 60.0


class Replicas:
    """``count`` processes of the service with the same settings, but for the port."""

    def __init__(self, count: int, settings: Mapping[str, object]) -> None:
        environment = {f"BUREAU_HOSTED_{name.upper()}": str(value) for name, value in settings.items()}
        self._parent = subprocess.Popen(
            [sys.executable, "-m", __name__],
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said: list[str] = []
        """What the replicas logged, a line each."""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.urls = [f"http://127.0.0.1:{_free_port()}" for _ in range(count)]
        self._pids = [self._start(number) for number in range(count)]
        self.kills = 0
        for number in range(count):
            self._until_ready(number)

    def _read(self) -> None:
        assert self._parent.stderr is not None
        self.said.extend(self._parent.stderr)

    def _start(self, number: int) -> int:
        assert self._parent.stdin is not None and self._parent.stdout is not None
        # One of them answers and does the jobs, the others only answer, as in compose.yaml.
        self._parent.stdin.write(f"{self.urls[number].rpartition(':')[2]} {int(number == 0)}\n")
        self._parent.stdin.flush()
        return int(self._parent.stdout.readline())

    def _until_ready(self, number: int) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                if httpx2.get(f"{self.urls[number]}/healthz").status_code == 200:
                    return
            except httpx2.TransportError:
                pass
            if time.monotonic() > deadline:
                raise RuntimeError("A replica does not start:\n" + "".join(self.said[-20:]))
            time.sleep(0.02)

    def kill(self, number: int) -> None:
        """Kill a replica, whatever it does, and start it again."""
        os.kill(self._pids[number], signal.SIGKILL)
        self.kills += 1
        self._pids[number] = self._start(number)
        self._until_ready(number)

    def close(self) -> None:
        """Stop all of them."""
        for pid in self._pids:
            with contextlib.suppress(ProcessLookupError):  # it could not start again
                os.kill(pid, signal.SIGTERM)
        assert self._parent.stdin is not None
        self._parent.stdin.close()
        self._parent.wait(60)
        self._reader.join(10)
        for stream in (self._parent.stdout, self._parent.stderr):
            assert stream is not None
            stream.close()


class Killer(threading.Thread):
    """Kills replicas at random moments until it is told to stop; never two at once, so that somebody answers."""

    def __init__(self, replicas: Replicas, seed: int) -> None:
        super().__init__()
        self._replicas = replicas
        self._random = random.Random(seed)
        self._stopped = threading.Event()
        self.failed: BaseException | None = None

    def run(self) -> None:
        """Kill."""
        try:
            while not self._stopped.wait(self._random.uniform(0.02, 0.4)):
                self._replicas.kill(self._random.randrange(len(self._replicas.urls)))
        except BaseException as wrong:  # noqa: BLE001  # whoever started it tells
            self.failed = wrong

    def stop(self) -> None:
        """Kill no more; every replica runs when this returns."""
        self._stopped.set()
        self.join()
        if self.failed is not None:
            raise self.failed


def _free_port() -> int:
    """Return a port that no connection is given by chance while its replica is dead."""
    while True:
        port = random.SystemRandom().randrange(15_000, 32_000)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port


def _fork_on_demand() -> None:
    """Read a port and whether to do jobs from each line; fork a service and say its process id."""
    from memory.sync.hosted import bucket, serving  # noqa: F401  # what a service needs is imported before it forks
    from memory.sync.hosted.settings import load

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that were killed
    pids = []
    for line in sys.stdin:
        port, working = line.split()
        pid = os.fork()
        if pid == 0:
            os.close(0)
            serving.serve(load(None, port=int(port)), working=working == "1")
            os._exit(0)
        pids.append(pid)
        print(pid, flush=True)
    while any(os.path.exists(f"/proc/{pid}") for pid in pids):  # noqa: PTH110  # asked often
        time.sleep(0.02)


if __name__ == "__main__":
    _fork_on_demand()
