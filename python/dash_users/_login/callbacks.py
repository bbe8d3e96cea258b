"""Which callbacks of Dash run without a session."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import dash
from dash._callback import GLOBAL_CALLBACK_MAP
from dash_auth.public_routes import get_public_callbacks


def is_well_formed(body: Any) -> bool:
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


def declared(app: dash.Dash, body: Any) -> Any:
    """What the app declared of the callback of a request. `None` if the request does not fit it."""
    if not is_well_formed(body):
        return None
    # Those of `dash.callback` are moved to the app by the first request.
    output = body["output"]
    callback = app.callback_map.get(output) or GLOBAL_CALLBACK_MAP.get(output)
    if callback is None:
        return None
    # Dash passes values on by their position.
    for name in ("inputs", "state"):
        if not fits(body.get(name, []), [value["id"] for value in callback[name]]):
            return None
    # It finds out by itself what the outputs are.
    outputs = body.get("outputs", [])
    parts = output[2:-2].split("...") if output.startswith("..") else [output]
    if callback.get("no_output"):
        parts = []
    elif isinstance(outputs, dict) or (len(parts) == 1 and is_of_several(output)):
        outputs = [outputs]
    if outputs is None or (outputs and not (fits(outputs, parts) and are_of(outputs, parts))):
        return None
    return callback


def is_of_several(declared: str) -> bool:
    """Whether an id is a pattern of any number of components."""
    return declared.startswith("{") and ('["ALL"]' in declared or '["ALLSMALLER"]' in declared)


def fits(sent: list[Any], declared: list[str]) -> bool:
    """Whether each value is one of a component, or a list, as declared."""
    return len(sent) == len(declared) and all(
        isinstance(value, list) == is_of_several(id)
        for value, id in zip(sent, declared, strict=True)
    )


def are_of(sent: list[Any], declared: list[str]) -> bool:
    """Whether all outputs have the ids and properties that are declared."""
    return all(
        is_of(value, output)
        for item, output in zip(sent, declared, strict=True)
        for value in (item if isinstance(item, list) else [item])
    )


def is_of(value: dict[str, Any], declared: str) -> bool:
    id, _, name = declared.rpartition(".")
    # After @ is what distinguishes several callbacks of one output.
    if value["property"].split("@")[0] != name.split("@")[0]:
        return False
    if isinstance(value["id"], str):
        return bool(value["id"] == id)
    # Dash escapes each dot.
    pattern = json.loads(id.replace("\\.", ".")) if id.startswith("{") else {}
    return pattern.keys() == value["id"].keys() and all(
        isinstance(pattern[key], list) or pattern[key] == part for key, part in value["id"].items()
    )


def is_public(
    app: dash.Dash, body: dict[str, Any], callback: Any, is_public_path: Callable[[str], bool]
) -> bool:
    """Whether a callback is public, or depends on a path that is.

    What counts is what the app declared: anyone can claim anything in a request.
    """
    if body["output"] in get_public_callbacks(app):
        return True
    inputs = callback["inputs"]
    paths: list[object] = []
    for item, spec in zip(body.get("inputs", []), inputs, strict=True):
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
