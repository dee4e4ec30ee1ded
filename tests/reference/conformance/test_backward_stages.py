"""Which stage spoils a gradient, and what it is as if."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kernels import backward as right
from kernels.wrong_backward import WRONG_BACKWARDS
from kernels.wrong_backward_joined import WRONG_JOINED
from kvfloor.conformance import (
    Backward,
    BackwardCase,
    Case,
    Draft,
    as_entry,
    check_backward,
    judge_gradients,
)
from kvfloor.conformance.backward.bounds import find_bounds
from kvfloor.conformance.backward.faults import NO_FAULT, faults_of, plain_gradients
from kvfloor.conformance.backward.stages import find_gradient_stage
from kvfloor.conformance.backward.truth import find_gradients

PAGE = (Path(__file__).parents[3] / "docs" / "backward.md").read_text()
ALL: dict[str, Any] = {"sink": True, "softcap": 3, "bias": "array", "gradients": ("bias", "sink"),
                       "logsumexp_cotangent": True}  # fmt: skip

EXPLAINED = {
    "no-mask": "p, as if there were no mask",
    "always-causal": "p, as if the mask were causal",
    "mask-from-the-top-left": "p, as if the mask began at the top left",
    "natural-for-binary": "p",
    "no-D": "D, as if D were left out",
    "D-added": "D, as if D were added",
    "D-in-half": "D or dP",
    "dq-is-zero": "products",
    "dq-without-scale": "products, as if dq had no scale",
    "dk-with-scale-twice": "products, as if dK had the scale twice",
    "first-of-a-group": "products, as if one head of a group added to dK and dV",
    "mean-of-a-group": "products, as if dK and dV were means over a group",
    "block-overwritten": "products",
    "cotangent-of-the-row-before": "ds",
    "last-block-of-tokens-dropped": "tokens, as if token 36 of 37 were left out",
    "last-block-of-queries-dropped": "queries, as if query 12 to 14 of 15 were left out",
    "dP-is-stored": "D or dP",
    "dq-is-cut-off": "roundings, of which there are more or larger ones than is declared",
    "sink-not-in-the-sum": "p",
    "sink-gradient-of-the-other-sign": "sums, as if the gradient of the sink had the other sign",
    "slope-left-out": "ds, as if the slope of the cap were left out",
    "slope-twice": "ds",
    "cap-of-the-forward-pass-alone": "p",
    "bias-gradient-under-the-slope": "sums, as if the gradient of the bias had the slope of the "
    "cap",
    "bias-gradient-of-one-of-the-batch": "sums, as if the gradient of the bias were the first of "
    "those that it sums",
    "bias-gradient-a-mean": "sums",
    "logsumexp-cotangent-left-out": "D, as if the cotangent of the log-sum-exp were left out",
    "logsumexp-cotangent-subtracted": "D, as if the cotangent of the log-sum-exp were subtracted",
}


@pytest.mark.parametrize("name", sorted(EXPLAINED))
def test_the_stage_is_named(name: str) -> None:
    (wrong,) = (one for one in (*WRONG_BACKWARDS, *WRONG_JOINED) if one.name == name)
    report = check_backward(wrong.build(), flags=[wrong.flag], examples=0, **wrong.declared)
    (failure,) = report.failures
    assert failure.message.endswith(f"; it comes from the {EXPLAINED[name]}")
    assert failure.message.startswith(("dq[", "dK[", "dV[", "dbias[", "dsink["))


def test_a_fault_explains_all_cases() -> None:
    """Where the first key is zero, a dq of zero is one to which the last token does not add."""
    (wrong,) = (one for one in WRONG_BACKWARDS if one.name == "dq-is-zero")
    of = Backward(wrong.build(), **wrong.declared)
    rng = np.random.default_rng(0)
    cases = []
    for first in (0, 1):
        q, K, V, G = (rng.normal(size=(1, 1, n, 3)).astype(np.float32) for n in (2, 2, 2, 2))
        K[:, :, 0] *= first
        cases.append(of.case(Case(q, (K,), (V,), 0.5, None), G))
    special, usual = cases
    assert find_gradient_stage(of, [special]) == "products, as if the last token did not add to dq"
    assert find_gradient_stage(of, [special, usual]) == "products"


def test_what_is_little_is_not_explained() -> None:
    """Numbers a little beyond their bounds are within what faults are told by."""
    (wrong,) = (one for one in WRONG_BACKWARDS if one.name == "one-element-off")
    of = Backward(wrong.build(), **wrong.declared)
    rng = np.random.default_rng(0)
    q, K, V, G = (rng.normal(size=(1, 1, n, 3)).astype(np.float32) for n in (2, 2, 2, 2))
    case = of.case(Case(q * 0, (K,), (V,), 0.5, None), G)
    bound = find_bounds(of, case, find_gradients(case), dict.fromkeys(
        ("dq", "dK", "dV"), of.inputs))  # fmt: skip
    right = find_gradients(case).middle

    def off(*_: Any, **__: Any) -> Any:
        found = {name: right[name].astype(np.float32) for name in right}
        found["dV"] = (right["dV"] + 1.5 * bound["dV"]).astype(np.float32)
        return tuple(found.values())

    near = Backward(off, dtype="float32", accumulate="float32")
    assert judge_gradients(near, case).problem is not None
    told = find_gradient_stage(near, [case])
    assert told == "roundings, of which there are more or larger ones than is declared"


def test_the_page_counts_the_faults() -> None:
    counts = []
    for terms in ({}, ALL):
        of = Backward(right.materialised, dtype="float32", accumulate="float32", grouped=True,
                      mask="causal", **terms)  # fmt: skip
        entry = as_entry("gradient-groups")
        draft = Draft(of, entry.largest(of), 0, coarse=False)
        long = draft.with_size(batch=1, kv_heads=1, queries=255, lengths=(255,), d=1, d_v=1)
        case = entry.build(long)[0]
        assert isinstance(case, BackwardCase)
        counts.append(len(list(faults_of(case))))
    assert "Up to {} single faults, or {} with all terms,".format(*counts) in PAGE


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("flag", ["gradient", "gradient-bias-axes"])
def test_the_plain_pass_is_right_without_a_fault(order: int, flag: str) -> None:
    of = Backward(print, order=order, dtype="float64", accumulate="float64", grouped=True,
                  mask="causal", **ALL)  # fmt: skip
    entry = as_entry(flag)
    for case in entry.build(Draft(of, entry.largest(of), 0, coarse=False)):
        assert isinstance(case, BackwardCase)
        right, plain = find_gradients(case).middle, plain_gradients(case, NO_FAULT)
        assert set(right) == set(plain) >= {"dq", "dbias", "dsink"}
        for name, array in right.items():
            np.testing.assert_allclose(plain[name], array, rtol=0, atol=1e-14)
        for fault in faults_of(case):  # each makes a difference
            faulty = plain_gradients(case, fault)
            if "bias were" in fault.told and len(faulty["dbias"]) > 1 and len(case.query) == 1:
                continue
            assert any(np.abs(faulty[k] - right[k]).max() > 1e-9 for k in right), fault.told
