"""How far a run is, for whoever follows it."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Follower"]


class Follower:
    """Tells how far a run is: entries, and shares of the one that is run."""

    def __init__(self, progress: Callable[[float, int], None] | None, entries: int) -> None:
        self._progress, self._entries, self._done = progress, entries, 0

    def begin(self, done: int) -> None:
        """So many entries are done."""
        self._done = done
        self.share(0.0)

    def share(self, part: float) -> None:
        """So much of the next one is."""
        if self._progress is not None:
            self._progress(self._done + part, self._entries)

    def of_case(self, first: float, length: float) -> Callable[[int, int], None]:
        """What the oracle is to call for a case, which is a part of the entry."""
        return lambda settled, numbers: self.share(first + length * settled / max(1, numbers))
