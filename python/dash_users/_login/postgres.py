"""Sessions in the PostgreSQL database of the users."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

import psycopg

from .._errors import DatabaseError
from .._postgres import Connection, PostgresReader
from .store import COLUMNS, TOUCH_S, Session
from .times import now

WHERE = """SELECT users.relnamespace::regnamespace::text, quote_ident(current_user),
    pg_get_userbyid(users.relowner) = current_user, sessions.oid IS NOT NULL,
    sessions.relowner = users.relowner OR rolname = current_user OR rolsuper, quote_ident(rolname)
    FROM pg_class users
    LEFT JOIN pg_class sessions ON sessions.relnamespace = users.relnamespace
        AND sessions.relname = 'dash_users_sessions'
    LEFT JOIN pg_roles ON pg_roles.oid = sessions.relowner
    WHERE users.oid = to_regclass('users')"""
# Changes nothing.
CHECK = "INSERT INTO {table} SELECT * FROM {table} WHERE false"
UPDATES = "SELECT coalesce(has_table_privilege(to_regclass('users'), 'UPDATE'), false)"
TABLE = """CREATE TABLE IF NOT EXISTS {schema}.dash_users_sessions (
    id bytea PRIMARY KEY,
    username text NOT NULL,
    app text NOT NULL,
    digest bytea NOT NULL,
    started_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
)"""
GRANT = "GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.dash_users_sessions TO {role}"


def can_update(reader: Any) -> bool:
    """Whether the role may change passwords."""
    row = reader.run(lambda connection: connection.execute(UPDATES).fetchone())
    return bool(row[0])


class PostgresSessions:
    """The table `dash_users_sessions` in the schema of `users`."""

    def __init__(self, reader: PostgresReader) -> None:
        self._reader = reader
        row = reader.run(lambda connection: connection.execute(WHERE).fetchone())
        if row is None:
            raise DatabaseError(
                f"{reader.name}: there is no table users",
                code="not_a_database",
                hint="dash-users init",
            )
        # Quoted by the server, where necessary.
        self._schema, self._role, self._is_owner, exists, is_trusted, owner = row
        self._table = f"{self._schema}.dash_users_sessions"
        if exists and not is_trusted:
            # Its triggers would run with the rights of the app.
            raise DatabaseError(
                f"{reader.name}: the table {self._table} belongs to {owner}, and users does not",
                hint=f"DROP TABLE {self._table}",
            )
        # Without one of the privileges, nobody could log in.
        self._execute(CHECK)
        self.end(b"")
        self.touch(b"", now(), now())
        self.get(b"")

    def _create(self, connection: Connection) -> None:
        # Despite IF NOT EXISTS, it fails if another process creates the table at the same time.
        errors = psycopg.errors
        with contextlib.suppress(
            errors.UniqueViolation, errors.DuplicateObject, errors.DuplicateTable
        ):
            connection.execute(self._sql(TABLE))

    def _sql(self, sql: str) -> str:
        return sql.format(schema=self._schema, role=self._role)

    def _query(self, sql: str) -> str:
        # psycopg looks for parameters in names too.
        return sql.format(columns=COLUMNS, table=self._table.replace("%", "%%"))

    def _run(self, work: Callable[[Connection], Any]) -> Any:
        def unless_denied(connection: Connection) -> tuple[Any] | None:
            with contextlib.suppress(psycopg.errors.InsufficientPrivilege):
                try:
                    return (work(connection),)
                except psycopg.errors.UndefinedTable:
                    # A table of another owner could run code as the owner, who ends sessions in it.
                    if self._is_owner:
                        self._create(connection)
                        return (work(connection),)
            return None

        done = self._reader.run(unless_denied)
        if done is None:
            table = " ".join(self._sql(TABLE).split())
            raise DatabaseError(
                f"{self._reader.name}: cannot use the table {self._table}",
                hint=f"as the owner of the table users, run: {table}; {self._sql(GRANT)};",
            )
        return done[0]

    def _execute(self, sql: str, *parameters: object) -> Any:
        return self._run(lambda connection: connection.execute(self._query(sql), parameters))

    def get(self, key: bytes) -> Session | None:
        sql = "SELECT {columns} FROM {table} WHERE id = %s"
        try:
            row = self._execute(sql, key).fetchone()
        except psycopg.DataError:
            # Another program wrote a time that Python does not have.
            return None
        return Session(*row) if row is not None else None

    def add(self, session: Session) -> None:
        # The statement is repeated if the connection broke.
        self._execute(
            "INSERT INTO {table} ({columns}) VALUES (%s, %s, %s, %s, %s, %s, %s) "
            "ON CONFLICT DO NOTHING",
            session.key,
            session.username,
            session.app,
            session.digest,
            session.started_at,
            session.last_used_at,
            session.expires_at,
        )

    def touch(self, key: bytes, last_used_at: datetime, expires_at: datetime) -> None:
        sql = self._query("UPDATE {table} SET last_used_at = %s, expires_at = %s WHERE id = %s")

        def work(connection: Connection) -> None:
            with connection.transaction():
                connection.execute(f"SET LOCAL lock_timeout = '{TOUCH_S}s'")
                connection.execute(sql, (last_used_at, expires_at, key))

        self._run(work)

    def end(self, key: bytes) -> None:
        self._execute("DELETE FROM {table} WHERE id = %s", key)

    def end_user(self, username: str) -> None:
        self._execute("DELETE FROM {table} WHERE username = %s", username)

    def end_expired(self, now: datetime) -> None:
        self._execute("DELETE FROM {table} WHERE expires_at <= %s", now)
