"""S2 `quantised-upper-bound`: what rounding keys and values costs, and how near the floor it is."""

from __future__ import annotations

from fractions import Fraction
from math import prod

import sympy as sp
from hypothesis import strategies as st

from kvfloor import floors
from kvfloor.attention import ExactAttention
from kvfloor.caches import QuantisedCache, configure, record, restore
from kvfloor.families import Sharp, Token, sign_pairs, stack, tightness
from kvfloor.floors import Guarantee
from kvfloor.numbers import arb_precision, to_fmpq
from kvfloor_proofs.calculus import (
    Algebra,
    Assumptions,
    Cite,
    Derivation,
    Family,
    Monotone,
    Positivity,
    Relation,
    Step,
    Termwise,
    Variable,
)
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.draws import symbols
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["CLAIM", "derivations"]

EQ, LE, LT, GE, GT = Relation.EQ, Relation.LE, Relation.LT, Relation.GE, Relation.GT

m, M, j, n, a, b, d_v = sp.symbols("m M j n a b d_v", integer=True)
u, x, P, X, Y, B, B_v, Q, sigma = sp.symbols("u x P X Y B B_v Q sigma", real=True)
error, eps_s, eps_v, moved, kept, one, step = sp.symbols(
    "epsilon epsilon_s epsilon_v E p k e", real=True
)
excess, grid = sp.symbols("p l", real=True)  # ln P and ln L
p, w, delta, q, r = (sp.IndexedBase(name, real=True)[j] for name in ("p", "w", "delta", "q", "r"))

_TUPLES = (1, M)
_WEIGHTS = (
    Variable(M, 1),
    Variable(eps_s, 0),
    Family(p, 0, index=(j, *_TUPLES)),
    Family(w, 0, 1, index=(j, *_TUPLES)),
    Family(delta, -eps_s, eps_s, index=(j, *_TUPLES)),
)


def _sum(term: sp.Expr) -> sp.Expr:
    return sp.Sum(term, (j, *_TUPLES))


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (
        _mass(
            "When every logit moves by at most ε_s, no mass grows by more than exp(ε_s)", LE, eps_s
        ),
        _mass("Nor does any fall below exp(-ε_s) of it", GE, -eps_s),
        _moved_share(),
        _half_the_logits(),
        _product(),
        _logit(),
        _total(),
        _ratio(),
        _logit_by_entries(),
    )


def _mass(title: str, relation: Relation, most: sp.Expr) -> Derivation:
    term = Monotone(Variable(u), p * w * sp.exp(u), delta, most, Positivity())
    return Derivation(
        title,
        Assumptions(_WEIGHTS),
        _sum(p * w * sp.exp(delta)),
        (
            Step(relation, _sum(p * w * sp.exp(most)), Termwise(term), "Term by term."),
            Step(EQ, sp.exp(most) * _sum(p * w), Algebra(), "Take the factor out of the sum."),
        ),
    )


def _square() -> Derivation:
    return Derivation(
        "A square is not negative",
        Assumptions((Variable(u),)),
        1 + u**2,
        (Step(GE, sp.Integer(1), Positivity(), "It is a square."),),
    )


def _moved_share() -> Derivation:
    # A mean P of values in [0, 1] becomes X/(X + Y), with X <= x·P and Y >= (1-P)/x, x = exp(ε_s).
    distance = 1 - P * (x + 1)
    largest = (x - 1) / (x + 1)

    def share(square_and_one: sp.Expr) -> sp.Expr:
        return largest - largest * (square_and_one - 1) / (1 + P * (x**2 - 1))

    ranges = (
        Variable(P, 0, 1, low_open=True, high_open=True),
        Variable(x, 1),
        Variable(X, 0, x * P, low_open=True),
        Variable(Y, (1 - P) / x),
    )
    squared = 1 + distance**2
    inner = Cite(_square(), ((u, distance),))
    return Derivation(
        "So a mean of values in [0, 1] grows by at most (x-1)/(x+1), x = exp(ε_s)",
        Assumptions(ranges),
        X / (X + Y) - P,
        (
            Step(LE, x * P / (x * P + Y) - P, Positivity(), "It grows with X."),
            Step(LE, x * P / (x * P + (1 - P) / x) - P, Positivity(), "It falls with Y."),
            Step(EQ, share(squared), Algebra(), "Complete the square."),
            Step(
                LE,
                share(sp.Integer(1)),
                Monotone(Variable(u), share(u), squared, sp.Integer(1), inner),
                "The square is not negative; it vanishes at P = 1/(x+1).",
            ),
        ),
    )


