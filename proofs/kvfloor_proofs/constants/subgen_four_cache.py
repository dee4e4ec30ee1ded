"""U4 `subgen-four-cache`: how far logits of pairs differ, the variance, the bits of the state."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from kvfloor.caches import SubGen4Cache
from kvfloor.floors import log_ratio, product_radius, relative_variance
from kvfloor_proofs.calculus import Relation
from kvfloor_proofs.claims.covering_number import radii
from kvfloor_proofs.claims.subgen import D1, D2, r, sigma
from kvfloor_proofs.claims.subgen_four_cache import derivations
from kvfloor_proofs.constants.subgen import clustered, slot_bits
from kvfloor_proofs.foundations import estimators as e
from kvfloor_proofs.foundations.constants import Constant, assumed, both_sides, concluded
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["constants"]

LE = Relation.LE


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    _, spread, variance, *_ = derivations()
    return (
        Constant(
            product_radius,
            tuple(
                assumed(spread, off, "high", lambda: product_radius(*radii), strict=False)
                for off in (D1, D2)
            ),
        ),
        Constant(
            log_ratio,
            (concluded(spread, LE, lambda: log_ratio(sigma, r, product_radius(*radii))),),
        ),
        Constant(
            relative_variance,
            (concluded(variance, LE, lambda: e.tau**2 * relative_variance(e.ratio) / e.t),),
            slack="as much as in subgen, which this is where slot 2 has one key",
        ),
        Constant(
            SubGen4Cache,
            (both_sides("the bits of subgen in each slot, no more", property_state),),
        ),
    )


def property_state(data: st.DataObject, tally: Tally) -> None:
    """The bits of a state, counted slot by slot."""
    del tally
    order = data.draw(st.integers(1, 3), label="m")
    stream = clustered(data, order)
    t, s = data.draw(st.integers(1, 3), label="t"), data.draw(st.integers(1, 3), label="s")
    dtype, width = data.draw(st.sampled_from((("float16", 16), ("float32", 32))), label="format")
    options: dict[str, Any] = {"d": 2, "d_v": 1, "deltas": [Fraction(1, 2)] * order, "t": t, "s": s}
    cache = SubGen4Cache(order=order, seed=0, dtype=dtype, **options)
    for token in stream:
        cache.append(token.keys, token.values)
    slots = ([(x.keys[slot], x.values[slot]) for x in stream] for slot in range(order))
    bits = sum(slot_bits(rows, t=t, s=s, width=width) for rows in slots)
    require(8 * len(cache.state()) == bits, "another number of bits")
