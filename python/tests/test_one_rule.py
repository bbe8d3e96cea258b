"""One rule above all: no second SQLite in the process of the app."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

from conftest import BETTER, GOOD, Threads, add, execute, run

from dash_users import Users

TRANSACTIONS = 150


def test_reads_do_not_break_locks_of_the_app(users: Users, database: Path) -> None:
    """Eight threads log in while the app writes, and the program changes users.

    No read fails or sees half a transaction, and no commit is lost.
    """
    execute("CREATE TABLE counter (value INTEGER, again INTEGER)")
    execute("INSERT INTO counter VALUES (0, 0)")
    # Rows that change together.
    for name in ("left", "right"):
        execute("INSERT INTO users VALUES (?, 'x', 'en')", name)

    def write() -> None:
        connection = sqlite3.connect(database, timeout=60)
        for number in range(1, TRANSACTIONS + 1):
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("UPDATE counter SET value = value + 1")
                for name in ("left", "right"):
                    connection.execute(
                        "UPDATE users SET language = ? WHERE username = ?", (str(number), name)
                    )
                connection.execute("UPDATE counter SET again = again + 1")
        connection.close()

    def change() -> None:
        for _ in range(5):
            add("bob", BETTER)
            run("lock", "bob")
            run("remove", "bob", "--yes")

    def read() -> None:
        assert users.auth_func("ann", GOOD)
        users.auth_func("bob", BETTER)
        listed = {user.username: user.language for user in users.list_users()}
        assert listed["left"] == listed["right"]

    writers = [threading.Thread(target=write) for _ in range(2)]
    program = Threads(1, change)
    with Threads(8, read) as readers, program:
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        readers.wait(8)
    assert execute("SELECT value, again FROM counter") == [(2 * TRANSACTIONS, 2 * TRANSACTIONS)]
    assert execute("PRAGMA integrity_check") == [("ok",)]
    assert program.rounds > 0
