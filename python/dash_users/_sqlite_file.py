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
from ._core import file_identity, leak
from ._errors import Busy, DatabaseError

# How long to wait for another program's lock, and the pauses between attempts. SQLite's own timeout
# pauses longer and longer, and starves beside a program that commits back to back.
BUSY_S = 10
PAUSES_S = (0.0003, 0.002)

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

Result = TypeVar("Result")


class Pool:
    """Connections to one file, as cursors that are used again."""

    def __init__(self, identity: tuple[int, int] | None = None) -> None:
        self.identity = identity
        # Appending and popping are atomic.
        self.idle: list[sqlite3.Cursor] = []
        self.total = 0
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


class SqliteFile:
    """The file at an absolute path, and its connections. Threads share it, and it survives forks."""

    def __init__(self, path: str, mode: str) -> None:
        self.name = path
        self._mode = mode
        self._uri = f"file:{quote_from_bytes(path.encode(errors='surrogateescape'))}"
        self._lock = threading.Lock()
        self._pool = Pool()
        self._paused: Pool | None = None
        _forks.register(self)

    def close(self) -> None:
        """Closes the connections. The next read opens new ones."""
        with self._lock:
            pool, self._pool = self._pool, Pool()
            pool.close()

    def run(self, work: Callable[[sqlite3.Cursor], Result]) -> Result:
        """Runs `work` until the database is not locked."""
        started = time.monotonic()
        rolled_back = False
        while True:
            try:
                return self._once(work)
            except sqlite3.Error as error:
                problem = str(error)
            elapsed = time.monotonic() - started
            if problem == READ_ONLY:
                if elapsed > ROLLBACK_AFTER_S and not rolled_back:
                    self._roll_back()
                    rolled_back = True
            elif problem not in BUSY:
                raise self._failed(problem)
            if elapsed > BUSY_S:
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
        pool = self._pool
        if self._identity() == pool.identity:
            try:
                return pool, pool.idle.pop()
            except IndexError:
                pass
        with self._lock:
            while True:
                identity = self._identity()
                if identity != self._pool.identity:
                    # The file was replaced. A connection would go on reading the old one.
                    self._pool.close()
                    self._pool = Pool(identity)
                connection = self._connect(self._mode)
                if self._identity() == identity:
                    self._pool.total += 1
                    return self._pool, connection.cursor()
                connection.close()

    def _connect(self, mode: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self._uri}?mode={mode}",
            uri=True,
            timeout=0,
            isolation_level=None,
            check_same_thread=False,
        )
        # Other programs may store invalid UTF-8. The error that it would raise shows the value.
        connection.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
        return connection

    def _identity(self) -> tuple[int, int]:
        try:
            return file_identity(self.name)
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
        returned: list[sqlite3.Cursor] = []
        while len(returned) < self._paused.total:
            try:
                returned.append(self._paused.idle.pop())
            except IndexError:
                time.sleep(0.0001)
        self._paused.idle.extend(returned)

    def after_fork_in_parent(self) -> None:
        assert self._paused is not None  # noqa: S101 - set before the fork
        self._pool, self._paused = self._paused, None
        self._lock.release()

    def after_fork_in_child(self) -> None:
        # SQLite forbids even closing the connections. uWSGI forks without `before_fork`.
        leak((self._pool, self._paused))
        self._lock = threading.Lock()
        self._pool, self._paused = Pool(), None