def _half_the_logits() -> Derivation:
    excess = (u - 1) / (u + 1) - sp.log(u) / 2
    return Derivation(
        "(x-1)/(x+1) is at most half of ln x = ε_s; here the difference",
        Assumptions((Variable(x, 1),)),
        excess.xreplace({u: x}),
        (
            Step(
                LE,
                sp.Integer(0),
                Monotone(Variable(u, 1), excess, x, sp.Integer(1), Positivity()),
                "Equal at x = 1; from there on the logarithm grows faster.",
            ),
        ),
    )


def _product() -> Derivation:
    # Absolute values: p of the product of the first m as moved, E of its move; k and e of the
    # next number and of its move.
    most = m * B ** (m - 1) * error
    ranges = (
        Variable(m, 1),
        Variable(B, 0, low_open=True),
        Variable(error, 0),
        Variable(moved, 0, most),
        Variable(kept, 0, B**m),
        Variable(one, 0, B),
        Variable(step, 0, error),
    )
    return Derivation(
        "A product of m numbers within ±B moves by at most m·B^(m-1)·ε: from m to m + 1 factors",
        Assumptions(ranges),
        kept * step + moved * one,
        (
            Step(LE, B**m * error + moved * one, Positivity(), "The moved product is within B^m."),
            Step(LE, B**m * error + most * B, Positivity(), "The bound for m factors."),
            Step(EQ, (m + 1) * B**m * error, Algebra(), "Add up."),
        ),
    )


def _logit() -> Derivation:
    # |q_c| <= the absolute entries of the query, which add up to at most Q.
    ranges = (
        Variable(M, 1),
        Variable(sigma, 0, low_open=True),
        Variable(error, 0),
        Family(q, 0, index=(j, *_TUPLES)),
        Family(r, high=error, index=(j, *_TUPLES)),
        Variable(Q, _sum(q)),
    )
    return Derivation(
        "If the products of keys move by at most ε then a logit moves by at most σQε",
        Assumptions(ranges),
        sigma * _sum(q * r),
        (
            Step(
                LE,
                sigma * _sum(q * error),
                Monotone(
                    Variable(u), sigma * u, _sum(q * r), _sum(q * error), Termwise(Positivity())
                ),
                "Column by column.",
            ),
            Step(EQ, sigma * error * _sum(q), Algebra(), "Take ε out of the sum."),
            Step(LE, sigma * error * Q, Positivity(), "‖q‖₁ <= Q."),
        ),
    )


def _logit_by_entries() -> Derivation:
    moves = m * B ** (m - 1) * step
    ranges = (
        Variable(M, 1),
        Variable(m, 1),
        *(Variable(symbol, 0, low_open=True) for symbol in (sigma, B)),
        Variable(step, 0),
        Family(q, 0, index=(j, *_TUPLES)),
        Family(r, high=moves, index=(j, *_TUPLES)),
        Variable(Q, _sum(q)),
    )
    return Derivation(
        "So if the entries of keys, within ±B, move by at most e: by σQ·m·B^(m-1)·e",
        Assumptions(ranges),
        sigma * _sum(q * r),
        (
            Step(
                LE,
                sigma * moves * Q,
                Cite(_logit(), ((error, moves),)),
                "That is what products of m of them move by.",
            ),
        ),
    )


def _total() -> Derivation:
    # T is by how much a mean of values in [0, 1] moves at most; the values fill [-B_v^m, B_v^m].
    share = sp.Symbol("T", real=True)
    values = m * B_v ** (m - 1) * eps_v
    ranges = (
        Variable(m, 1),
        Variable(B_v, 0, low_open=True),
        Variable(eps_v, 0),
        Variable(eps_s, 0),
        Variable(share, 0, eps_s / 2),
        Variable(moved, 0, values),
    )
    return Derivation(
        "In all, an output moves by at most B_v^m·ε_s + m·B_v^(m-1)·ε_v",
        Assumptions(ranges),
        (B_v**m - (-(B_v**m))) * share + moved,
        (
            Step(
                LE, 2 * B_v**m * (eps_s / 2) + moved, Positivity(), "Weights: half of ε_s a unit."
            ),
            Step(LE, B_v**m * eps_s + values, Positivity(), "Values: products of m moved numbers."),
        ),
    )


