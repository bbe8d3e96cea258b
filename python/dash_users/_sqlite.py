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
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote_from_bytes

from . import _forks
from ._core import file_identity, is_locked, leak
from ._errors import Busy, DatabaseError
from ._types import User
from ._types import time as parsed_time

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


class SqliteReader:
    """Reads users from the file at an absolute path."""

    def __init__(self, path: str) -> None:
        self.name = path
        self._uri = f"file:{quote_from_bytes(path.encode(errors='surrogateescape'))}"
        self._lock = threading.Lock()
        self._pool = Pool()
        self._paused: Pool | None = None
        _forks.register(self)

    def stored_hash(self, username: str) -> object:
        """What is stored as the user's hash, or `None` for an unknown user."""
        # Every request of an app comes here: without the detours of `_read`, if all is well.
        rows = None
        pool = self._pool
        try:
            if file_identity(self.name) == pool.identity:
                cursor = pool.idle.pop()
                try:
                    rows = cursor.execute(HASH, (username,)).fetchall()
                finally:
                    pool.idle.append(cursor)
                    if pool.closed:
                        pool.close()
        except (sqlite3.Error, IndexError, OSError):
            rows = None
        if rows is None:
            rows = self._read(lambda cursor: cursor.execute(HASH, (username,)).fetchall())
        if not rows:
            return None
        [stored] = rows[0]
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
            pool, self._pool = self._pool, Pool()
            pool.close()

    def _read(self, work: Callable[[sqlite3.Cursor], Result]) -> Result:
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
                connection = self._connect("ro")
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
            raise DatabaseError(
                f"there is no database {self.name}", code="no_database", hint=self._command("init")
            )
        raise DatabaseError(f"cannot open the database {self.name}: {reason}")

    def _roll_back(self) -> None:
        """Opens the file for writing: SQLite then rolls back what a killed writer left."""
        with self._lock:
            connection = self._connect("rw")
            try:
                connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
                return
            except sqlite3.Error as error:
                if str(error) in BUSY:
                    return
            finally:
                connection.close()
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
