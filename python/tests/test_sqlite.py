"""SQLite files: locks, forks, files that move, other versions."""

from __future__ import annotations

import ctypes
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from conftest import BETTER, GOOD, METHOD, Threads, add, execute, run
from werkzeug.security import generate_password_hash

from dash_users import Busy, DatabaseError, Limits, Users, _sqlite_file

FORKS = 200


def exit_code(child: int) -> int:
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def in_child(work: object) -> int:
    """Runs `work` in a fork, and returns its process."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        signal.alarm(60)
        assert callable(work)
        work()
        code = 0
    finally:
        os._exit(code)
    raise AssertionError


# 9. Threads and forks


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_forks_under_load_in_parent_and_child(users: Users) -> None:
    def log_in() -> None:
        assert users.auth_func("ann", GOOD)
        assert users.get("ann") is not None

    def work() -> None:
        threads = [threading.Thread(target=log_in) for _ in range(3)]
        for thread in threads:
            thread.start()
        log_in()
        for thread in threads:
            thread.join()

    with Threads(4, log_in) as threads:
        threads.wait(4)
        children: list[int] = []
        for _ in range(FORKS):
            children.append(in_child(work))
            if len(children) == 4:
                assert exit_code(children.pop(0)) == 0
        for child in children:
            assert exit_code(child) == 0
        threads.wait(4)
    assert execute("PRAGMA integrity_check") == [("ok",)]


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_forks_of_several_threads(users: Users) -> None:
    others = [Users(users._reader.name, limits=Limits(method=METHOD)) for _ in range(4)]

    def fork() -> None:
        assert exit_code(in_child(lambda: os._exit(0))) == 0

    with Threads(2, lambda: others[1].get("ann")), Threads(3, fork) as forks:
        forks.wait(100)
    for other in (users, *others):
        assert other.auth_func("ann", GOOD)
        other.close()


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_fork_while_a_hash_is_computed(users: Users) -> None:
    """The other thread holds a place, and a third one waits for its result."""
    stored = generate_password_hash(GOOD, "scrypt:65536:8:1")
    execute("UPDATE users SET password_hash = ?", stored)
    threads = [threading.Thread(target=users.auth_func, args=("ann", GOOD)) for _ in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(0.05)

    def work() -> None:
        assert users.auth_func("ann", GOOD)

    assert exit_code(in_child(work)) == 0
    for thread in threads:
        thread.join()
    assert users.auth_func("ann", GOOD)


def test_no_connection_is_in_a_pool_during_a_fork(users: Users) -> None:
    assert users.auth_func("ann", GOOD)
    reader = users._reader
    assert isinstance(reader, _sqlite_file.SqliteFile)
    # A reader may have got it just before.
    pool = reader._pool
    reader.before_fork()
    assert pool.idle == []
    reader.after_fork_in_parent()
    assert len(pool.idle) == 1
    assert users.auth_func("ann", GOOD)


def test_fork_waits_for_reads_of_a_file_that_was_replaced(users: Users) -> None:
    assert users.auth_func("ann", GOOD)
    reader = users._reader
    assert isinstance(reader, _sqlite_file.SqliteFile)
    pool = reader._pool
    cursor = pool.idle.pop()
    users.close()
    fork = threading.Thread(target=reader.before_fork)
    fork.start()
    fork.join(0.05)
    assert fork.is_alive()
    pool.idle.append(cursor)
    pool.close()
    fork.join()
    reader.after_fork_in_parent()
    assert users.auth_func("ann", GOOD)


def test_fork_goes_on_without_a_lost_connection(
    users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_sqlite_file, "FORK_S", 0.01)
    assert users.auth_func("ann", GOOD)
    reader = users._reader
    assert isinstance(reader, _sqlite_file.SqliteFile)
    lost = reader._pool.idle.pop()
    assert exit_code(in_child(lambda: None)) == 0
    assert users.auth_func("ann", GOOD)
    lost.connection.close()


def test_child_shares_no_limits_with_its_parent(users: Users) -> None:
    for number in range(100):
        users.auth_func("ann", f"wrong {number}")
    assert users.log_in("ann", "wrong again").retry_after is not None

    def work() -> None:
        assert users.log_in("ann", "wrong again").retry_after is None
        assert users.auth_func("ann", GOOD)

    assert exit_code(in_child(work)) == 0


def test_child_reads_what_changes_after_the_fork(users: Users) -> None:
    assert users.auth_func("ann", GOOD)
    reader, writer = os.pipe()

    def work() -> None:
        os.read(reader, 1)
        assert not users.auth_func("ann", GOOD)

    child = in_child(work)
    run("lock", "ann")
    os.write(writer, b"x")
    assert exit_code(child) == 0
    assert not users.auth_func("ann", GOOD)
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("content", [b"", b"no database" * 1000])
def test_file_that_is_overwritten_with_a_copy(users: Users, database: Path, content: bytes) -> None:
    """By `cp`, so it is the same file."""
    assert users.auth_func("ann", GOOD)
    copy = database.read_bytes()
    database.write_bytes(content)
    with pytest.raises(DatabaseError):
        users.auth_func("ann", GOOD)
    database.write_bytes(copy)
    assert users.auth_func("ann", GOOD)


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_fork_that_calls_no_hooks(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of uWSGI."""
    assert users.auth_func("ann", GOOD)
    reader = users._reader
    assert isinstance(reader, _sqlite_file.SqliteFile)
    pool = reader._pool
    monkeypatch.setattr(os, "fork", ctypes.PyDLL(None).fork)

    def work() -> None:
        with Threads(4, lambda: users.auth_func("ann", GOOD)) as reads:
            reads.wait(20)
        assert reader._pool is not pool
        assert len(pool.idle) == 1

    assert exit_code(in_child(work)) == 0
    assert users.auth_func("ann", GOOD)


