"""T5 `collision`: the greatest leak, and in how many instances a search finds a collision."""

from __future__ import annotations

from hypothesis import strategies as st

from kvfloor.caches import HashedCache, WindowCache, configure
from kvfloor.collisions import birthday, pigeonhole
from kvfloor.families import BinaryValues, binary_keys
from kvfloor.floors import greatest_leak, room
from kvfloor_proofs.claims.collision import derivations, lam
from kvfloor_proofs.constants.decode_threshold import SYMBOLS
from kvfloor_proofs.foundations.constants import Constant, assumed, both_sides
from kvfloor_proofs.foundations.properties import Falsified, Tally, require

__all__ = ["constants"]


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    no_common_answer, _ = derivations()
    return (
        Constant(
            greatest_leak,
            (
                assumed(
                    no_common_answer,
                    lam,
                    "high",
                    lambda: greatest_leak(SYMBOLS, room(SYMBOLS, 0, 1)),
                    strict=True,
                ),
            ),
        ),
        Constant(
            pigeonhole,
            (both_sides("2^b + 1 instances are enough, 2^b need not be", property_pigeonhole),),
        ),
        Constant(
            birthday,
            (both_sides("found among the limit, not among one less", property_limit),),
        ),
    )


def property_pigeonhole(data: st.DataObject, tally: Tally) -> None:
    """A cache of the last b bits collides at instance 2^b + 1, and one of all bits never."""
    del tally
    n, d_v = data.draw(st.sampled_from(((2, 1), (2, 2), (3, 1), (3, 2), (4, 1))), label="n, d_v")
    family = BinaryValues(binary_keys(n), d_v, order=data.draw(st.integers(1, 2), label="m"))
    window = data.draw(st.integers(1, n), label="W")
    found = pigeonhole(configure(WindowCache, family=family, window=window), family)
    if window == n:
        require(found is None, "a cache of all bits collides")
        return
    if found is None:
        raise Falsified("a cache of fewer bits does not collide")
    require(found.evaluations == 2 ** (window * d_v) + 1, "not at the first instance that must")
    first, kept = family.size - window * d_v, window * d_v
    pair = ["0" * family.size, "0" * (first - 1) + "1" + "0" * kept]
    require(found.certificate["instances"] == pair, "not the first instances in order")


def property_limit(data: st.DataObject, tally: Tally) -> None:
    """What is found at one limit is found at the least that allows it, and at none below."""
    del tally
    family = BinaryValues(binary_keys(4), 6, order=1)
    factory = configure(HashedCache, bits=data.draw(st.integers(0, 5), label="b"), family=family)
    seed = data.draw(st.integers(0, 99), label="seed")
    found = birthday(factory, family, search_seed=seed, limit=60)
    if found is None:
        raise Falsified("no collision among 60 instances of 32 states")
    least = found.evaluations
    again = birthday(factory, family, search_seed=seed, limit=least)
    require(again == found, "another collision at the least limit")
    none = birthday(factory, family, search_seed=seed, limit=least - 1)
    require(none is None, "a collision beyond the limit")
