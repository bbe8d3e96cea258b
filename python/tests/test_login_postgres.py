"""Sessions of the login page in PostgreSQL."""

from __future__ import annotations

import os
import threading
from datetime import timedelta
from urllib.parse import quote

import pytest
from conftest import BETTER, METHOD, run
from login_client import Person, load, make_app, replay
from test_postgres import url  # noqa: F401 - a fixture

from dash_users import DatabaseError, Limits, Users
from dash_users.dash import sessions_of

psycopg = pytest.importorskip("psycopg")


def execute(address: str, sql: str) -> list[tuple]:
    with psycopg.connect(address, autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchall() if cursor.description else []


def administer(address: str, sql: str) -> list[tuple]:
    """Runs a statement of the superuser, who has the password of the owner."""
    _, rest = address.removeprefix("postgresql://").split(":", 1)
    return execute(f"postgresql://{os.environ['TEST_POSTGRES_SUPERUSER']}:{rest}", sql)


def users_of(address: str) -> Users:
    return Users(address, limits=Limits(method=METHOD))


def test_sessions_in_a_table(url: str) -> None:  # noqa: F811
    users = users_of(url)
    app = make_app(users)
    ann = Person(app)
    ann.log_in()
    assert ann.get("who").json == {"email": "ann", "groups": ["staff"], "language": "en"}
    assert '"username":"ann"' in run("sessions", "list", "--json", database=url)
    copied = ann.cookies()
    ann.log_out()
    assert replay(app, copied).who() is None
    for end in (
        ["lock", "ann"],
        ["unlock", "ann"],
        ["sessions", "end", "ann"],
        ["sessions", "end", "--all"],
    ):
        if end[0] != "unlock":
            assert ann.log_in().status_code == 303
        run(*end, database=url)
        assert ann.who() is None, end
        assert execute(url, "SELECT 1 FROM dash_users_sessions") == [], end
    ann.log_in()
    run("passwd", "ann", "--password-stdin", password=BETTER, database=url)
    assert ann.who() is None
    ann.log_in(password=BETTER)
    execute(url, "UPDATE dash_users_sessions SET expires_at = '2001-01-01'")
    assert ann.who() is None
    users.close()


def test_dropped_table_is_created_again(url: str) -> None:  # noqa: F811
    app = make_app(users_of(url))
    ann = Person(app)
    ann.log_in()
    execute(url, "DROP TABLE dash_users_sessions")
    assert ann.who() is None
    ann.log_in()
    assert ann.who() == "ann"


def test_name_of_a_schema_is_quoted(url: str) -> None:  # noqa: F811
    name = '"100%s {table} ""a"""'
    execute(url, f"ALTER SCHEMA public RENAME TO {name}")
    execute(url, "CREATE SCHEMA public")
    path = name.replace(" ", "\\ ")
    try:
        ann = Person(make_app(users_of(f"{url}?options={quote(f'-csearch_path={path}')}")))
        ann.log_in()
        assert ann.who() == "ann"
        ann.log_out()
        assert ann.who() is None
    finally:
        execute(url, f"DROP SCHEMA {name} CASCADE")


def test_load(url: str) -> None:  # noqa: F811
    left = load([make_app(users_of(url)) for _ in range(2)], ["ann"])
    assert execute(url, "SELECT count(*) FROM dash_users_sessions") == [(left,)]
    execute(url, "UPDATE dash_users_sessions SET expires_at = '2001-01-01'")
    # The next login of a new process removes them.
    Person(make_app(users_of(url))).log_in()
    assert execute(url, "SELECT count(*) FROM dash_users_sessions") == [(1,)]


def test_table_of_another_owner_is_ignored_by_commands(url: str) -> None:  # noqa: F811
    """Its triggers would run with the rights of the administrator."""
    administer(url, "DROP ROLE IF EXISTS login_app")
    administer(url, "CREATE ROLE login_app")
    try:
        users = users_of(url)
        ann = Person(make_app(users))
        ann.log_in()
        administer(url, "ALTER TABLE dash_users_sessions OWNER TO login_app")
        assert run("sessions", "list", "--json", database=url) == "[]\n"
        run("lock", "ann", database=url)
        assert len(administer(url, "SELECT 1 FROM dash_users_sessions")) == 1
        assert ann.who() is None
        users.close()
    finally:
        administer(url, "DROP OWNED BY login_app")
        administer(url, "DROP ROLE login_app")


def test_app_uses_no_table_of_another_owner(url: str) -> None:  # noqa: F811
    """Its triggers would run with the rights of the app."""
    administer(url, "DROP ROLE IF EXISTS login_other")
    administer(url, "CREATE ROLE login_other")
    try:
        users = users_of(url)
        make_app(users)
        administer(url, "ALTER TABLE dash_users_sessions OWNER TO login_other")
        administer(url, "GRANT ALL ON dash_users_sessions TO PUBLIC")
        with pytest.raises(DatabaseError, match="belongs to login_other") as error:
            make_app(users)
        administer(url, error.value.hint or "")
        assert Person(make_app(users)).log_in().status_code == 303
        users.close()
    finally:
        administer(url, "DROP OWNED BY login_other")
        administer(url, "DROP ROLE login_other")


def test_processes_create_the_table_at_the_same_time(url: str) -> None:  # noqa: F811
    """IF NOT EXISTS is not enough in PostgreSQL."""
    all_users = [users_of(url) for _ in range(4)]
    for users in all_users:
        users.get("ann")
    failures: list[Exception] = []

    def create(users: Users, barrier: threading.Barrier) -> None:
        barrier.wait()
        try:
            sessions_of(users, None)
        except Exception as error:
            failures.append(error)

    for _ in range(10):
        execute(url, "DROP TABLE IF EXISTS dash_users_sessions")
        barrier = threading.Barrier(len(all_users))
        threads = [threading.Thread(target=create, args=(one, barrier)) for one in all_users]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []
    for users in all_users:
        users.close()


def test_times_that_python_does_not_have(url: str) -> None:  # noqa: F811
    users = users_of(url)
    ann = Person(make_app(users))
    for time in ("infinity", "-infinity", "0044-03-15 BC", "20000-01-01"):
        ann.log_in()
        execute(url, f"UPDATE dash_users_sessions SET last_used_at = '{time}'")
        assert ann.who() is None, time
        assert ann.log_out().status_code == 303, time
    users.close()


def test_request_does_not_wait_to_record_its_use(
    url: str,  # noqa: F811
    log: pytest.LogCaptureFixture,
) -> None:
    users = users_of(url)
    ann = Person(make_app(users, idle=timedelta(seconds=10)))
    ann.log_in()
    execute(url, "UPDATE dash_users_sessions SET last_used_at = now() - interval '2 seconds'")
    with psycopg.connect(url) as other:
        other.execute("LOCK TABLE dash_users_sessions IN SHARE MODE")
        assert ann.who() == "ann"
    assert "lock timeout" in log.text
    used = "SELECT last_used_at > now() - interval '2 seconds' FROM dash_users_sessions"
    assert execute(url, used) == [(False,)]
    assert ann.who() == "ann"
    assert execute(url, used) == [(True,)]
    users.close()


@pytest.mark.parametrize("missing", ["SELECT", "INSERT", "UPDATE", "DELETE"])
def test_each_privilege_is_checked(url: str, missing: str) -> None:  # noqa: F811
    users = users_of(url)
    make_app(users)
    execute(url, f"REVOKE {missing} ON dash_users_sessions FROM CURRENT_USER")
    with pytest.raises(DatabaseError, match="cannot use the table"):
        make_app(users)
    users.close()


def test_role_without_privileges_gets_the_statements(url: str) -> None:  # noqa: F811
    administer(url, "DROP ROLE IF EXISTS login_app")
    administer(url, "CREATE ROLE login_app LOGIN PASSWORD 'login'")
    execute(url, "GRANT SELECT ON users, user_groups TO login_app")
    try:
        address = url.split("@", 1)[-1].removeprefix("postgresql://")
        users = users_of(f"postgresql://login_app:login@{address}")
        with pytest.raises(DatabaseError, match="dash_users_sessions") as error:
            make_app(users)
        hint = error.value.hint or ""
        assert "GRANT SELECT, INSERT, UPDATE, DELETE" in hint
        # The hint is what the owner runs.
        for statement in hint.split("run: ", 1)[1].split(";"):
            if statement.strip():
                execute(url, statement)
        ann = Person(make_app(users))
        ann.log_in()
        # It may not change passwords either.
        assert "new_password" not in ann.get("account/password").text
        assert ann.who() == "ann"
        users.close()
    finally:
        administer(url, "DROP OWNED BY login_app")
        administer(url, "DROP ROLE login_app")
