"""T6 `random-instance-fails`: what a cache under the floor does to one random instance."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from kvfloor.floors import all_correct_probability, expected_wrong, states_up_to
from kvfloor.index import best_success
from kvfloor_proofs.calculus import Relation
from kvfloor_proofs.claims.index_deterministic import b, messages_up_to
from kvfloor_proofs.constants.index_randomized import require_least
from kvfloor_proofs.foundations.constants import Constant, both_sides, concluded
from kvfloor_proofs.foundations.properties import Tally, refuses, require

__all__ = ["constants"]


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    return (
        Constant(
            states_up_to, (concluded(messages_up_to(), Relation.EQ, lambda: states_up_to(b)),)
        ),
        Constant(
            all_correct_probability,
            (both_sides("attained where states decode differently, else less", property_right),),
        ),
        Constant(
            expected_wrong,
            (both_sides("N·e with H₂(e) <= 1 - b/N, not so a 2^-40 further", property_wrong),),
            slack="the best encoders of N <= 4 bits err at most 2.8 times as often, and exactly so "
            "often for b = 0 and b = N",
        ),
    )


def property_right(data: st.DataObject, tally: Tally) -> None:
    """The best encoder is right just on what some state decodes to: as many as states, or less."""
    del tally
    size = data.draw(st.integers(1, 7), label="N")
    states = data.draw(st.integers(1, 2**size + 3), label="states")
    word = st.integers(0, 2**size - 1)
    words = data.draw(st.lists(word, min_size=states, max_size=states), label="decoder")
    most = all_correct_probability(size, states)
    require(Fraction(len(set(words)), 2**size) <= most, "more is right")
    different = data.draw(st.permutations(range(2**size)), label="words")[:states]
    require(Fraction(len(different), 2**size) == most, "not attained")
    for bad in ((0, states), (size, 0)):
        require(refuses(all_correct_probability, *bad), f"{bad} is taken")


def property_wrong(data: st.DataObject, tally: Tally) -> None:
    """The number over N is the least error at b/N, and best encoders err no less, nor far more."""
    del tally
    size = data.draw(st.integers(1, 300), label="N")
    bits = data.draw(st.integers(0, size), label="b")
    error = expected_wrong(size, bits) / size
    require_least(error, Fraction(bits, size), Fraction(1, 2**40))
    for bad in ((size, size + 1), (0, 0), (size, -1)):
        require(refuses(expected_wrong, *bad), f"{bad} is taken")
    small, few = data.draw(st.sampled_from(SMALL), label="small N, b")
    least, wrong = expected_wrong(small, few), small * (1 - best_success(small, few))
    require(least <= wrong <= Fraction(28, 10) * least, "not within the slack")
    require(0 < few < small or wrong == least, "not exact at the ends")


SMALL = tuple((size, few) for size in (1, 2, 3, 4) for few in (0, 1, 2, size) if few <= size)
