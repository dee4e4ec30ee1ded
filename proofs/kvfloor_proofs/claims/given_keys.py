"""H4 `given-keys`: what keys and queries that are given force a cache to keep."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise
from math import prod
from typing import Any

import sympy as sp
from flint import arb
from hypothesis import strategies as st

from kvfloor.certificates import check, digest
from kvfloor.families import told_levels
from kvfloor.numbers import ball_ends
from kvfloor.traces import floor_of
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
from kvfloor_proofs.claims import retrievable_information
from kvfloor_proofs.claims.decode_threshold import alpha, eta
from kvfloor_proofs.claims.retrievable_information import delta
from kvfloor_proofs.claims.value_floor import L, y, z
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.draws import edge_answer
from kvfloor_proofs.foundations.given_traces import (
    SCALE,
    few_levels,
    outputs_of,
    read_tokens,
    traces,
)
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = [
    "CLAIM",
    "apart",
    "derivations",
    "earlier",
    "later",
    "never_worse",
    "property_certificate",
    "property_levels",
    "property_one_answer",
    "property_recovery",
    "w",
]

EQ, LE, LT, GE = Relation.EQ, Relation.LE, Relation.LT, Relation.GE

j, k, d_v = sp.symbols("j k d_v", integer=True)
# What a token weighs for its query, what later and earlier ones do, and the known part.
w, later, earlier, known, held, x, X = sp.symbols("w r t c b x X", real=True)
Ls = sp.IndexedBase("L", integer=True)
e = sp.IndexedBase("e", real=True)

_ETA = Variable(eta, 0, 1, high_open=True)
_ALPHA = Variable(alpha, 0)
_OTHERS = (Variable(later, 0), Variable(earlier, 0))
_READ = (_ETA, _ALPHA, Variable(w, 0, low_open=True), *_OTHERS)
_KNOWN = Variable(known, 0, earlier)
_LEVELS = (Variable(y, 0), Variable(z, y))
_SYMBOLS = (j, 1, k)
# α of the token as if it were alone.
_ALONE = ((1 + eta) * later + 2 * eta * earlier + 2 * alpha) / (2 * w)


def _room(below: sp.Expr, above: sp.Expr, absolute: sp.Expr) -> sp.Expr:
    return (1 - eta) * above - (1 + eta) * below - 2 * absolute


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (
        apart(),
        _worst(),
        bits(),
        grid(),
        never_worse(),
        _states(),
        with_errors(),
    )


def apart() -> Derivation:
    """Derive the room between answers to two levels of a token among others."""
    least = (1 - eta) * (known + w * z) - alpha
    most = (1 + eta) * (known + w * y + later) + alpha
    return Derivation(
        "A token of weight w holds y or z; r is what tokens weigh that are not known, c <= t the "
        "known part of the output: between the answers there is w times the room of y and z, with "
        "((1+η)r + 2ηt + 2α)/(2w) for α",
        Assumptions((*_READ, _KNOWN, *_LEVELS)),
        least - most,
        (
            Step(
                GE,
                w * ((1 - eta) * z - (1 + eta) * y) - (1 + eta) * later
                - 2 * eta * earlier - 2 * alpha,
                Positivity(),
                "c <= t.",
            ),
            Step(EQ, w * _room(y, z, _ALONE), Algebra(), "Collect."),
        ),
    )  # fmt: skip


def _worst() -> Derivation:
    least = (1 - eta) * (earlier + w * z) - alpha
    most = (1 + eta) * (earlier + w * y + later) + alpha
    return Derivation(
        "There is no more if the known ones are all at 1, the others at 0 with z and at 1 with y",
        Assumptions((*_READ, *_LEVELS)),
        least - most,
        (Step(EQ, w * _room(y, z, _ALONE), Algebra(), "Collect."),),
    )


def bits() -> Derivation:
    """Derive the condition for a bit."""
    return Derivation(
        "For a bit, y = 0 and z = 1, and nothing known, that is H4's condition",
        Assumptions((_ETA, _ALPHA, Variable(w, 0, low_open=True), Variable(later, 0))),
        w * (1 - eta - 2 * ((1 + eta) * later + 2 * alpha) / (2 * w)),
        (Step(EQ, (1 - eta) * w - (1 + eta) * later - 2 * alpha, Algebra(), "Collect."),),
    )


def grid() -> Derivation:
    """Derive the condition for a grid of levels and η = 0."""
    return Derivation(
        "For η = 0 and L levels on the grid, too",
        Assumptions((_ALPHA, Variable(w, 0, low_open=True), Variable(later, 0), Variable(L, 2))),
        w * (1 / (L - 1) - 2 * (later + 2 * alpha) / (2 * w)),
        (Step(EQ, w / (L - 1) - (later + 2 * alpha), Algebra(), "Collect."),),
    )


def never_worse() -> Derivation:
    """Derive that nothing is lost by what is known."""
    together = ((1 + eta) * (later + earlier) + 2 * alpha) / (2 * w)
    return Derivation(
        "To know the earlier ones is never worse, and for η = 0 they do not count at all",
        Assumptions(_READ),
        _ALONE,
        (
            Step(
                EQ,
                together - (1 - eta) * earlier / (2 * w),
                Algebra(),
                "(1+η) - 2η = 1-η.",
            ),
            Step(LE, together, Positivity(), "t >= 0."),
        ),
    )


def _states() -> Derivation:
    needs = sp.Sum(d_v * sp.log(Ls[j]), _SYMBOLS)
    levels = Family(Ls[j], 2, index=_SYMBOLS)
    return Derivation(
        "k tokens of L_j levels an entry: states of fewer bits are fewer than the instances; the "
        "logarithms",
        Assumptions(
            (
                Variable(k, 1),
                Variable(d_v, 1),
                levels,
                Variable(held, 0, needs / sp.log(2), high_open=True),
            )
        ),
        held * sp.log(2),
        (Step(LT, needs, Positivity(), "Instances multiply, so logarithms add up."),),
    )


def with_errors() -> Derivation:
    """Derive the floor of symbols that have different numbers of levels, in nats."""
    cited = retrievable_information.letter()
    at = ((L, Ls[j]), (retrievable_information.e, e[j]))
    cost, most = (side.xreplace(dict(at)) for side in (cited.start, cited.conclusion.right))
    names, costs = sp.Sum(sp.log(Ls[j]), _SYMBOLS), sp.Sum(cost, _SYMBOLS)
    return Derivation(
        "b bits, and each symbol read with its error e_j <= δ; X is what is unknown after, in nats",
        Assumptions(
            (
                Variable(k, 1),
                Family(Ls[j], 2, index=_SYMBOLS),
                Variable(delta, 0, sp.Rational(1, 2), low_open=True, high_open=True),
                Family(e[j], 0, delta, index=_SYMBOLS),
                Variable(X, high=costs),
                Variable(held, (names - X) / sp.log(2)),
            )
        ),
        held * sp.log(2),
        (
            Step(GE, names - X, Positivity(), "H5: 2^b messages of so many words."),
            Step(GE, names - costs, Positivity(), "Words weigh the product of their letters."),
            Step(EQ, sp.Sum(sp.log(Ls[j]) - cost, _SYMBOLS), Algebra(), "Symbol by symbol."),
            Step(
                GE,
                sp.Sum(sp.log(Ls[j]) - most, _SYMBOLS),
                Termwise(Monotone(Variable(x), sp.log(Ls[j]) - x, cost, most, Cite(cited, at))),
                "Each leaves no more unknown than at δ.",
            ),
        ),
    )


def property_recovery(data: st.DataObject, tally: Tally) -> None:
    """All symbols come back, at orders 1 and 2, from the worst answers that are accurate."""
    del tally
    trace, tokens, readers, family = read_tokens(data)
    x = tuple(data.draw(st.integers(0, L - 1), label="symbol") for L in family.levels)
    outputs = outputs_of(trace, dict(zip(tokens, family.values(x), strict=True)), readers)
    sides = data.draw(st.tuples(*[st.integers(0, 1) for _ in tokens]), label="sides")
    for worst in ((0,) * len(tokens), (1,) * len(tokens), sides):
        answers = [
            edge_answer(family.guarantee, o, bit=bit) for o, bit in zip(outputs, worst, strict=True)
        ]
        require(family.decode(answers) == x, "other symbols come back")
    d_v_ = data.draw(st.integers(1, 9), label="d_v")
    words = prod(family.levels) ** d_v_
    require(family.bits(d_v_) == (words - 1).bit_length(), "not the least bits of so many words")


def property_one_answer(data: st.DataObject, tally: Tally) -> None:
    """With one level more, two instances have an accurate answer in common."""
    del tally
    trace, tokens, readers, family = read_tokens(data)
    if not tokens:
        return
    j = data.draw(st.integers(0, len(tokens) - 1), label="j")
    terms = family.weights[j], j, family.guarantee
    more = told_levels(*terms, successive=family.successive, at_most=10) + 1
    if more > 10:
        return
    inner = data.draw(
        st.lists(st.fractions(0, 1, max_denominator=60), min_size=more - 2, max_size=more - 2)
    )
    levels = sorted([Fraction(0), Fraction(1), *inner])
    eta_, alpha_ = family.guarantee.eta, family.guarantee.alpha

    def gap(below: Fraction, above: Fraction) -> Fraction:
        """Between the answers to two levels, where all others speak against them."""
        first = [Fraction(1 if family.successive else 0)] * j
        last = [Fraction(1)] * (len(tokens) - j - 1)
        high = dict(zip(tokens, [*first, above, *[Fraction(0)] * len(last)], strict=True))
        low = dict(zip(tokens, [*[Fraction(1)] * j, below, *last], strict=True))
        outputs = [outputs_of(trace, held, [readers[j]])[0] for held in (high, low)]
        upper, lower = ball_ends(outputs[0])[0], ball_ends(outputs[1])[1]
        return (1 - eta_) * upper - alpha_ - ((1 + eta_) * lower + alpha_)

    least = min(gap(below, above) for below, above in pairwise(levels))
    require(least < Fraction(1, 2**50), "more levels could be told apart")


def property_levels(data: st.DataObject, tally: Tally) -> None:
    """As many levels fit one by one; knowing the earlier tokens never costs any."""
    del tally
    guarantee = data.draw(few_levels())
    counts = data.draw(st.lists(st.integers(1, 99), min_size=1, max_size=4), label="weights")
    j = data.draw(st.integers(0, len(counts) - 1), label="j")
    parts = [Fraction(count, 512) for count in counts]
    found = []
    for successive in (True, False):
        told = told_levels(
            [arb(count) / 512 for count in counts], j, guarantee, successive=successive, at_most=99
        )
        later_ = sum(parts[j + 1 :] if successive else parts[:j] + parts[j + 1 :])
        earlier_ = sum(parts[:j]) if successive else Fraction(0)
        over = (1 + guarantee.eta) * later_ + 2 * guarantee.eta * earlier_ + 2 * guarantee.alpha
        lowest, fitting = Fraction(0), 0
        while lowest < 1 and fitting < 99:
            fitting += 1
            lowest = ((1 + guarantee.eta) * parts[j] * lowest + over) / (
                (1 - guarantee.eta) * parts[j]
            )
        require(told == fitting, f"{fitting} levels fit, one by one")
        found.append(told)
    require(found[0] >= found[1], "knowing more tells less")
    require(j > 0 or found[0] == found[1], "there is nothing to be known")
    for nothing in (arb(0), arb(0, 1)):
        told = told_levels([nothing], 0, guarantee, successive=True)
        require(told == 1, "a weight that may be 0 tells something")


def property_certificate(data: st.DataObject, tally: Tally) -> None:
    """What the search finds is accepted; with one level more of some token it is refused."""
    keys, queries = data.draw(traces(), label="keys, queries")
    keys, queries = (
        [[[round(x) for x in row] for row in K_r] for K_r in keys],
        [[round(x) for x in row] for row in queries],
    )
    terms: dict[str, Any] = {
        "alpha": data.draw(st.fractions(Fraction(1, 200), Fraction(1, 8)), label="α"),
        "eta": data.draw(st.sampled_from((Fraction(0), Fraction(1, 20))), label="η"),
        "delta": data.draw(st.sampled_from((Fraction(0), Fraction(1, 10))), label="δ"),
    }
    found = floor_of(keys, queries, d_v=3, scale=SCALE, **terms)
    require((found.certificate is None) == (found.bits == 0), "no certificate")
    if found.certificate is None:
        return
    require(check(json.dumps(found.certificate)).status == "ok", "its certificate is refused")
    tally.certificates += 1
    altered = json.loads(json.dumps(found.certificate))
    j = data.draw(st.integers(0, len(found.tokens) - 1), label="symbol")
    altered["symbols"][j]["levels"] += 1
    altered["digest"] = digest(altered)
    outcome = check(json.dumps(altered))
    require(outcome.status == "invalid", "one level more is accepted")
    require(f"levels[{j}]" in outcome.reason, f"refused for another reason: {outcome.reason}")


CLAIM = Claim(
    slug="given-keys",
    title="what keys and queries that are given force a cache to keep, whatever the values are",
    statement="""\
