"""Reads users from a PostgreSQL server, through psycopg and its pool."""

from __future__ import annotations

import re
import selectors
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.waiting import Ready
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from . import _forks
from ._core import is_locked, leak
from ._errors import Busy, DatabaseError, Error
from ._types import Account, User

# For connecting, for a statement, and for a free connection.
TIMEOUT_S = 10
CONNECTIONS = 8

HASH = "SELECT password_hash FROM users WHERE username = %s"
LANGUAGE = "SELECT language FROM users WHERE username = %s"
GROUPS = """SELECT group_name FROM user_groups
    WHERE username = %(name)s AND EXISTS (SELECT 1 FROM users WHERE username = %(name)s)
    ORDER BY group_name COLLATE "C" """
ACCOUNT = """SELECT password_hash, language,
    ARRAY(SELECT group_name FROM user_groups
        WHERE user_groups.username = users.username ORDER BY group_name COLLATE "C")
    FROM users WHERE username = %s"""
ACCOUNT_ALONE = "SELECT password_hash, language, ARRAY[]::text[] FROM users WHERE username = %s"
# Which of our tables exist, and may be read.
READABLE = """SELECT coalesce(has_table_privilege(to_regclass('user_groups'), 'SELECT'), false),
    coalesce(has_table_privilege(to_regclass('dash_users_times'), 'SELECT'), false)"""

Result = TypeVar("Result")


class Connection(psycopg.Connection[Any]):
    """A connection that does not wait forever for a server that stopped to answer."""

    def wait(self, gen: Any, *_arguments: Any, **_options: Any) -> Any:
        deadline = time.monotonic() + TIMEOUT_S
        with selectors.DefaultSelector() as selector:
            try:
                wanted = next(gen)
                while True:
                    selector.register(self.fileno(), wanted)
                    ready = selector.select(max(0, deadline - time.monotonic()))
                    selector.unregister(self.fileno())
                    if not ready:
                        self.close()
                        raise psycopg.OperationalError(SILENT)
                    wanted = gen.send(Ready(ready[0][1]))
            except StopIteration as end:
                return end.value


SILENT = "the server does not answer"


