"""The pool of sandboxes and the rules by which they are allocated."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass


class PoolExhausted(Exception):
    """Every sandbox is allocated."""


class NotAllocated(Exception):
    """The sandbox is not allocated to this owner."""


@dataclass
class Sandbox:
    """One account, free or allocated until a moment."""

    name: str
    owner: str | None = None
    expires_at: float = 0.0


class Pool:
    """Allocates sandboxes; safe to use from several threads.

    An owner holds at most one sandbox, so asking twice gives the same one: a client may
    repeat a request whose answer was lost.
    """

    def __init__(
        self,
        names: Iterable[str],
        lifetime: float = 3600.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sandboxes = {name: Sandbox(name) for name in names}
        self._lifetime = lifetime
        self._clock = clock
        self._lock = threading.Lock()

    def allocate(self, owner: str) -> Sandbox:
        """Give the owner a sandbox, the one already held if there is one."""
        with self._lock:
            self._expire()
            held = next((box for box in self._sandboxes.values() if box.owner == owner), None)
            free = next((box for box in self._sandboxes.values() if box.owner is None), None)
            box = held or free
            if box is None:
                raise PoolExhausted
            box.owner = owner
            box.expires_at = self._clock() + self._lifetime
            return Sandbox(box.name, box.owner, box.expires_at)

    def release(self, name: str, owner: str) -> None:
        """Take a sandbox back from the owner who holds it."""
        with self._lock:
            self._expire()
            box = self._sandboxes.get(name)
            if box is None or box.owner != owner:
                raise NotAllocated
            box.owner = None

    def counts(self) -> dict[str, int]:
        """How many sandboxes there are, and how many are free."""
        with self._lock:
            self._expire()
            free = sum(box.owner is None for box in self._sandboxes.values())
            return {"total": len(self._sandboxes), "free": free}

    def _expire(self) -> None:
        now = self._clock()
        for box in self._sandboxes.values():
            if box.owner is not None and box.expires_at <= now:
                box.owner = None
