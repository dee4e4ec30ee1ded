"""H1 `heads-and-layers`: bits of all layers and key-value heads add up; query heads add none."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from kvfloor.attention import tensor_attention_rounded, window_mask
from kvfloor.caches import LayeredCache, fits
from kvfloor.families import BinaryValues, binary_keys, parabola, polygon
from kvfloor.floors import Guarantee
from kvfloor_proofs.calculus import (
    Algebra,
    Assumptions,
    Cite,
    Derivation,
    Family,
    Positivity,
    Relation,
    Step,
    Termwise,
    Variable,
)
from kvfloor_proofs.claims import index_deterministic, retrievable_information, value_floor
from kvfloor_proofs.claims.index_deterministic import N, b
from kvfloor_proofs.claims.retrievable_information import L, bits_of
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.draws import bits
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["CLAIM", "G", "Layers", "W", "d_v", "derivations", "n", "property_recovery", "windowed"]

EQ, LE, LT, GE = Relation.EQ, Relation.LE, Relation.LT, Relation.GE

Layers, windowed, G, W, d_v, n = sp.symbols("Lambda Lambda_W G W d_v n", integer=True)
i, j, h, k, p = sp.symbols("i j h k p", integer=True)
held = sp.Symbol("b", real=True)
x, r = (sp.IndexedBase(name, real=True) for name in ("x", "r"))

_MODEL = (Variable(Layers, 1), Variable(G, 1))
_PARTS = (p, 1, k)


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (_count(), _windows(), _bits(), _symbols(), _randomised(), _parts(), _rounded())


def _count() -> Derivation:
    one = sp.Integer(1)
    return Derivation(
        "Bits of an instance: d_v for each token of each key-value head of each layer",
        Assumptions((*_MODEL, Variable(n, 1), Variable(d_v, 1))),
        sp.Sum(one, (i, 1, d_v), (j, 1, n), (h, 1, G), (p, 1, Layers)),
        (Step(EQ, Layers * G * n * d_v, Algebra(), "Count."),),
    )


def _windows() -> Derivation:
    one = sp.Integer(1)
    all_tokens = sp.Sum(one, (i, 1, d_v), (j, 1, n), (h, 1, G), (p, 1, Layers))
    last = sp.Sum(one, (i, 1, d_v), (j, 1, W), (h, 1, G), (p, 1, windowed))
    ranges = (*_MODEL, Variable(windowed, 1), Variable(W, 1), Variable(n, W), Variable(d_v, 1))
    return Derivation(
        "Of layers with a window, the last W tokens count (T7)",
        Assumptions(ranges),
        all_tokens + last,
        (Step(EQ, G * d_v * (Layers * n + windowed * W), Algebra(), "Count."),),
    )


def _bits() -> Derivation:
    size = Layers * G * n * d_v
    return Derivation(
        "States of fewer bits are fewer than the instances of all layers and heads together",
        Assumptions((*_MODEL, Variable(n, 1), Variable(d_v, 1), Variable(b, 0, size - 1))),
        2**b,
        (
            Step(
                LT,
                2**size,
                Cite(index_deterministic.exact_length(), ((N, size),)),
                "L3: two instances share a state; they differ in some layer and head.",
            ),
        ),
    )


def _symbols() -> Derivation:
    size = Layers * G * N
    fewer = Variable(held, 0, size * sp.log(L) / sp.log(2), high_open=True)
    return Derivation(
        "So it is with N symbols of L levels in each; the logarithms",
        Assumptions((*_MODEL, Variable(N, 1), Variable(L, 2), fewer)),
        held * sp.log(2),
        (
            Step(
                LT,
                size * sp.log(L),
                Cite(value_floor.instances(), ((value_floor.N, size), (value_floor.b, held))),
                "S1.",
            ),
        ),
    )


def _randomised() -> Derivation:
    cited = retrievable_information.floor()
    size = Layers * G * N
    at = {retrievable_information.N: size}
    sent = tuple(
        variable.subs(at)
        for variable in cited.assumptions.variables
        if variable.symbol != retrievable_information.N
    )
    return Derivation(
        "And with errors: the symbols of all layers and heads are read with mean error e <= δ",
        Assumptions((*_MODEL, Variable(N, 1), *sent)),
        cited.start,
        (Step(GE, bits_of(size), Cite(cited, tuple(at.items())), "H5."),),
    )


def _parts() -> Derivation:
    needs = sp.Sum(x[p], _PARTS)
    fewer = Variable(held, 0, needs, high_open=True)
    needed = Family(x[p], 0, low_open=True, index=_PARTS)
    return Derivation(
        "Parts that are not alike, each with instances of x_p bits: the logarithms",
        Assumptions((Variable(k, 1), needed, fewer)),
        held * sp.log(2),
        (Step(LT, needs * sp.log(2), Positivity(), "Instances multiply, so bits add up."),),
    )


def _rounded() -> Derivation:
    above = Family(r[p], x[p], x[p] + 1, high_open=True, index=_PARTS)
    needs, rounded = sp.Sum(x[p], _PARTS), sp.Sum(r[p], _PARTS)
    ranges = (Variable(k, 1), Family(x[p], 0, index=_PARTS), above)
    return Derivation(
        "Floors r_p of k parts, each rounded up to whole bits, add up to less than k too many: "
        "whole bits above their sum less k are at least it less k - 1",
        Assumptions(ranges),
        rounded,
        (
            Step(LT, sp.Sum(x[p] + 1, _PARTS), Termwise(Positivity()), "r_p < x_p + 1."),
            Step(EQ, needs + k, Algebra(), "Take the ones out."),
        ),
    )


def _model(data: st.DataObject) -> tuple[list[list[BinaryValues]], list[int | None], int]:
    """Draw families for a few layers and heads, their windows, and how many query heads share."""
    layers = data.draw(st.integers(1, 3), label="layers")
    heads = data.draw(st.integers(1, 2), label="key-value heads")
    tokens, columns = data.draw(st.integers(2, 5), label="n"), data.draw(st.integers(1, 3))
    # The answers are rounded to float64, and are accurate all the same.
    guarantee = Guarantee(data.draw(_RELATIVE, label="η"), data.draw(_ABSOLUTE, label="α"))
    make = st.sampled_from((parabola, binary_keys, polygon))
    orders = st.permutations(range(tokens))
    families = []
    for _ in range(layers):
        book = data.draw(make, label="book")(tokens)
        books = [book.restricted(data.draw(orders, label="order")) for _ in range(heads)]
        families.append([BinaryValues(own, columns, order=1, guarantee=guarantee) for own in books])
    sizes = st.none() | st.integers(1, tokens)
    windows = [data.draw(sizes, label="window") for _ in range(layers)]
    return families, windows, heads * data.draw(st.integers(1, 3), label="queries a head")


_RELATIVE = st.sampled_from((Fraction(0), Fraction(1, 5)))
_ABSOLUTE = st.fractions("1/100", "1/3", max_denominator=100)


def property_recovery(data: st.DataObject, tally: Tally) -> None:
    """All bits come back through attention with layers, windows and shared heads, and no others."""
    del tally
    families, windows, query_heads = _model(data)
    recovered, floor = 0, 0
    for layer, window in zip(families, windows, strict=True):
        first = layer[0]
        x = [data.draw(bits(family.size), label="bits") for family in layer]
        tokens = [family.encode(own) for family, own in zip(layer, x, strict=True)]
        seen = range(first.n - (window or first.n), first.n)
        outputs = _attend(layer, tokens, window, query_heads)
        share = query_heads // len(layer)
        for head in range(query_heads):
            family, own = layer[head // share], x[head // share]
            for address in seen:
                found = family.decode([float(o) for o in outputs[head, address]])
                require(found == family.row(own, address), "another bit is read")
                recovered += len(found) if head % share == 0 else 0
            same = np.array_equal(outputs[head], outputs[head - head % share])
            require(same, "heads that share keys and values read something else")
        floor += len(layer) * len(seen) * first.d_v
    require(recovered == floor, "not as many bits as the floor")


def _attend(layer: Any, tokens: Any, window: int | None, query_heads: int) -> Any:
    """Correctly rounded outputs, shape (h, n, d_v): every query head asks for every address."""
    share, n_ = query_heads // len(layer), layer[0].n
    queries = np.array(
        [
            [layer[head // share].query(address) for address in range(n_)]
            for head in range(query_heads)
        ],
        dtype=np.float64,
    )
    keys = np.array([[token.keys[0] for token in own] for own in tokens], dtype=np.float64)
    values = np.array([[token.values[0] for token in own] for own in tokens], dtype=np.float64)
    mask = None if window is None else window_mask(n_ - 1, [window], [n_])
    return tensor_attention_rounded(queries, [keys], [values], dtype="float64", mask=mask)


def property_floor_is_met(data: st.DataObject, tally: Tally) -> None:
    """A cache of exactly so many bits answers every query head of every layer."""
    del tally
    families, windows, query_heads = _model(data)
    x = [[data.draw(bits(f.size), label="bits") for f in layer] for layer in families]
    tokens = [
        [family.encode(own) for family, own in zip(layer, row, strict=True)]
        for layer, row in zip(families, x, strict=True)
    ]
    options: dict[str, Any] = {"query_heads": query_heads, "windows": windows}
    cache = LayeredCache(families, **options)
    for place in range(families[0][0].n):
        cache.append(
            [[own[place].keys for own in layer] for layer in tokens],
            [[own[place].values for own in layer] for layer in tokens],
        )
    state = cache.state()
    first = families[0][0]
    kept = sum(len(layer) * (w or first.n) for layer, w in zip(families, windows, strict=True))
    require(cache.state_bits() == kept * first.d_v, "another number of bits than the floor")
    require(fits(state, cache.state_bits()), "the state has other bits")
    again = LayeredCache.from_state(state, families=families, **options)
    require(again.state() == state, "a restored cache has another state")
    for number, (layer, window) in enumerate(zip(families, windows, strict=True)):
        outputs = _attend(layer, tokens[number], window, query_heads)
        for head in range(query_heads):
            family = layer[head // (query_heads // len(layer))]
            for address in range(first.n):
                answer = again.answer(number, head, family.query(address))
                near = np.allclose(answer, outputs[head, address], rtol=2.0**-51, atol=2.0**-300)
                require(near, "not within an ulp of attention")


CLAIM = Claim(
    slug="heads-and-layers",
    title="floors of layers and key-value heads add up: Λ·G·n·d_v bits; query heads add nothing",
    statement="""\
Let a token bring keys and values of its own for each of Λ layers and G key-value heads, and let a
query name a layer and a head. The instances of all of them together are those of each, multiplied,
so the floors of [`best-floor`](best-floor.md) add up: `Λ·G·n·d_v` bits, or `Λ·G` times as many
symbols; a layer with a window counts its last W tokens ([`sliding-window`](sliding-window.md)).
With an error of δ for each query, symbols of all layers and heads count as in
[`retrievable-information`](retrievable-information.md). Floors of parts that are not alike are
added before they are rounded up: the sum of k rounded floors is less than k bits too large.

Query heads that share keys and values (grouped or multi-query attention) read the same bits: G
counts, not they. A cache of the values of each layer and key-value head has as many bits as the
floor, and answers every query head.

It is about caches that have to be right for any keys and values, layer by layer. In a model they
are all functions of the tokens, of which a cache may keep the names and compute the rest again;
that it must not is what is assumed here.""",
    source="H1; T1 and T7 for one head",
    assumptions=(
        "keys and values of each layer and head are any; keys and queries of a family are public",
        "a query names layer and head, and is answered on its own",
        "those of the claims for one head",
    ),
    verdict="holds",
    derivations=derivations,
    properties=(property_recovery, property_floor_is_met),
)
