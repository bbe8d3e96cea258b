"""Runs the program: `python -m dash_users`."""

import os
import sys

from ._program import find

if __name__ == "__main__":
    program = find()
    os.execv(program, [program, *sys.argv[1:]])  # noqa: S606
