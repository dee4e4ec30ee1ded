"""Sequences of unequal lengths, packed or in pages: right ones pass, wrong ones fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from full_size import problem
from kernels import packed as kernels
from kernels.wrong import Wrong
from kernels.wrong_packed import ANY, BOTH, PACKED, PAGES, WRONG_PACKED
from kvfloor import InputError, Window
from kvfloor.conformance import (
    Case,
    Domain,
    Draft,
    Merging,
    Quantised,
    Target,
    as_entry,
    check,
    entries_for,
    judge,
    run,
)
from kvfloor.conformance.packed import pack, to_pages, unpack
from kvfloor.numbers import as_format
from seeds import LAST_SEED

ENTRIES = {"unequal-sequences", "empty-sequences", "pages", "unowned"}
FORM: dict[str, Any] = {"dtype": "float32", "accumulate": "float32"}
LARGE = {
    "long-context", "heads", "grouped-heads", "head-sizes", "long-slot", "query-tiles", "columns",
}  # fmt: skip


def test_there_are_wrong_ones_for_every_entry() -> None:
    assert {wrong.flag for wrong in WRONG_PACKED} == ENTRIES
    assert len({wrong.name for wrong in WRONG_PACKED}) == len(WRONG_PACKED) >= 18


@pytest.mark.parametrize("wrong", WRONG_PACKED, ids=lambda wrong: wrong.name)
def test_it_is_caught_by_its_flag(wrong: Wrong) -> None:
    said = problem(Target(wrong.build(), **FORM, **wrong.options), wrong.flag)
    assert said is not None
    assert "raised" not in said


ALONE = [wrong for wrong in WRONG_PACKED if wrong.flag in ("unowned", "empty-sequences")]


@pytest.mark.parametrize("wrong", ALONE, ids=lambda wrong: wrong.name)
def test_other_entries_do_not_see_it(wrong: Wrong) -> None:
    flags = sorted({"unequal-sequences", "drawn", "unowned", "empty-sequences"} - {wrong.flag})
    target = Target(wrong.build(), **FORM, **wrong.options)
    flags = [flag for flag in flags if not as_entry(flag).unless(target)]
    report = run(target, flags=flags, examples=0)
    assert report.ok, str(report)


def kernel(name: str, accumulate: str) -> Callable[..., Any]:
    """A right function that computes in a format."""
    module: dict[str, Any] = {"__name__": "packed"}
    exec(PACKED, module)
    module["ACCUMULATE"] = as_format(accumulate).dtype.type
    function: Callable[..., Any] = module[name]
    return function


RIGHT: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("packed", "float32", ANY | {"mask": "causal"}),
    ("in_pages", "bfloat16", PAGES | {"order": 1, "grouped": True}),
    ("packed_in_pages", "float16", BOTH | {"order": 1, "mask": "causal"}),
    ("packed", "float64", ANY | {"order": 1, "grouped": True, "bitwise": ("repeat", "row-moved")}),
    ("in_pages", "float32", PAGES | {"mask": "causal", "domain": Domain(queries="fewer")}),
    ("packed", "bfloat16", ANY | {"order": 1, "mask": "causal", "domain": Domain(queries="same")}),
    ("packed_in_pages", "float32", BOTH | {"domain": Domain(tokens="multiple=5", batch="most=3")}),
)  # fmt: skip


SHARED = [
    pytest.param(*right, marks=pytest.mark.long if k > 3 else ()) for k, right in enumerate(RIGHT)
]


@pytest.mark.parametrize(("name", "dtype", "declared"), SHARED)
def test_right_ones_pass(name: str, dtype: str, declared: dict[str, Any]) -> None:
    accumulate = "float64" if dtype == "float64" else "float32"
    form: dict[str, Any] = {"dtype": dtype, "accumulate": accumulate}
    applied = entries_for(Target(print, **form, **declared))
    flags = [entry.flag for entry in applied if entry.flag not in LARGE]
    report = check(kernel(name, accumulate), examples=0, flags=flags, **form, **declared)
    assert report.ok, str(report)
    assert report.unbounded < report.elements / 50


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, LAST_SEED))
def test_no_false_alarm(seed: int) -> None:
    """Each seed another function, and what is drawn of sequences."""
    name, dtype, declared = RIGHT[seed % len(RIGHT)]
    accumulate = "float64" if dtype == "float64" else "float32"
    form: dict[str, Any] = {"dtype": dtype, "accumulate": accumulate}
    applied = {entry.flag for entry in entries_for(Target(print, **form, **declared))}
    flags = sorted(applied & (ENTRIES | {"drawn", "low-logits", "late-maximum", "batch"}))
    report = check(kernel(name, accumulate), examples=5, seed=seed, flags=flags, **form, **declared)
    assert report.ok, str(report)


def test_packed_codes_pass() -> None:
    """Scales of heads do not mind lengths."""

    def function(q: Any, K: Any, V: Any, *, key_scales: Any, value_scales: Any, **rest: Any) -> Any:
        K, V = (
            [A.astype(np.float32) * s[None, :, None] for A, s in zip(slots, scales, strict=True)]
            for slots, scales in ((K, key_scales), (V, value_scales))
        )
        return kernel("packed", "float32")(q, K, V, **rest)

    declared = ANY | {"quantised": Quantised("int8", "head")}
    flags = ["unequal-sequences", "empty-sequences", "unowned", "scales", "end-codes"]
    report = check(function, flags=flags, examples=2, **FORM, **declared)
    assert report.ok, str(report)


def case_of(target: Target, flag: str, number: int = 0) -> Case:
    entry = as_entry(flag)
    return entry.build(Draft(target, entry.largest(target), 0, coarse=False))[number]


def test_sequences_lie_one_after_another() -> None:
    seen: dict[str, Any] = {}

    def function(q: Any, K: Any, V: Any, **given: Any) -> Any:
        seen.update(given, q=q, K=K, V=V)
        return kernel("packed", "float32")(q, K, V, **given)

    target = Target(function, **FORM, **ANY)
    case = case_of(target, "empty-sequences", 1)
    assert judge(target, case).problem is None
    assert case.sequences == ((3, 5, 6), (0, 0, 0), (0, 5, 6), (2, 0, 0), (1, 1, 2))
    assert seen["query_offsets"].tolist() == [0, 3, 3, 3, 5, 6]
    assert [o.tolist() for o in seen["key_offsets"]] == [
        [0, 5, 5, 10, 10, 11],
        [0, 6, 6, 12, 12, 14],
    ]
    assert seen["query_offsets"].dtype == seen["key_offsets"][0].dtype == np.int32
    assert seen["q"].shape == (6, *case.query.shape[1:4:2])
    assert (seen["K"][1][12:14] == case.keys[1][4, :, :2].swapaxes(0, 1)).all()
    judged = judge(target, case_of(target, "unowned"))
    assert judged.problem is None
    assert len(seen["q"]) == seen["query_offsets"][-1] + 5
    assert np.isnan(seen["V"][0][-5:]).all()
    assert not np.isnan(seen["V"][0][:-5]).any()


def test_pages_are_shuffled_and_the_rest_is_nan() -> None:
    seen: dict[str, Any] = {}

    def function(q: Any, K: Any, V: Any, **given: Any) -> Any:
        seen.update(given, K=K, V=V)
        return kernel("in_pages", "float32")(q, K, V, **given)

    target = Target(function, order=1, **FORM, **PAGES)
    case = case_of(target, "unowned")
    assert judge(target, case).problem is None
    (table,), (lengths,), (pool,) = seen["block_tables"], seen["lengths"], seen["K"]
    assert lengths.tolist() == [n for _, n in case.owned]
    owned = [page for row, n in zip(table, lengths, strict=True) for page in row[: -(-n // 4)]]
    assert len(set(owned)) == len(owned) == len(pool) - 2
    assert owned != sorted(owned)
    assert np.isnan(pool).any(axis=(1, 3)).sum() == pool.shape[0] * 4 - lengths.sum()
    for i, n in enumerate(lengths):
        for t in range(n):
            assert (pool[table[i, t // 4], :, t % 4] == case.keys[0][i, :, t]).all()
    judge(target, case_of(target, "drawn"))
    assert not np.isnan(seen["K"][0]).any()


def test_pools_have_the_axes_of_the_layout() -> None:
    for declared, axes in ((PAGES, (1, 2)), (PAGES | {"layout": "bnhd"}, (2, 1)), (BOTH, (2, 1))):
        seen: list[Any] = []
        target = Target(
            lambda *a, seen=seen, **k: seen.append(a[1][0]), order=1, **FORM, **declared
        )
        case = case_of(target, "drawn")
        judge(target, case)
        assert seen[0].shape[axes[0]] == case.keys[0].shape[1]
        assert seen[0].shape[axes[1]] == declared["pages"]


def test_packing_comes_back() -> None:
    array = np.arange(48.0).reshape(3, 2, 4, 2)
    there = pack(array, [4, 0, 2], 3, np.nan)
    assert there.shape == (1, 2, 9, 2)
    back = unpack(there, [4, 0, 2])
    assert (back[0] == array[0]).all()
    assert (back[2, :, :2] == array[2, :, :2]).all()
    assert not back[1].any()


def test_integers_have_no_nan() -> None:
    codes = np.zeros((1, 1, 3, 2), np.int8)
    pages = to_pages(codes, codes, [3], 2, np.nan)
    assert sorted({int(x) for x in pages.keys.ravel()}) == [0, 127]


@pytest.mark.parametrize("mask", [None, "causal", "causal-top-left", Window(2, 1, top_left=True)])
def test_slopes_are_of_each_sequence(mask: Any) -> None:
    """A sequence by itself has the bias that it has among others."""
    target = Target(print, order=1, bias="alibi", sink=True, mask=mask, **FORM, **ANY)
    case = case_of(target, "unequal-sequences")
    alone = Target(print, order=1, bias="alibi", sink=True, mask=mask, **FORM)
    part = case.sequence(0)
    size = {"batch": 1, "queries": 3, "lengths": (5,)}
    entry = as_entry("drawn")
    other = Draft(alone, entry.largest(alone), 0, coarse=False).with_size(**size)
    bias = other.case(other.tensors()).terms.bias
    assert part.terms.bias is not None
    assert bias is not None
    assert (part.terms.bias == bias).all()
    assert part.lengths == (5,)


def test_a_sequence_that_is_not_served_is_not_called() -> None:
    target = Target(print, domain=Domain(tokens="multiple=4"), order=1, **FORM, **ANY)
    case = case_of(target, "unequal-sequences")
    assert {n for _, n in case.owned} <= {4, 8, 12}
    other = Target(print, domain=Domain(tokens="12,4"), order=1, **FORM, **ANY)
    with pytest.raises(InputError, match="tokens: expected 4,12, got 8"):
        other.call(case)


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"packed": ("full",), "layout": "nhd"}, "packed: expected some of empty, slack"),
        ({"packed": ()}, "layout: expected no b, as sequences are packed, got 'bhnd'"),
        ({"pages": 0}, "pages: expected a whole number >= 1, got 0"),
        ({"pages": 4, "mask": "boolean"}, "mask: expected no array, as lengths differ"),
        ({"bias": "array"} | ANY, "bias: expected alibi or none, as lengths differ"),
        (
            {"quantised": Quantised("int8", "token")} | ANY,
            "quantised.per: expected tensor or head, as lengths differ, got 'token'",
        ),
    ],
)
def test_bad_declarations(declared: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        Target(print, **FORM, **declared)
    assert message in str(error.value)


def test_merges_are_not_packed() -> None:
    with pytest.raises(InputError, match="packed: expected None, as it merges"):
        Merging(print, packed=(), **FORM)
    with pytest.raises(InputError, match="pages: expected None, as it merges"):
        Merging(print, pages=4, **FORM)


def test_what_is_not_run() -> None:
    plain, full = Target(print, **FORM), Target(print, packed=(), layout="nhd", **FORM)
    square = Target(print, domain=Domain(queries="same"), **FORM, **PAGES)
    why = {flag: [as_entry(flag).unless(t) for t in (plain, full, square)] for flag in ENTRIES}
    none = "sequences are neither packed nor in pages"
    equal = "each sequence has as many tokens as there are queries"
    assert why["unequal-sequences"] == [none, "", equal]
    assert why["empty-sequences"] == [
        "sequences are not packed", "no sequence is empty, as nothing else is declared",
        "sequences are not packed",
    ]  # fmt: skip
    assert why["pages"] == ["there are no pages", "there are no pages", equal]
    assert why["unowned"] == [none, "buffers end where the last sequence ends", equal]


def test_the_failing_test_fails_and_passes_once_mended(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (wrong,) = (one for one in WRONG_PACKED if one.name == "last-page-is-full")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "mine_packed.py").write_text(wrong.source())
    function = __import__("mine_packed").packed_in_pages
    (failure,) = check(function, flags=[wrong.flag], **FORM, **wrong.options).failures
    pasted: dict[str, Any] = {}
    exec(failure.reproducer, pasted)
    with pytest.raises(AssertionError, match="times the bound"):
        pasted["test_pages"]()
    pasted["packed_in_pages"] = kernels.packed_in_pages
    pasted["test_pages"]()
