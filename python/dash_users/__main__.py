"""Runs the program: `python -m dash_users`."""

import os
import sys

from ._program import find


def main() -> None:
    """Replaces this process by the program."""
    program = find()
    os.execv(program, [program, *sys.argv[1:]])  # noqa: S606


if __name__ == "__main__":
    main()
