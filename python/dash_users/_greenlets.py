"""gevent: many greenlets share one thread.

The verifier makes concurrent checks of the same login wait for one computation. Such a wait blocks
the whole thread. If the greenlet that computes lets others run meanwhile, because it reads from a
network, it would never continue.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

from ._core import Refusal

Read = Callable[[str], object]
Verify = Callable[[str, str, str | None, Read], Refusal | None]


def are_used() -> bool:
    """Whether gevent has replaced threads by greenlets."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))


class InTurn:
    """Checks logins one after the other, each after its own first read.

    A hash blocks all greenlets anyway, so little is lost.
    """

    def __init__(self, verify: Verify) -> None:
        self._verify = verify
        # Made when it is first used: before, threads may not be replaced yet.
        self._lock: threading.RLock | None = None

    def __call__(
        self, username: str, password: str, address: str | None, read: Read
    ) -> Refusal | None:
        try:
            first = [read(username)] if isinstance(username, str) else []

            def once_more(name: str) -> object:
                return first.pop() if first else read(name)

            if self._lock is None:
                self._lock = threading.RLock()
            with self._lock:
                return self._verify(username, password, address, once_more)
        finally:
            del password
