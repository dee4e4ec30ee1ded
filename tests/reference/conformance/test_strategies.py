"""What the strategies draw is what they say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from kvfloor import InputError, Window
from kvfloor.conformance import (
    CATALOGUE,
    Case,
    Domain,
    Draft,
    Size,
    Target,
    as_entry,
    strategies,
)
from kvfloor.numbers import FORMATS, as_format

MASKS = (None, "causal", "boolean", Window((1, 2), 0))


@given(st.data())
def test_tensors_hold_numbers_of_the_format(data: st.DataObject) -> None:
    dtype = data.draw(strategies.formats())
    assert dtype.name in FORMATS
    array = data.draw(strategies.tensors((3, 4), dtype))
    assert (array.shape, array.dtype) == ((3, 4), dtype)
    assert np.isfinite(array.astype(np.float64)).all()


@given(st.data())
def test_shapes_stay_within_the_largest(data: st.DataObject) -> None:
    largest = Size(1, 2, 3, 4, (5, 6, 7), 8, 9)
    size = data.draw(strategies.shapes(largest))
    assert len(size.lengths) == 3
    for name in ("batch", "kv_heads", "group", "queries", "d", "d_v"):
        assert 1 <= getattr(size, name) <= getattr(largest, name)
    assert all(1 <= n <= most for n, most in zip(size.lengths, largest.lengths, strict=True))


@given(st.data())
def test_masks_leave_a_tuple_unless_told_otherwise(data: st.DataObject) -> None:
    mask = data.draw(strategies.masks(4, (2, 3)))
    assert mask.shape == (4, 2, 3)
    assert mask.reshape(4, -1).any(axis=1).all()


def test_masks_may_be_told_otherwise() -> None:
    found = find(strategies.masks(3, (2,), empty_rows=True), lambda m: not m.any(axis=1).all())
    assert found.shape == (3, 2)


@pytest.mark.parametrize("mask", [None, "causal", "boolean", Window((1, 2), 0)])
@pytest.mark.parametrize("dtype", ["float64", "float8_e4m3fn"])
def test_every_family_draws_cases(dtype: str, mask: Any) -> None:
    flags = strategies.flags(dtype=dtype, mask=mask)
    assert "drawn" in flags
    assert ("causal" in flags) == (mask in ("causal", "boolean"))
    assert ("empty-rows" in flags) == (mask == "boolean")


@settings(max_examples=30)
@given(st.data())
def test_cases_are_in_the_format(data: st.DataObject) -> None:
    mask = data.draw(st.sampled_from([None, "causal", "boolean", Window((1, 2), 0)]))
    form = as_format(data.draw(st.sampled_from(FORMATS)))
    for flag in data.draw(st.permutations(strategies.flags(dtype=form.name, mask=mask)))[:3]:
        case = data.draw(strategies.cases(flag, dtype=form.name, mask=mask))
        for A in (case.query, *case.keys, *case.values):
            assert A.dtype == form.dtype
            assert np.isfinite(A.astype(np.float64)).all()


# For targets that declare more than strategies may.
OTHERS = {
    "key-padding",
    "padded-low-logits",
    "padded-poison",
    "whole-padding",
    "stages",
    "domain-edges",
    "poison",
    "splits",
    "scales",
    "zero-points",
    "end-codes",
    "scale-blocks",
    "unequal-sequences",
    "empty-sequences",
    "pages",
    "unowned",
} | {
    entry.flag
    for entry in CATALOGUE
    if any(term in entry.flag for term in ("sink", "capped", "-cap", "cap-", "bias", "alibi"))
}


def test_every_entry_is_some_target_s() -> None:
    met = {flag for mask in MASKS for flag in strategies.flags(mask=mask)}
    assert met == {entry.flag for entry in CATALOGUE} - OTHERS
    assert "distinct-slots" not in strategies.flags(order=1)


@pytest.mark.parametrize(("flag", "part"), [("nothing", "one of drawn"), ("causal", "applies")])
def test_families_that_are_none(flag: str, part: str) -> None:
    with pytest.raises(InputError, match=part):
        find(strategies.cases(flag, dtype="float32"), lambda _: True)


def full(flag: str, **declared: Any) -> list[Case]:
    """The cases of an entry at full size."""
    target = Target(print, dtype="float32", accumulate="float32", **declared)
    entry = as_entry(flag)
    return entry.build(Draft(target, entry.largest(target), 0, coarse=False))


def test_lengths_are_on_both_sides_of_blocks_and_tiles() -> None:
    assert [case.lengths[0] for case in full("block-boundary")] == [31, 32, 33]
    assert [case.query.shape[2] for case in full("query-tiles")] == [15, 16, 17, 33, 65]
    assert [case.query.shape[3] for case in full("columns")] == [15, 16, 17, 33, 65]
    assert [case.values[0].shape[3] for case in full("columns")] == [65, 33, 17, 16, 15]
    long = {case.lengths for case in full("long-slot", block=(64, 8))}
    assert long == {(n, 2) for n in (63, 64, 65, 127, 128, 129)} | {
        (2, n) for n in (7, 8, 9, 15, 16, 17)
    }
    assert max(case.lengths for case in full("long-slot")) == (257, 2)
    square = full("long-slot", mask="causal", block=80, domain=Domain(queries="same"))
    assert {case.lengths for case in square} == {(n, n) for n in (79, 80, 81, 159, 160, 161)}
    assert all(case.rows == (0, 1, n // 2, n - 2, n - 1)
               for case in square for n in case.lengths[:1])  # fmt: skip


def test_the_last_token_of_each_slot_weighs_most_once() -> None:
    cases = full("tail-block")
    assert len(cases) == 2
    for r, case in enumerate(cases):
        logits = np.einsum("ic,jc,kc->ijk", case.query[0, 0], *(K[0, 0] for K in case.keys))
        top = np.moveaxis(logits, 1 + r, 1).max(axis=2).argmax(axis=1)
        assert (top == case.lengths[r] - 1).mean() > 0.5


def test_a_batch_comes_whole_and_then_its_first_element_alone() -> None:
    whole, alone = full("batch")
    assert (whole.query.shape[0], alone.query.shape[0]) == (2, 1)
    assert (whole.query[:1] == alone.query).all()


@pytest.mark.parametrize("mask", [None, "causal", Window((1, 2), 0), "boolean"])
def test_the_queries_compared_see_what_they_saw(mask: Any) -> None:
    (case,) = full("drawn", mask=mask)
    some = replace(case, rows=(2, 0)).compared()
    assert (some.query == case.query[:, :, [2, 0]]).all()
    kept, every = some.kept, case.kept
    assert (kept is None and every is None) or (kept == every[:, :, [2, 0]]).all()  # type: ignore[index]
