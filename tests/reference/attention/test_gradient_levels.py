"""All levels hold the truth, claim zeros that are, and settle what they can."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import arb

import kvfloor
from gradient_levels import (
    ACCURACIES,
    BITS,
    LEVELS,
    enclosed,
    levelled,
    normal,
    pullback,
    shares,
)
from gradient_truth import draw_case
from kvfloor import GradientLayers
from kvfloor.attention.fast import (
    evaluate_logit_gradients,
    operands_of,
    prepare_problem,
)
from kvfloor.attention.fast.backward import double, pairs, single
from kvfloor.attention.gradients import settling
from kvfloor.attention.gradients.cotangents import as_pullbacks
from kvfloor.attention.gradients.enclosure import enclose_pullback
from kvfloor.attention.terms import Terms
from kvfloor.numbers import arb_precision


@pytest.mark.parametrize("level", LEVELS)
def test_levels_hold_the_truth_and_claim_zeros_that_are(
    level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small problems of orders 1 to 3, with all that may join them, and groups, in small blocks."""
    monkeypatch.setattr(single, "_ELEMENTS", 16)
    monkeypatch.setattr(pairs, "ELEMENTS", 16)
    monkeypatch.setattr(double, "_BLOCK", 5)
    zeros = count = 0
    for seed in range(24):
        case = draw_case(seed, 1 + seed % 3, heads=bool(seed // 3 % 2))
        given, g = case.given, case.logsumexp_cotangent
        cap = None if case.softcap is None else Fraction(case.softcap)
        terms = Terms(given.get("bias"), given.get("sink"), cap)
        query, keys, values, G = case.arguments
        for one in as_pullbacks(query, keys, values, G, g, case.scale, case.mask, terms)[0]:
            parts = enclose_pullback(one, BITS)
            truth = np.concatenate([np.ravel(t) for t in (parts.query, *parts.keys, *parts.values)])
            found = enclosed(one, level)
            assert max(map(np.max, shares(one, level))) < 0.5
            radii = np.concatenate([balls.radius.ravel() for balls in found])
            assert np.isfinite(radii).all()
            assert all(ball == 0 for ball in truth[radii == 0])
            zeros, count = zeros + int((radii == 0).sum()), count + len(radii)
    assert level in ACCURACIES or zeros > count / 10


@pytest.mark.parametrize("level", ["single", "double"])
def test_zeros_are_claimed_where_no_term_is_another(level: str) -> None:
    """A query that sees one token, one without cotangents; a token that none sees."""
    Q, K, V, G = normal(0, (4, 3), (5, 3), (5, 3), (4, 3))
    G[2] = 0
    one = pullback(Q, [K], [V], G, mask="causal-top-left")
    query, keys, values = (balls.radius == 0 for balls in enclosed(one, level))
    assert np.flatnonzero(query.all(axis=1)).tolist() == [0, 2]
    assert query.sum() == 6
    assert np.flatnonzero(keys.any(axis=1)).tolist() == [4]
    assert np.flatnonzero(values.any(axis=1)).tolist() == [4]


@pytest.mark.parametrize("level", ["single", "double"])
@pytest.mark.parametrize("sinks", [True, False])
def test_gradients_of_logits_and_sinks_hold_the_truth(level: Any, sinks: bool) -> None:
    """Of a masked row, too, for which there is a sink."""
    Q, K, V, G = normal(0, (4, 3), (5, 3), (5, 2), (4, 2))
    G[2], sink = 0, [0.5, 1, 9, -3]
    mask = np.random.default_rng(1).random((4, 5)) < 0.7
    mask[1] = not sinks
    options = {"sink": sink} if sinks else {}
    one = pullback(Q, [K], [V], G, [0.3, 1, 0, -2], mask=mask, **options)
    parts, given = enclose_pullback(one, BITS), levelled(one)
    logits, of_sinks = evaluate_logit_gradients(given, level, tuples=True)
    assert logits is not None
    every = [(logits, parts.logits[:, None])]
    if parts.sink is not None:
        every.append((of_sinks, parts.sink))
    for balls, truth in every:
        for place in np.ndindex(*balls.hi.shape):
            hi, lo, radius = (float(part[place]) for part in (balls.hi, balls.lo, balls.radius))
            with arb_precision(BITS):
                assert abs(truth[place] - arb(hi) - arb(lo)) <= arb(radius)
    assert ((logits.radius == 0) == (~mask | (np.arange(4) == 2)[:, None])[:, None]).all()


@pytest.mark.parametrize("level", ["single", "double"])
def test_a_sink_has_a_gradient_where_no_token_is_seen(
    level: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single, "_ELEMENTS", 1)
    monkeypatch.setattr(pairs, "ELEMENTS", 1)
    Q, K, V, G = normal(0, (4, 3), (2, 3), (2, 3), (4, 3))
    one = pullback(Q, [K], [V], G, [0.75, 1, 1, 1], mask="causal", sink=[1.0, 2, 3, 4])
    _, sinks = evaluate_logit_gradients(levelled(one), level, tuples=False)
    assert abs(sinks.hi[0] - 0.75) <= sinks.radius[0] < 2.0**-40


def test_a_weight_that_vanishes_beside_a_sink_is_no_zero() -> None:
    found = kvfloor.tensor_attention_gradients_rounded(
        [1.0], [[[1.0], [2]]], [[[1.0], [2]]], [1.0], dtype="float32", bias=[0.0, 0.0],
        sink=2000, rounding="up",
    )  # fmt: skip
    assert (found.bias == 2.0**-149).all()


def test_what_underflows_is_no_zero() -> None:
    """A key of 2**-1060 beside one of 1 that is hidden: the gradient is tiny, and not zero."""
    keys = [[[1.0, 0], [0, 2.0**-1060], [0, 1]]]
    values, mask = [[[1.0], [2], [3]]], [True, True, False]
    found = kvfloor.tensor_attention_gradients_rounded(
        [1.0, 1], keys, values, [1.0], dtype="float32", mask=mask, rounding="up"
    )
    assert found.query[1] == 2.0**-149


def test_nothing_is_claimed_out_of_range() -> None:
    """Logits that no level reaches, and a power of two that none holds."""
    far = pullback([[2.0**30]], [[[1.0], [2]]], [[[1.0], [2]]], [[1.0]])
    for level in LEVELS:
        assert all(np.isinf(balls.radius).all() for balls in enclosed(far, level))
    for query, value in ((2.0**-600, 1.0), (1.0, 2.0**600)):
        one = pullback([[query]], [[[1.0], [2]]], [[[value], [2 * value]]], [[1.0]])
        prepared = prepare_problem(one.problem)
        assert prepared is not None
        rest = one.problem.scale, one.problem.mask, one.problem.terms
        assert operands_of(prepared, one.problem.queries, one[1:], *rest) is None


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("few", [0, 2**20])
def test_levels_settle_what_they_can(order: int, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is left for double-double goes on alone, or with all others."""
    monkeypatch.setattr(settling, "FEW", few)
    n = 30 // order
    Q, G, bias, *rest = normal(order, (40, 8), (40, 8), (40, *[n] * order), *[(n, 8)] * 2 * order)
    terms: dict[str, Any] = {"bias": bias, "sink": bias.ravel()[:40], "mask": "causal"}
    for dtype in ("float32", "float64"):
        layers = GradientLayers()
        kvfloor.tensor_attention_gradients_rounded(
            Q, rest[:order], rest[order:], G, dtype=dtype, layers=layers, **terms
        )
        assert layers.single > 0 if dtype == "float32" else layers.double > 0
        assert layers.balls == layers.exact == layers.residues == 0
