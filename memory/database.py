"""The encrypted database of an office: opening it, its pragmas, one lane that writes and one that reads."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from memory.disk import told_by_system
from memory.errors import (
    DatabaseDamaged,
    DatabaseKeyWrong,
    DiskFull,
    DiskReadOnly,
    DiskRefused,
    Refused,
    StorageError,
)
from memory.pages import logged_pages
from resources.language import gettext as _

P = ParamSpec("P")
T = TypeVar("T")

CONNECT_PRAGMAS = (
    "cipher_log_level = NONE",
    "foreign_keys = ON",
    "journal_mode = WAL",
    "synchronous = FULL",
    "secure_delete = ON",
    "temp_store = MEMORY",
    "cache_size = -16384",
    "busy_timeout = 5000",
)


class Database:
    """An open database. Every call is one transaction on a thread of its own, committed before it returns.

    ``write`` and ``read`` take a function whose first argument is a session and run it off the caller's
    thread; what it returns must be plain data, never a mapped row. Reads have a connection of their own,
    so a long search never holds up a commit.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        self.path = path
        self._write_lane = _Lane(path, key, read_only=False)
        self._read_lane: _Lane | None = None
        self._key = key
        self._guard = threading.Lock()
        self._closed = False

    @classmethod
    def open(cls, path: Path, key: bytes) -> Self:
        """Open or create the file with the 32-byte key; blocks for some 20 ms.

        Raises DatabaseKeyWrong, DatabaseDamaged, DiskFull or DiskReadOnly.
        """
        database = cls(path, key)
        try:
            database.write_now(_probe)
        except StorageError:
            database.close()
            raise
        return database

    async def write(
        self, operation: Callable[Concatenate[Session, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run the operation in one transaction on the writing lane; it is on disk when this returns."""
        return await self._write_lane.run(operation, *args, **kwargs)

    async def read(
        self, operation: Callable[Concatenate[Session, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run the operation on the reading lane, which cannot write."""
        return await self._reader().run(operation, *args, **kwargs)

    async def read_apart(
        self, operation: Callable[Concatenate[Session, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run the operation on a reading lane of its own: one that takes minutes holds nobody up.

        It sees the database as it was when it began. While it runs, the log of changes cannot be cut short.
        """
        # It is opened in a turn of the other reading lane, which rests while the file gets another key.
        opening = asyncio.ensure_future(self._reader().submit(self._open_apart))
        try:
            lane = await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_close_opened)
            raise
        try:
            return await lane.run(operation, *args, **kwargs)
        finally:
            # After a cancelled call this waits for the operation, which its owner has told to end.
            await asyncio.to_thread(lane.close)

    def write_now(
        self, operation: Callable[Concatenate[Session, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Like ``write``, for callers that have no event loop; blocks."""
        return self._write_lane.run_now(operation, *args, **kwargs)

    async def write_traced(
        self, operation: Callable[Concatenate[Session, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> tuple[T, frozenset[int]]:
        """Like ``write``; also returns the numbers of the pages that were written since the log was last cut."""
        return await self._write_lane.submit(self._write_traced, operation, args, kwargs)

    async def fold_log(self) -> bool:
        """Fold the log into the file and cut it to nothing; False while something still reads from it."""
        return await self._write_lane.submit(self._fold_log)

    async def rekey(self, key: bytes, work: Callable[[Any], None]) -> None:
        """Let ``work`` give the file this key with the driver's connection, while no other one is open.

        Reads that come meanwhile wait. Raises StorageError; then the property ``key`` is what the file is held to
        have, and only ``prove`` tells that it has.
        """
        await self._write_lane.submit(self._rekey, key, work)

    async def prove(self) -> None:
        """Open the file anew with its key. Raises DatabaseKeyWrong, or another StorageError that says nothing of it."""
        await self._write_lane.submit(self._use_present)

    def watch(self, committed: Callable[[], None]) -> Callable[[], None]:
        """Call ``committed`` after every transaction that wrote, on the writing lane's thread; returns what ends it."""
        return self._write_lane.watch(committed)

    @property
    def key(self) -> bytes:
        """The 32 bytes that open the file now."""
        return self._key

    def close(self) -> None:
        """Finish what is under way, fold the log into the file and close both lanes; again is harmless."""
        with self._guard:
            if self._closed:
                return
            self._closed = True
            reader, self._read_lane = self._read_lane, None
        # Not under the guard, for what is under way on the writing lane takes it, too. The writer last: it folds the
        # log.
        if reader is not None:
            reader.close()
        self._write_lane.close()

    def _write_traced(self, operation: Callable[..., T], args: Any, kwargs: Any) -> tuple[T, frozenset[int]]:
        return self._write_lane.transaction(operation, args, kwargs), logged_pages(self.path)

    def _fold_log(self) -> bool:
        with self._reader_resting(), self._write_lane.connection() as connection:
            connection.execute("PRAGMA busy_timeout = 200")
            try:
                busy, _frames, _folded = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                connection.execute("PRAGMA busy_timeout = 5000")
            return not busy

    def _rekey(self, key: bytes, work: Callable[[Any], None]) -> None:
        with self._reader_resting(closed=True):
            try:
                with self._write_lane.connection() as connection:
                    work(connection)
            except StorageError:
                try:
                    self._use(self._key)
                except DatabaseKeyWrong:
                    self._use(key)  # it failed too late: the file has it all the same
                raise
            self._use(key)  # outside of the above: the file has it, and there is no way back

    def _use_present(self) -> None:
        with self._reader_resting(closed=True):
            self._use(self._key)

    def _open_apart(self) -> "_Lane":
        lane = _Lane(self.path, self._key, read_only=True)
        try:
            lane.run_now(_probe)
        except BaseException:
            lane.close()
            raise
        return lane

    def _use(self, key: bytes) -> None:
        """Open every later connection with this key, and try it. Raises DatabaseKeyWrong."""
        self._key = key
        self._write_lane.reopen(key)
        with self._guard:
            if self._read_lane is not None:
                self._read_lane.reopen(key)
        self._write_lane.transaction(_probe, (), {})

    @contextmanager
    def _reader_resting(self, *, closed: bool = False) -> Iterator[None]:
        """Hold the reading lane between two of its operations, its connection closed where that is asked."""
        lane = self._reader()
        resting, go_on = threading.Event(), threading.Event()
        held = lane.hold(resting, go_on, closed=closed)
        resting.wait()
        try:
            yield
        finally:
            go_on.set()
            held.result()

    def _reader(self) -> "_Lane":
        with self._guard:
            if self._read_lane is None:
                self._read_lane = _Lane(self.path, self._key, read_only=True)
            return self._read_lane


class _Lane:
    """One thread with one connection; operations run on it in the order they were given."""

    def __init__(self, path: Path, key: bytes, *, read_only: bool) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="reader" if read_only else "db")
        self._path, self._read_only = path, read_only
        self._engine = engine(path, key, read_only=read_only)
        self._watchers: tuple[Callable[[], None], ...] = ()

    async def run(
        self, operation: Callable[Concatenate[Session, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return await self.submit(self.transaction, operation, args, kwargs)

    async def submit(self, work: Callable[..., T], /, *args: Any) -> T:
        """Run anything on the lane's thread, in its turn."""
        future = self._executor.submit(work, *args)
        # A cancelled caller must not tear a transaction: the lane finishes it, only the result is dropped.
        return await asyncio.shield(asyncio.wrap_future(future))

    def run_now(
        self, operation: Callable[Concatenate[Session, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return self._executor.submit(self.transaction, operation, args, kwargs).result()

    def hold(self, resting: threading.Event, go_on: threading.Event, *, closed: bool) -> "Future[None]":
        """Let the lane set ``resting`` when its turn comes, and do nothing until ``go_on``."""

        def rest() -> None:
            if closed:
                self._engine.dispose()
            resting.set()
            go_on.wait()

        return self._executor.submit(rest)

    @contextmanager
    def connection(self) -> Iterator[Any]:
        """The driver's own connection, for what no transaction may surround; only on the lane's thread."""
        from sqlcipher3 import dbapi2

        pooled = self._engine.raw_connection()
        try:
            yield pooled.driver_connection
        except dbapi2.Error as error:
            raise told(error) from error
        finally:
            pooled.close()

    def reopen(self, key: bytes) -> None:
        """Open the next connection with another key."""
        self._engine.dispose()
        self._engine = engine(self._path, key, read_only=self._read_only)

    def close(self) -> None:
        self._executor.submit(self._engine.dispose).result()
        self._executor.shutdown()

    def watch(self, committed: Callable[[], None]) -> Callable[[], None]:
        self._watchers = (*self._watchers, committed)

        def end() -> None:
            self._watchers = tuple(each for each in self._watchers if each is not committed)

        return end

    def transaction(self, operation: Callable[..., T], args: Any, kwargs: Any) -> T:
        """Run the operation in one transaction; only on the lane's thread."""
        from sqlcipher3 import dbapi2

        try:
            with Session(self._engine, expire_on_commit=False) as session, session.begin():
                result = operation(session, *args, **kwargs)
        except (DatabaseError, dbapi2.Error) as error:  # the latter of who used the driver's own connection
            raise told(error) from error
        for committed in self._watchers:
            committed()
        return result


def engine(path: Path, key: bytes, *, read_only: bool = False) -> Engine:
    """Return an engine with one connection, opened with the 32-byte key at first use.

    Lanes use it; besides them only what needs a database that no lane has open: upgrades and their checks.
    """
    from sqlcipher3 import dbapi2

    def connect() -> Any:
        if not read_only:
            path.touch(mode=0o600, exist_ok=True)
        # Transactions are begun by the engine's "begin" event, so the driver must not begin its own.
        connection = dbapi2.connect(str(path), isolation_level=None, check_same_thread=False)
        try:
            connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
            for pragma in CONNECT_PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
            if read_only:
                connection.execute("PRAGMA query_only = ON")
        except BaseException:
            connection.close()
            raise
        return connection

    def connect_or_tell() -> Any:
        try:
            return connect()
        except OSError as error:
            raise told_by_system(error, path) from error

    # What is written must not stand in the text of an error, from where it would get into the log.
    made = create_engine(
        "sqlite://", module=dbapi2, creator=connect_or_tell, poolclass=StaticPool, hide_parameters=True
    )
    begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"
    event.listen(made, "begin", lambda connection: connection.exec_driver_sql(begin))
    return made


def _close_opened(opening: "asyncio.Future[_Lane]") -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


def _probe(session: Session) -> None:
    session.connection().exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one()


def told(error: DatabaseError | sqlite3.Error) -> StorageError:
    """Return the sentence for a driver's error."""
    text = str(getattr(error, "orig", None) or error).lower()
    if "not a database" in text:
        return DatabaseKeyWrong(
            _("The key does not open this office: unlock it with the recovery key, or restore a backup.")
        )
    if "disk is full" in text or "disk full" in text:
        return DiskFull(_("The disk is full: free some space, then try again. Nothing saved was lost."))
    if "readonly" in text or "read-only" in text or "unable to open" in text:
        return DiskReadOnly(_("The office's folder cannot be written: check the disk and its permissions."))
    if "locked" in text:
        return Refused(
            _("Something still reads the whole database, such as an export: try again once it is done.")
        )
    if "disk i/o error" in text:
        return DiskRefused(
            _("The disk cannot be used: check its free space and its health. Nothing saved was lost.")
        )
    if "malformed" in text or "corrupt" in text:
        return DatabaseDamaged(
            _("The database is damaged: run “bureau doctor”, or restore the newest snapshot in backups.")
        )
    return StorageError(_("The database refused the change: {reason}").format(reason=text.splitlines()[0]))
