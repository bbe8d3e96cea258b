"""The build backend: maturin builds the extension, and Cargo the program beside it.

maturin puts one or the other into a wheel. Here the program becomes a script of the wheel, from the
directory of scripts that maturin copies.

`DASH_USERS_BUILD` replaces the command that builds the program, for example to cross-compile it.
maturin reads `MATURIN_PEP517_ARGS` for the extension.
"""

import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import maturin
from maturin import (
    build_sdist,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

ROOT = Path(__file__).parents[2]
# Where maturin looks for files of a module, if `tool.maturin.data` names no other place.
SCRIPTS = ROOT / "dash_users._core.data" / "scripts"


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    build_program()
    return maturin.build_wheel(wheel_directory, config_settings, metadata_directory)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    build_program()
    return maturin.build_editable(wheel_directory, config_settings, metadata_directory)


def build_program():
    command = os.environ.get("DASH_USERS_BUILD", "cargo build --release --locked")
    command = [
        *shlex.split(command),
        "--bin",
        "dash-users",
        "--message-format=json-render-diagnostics",
    ]
    built = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)  # noqa: S603
    messages = map(json.loads, built.stdout.splitlines())
    [program] = filter(None, (message.get("executable") for message in messages))
    SCRIPTS.mkdir(parents=True, exist_ok=True)
    shutil.copy(program, SCRIPTS)
