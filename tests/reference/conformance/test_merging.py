"""Merging of partial states: right ones pass, wrong ones fail by the entry that should see them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from full_size import problem
from kernels import merging
from kernels.wrong import Wrong
from kernels.wrong_merging import TEXT, WRONG_MERGES
from kvfloor import InputError, tensor_attention_rounded
from kvfloor.conformance import MERGES, Domain, Merging, check_merge, judge, run
from kvfloor.conformance.tolerances import Tolerances, find_tolerances
from kvfloor.conformance.truth import find_truth
from kvfloor.numbers import as_format
from seeds import LAST_SEED, shared_out

at_once: Any = merging.at_once
LARGE = {"rows-and-heads", "part-columns"}  # take longest
RIGHT: dict[str, dict[str, Any]] = {
    "at_once": {},
    "in_base_two": {"logsumexp_base": 2},
    "by_exp_two": {"exp_base": 2},
    "normalised_first": {"skips": True},
    "one_pass": {"block": merging.BLOCK},
    "pair": {"domain": Domain(tokens=2)},
}
FORMATS = (
    ("float64", "float64"),
    ("float32", "float32"),
    ("float16", "float32"),
    ("bfloat16", "float32"),
    ("float8_e4m3fn", "float32"),
    ("float16", "float16"),
)


def merger(name: str, accumulate: str) -> Callable[..., Any]:
    """A right function that computes in a format."""
    module: dict[str, Any] = {"__name__": "merging"}
    exec(TEXT, module)
    module["ACCUMULATE"] = as_format(accumulate).dtype.type
    function: Callable[..., Any] = module[name]
    return function


def options(wrong: Wrong) -> dict[str, Any]:
    block = merging.BLOCK if wrong.function == "one_pass" else None
    return {"dtype": "float32", "accumulate": "float32", "block": block} | wrong.options


def test_there_is_a_wrong_one_for_every_entry() -> None:
    assert {wrong.flag for wrong in WRONG_MERGES} == {entry.flag for entry in MERGES}
    assert len({wrong.name for wrong in WRONG_MERGES}) == len(WRONG_MERGES) >= 40


@pytest.mark.parametrize("wrong", WRONG_MERGES, ids=lambda wrong: wrong.name)
def test_it_is_caught_by_its_flag(wrong: Wrong) -> None:
    assert problem(Merging(wrong.build(), **options(wrong)), wrong.flag) is not None


# What only one or two entries can see: everything else must let these pass.
ALONE = {
    "columns-beyond-128-lost": {"part-columns"},
    "all-empty-is-nan": {"all-empty"},
    "all-empty-is-zero": {"all-empty"},
    "empty-outputs-are-read": {"unread-parts"},
    "second-part-empty-is-nan": {"empty-parts", "all-empty"},
    "running-maximum-from-ten-thousand": {"low-parts"},
    "empty-below-1e+09": {"low-parts"},
    "maximum-from-zero": {"low-parts", "high-parts"},
    "order-random": {"repeated-merge"},
}


@pytest.mark.parametrize("name", sorted(ALONE))
def test_other_entries_do_not_see_it(name: str) -> None:
    (wrong,) = (wrong for wrong in WRONG_MERGES if wrong.name == name)
    flags = [entry.flag for entry in MERGES if entry.flag not in LARGE - ALONE[name]]
    declared = options(wrong)
    if "skips" not in declared:
        flags.remove("unread-parts")
    target = Merging(wrong.build(), **declared)
    assert {flag for flag in flags if problem(target, flag)} == ALONE[name]


@pytest.mark.parametrize(
    ("name", "form"),
    shared_out(FORMATS, [*RIGHT]),
)
def test_right_ones_pass_with_room(name: str, form: tuple[str, str]) -> None:
    dtype, accumulate = form
    function = merger(name, accumulate)
    report = check_merge(function, dtype=dtype, accumulate=accumulate, examples=0, **RIGHT[name])
    assert report.ok, str(report)
    assert report.elements > 5_000
    assert report.worst_ratio < 1
    if accumulate != "float16" and name != "by_exp_two":
        assert report.unbounded == 0


SEEDS = [1, 2, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(3, LAST_SEED))]


@pytest.mark.parametrize("seed", SEEDS)
def test_no_false_alarm(seed: int) -> None:
    """Each seed another function and format."""
    name = sorted(RIGHT)[seed % len(RIGHT)]
    dtype, accumulate = FORMATS[seed % 5]
    flags = [entry.flag for entry in MERGES if entry.flag not in LARGE | {"unread-parts"}]
    report = check_merge(
        merger(name, accumulate), dtype=dtype, accumulate=accumulate, examples=2, seed=seed,
        flags=flags, **RIGHT[name],
    )  # fmt: skip
    assert report.ok, str(report)


def split(K: Any, V: Any, q: Any, cuts: list[int], base: Any) -> tuple[Any, Any]:
    """Partial states of one query over parts of its tokens, correctly rounded to float64."""
    parts = [
        tensor_attention_rounded(
            q, [K[a:b]], [V[a:b]], dtype="float64", return_logsumexp=True, logsumexp_base=base
        )
        for a, b in pairwise(cuts)
    ]
    outputs = np.stack([part.output for part in parts])[:, None, None]
    return outputs, np.stack([part.logsumexp for part in parts])[:, None, None]


@pytest.mark.parametrize("base", ["e", 2])
def test_what_is_right_for_parts_is_right_for_the_whole(base: Any) -> None:
    """The truth about merged states is attention over all tokens, but for the states' rounding."""
    rng = np.random.default_rng(3)
    q, K, V = rng.normal(size=4), 2 * rng.normal(size=(11, 4)), rng.normal(size=(11, 3))
    outputs, lse = split(K, V, q, [0, 1, 5, 11], base)
    form = as_format("float64")
    target = Merging(print, dtype="float64", accumulate="float64", logsumexp_base=base)
    truth = find_truth(
        target.case(outputs, lse), output=form, logsumexp=form, base=target.logsumexp_base
    )
    whole = tensor_attention_rounded(
        q, [K], [V], dtype="float64", return_logsumexp=True, logsumexp_base=base
    )
    assert truth.output[0, 0, 0] == pytest.approx(whole.output, rel=1e-14)
    assert truth.logsumexp.item() == pytest.approx(whole.logsumexp.item(), rel=1e-14)


