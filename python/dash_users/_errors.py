"""The exceptions of this package."""

from __future__ import annotations


class Error(Exception):
    """An error of dash-users.

    `code` is one of the codes in the JSON output of the program, and `hint` says what to do.
    """

    code: str = "failed"
    hint: str | None = None

    def __init__(self, message: str, *, code: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code
        self.hint = hint

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message} (hint: {self.hint})" if self.hint else message


class NoSuchUser(Error):
    """There is no user with this name."""

    code = "no_such_user"


class UserExists(Error):
    """There is a user with this name, or one that differs only by case."""

    code = "user_exists"


class WeakPassword(Error):
    """The new password is too weak, or is not allowed at all."""

    code = "weak_password"


class WrongPassword(Error):
    """The password does not match, or the user is unknown or locked."""

    code = "refused"


class InvalidData(Error):
    """A name, language, group or password is invalid."""

    code = "invalid_data"


class DatabaseError(Error):
    """The database is missing or cannot be used."""

    code = "cannot_connect"


class Busy(Error):
    """The database is locked, or too many passwords are being checked. Nothing was changed."""

    code = "busy"


class Limited(Error):
    """Too many wrong passwords. `retry_after` is the number of seconds to wait."""

    code = "limited"

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"too many wrong passwords: try again in {retry_after:.0f} s")
        self.retry_after = retry_after


_CLASSES: dict[str, type[Error]] = {
    "no_such_user": NoSuchUser,
    "user_exists": UserExists,
    "weak_password": WeakPassword,
    "bad_password": WeakPassword,
    "refused": WrongPassword,
    "invalid_data": InvalidData,
    "findings": InvalidData,
    "no_database": DatabaseError,
    "needs_migration": DatabaseError,
    "newer_schema": DatabaseError,
    "not_a_database": DatabaseError,
    "cannot_connect": DatabaseError,
    "busy": Busy,
}


def error(code: str, message: str, hint: str | None = None) -> Error:
    """The exception for a code."""
    return _CLASSES.get(code, Error)(message, code=code, hint=hint)
