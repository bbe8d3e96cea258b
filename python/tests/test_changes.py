"""Changes, which the program makes."""

from __future__ import annotations

import signal
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from conftest import BETTER, GOOD, METHOD, execute

from dash_users import (
    DatabaseError,
    Error,
    InvalidData,
    Limits,
    NoSuchUser,
    User,
    UserExists,
    Users,
    WeakPassword,
    _program,
)


def test_life_of_a_user(users: Users) -> None:
    user = users.add("bob", GOOD, language="fr", groups=["staff", "admins"])
    assert user == users.get("bob")
    assert (user.username, user.language, user.locked) == ("bob", "fr", False)
    assert user.groups == ("admins", "staff")
    now = datetime.now(timezone.utc)
    for moment in (user.created_at, user.password_changed_at):
        assert moment is not None
        assert timedelta(0) <= now - moment < timedelta(minutes=1)
    assert users.auth_func("bob", GOOD)
    users.lock("bob")
    assert not users.auth_func("bob", GOOD)
    locked = users.get("bob")
    assert locked is not None
    assert locked.locked
    users.unlock("bob")
    users.set_password("bob", BETTER)
    assert users.auth_func("bob", BETTER)
    assert users.update("bob", language="de").language == "de"
    assert users.language("bob") == "de"
    users.remove_groups("bob", ["staff"])
    users.add_groups("bob", ["x", "-y"])
    users.add_groups("bob", [])
    assert users.user_groups("bob") == ["-y", "admins", "x"]
    assert users.rename("bob", "rob").username == "rob"
    assert [user.username for user in users.list_users()] == ["ann", "rob"]
    assert [user.username for user in users.list_users(group="x")] == ["rob"]
    users.remove("rob")
    assert users.get("rob") is None
    assert users.language("rob") is None
    assert users.user_groups("rob") == []


def test_change_password(users: Users) -> None:
    users.change_password("ann", GOOD, BETTER)
    assert users.auth_func("ann", BETTER)
    assert not users.auth_func("ann", GOOD)
    with pytest.raises(WeakPassword):
        users.change_password("ann", BETTER, "short")
    assert users.auth_func("ann", BETTER)


def test_history_names_the_actor(database: Path) -> None:
    users = Users(database, actor="web:zoë", limits=Limits(method=METHOD))
    users.lock("ann")
    users.rename("ann", "eve")
    [renamed, locked] = users.history("eve", limit=2)
    assert (renamed.action, renamed.detail, renamed.actor) == ("rename", "to eve", "web:zoë")
    assert (locked.action, locked.username) == ("lock", "ann")
    assert locked.at is not None
    assert locked.at.tzinfo is not None
    execute("DELETE FROM users")
    assert users.history()[0].actor is None
    users.close()


def test_errors_have_codes_and_hints(users: Users) -> None:
    expected: list[tuple[type[Error], str, object]] = [
        (UserExists, "user_exists", lambda: users.add("ann", GOOD)),
        (UserExists, "user_exists", lambda: users.add("ANN", GOOD)),
        (WeakPassword, "weak_password", lambda: users.add("bob", "abc")),
        (WeakPassword, "bad_password", lambda: users.add("bob", "", allow_weak=True)),
        (InvalidData, "invalid_data", lambda: users.add("b:b", GOOD)),
        (InvalidData, "invalid_data", lambda: users.add("bob", GOOD, language="?")),
        (InvalidData, "invalid_data", lambda: users.add("bob", GOOD, groups=["a,b"])),
        (InvalidData, "invalid_data", lambda: users.add("bob", GOOD, groups="staff")),
        (NoSuchUser, "no_such_user", lambda: users.lock("bob")),
        (NoSuchUser, "no_such_user", lambda: users.remove("--yes")),
        (NoSuchUser, "no_such_user", lambda: users.set_password("-x", GOOD)),
    ]
    for kind, code, call in expected:
        assert callable(call)
        with pytest.raises(kind) as error:
            call()
        assert error.value.code == code
        assert error.value.args[0]
    assert [user.username for user in users.list_users()] == ["ann"]
    users.add("bob", "abc", allow_weak=True)
    assert users.auth_func("bob", "abc")


@pytest.mark.parametrize("bad", ["a\0b", "\ud800"])
def test_text_that_cannot_be_an_argument(
    users: Users, bad: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_program.subprocess, "run", None)
    for call in (
        lambda: users.add(bad, GOOD),
        lambda: users.add("bob", bad),
        lambda: users.add("bob", GOOD, groups=[bad]),
        lambda: users.add("bob", GOOD, language=bad),
        lambda: users.rename("ann", bad),
        lambda: users.lock(bad),
        lambda: users.history(bad),
    ):
        with pytest.raises(InvalidData):
            call()


def test_passwords_and_names_of_other_types(users: Users) -> None:
    for call in (
        lambda: users.add("bob", None),  # type: ignore[arg-type]
        lambda: users.set_password("ann", b"plover-xyzzy-quux"),  # type: ignore[arg-type]
        lambda: users.add(5, GOOD),  # type: ignore[arg-type]
        lambda: users.lock(None),  # type: ignore[arg-type]
    ):
        with pytest.raises(TypeError):
            call()
    assert users.auth_func("ann", GOOD)


def test_failure_is_reported_if_the_app_ignores_its_children(users: Users) -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        with pytest.raises(NoSuchUser):
            users.lock("eve")
        users.lock("ann")
    finally:
        signal.signal(signal.SIGCHLD, before)
    assert not users.auth_func("ann", GOOD)


def test_url_and_password_are_no_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("psycopg_pool")
    users = Users("postgresql+psycopg2://app:hunter2@127.0.0.1:1/db")
    seen = []

    def fake(command: list[str], **options: object) -> object:
        seen.append((command, options))
        raise OSError(2, "no program")

    monkeypatch.setattr(_program.subprocess, "run", fake)
    with pytest.raises(Error, match="no program"):
        users.add("bob", GOOD)
    [(command, options)] = seen
    assert not any("hunter2" in text or GOOD in text for text in command)
    environment = options["env"]
    assert isinstance(environment, dict)
    assert "hunter2" in environment["DASH_USERS_DATABASE"]
    assert "hunter2" not in repr(users)


@pytest.mark.parametrize(
    "database",
    ["mysql://u:hunter2@h/db", "host=db password=hunter2", ":memory:", "postgresql://%", "a\0b"],
)
def test_database_that_is_none(database: str) -> None:
    with pytest.raises(Error) as error:
        Users(database)
    assert error.value.code == "usage"
    assert "hunter2" not in str(error.value)


def test_missing_program_has_a_hint(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_program, "_directories", lambda: iter(["/nonexistent"]))
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(Error, match="cannot find the program") as error:
        users.lock("ann")
    assert error.value.hint is not None


def test_missing_database_cannot_be_changed() -> None:
    with pytest.raises(DatabaseError) as error:
        Users("missing.db").lock("ann")
    assert error.value.code == "no_database"


def test_user_is_frozen_and_has_no_hash(users: Users) -> None:
    user = users.get("ann")
    assert isinstance(user, User)
    with pytest.raises(AttributeError):
        user.locked = True  # type: ignore[misc]
    assert not [name for name in vars(user) if "hash" in name]


def test_import_is_light() -> None:
    code = (
        "import sys, dash_users; print({'dash', 'flask', 'psycopg', 'werkzeug'} & {*sys.modules})"
    )
    done = _program.subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"
