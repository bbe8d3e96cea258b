"""Reads users from a SQLite file."""

from __future__ import annotations

import shlex
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Any

from ._core import is_locked
from ._errors import DatabaseError
from ._sqlite_file import BUSY, Result, SqliteFile
from ._types import Account, User
from ._types import time as parsed_time

HASH = "SELECT password_hash FROM users WHERE username = ?"
LANGUAGE = "SELECT language FROM users WHERE username = ?"
GROUPS = """SELECT group_name FROM user_groups
    WHERE username = ?1 AND EXISTS (SELECT 1 FROM users WHERE username = ?1) ORDER BY group_name"""
ONE = "SELECT username, password_hash, language FROM users WHERE username = ?"
ACCOUNT = """SELECT password_hash, language, group_name
    FROM users LEFT JOIN user_groups USING (username) WHERE username = ? ORDER BY group_name"""
ACCOUNT_ALONE = "SELECT password_hash, language, NULL FROM users WHERE username = ?"
ALL = "SELECT username, password_hash, language FROM users ORDER BY username COLLATE BINARY"
ALL_GROUPS = "SELECT username, group_name FROM user_groups ORDER BY group_name"
ALL_TIMES = "SELECT username, created_at, password_changed_at FROM dash_users_times"

# A NULL, which is not what an unknown user has.
UNREADABLE = b""


class SqliteReader(SqliteFile):
    """Reads users from the file at an absolute path."""

    def __init__(self, path: str) -> None:
        super().__init__(path, "ro")

    def stored_hash(self, username: str) -> object:
        """What is stored as the user's hash, or `None` for an unknown user."""
        # Every request of an app comes here: without the detours of `run`, if all is well.
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
            rows = self.run(lambda cursor: cursor.execute(HASH, (username,)).fetchall())
        if not rows:
            return None
        stored = rows[0][0]
        return UNREADABLE if stored is None else stored

    def language(self, username: str) -> str | None:
        rows = self.run(lambda cursor: cursor.execute(LANGUAGE, (username,)).fetchall())
        return shown(rows[0][0]) if rows else None

    def groups(self, username: str) -> list[str]:
        rows = self.run(lambda cursor: optional(cursor, GROUPS, username))
        return [shown(group) for (group,) in rows]

    def account(self, username: str) -> Account | None:
        def work(cursor: sqlite3.Cursor) -> list[Any]:
            try:
                return cursor.execute(ACCOUNT, (username,)).fetchall()
            except sqlite3.OperationalError as error:
                if str(error) != "no such table: user_groups":
                    raise
                return cursor.execute(ACCOUNT_ALONE, (username,)).fetchall()

        rows = self.run(work)
        if not rows:
            return None
        stored, language, _ = rows[0]
        groups = [shown(group) for (_, _, group) in rows if group is not None]
        return Account(UNREADABLE if stored is None else stored, shown(language), groups)

    def user(self, username: str) -> User | None:
        def work(cursor: sqlite3.Cursor) -> User | None:
            rows = cursor.execute(ONE, (username,)).fetchall()
            if not rows:
                return None
            groups = optional(cursor, GROUPS, username)
            times = optional(cursor, f"{ALL_TIMES} WHERE username = ?", username)
            return to_user(rows[0], (group for (group,) in groups), times[0] if times else None)

        return self.run(partial(in_transaction, work))

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

        return self.run(partial(in_transaction, work))

    def _missing(self) -> DatabaseError:
        return DatabaseError(
            f"there is no database {self.name}", code="no_database", hint=self._command("init")
        )

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
