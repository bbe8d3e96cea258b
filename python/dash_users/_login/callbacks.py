"""Which callbacks of Dash run without a session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dash
from dash._callback import GLOBAL_CALLBACK_MAP
from dash_auth.public_routes import get_public_callbacks


def is_well_formed(body: object) -> bool:
    """Whether Dash can work with a request."""
    if not isinstance(body, dict) or not isinstance(body.get("output"), str):
        return False
    # A single output is not in a list, and there may be none.
    outputs, changed = body.get("outputs") or [], body.get("changedPropIds", [])
    return (
        all(is_list_of_values(body.get(name, [])) for name in ("inputs", "state"))
        and is_list_of_values(outputs if isinstance(outputs, list) else [outputs])
        and isinstance(changed, list)
        and all(isinstance(name, str) for name in changed)
    )


def is_list_of_values(sent: object) -> bool:
    """Whether it is a list of values. Several are together if their ids match a pattern."""
    return isinstance(sent, list) and all(
        all(map(is_value, value)) if isinstance(value, list) else is_value(value) for value in sent
    )


def is_value(value: object) -> bool:
    """Whether it is a property of a component."""
    return (
        isinstance(value, dict)
        and isinstance(value.get("id"), str | dict)
        and isinstance(value.get("property"), str)
    )


def is_public(app: dash.Dash, body: dict[str, Any], is_public_path: Callable[[str], bool]) -> bool:
    """Whether a callback is public, or depends on a path that is.

    What counts is what the app declared: anyone can claim anything in a request.
    """
    output = body["output"]
    # Those of `dash.callback` are moved to the app by the first request.
    declared = app.callback_map.get(output) or GLOBAL_CALLBACK_MAP.get(output)
    if declared is None:
        return False
    inputs, sent = declared["inputs"], body.get("inputs", [])
    # Dash passes them on by their position.
    if len(sent) != len(inputs) or len(body.get("state", [])) != len(declared["state"]):
        return False
    if output in get_public_callbacks(app):
        return True
    paths: list[object] = []
    for item, spec in zip(sent, inputs, strict=True):
        values = item if isinstance(item, list) else [item]
        is_path = spec["property"] == "pathname"
        if is_path and not values:
            return False
        paths += [
            value.get("value") for value in values if is_path or value.get("property") == "pathname"
        ]
    return any(spec["property"] == "pathname" for spec in inputs) and all(
        isinstance(path, str) and is_public_path(path) for path in paths
    )
