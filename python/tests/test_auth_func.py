"""Logins: verdicts, revocation, memory, limits and the log."""

from __future__ import annotations

import json
import logging
import os
import pickle
import random
import re
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import BETTER, GOOD, METHOD, Threads, add, execute, run, variables
from werkzeug.security import check_password_hash, generate_password_hash

from dash_users import (
    Busy,
    DatabaseError,
    Error,
    Limited,
    Limits,
    Users,
    WrongPassword,
    _logins,
    _program,
)

VECTORS = Path(__file__).parents[2] / "tests/hash/vectors.jsonl"
DEFAULT_ITERATIONS = re.compile(r"pbkdf2(:\w+)?\$")
FULL = os.environ.get("DASH_USERS_TESTS") == "full"
# Vectors may be tried one after the other.
UNLIMITED = Limits(
    guesses_per_name=0, guesses_per_address=0, guesses_per_name_and_address=0, method=METHOD
)


class Stored:
    """A user whose hash is in memory, and how often it was read."""

    def __init__(self, password: str = GOOD, limits: Limits | None = None) -> None:
        self.hash: str | None = generate_password_hash(password, METHOD)
        self.reads = 0
        limits = limits or Limits(method=METHOD)
        self.users = Users.from_lookup(self.read, groups=lambda _: ["staff"], limits=limits)

    def read(self, _username: str) -> str | None:
        self.reads += 1
        return self.hash

    def hashes(self, work: Callable[[], object]) -> bool:
        """Whether `work` computes a hash: only then the user is read twice."""
        before = self.reads
        work()
        return self.reads - before > 1


def check(stored: object, password: str) -> bool:
    users = Users.from_lookup(lambda _: stored, limits=UNLIMITED)  # type: ignore[arg-type, return-value]
    return users.auth_func("ann", password)


# 1. Verdicts


def test_verdicts_of_vectors() -> None:
    count = 0
    for line in VECTORS.read_text().splitlines():
        vector = json.loads(line)
        if vector["werkzeug"]["3.1"] == "not run":
            continue
        # A million iterations, which take seconds in a debug build.
        if DEFAULT_ITERATIONS.match(vector["stored"]) and not FULL:
            continue
        expected = vector["verdict"] == "match"
        # A remembered answer is the same.
        assert check(vector["stored"], vector["password"]) == expected, vector["name"]
        count += 1
    assert count > 150


def test_verdicts_agree_with_werkzeug() -> None:
    source = random.Random(19)
    methods = [
        "scrypt:128:8:1",
        "scrypt:256:4:2",
        "pbkdf2:sha256:1",
        "pbkdf2:sha1:9",
        "pbkdf2:sha512:3",
    ]
    for _ in range(200):
        password = "".join(source.choices("aé桜\U0001f338 $:\0", k=source.randrange(1, 9)))
        other = password + source.choice(["", "\0", "x"])
        stored = generate_password_hash(password, source.choice(methods))
        if source.random() < 0.3:
            position = source.randrange(len(stored))
            stored = stored[:position] + source.choice("$0af|:") + stored[position + 1 :]
        try:
            expected = check_password_hash(stored, other)
        except Exception:
            expected = False
        assert check(stored, other) == expected, (stored, other)


@pytest.mark.parametrize("stored", [b"blob", 5, 1.5, "", "!", "\ud800$x$y"])
def test_stored_values_that_are_no_hash(stored: object) -> None:
    assert not check(stored, GOOD)


@pytest.mark.parametrize("value", [None, b"blob", 5])
def test_sqlite_values_that_are_no_text(value: object, log: pytest.LogCaptureFixture) -> None:
    execute("CREATE TABLE users (username TEXT, password_hash, language TEXT)")
    execute("INSERT INTO users VALUES ('ann', ?, 'en')", value)
    execute("INSERT INTO users VALUES ('bob', CAST(x'ff' AS TEXT), 'en')")
    users = Users(limits=UNLIMITED)
    for _ in range(2):
        assert not users.auth_func("ann", GOOD)
        assert not users.auth_func("bob", GOOD)
    warned = [record.getMessage() for record in log.records if record.levelname == "WARNING"]
    # One for each user.
    assert [text.split('"')[1] for text in warned] == ["ann", "bob"]
    users.close()


def test_expensive_hash_is_refused_with_a_warning(log: pytest.LogCaptureFixture) -> None:
    assert not check("scrypt:1048576:8:1$salt$" + 128 * "0", GOOD)
    assert [record.levelname for record in log.records] == ["WARNING", "INFO"]


