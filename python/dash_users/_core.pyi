"""The Rust part of the package: everything that touches passwords, and no database."""

from collections.abc import Callable
from typing import final

__all__ = [
    "FileIdentity",
    "Limits",
    "Refusal",
    "Verifier",
    "is_locked",
    "leak",
    "sqlite_path",
]

@final
class FileIdentity:
    """Which file was at a path. In Python, `os.stat` takes three times as long.

    Raises `OSError` if there is none.
    """

    def __new__(cls, path: str) -> FileIdentity: ...
    def is_current(self) -> bool:
        """Whether this file is still at the path."""

@final
class Limits:
    """The limits of a `Users` object. All of them are per process, and times are in seconds.

    `remembered_logins`: correct logins that are remembered, 10,000. 0 remembers none.
    `remembered_idle`: how long an unused one is remembered, 15 minutes.
    `remembered_total`: how long one is remembered in all, 12 hours.
    `wrong_per_name`: wrong passwords of a name that are remembered, 8.
    `wrong_for`: how long a wrong password is remembered, 60 s.
    `guesses_per_name_and_address`, `guesses_per_name`, `guesses_per_address`: distinct wrong
    passwords in a window, 10 for a name from one address, 100 for a name, 50 from one address.
    0 is no limit.
    `guess_window`: the window, 60 s.
    `first_wait`, `longest_wait`: how long logins are rejected beyond a limit, from 1 to 60 s.
    `counters`: names, addresses, and pairs of both that are counted, 16,384 of each.
    `hash_memory_bytes`: memory of all hashes computed at once, 256 MiB, or less in a small cgroup.
    `hashes_at_once`: hashes computed at once, twice the number of cores.
    `waiting_per_name`, `waiting`: logins that wait for a hash, 2 for a name and 64 in all.
    `method`: the method of your hashes, `scrypt`. An unknown user takes as long as one hash of it.
    """

    def __new__(
        cls,
        *,
        remembered_logins: int | None = None,
        remembered_idle: float | None = None,
        remembered_total: float | None = None,
        wrong_per_name: int | None = None,
        wrong_for: float | None = None,
        guesses_per_name_and_address: int | None = None,
        guesses_per_name: int | None = None,
        guesses_per_address: int | None = None,
        guess_window: float | None = None,
        first_wait: float | None = None,
        longest_wait: float | None = None,
        counters: int | None = None,
        hash_memory_bytes: int | None = None,
        hashes_at_once: int | None = None,
        waiting_per_name: int | None = None,
        waiting: int | None = None,
        method: str | None = None,
    ) -> Limits: ...
    @property
    def remembered_logins(self) -> int: ...
    @property
    def remembered_idle(self) -> float: ...
    @property
    def remembered_total(self) -> float: ...
    @property
    def wrong_per_name(self) -> int: ...
    @property
    def wrong_for(self) -> float: ...
    @property
    def guesses_per_name_and_address(self) -> int: ...
    @property
    def guesses_per_name(self) -> int: ...
    @property
    def guesses_per_address(self) -> int: ...
    @property
    def guess_window(self) -> float: ...
    @property
    def first_wait(self) -> float: ...
    @property
    def longest_wait(self) -> float: ...
    @property
    def counters(self) -> int: ...
    @property
    def hash_memory_bytes(self) -> int: ...
    @property
    def hashes_at_once(self) -> int: ...
    @property
    def waiting_per_name(self) -> int: ...
    @property
    def waiting(self) -> int: ...
    @property
    def method(self) -> str: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self, /) -> int: ...

@final
class Refusal:
    """Why a login was rejected."""

    @property
    def reason(self) -> str:
        """`wrong`, `invalid` (not text), `unknown`, `locked`, `unusable`, `changed`, `limited` or `busy`."""

    @property
    def retry_after(self) -> float | None:
        """The seconds until the next attempt can succeed, if `limited`."""

    @property
    def detail(self) -> str | None:
        """Why the stored value is `unusable`."""

@final
class Verifier:
    """Checks logins: remembers correct ones, limits guesses, and bounds the hashing."""

    def __new__(cls, limits: Limits) -> Verifier: ...
    def verify(
        self,
        username: object,
        password: object,
        address: str | None,
        read: Callable[[str], object],
    ) -> Refusal | None:
        """Checks a login, and returns why it was rejected, or `None`.

        `read` is called with the username, and returns what is stored: a hash, or `None` for an
        unknown user. It is called again after a hash was computed. Its exceptions pass through.
        Other threads run while this one hashes or waits.
        """

def is_locked(stored: str) -> bool:
    """Whether a stored value locks its user."""

def leak(object: object) -> None:
    """Keeps an object forever: after a fork, closing a connection of the parent would do harm."""

def sqlite_path(database: str) -> str | None:
    """The absolute path of a SQLite database, or `None` for the URL of a PostgreSQL server.

    Raises `ValueError` for any other text, without showing it: it may contain a password.
    """
