"""H6 `key-levels`: keys hold as many levels too, read off two tied tuples, at every order."""

from __future__ import annotations

from fractions import Fraction
from itertools import count, pairwise

import sympy as sp
from flint import arb
from hypothesis import strategies as st

from kvfloor.attention import ExactAttention
from kvfloor.families import Dense, axes, binary_keys, parabola, tied_keys
from kvfloor.floors import key_symbols, least_multiplier, margin_ratio, threshold
from kvfloor.numbers import arb_precision, to_fmpq
from kvfloor_proofs.calculus import (
    Algebra,
    Assumptions,
    Cite,
    Derivation,
    Family,
    Positivity,
    Relation,
    Step,
    Variable,
)
from kvfloor_proofs.claims import softmax_concentration, value_floor
from kvfloor_proofs.claims.decode_threshold import alpha, c, eta, leak_of
from kvfloor_proofs.claims.softmax_concentration import M, S, g, j, s, tau
from kvfloor_proofs.claims.value_floor import L, N, b, d_v, k, n, rho
from kvfloor_proofs.claims.value_levels import T, dense_guarantees, m, require_recovery
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.draws import edge_answer, guarantees
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = [
    "CLAIM",
    "X",
    "derivations",
    "family_of",
    "gamma",
    "property_least_multiplier",
    "property_recovery",
    "width",
]

EQ, LE, LT, GE = Relation.EQ, Relation.LE, Relation.LT, Relation.GE

i, width = sp.symbols("i b", integer=True)
gamma, X, h, v = sp.symbols("gamma X h v", real=True)
x, z, held, share = sp.symbols("x z w s_0", real=True)

_STRENGTH = Variable(gamma, 0, low_open=True)


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (
        _tie(),
        _level(),
        _lift(),
        _leak(),
        margin(),
        _inside_last(),
        _inside_first(),
        _symbols(),
        _symbols_of_one(),
        _floor(),
        _floor_of_one(),
    )


def _tie() -> Derivation:
    others = Variable(v, high=h - g)
    return Derivation(
        "A query C·(direction, h) ties a key to the first one, (0, 1), where the direction gives h "
        "to that key and at most h - g to others",
        Assumptions((Variable(h), Variable(g, 0), others, Variable(gamma, 0))),
        gamma * h - gamma * v,
        (Step(GE, gamma * g, Positivity(), "Both tied keys have C·h; C is written γ here."),),
    )


def _level() -> Derivation:
    tied, first = sp.exp(S + gamma * x), sp.exp(S + gamma)
    return Derivation(
        "Of two tied tuples with payloads x = 1 + z/γ and 1, the first has this share of weight",
        Assumptions((Variable(S), _STRENGTH, Variable(z)), ((x, 1 + z / gamma),)),
        tied / (tied + first),
        (
            Step(
                EQ,
                1 / (1 + sp.exp(-z)),
                Algebra(),
                "Divide numerator and denominator by exp(S + γx).",
            ),
        ),
    )


def _lift() -> Derivation:
    payload = Variable(v, high=X**m)
    ranges = (Variable(m, 1), Variable(X, 0, low_open=True), payload, Variable(S), Variable(g))
    return Derivation(
        "Payloads up to X lift a tuple by at most γ(X^m - 1) over that of the first rows, 1 each",
        Assumptions((*ranges, _STRENGTH)),
        (S - g + gamma * v) - (S + gamma),
        (Step(LE, gamma * (X**m - 1) - g, Positivity(), "A product of m payloads."),),
    )


