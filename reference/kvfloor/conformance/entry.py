"""An entry of a catalogue: a kind of input, and why some mean nothing for a target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from kvfloor.conformance.case import Case
from kvfloor.conformance.domain import EVERYTHING
from kvfloor.conformance.draft import Draft, affordable
from kvfloor.conformance.size import Size
from kvfloor.conformance.target import Target
from kvfloor.conformance.tiles import too_wide

__all__ = [
    "FAMILIES",
    "Entry",
    "mask_other_than",
    "no_domain",
    "no_groups",
    "no_wide_window",
    "one_head",
    "one_length",
    "one_slot",
]

SETS = ("batch", "kv_heads", "group")
MOST_DRAWN = 2**16  # logits of a case that is drawn
FAMILIES = ("shapes", "masks", "ranges", "precision", "invariance", "instances")


@dataclass(frozen=True)
class Entry:
    """A kind of input.

    Attributes
    ----------
    flag : str
        Its name, in reports and in files of expected failures.
    family : str
        One of `FAMILIES`.
    note : str
        Which bug it catches.
    build : callable
        Makes cases of a draft.
    unless : callable
        Why it means nothing for a target; empty if it does.
    longest : int
        Tokens in a slot, at most.
    sizes : callable
        What else of `Size` is not as in other entries, for a target.
    draws : bool
        Whether smaller cases are drawn; else there are those at full size alone.
    """

    flag: str
    family: str
    note: str
    build: Callable[[Draft], list[Case]]
    unless: Callable[[Target], str] = lambda _: ""
    longest: int = 12
    sizes: Callable[[Target], dict[str, Any]] = lambda _: {}
    draws: bool = True

    def largest(self, target: Target) -> Size:
        """The size of the case that every run includes: the nearest that the target serves."""
        longest = self.longest if target.order < 3 else min(self.longest, 5)
        lengths = tuple(max(1, longest - r) for r in range(target.order))
        usual = Size(2, 2, 3, 7, lengths, 8, 6)
        return _smaller(target, replace(usual, **self.sizes(target)), SETS, affordable)

    def drawn(self, target: Target) -> Size:
        """The size up to which cases are drawn: that, with fewer queries where each costs much."""
        return _smaller(
            target, self.largest(target), ("queries", *SETS), lambda size: size.logits <= MOST_DRAWN
        )


def _smaller(
    target: Target, size: Size, names: tuple[str, ...], fits: Callable[[Size], bool]
) -> Size:
    """Return a size that is served, with less of what is named until it fits, if that is so."""
    fitted = target.fit(size)
    for name in names:
        while not fits(fitted) and getattr(size, name) > 1:
            size = replace(size, **{name: getattr(size, name) // 2})
            fitted = target.fit(size)
    return fitted


def one_slot(target: Target) -> str:
    """Why an entry about several slots means nothing for a target; empty if it does."""
    return "" if target.order > 1 else "there is one slot"


def one_length(target: Target) -> str:
    """Why slots have no lengths of their own; empty if they do."""
    if target.domain.square:
        return "each slot has as many tokens as there are queries"
    return one_slot(target)


def one_head(target: Target) -> str:
    """Why heads cannot be mixed up; empty if they can."""
    size = target.fit(Size(8, 8, 1, 1, (1,) * target.order, 1, 1))
    return "" if size.batch * size.kv_heads > 1 else "there is one head, in a batch of one"


def no_groups(target: Target) -> str:
    """Why heads share no keys; empty if they do."""
    size = target.fit(Size(1, 8, 4, 1, (1,) * target.order, 1, 1))
    return "" if size.group > 1 else "heads do not share keys"


def mask_other_than(*kinds: str) -> Callable[[Target], str]:
    """Return why an entry means nothing for a target: its mask is of none of these kinds."""

    def unless(target: Target) -> str:
        return "" if target.kind in kinds else f"the mask is {target.kind}"

    return unless


def no_wide_window(target: Target) -> str:
    """Why no case is cut by windows on both sides; empty if one is."""
    return mask_other_than("window")(target) or too_wide(target)


def no_domain(target: Target) -> str:
    """Why there are no ends of what is served; empty if there are."""
    return "no domain is declared" if target.domain == EVERYTHING else ""
