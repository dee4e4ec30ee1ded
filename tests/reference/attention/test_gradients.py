"""Gradients: the definition, its laws, and its enclosures, against derivatives of attention."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
from flint import arb
from hypothesis import given
from hypothesis import strategies as st

from gradient_truth import BITS, BackwardCase, draw_case, entries, true_gradients
from kvfloor import Gradients, InputError, enclose_gradients, tensor_attention_gradients
from kvfloor.numbers import arb_precision, as_fraction, mpmath_precision, to_fmpq

Array = Any
DIGITS = 30
EPSILON = mpmath.mpf(10) ** -DIGITS

seeds = st.integers(0, 2**32)
orders = st.sampled_from((1, 2, 3))


def defined(case: BackwardCase, **changed: Any) -> Gradients:
    options = case.options | {"digits": DIGITS} | changed
    return tensor_attention_gradients(*case.arguments, **options)


def sizes(case: BackwardCase) -> dict[str, Array]:
    """The sums that define gradients with absolute values for terms, from above, in float64.

    Weights and slopes are at most 1, so |dz_t| is at most 2·max_t Σ_c |G_c·v_tc| + |g|.
    """
    absolute = {name: np.abs(np.where(np.isinf(A), 0, A)) for name, A in case.given.items()}
    G = np.abs(case.cotangent)
    g = 0 if case.logsumexp_cotangent is None else np.abs(case.logsumexp_cotangent).max()
    largest_v = np.prod([absolute[f"values {r}"].max() for r in range(case.order)])
    queries, tuples = G[..., 0].size, np.prod([A.shape[-2] for A in case.keys])
    dz = 2 * G.sum(axis=-1).max() * largest_v + g
    found = {"query": tuples, "bias": queries * tuples, "sink": queries}
    size = {name: np.float64(count * dz) for name, count in found.items()}
    scale = 1 if case.scale == "1/sqrt(d)" else float(case.scale)
    keys = [absolute[f"keys {r}"].max() for r in range(case.order)]
    size["query"] *= scale * np.prod(keys)
    for r in range(case.order):
        others = np.prod([keys[s] for s in range(case.order) if s != r])
        size[f"keys {r}"] = queries * tuples * dz * scale * absolute["query"].max() * others
        values = [absolute[f"values {s}"].max() for s in range(case.order) if s != r]
        size[f"values {r}"] = queries * tuples * G.max() * np.prod(values)
    return {name: size[name] for name in case.given}


def to_arb(x: mpmath.mpf) -> arb:
    return arb(to_fmpq(as_fraction(x if abs(x) > 1e-300 else 0, "x")))


# --- against derivatives of the definition of attention ------------------------------------


@pytest.mark.parametrize("heads", [False, True])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_the_definition_and_the_balls_are_derivatives_of_attention(order: int, heads: bool) -> None:
    for seed in range(9):
        case = draw_case(seed, order, heads=heads)
        truth, size = true_gradients(case), sizes(case)
        found, balls = (
            entries(defined(case)),
            entries(enclose_gradients(*case.arguments, **case.options)),
        )
        assert found.keys() == balls.keys() == truth.keys()
        for name, true in truth.items():
            assert found[name].shape == balls[name].shape == true.shape
            rows = zip(found[name].flat, balls[name].flat, true.flat, strict=True)
            with arb_precision(BITS):
                for x, ball, exact in rows:
                    assert abs(to_arb(x) - exact) <= arb(10) ** -DIGITS * (size[name] + 1e-250)
                    assert ball.overlaps(exact), (seed, name)
                    assert ball.rad() <= arb(2) ** -120 * (size[name] + 1e-250)


def test_the_masks_of_cases_leave_rows_empty_and_biases_drop_tuples() -> None:
    """What the tests above are run on is what they are for."""
    cases = [draw_case(seed, order) for seed in range(12) for order in (1, 2, 3)]
    seen = [case.seen for case in cases if case.seen is not None]
    assert any(not row.any() for mask in seen for row in mask)
    assert any((case.given["bias"] == -np.inf).any() for case in cases if "bias" in case.given)
    for part in ("bias", "sink"):
        assert {part in case.given for case in cases} == {False, True}
    assert {case.softcap is None for case in cases} == {False, True}


@pytest.mark.parametrize("bits", [24, 500])
def test_more_bits_give_narrower_balls(bits: int) -> None:
    case = draw_case(3, 2)
    truth = true_gradients(case, 4 * bits + 200)
    for name, balls in entries(
        enclose_gradients(*case.arguments, **case.options, bits=bits)
    ).items():
        for ball, exact in zip(balls.flat, truth[name].flat, strict=True):
            assert ball.overlaps(exact)
            assert ball.rad() <= (sizes(case)[name] + 1e-250) * 2.0 ** (8 - bits)


def test_a_dominated_row_keeps_its_accuracy() -> None:
    """One weight is 1 - e^-1000: what is left of its gradient is known relatively."""
    found = enclose_gradients([1], [[[1000], [0]]], [[[3], [5]]], [1])
    for ball in (*found.query, *found.keys[0].ravel(), found.values[0][1, 0]):
        assert ball.rel_accuracy_bits() > 110
    assert abs(found.query[0]) < arb(2) ** -1400


def test_large_logits_cost_no_accuracy() -> None:
    found = enclose_gradients([1], [[[2.0**60], [2.0**60 - 512]]], [[[3], [5]]], [1], scale=2.0**-9)
    for ball in (*found.query, *found.keys[0].ravel(), *found.values[0].ravel()):
        assert ball.rel_accuracy_bits() > 120


# --- laws ----------------------------------------------------------------------------------


def drawn(seed: int, order: int) -> BackwardCase:
    """A case with a bias for each logit, so that all gradients of logits are seen."""
    case = draw_case(seed, order)
    lengths = tuple(map(len, case.keys))
    rng = np.random.default_rng(seed)
    case.given["bias"] = rng.normal(size=(*case.cotangent.shape[:-1], *lengths))
    case.given["sink"] = rng.normal(size=case.cotangent.shape[:-1])
    return case


@given(seeds, orders)
def test_gradients_of_logits_sum_to_the_cotangent_of_the_logsumexp(seed: int, order: int) -> None:
    case = drawn(seed, order)
    found, size = defined(case), sizes(case)
    g = case.logsumexp_cotangent
    for b, (row, sink) in enumerate(zip(found.bias, found.sink, strict=True)):
        with mpmath_precision(300):
            error = mpmath.fsum([*row.flat, sink]) - (0 if g is None else mpmath.mpf(g[b]))
            assert abs(error) <= EPSILON * float(size["bias"] + size["sink"])


@given(seeds, orders)
def test_gradients_are_orthogonal_to_the_symmetries(seed: int, order: int) -> None:
    """Factors τ and 1/τ in a column of keys and of queries, or of another slot, change nothing.

    So Σ_j K_r[j,c]·dK_r[j,c] is the same number for all slots, and Σ_b q_bc·dq_bc is it, too; for
    values the slots agree. And one vector added to all keys of order 1 adds σ⟨q, x⟩ to every
    logit but the sink's: Σ_j dK_1[j] = σ Σ_b q_b·(g_b - dsink_b).
    """
    case = drawn(seed, order)
    found, size = defined(case), sizes(case)
    Q, K, V = case.arguments[:3]
    with mpmath_precision(300):
        moments = [(Q * found.query).sum(axis=0)]
        moments += [(K_r * dK_r).sum(axis=0) for K_r, dK_r in zip(K, found.keys, strict=True)]
        value = [(V_r * dV_r).sum(axis=0) for V_r, dV_r in zip(V, found.values, strict=True)]
        bound = EPSILON * float(sum(np.abs(A).sum() * size[name] for name, A in case.given.items()
                                    if name not in ("bias", "sink")))  # fmt: skip
        for same in (moments, value):
            for one in same[1:]:
                assert all(abs(x - y) <= 2 * bound for x, y in zip(one, same[0], strict=True))
        if order == 1 and case.softcap is None and case.scale != "1/sqrt(d)":
            g = np.zeros(len(Q)) if case.logsumexp_cotangent is None else case.logsumexp_cotangent
            right = (Q * (g - found.sink)[:, None]).sum(axis=0) * mpmath.mpf(float(case.scale))
            left = found.keys[0].sum(axis=0)
            share = len(K[0]) * float(size["keys 0"]) + float(size["sink"]) * np.abs(Q).sum()
            rounded = 1e-15 if case.scale not in (1, 0.5) else 0  # 1/3 in float64, in this test
            assert all(
                abs(x - y) <= EPSILON * share + rounded * abs(y)
                for x, y in zip(left, right, strict=True)
            )


@given(seeds, orders)
def test_gradients_are_linear_in_the_cotangents(seed: int, order: int) -> None:
    case = drawn(seed, order)
    rng = np.random.default_rng(seed)
    other = rng.integers(-4, 5, size=case.cotangent.shape) / 4
    g = rng.integers(-4, 5, size=case.cotangent.shape[:-1]) / 4
    options = case.options | {"digits": DIGITS}
    first = case.cotangent.round(3).astype(np.float16).astype(float)
    at: list[dict[str, Array]] = []
    for G, h in ((first, 2 * g), (other, g), (first + 2 * other, 4 * g)):
        options["logsumexp_cotangent"] = h
        query, keys, values, _ = case.arguments
        at.append(entries(tensor_attention_gradients(query, keys, values, G, **options)))
    case.cotangent, case.logsumexp_cotangent = np.abs(first) + 2 * np.abs(other), 4 * np.abs(g)
    for name, size in sizes(case).items():
        for x, y, z in zip(*(part[name].flat for part in at), strict=True):
            with mpmath_precision(300):
                assert abs(x + 2 * y - z) <= 4 * EPSILON * float(size + 1e-250)


@given(seeds, orders)
def test_tokens_may_be_permuted(seed: int, order: int) -> None:
    case = draw_case(seed, order)
    case.mask = case.seen = None
    case.given.pop("bias", None)
    plain = entries(defined(case))
    order_of = np.random.default_rng(seed).permutation(len(case.keys[0]))
    for name in ("keys 0", "values 0"):
        case.given[name] = case.given[name][order_of]
    size = sizes(case)
    for name, found in entries(defined(case)).items():
        expected = plain[name][order_of] if name in ("keys 0", "values 0") else plain[name]
        for x, y in zip(found.flat, expected.flat, strict=True):
            assert abs(x - y) <= 2 * EPSILON * float(size[name] + 1e-250)


def test_an_empty_row_contributes_nothing() -> None:
    rng = np.random.default_rng(0)
    Q, K, V, G = (rng.normal(size=(3, 2)) for _ in range(4))
    mask = np.array([[True, True, False], [False] * 3, [True] * 3])
    g = [1.0, 2.0, 3.0]
    for gradients in (tensor_attention_gradients, enclose_gradients):
        found = gradients(Q, [K], [V], G, mask=mask, logsumexp_cotangent=g)
        rest = [0, 2]
        fewer = gradients(Q[rest], [K], [V], G[rest], mask=mask[rest], logsumexp_cotangent=[1, 3])
        assert all(x == 0 for x in found.query[1])
        for x, y in zip(found.keys[0].flat, fewer.keys[0].flat, strict=True):
            assert abs(float(x) - float(y)) < 1e-15
        bias = np.where(mask, 0.0, -np.inf)
        dropped = gradients(Q, [K], [V], G, bias=bias, logsumexp_cotangent=g)
        assert all(x == 0 for x in dropped.bias[~mask])


def test_a_single_query_has_gradients_in_its_own_shape() -> None:
    found = tensor_attention_gradients([0], [[[1], [3]]], [[[2], [4]]], [1], sink=0, bias=[0, 0])
    assert (found.query.shape, found.sink.shape, found.bias.shape) == ((1,), (), (2,))
    assert float(found.sink) == pytest.approx(-2 / 3)


# --- refusals ------------------------------------------------------------------------------


@pytest.mark.parametrize("gradients", [tensor_attention_gradients, enclose_gradients])
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"cotangent": [[1.0]]}, r"cotangent: expected shape \(2, 2\), as the output has"),
        ({"cotangent": [[1.0, 2]] * 3}, r"cotangent: expected shape \(2, 2\)"),
        ({"cotangent": [[1.0, np.nan]] * 2}, r"cotangent\[0\]\[1\]: expected a finite real"),
        ({"logsumexp_cotangent": [1.0]}, r"logsumexp_cotangent: expected shape \(2,\)"),
        ({"logsumexp_cotangent": [1, -np.inf]}, "logsumexp_cotangent: expected finite numbers"),
        ({"scale": 0}, "scale: expected"),
        ({"mask": [True]}, "mask: expected"),
        ({"softcap": -1}, "softcap: expected"),
    ],
)
def test_bad_input_is_named(gradients: Any, changed: dict[str, Any], message: str) -> None:
    eye = np.eye(2)
    given_ = {"query": eye, "keys": [eye], "values": [eye], "cotangent": eye} | changed
    with pytest.raises(InputError, match=message):
        gradients(**given_)


def test_counts_are_refused_by_name() -> None:
    with pytest.raises(InputError, match="digits: expected a whole number >= 1"):
        tensor_attention_gradients([1], [[[1]]], [[[1]]], [1], digits=0)
    with pytest.raises(InputError, match="bits: expected a whole number >= 2"):
        enclose_gradients([1], [[[1]]], [[[1]]], [1], bits=1)