def _leak() -> Derivation:
    competitors, ties = T - 2, 1 + sp.exp(z)
    logits = Family(s, high=S - g, index=(j, 1, competitors))
    others = sp.Sum(sp.exp(s), (j, 1, competitors))
    excess = competitors * sp.exp(-g)
    return Derivation(
        "What is not on the two weighs less than λ with E = (T-2)·exp(-g), T = n^m; g is what is "
        "left of the margin when payloads have lifted",
        Assumptions((Variable(T, 3), Variable(S), Variable(g), Variable(z), logits)),
        others / (ties * sp.exp(S) + others),
        (
            Step(
                LE,
                excess / ties / (1 + excess / ties),
                Cite(softmax_concentration.leak(), ((M, competitors), (tau, ties))),
                "L1: next to the tuple of first rows the tied one counts as exp(z).",
            ),
            Step(LT, leak_of(competitors), Positivity(), "It only helps."),
        ),
    )


def margin() -> Derivation:
    """Derive a small leak from the margin of a tie, less the lift."""
    slack, lift = 1 + eta + 2 * alpha, gamma * (X**m - 1)
    answers = (Variable(eta, 0, 1, high_open=True), Variable(alpha, 0))
    room = Variable(rho, 0, low_open=True)
    left = sp.log((T - 2) * slack / rho)
    ranges = (Variable(T, 3), *answers, room, Variable(m, 1), Variable(X, 1), _STRENGTH)
    return Derivation(
        "A margin above ln((T-2)(1+η+2α)/ρ) + γ(X^m - 1) is enough for payloads",
        Assumptions((*ranges, Variable(g, low=left + lift, low_open=True))),
        leak_of(T - 2).xreplace({g: g - lift}),
        (
            Step(
                LT,
                rho / (slack + rho),
                Cite(value_floor.margin_suffices(), ((c, T - 2), (g, g - lift))),
                "S1, for what the lift leaves.",
            ),
        ),
    )


_ETA = Variable(eta, 0, 1, low_open=True, high_open=True)
_ROOM = Variable(rho, 0, low_open=True)
_GROWN = 1 + 2 * eta / (2 * alpha + rho)  # κ^(L-1), with ρ the room of `value-levels`
_LEAST = (1 - (2 * alpha + rho / 2) / (2 * alpha + rho)) / (1 + _GROWN)


def _inside_last() -> Derivation:
    return Derivation(
        "Levels inside (0, 1): the row from s with the room ρ/2 ends in 1 - s, if ρ is the room of "
        "the row from 0 to 1, for which κ^(L-1) = 1 + 2η/(2α+ρ)",
        Assumptions((_ETA, Variable(alpha, 0), _ROOM), ((share, _LEAST),)),
        _GROWN * share + (2 * alpha + rho / 2) * (_GROWN - 1) / (2 * eta),
        (Step(EQ, 1 - share, Algebra(), "s is chosen so."),),
    )


def _inside_first() -> Derivation:
    return Derivation(
        "That s is above 0",
        Assumptions((_ETA, Variable(alpha, 0), _ROOM)),
        _LEAST,
        (Step(Relation.GT, sp.Integer(0), Positivity(), "Half of the room is left."),),
    )


def _symbols() -> Derivation:
    one, rows = sp.Integer(1), ((j, 1, n - 1), (k, 1, m))
    ranges = (Variable(n, 2), Variable(m, 2), Variable(width, 1), Variable(d_v, m))
    return Derivation(
        "Symbols of an instance of order m: d_v - m values and b payloads in every row but the "
        "first, in each slot",
        Assumptions(ranges),
        sp.Sum(one, (i, 1, d_v - m), *rows) + sp.Sum(one, (i, 1, width), *rows),
        (Step(EQ, m * (n - 1) * (width + d_v - m), Algebra(), "Count."),),
    )


def _symbols_of_one() -> Derivation:
    one = sp.Integer(1)
    values = sp.Sum(one, (i, 1, d_v - 1), (j, 1, n))
    return Derivation(
        "At order 1 the first row has values too",
        Assumptions((Variable(n, 2), Variable(width, 1), Variable(d_v, 1))),
        values + sp.Sum(one, (i, 1, width), (j, 1, n - 1)),
        (Step(EQ, n * (d_v - 1) + (n - 1) * width, Algebra(), "Count."),),
    )


