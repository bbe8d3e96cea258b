"""Sessions in the PostgreSQL database of the users."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import psycopg

from .._errors import DatabaseError
from .._postgres import Connection, PostgresReader
from .store import COLUMNS, Session

WHERE = """SELECT relnamespace::regnamespace::text, to_regclass(
        relnamespace::regnamespace || '.dash_users_sessions') IS NOT NULL
    FROM pg_class WHERE oid = to_regclass('users')"""
TABLE = """CREATE TABLE IF NOT EXISTS {schema}.dash_users_sessions (
    id bytea PRIMARY KEY,
    username text NOT NULL,
    app text NOT NULL,
    digest bytea NOT NULL,
    started_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
)"""
HINT = (
    "as the owner of the table users, run: dash-users sessions list, then "
    "GRANT SELECT, INSERT, UPDATE, DELETE ON dash_users_sessions TO the role of the app"
)


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
        schema, exists = row
        if not exists:
            self._run(lambda connection: connection.execute(TABLE.format(schema=schema)))
        self._table = f"{schema}.dash_users_sessions"
        self.get(b"")

    def _run(self, work: Callable[[Connection], Any]) -> Any:
        def with_hint(connection: Connection) -> Any:
            try:
                return work(connection)
            except (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedTable):
                return None

        done = self._reader.run(lambda connection: (with_hint(connection),))
        if done[0] is None:
            raise DatabaseError(
                f"{self._reader.name}: cannot use the table dash_users_sessions", hint=HINT
            )
        return done[0]

    def _execute(self, sql: str, *parameters: object) -> Any:
        return self._run(
            lambda connection: connection.execute(
                sql.format(table=self._table, columns=COLUMNS), parameters
            )
        )

    def get(self, key: bytes) -> Session | None:
        sql = "SELECT {columns} FROM {table} WHERE id = %s"
        row = self._execute(sql, key).fetchone()
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
        self._execute(
            "UPDATE {table} SET last_used_at = %s, expires_at = %s WHERE id = %s",
            last_used_at,
            expires_at,
            key,
        )

    def end(self, key: bytes) -> None:
        self._execute("DELETE FROM {table} WHERE id = %s", key)

    def end_user(self, username: str) -> None:
        self._execute("DELETE FROM {table} WHERE username = %s", username)

    def end_expired(self, now: datetime) -> None:
        self._execute("DELETE FROM {table} WHERE expires_at <= %s", now)
