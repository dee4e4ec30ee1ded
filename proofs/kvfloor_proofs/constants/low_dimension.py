"""T4 `low-dimension`: the best floor of the codes, and from which dimension on it is that of T1."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy as sp
from flint import arb, fmpq
from hypothesis import strategies as st

from kvfloor.families import axes, roots_d, roots_e8
from kvfloor.floors import (
    BestFloor,
    best,
    crossover,
    four_cache,
    greedy_size,
    leak,
    margin_ratio,
)
from kvfloor.numbers import arb_precision, to_fmpq
from kvfloor_proofs.calculus import Relation
from kvfloor_proofs.claims.low_dimension import (
    A,
    N,
    cosine,
    derivations,
    property_crossover,
    rho,
)
from kvfloor_proofs.constants.decode_threshold import SYMBOLS
from kvfloor_proofs.foundations.constants import Constant, assumed, both_sides, concluded
from kvfloor_proofs.foundations.draws import guarantees
from kvfloor_proofs.foundations.properties import Tally, refuses, require

__all__ = ["constants"]


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    code, _, margin, _ = derivations()
    return (
        Constant(
            margin_ratio,
            (
                assumed(
                    *(code, rho, "low", lambda: margin_ratio(SYMBOLS, A - 1)),
                    strict=True,
                    through=lambda end: sp.exp(end * (1 - cosine)),
                ),
                concluded(margin, Relation.LT, lambda: margin_ratio(SYMBOLS, N - 1), start=True),
            ),
        ),
        Constant(
            best,
            (both_sides("its code is read, and no code with one address more", property_sides),),
            slack="it is what the codes of L5 prove, and other spherical codes may have more words",
        ),
        Constant(
            crossover,
            (both_sides("all n tokens in this dimension, not in one less", property_crossover),),
        ),
    )


_NORMS = st.fractions(0, 60, max_denominator=4)
_ANY = st.tuples(st.integers(1, 60), st.integers(1, 9), _NORMS)
# Where greedy codes are best, and where all roots of E8 are, or would be in one dimension less.
_MANY = st.tuples(
    *(st.just(10**6), st.integers(3, 5) | st.integers(20, 40)),
    st.fractions(22, 32, max_denominator=4),
)
_ROOTS = st.tuples(st.just(300), st.integers(7, 8), st.just(Fraction(25, 2)))


def property_sides(data: st.DataObject, tally: Tally) -> None:
    """The floor's own code has the addresses and the margin; with one more no code has both."""
    del tally
    tokens, d, norms = data.draw(_ANY | _MANY | _ROOTS, label="n, d, ρ")
    guarantee = data.draw(guarantees(), label="guarantee")
    eta, alpha = guarantee.eta, guarantee.alpha
    d_v = data.draw(st.none() | st.integers(1, 5), label="d_v")
    found = best(tokens, d, rho=norms, eta=eta, alpha=alpha, d_v=d_v)
    require(1 <= found.addresses <= tokens, "more addresses than tokens, or none")
    require(found.bits == four_cache(found.addresses, d_v or d), "not d_v bits for each address")

    def separates(k: int, cosine: fmpq | arb) -> bool:
        with arb_precision(256):
            lam = leak((k - 1) * arb(-to_fmpq(norms) * (1 - cosine)).exp())
            return bool(lam < (1 - to_fmpq(eta)) / 2 - to_fmpq(alpha))

    k, greedy = found.addresses, _number(found) if found.code == "greedy" else Fraction(0)
    fits = [cos for code, cos in _codes(k, d, greedy) if code == found.code]
    own = [cos for cos in fits if found.code == "polygon" or cos == to_fmpq(_number(found))]
    require(any(separates(k, cos) for cos in own), "its own code is too small or is not read")
    if k < tokens:
        more = [code for code, cos in _codes(k + 1, d, greedy) if separates(k + 1, cos)]
        require(not more, f"{more} have one address more")
    require(refuses(lambda: best(tokens, d, rho=-Fraction(1, 2**40))), "norms below 0 are taken")


def _number(found: BestFloor) -> Fraction:
    return Fraction(found.angle.removeprefix("arccos(").removesuffix(")"))


def _codes(k: int, d: int, greedy: Fraction) -> Iterator[tuple[str, Any]]:
    """Codes of at least k words in at most d dimensions, with the cosine of their angle.

    Greedy ones: a few of the grid, and those around the one that was found.
    """
    a = max(1, (k - 1).bit_length())
    if a <= d:
        yield "binary-keys", fmpq(a - 2, a)
    if not refuses(axes, k, d):
        yield "signed-axes", fmpq(0)
    if d >= 2:
        with arb_precision(256):
            yield "polygon", arb.cos_pi_fmpq(fmpq(2, k))
        if d >= 3 and not refuses(roots_d, k, d):
            yield "roots-d", fmpq(1, 2)
        if d >= 8 and not refuses(roots_e8, k):
            yield "roots-e8", fmpq(1, 2)
        place = int(greedy * 1024)
        near = range(max(0, place - 2), min(place + 3, 1024))
        for j in {*range(0, 1024, 64), *near}:
            if greedy_size(d, Fraction(j, 1024), k) >= k:
                yield "greedy", fmpq(j, 1024)
