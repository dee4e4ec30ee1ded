"""H6 `best-floor`: the largest of all floors that apply, and how far it is from what is enough."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy as sp
from hypothesis import strategies as st

from kvfloor.families import (
    BinaryValues,
    Dense,
    PairBook,
    PairedValues,
    binary_keys,
    parabola,
    tied_keys,
    tuple_keys,
)
from kvfloor.floors import (
    Floor,
    Guarantee,
    address_entries,
    best_floor,
    cells_for,
    every_floor,
    gauged_bits,
    identifiable,
)
from kvfloor_proofs.calculus import (
    Algebra,
    Assumptions,
    Derivation,
    Positivity,
    Relation,
    Step,
    Variable,
)
from kvfloor_proofs.claims.decode_threshold import alpha
from kvfloor_proofs.claims.key_levels import width
from kvfloor_proofs.claims.value_floor import d_v, n
from kvfloor_proofs.claims.value_levels import m, require_recovery
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["CLAIM", "derivations", "property_enough", "property_recovery", "shapes"]

EQ, LE, GE = Relation.EQ, Relation.LE, Relation.GE

d = sp.Symbol("d", integer=True)


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (_keys_pay(), _keys_pay_at_one(), _numbers(), _numbers_at_one(), _levels())


def _keys_pay() -> Derivation:
    values = m * (n - 1) * d_v
    return Derivation(
        "From order 2 on, keys of m payloads or more hold what their marks cost",
        Assumptions((Variable(m, 2), Variable(n, 2), Variable(d_v, m), Variable(width, m))),
        m * (n - 1) * (width + d_v - m),
        (Step(GE, values, Positivity(), "b >= m."),),
    )


def _keys_pay_at_one() -> Derivation:
    return Derivation(
        "At order 1 so do keys of two payloads",
        Assumptions((Variable(n, 2), Variable(d_v, 1), Variable(width, 2))),
        n * (d_v - 1) + (n - 1) * width,
        (Step(GE, n * d_v, Positivity(), "2(n-1) >= n."),),
    )


def _numbers() -> Derivation:
    ranges = (Variable(m, 2), Variable(n, 2), Variable(d_v, m), Variable(d, 3 * m + 1))
    return Derivation(
        "What answers can tell of keys and values, less the symbols with b = d - 3m, does not grow "
        "with d·n",
        Assumptions(ranges),
        m * n * (d + d_v) - (m - 1) * (d + d_v) - m * (n - 1) * (d - 3 * m + d_v - m),
        (Step(EQ, d + d_v + 4 * m**2 * (n - 1), Algebra(), "S3 counts the first part."),),
    )


def _numbers_at_one() -> Derivation:
    return Derivation(
        "The same at order 1",
        Assumptions((Variable(n, 2), Variable(d_v, 1), Variable(d, 4))),
        n * (d + d_v) - d - (n * (d_v - 1) + (n - 1) * (d - 3)),
        (Step(EQ, 4 * n - 3, Algebra(), "S3 counts the first part."),),
    )


def _levels() -> Derivation:
    L = sp.Symbol("L", integer=True)
    return Derivation(
        "The most levels for η = 0 are at least 1/(2α): one more is too many",
        Assumptions((Variable(alpha, 0, low_open=True), Variable(L, 1 / (2 * alpha)))),
        1 / L,
        (Step(LE, 2 * alpha, Positivity(), "L levels more make L gaps."),),
    )


@st.composite
def shapes(draw: st.DrawFn) -> tuple[int, int, dict[str, Any]]:
    """Draw n, d and the terms of a floor whose hard instances are small."""
    order = draw(st.integers(1, 3), label="m")
    n_ = draw(st.integers(1, {1: 6, 2: 4, 3: 2}[order]), label="n")
    d_ = draw(st.integers(1, 3 * order + 2), label="d")
    eta = draw(st.fractions(0, Fraction(1, 8), max_denominator=24), label="η")
    alpha_ = draw(st.fractions(Fraction(1, 24), Fraction(1, 3), max_denominator=24), label="α")
    terms = {"d_v": draw(st.integers(1, 4), label="d_v"), "order": order}
    return n_, d_, {**terms, "eta": eta, "alpha": alpha_}


def families_behind(floor: Floor, n_: int, d_: int, terms: dict[str, Any]) -> Iterator[Any]:
    """Yield what a floor with free norms may come from, with keys of at most d entries."""
    guarantee, columns = Guarantee(terms["eta"], terms["alpha"]), terms["d_v"]
    tokens = n_ if d_ > 1 else min(n_, 2)
    named, others = (
        binary_keys(count) if count <= 2 else parabola(count) for count in (tokens, max(1, n_ - 1))
    )
    if floor.claim in {"four-cache", "norm-dimension", "low-dimension"}:
        book = named if floor.claim == "norm-dimension" else binary_keys(tokens)
        yield BinaryValues(book, columns, order=terms["order"], guarantee=guarantee)
        return
    if floor.claim == "value-floor":
        tuples = tuple_keys(named, 2)
        book_ = PairBook.certified(named.name, tuples.keys, tuples.products.directions)
        yield PairedValues(book_, columns, floor.levels, guarantee)
        return
    for slots in range(1, terms["order"] + 1):
        payload = d_ - address_entries(slots, n_, tied=True)
        if floor.claim == "value-levels":
            yield Dense(tuple_keys(named, slots), columns, 0, floor.levels, guarantee)
        elif payload > 0 and columns >= slots:
            yield Dense(tied_keys(others, slots), columns, payload, floor.levels, guarantee)


def property_recovery(data: st.DataObject, tally: Tally) -> None:
    """Behind every floor there is a family in d entries whose symbols all come back."""
    del tally
    n_, d_, terms = data.draw(shapes(), label="n, d, terms")
    for floor in every_floor(n_, d_, **terms):
        behind = families_behind(floor, n_, d_, terms)
        family = next((f for f in behind if f.size == floor.symbols), None)
        require(family is not None, f"no family behind {floor}")
        if isinstance(family, Dense):
            require(family.d <= d_, f"{floor} takes more entries")
            found = require_recovery(data, family, terms["order"])
            require(found == floor.symbols, f"{floor}: another number of symbols comes back")
            require(family.bits == floor.bits, f"{floor}: other bits")


def property_largest(data: st.DataObject, tally: Tally) -> None:
    """The best is the largest, each claim is named once, and nothing is lost by asking for less."""
    del tally
    n_, d_, terms = data.draw(shapes(), label="n, d, terms")
    terms["rho"] = data.draw(st.none() | st.integers(0, 40), label="ρ")
    floors = every_floor(n_, d_, **terms)
    best = best_floor(n_, d_, **terms)
    require(best == floors[0], "the best is another")
    require(best.bits == max(floor.bits for floor in floors), "one is larger")
    require(len({floor.claim for floor in floors}) == len(floors), "a claim is named twice")
    require(best.bits >= best_floor(n_, d_, **{**terms, "delta": "1/10"}).bits, "errors add to it")
    require(best.bits >= best_floor(n_, d_, **terms, levels=2).bits, "fewer levels add to it")
    require(best.bits <= best_floor(n_ + 1, d_, **terms).bits, "a token takes from it")
    require(best.bits <= best_floor(n_, d_ + 1, **terms).bits, "an entry takes from it")
    finer = {**terms, "alpha": terms["alpha"] / 2}
    require(best.bits <= best_floor(n_, d_, **finer).bits, "a finer answer takes from it")
    if terms["rho"] is not None:
        require(best.bits <= best_floor(n_, d_, **{**terms, "rho": None}).bits, "norms add to it")


def property_enough(data: st.DataObject, tally: Tally) -> None:
    """A cache that rounds in the gauge, for a box that holds the family, has no fewer bits."""
    del tally
    n_, d_, terms = data.draw(shapes(), label="n, d, terms")
    terms["eta"] = Fraction(0)
    for floor in every_floor(n_, d_, **terms):
        if floor.claim not in {"key-levels", "value-levels"}:
            continue
        behind = families_behind(floor, n_, d_, terms)
        family = next(f for f in behind if f.size == floor.symbols)
        tokens = family.encode((family.L - 1,) * family.size)
        bound = max(abs(Fraction(x)) for token in tokens for key in token.keys for x in key)
        norm = max(
            sum((abs(Fraction(x)) for x in family.query(address)), Fraction(0))
            for address in range(family.addresses)
        )
        order = family.order
        cells = cells_for(terms["alpha"], max(norm, Fraction(1)), order=order, key_bound=bound)
        enough = gauged_bits(n_, family.d, family.d_v, cells, order=order)
        require(floor.bits <= enough, f"{floor}, and {enough} bits are enough")
        most = identifiable(order, n_, family.d, family.d_v)
        require(floor.symbols <= most, "more symbols than answers can tell")


CLAIM = Claim(
    slug="best-floor",
    title="the largest floor at (n, d, d_v, m, η, α, δ, norms), named by the claim it comes from",
    statement="""\
