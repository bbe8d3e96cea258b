"""Reads users from a SQLite file, through the `sqlite3` of the app's own process.

A second copy of SQLite in the process would break the locks of the first one, so the extension has
none.
"""

from __future__ import annotations

import random
import shlex
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote_from_bytes

from . import _forks
from ._core import FileIdentity, is_locked, leak
from ._errors import Busy, DatabaseError
from ._types import User
from ._types import time as parsed_time

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

HASH = "SELECT password_hash FROM users WHERE username = ?"
LANGUAGE = "SELECT language FROM users WHERE username = ?"
GROUPS = """SELECT group_name FROM user_groups
    WHERE username = ?1 AND EXISTS (SELECT 1 FROM users WHERE username = ?1) ORDER BY group_name"""
ONE = "SELECT username, password_hash, language FROM users WHERE username = ?"
ALL = "SELECT username, password_hash, language FROM users ORDER BY username COLLATE BINARY"
ALL_GROUPS = "SELECT username, group_name FROM user_groups ORDER BY group_name"
ALL_TIMES = "SELECT username, created_at, password_changed_at FROM dash_users_times"

# A NULL, which is not what an unknown user has.
UNREADABLE = b""

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


class SqliteReader:
    """Reads users from the file at an absolute path."""

    def __init__(self, path: str) -> None:
        self.name = path
        self._uri = f"file:{quote_from_bytes(path.encode(errors='surrogateescape'))}"
        self._lock = threading.Lock()
        self._pool = Pool()
        # Closed pools with connections that were in use.
        self._closing: list[Pool] = []
        # During a fork.
        self._paused: Pool | None = None
        self._taken: list[sqlite3.Cursor] = []
        _forks.register(self)

    def stored_hash(self, username: str) -> object:
        """What is stored as the user's hash, or `None` for an unknown user."""
        # Every request of an app comes here: without the detours of `_read`, if all is well.
        rows = None
        pool = self._pool
        idle = pool.idle
        try:
            if pool.is_current():
                cursor = idle.pop()
                try:
                    rows = cursor.execute(HASH, (username,)).fetchall()
                finally:
                    idle.append(cursor)
                    if pool.closed:
                        pool.close()
        except (sqlite3.Error, IndexError, OSError):
            rows = None
        if rows is None:
            rows = self._read(lambda cursor: cursor.execute(HASH, (username,)).fetchall())
        if not rows:
            return None
        stored = rows[0][0]
        return UNREADABLE if stored is None else stored

    def language(self, username: str) -> str | None:
        rows = self._read(lambda cursor: cursor.execute(LANGUAGE, (username,)).fetchall())
        return shown(rows[0][0]) if rows else None

    def groups(self, username: str) -> list[str]:
        rows = self._read(lambda cursor: optional(cursor, GROUPS, username))
        return [shown(group) for (group,) in rows]

    def user(self, username: str) -> User | None:
        def work(cursor: sqlite3.Cursor) -> User | None:
            rows = cursor.execute(ONE, (username,)).fetchall()
            if not rows:
                return None
            groups = optional(cursor, GROUPS, username)
            times = optional(cursor, f"{ALL_TIMES} WHERE username = ?", username)
            return to_user(rows[0], (group for (group,) in groups), times[0] if times else None)

        return self._read(partial(in_transaction, work))

    def users(self) -> list[User]:
        def work(cursor: sqlite3.Cursor) -> list[User]:
            rows = cursor.execute(ALL).fetchall()
            times = {row[0]: row for row in optional(cursor, ALL_TIMES)}
            groups: dict[object, list[object]] = {}
            for name, group in optional(cursor, ALL_GROUPS):
                groups.setdefault(name, []).append(group)
            return [
                to_user(row, groups.get(row[0], ()), times.get(row[0]))
                for row in rows
                # No one can log in with another name.
                if isinstance(row[0], str)
            ]

        return self._read(partial(in_transaction, work))

    def close(self) -> None:
        """Closes the connections. The next read opens new ones."""
        with self._lock:
            self._replace_pool(Pool())

    def _replace_pool(self, new: Pool) -> None:
        """Closes the pool; the lock is held."""
        old, self._pool = self._pool, new
        old.close()
        self._closing = [pool for pool in (*self._closing, old) if pool.cursors]

    def _read(self, work: Callable[[sqlite3.Cursor], Result]) -> Result:
        """Runs `work` until the database is not locked."""
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
                connection = self._connect("ro")
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
            raise DatabaseError(
                f"there is no database {self.name}", code="no_database", hint=self._command("init")
            )
        raise DatabaseError(f"cannot open the database {self.name}: {reason}")

    def _roll_back(self) -> None:
        """Opens the file for writing: SQLite then rolls back what a killed writer left."""
        with self._lock:
            try:
                with closing(self._connect("rw")) as connection:
                    connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
                return
            except sqlite3.Error as error:
                if str(error) in BUSY:
                    return
        raise DatabaseError(
            f"{self.name} has an unfinished transaction of a program that was killed",
            hint=f"as a user who can write to it, run: {self._command('check')}",
        )

    def _failed(self, problem: str) -> DatabaseError:
        if problem.startswith(("no such ", "file is not a database")):
            # "no such table: users", "no such column: language"
            return DatabaseError(
                f"{self.name}: {problem}", code="not_a_database", hint=self._command("init")
            )
        return DatabaseError(f"cannot read {self.name}: {problem}", hint=self._command("check"))

    def _command(self, command: str) -> str:
        return f"dash-users {command} --database {shlex.quote(self.name)}"

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


def in_transaction(work: Callable[[sqlite3.Cursor], Result], cursor: sqlite3.Cursor) -> Result:
    """Runs several queries on the same state of the database."""
    cursor.execute("BEGIN")
    try:
        return work(cursor)
    finally:
        cursor.execute("ROLLBACK")


def optional(cursor: sqlite3.Cursor, sql: str, *parameters: str) -> list[Any]:
    """Rows of a table of ours, which may be missing."""
    try:
        return cursor.execute(sql, parameters).fetchall()
    except sqlite3.OperationalError as error:
        # Without a table of users, the query for the user fails too.
        if str(error) in ("no such table: user_groups", "no such table: dash_users_times"):
            return []
        raise


def to_user(row: Any, groups: Any, times: Any) -> User:
    """A user from rows of the tables."""
    username, stored, language = row
    _, created_at, changed_at = times or (None, None, None)
    return User(
        username=shown(username),
        language=shown(language),
        groups=tuple(shown(group) for group in groups),
        locked=isinstance(stored, str) and is_locked(shown(stored)),
        created_at=parsed_time(created_at),
        password_changed_at=parsed_time(changed_at),
    )


def shown(value: object) -> str:
    """A value as text, with U+FFFD for what is not UTF-8."""
    if isinstance(value, str):
        return value.encode(errors="surrogateescape").decode(errors="replace")
    return "" if value is None else str(value)
