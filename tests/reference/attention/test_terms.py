"""Soft cap, bias and sink: one definition, three readings, the fast levels, what is decided."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import exp, prod
from typing import Any

import numpy as np
import pytest
from flint import arb, fmpq
from hypothesis import given
from hypothesis import strategies as st

import kvfloor
from kvfloor import InputError, Layers, enclose, tensor_attention, tensor_attention_rounded
from kvfloor.attention.fast import (
    Balls,
    evaluate_double,
    evaluate_refined,
    evaluate_single,
    joined,
    prepare,
    refined,
)
from kvfloor.attention.fast.exponential import LN2, LOG2_E, exp_double, exp_double_error
from kvfloor.attention.grouping import ExactAttention
from kvfloor.attention.heads import as_problems
from kvfloor.attention.inputs import as_scale
from kvfloor.attention.terms import Terms
from kvfloor.numbers import arb_precision, as_fraction, to_fmpq

Array = Any
BITS = 300
LOW = (-np.inf, -1e4, -1e9, -3.4e38, -2000.0, -800.0)


def draw_case(rng: np.random.Generator, m: int) -> tuple[Array, list[Array], list[Array], Any]:
    """Queries, keys and values of order m with biases, sinks and caps of every size."""
    d, d_v, b = rng.integers(1, 6), rng.integers(1, 4), rng.integers(1, 4)
    lengths = [int(rng.integers(1, {1: 24, 2: 7, 3: 4}[m])) for _ in range(m)]
    Q = rng.normal(size=(b, d)) * rng.choice([0.3, 1, 10])
    K, V = ([rng.normal(size=(n, width)) for n in lengths] for width in (d, d_v))
    shapes: list[tuple[int, ...]] = [(int(b), *lengths), tuple(lengths), (1,) * m]
    shape = shapes[rng.integers(3)]
    bias = rng.normal(size=shape) * rng.choice([0.1, 10, 100])
    bias = np.where(rng.random(shape) < 0.2 * rng.integers(2), rng.choice(LOW), bias)
    sink = rng.normal(size=b) * rng.choice([1, 30, 3000, 1e7])
    terms = {
        "bias": bias if rng.random() < 0.8 else None,
        "sink": sink,  # so that every row has an answer
        "softcap": float(rng.choice([0.5, 15, 50, 1000])) if rng.random() < 0.5 else None,
    }
    return Q, K, V, terms


def truth(q: Array, K: list[Array], V: list[Array], terms: Terms) -> list[arb]:
    """Outputs and log-sum-exp of one query, tuple by tuple, in balls; scale 1."""
    d, d_v = len(q), V[0].shape[1]
    logits: list[arb] = []
    values: list[list[arb]] = []
    for t in product(*(range(len(K_r)) for K_r in K)):
        bias = 0.0 if terms.bias is None else float(terms.bias[t])
        if bias == -np.inf:
            continue
        s = sum((arb(float(q[c])) * _product(K, t, c) for c in range(d)), arb(0))
        if terms.softcap is not None:
            cap = arb(fmpq(*Fraction(terms.softcap).as_integer_ratio()))
            s = (s / cap).tanh() * cap
        logits.append(s + arb(bias))
        values.append([_product(V, t, c) for c in range(d_v)])
    sinks = [] if terms.sink is None else [arb(float(terms.sink))]
    top = max((s.mid() for s in logits + sinks), key=float)
    e = [(s - top).exp() for s in logits]
    total: arb = sum(e, sum(((s - top).exp() for s in sinks), arb(0)))
    found = [sum((x * v[c] for x, v in zip(e, values, strict=True)), arb(0)) for c in range(d_v)]
    return [*(x / total for x in found), total.log() + top]


def _product(matrices: list[Array], t: tuple[int, ...], c: int) -> arb:
    return prod((arb(float(A[j, c])) for A, j in zip(matrices, t, strict=True)), start=arb(1))


def truths(Q: Array, K: list[Array], V: list[Array], given_: dict[str, Any]) -> list[list[arb]]:
    lengths = tuple(map(len, K))
    bias = given_["bias"]
    biases = None if bias is None else np.broadcast_to(bias, (len(Q), *lengths))
    with arb_precision(BITS):
        return [
            truth(q, K, V, Terms(None if biases is None else biases[i], given_["sink"][i],
                                 given_["softcap"]))
            for i, q in enumerate(Q)
        ]  # fmt: skip


def shares(balls: Balls, exact: list[arb]) -> list[float]:
    """How much of each radius is used, after checking that it holds the truth."""
    found = []
    numbers = (part.ravel().tolist() for part in (balls.hi, balls.lo, balls.radius))
    for hi, lo, radius, x in zip(*numbers, exact, strict=True):
        if radius == np.inf:
            continue
        with arb_precision(BITS):
            error = abs(x - arb(hi) - arb(lo))
            assert error <= arb(radius), (hi, lo, radius, x)
            found.append(float((error / arb(radius)).upper()) if radius else 0.0)
    return found


@given(st.integers(0, 2**32), st.sampled_from((1, 2, 3)))
def test_every_level_holds_the_truth(seed: int, m: int) -> None:
    Q, K, V, given_ = draw_case(np.random.default_rng(seed), m)
    exact = truths(Q, K, V, given_)
    (problem,), _ = as_problems(Q, K, V, 1, None, Terms(**given_))
    shared = prepare(problem.keys, problem.values)
    for evaluate in (evaluate_single, evaluate_double):
        found = evaluate(shared, Q, problem.scale, problem.mask, problem.terms)
        shares(found.output, [x for row in exact for x in row[:-1]])
        shares(found.logsumexp, [row[-1] for row in exact])
    if m == 1:
        rows, columns = (x.ravel() for x in np.indices((len(Q), len(exact[0]))))
        places = rows, columns
        balls = evaluate_refined(shared, Q, problem.scale, problem.mask, places, problem.terms)
        shares(balls, [x for row in exact for x in row])
    balls_ = enclose(Q, K, V, **given_)
    for i, row in enumerate(exact):
        assert all(x.overlaps(y) for x, y in zip(balls_.output[i], row, strict=False))
        assert balls_.logsumexp[i].overlaps(row[-1])


def test_most_numbers_are_settled_without_balls() -> None:
    """Masks by large negative numbers, caps and sinks do not send numbers to the balls."""
    rng = np.random.default_rng(0)
    Q, K, V = (rng.normal(size=(n, 16)) for n in (32, 200, 200))
    bias = np.where(rng.random((32, 200)) < 0.3, np.finfo(np.float32).min, 0.0)
    for terms in ({"bias": bias}, {"sink": 2.0}, {"softcap": 30}, {"bias": bias, "softcap": 5}):
        for dtype in ("float32", "float64"):
            layers = Layers()
            tensor_attention_rounded(Q, [K], [V], dtype=dtype, layers=layers, **terms)
            assert layers.balls + layers.exact == 0


@given(st.integers(0, 2**32), st.sampled_from((1, 2)))
def test_both_readings_agree(seed: int, m: int) -> None:
    Q, K, V, given_ = draw_case(np.random.default_rng(seed), m)
    lengths = tuple(map(len, K))
    bias = given_["bias"]
    one = {
        "bias": None if bias is None else np.broadcast_to(bias, (len(Q), *lengths))[0],
        "sink": float(np.clip(given_["sink"][0], -3000, 3000)),
        "softcap": given_["softcap"],
    }
    x = tensor_attention(Q[0], K, V, digits=30, **one)
    y = kvfloor.tensor_attention_khatri_rao(Q[0], K, V, digits=30, **one)
    size = np.prod([np.abs(V_r).max(axis=0) for V_r in V], axis=0)
    assert all(abs(a - b) <= 2e-30 * s for a, b, s in zip(x.output, y.output, size, strict=True))
    assert abs(x.logsumexp - y.logsumexp) <= 2e-30 * max(1, abs(x.logsumexp))
    balls = enclose(Q[0], K, V, **one)
    for a, ball, s in zip(x.output, balls.output, size, strict=True):
        near = to_fmpq(as_fraction(a if abs(a) > 1e-300 else 0, "output"))
        with arb_precision(BITS):
            assert abs(ball - near) <= arb(2e-30 * (s + 1))


# --- what they mean ------------------------------------------------------------------------


def test_a_sink_is_a_token_with_key_and_value_zero_and_a_bias() -> None:
    rng = np.random.default_rng(1)
    Q, K, V = (rng.normal(size=(5, 4)) for _ in range(3))
    zero = np.zeros((1, 4))
    for dtype in ("float32", "float64"):
        sunk = tensor_attention_rounded(
            Q, [K], [V], dtype=dtype, sink=1.5, softcap=3, return_logsumexp=True
        )
        more = tensor_attention_rounded(
            Q,
            [np.vstack([K, zero])],
            [np.vstack([V, zero])],
            dtype=dtype,
            bias=np.array([0.0] * 5 + [1.5]),
            softcap=3,
            return_logsumexp=True,
        )
        assert (sunk.output == more.output).all()
        assert (sunk.logsumexp == more.logsumexp).all()


def test_a_bias_of_minus_infinity_is_a_mask_beside_another() -> None:
    rng = np.random.default_rng(2)
    Q, K, V = (rng.normal(size=shape) for shape in ((2, 4, 6, 8), (2, 2, 6, 8), (2, 2, 6, 3)))
    hidden = rng.random((4, 6, 6)) < 0.3
    hidden[:, range(6), range(6)] = False
    causal = np.tril(np.ones((6, 6), dtype=np.bool_))
    bias = np.where(hidden, -np.inf, 0.0)
    one = tensor_attention_rounded(Q, [K], [V], dtype="float32", mask="causal", bias=bias)
    two = tensor_attention_rounded(Q, [K], [V], dtype="float32", mask=causal & ~hidden)
    assert (one == two).all()


def test_heads_have_their_sinks_and_biases_broadcast() -> None:
    rng = np.random.default_rng(3)
    Q, K, V = (rng.normal(size=shape) for shape in ((2, 4, 5, 8), (2, 2, 7, 8), (2, 2, 7, 3)))
    sink, slopes = rng.normal(size=4), 2.0 ** -np.arange(1, 5)
    bias = slopes[:, None, None] * np.arange(-6, 1)  # ALiBi for the last query, of every head
    found = tensor_attention_rounded(Q, [K], [V], dtype="bfloat16", sink=sink, bias=bias)
    for i, h, j in np.ndindex(2, 4, 5):
        one = tensor_attention_rounded(
            Q[i, h, j], [K[i, h // 2]], [V[i, h // 2]], dtype="bfloat16",
            sink=sink[h], bias=bias[h, 0],
        )  # fmt: skip
        assert (one == found[i, h, j]).all()
    balls = enclose(Q, [K], [V], sink=sink, bias=bias)
    assert balls.output.shape == found.shape
    assert balls.logsumexp.shape == found.shape[:-1]
    assert balls.rel_accuracy_bits > 100


def test_with_a_sink_a_row_without_tuples_has_an_answer() -> None:
    K, V = np.ones((3, 2)), np.ones((3, 1))
    nothing = np.zeros(3, dtype=np.bool_)
    for terms in ({"mask": nothing}, {"bias": [-np.inf] * 3}):
        found = tensor_attention_rounded(
            [1, 1], [K], [V], dtype="float64", sink=0.1, return_logsumexp=True, **terms
        )
        assert found.output.tolist() == [0.0]
        assert found.logsumexp == 0.1
        exact = tensor_attention([1, 1], [K], [V], sink=0.1, **terms)
        assert (exact.output[0], float(exact.logsumexp)) == (0, 0.1)
        (argument,) = terms  # what hides them is what is named
        with pytest.raises(InputError, match=f"^{argument}: expected at least one tuple"):
            tensor_attention_rounded([1, 1], [K], [V], dtype="float64", **terms)
        for function in (tensor_attention, enclose):
            with pytest.raises(InputError, match=f"^{argument}: expected at least one tuple"):
                function([1, 1], [K], [V], **terms)


# --- what is decided -----------------------------------------------------------------------


def test_rational_outputs_are_found_whatever_joins_the_logits() -> None:
    K, V = np.array([[1.0], [2.0], [4.0]]), np.full((3, 1), 3.0)
    layers = Layers()
    found = tensor_attention_rounded(
        [1], [K], [V], dtype="float64", bias=[0.5, -2, -7], rounding="down", layers=layers
    )
    assert (found.tolist(), layers.exact) == ([3.0], 1)
    V = np.array([[1.0], [2.0], [6.0]])
    answer = ExactAttention([K], [V], scale="1/sqrt(d)")([1], bias=[-1, -2, -4])
    assert answer.rational(0) == 3  # the biases undo the products
    assert answer.counts == (3,)


def test_irrational_scales_keep_biases_apart() -> None:
    """√2·s + b: neither adds to the other, and only alike pairs are one group."""
    K, V = np.array([[1.0, 0], [1, 0], [2, 0]]), np.array([[1.0], [3], [5]])
    answer = ExactAttention([K], [V], scale="1/sqrt(d)")([2, 0], bias=[1, 1, 0])
    assert (answer.counts, answer.rational(0)) == ((1, 2), None)
    biases = answer.biases or ()
    assert sorted(map(int, answer.logits)) == [1, 2]
    assert sorted(map(int, biases)) == [0, 1]
    balls = enclose([2, 0], [K], [V], scale="1/sqrt(d)", bias=[1, 1, 0])
    assert answer.logsumexp(128).overlaps(balls.logsumexp)
    assert answer.enclose(128)[0].overlaps(balls.output[0])
    assert kvfloor.equal(answer[0], answer[0])
    other = ExactAttention([K], [V], scale="1/sqrt(d)")([2, 0], bias=[1, 1, 1])
    assert kvfloor.compare(answer[0], other[0]) == -1


def test_a_sink_leaves_only_zero_rational() -> None:
    K = np.zeros((2, 1))
    answer = ExactAttention([K], [[[1.0], [1.0]]])([0], sink=1)
    assert answer.rational(0) is None
    assert ExactAttention([K], [[[1.0], [-1.0]]])([0], sink=1).rational(0) == 0
    alone = ExactAttention([K], [[[1.0], [1.0]]])([0], sink=0)
    assert alone.rational(0) == Fraction(2, 3)  # three weights of one


def test_under_a_cap_equal_logits_are_found_and_the_rest_is_not_claimed() -> None:
    K, V = np.array([[3.0], [3.0]]), np.array([[1.0], [2.0]])
    answer = ExactAttention([K], [V], softcap=2)([1])
    assert answer.rational(0) == Fraction(3, 2)
    assert ExactAttention([K], [V], softcap=2)([0]).rational_logsumexp() is None
    assert ExactAttention([K[:1]], [V[:1]], softcap=2)([0], bias=[5]).rational_logsumexp() == 5
    with pytest.raises(InputError, match="softcap: expected none"):
        answer[0]


def test_a_number_beside_its_boundary_under_a_cap_is_not_decided_for_ever() -> None:
    """c·tanh(s/c) is c but for e^-(10^6): no 2**16 bits tell, and it is said."""
    with pytest.raises(InputError, match="softcap: expected one for which 65536 bits part"):
        tensor_attention_rounded(
            [500_000], [[[1]]], [[[1]]], dtype="float64", softcap=1, return_logsumexp=True,
            rounding="down",
        )  # fmt: skip


# --- errors of the levels ------------------------------------------------------------------


def test_the_errors_of_terms_are_not_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """A logit that is off by as much as `Joined.error` says takes up the radius."""
    n = 64
    values = np.where(np.arange(n) % 2, 1.0, -1.0)[:, None]
    original = joined.Joined.add
    for terms in (Terms(softcap=Fraction(2**19)), Terms(bias=np.full((1, n), 2.0**19))):

        def worst(self: joined.Joined, x: Array, q: slice, rows: slice, columns: slice) -> None:
            original(self, x, q, rows, columns)
            x += np.where(np.arange(n) % 2, 1, -1) * float(self.error(np.ones(1))[0])

        monkeypatch.setattr(joined.Joined, "add", worst)
        K = np.zeros((n, 1))
        (problem,), _ = as_problems([[1.0]], [K], [values], 1, None, terms)
        found = evaluate_single(
            prepare(problem.keys, problem.values), problem.queries, problem.scale, None, terms
        )
        exact = [arb(0)]
        used = shares(found.output, exact)
        assert used[0] > 0.5


def cap_error(softcap: Fraction, *, bits: bool) -> float:
    shared = prepare([np.ones((1, 1))], [np.ones((1, 1))])
    return float(joined.Joined.by(Terms(softcap=softcap), shared, bits=bits).error(np.ones(1))[0])


def test_errors_of_caps_are_added_up() -> None:
    """The terms of docs/fast.md, 5c."""
    u = 2.0**-53
    single = 0.4477 * 3 + 5 / 2 + 4 + 1 + 4  # max |y|·sech²y is 0.4477
    y = np.linspace(0, 3, 1001)
    assert (y / np.cosh(y) ** 2).max() <= 0.4478
    assert single <= cap_error(Fraction(1), bits=True) * float(LN2) / u <= single + 0.5
    double = exp_double_error(np.full(1, 160.0))[0] / 2 + 43 * u**2
    assert double <= cap_error(Fraction(1), bits=False) <= 2 * double


def test_caps_in_float64_and_in_pairs_are_within_their_errors() -> None:
    x = np.concatenate([np.linspace(-40, 40, 4001), 10.0 ** np.arange(-12, 6)])
    for softcap in (Fraction(1, 2), Fraction(50)):
        single = x.copy()
        cap = float(2 / softcap), float(softcap) * LOG2_E
        joined._cap_single(single, *cap)
        hi, lo = joined._cap_double((x, np.zeros_like(x)), softcap)
        with arb_precision(BITS):
            c, ln2 = arb(fmpq(softcap.numerator, softcap.denominator)), arb(2).log()
            columns = (part.tolist() for part in (x, single, hi, lo))
            for at, near, *pair in zip(*columns, strict=True):
                in_bits = (arb(at) * ln2 / c).tanh() * c / ln2
                assert abs(in_bits - arb(near)) <= cap_error(softcap, bits=True)
                exact = (arb(at) / c).tanh() * c
                assert abs(exact - sum(map(arb, pair), arb(0))) <= cap_error(softcap, bits=False)


@pytest.mark.parametrize(("sink", "least"), [(0.0, 0.5), (-13.0, 0.0), (2.0**19, 0.5)])
def test_sinks_survive_the_worst_exponentials(
    sink: float, least: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights of the tokens too large, of the sinks too small, each by all that is allowed."""
    for module, sign in ((refined, 1), (joined, -1)):

        def worst(hi: Array, lo: Array, work: Any, sign: int = sign) -> tuple[Array, Array, Array]:
            size = np.abs(hi)
            k, y, z = exp_double(hi, lo, work)
            return k, y, z + sign * 0.9 * exp_double_error(size) * y

        monkeypatch.setattr(module, "exp_double", worst)
    K, V, q = np.zeros((1, 1)), np.ones((1, 1)), np.zeros((1, 1))
    terms = Terms(sink=np.array([sink]))
    places = np.zeros(2, dtype=np.intp), np.arange(2)
    balls = evaluate_refined(prepare([K], [V]), q, as_scale(1, 1), None, places, terms)
    exact = enclose([0], [K], [V], sink=sink, bits=BITS)
    assert max(shares(balls, [*exact.output, exact.logsumexp])) > least


