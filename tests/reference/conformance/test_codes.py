"""Keys and values in few bits: exactly what they stand for, right ones pass, wrong ones fail."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from full_size import problem
from kernels import quantised
from kernels.wrong import Wrong
from kernels.wrong_quantised import QUANTISED, WRONG_QUANTISED
from kvfloor import InputError
from kvfloor.conformance import (
    CATALOGUE,
    Case,
    Draft,
    Merging,
    Quantised,
    Target,
    as_entry,
    check,
    entries_for,
    judge,
)
from kvfloor.conformance.quantised import Codes, Stored
from kvfloor.conformance.tolerances import find_tolerances
from kvfloor.conformance.truth import find_truth
from kvfloor.numbers import as_format
from seeds import LAST_SEED

ENTRIES = {"scales", "zero-points", "end-codes", "scale-blocks"}
FORM: dict[str, Any] = {"dtype": "float32", "accumulate": "float32"}
LARGE = {"long-context", "heads", "head-sizes", "long-slot", "query-tiles", "columns", "scales"}


def test_there_are_wrong_ones_for_every_entry() -> None:
    assert {wrong.flag for wrong in WRONG_QUANTISED} == ENTRIES
    assert len({wrong.name for wrong in WRONG_QUANTISED}) == len(WRONG_QUANTISED) >= 27


@pytest.mark.parametrize("wrong", WRONG_QUANTISED, ids=lambda wrong: wrong.name)
def test_it_is_caught_by_its_flag(wrong: Wrong) -> None:
    said = problem(Target(wrong.build(), **FORM, **wrong.options), wrong.flag)
    assert said is not None
    assert "raised" not in said


@pytest.mark.parametrize("wrong", WRONG_QUANTISED, ids=lambda wrong: wrong.name)
def test_the_right_one_passes_there(wrong: Wrong) -> None:
    function = kernel(wrong.function, "float32")
    report = check(function, flags=[wrong.flag], examples=1, **FORM, **wrong.options)
    assert report.ok, str(report)


def kernel(name: str, accumulate: str) -> Callable[..., Any]:
    """A right function that computes in a format."""
    module: dict[str, Any] = {"__name__": "quantised"}
    exec(QUANTISED, module)
    module["ACCUMULATE"] = as_format(accumulate).dtype.type
    function: Callable[..., Any] = module[name]
    return function


RIGHT: tuple[tuple[str, dict[str, Any]], ...] = (
    ("numbers_first", {"quantised": Quantised("float8_e4m3fn")}),
    ("scaled_after", {"quantised": Quantised("int8", "token"), "order": 1}),
    ("numbers_first", {"quantised": Quantised("uint4", "head", zero_point=True), "mask": "causal"}),
    ("numbers_rounded", {"quantised": Quantised("float8_e5m2", "head", rounded="bfloat16")}),
    ("query_too", {"quantised": Quantised("int8", "token", zero_point=True, query=True)}),
    ("numbers_first", {"quantised": Quantised("int4", "block", block=4), "mask": "boolean"}),
    ("numbers_rounded", {"quantised": Quantised("int8", rounded="float16"), "order": 1}),
)  # fmt: skip
SEEDS = [*range(7), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(7, LAST_SEED))]


@pytest.mark.parametrize("seed", SEEDS)
def test_no_false_alarm(seed: int) -> None:
    """Each seed another function, and in time another format."""
    name, declared = RIGHT[seed % len(RIGHT)]
    dtype = ("float32", "bfloat16", "float64", "float16")[(seed // len(RIGHT) + seed) % 4]
    rounded = declared["quantised"].rounded
    dtype = dtype if rounded is None else rounded
    accumulate = "float64" if dtype == "float64" else "float32"
    if name == "query_too":
        dtype = accumulate
    form: dict[str, Any] = {"dtype": dtype, "accumulate": accumulate}
    applied = entries_for(Target(print, **form, **declared))
    flags = [entry.flag for entry in applied if entry.flag not in LARGE]
    function = kernel(name, accumulate)
    report = check(function, examples=1, seed=seed, flags=flags, **form, **declared)
    assert report.ok, str(report)
    assert report.unbounded < report.elements / 5


@pytest.mark.long
def test_large_ones() -> None:
    declared: dict[str, Any] = {"quantised": Quantised("float8_e4m3fn", "head"), "order": 1}
    report = check(kernel("numbers_first", "float32"), dtype="bfloat16", accumulate="float32",
                   flags=sorted(LARGE), examples=0, **declared)  # fmt: skip
    assert report.ok, str(report)


def case_of(target: Target, flag: str, number: int = 0) -> Case:
    entry = as_entry(flag)
    return entry.build(Draft(target, entry.largest(target), 0, coarse=False))[number]


@pytest.mark.parametrize("stored", ["float8_e4m3fn", "float8_e5m2", "int8", "uint8", "int4"])
@pytest.mark.parametrize("per", ["tensor", "head", "token", "block"])
@pytest.mark.parametrize("flag", ["drawn", "end-codes"])
def test_numbers_are_exact(stored: str, per: str, flag: str) -> None:
    """Every one in rationals; and the nearest to what was drawn, within half a step."""
    declared = Quantised(stored, per, 5 if per == "block" else None, zero_point=stored == "uint8")
    seen: dict[str, Any] = {}

    def function(q: Any, K: Any, V: Any, **given: Any) -> Any:
        seen.update(given, K=K, V=V)
        return np.zeros(q.shape, q.dtype), np.zeros(q.shape[:3], np.float32)

    target = Target(function, order=1, quantised=declared, **FORM)
    case = case_of(target, flag)
    judge(target, case)
    b, h, n, _ = case.keys[0].shape
    shape = {"tensor": (), "head": (h,), "token": (b, h, n), "block": (b, h, -(-n // 5))}[per]
    for numbers, codes, name in ((case.keys, "K", "key"), (case.values, "V", "value")):
        scales, (given,) = seen[f"{name}_scales"][0], seen[codes]
        zeros = seen[f"{name}_zeros"][0] if declared.zero_point else np.zeros(shape)
        assert scales.shape == zeros.shape == shape
        assert scales.dtype == np.float32
        assert given.dtype == declared.codes
        for i, j, t in ((0, 0, 0), (b - 1, h - 1, n - 1), (0, 1, 5), (1, 0, 4)):
            at = {"tensor": (), "head": (j,), "token": (i, j, t), "block": (i, j, t // 5)}[per]
            code, scale, zero = (Fraction(float(x)) for x in
                                 (given[i, j, t, 1], scales[at], zeros[at]))  # fmt: skip
            assert Fraction(numbers[0][i, j, t, 1]) == (code - zero) * scale


@pytest.mark.parametrize("stored", ["float8_e4m3fn", "int8", "uint8", "int4", "uint4"])
def test_codes_are_the_nearest(stored: str) -> None:
    declared = Quantised(stored, "token", zero_point=stored[0] == "u")
    numbers = np.random.default_rng(0).normal(size=(2, 3, 5, 7)) + 0.5
    codes = declared.store(numbers, as_format("float32"))
    steps = np.abs(codes.numbers() - numbers) / codes.scales.astype(float)[..., None]
    if stored[0] == "f":
        ulps = as_format(stored).ulps(codes.codes.astype(float))
        assert (steps <= ulps * 0.5001).all()
    else:
        # a zero point is rounded as well, which may cost a step at the end
        assert steps.max() <= (1.0001 if codes.zeros is not None else 0.5001)
    used = codes.codes.astype(float)
    if codes.zeros is None:
        least, largest = (codes.scales.astype(float) * end for end in declared.ends)
        assert (numbers.min(axis=-1) >= least).all()
        assert (numbers.max(axis=-1) <= largest).all()
        assert ((used == declared.ends[0]) | (used == declared.ends[1])).any(axis=-1).all()
    else:
        both = np.concatenate([used, codes.zeros.astype(float)[..., None]], axis=-1)
        assert (np.ptp(both, axis=-1) >= declared.ends[1] - 1).all()


def test_the_ends_come_up() -> None:
    target = Target(print, quantised=Quantised("int8", "token"), **FORM)
    stored = case_of(target, "end-codes").stored
    assert stored is not None
    assert {-128, 127} <= set(stored.keys[0].codes.ravel().tolist())
    e5m2 = Target(print, quantised=Quantised("float8_e5m2", query=True), **FORM)
    stored = case_of(e5m2, "end-codes").stored
    assert stored is not None
    assert stored.query is not None
    found = set(np.abs(stored.query.codes.astype(float)).ravel().tolist())
    assert {57344.0, 2.0**-16, 0.0} <= found


def test_what_shares_no_scale_differs() -> None:
    """Neighbours by a factor of two, those of values the other way; zero points by half a range."""
    target = Target(print, quantised=Quantised("int8", "token"), **FORM)
    keys, values = (part[0].scales for part in stored_of(target, "scales")[1:])
    for scales, factor in ((keys, 2), (values, 0.5)):
        for axis in (1, 2):
            steps = np.exp(np.diff(np.log(scales), axis=axis))
            assert np.median(steps) == pytest.approx(factor, rel=0.3)
    target = Target(print, quantised=Quantised("uint8", "token", zero_point=True), **FORM)
    for part in stored_of(target, "zero-points", 0)[1:]:
        zeros = part[0].zeros
        assert zeros is not None
        assert np.median(np.abs(np.diff(zeros.astype(float), axis=2))) > 128
    target = Target(print, quantised=Quantised("int8", "block", block=4), **FORM)
    keys, values = (part[0].scales for part in stored_of(target, "scale-blocks")[1:])
    assert keys.shape[2] == 3
    assert (np.diff(np.log2(keys), axis=2) < 0).all()
    assert (np.diff(np.log2(values), axis=2) > 0).all()


def stored_of(target: Target, flag: str, number: int = -1) -> Stored:
    """The codes of a case of an entry, the last by default."""
    stored = case_of(target, flag, number).stored
    assert stored is not None
    return stored


U = 2.0**-24


def bound(codes: Any, values: Any, by: float = 1, **declared: Any) -> float:
    """Order 1, one query, logits by one column: codes times a scale; values are codes."""
    target = Target(print, order=1, scale=1, quantised=Quantised("int8", **declared), **FORM)
    n = len(codes)
    keys, given = (np.array(x, np.int8).reshape(1, 1, n, 1) for x in (codes, values))
    one = np.ones((1, 1, 1), np.float32)
    stored = Stored(
        None, (Codes(keys, np.float32(by) * one, None, n),), (Codes(given, one, None, n),)
    )
    case = Case(np.ones((1, 1, 1, 1), np.float32), (), (), 1.0, None).with_codes(stored)
    return bound_of(target, case)


def bound_of_numbers(logits: Any, values: Any) -> float:
    target = Target(print, order=1, scale=1, **FORM)
    keys, given = (np.array(x, np.float32).reshape(1, 1, -1, 1) for x in (logits, values))
    return bound_of(target, Case(np.ones((1, 1, 1, 1), np.float32), (keys,), (given,), 1.0, None))


def bound_of(target: Target, case: Case) -> float:
    form = as_format("float32")
    truth = find_truth(case, output=form, logsumexp=form)
    return float(find_tolerances(target, case, truth, output=form, logsumexp=form).output.item())


def test_numbers_are_rounded_before_they_meet_any_other() -> None:
    """Two roundings more in float32 for each number, and one of 2^-8 in bfloat16."""
    plain, narrow = bound([8, 8], [0, 4]), bound([8, 8], [0, 4], rounded="bfloat16")
    # logits are off by 2^-8·8, which moves weights of values that are 2 from the output; then the
    # values themselves, of which half is 4
    drift = 8 * 2.0**-8
    assert narrow == pytest.approx(2 * drift * (1 + 2 * drift) + 2 * 2.0**-8, rel=0.02)
    assert bound([8, 8], [0, 4], rounded="float32") == plain
    numbers = bound_of_numbers([1000, 1000], [0, 4])
    # of each logit the two roundings of a key; the values have two more as well
    assert bound([100, 100], [0, 4], by=10) - numbers == pytest.approx(
        (2 * 2 * 1000 + 2 * 2) * U, rel=0.05
    )


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"stored": "int7"}, "quantised.stored: expected one of float8_e4m3fn, float8_e5m2, int8"),
        ({"stored": "int8", "per": "row"}, "quantised.per: expected one of tensor, head, token"),
        ({"stored": "int8", "per": "block"}, "quantised.block: expected tokens of a block"),
        ({"stored": "int8", "block": 4}, "quantised.block: expected none without per=block, got 4"),
        ({"stored": "int8", "per": "block", "block": 0}, "quantised.block: expected a whole"),
        ({"stored": "float8_e5m2", "zero_point": True}, "quantised.zero_point: expected False"),
        ({"stored": "uint4"}, "quantised.zero_point: expected True, as codes have no sign"),
        ({"stored": "int8", "rounded": "int4"}, "dtype: expected one of float64"),
    ],
)
def test_bad_ways_to_store(declared: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        Quantised(**declared)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"quantised": "int8"}, "quantised: expected a kvfloor.conformance.Quantised, got 'int8'"),
        (
            {"quantised": Quantised("int8", rounded="float64")},
            "quantised: expected formats that float32 holds, got float64",
        ),
    ],
)
def test_bad_declarations(declared: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        Target(print, **FORM, **declared)
    assert message in str(error.value)


def test_merges_are_of_numbers() -> None:
    with pytest.raises(InputError, match="quantised: expected None, as it merges"):
        Merging(print, quantised=Quantised("int8"), **FORM)


def test_what_is_not_run() -> None:
    plain = Target(print, mask="boolean", skips=True, **FORM)
    tokens = Target(print, quantised=Quantised("int8"), mask="boolean", skips=True, **FORM)
    why = {entry.flag: (entry.unless(plain), entry.unless(tokens)) for entry in CATALOGUE}
    assert why["scales"] == ("nothing is quantised", "")
    assert why["zero-points"] == ("nothing is quantised", "there are no zero points")
    assert why["scale-blocks"] == ("nothing is quantised", "there is a scale for each tensor")
    assert why["poison"] == ("", "what is quantised is finite")


def test_the_failing_test_fails_and_passes_once_mended(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (wrong,) = (one for one in WRONG_QUANTISED if one.name == "scales-left-at-one")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "mine_quantised.py").write_text(wrong.source())
    function = __import__("mine_quantised").numbers_first
    (failure,) = check(function, flags=[wrong.flag], **FORM, **wrong.options).failures
    pasted: dict[str, Any] = {}
    exec(failure.reproducer, pasted)
    with pytest.raises(AssertionError, match="times the bound"):
        pasted["test_scales"]()
    pasted["numbers_first"] = quantised.numbers_first
    pasted["test_scales"]()