def test_connections_are_kept_and_closed(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    users.auth_func("ann", GOOD)
    opened = []
    connect = sqlite3.connect
    monkeypatch.setattr(
        _sqlite_file.sqlite3, "connect", lambda *a, **k: opened.append(1) or connect(*a, **k)
    )
    for _ in range(20):
        users.auth_func("ann", GOOD)
        users.user_groups("ann")
    assert opened == []
    users.close()
    assert users.auth_func("ann", GOOD)
    assert opened == [1]


# 10. The file may move


def test_missing_file_is_an_error_until_it_is_back(users: Users, database: Path) -> None:
    assert users.auth_func("ann", GOOD)
    database.rename("away.db")
    for _ in range(2):
        with pytest.raises(DatabaseError) as error:
            users.auth_func("ann", GOOD)
        assert str(database) in str(error.value)
        assert not database.exists()
    Path("away.db").rename(database)
    assert users.auth_func("ann", GOOD)


def test_relative_path_is_that_of_the_creation(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = Users("users.db", limits=Limits(method=METHOD))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert users.auth_func("ann", GOOD)
    users.set_password("ann", BETTER)
    assert users.auth_func("ann", BETTER)
    users.close()


@pytest.mark.parametrize("name", ["100% ünüsual?mode=rwc#.db", "file:x.db", "a b", "q'\".db"])
def test_any_path(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    run("init", database=path)
    add("ann", database=path)
    users = Users(path, limits=Limits(method=METHOD))
    assert users.auth_func("ann", GOOD)
    users.lock("ann")
    assert not users.auth_func("ann", GOOD)
    users.close()


def test_database_of_the_environment(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASH_USERS_DATABASE", f"sqlite:///{database}")
    users = Users()
    assert users.get("ann") is not None
    assert str(database) in repr(users)
    users.close()


@pytest.mark.parametrize("contents", [b"", b"not a database" * 100])
def test_unusable_file(tmp_path: Path, contents: bytes) -> None:
    path = tmp_path / "users.db"
    path.write_bytes(contents)
    users = Users()
    for call in (lambda: users.auth_func("ann", GOOD), users.list_users):
        with pytest.raises(DatabaseError) as error:
            call()
        assert error.value.code == "not_a_database"
        assert str(path) in str(error.value)
    users.close()


# 11. Versions may differ


def test_tutorial_table_without_ours() -> None:
    execute("CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT, language TEXT)")
    run("init", database="other.db")
    add("ann", database="other.db")
    [(stored,)] = execute("SELECT password_hash FROM users", database="other.db")
    execute("INSERT INTO users VALUES ('ann', ?, 'fr')", stored)
    users = Users(limits=Limits(method=METHOD))
    assert users.auth_func("ann", GOOD)
    assert users.user_groups("ann") == []
    assert users.language("ann") == "fr"
    user = users.get("ann")
    assert user is not None
    assert (user.groups, user.created_at, user.password_changed_at) == ((), None, None)
    assert users.list_users() == [user]
    users.close()


def test_newer_schema(users: Users) -> None:
    run("group", "add", "ann", "staff")
    execute("UPDATE dash_users_schema SET version = 1000")
    execute("ALTER TABLE users ADD COLUMN last_seen TEXT")
    for (name,) in execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
        execute(f"DROP TRIGGER {name}")
    assert users.auth_func("ann", GOOD)
    assert users.user_groups("ann") == ["staff"]
    assert users.language("ann") == "en"
    assert users.get("ann") is not None
    with pytest.raises(DatabaseError) as error:
        users.lock("ann")
    assert error.value.code == "newer_schema"


def test_running_app_survives_a_migration() -> None:
    execute("CREATE TABLE users (username TEXT PRIMARY KEY, password_hash TEXT, language TEXT)")
    execute("INSERT INTO users VALUES ('ann', 'x', 'en')")
    users = Users(limits=Limits(method=METHOD))
    assert users.user_groups("ann") == []
    run("init")
    run("group", "add", "ann", "staff")
    assert users.user_groups("ann") == ["staff"]
    users.close()


def test_same_name_in_several_rows() -> None:
    """pandas makes no unique index. The read must end anyway: it would block every writer."""
    execute("CREATE TABLE users (username TEXT, password_hash TEXT, language TEXT)")
    for _ in range(3):
        execute("INSERT INTO users VALUES ('ann', 'x', 'en')")
    users = Users(limits=Limits(method=METHOD))
    assert not users.auth_func("ann", GOOD)
    execute("DELETE FROM users")
    users.close()


# Locks


def test_lock_of_another_program_is_waited_for(users: Users) -> None:
    assert users.auth_func("ann", GOOD)
    writer = sqlite3.connect("users.db", isolation_level=None, check_same_thread=False)
    writer.execute("BEGIN EXCLUSIVE")
    timer = threading.Timer(0.3, writer.execute, ["ROLLBACK"])
    timer.start()
    assert users.auth_func("ann", GOOD)
    timer.join()
    writer.close()


def test_lock_that_stays_is_busy(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_sqlite_file, "BUSY_S", 0.1)
    writer = sqlite3.connect("users.db", isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    with pytest.raises(Busy) as error:
        users.auth_func("ann", GOOD)
    assert error.value.code == "busy"
    writer.close()
    assert users.auth_func("ann", GOOD)


KILLED = """
import os, sqlite3
connection = sqlite3.connect("users.db", isolation_level=None)
connection.execute("PRAGMA cache_size = 1")
connection.execute("PRAGMA cache_spill = 1")
connection.execute("BEGIN")
connection.execute("DELETE FROM users")
for number in range(2000):
    row = (f"user {number}", "x" * 1000, "en")
    connection.execute("INSERT INTO users VALUES (?, ?, ?)", row)
os.kill(os.getpid(), 9)
"""


def test_transaction_of_a_killed_writer_is_rolled_back(users: Users) -> None:
    assert users.auth_func("ann", GOOD)
    subprocess.run([sys.executable, "-c", KILLED], check=False)
    assert Path("users.db-journal").stat().st_size > 0
    started = time.monotonic()
    assert users.auth_func("ann", GOOD)
    assert time.monotonic() - started >= _sqlite_file.ROLLBACK_AFTER_S
    assert len(users.list_users()) == 1


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_write_ahead_log(users: Users, mode: str) -> None:
    execute(f"PRAGMA journal_mode = {mode}")
    assert users.auth_func("ann", GOOD)
    with Threads(4, lambda: users.auth_func("ann", GOOD)) as threads:
        for number in range(20):
            execute("UPDATE users SET language = ?", f"x{number}")
            threads.wait(2)
            assert users.language("ann") == f"x{number}"
    run("lock", "ann")
    assert not users.auth_func("ann", GOOD)
