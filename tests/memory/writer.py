"""A process that opens an office and commits numbered messages until something stops it.

``python -m tests.memory.writer HOME [--limit BYTES] [--as-nobody]`` prints a number after each commit; a
StorageError ends it with a line ``CLASS: sentence``. ``--rounds N`` instead forks N writers one after the
other, kills each at a random moment and prints how many commits were reported in all.
"""

import argparse
import os
import random
import resource
import select
import signal
import sys
import time
from pathlib import Path

from memory import branches, chats, messages, office_store
from memory.database import Database
from memory.errors import StorageError
from memory.locations import Locations
from tests.memory.conftest import KEY

TEXT = "0123456789" * 300


def write(home: Path, *, report: int, expected: int = 0, limit: int | None = None) -> None:
    """Commit messages for ever; the first thing checked is that none of ``expected`` earlier ones is missing."""
    database = office_store.open_database(Locations.find(home), KEY)
    listed = database.write_now(chats.conversations)
    chat = listed[0] if listed else database.write_now(chats.create_conversation, title="numbers")
    found = numbers(database, chat.id)
    if found[:expected] != list(range(expected)) or found != list(range(len(found))):
        raise AssertionError(f"{expected} were reported, found {len(found)}")
    if limit is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    number = len(found)
    while True:
        message = database.write_now(messages.add_owner_message, chat.id, f"{number} {TEXT}")
        database.write_now(messages.append_text, message.id, "never seen: it is complete")
        os.write(report, f"{number}\n".encode())
        number += 1


def numbers(database: Database, conversation_id: str) -> list[int]:
    """Return the numbers of the messages on the shown path."""
    turns = database.write_now(branches.path, conversation_id)
    return [int(turn.messages[0].text.split()[0]) for turn in turns]


def kill_writers(home: Path, rounds: int, seed: int) -> int:
    """Fork writers, kill each at a random moment, and return how many commits were reported in all."""
    moments = random.Random(seed)
    reported = 0
    for _round in range(rounds):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            try:
                write(home, report=writing, expected=reported)
            except Exception as error:  # noqa: BLE001 (the parent is told, then the process ends)
                os.write(writing, f"failed: {error!r}\n".encode())
            os._exit(1)
        os.close(writing)
        # Every fourth is killed while it may still be opening the office.
        if moments.random() < 0.75:
            select.select([reading], [], [], 30)
        time.sleep(moments.random() * 0.03)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with os.fdopen(reading) as lines:
            for line in lines.read().split("\n")[:-1]:
                if not line.isdigit():
                    raise AssertionError(line)
                reported = int(line) + 1
    return reported


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("home", type=Path)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--as-nobody", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    if chosen.rounds:
        print(kill_writers(chosen.home, chosen.rounds, chosen.seed))
        return
    if chosen.as_nobody and os.geteuid() == 0:
        import sqlcipher3.dbapi2  # noqa: F401  (the interpreter's own folder may be closed to nobody)

        os.setuid(65_534)
    try:
        write(chosen.home, report=1, limit=chosen.limit)
    except StorageError as error:
        print(f"{type(error).__name__}: {error}", flush=True)
        sys.stdout.flush()
        os._exit(3)


if __name__ == "__main__":
    main()
