"""The native program `dash-users`, which makes all changes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from typing import Any

from ._errors import Busy, Error, InvalidData, error

# The program waits 10 s for a lock, and 60 s for a statement of a server.
TIMEOUT_S = 120


def find() -> str:
    """The path of the program: beside this package, or else on the `PATH`."""
    for directory in _directories():
        path = os.path.join(directory, "dash-users")
        if os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    path = shutil.which("dash-users") or ""
    if not path:
        raise Error(
            "cannot find the program dash-users", hint="pip install --force-reinstall dash-users"
        )
    return path


def _directories() -> Iterator[str]:
    yield sysconfig.get_path("scripts")
    yield sysconfig.get_path("scripts", scheme=sysconfig.get_preferred_scheme("user"))
    # With `pip install --prefix` the package is in PREFIX/lib/pythonX.Y/site-packages, and with
    # `--target` beside the directory bin.
    package = os.path.dirname(os.path.abspath(__file__))
    yield os.path.join(package, *[os.pardir] * 4, "bin")
    yield os.path.join(package, os.pardir, "bin")


def run(
    database: str, arguments: list[str], *, password: str | None = None, actor: str | None = None
) -> Any:
    """Runs a command and returns its JSON document."""
    result = _result(database, arguments, password, actor)
    # What shows the variables of a traceback shows no password.
    del database, password
    if isinstance(result, Exception):
        raise result
    return result


def _result(
    database: str, arguments: list[str], password: str | None, actor: str | None
) -> Any | Exception:
    """The command's JSON document, or what to raise.

    The database is in the environment, since arguments are visible to other users of the machine.
    """
    for text in [*arguments, password or "", actor or ""]:
        problem = text_problem(text)
        if problem is not None:
            return problem
    # Other sources of passwords would conflict with stdin.
    environment = {
        name: value for name, value in os.environ.items() if name != "DASH_USERS_PASSWORD_FILE"
    }
    environment["DASH_USERS_DATABASE"] = database
    if actor is not None:
        # The program takes it for the person behind the change.
        environment["SUDO_USER"] = actor
    # The program strips one newline.
    stdin = None if password is None else f"{password}\n".encode()
    try:
        done = subprocess.run(  # noqa: S603 - found beside this package
            [find(), "--json", "--no-input", *arguments],
            env=environment,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except Error as missing:
        return missing.with_traceback(None)
    except subprocess.TimeoutExpired:
        return Busy("the program dash-users did not finish in time")
    except OSError as reason:
        return Error(f"cannot run the program dash-users: {reason.strerror}")
    if done.returncode == 0 and done.stdout:
        return json.loads(done.stdout)
    # If the app ignores SIGCHLD, Python does not know the exit code, and reports 0.
    try:
        reported = json.loads(done.stderr)["error"]
        return error(reported["code"], reported["message"], reported.get("hint"))
    except (ValueError, KeyError):
        return Error(f"the program dash-users ended with exit code {done.returncode}")


def text_problem(text: object) -> Exception | None:
    """What to raise for text that cannot be an argument, without showing it."""
    if not isinstance(text, str):
        return TypeError(f"expected a str, not {type(text).__name__}")
    if "\0" in text:
        return InvalidData("names, groups and passwords cannot contain a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        return InvalidData("names, groups and passwords must be valid Unicode text")
    return None
