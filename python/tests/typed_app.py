"""Uses the whole package, for mypy --strict."""

from __future__ import annotations

from datetime import datetime

from dash_users import Busy, Error, Event, Limited, Limits, LogIn, User, Users


def sign_in(users: Users, name: str, password: str) -> str:
    try:
        result: LogIn = users.log_in(name, password, address="192.0.2.1")
    except Busy as busy:
        return busy.hint or busy.code
    if result.retry_after is not None:
        return f"try again in {result.retry_after:.0f} s"
    return result.user.language if result.user else "wrong"


def main() -> None:
    limits = Limits(guesses_per_name=20, wrong_for=1.5)
    users = Users("users.db", limits=limits, actor="web")
    assert isinstance(users.auth_func("ann", "x"), bool)
    user: User = users.add("ann", "x", groups=("staff",), allow_weak=True)
    created: datetime | None = user.created_at
    groups: tuple[str, ...] = user.groups
    events: list[Event] = users.history("ann", limit=1)
    try:
        users.change_password("ann", "x", "y")
    except Limited as limited:
        print(limited.retry_after, created, groups, events)
    except Error as error:
        print(error.code, error.hint)
    other = Users.from_lookup({"ann": "hash"}.get, groups=lambda _: ["staff"])
    print(other.language("ann"), sign_in(other, "ann", "x"))