Keys and queries are given, such as those of a trace; nothing is chosen but which of them to use.
P[q, i] is what token i weighs for query q. Tokens i_1, …, i_k are read in this order by queries
q_1, …, q_k. With w = P[q_j, i_j], r the weight for q_j of the tokens that come later, and t that of
those that came before, the j-th holds L_j levels of [`value-levels`](value-levels.md) at (η, α_j),

    α_j = ( (1+η)·r + 2η·t + 2α ) / (2w)

which an accurate answer to q_j tells apart when the earlier symbols are known: read
*successively*. With `r + t` for r and 0 for t nothing has to be known: *at once*. So for η = 0 the
condition is `w/(L_j - 1) > r + 2α`, and for bits at once `(1-η)·w - (1+η)·(r+t) > 2α`. With more
levels one answer to q_j serves two instances.

All values are 0 but those of these tokens, d_v entries each; so every (η, α)-accurate cache that
never errs has `d_v·Σ_j log₂ L_j` bits, if all its states have exactly as many (if their lengths
vary up to b, that costs at most one bit). One that errs with probability δ at each query is read
at once, and has `d_v·Σ_j ( log₂ L_j - H₂(δ) - δ·log₂(L_j - 1) )`. Successive reading is never
worse, and for η = 0 what has been read costs nothing.

Order m: the values of one slot hold the symbols, those of the other slots are ones, and P[q, i] is
what all tuples with token i in that slot weigh.

`kvfloor.floor_of` looks for tokens, queries and an order, greedily, and proves what it finds in
balls: levels that the balls leave open are not counted.""",
    source="H4; its (1 - H₂(δ)) for symbols of more than two levels is H5's larger number here",
    assumptions=(
        "keys and queries are public and fixed; the cache is right for all values that hold "
        "symbols: finitely many, on levels in [0, 1]",
        "all queries are answered from one state, each seeing the tokens that its mask leaves it",
        "0 <= η < 1, α >= 0; 0 <= δ <= 1/2, and δ = 0 for successive reading",
    ),
    verdict="holds",
    derivations=derivations,
    properties=(
        property_recovery,
        property_one_answer,
        property_levels,
        property_certificate,
    ),
)