@pytest.mark.parametrize("bad", [None, b"ann", 5, "\ud800"])
def test_arguments_that_are_no_text(users: Users, bad: object) -> None:
    assert not users.auth_func(bad, GOOD)  # type: ignore[arg-type]
    assert not users.auth_func("ann", bad)  # type: ignore[arg-type]
    assert users.user_groups(bad) == []  # type: ignore[arg-type]
    assert users.get(bad) is None  # type: ignore[arg-type]
    assert users.language(bad) is None  # type: ignore[arg-type]


def test_names_are_compared_exactly(users: Users) -> None:
    add("Zoë")
    assert users.auth_func("Zoë", GOOD)
    for other in ("Zoe\u0308", "zoë", "Zoë ", "Zoë\0"):
        assert not users.auth_func(other, GOOD)


# 2. Revocation


def other_file(database: Path) -> None:
    """Replaces the file by one without ann."""
    run("init", database="other.db")
    os.replace("other.db", database)


CHANGES: dict[str, Callable[[Path], object]] = {
    "remove": lambda _: run("remove", "ann", "--yes"),
    "lock": lambda _: run("lock", "ann"),
    "rename": lambda _: run("rename", "ann", "eve"),
    "passwd": lambda _: run("passwd", "ann", "--password-stdin", password=BETTER),
    "update": lambda _: execute("UPDATE users SET password_hash = 'x' WHERE username = 'ann'"),
    "delete": lambda _: execute("DELETE FROM users"),
    "restore": lambda _: run("restore", "empty.db", "--yes"),
    "mv": other_file,
}


@pytest.mark.parametrize("change", CHANGES)
def test_change_counts_at_the_next_call(users: Users, database: Path, change: str) -> None:
    run("init", database="empty.db")
    with Threads(8, lambda: users.auth_func("ann", GOOD)) as threads:
        threads.wait(50)
        assert users.auth_func("ann", GOOD)
        CHANGES[change](database)
        assert not users.auth_func("ann", GOOD)
        # Nor did another thread remember it meanwhile.
        threads.wait(50)
        assert not users.auth_func("ann", GOOD)


def test_change_while_hashing_counts() -> None:
    stored = Stored()
    first = stored.hash

    def read(_username: str) -> str | None:
        stored.reads += 1
        return first if stored.reads == 1 else None

    users = Users.from_lookup(read, limits=UNLIMITED)
    assert not users.auth_func("ann", GOOD)
    assert stored.reads == 2


# 3. to 6. Memory


def test_right_login_is_remembered_for_this_hash_only() -> None:
    stored = Stored()
    assert stored.hashes(lambda: stored.users.auth_func("ann", GOOD))
    assert not stored.hashes(lambda: stored.users.auth_func("ann", GOOD))
    assert stored.hashes(lambda: stored.users.auth_func("bob", GOOD))
    stored.hash = generate_password_hash(GOOD, METHOD)
    assert stored.hashes(lambda: stored.users.auth_func("ann", GOOD))
    assert stored.users.auth_func("ann", GOOD)


def test_wrong_password_is_remembered_and_counted_once() -> None:
    stored = Stored()
    assert stored.hashes(lambda: stored.users.auth_func("ann", "wrong"))
    for _ in range(50):
        assert not stored.hashes(lambda: stored.users.auth_func("ann", "wrong"))
    assert stored.users.auth_func("ann", GOOD)


