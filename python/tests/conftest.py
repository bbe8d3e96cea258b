"""What the tests share: a database of their own, and the program."""

from __future__ import annotations

import logging
import os
import sqlite3
import subprocess
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dash_users import Limits, Users, _program

GOOD = "plover-xyzzy-quux"
BETTER = "squeamish-ossifrage-7"
# Cheap hashes, as the program makes them here.
METHOD = "scrypt:1024:8:1"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DASH_USERS_METHOD", METHOD)
    monkeypatch.delenv("DASH_USERS_DATABASE", raising=False)


def run(*arguments: str, password: str | None = None, database: str | Path = "users.db") -> str:
    """Runs the program, which must succeed."""
    return subprocess.run(
        [_program.find(), *arguments],
        input=password,
        stdin=subprocess.DEVNULL if password is None else None,
        env={**os.environ, "DASH_USERS_DATABASE": str(database)},
        check=True,
        text=True,
        capture_output=True,
    ).stdout


def add(name: str, password: str = GOOD, *options: str, database: str | Path = "users.db") -> None:
    run("add", "--password-stdin", *options, "--", name, password=password, database=database)


def execute(sql: str, *parameters: object, database: str | Path = "users.db") -> list[tuple]:
    """Writes to the database as an app does."""
    connection = sqlite3.connect(database, timeout=30)
    try:
        with connection:
            return connection.execute(sql, parameters).fetchall()
    finally:
        connection.close()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database with ann."""
    path = tmp_path / "users.db"
    run("init")
    add("ann")
    return path


@pytest.fixture
def users(database: Path) -> Iterator[Users]:
    users = Users(database, limits=Limits(method=METHOD))
    yield users
    users.close()


def require(name: str, available: bool) -> None:
    """Skips the test without something, but not in CI."""
    if not available:
        if "CI" in os.environ:
            pytest.fail(f"{name} is missing")
        pytest.skip(f"{name} is missing")


class Threads:
    """Threads that repeat something until the block ends. The first exception is raised then."""

    def __init__(self, count: int, work: Callable[[], object]) -> None:
        self._work = work
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._threads = [threading.Thread(target=self._run) for _ in range(count)]
        self.rounds = 0

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._work()
                self.rounds += 1
        except BaseException as error:
            self._failure = self._failure or error
            self._stop.set()

    def __enter__(self) -> Threads:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if self._failure is not None and failure[0] is None:
            raise self._failure

    def wait(self, rounds: int) -> None:
        """Until all threads together have done this many rounds more."""
        end = self.rounds + rounds
        while self.rounds < end and not self._stop.is_set():
            time.sleep(0.001)


def variables(error: BaseException) -> str:
    """All variables of the package's frames in the traceback, and in those of what caused it."""
    seen = []
    cause: BaseException | None = error
    while cause is not None:
        for frame, _ in traceback.walk_tb(cause.__traceback__):
            if frame.f_globals["__name__"].startswith("dash_users."):
                seen.append(repr(frame.f_locals))
        cause = cause.__context__
    assert seen
    return "\n".join(seen)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "dash_users")
    return caplog
