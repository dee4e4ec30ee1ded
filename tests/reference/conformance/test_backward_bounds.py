"""E5's bounds by hand, and what they must follow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kvfloor import tensor_attention_gradients_rounded
from kvfloor.conformance import Backward, BackwardCase, Case
from kvfloor.conformance.backward.bounds import find_bounds
from kvfloor.conformance.backward.truth import find_gradients
from kvfloor.numbers import Array, as_format

U = 2.0**-24  # unit roundoff of float32
B16 = 2.0**-8  # of bfloat16
LN_2 = float(np.log(2))
OFF = abs(float(np.float32(LN_2)) - LN_2)  # of the log-sum-exp that is given
BOTH = ("output", "logsumexp")


def simple(
    dtype: str = "float32",
    V: tuple[float, ...] = (2, 4),
    K: tuple[float, ...] = (1, -1),
    q: float = 0,
) -> Case:
    """One query, zero or over like keys: both weights are a half; x = dP - D is -1 and 1."""
    form = as_format(dtype)
    keys, values = (np.array(A, float).reshape(1, 1, -1, 1).astype(form.dtype) for A in (K, V))
    return Case(np.full_like(keys[:, :, :1], q), (keys,), (values,), 1.0, None)


def bounds(case: Case, *, returned: str = "float32", G: float = 1, **declared: Any) -> Any:
    options = {"dtype": case.query.dtype.name, "accumulate": "float32", "reads": BOTH} | declared
    target = Backward(print, **options)
    one = target.case(case, np.full((*case.query.shape[:3], case.values[0].shape[3]), G))
    form = as_format(returned)
    formats = dict.fromkeys(("dq", "dK", "dV"), form)
    return find_bounds(target, one, find_gradients(one), formats)


def drift() -> float:
    """Of p: the log-sum-exp's, its two roundings, that of the difference, exp's 8u."""
    return OFF + (2 + 1) * U * LN_2 + 8 * U


def test_from_a_log_sum_exp_and_an_output() -> None:
    """Dq: δp·|x| and x's 11u and 15u, at p = 1/2; ds's product; eight roundings of what is added.

    x's: one of each dP (2, 4), one of D (3), one of the difference (1), or of two products instead.
    """
    found = bounds(simple())
    x = 0.5 * ((2 + 3 + 1 + 2 + 3) + (4 + 3 + 1 + 4 + 3)) * U
    assert found["dq"].item() == pytest.approx(drift() + x + U + 8 * U, rel=1e-4)
    assert found["dV"].ravel() == pytest.approx([drift() / 2 + U] * 2, rel=1e-4)
    assert found["dK"].ravel() == pytest.approx([0, 0], abs=1e-30)


def test_stored_p_and_ds() -> None:
    plain, stored = bounds(simple("bfloat16")), bounds(simple("bfloat16"), weights="bfloat16")
    assert stored["dq"].item() - plain["dq"].item() == pytest.approx(B16, rel=1e-3)
    assert stored["dV"][0, 0, 0, 0] - plain["dV"][0, 0, 0, 0] == pytest.approx(B16 / 2, rel=1e-3)


def test_sums_in_a_narrower_format() -> None:
    """Two terms, or one block of both; ds are a half, and keys one."""
    plain = bounds(simple("bfloat16"))["dq"].item()
    each = bounds(simple("bfloat16"), added="bfloat16")["dq"].item()
    block = bounds(simple("bfloat16"), added="bfloat16", block=2)["dq"].item()
    assert each - plain == pytest.approx(2 * B16 / (1 - 2 * B16), rel=1e-3)
    assert block - plain == pytest.approx(B16 / (1 - B16), rel=1e-3)


def test_a_narrower_result_is_rounded_once_more() -> None:
    plain = bounds(simple("bfloat16"))["dq"].item()
    rounded = bounds(simple("bfloat16"), returned="bfloat16")["dq"].item()
    assert rounded - plain == pytest.approx(2.0**-8, rel=1e-3)  # half an ulp of bfloat16 at 1


def test_what_d_is_off_by_is_shared_by_all_tuples() -> None:
    """The output 1 + 2^-9 is rounded to 1 in bfloat16: that is Σ p·k times 2^-9, which may be 0."""
    V = (1, 1 + 2.0**-8 * 2)
    same = bounds(simple("bfloat16", V, K=(1, 1)))["dq"].item()
    opposite = bounds(simple("bfloat16", V, K=(1, -1)))["dq"].item()
    truth = (V[0] + V[1]) / 2
    off = abs(truth - float(np.asarray(truth).astype(as_format("bfloat16").dtype)))
    assert off == 2.0**-8
    assert same - opposite == pytest.approx(off, rel=1e-3)
    assert opposite < off / 100
    own = bounds(simple("bfloat16", V, K=(1, 1)), reads=("logsumexp",))["dq"].item()
    assert own < off / 100
    read, not_read = (
        bounds(simple("bfloat16", V, K=(1, 1), q=2), reads=reads)["dK"][0, 0, 0, 0]
        for reads in (BOTH, ("logsumexp",))
    )
    assert read - not_read == pytest.approx(2 * off / 2, rel=1e-2)


def test_either_way_is_the_larger_of_both() -> None:
    case = simple("bfloat16", (1, 1 + 2.0**-8 * 2), K=(1, 1))
    ways = [BOTH, ("output",), ("logsumexp",), ()]
    either, each = bounds(case, reads=None), [bounds(case, reads=reads) for reads in ways]
    for name in ("dq", "dV"):
        found = [float(one[name].max()) for one in each]
        assert min(found) < 0.999 * max(found)
        assert either[name].max() >= max(found) * (1 - 1e-9)


def test_the_own_forward_pass_counts_with_its_bounds() -> None:
    pytest.importorskip("torch")
    case = simple("float32")
    given = bounds(case)["dq"].item()
    own = bounds(case, differentiable=True, arrays="torch")["dq"].item()
    assert given < own < 20 * given


def test_what_is_masked_is_exact() -> None:
    case = simple()
    masked = Case(case.query, case.keys, case.values, 1.0, np.array([[True, False]]))
    found = bounds(masked, mask="boolean")
    assert found["dV"][0, 0, 1, 0] < 1e-300 < found["dV"][0, 0, 0, 0]
    empty = Case(case.query, case.keys, case.values, 1.0, np.array([[False, False]]))
    found = bounds(empty, mask="boolean")
    assert max(float(A.max()) for A in found.values()) < 1e-300


def test_bounds_are_linear_in_the_cotangent() -> None:
    one, many = bounds(simple()), bounds(simple(), G=1024)
    for name in ("dq", "dV"):
        assert many[name] == pytest.approx(1024 * one[name], rel=1e-4)


def test_what_may_overflow_has_no_bound() -> None:
    case = simple("float16", (30000, 50000))
    assert np.isfinite(bounds(case)["dq"]).all()
    assert np.isinf(bounds(case, accumulate="float16", G=2, returned="float16")["dq"]).all()
    assert np.isinf(bounds(case, weights="float16", G=16)["dq"]).all()  # ds is beyond 65504


def test_too_many_roundings_have_no_bound() -> None:
    few, many = (simple("bfloat16", (1,) * n, K=(1,) * n) for n in (20, 300))
    narrow: dict[str, Any] = {"accumulate": "bfloat16", "returned": "bfloat16"}
    assert np.isfinite(bounds(few, **narrow)["dV"]).all()
    assert np.isinf(bounds(many, **narrow)["dq"]).all()


def test_the_truth_is_the_oracles() -> None:
    rng = np.random.default_rng(0)
    q, K, V = (rng.normal(size=(1, 2, n, 3)).astype(np.float32) for n in (4, 5, 5))
    target = Backward(print, dtype="float32", accumulate="float32")
    case = target.case(Case(q, (K[:, :1],), (V[:, :1],), 0.5, "causal"), rng.normal(size=q.shape))
    enclosed = find_gradients(case)
    oracle = tensor_attention_gradients_rounded(
        case.query, case.keys, case.values, case.cotangent, dtype="float64", scale=0.5,
        mask="causal",
    )  # fmt: skip
    right: dict[str, Array] = {
        "dq": oracle.query, "dK": oracle.keys[0], "dV": oracle.values[0],
    }  # fmt: skip
    for name, array in right.items():
        np.testing.assert_array_equal(enclosed.middle[name], array)
        assert enclosed.radius[name].max() < 1e-30
    assert isinstance(case, BackwardCase)
