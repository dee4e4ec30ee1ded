"""S4 `norm-dimension`: with large norms two dimensions are enough, and one is not."""

from __future__ import annotations

from fractions import Fraction

import sympy as sp
from hypothesis import strategies as st

from kvfloor.attention import ExactAttention
from kvfloor.families import parabola
from kvfloor.floors import best, least_multiplier, margin_ratio, threshold
from kvfloor_proofs.calculus import (
    Algebra,
    Assumptions,
    Derivation,
    Positivity,
    Relation,
    Step,
    Variable,
)
from kvfloor_proofs.claims.decode_threshold import GUARANTEE, ratio
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.draws import bits, edge_answer, guarantees
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["CLAIM", "derivations", "n", "rho"]

EQ, LE, LT = Relation.EQ, Relation.LE, Relation.LT

i, j, n = sp.symbols("i j n", integer=True)
q, rho, low, key, high, x = sp.symbols("q rho a k b x", real=True)


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (
        _parabola(),
        _polygon(),
        _line("q >= 0", Variable(q, 0), q * (key - high), LE),
        _line("q < 0", Variable(q, high=0, high_open=True), q * (key - low), LT),
    )


def _parabola() -> Derivation:
    queries, keys = Variable(i, 1, n), Variable(j, 1, n)
    return Derivation(
        "parabola: (‖q‖·‖k‖)² is at most 10n⁶ at strength 1, q = (2i, 1) and k = (j, -j²)",
        Assumptions((Variable(n, 1), queries, keys)),
        (4 * i**2 + 1) * (j**2 + j**4),
        (
            Step(LE, (4 * n**2 + 1) * (j**2 + j**4), Positivity(), "i <= n."),
            Step(LE, (4 * n**2 + 1) * (n**2 + n**4), Positivity(), "j <= n."),
            Step(LE, 10 * n**6, Positivity(), "n >= 1."),
        ),
    )


def _polygon() -> Derivation:
    # x = 1 - cos(2π/n) >= 8/n² by Jordan's inequality.
    least = n**2 * sp.log(ratio(n - 1)) / 8
    return Derivation(
        "polygon: all n tokens count in d = 2 once ρ > n²·ln((n-1)(1+η+2α)/(1-η-2α))/8",
        Assumptions(
            (
                Variable(n, 2),
                *GUARANTEE,
                Variable(rho, least, low_open=True),
                Variable(x, 8 / n**2),
            )
        ),
        sp.log(ratio(n - 1)),
        (
            Step(LT, 8 * rho / n**2, Positivity(), "That is the condition on ρ."),
            Step(LE, rho * x, Positivity(), "1 - cos(2π/n) = 2 sin²(π/n) >= 8/n²."),
        ),
    )


def _line(case: str, sign: Variable, difference: sp.Expr, relation: Relation) -> Derivation:
    keys = Variable(low), Variable(key, low, low_open=True), Variable(high, key, low_open=True)
    return Derivation(
        f"d = 1: a key k between a and b is not singled out by any query {case}",
        Assumptions((*keys, sign)),
        difference,
        (
            Step(EQ, sp.expand(difference), Algebra(), "Multiply out."),
            Step(relation, sp.Integer(0), Positivity(), "a < k < b."),
        ),
    )


def property_large_norms(data: st.DataObject, tally: Tally) -> None:
    """With unbounded norms `parabola` reads all n tokens in d = 2, at ρ <= √10·C·n³."""
    del tally
    size = data.draw(st.integers(2, 20), label="n")
    guarantee = data.draw(guarantees(), label="guarantee")
    book = parabola(size)
    found = best(size, 2, rho=None, eta=guarantee.eta, alpha=guarantee.alpha, d_v=1)
    require((found.bits, found.regime == "large norms") == (size, size > 4), "not all n tokens")
    strength = least_multiplier(Fraction(1), margin_ratio(guarantee, Fraction(size - 1)))
    require(book.norms_squared <= 10 * size**6, "larger norms than derived")
    largest = max(abs(entry) for row in book.keys for entry in row)
    require(largest.bit_length() <= 2 * size.bit_length(), "entries of more than O(log n) bits")
    x = data.draw(bits(size), label="bits")
    attention = ExactAttention([book.keys], [[[b] for b in x]])
    read = 0
    for direction, b in zip(book.directions, x, strict=True):
        (out,) = attention([strength * c for c in direction]).enclose()
        worst = edge_answer(guarantee, out, bit=b)
        require((worst > threshold(guarantee)) == bool(b), "a bit is not read")
        read += 1
    require(read == found.bits, "the floor is not the number of bits that were read")


