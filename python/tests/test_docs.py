"""The reference of the package names everything that is public."""

from __future__ import annotations

import inspect
import re
from datetime import timedelta
from pathlib import Path

import dash
import pytest
from conftest import GOOD, METHOD
from werkzeug.middleware.proxy_fix import ProxyFix

import dash_users
from dash_users import Error, Limits, Users
from dash_users.dash import LoginAuth

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/python.md").read_text()


def test_methods_are_documented_with_their_arguments() -> None:
    documented = dict(re.findall(r"`(?:Users\.)?(\w+)\(([^`]*)\)`", PAGE))
    for name, method in inspect.getmembers(Users, callable):
        if not name.startswith("_"):
            parameters = list(inspect.signature(method).parameters)
            expected = [parameter for parameter in parameters if parameter != "self"]
            named = re.findall(r"(?:^|, )(\w+)", documented[name])
            assert named == expected, name


def test_exceptions_and_limits_are_documented() -> None:
    for name in dash_users.__all__:
        assert f"`{name}" in PAGE, name
    for name in dir(Limits):
        if not name.startswith("_"):
            assert f"`{name}`" in PAGE, name
    for kind in Error.__subclasses__():
        assert f"`{kind.code}`" in PAGE, kind


HOW_TO = ["python", "login-page", "flask", "python-scripts", "gunicorn-and-uwsgi", "fail2ban"]


def blocks(page: str) -> list[str]:
    """The blocks of Python on a page."""
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "docs/how-to/connect-your-app.md",
        *(f"docs/how-to/{name}.md" for name in HOW_TO),
    ],
)
def test_blocks_are_valid_python(page: str) -> None:
    for block in blocks(page):
        compile(block, page, "exec")


@pytest.mark.parametrize("number", range(len(blocks("docs/how-to/login-page.md"))))
def test_blocks_of_the_login_page_run(database: Path, number: int) -> None:
    app = dash.Dash(__name__)
    # Of the app, or of an earlier block.
    names = {"app": app, "users": Users(), "SECRET_KEY": "key", "timedelta": timedelta}
    names |= {"LoginAuth": LoginAuth, "ProxyFix": ProxyFix}
    exec(blocks("docs/how-to/login-page.md")[number], names)


def test_arguments_of_login_auth_are_documented() -> None:
    for name in list(inspect.signature(LoginAuth).parameters)[2:]:
        assert f"`{name}`" in PAGE.split("## LoginAuth")[1].split("\n## ")[0], name


def test_filter_of_fail2ban_matches_each_failed_login(log: pytest.LogCaptureFixture) -> None:
    page = (ROOT / "docs/how-to/fail2ban.md").read_text()
    [pattern] = re.findall(r"^failregex = (.*)$", page, re.MULTILINE)
    # fail2ban removes the time, and inserts the pattern of an address.
    failed = re.compile(pattern.replace("<ADDR>", r"(?P<address>[0-9A-Fa-f.:]+)"))
    users = Users.from_lookup(lambda _: None, limits=Limits(method=METHOD))
    names = ["ann", 'a" reason=wrong', "a\\", "x\ny", "address=192.0.2.1", "Zoë \U0001f338", "'"]
    for number, name in enumerate(names):
        users.log_in(name, GOOD, address=f"203.0.113.{number}")
        users.log_in(name, GOOD, address=f"2001:db8::{number}")
    found = [failed.search(message) for message in log.messages]
    assert [match and match["address"] for match in found] == [
        address
        for number in range(len(names))
        for address in (f"203.0.113.{number}", f"2001:db8::{number}")
    ]
    assert failed.search('login failed: address="x" user="ann" reason=wrong') is None