def _ratio() -> Derivation:
    most = excess + grid
    ranges = (
        Variable(n, 2),
        Variable(a, 0),
        Variable(b, 1),
        Variable(d_v, 2),
        Variable(grid, 0, low_open=True),
        Variable(excess, 0),
        Variable(u, 0, most),
        Variable(x, 0, most),
    )
    floor = 2 * (n - 1) * (b + d_v - 2) * grid
    bound = n / (n - 1) * (a + b + d_v) / (b + d_v - 2) * (1 + excess / grid)
    return Derivation(
        "With cells of at most P·L, u and x their logarithms, p = ln P and l = ln L, the cache has "
        "at most so many bits for each bit of the floor of `sharp`",
        Assumptions(ranges),
        2 * n * ((a + b) * u + d_v * x) / floor,
        (
            Step(LE, 2 * n * ((a + b) * most + d_v * x) / floor, Positivity(), "Cells of keys."),
            Step(LE, 2 * n * ((a + b) * most + d_v * most) / floor, Positivity(), "Of values."),
            Step(EQ, bound, Algebra(), "Cancel 2 and ln L."),
        ),
    )


def _cells(data: st.DataObject, label: str) -> int:
    return data.draw(st.sampled_from((2, 3, 16, 1000)), label=label)


def property_error(data: st.DataObject, tally: Tally) -> None:
    """The cache's answers are within the bound, for every order, and its bits are as computed."""
    del tally
    order = data.draw(st.integers(1, 3), label="order")
    n, d, d_v = (data.draw(st.integers(1, 3), label=name) for name in ("n", "d", "d_v"))
    key_bound, value_bound = (
        data.draw(st.sampled_from((Fraction(1, 2), Fraction(1), Fraction(3))), label=name)
        for name in ("B_k", "B_v")
    )
    cells = _cells(data, "key cells"), _cells(data, "value cells")

    def rows(width: int, bound: Fraction, label: str) -> tuple[tuple[Fraction, ...], ...]:
        entry = st.fractions(-1, 1, max_denominator=12).map(lambda share: share * bound)
        row = st.tuples(*[entry] * width)
        return data.draw(st.tuples(*[row] * order), label=label)

    tokens = [Token(rows(d, key_bound, "k"), rows(d_v, value_bound, "v")) for _ in range(n)]
    factory = configure(
        QuantisedCache,
        key_cells=cells[0],
        value_cells=cells[1],
        key_bound=key_bound,
        value_bound=value_bound,
    )
    state = record(factory, tokens, d=d, d_v=d_v)
    require(state.bits == floors.quantised_bits(n, d, d_v, cells, order=order), "other bits")
    states = 2 * prod((cells[0] ** d, cells[1] ** d_v)) ** (order * n)
    require(2**state.bits >= states > 2 ** (state.bits - 1), "not the least number of bits")

    query = data.draw(st.tuples(*[st.fractions(-4, 4, max_denominator=4)] * d), label="q")
    answers = restore(factory, state, order=order, d=d, d_v=d_v).answer(query)
    norm = sum(map(abs, query), Fraction(0))
    bound = floors.output_error(
        order,
        value_bound,
        value_bound / cells[1],
        floors.logit_error(order, key_bound, key_bound / cells[0], norm),
    )
    bound += Fraction(1, 2 ** floors.answer_bits(cells))
    with arb_precision(256):
        for answer, true in zip(
            answers, ExactAttention(*stack(tokens))(query).enclose(256), strict=True
        ):
            require(not abs(true - to_fmpq(answer)) > to_fmpq(bound), "an error beyond the bound")


