"""Padded batches: right ones pass, wrong ones fail; what is declared, and what is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from full_size import problem
from kernels.wrong import Wrong
from kernels.wrong_padded import PADDED, WRONG_PADDED
from kvfloor import InputError, Window
from kvfloor.conformance import (
    Backward,
    Case,
    Domain,
    Draft,
    Merging,
    Target,
    as_entry,
    check,
    entries_for,
    judge,
)
from kvfloor.numbers import as_format
from seeds import LAST_SEED

FORM: dict[str, Any] = {"dtype": "float32", "accumulate": "float32"}
ENTRIES = ("key-padding", "padded-low-logits", "padded-poison", "whole-padding")
ALL = ("left", "right", "empty")


def test_there_are_wrong_ones_for_every_entry() -> None:
    assert {wrong.flag for wrong in WRONG_PADDED} == set(ENTRIES)
    assert len({wrong.name for wrong in WRONG_PADDED}) == len(WRONG_PADDED)


@pytest.mark.parametrize("wrong", WRONG_PADDED, ids=lambda wrong: wrong.name)
def test_it_is_caught_by_its_flag_alone(wrong: Wrong) -> None:
    """The entries that have no padding in them pass; so do others of padding, but the first."""
    target = Target(wrong.build(), **FORM, **wrong.options)
    said = problem(target, wrong.flag)
    assert said is not None
    assert "raised" not in said
    others = {"drawn", *ENTRIES} - {wrong.flag}
    if wrong.flag == "key-padding":
        others -= set(ENTRIES)
    for flag in sorted(others):
        assert as_entry(flag).unless(target) or problem(target, flag) is None, flag


def kernel(name: str, accumulate: str) -> Callable[..., Any]:
    """A right function that computes in a format."""
    module: dict[str, Any] = {"__name__": "padded"}
    exec(PADDED, module)
    module["ACCUMULATE"] = as_format(accumulate).dtype.type
    function: Callable[..., Any] = module[name]
    return function


RIGHT: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("at_once", "bfloat16", {"mask": "causal", "grouped": True}),
    ("unread", "float32", {"skips": True, "mask": "causal", "order": 1}),
    ("online", "float16", {"order": 1, "block": 4, "padded": ("left", "empty")}),
    ("at_once", "float64", {"mask": "boolean", "order": 3}),
    ("at_once", "float32", {"mask": Window((2, 3), 1), "padded": ("right",)}),
    ("unread", "bfloat16", {"skips": True, "domain": Domain(batch=1)}),
    ("online", "float32", {"order": 1, "block": 4, "mask": "causal-top-left"}),
)


@pytest.mark.parametrize("seed", [0, *(pytest.param(s, marks=pytest.mark.long)
                                       for s in range(1, LAST_SEED))])  # fmt: skip
def test_no_false_alarm(seed: int) -> None:
    for name, dtype, declared in RIGHT[:3] if seed == 0 else [RIGHT[seed % len(RIGHT)]]:
        accumulate = "float64" if dtype == "float64" else "float32"
        told: dict[str, Any] = {"dtype": dtype, "accumulate": accumulate, "padded": ALL, **declared}
        applied = {entry.flag for entry in entries_for(Target(print, **told))}
        flags = sorted(applied & {*ENTRIES, "drawn", "batch", "row-alone", "row-moved", "strided"})
        told |= {"examples": 5 if seed else 0, "seed": seed, "flags": flags}
        report = check(kernel(name, accumulate), **told)
        assert report.ok, str(report)
        assert not report.not_run or declared.get("domain"), report.not_run


def case_of(target: Target, flag: str, number: int = 0) -> Case:
    entry = as_entry(flag)
    return entry.build(Draft(target, entry.largest(target), 0, coarse=False))[number]


def test_what_is_given() -> None:
    """Booleans (b, n) for each slot; nothing is padding in entries that are not about it."""
    seen: list[Any] = []

    def function(q: Any, K: Any, V: Any, *, key_masks: Any, **rest: Any) -> Any:
        seen[:] = key_masks
        return kernel("at_once", "float32")(q, K, V, key_masks=key_masks, **rest)

    target = Target(function, padded=("left", "right"), **FORM)
    assert judge(target, case_of(target, "drawn")).problem is None
    assert [(M.dtype, M.shape, M.all()) for M in seen] == [(bool, (2, 12), True),
                                                           (bool, (2, 11), True)]  # fmt: skip
    assert judge(target, case_of(target, "key-padding")).problem is None
    assert [M.sum(axis=1).tolist() for M in seen] == [[10, 18, 1, 19], [17, 1, 18, 9]]
    assert seen[0][2].argmax() == 18  # to the left of the one token is padding
    judge(target, case_of(target, "key-padding", 2))
    assert seen[0][0].argmax() == 0


def test_rows_that_see_nothing_are_compared_where_that_is_declared() -> None:
    target = Target(print, padded=("left",), mask="causal-top-left", order=1, **FORM)
    case = case_of(target, "key-padding")
    assert case.rows == (36,)
    assert case.compared().kept is not None
    target = Target(print, padded=("left", "empty"), mask="causal-top-left", order=1, **FORM)
    assert case_of(target, "key-padding").rows is None


def test_rows_move_with_their_padding() -> None:
    target = Target(print, padded=("left", "right"), **FORM)
    case = case_of(target, "key-padding")
    moved = case.of_batch([2, 0])
    assert moved.key_masks is not None
    assert moved.key_masks[0].sum(axis=1).tolist() == [1, 10]
    assert moved.kept is not None
    assert moved.kept.shape == (2, 1, 3, 19, 18)


def test_declarations_that_are_refused() -> None:
    refused: tuple[tuple[dict[str, Any], str], ...] = (
        ({"padded": "empty"}, "padded: expected left, right or both, and empty"),
        ({"padded": ("rigth",)}, "rigth.*right"),
        ({"padded": 3}, "padded: expected left"),
        ({"padded": "left", "layout": "hnd"}, "padded: expected none, as the layout has no batch"),
        ({"padded": "left", "pages": 4}, "padded: expected none, as sequences are as long as is"),
        ({"padded": "left", "domain": Domain(padded=("right",))}, "the domain's, right, got left"),
        ({"padded": "left", "domain": Domain(padded=())}, "the domain's, none, got left"),
    )
    for declared, said in refused:
        with pytest.raises(InputError, match=said):
            Target(print, **FORM, **declared)
    with pytest.raises(InputError, match="padded: expected one of left, right, empty, got 'both'"):
        Domain(padded=("both",))
    assert Domain(padded="left,right").told() == {"padded": "left,right"}
    for kind in (Merging, Backward):
        with pytest.raises(InputError, match="padded: expected None, as it"):
            kind(print, padded=("left",), **FORM)


def test_what_does_not_apply_is_said() -> None:
    plain = Target(print, **FORM)
    assert {as_entry(flag).unless(plain) for flag in ENTRIES} == {"no padding is declared"}
    padded = Target(print, padded="left", **FORM)
    assert as_entry("padded-poison").unless(padded).startswith("what no query sees may be read")
    assert as_entry("whole-padding").unless(padded).startswith("no sequence is all padding")
    report = check(
        kernel("at_once", "float32"), padded="left", domain=Domain(tokens=1), examples=0,
        flags=["key-padding"], **FORM,
    )  # fmt: skip
    assert report.not_run == (("key-padding", "there is one token, and no room for padding"),)
    assert not report.ok


def test_the_failing_test_fails_and_passes_once_mended(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (wrong,) = (one for one in WRONG_PADDED if one.name == "padding-of-the-first-row-alone")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "mine_padded.py").write_text(wrong.source())
    function = __import__("mine_padded").at_once
    (failure,) = check(function, flags=[wrong.flag], padded="right", order=1, **FORM).failures
    assert "key_masks=(np.array([[True" in failure.reproducer
    pasted: dict[str, Any] = {}
    exec(failure.reproducer, pasted)
    with pytest.raises(AssertionError, match="times the bound"):
        pasted["test_key_padding"]()
    pasted["at_once"] = kernel("at_once", "float32")
    pasted["test_key_padding"]()
