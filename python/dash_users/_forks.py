"""What must happen around a fork.

A process that is forked while a thread is inside SQLite gets a copy of it in the middle of
something. So a fork waits for running reads, and nothing of the parent is used in the child.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Protocol


class Forkable(Protocol):
    """An object that lives through forks."""

    def before_fork(self) -> None:
        """Waits for what is running, and holds back what would start."""

    def after_fork_in_parent(self) -> None:
        """Lets everything continue."""

    def after_fork_in_child(self) -> None:
        """Starts afresh."""


_all: weakref.WeakSet[Forkable] = weakref.WeakSet()


def register(forkable: Forkable) -> None:
    """Calls the object's methods at each fork, as long as it exists."""
    _all.add(forkable)


# Two threads may fork at the same time.
_lock = threading.Lock()
_paused: list[Forkable] = []

_process = os.getpid()
_noticing = threading.Lock()


def notice() -> None:
    """Before a connection is used: uWSGI forks without calling what is registered."""
    if os.getpid() == _process:
        return
    with _noticing:
        if os.getpid() != _process:
            _after_in_child()


def _before() -> None:
    _lock.acquire()
    for forkable in list(_all):
        forkable.before_fork()
        _paused.append(forkable)


def _after_in_parent() -> None:
    while _paused:
        _paused.pop().after_fork_in_parent()
    _lock.release()


def _after_in_child() -> None:
    global _lock, _process
    _lock = threading.Lock()
    _paused.clear()
    for forkable in list(_all):
        forkable.after_fork_in_child()
    # Last: other threads wait for it.
    _process = os.getpid()


os.register_at_fork(
    before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child
)
