"""The reference of the package names everything that is public."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import dash_users
from dash_users import Error, Limits, Users

PAGE = (Path(__file__).parents[2] / "docs/reference/python.md").read_text()


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
