"""Where sessions are stored: a SQLite file beside that of the users, or memory."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from .._errors import DatabaseError
from .._sqlite_file import BUSY_S, Result, SqliteFile
from .times import from_text, to_text

TABLE = """CREATE TABLE IF NOT EXISTS dash_users_sessions (
    id BLOB PRIMARY KEY, -- SHA-256 of the id in the cookie
    username TEXT NOT NULL,
    app TEXT NOT NULL, -- a keyed digest of the app's path and cookie
    digest BLOB NOT NULL, -- a keyed digest of this row and of the password hash
    started_at TEXT NOT NULL,
    last_used_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
) WITHOUT ROWID"""
COLUMNS = "id, username, app, digest, started_at, last_used_at, expires_at"
SELECT = f"SELECT {COLUMNS} FROM dash_users_sessions WHERE id = ?"  # noqa: S608 - constants
INSERT = f"INSERT INTO dash_users_sessions ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
TOUCH = "UPDATE dash_users_sessions SET last_used_at = ?, expires_at = ? WHERE id = ?"
END = "DELETE FROM dash_users_sessions WHERE id = ?"
END_USER = "DELETE FROM dash_users_sessions WHERE username = ?"
END_EXPIRED = "DELETE FROM dash_users_sessions WHERE expires_at <= ?"

# How long to wait for a lock before a request goes on, and its use is not recorded.
TOUCH_S = 0.1

# How many seconds to wait when the file is created by another process.
CREATING_S = 10


@dataclass(frozen=True)
class Session:
    """A row of the table. `key` is the digest of the id, which is stored nowhere."""

    key: bytes
    username: str
    app: str
    digest: bytes
    started_at: datetime
    last_used_at: datetime
    expires_at: datetime


class Sessions(Protocol):
    """The sessions of all apps that use the same database."""

    def get(self, key: bytes) -> Session | None: ...
    def add(self, session: Session) -> None: ...
    def touch(self, key: bytes, last_used_at: datetime, expires_at: datetime) -> None: ...
    def end(self, key: bytes) -> None: ...
    def end_user(self, username: str) -> None: ...
    def end_expired(self, now: datetime) -> None: ...


class SqlSessions:
    """The statements, for SQLite."""

    def run(self, work: Callable[[sqlite3.Cursor], Result], busy_s: float = BUSY_S) -> Result:
        raise NotImplementedError

    def _change(self, sql: str, *parameters: object, busy_s: float = BUSY_S) -> None:
        def work(cursor: sqlite3.Cursor) -> None:
            cursor.execute(sql, parameters)

        self.run(work, busy_s)

    def get(self, key: bytes) -> Session | None:
        rows = self.run(lambda cursor: cursor.execute(SELECT, (key,)).fetchall())
        return to_session(rows[0]) if rows else None

    def add(self, session: Session) -> None:
        self._change(
            INSERT,
            session.key,
            session.username,
            session.app,
            session.digest,
            to_text(session.started_at),
            to_text(session.last_used_at),
            to_text(session.expires_at),
        )

    def touch(self, key: bytes, last_used_at: datetime, expires_at: datetime) -> None:
        times = to_text(last_used_at), to_text(expires_at)
        self._change(TOUCH, *times, key, busy_s=TOUCH_S)

    def end(self, key: bytes) -> None:
        self._change(END, key)

    def end_user(self, username: str) -> None:
        self._change(END_USER, username)

    def end_expired(self, now: datetime) -> None:
        self._change(END_EXPIRED, to_text(now))


def to_session(row: tuple[object, ...]) -> Session | None:
    """A session from its row. `None` if another program wrote something else."""
    try:
        key, username, app, digest, started_at, last_used_at, expires_at = row
        return Session(
            bytes(key),  # type: ignore[call-overload]
            str(username),
            str(app),
            bytes(digest),  # type: ignore[call-overload]
            from_text(str(started_at)),
            from_text(str(last_used_at)),
            from_text(str(expires_at)),
        )
    except (TypeError, ValueError):
        return None


class MemorySessions(SqlSessions):
    """Sessions of this process only."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            ":memory:", isolation_level=None, check_same_thread=False
        )
        self._connection.execute(TABLE)

    def run(self, work: Callable[[sqlite3.Cursor], Result], busy_s: float = BUSY_S) -> Result:
        with self._lock:
            return work(self._connection.cursor())


class SqliteSessions(SqliteFile, SqlSessions):
    """Sessions in a file with a write-ahead log, so that requests do not wait for each other."""

    def __init__(self, path: str) -> None:
        super().__init__(path, "rw")
        self._create()

    def run(self, work: Callable[[sqlite3.Cursor], Result], busy_s: float = BUSY_S) -> Result:
        try:
            return super().run(work, busy_s)
        except DatabaseError as error:
            if error.code != "no_database" and "no such table" not in str(error):
                raise
        # Someone deleted the file, which ends all sessions.
        self._create()
        return super().run(work, busy_s)

    def _create(self) -> None:
        """Creates the file and the table, if they are missing."""
        try:
            flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC
            os.close(os.open(self.name, flags, 0o600))
        except FileExistsError:
            problem = None if os.access(self.name, os.R_OK | os.W_OK) else "permission denied"
        except OSError as error:
            problem = error.strerror
        else:
            problem = None
        if problem is None and not os.access(os.path.dirname(self.name), os.W_OK):
            # SQLite creates the log there.
            problem = "the directory is not writable"
        if problem is not None:
            raise DatabaseError(
                f"cannot create the file of the sessions {self.name}: {problem}",
                hint="set sessions= to a path in a directory that the app can write to",
            )
        deadline = time.monotonic() + CREATING_S
        while True:
            with contextlib.closing(self._connect("rw")) as connection:
                try:
                    connection.execute("PRAGMA journal_mode = WAL").fetchall()
                    connection.execute(TABLE)
                    return
                except sqlite3.OperationalError as error:
                    # SQLite has no other sign for it in Python 3.10.
                    locked = "locked" in str(error) and time.monotonic() < deadline
                    problem = str(error)
                except sqlite3.DatabaseError as error:
                    locked, problem = False, str(error)
            if not locked:
                raise self._failed(problem)
            time.sleep(0.001)

    def _failed(self, problem: str) -> DatabaseError:
        return DatabaseError(f"cannot use the file of the sessions {self.name}: {problem}")