def _floor() -> Derivation:
    ranges = (Variable(n, 2), Variable(m, 2), Variable(width, 1), Variable(d_v, m))
    title = "So states of fewer bits are fewer than the instances; the logarithms"
    return _fewer(title, m * (n - 1) * (width + d_v - m), ranges)


def _floor_of_one() -> Derivation:
    ranges = (Variable(n, 2), Variable(width, 1), Variable(d_v, 1))
    return _fewer("The same at order 1", n * (d_v - 1) + (n - 1) * width, ranges)


def _fewer(title: str, size: sp.Expr, ranges: tuple[Variable, ...]) -> Derivation:
    fewer = Variable(held, 0, size * sp.log(L) / sp.log(2), high_open=True)
    return Derivation(
        title,
        Assumptions((*ranges, Variable(L, 2), fewer)),
        held * sp.log(2),
        (
            Step(
                LT,
                size * sp.log(L),
                Cite(value_floor.instances(), ((N, size), (b, held))),
                "With so many symbols.",
            ),
        ),
    )


def family_of(data: st.DataObject) -> Dense:
    """Draw a family with payloads, of orders 1 to 3."""
    order = data.draw(st.integers(1, 3), label="m")
    others = data.draw(st.integers(1, {1: 4, 2: 3, 3: 1}[order]), label="n - 1")
    levels, guarantee = data.draw(dense_guarantees(9), label="L, guarantee")
    book = data.draw(st.sampled_from((parabola, binary_keys, axes)), label="book")(others)
    b_ = data.draw(st.integers(1, 3), label="b")
    d_v_ = data.draw(st.integers(order, order + 2), label="d_v")
    return Dense(tied_keys(book, order), d_v_, b_, levels, guarantee)


def property_recovery(data: st.DataObject, tally: Tally) -> None:
    """All symbols come back, of keys and of values, at every order: from the worst answers too."""
    del tally
    family = family_of(data)
    found = require_recovery(data, family)
    size = key_symbols(family.order, family.n, family.b, family.d_v)
    require(found == size, "not as many as the floor")


def property_least_multiplier(data: st.DataObject, tally: Tally) -> None:
    """The inequalities give the C that a search finds, level by level and by the definition."""
    del tally
    family = family_of(data)
    eta_, alpha_ = to_fmpq(family.guarantee.eta), to_fmpq(family.guarantee.alpha)
    tuples, others = family.n**family.order, family.n**family.order - 2

    def in_order(C: int) -> bool:
        with arb_precision(256):
            gamma_, most = to_fmpq(Fraction(family.strength)), max(family.payloads)
            shares = [1 / (1 + arb(gamma_ * to_fmpq(1 - x)).exp()) for x in family.payloads]
            values = [arb(to_fmpq(y)) for y in family.levels.lower]
            lift = family.strength * (most**family.order - 1)
            for levels, left, competing in (
                (values, Fraction(C * family.book.margin), tuples - 1),
                (shares, C * _tie_margin(family) - lift, others),
            ):
                rest = competing * arb(to_fmpq(-left)).exp()
                leaked = rest / (1 + rest)
                for below, above in pairwise(levels):
                    highest = (1 + eta_) * ((1 - leaked) * below + leaked) + alpha_
                    lowest = (1 - eta_) * (1 - leaked) * above - alpha_
                    if not highest < lowest:
                        return False
        return True

    require(next(filter(in_order, count(1))) == family.multiplier, "another C is the least")


def _tie_margin(family: Dense) -> Fraction:
    """The margin of its ties, over all tuples but the two, one by one."""
    gaps = []
    for address in range(len(family.rows), family.addresses, family.b):
        query = family.query(address)[: family.book.d]
        logits = sorted(
            sum(x * y for x, y in zip(query, k, strict=True)) for k in family.book.products.keys
        )
        gaps += [Fraction(logits[-1] - x) / family.multiplier for x in logits[-3:-2]]
    return min(gaps, default=Fraction(1))


