"""H3 `positions`: rotary embeddings change no floor; what biases, sinks and soft caps cost."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import sympy as sp
from flint import arb
from hypothesis import strategies as st

from kvfloor.attention import enclose, tensor_attention_rounded
from kvfloor.families import BinaryValues, binary_keys, parabola, polygon, stack
from kvfloor.floors import (
    biased_margin,
    least_multiplier,
    margin_ratio,
    sink_ratio,
)
from kvfloor.numbers import arb_precision, to_fmpq
from kvfloor_proofs.calculus import (
    Algebra,
    Assumptions,
    Derivation,
    Monotone,
    Positivity,
    Relation,
    Step,
    Variable,
)
from kvfloor_proofs.claims.decode_threshold import alpha, c, eta
from kvfloor_proofs.claims.softmax_concentration import g
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.draws import bits, edge_answer, guarantees
from kvfloor_proofs.foundations.properties import Tally, require
from kvfloor_proofs.foundations.rotary import attended, rotated, turned_back

__all__ = [
    "CLAIM",
    "beta",
    "derivations",
    "property_bias",
    "property_sink",
    "sigma",
]

EQ, LE, LT, GE = Relation.EQ, Relation.LE, Relation.LT, Relation.GE

beta, sigma, t, x, y, u, w = sp.symbols("beta sigma t x y u w", real=True)
top, other, s, s_other = sp.symbols("b_t b_o s_t s_o", real=True)

_COS, _SIN = (1 - t**2) / (1 + t**2), 2 * t / (1 + t**2)  # t is the tangent of half the angle
_BACK = (_COS * x + _SIN * y, _COS * y - _SIN * x)
_TURN = Assumptions((Variable(t), Variable(x), Variable(y)))


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (
        _turned(_COS * _BACK[0] - _SIN * _BACK[1], x, "first"),
        _turned(_COS * _BACK[1] + _SIN * _BACK[0], y, "second"),
        _norm(),
        _bias(),
        sink_suffices(),
        _sink_needed(),
        _sink_margin(),
    )


def _turned(start: sp.Expr, end: sp.Expr, which: str) -> Derivation:
    return Derivation(
        f"Turned back and then turned by the same angle, a pair is what it was: its {which} entry",
        _TURN,
        start,
        (Step(EQ, end, Algebra(), "cos² + sin² = 1; t is the tangent of half the angle."),),
    )


def _norm() -> Derivation:
    return Derivation(
        "Its norm is the same",
        _TURN,
        _BACK[0] ** 2 + _BACK[1] ** 2,
        (Step(EQ, x**2 + y**2, Algebra(), "cos² + sin² = 1."),),
    )


def _bias() -> Derivation:
    return Derivation(
        "Biases within ±β leave g - 2β of a margin",
        Assumptions(
            (
                Variable(beta, 0),
                Variable(top, -beta),
                Variable(other, high=beta),
                Variable(g),
                Variable(s_other),
                Variable(s, s_other + g),
            )
        ),
        (s + top) - (s_other + other),
        (Step(GE, g - 2 * beta, Positivity(), "At worst -β at the top, β elsewhere."),),
    )


_ANSWERS = (
    Variable(sigma, 0),
    Variable(eta, 0, 1, high_open=True),
    Variable(alpha, 0, (1 - eta) / (2 * (1 + sigma)), high_open=True),
)
_ROOM = 1 - eta - 2 * alpha * (1 + sigma)
_HIGHEST = (1 + eta) * u / (1 + u + sigma) + alpha
_LOWEST = (1 - eta) / (1 + u + sigma) - alpha


def sink_suffices() -> Derivation:
    """Derive that answers are in order beside a sink of value 0."""
    few = Variable(u, 0, _ROOM / (1 + eta + 2 * alpha), high_open=True)
    return Derivation(
        "Beside a sink of value 0 and weight σ, others of weight u leave answers in order",
        Assumptions((*_ANSWERS, few)),
        _HIGHEST,
        (Step(LT, _LOWEST, Positivity(), "Multiply out: all of u is against the answer, σ not."),),
    )


def _sink_needed() -> Derivation:
    return Derivation(
        "With more they are not",
        Assumptions((*_ANSWERS, Variable(u, _ROOM / (1 + eta + 2 * alpha)))),
        _HIGHEST,
        (Step(GE, _LOWEST, Positivity(), "Multiply out."),),
    )


def _sink_margin() -> Derivation:
    least = sp.log(c * (1 + eta + 2 * alpha) / _ROOM)
    enough = Variable(g, low=least, low_open=True)
    return Derivation(
        "A margin above ln(c(1+η+2α)/(1-η-2α(1+σ))) leaves others so little weight",
        Assumptions((*_ANSWERS, Variable(c, 0, low_open=True), enough)),
        c * sp.exp(-g),
        (
            Step(
                LT,
                c * sp.exp(-least),
                Monotone(Variable(w), c * sp.exp(-w), g, least, Positivity()),
                "The weight falls as the margin grows; exp undoes the logarithm.",
            ),
        ),
    )


def _family(data: st.DataObject) -> BinaryValues:
    make = data.draw(st.sampled_from((parabola, binary_keys, polygon)), label="book")
    tokens, columns = data.draw(st.integers(2, 5), label="n"), data.draw(st.integers(1, 3))
    return BinaryValues(make(tokens), columns, order=1, guarantee=data.draw(guarantees()))


def _even(vector: Any) -> tuple[Any, ...]:
    """The vector with a zero more where its length is odd: rotations take pairs."""
    return (*vector, *[0] * (len(vector) % 2))


def property_rotary(data: st.DataObject, tally: Tally) -> None:
    """Keys and queries that were turned back are what the model turns them into; all bits return.

    Rotations, logits and outputs in balls; keys and queries are the numbers that a cache may get.
    """
    del tally
    family = _family(data)
    base = data.draw(st.sampled_from((10_000, 500_000)), label="base")
    first = data.draw(st.integers(0, 10_000), label="position of the first token")
    x = data.draw(bits(family.size), label="bits")
    tokens, here = family.encode(x), first + family.n - 1
    with arb_precision(256):
        keys = [
            rotated(turned_back(_even(token.keys[0]), first + i, base), first + i, base)
            for i, token in enumerate(tokens)
        ]
        values = [token.values[0] for token in tokens]
        for address in range(family.n):
            query = rotated(turned_back(_even(family.query(address)), here, base), here, base)
            logits = [sum((q * k for q, k in zip(query, key, strict=True)), arb(0)) for key in keys]
            outputs, row = attended(logits, values), family.row(x, address)
            require(family.decode(outputs) == row, "from the true outputs")
            worst = [
                edge_answer(family.guarantee, o, bit=bit)
                for o, bit in zip(outputs, row, strict=True)
            ]
            require(family.decode(worst) == row, "from answers at the edge")


def property_rotary_in_floats(data: st.DataObject, tally: Tally) -> None:
    """The same in float64, as models compute it, through correctly rounded attention."""
    del tally
    family = _family(data)
    x = data.draw(bits(family.size), label="bits")
    tokens = family.encode(x)
    places = data.draw(st.integers(0, 999), label="first position") + np.arange(family.n)
    keys = np.array([_even(token.keys[0]) for token in tokens], dtype=np.float64)
    queries = np.array([_even(family.query(i)) for i in range(family.n)], dtype=np.float64)
    last = np.full(family.n, places[-1])
    values = np.array([token.values[0] for token in tokens], dtype=np.float64)
    outputs = tensor_attention_rounded(
        _turn(_turn(queries, -last), last),
        [_turn(_turn(keys, -places), places)],
        [values],
        dtype="float64",
    )
    for address in range(family.n):
        found = family.decode([float(o) for o in outputs[address]])
        require(found == family.row(x, address), "another bit is read")


def _turn(vectors: Any, places: Any) -> Any:
    """Rotary embeddings in float64, base 10000: halves of a vector, as Llama has them."""
    half = vectors.shape[1] // 2
    angles = np.outer(places, 10000.0 ** (-np.arange(half) / half))
    cos, sin = np.cos(angles), np.sin(angles)
    x, y = vectors[:, :half], vectors[:, half:]
    return np.hstack([x * cos - y * sin, y * cos + x * sin])


def property_bias(data: st.DataObject, tally: Tally) -> None:
    """With queries stronger by 2β biases hide nothing; and they take no more of a margin."""
    del tally
    family = _family(data)
    bound = Fraction(data.draw(st.integers(0, 24), label="4β"), 4)
    ratio = Fraction(margin_ratio(family.guarantee, family.competitors))
    strength = least_multiplier(Fraction(family.book.margin), ratio, 2 * bound)
    x = data.draw(bits(family.size), label="bits")
    sides = st.sampled_from((-bound, bound))
    biases = [data.draw(sides, label="bias") for _ in range(family.n)]
    keys, values = stack(family.encode(x))
    margins = []
    for address, direction in enumerate(family.book.directions):
        query, row = [strength * entry for entry in direction], family.row(x, address)
        outputs = enclose(query, keys, values, bias=biases).output
        pairs = zip(outputs, row, strict=True)
        worst = [edge_answer(family.guarantee, o, bit=bit) for o, bit in pairs]
        require(family.decode(worst) == row, "a bit is not read")
        logits = [
            bias + sum(q * k for q, k in zip(query, key, strict=True))
            for key, bias in zip(keys[0], biases, strict=True)
        ]
        own = logits.pop(address)
        margins.append(own - max(logits))
    least = biased_margin(strength * family.book.margin, bound)
    require(min(margins) >= least, "less of the margin is left")


def property_sink(data: st.DataObject, tally: Tally) -> None:
    """Beside a sink answers are in order exactly when the margin is above the least one.

    Run on attention: a key at S, M at S - g, whose values are against it, and the sink at s_0.
    """
    del tally
    guarantee = data.draw(guarantees(), label="guarantee")
    competitors = data.draw(st.integers(1, 6), label="M")
    margin = Fraction(data.draw(st.integers(0, 72), label="8g"), 8)
    sink = Fraction(data.draw(st.integers(-24, 16), label="4(s_0 - S)"), 4)
    keys = [[[0], *[[-margin]] * competitors]]
    values = [[[[own], *[[1 - own]] * competitors]] for own in (0, 1)]
    low, high = (enclose([1], keys, V, sink=sink, bits=256).output[0] for V in values)
    highest = edge_answer(guarantee, low, bit=0)
    lowest = edge_answer(guarantee, high, bit=1)
    with arb_precision(256):
        weight = arb(to_fmpq(sink)).exp()
        eta_, alpha_ = to_fmpq(guarantee.eta), to_fmpq(guarantee.alpha)
        rest = 1 - eta_ - 2 * alpha_ * (1 + weight)
        if not rest > 0:
            require(lowest <= highest + Fraction(1, 2**200), "in order, yet the sink is too heavy")
            return
        ratio = sink_ratio(SimpleNamespace(eta=eta_, alpha=alpha_), competitors, weight)
        enough = bool(arb(to_fmpq(margin)) > ratio.log())
    if enough:
        require(highest < lowest, "the answers are not in order")
    else:
        require(lowest <= highest + Fraction(1, 2**200), "in order, yet the margin is low")


CLAIM = Claim(
    slug="positions",
    title="rotary embeddings change no floor; biases cost 2β of a margin, sinks 2ασ of the slack",
    statement="""\
**Rotary embeddings.** If the key of token i passes an invertible public map R_i before it meets the
query, and the query R', every floor holds with keys `R_i⁻¹·k_i` and queries `R'⁻ᵀ·q`: logits are
the same. Rotations leave norms alone, so floors for bounded norms hold as well.

**Additive biases** within ±β leave `g - 2β` of a margin g; so with free norms they cost nothing.

**A sink** of value 0, with the weight σ = exp(s_0 - S) relative to the top, leaves answers to bits
in order exactly if `η + 2α(1+σ) < 1` and `g > ln(M(1+η+2α)/(1-η-2α(1+σ)))`, for values that are all
against them. For α = 0 it costs nothing.

Soft caps: [`soft-cap`](soft-cap.md).""",
    source="H3",
    assumptions=(
        "maps, biases and sinks are public",
        "instances are of order 1; with more slots the keys of each are turned back",
    ),
    verdict="holds",
    derivations=derivations,
    properties=(property_rotary, property_rotary_in_floats, property_bias, property_sink),
)