def property_regimes(data: st.DataObject, tally: Tally) -> None:
    """The regimes part where the inequalities say: by log₂ n, and by ρ above n²·ln(…)/8."""
    del tally
    size = data.draw(st.integers(3, 10**5), label="n")
    guarantee = data.draw(guarantees(), label="guarantee")
    needed = margin_ratio(guarantee, Fraction(size - 1))
    least = least_multiplier(Fraction(8, size**2), needed)  # ρ·8/n² > ln(…)

    def regime(dimension: int, norms: Fraction | int | None) -> str:
        return best(
            size, dimension, rho=norms, eta=guarantee.eta, alpha=guarantee.alpha, d_v=1
        ).regime

    enough = (size - 1).bit_length()
    flat = "large norms" if enough > 2 else "all tokens"
    require(regime(2, least) == flat == regime(2, None), "norms enough for two dimensions")
    require(regime(1, least) == regime(1, None) == "low dimension", "one dimension holds two")
    cube = least_multiplier(Fraction(2, enough), needed)  # ρ·2/d > ln(…)
    require(regime(enough, cube) == "all tokens", "norms enough for log₂ n dimensions")
    if needed >= 1:
        require(regime(enough, 0) == "low dimension", "norms of 0 tell nothing apart")


def property_line(data: st.DataObject, tally: Tally) -> None:
    """In one dimension at most two of any keys stand out."""
    del tally
    keys = data.draw(st.lists(st.integers(-9, 9), min_size=3, max_size=6, unique=True), label="K")
    queries = data.draw(st.lists(st.integers(-9, 9), min_size=1, max_size=12), label="queries")
    singled = set()
    for query in queries:
        logits = sorted((query * k, k) for k in keys)
        if logits[-1][0] > logits[-2][0]:
            singled.add(logits[-1][1])
    require(singled <= {min(keys), max(keys)}, "a key between two others stands out")


CLAIM = Claim(
    slug="norm-dimension",
    title="the floor n·d_v holds in log₂ n dimensions, and with large norms in two, but not in one",
    statement="""\
`kvfloor.floors.best` is one function of n, d and the bound ρ on σ·‖q‖·‖k‖. With
`r = (1+η+2α)/(1-η-2α)` its regimes are:

* *all tokens*: n·d_v bits in `d >= log₂ n` dimensions, with `binary-keys` once
  `ρ > (d/2)·ln((n-1)r)` at `d = ⌈log₂ n⌉`. This is TMT's Ω(nd) at d = Ω(log n).
* *large norms*: n·d_v bits in as few as two dimensions, with the polygon once
  `ρ > n²·ln((n-1)r)/8`, or with `parabola`, whose keys are whole numbers of O(log n) bits and whose
  norms are at most `ρ = √10·C·n³`, C > ln((n-1)r).
* *low dimension*: less than n·d_v, and at most 2d_v for d = 1, as only the two ends of a line can
  be singled out: d·min(n, e^Ω(d)) of HO25 and TMT v1 ([`low-dimension`](low-dimension.md)).""",
    source="S4",
    assumptions=("0 <= η < 1, α >= 0, η + 2α < 1", "sin t >= 2t/π on [0, π/2] (Jordan)"),
    verdict="holds",
    derivations=derivations,
    properties=(property_large_norms, property_regimes, property_line),
)