def property_serves_the_sharp_family(data: st.DataObject, tally: Tally) -> None:
    """With cells for (0, α) the cache gives back every symbol of the family `sharp`."""
    del tally
    grid = data.draw(st.integers(2, 8), label="L")
    exact = Sharp(sign_pairs(2, 8), 1, 2, grid)
    least = min(exact.levels.room, exact.payload_levels.room)
    guarantee = Guarantee(alpha=least / data.draw(st.sampled_from((4, 8, 64)), label="1/share"))
    book = sign_pairs(data.draw(st.integers(2, 3), label="n"), 16)
    family = Sharp(book, data.draw(st.integers(1, 2), label="b"), 3, grid, guarantee)
    cells = floors.cells_for(guarantee.alpha, family.query_norm)
    factory = configure(QuantisedCache, key_cells=cells[0], value_cells=cells[1])
    encoded = data.draw(symbols(family.size, grid), label="symbols")
    state = record(factory, family.encode(encoded), d=family.d, d_v=family.d_v)
    require(state.bits >= family.bits, "fewer bits than the floor")
    cache = restore(factory, state, order=2, d=family.d, d_v=family.d_v)
    for address in range(family.addresses):
        found = family.decode(address, cache.answer(family.query(address)))
        require(found == family.row(encoded, address), "a symbol is lost")


def property_ratio(data: st.DataObject, tally: Tally) -> None:
    """The quantised cache has no more bits for each bit of the floor than is derived."""
    del tally
    book = sign_pairs(data.draw(st.integers(2, 4), label="n"), 24)
    payload, columns = (data.draw(st.integers(2, 10**6), label=name) for name in ("b", "d_v"))
    grid = 2 ** data.draw(st.integers(1, 512), label="log2(L)")
    found = tightness(book, payload, columns, grid)
    require(not found.ratio > found.most, "more bits than the bound")
    require(found.ratio > 1, "fewer bits than the floor")


CLAIM = Claim(
    slug="quantised-upper-bound",
    title="rounding keys and values: an error of at most B_v^m·ε_s + m·B_v^(m-1)·ε_v",
    statement="""\
Entries of keys within ±B_k, of values within ±B_v, ‖q‖₁ <= Q. Round keys by ε_k and values by ε_v
to points of these boxes, and put `ε_s = σ·Q·m·B_k^(m-1)·ε_k`. Then every output moves by at most

    B_v^m·ε_s + m·B_v^(m-1)·ε_v

(more precisely, 2·B_v^m·tanh(ε_s/2) for the first term). A cache that keeps the cells of all
entries therefore needs `m·n·(d·log₂ N_k + d_v·log₂ N_v) + 1` bits, rounded up, for cells that make
this less than α (its answers are rounded too, by less than 2^-128 / (N_k·N_v)).

For the family [`sharp`](sharp-floor.md), α a quarter of the gap between its two lowest payloads,
γ = 3/2 and keys from `sign_pairs(n, a)`, the bits of this cache for each bit of the floor, as
[`tightness`](../../reference/kvfloor/families/quantised_gap.py) computes them:

| n | a | b | d_v | L | upper / lower | at most |
|---|---|---|---|---|---|---|
| 4 | 24 | 40 | 64 | 2^8 | 3.549 | 4.137 |
| 8 | 48 | 464 | 512 | 2^32 | 1.586 | 1.740 |
| 16 | 64 | 4032 | 4096 | 2^128 | 1.166 | 1.205 |
| 32 | 96 | 32672 | 32768 | 2^512 | 1.058 | 1.069 |
| 32 | 96 | 32672 | 32768 | 2^2048 | 1.040 | 1.044 |

The last column is derived below, for d = a + b and cells of at most P·L:

    upper / lower <= n/(n-1) · (d + d_v)/(b + d_v - 2) · (1 + ln P/ln L)

So wherever n grows, a is small beside b + d_v, and ln P beside ln L, the ratio goes to 1, and
4nd·log₂(1/α) has the right constant. P is as `tightness` computes it; nothing here derives it.""",
    source="S2",
    assumptions=("entries are in their boxes, and rounded entries too", "‖q‖₁ <= Q"),
    verdict="holds",
    derivations=derivations,
    properties=(property_error, property_serves_the_sharp_family, property_ratio),
)
