"""What an entry finds in a target at full size, as every run includes it; nothing is drawn."""

from __future__ import annotations

from kvfloor.conformance import Draft, Target, as_entry, judge
from kvfloor.conformance.draft import NoCase

__all__ = ["problem"]


def problem(target: Target, flag: str) -> str | None:
    """The first that is found; None if there is none, or no case."""
    entry = as_entry(flag)
    assert not entry.unless(target), entry.unless(target)
    try:
        cases = entry.build(Draft(target, entry.largest(target), 0, coarse=False))
    except NoCase:
        return None
    return next((said for case in cases if (said := judge(target, case).problem)), None)