def test_biases_too_low_to_be_told_apart_are_not_evaluated() -> None:
    """All of a row beyond -2048: taken as that, they would weigh the same."""
    K, V = np.zeros((2, 1)), np.array([[0.0], [1.0]])
    for bias in ([-4000.0, -4001.0], [-1e9, -1e9 - 1]):
        terms = Terms(bias=np.array([bias]))
        for evaluate in (evaluate_single, evaluate_double):
            shared = prepare([K], [V])
            found = evaluate(shared, np.zeros((1, 1)), as_scale(1, 1), None, terms)
            assert np.isinf(found.output.radius).all()
        out = tensor_attention_rounded([0], [K], [V], dtype="float64", bias=bias)
        assert out[0] == 1 / (1 + exp(1))


# --- bad input -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"bias": np.zeros(4)}, r"bias: expected numbers that broadcast to shape \(2, 3\)"),
        ({"bias": [0, np.inf, 0]}, r"bias\[1\]"),
        ({"bias": [0, np.nan, 0]}, r"bias\[1\]"),
        ({"bias": np.array([0, np.inf, 0])}, r"bias\[1\]"),
        ({"bias": "causal"}, "bias"),
        ({"bias": []}, "bias: expected an array of numbers, or -inf, got an empty one"),
        ({"bias": [[0], [0, 1]]}, "bias: expected rows of one length, got a ragged sequence"),
        ({"sink": np.zeros(3)}, r"sink: expected numbers that broadcast to shape \(2,\)"),
        ({"sink": -np.inf}, "sink: expected finite numbers"),
        ({"softcap": 0}, "softcap: expected a positive rational, or None, got 0"),
        ({"softcap": "none"}, "softcap: expected a positive rational, or None"),
    ],
)
def test_refused(terms: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        tensor_attention_rounded(
            np.ones((2, 2)), [np.ones((3, 2))], [np.ones((3, 1))], dtype="float32", **terms
        )


def test_rationals_that_float64_does_not_hold_go_to_the_balls() -> None:
    layers = Layers()
    third = Fraction(1, 3)
    found = tensor_attention_rounded(
        [0], [[[1], [1]]], [[[0], [1]]], dtype="float64", bias=[0, third], layers=layers
    )
    assert layers.balls == 1
    assert abs(found[0] - 1 / (1 + np.exp(-1 / 3))) < 1e-15
    masks = [[True, False], [False, True]]  # each query has its own row of everything
    both = tensor_attention_rounded(
        [[third], [0]], [[[1], [1]]], [[[0], [1]]], dtype="float64", mask=masks,
        bias=[[0, third], [third, 1]], sink=[0, -1], return_logsumexp=True,
    )  # fmt: skip
    np.testing.assert_allclose(both.output[:, 0], [0.0, 1 / (1 + np.exp(-2))], rtol=1e-15)
    expected = [np.log(np.exp(1 / 3) + 1), np.log(np.exp(1) + np.exp(-1))]
    np.testing.assert_allclose(both.logsumexp, expected, rtol=1e-15)


def test_equality_of_numbers_looks_at_their_logits() -> None:
    V = [[0.0], [1.0]]
    x, same, other = (
        ExactAttention([[[a], [b]]], [V])([1])[0] for a, b in ((0, 1), (1, 2), (0, 2))
    )
    assert kvfloor.equal(x, same)
    assert not kvfloor.equal(x, other)
    assert kvfloor.compare(x, other) == -1