def bounds(outputs: Any, lse: Any, **declared: Any) -> Tolerances:
    form = as_format("float32")
    target = Merging(print, dtype="float32", accumulate="float32", **declared)
    case = target.case(outputs, lse)
    truth = find_truth(case, output=form, logsumexp=form, base=target.logsumexp_base)
    return find_tolerances(target, case, truth, output=form, logsumexp=form)


def test_log_sum_exps_are_given_so_that_they_are_exact() -> None:
    """Values of 2 and 4, equal weights: they deviate by 1 from 3, and weights are off by 8u."""
    u = 2.0**-24
    outputs, lse = np.array([2.0, 4.0]).reshape(2, 1, 1, 1), np.full((2, 1, 1), 1000.0)
    exact = bounds(outputs, lse).output.item()
    # exp 8u on a deviation of 1; on 3 each: n + 1 roundings, n - 1 in the sum, 8u in the quotient
    assert exact == pytest.approx(8 * u + 3 * (3 + 1 + 8) * u, rel=1e-4)
    changed = bounds(outputs, lse, exp_base=2).output.item()
    assert changed - exact == pytest.approx(4 * 1000 * u, rel=1e-2)
    passes = bounds(outputs, lse, block=1).output.item()
    assert passes - exact == pytest.approx((8 + 3 * 2) * u, rel=1e-3)  # one exp, two products


def test_differences_are_rounded() -> None:
    """A part 5 below: its weight is off by 5u more, or by 3·5u and what changes its base."""
    u, e = 2.0**-24, np.exp(-5.0)
    outputs, lse = np.array([0.0, 1.0]).reshape(2, 1, 1, 1), np.array([0.0, -5.0])
    exact = bounds(outputs, lse.reshape(2, 1, 1)).output.item()
    weight = e / (1 + e)
    assert 5 * u < exact / weight - 20 * u < 6 * u + 8 * u
    changed = bounds(outputs, lse.reshape(2, 1, 1), exp_base=2).output.item()
    assert changed - exact == pytest.approx((2 * 5 + 4 * 5) * u * weight * (1 - weight), rel=0.05)


def test_a_bound_to_base_two_is_one_in_nats() -> None:
    outputs, lse = np.ones((2, 1, 1, 1)), np.zeros((2, 1, 1))
    nats, bits = bounds(outputs, lse), bounds(outputs, lse, logsumexp_base=2)
    assert bits.output.item() == pytest.approx(nats.output.item(), rel=1e-6)
    assert bits.logsumexp.item() == pytest.approx(nats.logsumexp.item() / log(2), rel=1e-6)