def test_concurrent_logins_share_one_hash() -> None:
    # A hash that takes long enough.
    stored = Stored()
    stored.hash = generate_password_hash(GOOD, "scrypt:32768:8:1")
    barrier, reads, results = threading.Barrier(6), [0] * 6, []

    def log_in(number: int) -> None:
        def read(_username: str) -> str | None:
            reads[number] += 1
            return stored.hash

        results.append((number, read))
        barrier.wait()
        assert stored.users.auth_func("ann", GOOD)

    threads = [threading.Thread(target=log_in, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 6
    # Each reads the row once or twice.
    assert 7 <= stored.reads <= 12
    assert not stored.hashes(lambda: stored.users.auth_func("ann", GOOD))


def test_unknown_user_costs_a_hash() -> None:
    stored = Stored()
    stored.hash = None
    assert stored.hashes(lambda: stored.users.auth_func("eve", GOOD))


def test_exception_of_a_lookup_passes_through() -> None:
    stored = Stored()

    def read(_username: str) -> str | None:
        stored.reads += 1
        if stored.reads == 2:
            raise ConnectionError("the provider is down")
        return stored.hash

    users = Users.from_lookup(read, limits=UNLIMITED)
    with pytest.raises(ConnectionError, match="the provider is down"):
        users.auth_func("ann", GOOD)
    assert users.auth_func("ann", GOOD)


# 7. Guessing


def test_guessing_is_limited_but_remembered_logins_pass(log: pytest.LogCaptureFixture) -> None:
    stored = Stored()
    users = stored.users
    assert users.log_in("ann", GOOD, address="192.0.2.1").ok
    for number in range(10):
        assert users.log_in("ann", f"wrong {number}", address="192.0.2.1").retry_after is None
    refused = users.log_in("ann", "wrong again", address="192.0.2.1")
    assert refused.retry_after is not None
    assert 0 < refused.retry_after <= 1
    assert not stored.hashes(lambda: users.log_in("ann", "other", address="192.0.2.1"))
    assert users.log_in("ann", GOOD, address="192.0.2.1").ok
    assert users.log_in("ann", "wrong", address="192.0.2.2").retry_after is None
    assert "reason=limited" in log.text


def test_limits_are_set() -> None:
    limits = Limits(guesses_per_name_and_address=2, method=METHOD)
    assert limits == Limits(guesses_per_name_and_address=2, method=METHOD)
    assert limits != Limits()
    assert hash(limits) == hash(Limits(guesses_per_name_and_address=2, method=METHOD))
    assert "guesses_per_name_and_address=2" in repr(limits)
    users = Stored(limits=limits).users
    results = [users.log_in("ann", f"{number}", address="192.0.2.1") for number in range(3)]
    assert [result.retry_after is None for result in results] == [True, True, False]
    for bad in (
        {"wrong_for": -1},
        {"method": "md5"},
        {"first_wait": float("nan")},
        {"counters": -1},
        {"guesses_per_name": 2**32},
        {"hash_memory_bytes": -1},
    ):
        with pytest.raises(ValueError, match=next(iter(bad))):
            Limits(**bad)  # type: ignore[arg-type]


def test_no_address_has_no_limit_of_its_own() -> None:
    users = Stored().users
    for address in ("", None):
        for number in range(40):
            result = users.log_in("ann", f"{address} {number}", address=address)
            assert result.retry_after is None


def test_addresses_of_an_ipv6_network_count_as_one() -> None:
    users = Stored().users
    for number in range(10):
        assert users.log_in("ann", f"{number}", address=f"2001:db8::{number}").retry_after is None
    assert users.log_in("ann", "x", address="2001:db8::ffff:1").retry_after is not None
    assert users.log_in("ann", "y", address="2001:db8:0:1::1").retry_after is None


def test_address_is_that_of_the_request(log: pytest.LogCaptureFixture) -> None:
    import flask

    users = Stored().users
    app = flask.Flask(__name__)
    for number in range(11):
        with app.test_request_context(environ_base={"REMOTE_ADDR": "192.0.2.9"}):
            users.auth_func("ann", f"wrong {number}")
    assert "reason=limited" in log.text
    assert 'login failed: address=192.0.2.9 user="ann" reason=wrong' in log.messages


def test_forwarded_header_without_proxy_fix_is_warned_about_once(
    log: pytest.LogCaptureFixture,
) -> None:
    import flask

    users = Stored().users
    app = flask.Flask(__name__)
    for number in range(2):
        with app.test_request_context(
            headers={"X-Forwarded-For": "192.0.2.9"}, environ_base={"REMOTE_ADDR": "10.0.0.1"}
        ):
            users.auth_func("ann", f"wrong {number}")
    assert [record.levelno for record in log.records].count(logging.WARNING) == 1


def test_log_of_failed_logins_has_one_line_each(log: pytest.LogCaptureFixture) -> None:
    users = Stored(limits=UNLIMITED).users
    users.log_in('a"\n\u202e', "hunter2-wrong", address="203.0.113.7")
    users.log_in("ann", "hunter2-wrong", address="x\ny user=root")
    users.log_in("ann", "hunter2-wrong", address="")
    users.log_in("ann\x7f", "hunter2-wrong", address="\ud800\u2028")
    users.log_in("ann", "hunter2-wrong", address="2001:db8::1")
    assert log.messages == [
        r'login failed: address=203.0.113.7 user="a\"\n\u202e" reason=wrong',
        r'login failed: address="x\ny\u0020user=root" user="ann" reason=wrong',
        'login failed: address=- user="ann" reason=wrong',
        r'login failed: address="\ud800\u2028" user="ann\u007f" reason=wrong',
        'login failed: address=2001:db8::1 user="ann" reason=wrong',
    ]


# 8. Admission


def test_too_many_logins_are_busy() -> None:
    limits = Limits(
        hashes_at_once=1, waiting=0, waiting_per_name=0, guesses_per_name=0, method=METHOD
    )
    stored = Stored(limits=limits)
    stored.hash = generate_password_hash(GOOD, "scrypt:131072:8:1")
    busy: list[Error] = []

    def log_in(name: str) -> None:
        try:
            stored.users.auth_func(name, "wrong")
        except Busy as error:
            busy.append(error)

    threads = [threading.Thread(target=log_in, args=(f"user {n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert busy
    assert {error.code for error in busy} == {"busy"}


def test_other_threads_run_while_one_hashes() -> None:
    stored = Stored()
    stored.hash = generate_password_hash(GOOD, "scrypt:131072:8:1")
    during = []

    def count() -> None:
        while thread.is_alive():
            during.append(1)

    thread = threading.Thread(target=stored.users.auth_func, args=("ann", GOOD))
    thread.start()
    count()
    thread.join()
    assert len(during) > 100


# 13. Secrets, and what else an object shows


def test_nothing_shows_a_secret(users: Users, log: pytest.LogCaptureFixture) -> None:
    secret = "hunter2-hunter2"
    users.auth_func("ann", secret)
    with pytest.raises(WrongPassword) as wrong:
        users.change_password("ann", secret, BETTER)
    with pytest.raises(Error) as invalid:
        users.add("bob", f"{secret}\0")
    stored = execute("SELECT password_hash FROM users")[0][0]
    seen = [repr(users), repr(users.get("ann")), log.text, repr(wrong.value), repr(invalid.value)]
    for text in seen:
        assert secret not in text
        assert stored not in text


def test_tracebacks_show_no_secret(
    users: Users, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, new = "hunter2-hunter2", "hunter3-hunter3"
    calls = [
        lambda: users.auth_func("ann", secret),
        lambda: users.log_in("ann", secret),
        lambda: users.change_password("ann", secret, new),
        lambda: users.add("ann", secret),
        lambda: users.add("bob", f"{secret}\0"),
        lambda: users.set_password("eve", secret),
        lambda: users.set_password("ann", secret.encode()),  # type: ignore[arg-type]
    ]
    with pytest.raises(WrongPassword) as wrong:
        calls[2]()
    assert "hunter" not in variables(wrong.value)
    database.rename("away.db")
    for call in calls:
        with pytest.raises((Error, TypeError)) as error:
            call()
        assert "hunter" not in variables(error.value)
    for failure in (OSError(2, "no program"), subprocess.TimeoutExpired("x", 1)):

        def fail(*_: object, failure: Exception = failure, **__: object) -> None:
            raise failure

        monkeypatch.setattr(_program.subprocess, "run", fail)
        with pytest.raises(Error) as error:
            calls[3]()
        assert "hunter" not in variables(error.value)


def test_users_cannot_be_pickled(users: Users) -> None:
    with pytest.raises(TypeError, match="create an object in each process"):
        pickle.dumps(users)


def test_change_password_is_limited(users: Users) -> None:
    for number in range(100):
        with pytest.raises(WrongPassword):
            users.change_password("ann", f"wrong {number}", BETTER)
    with pytest.raises(Limited) as limited:
        users.change_password("ann", "wrong again", BETTER)
    assert limited.value.retry_after > 0
    assert limited.value.code == "limited"


def test_log_in_is_refused_if_the_user_was_locked_since() -> None:
    stored = Stored()
    assert stored.users.log_in("ann", GOOD)

    def read(_username: str) -> str | None:
        stored.reads += 1
        if stored.reads < 3:
            return stored.hash
        return "!" + str(stored.hash).replace("$", "|")

    stored.reads = 0
    users = Users.from_lookup(read, limits=UNLIMITED)
    result = users.log_in("ann", GOOD)
    assert stored.reads == 3
    assert (result.ok, result.user) == (False, None)


def test_log_in_returns_the_user(users: Users) -> None:
    result = users.log_in("ann", GOOD)
    assert result.ok
    assert result
    assert result.user == users.get("ann")
    assert not users.log_in("ann", "wrong")
    assert users.log_in("eve", GOOD).user is None


def test_lookup_users_cannot_be_changed_here() -> None:
    users = Stored().users
    assert users.user_groups("ann") == ["staff"]
    assert users.get("ann") is not None
    assert users.language("ann") is None
    for change in (users.list_users, lambda: users.remove("ann"), users.history):
        with pytest.raises(Error) as error:
            change()
        assert error.value.code == "usage"


def test_flask_is_not_imported_for_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_logins.sys, "modules", {})
    assert _logins.client_address() is None


def test_missing_database_names_the_absolute_path(tmp_path: Path) -> None:
    users = Users("missing.db")
    for call in (lambda: users.auth_func("ann", GOOD), users.list_users, lambda: users.get("ann")):
        with pytest.raises(DatabaseError) as error:
            call()
        assert str(tmp_path / "missing.db") in str(error.value)
        assert error.value.code == "no_database"