At a shape, a guarantee, an error δ and a bound on norms several floors apply. With norms free:

* one bit a value: [`four-cache`](four-cache.md), [`norm-dimension`](norm-dimension.md) where
  d < log₂ n, [`low-dimension`](low-dimension.md) for d = 1;
* [`value-levels`](value-levels.md) with as many levels as (η, α) tells apart;
* [`key-levels`](key-levels.md), with all entries of a key but three for each slot as payloads;
* the last two also with ones in some of the slots, which costs symbols but not as many entries;
* from order 2 on [`value-floor`](value-floor.md), whose grid has fewer levels if η > 0.

With `σ·‖q‖·‖k‖ <= ρ` these are one bit a value and values of L levels, each with as many tokens as
[`low-dimension`](low-dimension.md) tells apart at the margin that L levels take, and the L that
makes the most of it. Keys hold nothing then. Symbols of L levels, read with an error of δ for each
query, count as in [`retrievable-information`](retrievable-information.md). The best floor is the
largest.

With free norms the symbols are, but for `4n - 3` at order 1 and `d + d_v + 4m²(n-1)` from order 2
on, as many as the numbers that answers can tell ([`identifiability`](identifiability.md)); and for
η = 0 each has at least log₂ 1/(2α) bits. So the best floor is optimal to leading order, constant
included, as [`quantised-upper-bound`](quantised-upper-bound.md) shows: n(d + d_v)·log₂ 1/α at
order 1.

For α = 0 only the levels of an entry end the floor: 2^16 unless fewer are asked for.""",
    source="H6",
    assumptions=(
        "those of the claims that are named",
        "each symbol is read by one query; with norms free more queries can read more, if entries "
        "have more levels (`key-levels`)",
        "0 <= δ <= 1/2; the coins of a randomised cache are public",
    ),
    verdict="holds",
    derivations=derivations,
    properties=(property_recovery, property_largest, property_enough),
)