def test_one_that_dominates_is_bounded_however_low() -> None:
    outputs = np.array([1.0, 3.0]).reshape(2, 1, 1, 1)
    lse = np.array([-3.3e38, -2.9e38]).reshape(2, 1, 1)
    assert bounds(outputs, lse).output.item() < 3 * 16 * 2.0**-24
    assert np.isinf(bounds(outputs, lse, exp_base=2).output).all()  # its products overflow


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"order": 2}, "order: expected 1, as it merges, got 2"),
        ({"mask": "causal"}, "mask: expected None, as it merges"),
        ({"grouped": True}, "grouped: expected False, as it merges"),
        ({"domain": 3}, "domain: expected a kvfloor.conformance.Domain"),
        ({"domain": Domain(d=64)}, "domain.d: expected none, as it merges, got 64"),
        ({"domain": Domain(queries="same")}, "domain.queries: expected none, as it merges"),
        ({"logsumexps": "float8_e4m3fn"}, "logsumexps: expected a format that has an infinity"),
        ({"logsumexps": "float64"}, "accumulate: expected a format that holds float64"),
        ({"exp_base": 10}, 'exp_base: expected "e" or 2'),
        ({"logsumexp_base": "2"}, 'logsumexp_base: expected "e" or 2'),
    ],
)
def test_bad_declarations(declared: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        Merging(print, dtype="float32", accumulate="float32", **declared)
    assert message in str(error.value)


def test_the_failing_test_fails_and_passes_once_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (wrong,) = (one for one in WRONG_MERGES if one.name == "powers-of-e")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "mine_merging.py").write_text(wrong.source())
    function = __import__("mine_merging").in_base_two
    (failure,) = check_merge(function, flags=["steep-parts"], **options(wrong)).failures
    pasted: dict[str, Any] = {}
    exec(failure.reproducer, pasted)
    with pytest.raises(AssertionError, match="times the bound"):
        pasted["test_steep_parts"]()
    pasted["in_base_two"] = merging.in_base_two
    pasted["test_steep_parts"]()


def test_a_large_one_is_made_anew() -> None:
    (wrong,) = (one for one in WRONG_MERGES if one.name == "columns-beyond-128-lost")
    (failure,) = check_merge(wrong.build(), flags=["part-columns"], **options(wrong)).failures
    assert "Merging(at_once, " in failure.reproducer
    assert ".build(draft)[10]" in failure.reproducer


def test_places_and_sizes_are_those_of_states() -> None:
    (wrong,) = (one for one in WRONG_MERGES if one.name == "all-empty-is-nan")
    report = run(
        Merging(wrong.build(), **options(wrong), domain=Domain(tokens=12, batch=3, heads=2, d_v=6)),
        flags=["all-empty"], examples=0,
    )  # fmt: skip
    assert report.failures[0].message.startswith("output[0, 0, 0] is nan")
    assert report.visited == {"rows": [3], "heads": [2], "parts": [12], "d_v": [6]}
    assert str(report).endswith("parts       1  12\n  d_v         1  6")


def test_a_domain_is_kept_to_and_what_it_leaves_out_is_said() -> None:
    def two(outputs: Any, lse: Any) -> Any:
        assert outputs.shape[0] == 2
        assert outputs.shape[3] in (64, 128)
        return at_once(outputs, lse)

    target = Merging(
        two, dtype="float32", accumulate="float32", domain=Domain(tokens=2, d_v=(64, 128))
    )
    report = run(target, examples=1, flags=[e.flag for e in MERGES if e.flag != "unread-parts"])
    assert report.ok, str(report)
    assert [flag for flag, _ in report.not_run] == ["one-part"]
    assert report.visited["d_v"] == [64, 128]
    alone = run(replace(target, function=merging.at_once, domain=Domain(tokens=1)), examples=0)
    assert not alone.ok
    assert "no case has more than one part: nothing is merged" in str(alone)


def test_entries_of_attention_are_not_for_it() -> None:
    with pytest.raises(InputError, match="it is for another kind of target"):
        check_merge(merging.at_once, dtype="float32", accumulate="float32", flags=["drawn"])


def test_inputs_are_rounded_and_empty_parts_stay_empty() -> None:
    target = Merging(print, dtype="float16", accumulate="float32", logsumexps="bfloat16")
    case = target.case(np.full((2, 1, 1, 1), np.pi), np.array([np.pi, -np.inf]).reshape(2, 1, 1))
    assert (case.values[0].dtype.name, case.keys[0].dtype.name) == ("float16", "bfloat16")
    assert case.keys[0].astype(float).ravel().tolist() == [3.140625, -np.inf]
    assert case.mask is not None
    assert np.asarray(case.mask).ravel().tolist() == [True, False]
    assert (
        judge(
            Merging(merging.at_once, dtype="float16", accumulate="float32", logsumexps="bfloat16"),
            case,
        ).problem
        is None
    )
