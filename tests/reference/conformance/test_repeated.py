"""Repeatability: what is declared is asked for bit for bit, the rest is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from kernels import repeated
from kernels.wrong import Wrong
from kernels.wrong_repeated import REPEATED, SPLITS, WRONG_REPEATED
from kvfloor import InputError
from kvfloor.conformance import (
    Case,
    Domain,
    Draft,
    Merging,
    Target,
    as_entry,
    check,
    entries_for,
    judge,
    run,
)
from kvfloor.conformance.declarations import BITWISE
from kvfloor.conformance.tolerances import find_tolerances
from kvfloor.conformance.truth import find_truth
from kvfloor.numbers import as_format
from seeds import LAST_SEED

FORM: dict[str, Any] = {"dtype": "float32", "accumulate": "float32"}
ROWS = ["repeat", "row-alone", "row-moved"]
LARGE = {"long-context", "heads", "head-sizes", "long-slot", "query-tiles", "columns"}
at_once: Any = repeated.at_once


def test_there_are_wrong_ones_for_every_entry() -> None:
    assert {wrong.flag for wrong in WRONG_REPEATED} == set(BITWISE)
    assert len({wrong.name for wrong in WRONG_REPEATED}) == len(WRONG_REPEATED) >= 11


@pytest.mark.parametrize("wrong", WRONG_REPEATED, ids=lambda wrong: wrong.name)
def test_it_is_caught_by_its_flag(wrong: Wrong) -> None:
    report = check(wrong.build(), flags=[wrong.flag], examples=0, **FORM, **wrong.options)
    (failure,) = report.failures
    assert failure.flag == wrong.flag
    assert "raised" not in failure.message
    bits = "returned other numbers" in failure.message
    assert bits == ("bitwise" in wrong.options or wrong.flag == "repeat")
    (found,) = report.repeated
    assert found.found == ("within the bound" if bits else "fails")


@pytest.mark.parametrize("wrong", WRONG_REPEATED, ids=lambda wrong: wrong.name)
def test_other_bits_pass_where_they_are_not_declared(wrong: Wrong) -> None:
    options = FORM | wrong.options | {"bitwise": ()}
    report = check(wrong.build(), flags=[wrong.flag], examples=0, **options)
    bits = "bitwise" in wrong.options or wrong.flag == "repeat"
    assert report.ok == bits
    if bits:
        assert report.repeated == ((wrong.flag, False, "within the bound"),)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float64"])
def test_what_is_bitwise_is_said(dtype: str) -> None:
    accumulate = "float64" if dtype == "float64" else "float32"
    form: dict[str, Any] = {"dtype": dtype, "accumulate": accumulate}
    report = check(kernel("at_once", accumulate), flags=ROWS, examples=2, **form)
    assert report.ok
    assert report.repeated == (
        ("repeat", True, "bitwise"), ("row-alone", False, "bitwise"),
        ("row-moved", False, "bitwise"),
    )  # fmt: skip
    assert "  repeat: bitwise, as declared\n  row-alone: bitwise\n" in str(report)
    assert report.to_dict()["repeated"][1] == {
        "flag": "row-alone", "declared": False, "found": "bitwise"
    }  # fmt: skip
    options: dict[str, Any] = {"bitwise": BITWISE, "block": repeated.BLOCK, "mask": "causal"}
    blocks = check(kernel("split_in_blocks", accumulate), flags=BITWISE, examples=2,
                   **form, **SPLITS, **options)  # fmt: skip
    assert [tuple(each) for each in blocks.repeated] == [(w, True, "bitwise") for w in BITWISE]


def test_what_has_no_bound_is_not_blamed() -> None:
    """Sums of more than a thousand in float16, of which the order differs, or does not."""
    (wrong,) = (one for one in WRONG_REPEATED if one.name == "last-row-in-blocks")
    unlike: Any = wrong.build()
    unlike.__globals__["ACCUMULATE"] = np.float16
    form: dict[str, Any] = {"dtype": "float16", "accumulate": "float16", "scale": 2.0**-9}
    for function, found in ((kernel("at_once", "float16"), "bitwise"), (unlike, "without a bound")):
        report = check(function, flags=["row-moved"], examples=0, **form)
        assert report.unbounded == report.elements
        assert report.repeated == (("row-moved", False, found),)
    raises = check(lambda *_, **__: 1 / 0, flags=["row-alone"], examples=0, **FORM)
    assert raises.repeated == (("row-alone", False, "fails"),)


def kernel(name: str, accumulate: str) -> Callable[..., Any]:
    """A right function that computes in a format."""
    module: dict[str, Any] = {"__name__": "repeated"}
    exec(REPEATED, module)
    module["ACCUMULATE"] = as_format(accumulate).dtype.type
    function: Callable[..., Any] = module[name]
    return function


@pytest.mark.parametrize(
    ("dtype", "mask", "order"),
    [("float32", None, 2), ("bfloat16", "boolean", 1), ("float16", "causal", 1)],
)
def test_right_splits_pass(dtype: str, mask: Any, order: int) -> None:
    options: dict[str, Any] = {"dtype": dtype, "accumulate": "float32", "order": order}
    options |= {"mask": mask, "splits": (3, 1, 7)}
    applied = [entry.flag for entry in entries_for(Target(print, **options))]
    flags = [flag for flag in applied if flag not in LARGE]
    report = check(kernel("split", "float32"), flags=flags, examples=1, **options)
    assert report.ok, str(report)
    assert ("splits", False, "within the bound") in report.repeated


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, LAST_SEED))
def test_no_false_alarm(seed: int) -> None:
    """Each seed another function and other counts, every row alone and moved."""
    name = ("split", "split_in_blocks")[seed % 2]
    dtype = ("float32", "bfloat16", "float16")[seed % 3]
    options: dict[str, Any] = {"order": 1 + seed % 2, "mask": (None, "causal")[seed // 2 % 2]}
    options |= {"splits": (1 + seed % 5, 9), "block": repeated.BLOCK if seed % 2 else None}
    flags = [*BITWISE, "drawn", "low-logits", "late-maximum", "many-tokens", "cancelling-values"]
    report = check(kernel(name, "float32"), dtype=dtype, accumulate="float32", flags=flags,
                   seed=seed, examples=3, **options)  # fmt: skip
    assert report.ok, str(report)


def case_of(target: Target, flag: str) -> Case:
    entry = as_entry(flag)
    return entry.build(Draft(target, entry.largest(target), 0, coarse=False))[0]


U = 2.0**-24


def bound(logits: list[float], values: list[float], splits: int | None) -> float:
    """Order 1, one query, logits by one column; the values have one column."""
    keys, given = (np.array(x, np.float32).reshape(1, 1, -1, 1) for x in (logits, values))
    case = Case(np.ones((1, 1, 1, 1), np.float32), (keys,), (given,), 1.0, None, splits=splits)
    target = Target(print, order=1, scale=1, splits=splits, **FORM)
    form = as_format("float32")
    truth = find_truth(case, output=form, logsumexp=form)
    return float(find_tolerances(target, case, truth, output=form, logsumexp=form).output.item())


def test_parts_may_be_merged_by_their_logsumexps() -> None:
    """Of logits of 1000 each has six roundings more."""
    more = bound([1000, 1000], [0, 4], 1) - bound([1000, 1000], [0, 4], None)
    assert more == pytest.approx(2 * 6 * 1000 * U, rel=0.05)


def test_each_part_may_move_the_maximum() -> None:
    """Eight parts more: the exp of each is off by 8u, and two sums and a product are rounded."""
    more = bound([0, 0], [0, 4], 9) - bound([0, 0], [0, 4], 1)
    assert more == pytest.approx(2 * 8 * (8 + 1 + 2) * U, rel=0.1)


def test_the_usual_count_comes_first() -> None:
    seen: list[int] = []

    def function(q: Any, K: Any, V: Any, *, splits: int, **rest: Any) -> Any:
        seen.append(splits)
        return kernel("split", "float32")(q, K, V, splits=splits, **rest)

    target = Target(function, splits=(4, 1, 2), **FORM)
    judge(target, case_of(target, "drawn"))
    assert seen == [4]
    judge(target, case_of(target, "splits"))
    assert seen == [4, 4, 1, 2]


def test_rows_are_called_alone_and_in_turn() -> None:
    seen: list[Any] = []

    def function(q: Any, K: Any, V: Any, **rest: Any) -> Any:
        seen.append((q, K[1], V[0]))
        return at_once(q, K, V, **rest)

    target = Target(function, **FORM)
    judge(target, case_of(target, "row-alone"))
    (q, K2, V1), *alone = seen
    assert [len(each[0]) for each in alone] == [1] * len(q)
    assert all((one[1] == K2[[i]]).all() for i, one in enumerate(alone))
    seen.clear()
    judge(target, case_of(target, "row-moved"))
    (q, K2, V1), (moved, _, V) = seen
    assert (moved[:-1] == q[1:]).all()
    assert (moved[-1] == q[0]).all()
    assert (V[-1] == V1[0]).all()


def test_masks_of_their_own_go_with_their_rows() -> None:
    case = case_of(Target(at_once, mask="boolean", **FORM), "row-alone")
    assert case.of_batch([1, 0]).mask is case.mask
    full = np.random.default_rng(0).random((4, 1, 3, *case.lengths)) < 0.5
    own = replace(case, mask=full).of_batch([2, 0]).mask
    assert isinstance(own, np.ndarray)
    assert (own == full[[2, 0]]).all()


def test_what_is_not_run() -> None:
    assert as_entry("row-alone").unless(Target(at_once, layout="hnd", **FORM)) == (
        "the layout has no batch"
    )
    assert as_entry("splits").unless(Target(at_once, **FORM)) == "no splits are declared"
    for batch, flag, reason in (
        (1, "row-moved", "there is one row in a batch"),
        ("least=2", "row-alone", "there are at least 2 rows in a batch"),
    ):
        target = Target(at_once, domain=Domain(batch=batch), **FORM)
        assert run(target, examples=0, flags=[flag]).not_run == ((flag, reason),)


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"bitwise": "repeats"}, "bitwise: expected one of repeat, row-alone, row-moved, splits"),
        ({"bitwise": 3}, "bitwise: expected some of repeat, row-alone, row-moved, splits, got 3"),
        ({"bitwise": ("splits",)}, "bitwise: expected no splits, as none are declared"),
        ({"splits": 0}, "splits: expected a whole number >= 1, got 0"),
        ({"splits": (2, 2)}, "splits: expected counts, each once, got (2, 2)"),
        ({"splits": ()}, "splits: expected counts, each once, got ()"),
    ],
)
def test_bad_declarations(declared: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        Target(print, **FORM, **declared)
    assert message in str(error.value)


def test_merges_repeat_themselves_alone() -> None:
    with pytest.raises(InputError, match="bitwise: expected repeat alone, as it merges"):
        Merging(print, bitwise=("row-alone",), **FORM)


def test_the_failing_test_fails_and_passes_once_mended(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (wrong,) = (one for one in WRONG_REPEATED if one.name == "rest-after-the-splits-dropped")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "mine_repeated.py").write_text(wrong.source())
    function = __import__("mine_repeated").split
    (failure,) = check(function, flags=[wrong.flag], **FORM, **wrong.options).failures
    pasted: dict[str, Any] = {}
    exec(failure.reproducer, pasted)
    with pytest.raises(AssertionError, match="times the bound"):
        pasted["test_splits"]()
    pasted["split"] = repeated.split
    pasted["test_splits"]()
