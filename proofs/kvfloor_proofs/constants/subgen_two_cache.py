"""U3 `subgen-two-cache`: how far logits of products differ, the rows, and the bits of the state."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from kvfloor.attention import khatri_rao
from kvfloor.caches import SubGen2Cache, new_tuples
from kvfloor.families import stack
from kvfloor.floors import log_ratio, product_radius
from kvfloor_proofs.calculus import Relation
from kvfloor_proofs.claims.covering_number import radii
from kvfloor_proofs.claims.subgen import delta, r, sigma
from kvfloor_proofs.claims.subgen_two_cache import derivations, property_rows
from kvfloor_proofs.constants.subgen import clustered, slot_bits
from kvfloor_proofs.foundations.constants import Constant, assumed, both_sides, concluded
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["constants"]

LE = Relation.LE


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    _, clusters = derivations()
    return (
        Constant(
            product_radius,
            (assumed(clusters, delta, "high", lambda: product_radius(*radii), strict=False),),
        ),
        Constant(
            log_ratio,
            (
                concluded(clusters, LE, lambda: log_ratio(sigma, r, delta), start=True),
                concluded(clusters, LE, lambda: log_ratio(sigma, r, product_radius(*radii))),
            ),
        ),
        Constant(
            new_tuples,
            (both_sides("n^m - (n-1)^m tuples with the last token, each once", property_rows),),
        ),
        Constant(
            SubGen2Cache,
            (
                both_sides(
                    "w·m·n(d+d_v) + 64 bits beside SubGen's of the n^m products", property_state
                ),
            ),
        ),
    )


def property_state(data: st.DataObject, tally: Tally) -> None:
    """The bits of a state, counted: the tokens, how many, and SubGen of the products."""
    del tally
    order = data.draw(st.integers(1, 3), label="m")
    stream = clustered(data, order)[:3]
    t, s = data.draw(st.integers(1, 3), label="t"), data.draw(st.integers(1, 3), label="s")
    dtype, width = data.draw(st.sampled_from((("float16", 16), ("float32", 32))), label="format")
    options: dict[str, Any] = {"d": 2, "d_v": 1, "delta": Fraction(1, 2), "t": t, "s": s}
    cache = SubGen2Cache(order=order, seed=0, dtype=dtype, **options)
    for token in stream:
        cache.append(token.keys, token.values)
    keys, values = stack(stream)
    rows = list(zip(khatri_rao(*keys), khatri_rao(*values), strict=True))
    factors = width * order * len(stream) * (2 + 1) + 64
    bits = factors + slot_bits(rows, t=t, s=s, width=width)
    require(8 * len(cache.state()) == bits, "another number of bits")
