"""A SQLite file, through the `sqlite3` of the app's own process.

A second copy of SQLite in the process would break the locks of the first one, so the extension has
none.
"""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar
from urllib.parse import quote_from_bytes

from . import _forks
from ._core import FileIdentity, leak
from ._errors import Busy, DatabaseError

# How long to wait for another program's lock, and the pauses between attempts. SQLite's own timeout
# pauses longer and longer, and starves beside a program that commits back to back.
BUSY_S = 10
PAUSES_S = (0.0003, 0.002)

# How long a fork waits for running reads.
FORK_S = 10

BUSY = (
    "database is locked",
    "database schema is locked",
    "database table is locked",
    "locking protocol",
)
# A writer is committing, or was killed and left a journal. In the latter case, someone with write
# access has to roll back its transaction.
READ_ONLY = "attempt to write a readonly database"
ROLLBACK_AFTER_S = 1

# Other programs may store anything. The error shows the value.
NOT_UTF_8 = "Could not decode to UTF-8"

Result = TypeVar("Result")


class Pool:
    """Connections to one file, as cursors that are used again."""

    def __init__(self, identity: FileIdentity | None = None) -> None:
        self.is_current = identity.is_current if identity else lambda: False
        # Appending and popping are atomic.
        self.idle: list[sqlite3.Cursor] = []
        # Those of open connections, idle or not.
        self.cursors: set[sqlite3.Cursor] = set()
        self.closed = False

    def close(self) -> None:
        """Closes the idle connections. Others are closed when they are returned."""
        self.closed = True
        while self.idle:
            try:
                cursor = self.idle.pop()
            except IndexError:
                return
            cursor.connection.close()
            self.cursors.discard(cursor)

    def __del__(self) -> None:
        self.close()

    def take_all(self, deadline: float) -> list[sqlite3.Cursor]:
        """Takes all connections, and waits for those in use."""
        taken: list[sqlite3.Cursor] = []
        while len(taken) < len(self.cursors) and time.monotonic() < deadline:
            try:
                taken.append(self.idle.pop())
            except IndexError:
                time.sleep(0.0001)
        return taken


class SqliteFile:
    """The file at an absolute path, and its connections. Threads share it, and it survives forks."""

    def __init__(self, path: str, mode: str) -> None:
        self.name = path
        self._mode = mode
        self._uri = f"file:{quote_from_bytes(path.encode(errors='surrogateescape'))}"
        self._lock = threading.Lock()
        self._pool = Pool()
        # Closed pools with connections that were in use.
        self._closing: list[Pool] = []
        # During a fork.
        self._paused: Pool | None = None
        self._taken: list[sqlite3.Cursor] = []
        _forks.register(self)

    def close(self) -> None:
        """Closes the connections. The next read opens new ones."""
        with self._lock:
            self._replace_pool(Pool())

    def _replace_pool(self, new: Pool) -> None:
        """Closes the pool; the lock is held."""
        old, self._pool = self._pool, new
        old.close()
        self._closing = [pool for pool in (*self._closing, old) if pool.cursors]

    def run(self, work: Callable[[sqlite3.Cursor], Result], busy_s: float = BUSY_S) -> Result:
        """Runs `work` until the database is not locked, for `busy_s` seconds."""
        started = time.monotonic()
        rolled_back = is_lenient = False
        while True:
            try:
                return self._once(work)
            except sqlite3.Error as error:
                problem = str(error)
            elapsed = time.monotonic() - started
            if problem.startswith(NOT_UTF_8) and not is_lenient:
                work, is_lenient = partial(leniently, work), True
                continue
            if problem == READ_ONLY:
                if elapsed > ROLLBACK_AFTER_S and not rolled_back:
                    self._roll_back()
                    rolled_back = True
            elif problem not in BUSY:
                # An open connection does not always recover when the file is overwritten.
                self.close()
                raise self._failed(problem)
            if elapsed > busy_s:
                raise Busy(f"{self.name} is locked by another program")
            time.sleep(random.uniform(*PAUSES_S))  # noqa: S311 - nothing secret

    def _once(self, work: Callable[[sqlite3.Cursor], Result]) -> Result:
        pool, cursor = self._take()
        try:
            return work(cursor)
        finally:
            pool.idle.append(cursor)
            if pool.closed:
                pool.close()

    def _take(self) -> tuple[Pool, sqlite3.Cursor]:
        _forks.notice()
        pool = self._pool
        if pool.is_current():
            try:
                return pool, pool.idle.pop()
            except IndexError:
                pass
        with self._lock:
            while True:
                identity = self._identity()
                if not self._pool.is_current():
                    # The file was replaced. A connection would go on reading the old one.
                    self._replace_pool(Pool(identity))
                try:
                    return self._pool, self._pool.idle.pop()
                except IndexError:
                    pass
                connection = self._connect(self._mode)
                if identity.is_current():
                    cursor = connection.cursor()
                    self._pool.cursors.add(cursor)
                    return self._pool, cursor
                connection.close()

    def _connect(self, mode: str) -> sqlite3.Connection:
        return sqlite3.connect(
            f"{self._uri}?mode={mode}",
            uri=True,
            timeout=0,
            isolation_level=None,
            check_same_thread=False,
        )

    def _identity(self) -> FileIdentity:
        try:
            return FileIdentity(self.name)
        except OSError as error:
            reason = error.strerror
            missing = isinstance(error, FileNotFoundError)
        if missing:
            raise self._missing()
        raise DatabaseError(f"cannot open the database {self.name}: {reason}")

    def _missing(self) -> DatabaseError:
        return DatabaseError(f"there is no database {self.name}", code="no_database")

    def _roll_back(self) -> None:
        """Rolls back what a killed writer left, if that takes more than a read."""

    def _failed(self, problem: str) -> DatabaseError:
        return DatabaseError(f"cannot use {self.name}: {problem}")

    def before_fork(self) -> None:
        self._lock.acquire()
        # Readers find no connection, and wait for the lock.
        self._paused, self._pool = self._pool, Pool()
        deadline = time.monotonic() + FORK_S
        # Not in the pool during the fork: a reader may have seen it before.
        self._taken = self._paused.take_all(deadline)
        for pool in self._closing:
            while pool.cursors and time.monotonic() < deadline:
                pool.close()
                time.sleep(0.0001)

    def after_fork_in_parent(self) -> None:
        assert self._paused is not None  # noqa: S101 - set before the fork
        self._pool, self._paused = self._paused, None
        self._pool.idle.extend(self._taken)
        self._taken = []
        self._lock.release()

    def after_fork_in_child(self) -> None:
        # SQLite forbids even closing the connections. uWSGI forks without `before_fork`.
        leak((self._pool, self._paused, self._closing, self._taken))
        self._lock = threading.Lock()
        self._pool, self._paused, self._closing, self._taken = Pool(), None, [], []


def leniently(work: Callable[[sqlite3.Cursor], Result], cursor: sqlite3.Cursor) -> Result:
    """Runs queries whose results are not all UTF-8. It would slow down all others."""
    connection = cursor.connection
    connection.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
    try:
        return work(cursor)
    finally:
        connection.text_factory = str
