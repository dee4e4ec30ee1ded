"""Sinks, soft caps and biases: bounds by hand, right ones pass, wrong ones fail by their entry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from full_size import problem
from kernels import joined
from kernels.wrong import Wrong
from kernels.wrong_joined import JOINED, WRONG_TERMS
from kvfloor import InputError, Window
from kvfloor.conformance import (
    CATALOGUE,
    Case,
    Domain,
    Draft,
    Joined,
    Target,
    check,
    entries_for,
    judge,
)
from kvfloor.conformance.terms import alibi
from kvfloor.conformance.tolerances import Tolerances, find_tolerances
from kvfloor.conformance.truth import find_truth
from kvfloor.numbers import as_format
from seeds import LAST_SEED

OF_TERMS = {
    entry.flag
    for entry in CATALOGUE
    if entry.unless(Target(print, dtype="float32", accumulate="float32", mask="causal"))
    and any(word in entry.flag for word in ("sink", "cap", "bias", "alibi"))
}
LARGE = {"long-context", "heads", "grouped-heads", "head-sizes", "long-slot", "query-tiles"}


def options(wrong: Wrong) -> dict[str, Any]:
    return {"dtype": "float32", "accumulate": "float32", "mask": "causal"} | wrong.options


def test_there_are_wrong_ones_for_every_entry() -> None:
    assert len(OF_TERMS) == 13
    assert {wrong.flag for wrong in WRONG_TERMS} - {"drawn"} == OF_TERMS
    assert len({wrong.name for wrong in WRONG_TERMS}) == len(WRONG_TERMS) >= 38


@pytest.mark.parametrize("wrong", WRONG_TERMS, ids=lambda wrong: wrong.name)
def test_it_is_caught_by_its_flag(wrong: Wrong) -> None:
    said = problem(Target(wrong.build(), **options(wrong)), wrong.flag)
    assert said is not None
    assert "raised" not in said


RIGHT: tuple[tuple[str, dict[str, Any]], ...] = (
    ("at_once", {"order": 1, "sink": True, "mask": "causal"}),
    ("at_once", {"sink": True, "softcap": 5, "bias": "array", "mask": "boolean"}),
    ("sink_last", {"order": 1, "sink": True, "bias": "alibi", "softcap": 20, "mask": "causal"}),
    ("one_pass", {"order": 1, "sink": True, "block": 4, "bias": "alibi",
                  "mask": "causal-top-left"}),
    ("at_once", {"order": 1, "softcap": 50, "bias": "array", "grouped": True}),
    ("one_pass", {"order": 1, "bias": "alibi", "block": joined.BLOCK}),
)  # fmt: skip
DTYPES = ("float32", "bfloat16", "float64", "float16")


def kernel(name: str, accumulate: str) -> Callable[..., Any]:
    """A right function that computes in a format."""
    module: dict[str, Any] = {"__name__": "joined"}
    exec(JOINED, module)
    module["ACCUMULATE"] = as_format(accumulate).dtype.type
    function: Callable[..., Any] = module[name]
    return function


SEEDS = [*range(6), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(6, LAST_SEED))]


@pytest.mark.parametrize("seed", SEEDS)
def test_no_false_alarm(seed: int) -> None:
    """Each seed another function, with other terms, and another format."""
    name, declared = RIGHT[seed % len(RIGHT)]
    dtype = DTYPES[(seed + seed // len(RIGHT)) % len(DTYPES)]
    accumulate = "float64" if dtype == "float64" else "float32"
    form: dict[str, Any] = {"dtype": dtype, "accumulate": accumulate}
    applied = entries_for(Target(print, **form, **declared))
    flags = [entry.flag for entry in applied if entry.flag not in LARGE]
    function = kernel(name, accumulate)
    report = check(function, examples=1, seed=seed, flags=flags, **form, **declared)
    assert report.ok, str(report)
    assert report.unbounded < report.elements / 50


def single(logits: Any, values: Any, **terms: Any) -> Case:
    """Order 1, one query, logits by one column; the values have one column."""
    n = len(logits)
    keys, given = (np.array(x, np.float32).reshape(1, 1, n, 1) for x in (logits, values))
    return Case(np.ones((1, 1, 1, 1), np.float32), (keys,), (given,), 1.0, None,
                terms=Joined(**terms))  # fmt: skip


def bounds(case: Case, **declared: Any) -> Tolerances:
    form = as_format("float32")
    target = Target(print, dtype="float32", accumulate="float32", order=1, **declared)
    truth = find_truth(case, output=form, logsumexp=form)
    return find_tolerances(target, case, truth, output=form, logsumexp=form)


U = 2.0**-24


def test_a_sink_is_a_tuple_of_value_zero() -> None:
    """One value of 4 beside a sink of the same logit 1000: both are off by 6u·1000, each alone."""
    found = bounds(single([1000.0], [4.0], sink=np.array([1000.0])), sink=True).output.item()
    # the output is 2, from which both values deviate by 2
    assert found == pytest.approx(2 * 6 * 1000 * U, rel=1e-2)
    # far below it weighs nothing; one rescaling more is a product and a rounding of the sum
    far = bounds(single([0.0], [4.0], sink=np.array([-1e4])), sink=True).output.item()
    assert far == pytest.approx(4 * (3 + 1 + 8) * U, rel=1e-4)


def test_the_sink_of_a_head_is_its_own() -> None:
    sinks = (1000.0, -1e4)
    each = [single([1000.0], [4.0], sink=np.array([sink])) for sink in sinks]
    whole = replace(
        each[0],
        query=np.ones((1, 2, 1, 1), np.float32),
        terms=Joined(sink=np.array(sinks)),
    )
    found = bounds(whole, sink=True).output
    assert found.ravel().tolist() == [bounds(one, sink=True).output.item() for one in each]


def test_a_cap_passes_errors_on_and_adds_that_of_its_tanh() -> None:
    """Logits of 1000 under a cap of 10 are off by 11u·1000, and by 8u·10."""
    both = bounds(single([1000.0, 1000.0], [0.0, 4.0], softcap=10.0), softcap=10.0)
    assert both.output.item() == pytest.approx(2 * (11 * 1000 + 8 * 10) * U, rel=1e-2)
    more = bounds(single([1000.0] * 2, [0.0, 4.0], softcap=10.0), softcap=10.0, exp_ulps=64)
    assert more.output.item() - both.output.item() == pytest.approx(
        2 * (128 - 8) * (10 + 1 + 1) * U, rel=3e-2
    )  # of tanh, of exp, of the quotient


def test_a_bias_is_rounded_and_so_is_its_sum() -> None:
    """Logits of 0 and biases of -1000: 7u·1000 for each."""
    bias = np.full((1, 1, 2), -1000.0, np.float32)
    found = bounds(single([0.0, 0.0], [0.0, 4.0], bias=bias), bias="array").output.item()
    assert found == pytest.approx(2 * 7 * 1000 * U, rel=1e-2)


@pytest.mark.parametrize("mask", [None, np.ones((1, 3), dtype=np.bool_)])
def test_a_bias_of_minus_infinity_drops_a_tuple(mask: Any) -> None:
    case = single([0.0, 50.0, 1.0], [1.0, 2.0, 3.0], bias=np.array([[[0.0, -np.inf, 0.0]]]))
    case = replace(case, mask=mask)
    assert case.kept is not None
    assert case.kept.ravel().tolist() == [True, False, True]
    less = bounds(single([0.0, 1.0], [1.0, 3.0], bias=np.zeros((1, 1, 2))), bias="array")
    assert bounds(case, bias="array").output.item() == pytest.approx(less.output.item(), rel=0.2)


def test_the_queries_compared_keep_their_biases() -> None:
    """Of ten queries the last two; the first would see other numbers."""
    rng = np.random.default_rng(0)
    q, K, V = (rng.normal(size=(1, 2, n, 3)).astype(np.float32) for n in (10, 5, 5))
    terms = Joined(bias=rng.normal(size=(2, 10, 5)).astype(np.float32))
    case = Case(q, (K,), (V,), 1.0, None, rows=(9, 8), terms=terms)
    target = Target(joined.at_once, dtype="float32", accumulate="float32", order=1, bias="array")
    assert judge(target, case).problem is None
    some = case.compared().terms.bias
    assert some is not None
    assert (some == terms.bias[:, [9, 8]]).all()  # type: ignore[index]


@pytest.mark.long
def test_large_ones() -> None:
    declared: dict[str, Any] = {"order": 1, "sink": True, "bias": "alibi", "softcap": 20}
    options: dict[str, Any] = {"dtype": "bfloat16", "accumulate": "float32"} | declared
    flags = sorted(LARGE - {"grouped-heads"})
    report = check(kernel("one_pass", "float32"), block=joined.BLOCK, mask="causal", examples=0,
                   flags=flags, **options)  # fmt: skip
    assert report.ok, str(report)
    assert max(report.visited["tokens"]) == 2**15


def test_slopes_become_distances_from_the_place_of_a_query() -> None:
    """Three queries stand at the last three of five tokens, or at the first."""
    slopes = np.array([0.5, 0.25], np.float32)
    right = alibi(slopes, 3, 5, top_left=False)
    left = alibi(slopes, 3, 5, top_left=True)
    assert right[0].tolist() == [[-1, -0.5, 0, -0.5, -1], [-1.5, -1, -0.5, 0, -0.5],
                                 [-2, -1.5, -1, -0.5, 0]]  # fmt: skip
    assert left[1].tolist() == [[0, -0.25, -0.5, -0.75, -1], [-0.25, 0, -0.25, -0.5, -0.75],
                                [-0.5, -0.25, 0, -0.25, -0.5]]  # fmt: skip


@pytest.mark.parametrize(
    ("mask", "top_left"),
    [(None, False), ("causal", False), ("causal-top-left", True),
     (Window(2, 0, top_left=True), True), (Window(2, 0), False)],
)  # fmt: skip
def test_what_a_function_is_given(mask: Any, top_left: bool) -> None:
    """A sink and slopes in the format of the arithmetic, the cap as a float."""
    seen: dict[str, Any] = {}

    def function(q: Any, K: Any, V: Any, **given: Any) -> Any:
        seen.update(given, q=q, K=K)
        return np.zeros(q.shape, q.dtype), np.zeros(q.shape[:3], np.float32)

    target = Target(function, dtype="bfloat16", accumulate="float32", order=1, sink=True, softcap=3,
                    bias="alibi", mask=mask, domain=Domain(d=4, d_v=4))  # fmt: skip
    case = check_one(target, "fewer-queries" if mask else "alibi-corners")
    assert seen["sink"].shape == seen["bias"].shape == (seen["q"].shape[1],)
    assert seen["sink"].dtype == seen["bias"].dtype == np.float32
    assert seen["softcap"] == 3.0
    n, n_q = seen["K"][0].shape[2], seen["q"].shape[2]
    assert case.terms.bias is not None
    assert (case.terms.bias == alibi(seen["bias"], n_q, n, top_left=top_left)).all()


def check_one(target: Target, flag: str) -> Case:
    """Judge the last case of an entry, and return it."""
    (entry,) = (entry for entry in CATALOGUE if entry.flag == flag)
    case = entry.build(Draft(target, entry.largest(target), 0, coarse=False))[-1]
    judge(target, case)
    return case


def test_an_array_of_biases_has_the_format_of_the_inputs() -> None:
    target = Target(print, dtype="bfloat16", accumulate="float32", bias="array")
    case = check_one(target, "hidden-by-bias")
    assert case.terms.bias is not None
    assert case.terms.bias.dtype == ml_dtypes.bfloat16
    assert np.isneginf(case.terms.bias.astype(float)).any()


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"bias": "alibi"}, "bias: expected array, as there are several slots, got 'alibi'"),
        ({"bias": "alibis", "order": 1}, "bias: expected alibi or array"),
        ({"softcap": 0}, "softcap: expected a positive number"),
        ({"softcap": "x"}, "softcap: expected a positive number"),
        ({"sink": True, "domain": Domain(terms="bias")}, "sink: expected none, as the domain's"),
    ],
)
def test_bad_declarations(declared: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        Target(print, dtype="float32", accumulate="float32", **declared)
    assert message in str(error.value)


def test_terms_that_are_not_served_are_not_run() -> None:
    with pytest.raises(InputError, match="terms: expected one of sink, softcap, bias"):
        Domain(terms="sinks")
    target = Target(joined.at_once, dtype="float32", accumulate="float32", softcap=30)
    why = {entry.flag: entry.unless(target) for entry in CATALOGUE}
    assert why["capped"] == ""
    assert why["sink-above"] == "no sink is declared"
    assert why["cap-after-mask"] == "the mask is none"
    assert why["cap-after-bias"] == "no array of biases is declared"
    assert why["alibi-corners"] == "no alibi is declared"


def test_logits_far_beyond_a_cap_have_no_bound() -> None:
    """Values that cancel, of weights that differ by e^-10^5: 2^16 bits do not tell it from 0."""
    case = single([1e6, 2e6], [1.0, -1.0], softcap=1.0)
    target = Target(kernel("at_once", "float32"), dtype="float32", accumulate="float32", order=1,
                    softcap=1)  # fmt: skip
    found = judge(target, case)
    assert (found.problem, found.elements, found.unbounded) == (None, 2, 2)


def test_the_failing_test_fails_and_passes_once_mended(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (wrong,) = (one for one in WRONG_TERMS if one.name == "bias-under-the-cap")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "mine_joined.py").write_text(wrong.source())
    function = __import__("mine_joined").at_once
    (failure,) = check(function, flags=[wrong.flag], **options(wrong)).failures
    pasted: dict[str, Any] = {}
    exec(failure.reproducer, pasted)
    with pytest.raises(AssertionError, match="times the bound"):
        pasted["test_cap_after_bias"]()
    pasted["at_once"] = joined.at_once
    pasted["test_cap_after_bias"]()