class PostgresReader:
    """Reads users from the database of a URL."""

    def __init__(self, url: str) -> None:
        # SQLAlchemy names a driver.
        self._url = re.sub(r"\A\s*postgres(ql)?(\+\w+)?://", "postgresql://", url).strip()
        try:
            settings = conninfo_to_dict(self._url)
        except psycopg.Error:
            settings = None
        if settings is None:
            # Without the reason: it may show a password.
            raise Error("the database URL is not valid", code="usage")
        self.name = "postgresql://{}/{}".format(
            settings.get("host", ""), settings.get("dbname", "")
        )
        self._settings: dict[str, Any] = {
            "autocommit": True,
            # No prepared statements, so it also works through pgbouncer.
            "prepare_threshold": None,
            "connect_timeout": settings.get("connect_timeout", TIMEOUT_S),
            "tcp_user_timeout": settings.get("tcp_user_timeout", TIMEOUT_S * 1000),
        }
        if "," in str(settings.get("host", "")):
            # A standby may lag behind: a removed user would still be accepted.
            self._settings["target_session_attrs"] = settings.get(
                "target_session_attrs", "read-write"
            )
        self._lock = threading.Lock()
        self._pool: ConnectionPool[Connection] | None = None
        _forks.register(self)

    def stored_hash(self, username: str) -> object:
        """What is stored as the user's hash, or `None` for an unknown user."""
        rows = self._read(HASH, username)
        if not rows:
            return None
        [stored] = rows[0]
        return b"" if stored is None else stored

    def language(self, username: str) -> str | None:
        rows = self._read(LANGUAGE, username)
        return str(rows[0][0]) if rows else None

    def groups(self, username: str) -> list[str]:
        if "\0" in username:
            return []

        def work(connection: Connection) -> list[str]:
            try:
                rows = connection.execute(GROUPS, {"name": username}).fetchall()
            except psycopg.errors.UndefinedTable:
                # Either table may be missing. The one of the users must not be.
                connection.execute(HASH, (username,))
                return []
            return [str(group) for (group,) in rows]

        return self.run(work)

    def account(self, username: str) -> Account | None:
        if "\0" in username:
            return None

        def work(connection: Connection) -> Any:
            try:
                return connection.execute(ACCOUNT, (username,)).fetchone()
            except psycopg.errors.UndefinedTable:
                return connection.execute(ACCOUNT_ALONE, (username,)).fetchone()

        row = self.run(work)
        if row is None:
            return None
        stored, language, groups = row
        return Account(b"" if stored is None else stored, str(language), [str(g) for g in groups])

    def user(self, username: str) -> User | None:
        if "\0" in username:
            return None
        users = self._users("WHERE users.username = %s", (username,))
        return users[0] if users else None

    def users(self) -> list[User]:
        return self._users('ORDER BY users.username COLLATE "C"', ())

    def _users(self, which: str, parameters: tuple[str, ...]) -> list[User]:
        def work(connection: Connection) -> list[User]:
            [groups, times] = connection.execute(READABLE).fetchone()  # type: ignore[misc]
            of_groups = (
                """ARRAY(SELECT group_name FROM user_groups
                   WHERE user_groups.username = users.username ORDER BY group_name COLLATE "C")"""
                if groups
                else "ARRAY[]::text[]"
            )
            columns, join = "NULL::timestamptz, NULL::timestamptz", ""
            if times:
                columns = "times.created_at, times.password_changed_at"
                join = "LEFT JOIN dash_users_times AS times ON times.username = users.username"
            select = f"""SELECT users.username, password_hash, language, {of_groups}, {columns}
                FROM users {join} {which}"""  # noqa: S608 - nothing of it comes from outside
            rows = connection.execute(select, parameters).fetchall()
            return [to_user(row) for row in rows if row[0] is not None]

        return self.run(work)

    def _read(self, sql: str, username: str) -> list[Any]:
        # PostgreSQL's text cannot contain it.
        if "\0" in username:
            return []
        return self.run(lambda connection: connection.execute(sql, (username,)).fetchall())

    def close(self) -> None:
        """Closes the connections. The next read opens new ones."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.close(timeout=1)

    def run(self, work: Callable[[Connection], Result]) -> Result:
        """Runs `work`, and again on a new connection if the server closed the first one."""
        attempts = 0
        while True:
            pool = self._open()
            closed = False
            try:
                with pool.connection() as connection:
                    try:
                        return work(connection)
                    finally:
                        closed = connection.closed
            except PoolTimeout:
                problem = None
            except PoolClosed:
                # Another thread found a closed connection in it.
                continue
            except psycopg.Error as error:
                problem = error
            if problem is None:
                raise Busy(f"{self.name}: no connection is free")
            if not closed and not isinstance(problem, CLOSED):
                raise self._failed(problem)
            # The others are likely to be closed, too.
            with self._lock:
                is_mine = self._pool is pool
                if is_mine:
                    self._pool = None
            if is_mine:
                pool.close(timeout=1)
            attempts += 1
            if attempts == 2 or str(problem) == SILENT:
                raise self._failed(problem)

    def _open(self) -> ConnectionPool[Connection]:
        _forks.notice()
        pool = self._pool
        if pool is not None:
            return pool
        # The pool would try again and again, and not report why. The lock is not held while this
        # waits: of gevent's greenlets, it could block the one that waits.
        try:
            Connection.connect(self._url, **self._settings).close()
            problem = None
        except psycopg.Error as error:
            problem = error
        if problem is not None:
            raise self._failed(problem)
        with self._lock:
            if self._pool is None:
                self._pool = ConnectionPool(
                    self._url,
                    connection_class=Connection,
                    kwargs=self._settings,
                    min_size=1,
                    max_size=CONNECTIONS,
                    timeout=TIMEOUT_S,
                    open=True,
                )
            return self._pool

    def _failed(self, problem: psycopg.Error) -> DatabaseError:
        """The error without what the server quotes of a statement."""
        reason = (problem.diag.message_primary or str(problem)).strip().replace("\n", "; ")
        if isinstance(problem, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
            return DatabaseError(
                f"{self.name}: {reason}", code="not_a_database", hint="dash-users init"
            )
        hint = None
        if isinstance(problem, psycopg.errors.InsufficientPrivilege):
            hint = "GRANT SELECT ON users, user_groups TO the role of the app"
        return DatabaseError(f"cannot read {self.name}: {reason}", hint=hint)

    def before_fork(self) -> None:
        self._lock.acquire()

    def after_fork_in_parent(self) -> None:
        self._lock.release()

    def after_fork_in_child(self) -> None:
        # Closing them would end the connections of the parent.
        leak(self._pool)
        self._lock = threading.Lock()
        self._pool = None


# How a server or a proxy ends connections.
CLOSED = (
    psycopg.errors.AdminShutdown,
    psycopg.errors.CrashShutdown,
    psycopg.errors.CannotConnectNow,
    psycopg.errors.IdleSessionTimeout,
    psycopg.InterfaceError,
)


def to_user(row: Any) -> User:
    """A user from a row of the query."""
    username, stored, language, groups, created_at, changed_at = row
    return User(
        username=username,
        language=language,
        groups=tuple(groups),
        locked=is_locked(stored or ""),
        created_at=created_at,
        password_changed_at=changed_at,
    )