def property_comparisons(data: st.DataObject, tally: Tally) -> None:
    """With free norms a payload of any number of levels is read by comparisons, one a query."""
    del tally
    guarantee = data.draw(guarantees(), label="guarantee")
    levels = 2 ** data.draw(st.integers(1, 16), label="log₂ of the levels")
    book = tied_keys(parabola(data.draw(st.integers(1, 4), label="n - 1")))
    row = data.draw(st.integers(1, book.n - 1), label="row")
    stored = [data.draw(st.integers(0, levels - 1), label="payload") for _ in range(1, book.n)]
    payloads = [Fraction(1), *(Fraction(k, levels - 1) for k in stored)]
    keys = [(*key, x) for key, x in zip(book.keys[0], payloads, strict=True)]
    attention = ExactAttention([keys], [[[0]] + [[1]] * (book.n - 1)])  # the first row has the 0
    enough = least_multiplier(Fraction(1), margin_ratio(guarantee, Fraction(book.n - 1)))
    strength = 2 * (levels - 1) * enough  # half a step is a margin that is enough
    low, high = 0, levels - 1
    while low < high:
        middle = (low + high) // 2
        *query, first = ((strength + enough) * x for x in book.tie(0, row))
        first -= strength * (1 - Fraction(2 * middle + 1, 2 * (levels - 1)))
        (output,) = attention([*query, first, strength]).enclose()
        above = stored[row - 1] > middle
        worst = edge_answer(guarantee, output, bit=int(above))
        require((worst > threshold(guarantee)) == above, "an accurate answer on the wrong side")
        low, high = (middle + 1, high) if worst > threshold(guarantee) else (low, middle)
    require(low == stored[row - 1], "another payload is read")


CLAIM = Claim(
    slug="key-levels",
    title="keys hold them as well: n(d_v-1) + (n-1)b symbols at order 1, d less its address of b",
    statement="""\
A key is an address and b payloads; keys of row 0 have payloads 1, the others `1 + z/γ`, where
`1/(1 + exp(-z))` is one of L levels inside (0, 1), as many as [`value-levels`](value-levels.md) has
in [0, 1]. The first m columns of the values mark row 0 of each slot by a zero; the rest are as
there. The address of row 0 is an entry of its own, 1, which others have as 0; so a query C times
(direction of row j; what that gives its own key) in the block of a slot ties j to row 0. With γ in
column c of the payloads, the output in the column of the slot is `1/(1 + exp(-z_jc))`, but for the
leak. If values are read as there and

    C·g_2 > ln((n^m - 2)(1+η+2α)/ρ') + γ(X^m - 1),

ρ' the least room between levels of payloads, X the largest of these, all symbols are recovered:
`n(d_v-1) + (n-1)b` at order 1, `m(n-1)(b + d_v - m)` from order 2 on. An (η, α)-accurate cache has
as many times log₂ L bits if all its states have exactly as many; if their lengths vary up to b, the
states are 2^(b+1) - 1 in number, which costs at most one bit. With free norms the address takes
three entries a slot (for two keys two), so `b = d - 3m`.

Each symbol is read by one query of weight γ. With queries as strong as one likes more is possible:
a query that favours row 0 by a threshold compares a payload with it, so payloads of any number of
levels are read bit by bit, whatever η + 2α < 1 is. What ends a floor is then only how many levels
an entry can have.""",
    source="H6; S2 for order 2, with the levels of equal payloads",
    assumptions=(
        "keys' addresses and queries are public and fixed; the cache is right for every instance",
        "ρ, ρ', g_2 > 0; 0 <= η < 1, α >= 0, L >= 2, n >= 2, b >= 1, d_v >= m",
        "the cache is deterministic",
    ),
    verdict="holds",
    derivations=derivations,
    properties=(property_recovery, property_least_multiplier, property_comparisons),
)
