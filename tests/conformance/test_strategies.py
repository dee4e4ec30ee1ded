"""What the strategies draw is what they say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from kvfloor import InputError, strategies
from kvfloor.conformance import CATALOGUE, Size
from kvfloor.formats import FORMATS, as_format


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


@pytest.mark.parametrize("mask", [None, "causal", "boolean", ("window", 2, 3)])
@pytest.mark.parametrize("dtype", ["float64", "float8_e4m3fn"])
def test_every_family_draws_cases(dtype: str, mask: Any) -> None:
    flags = strategies.flags(dtype=dtype, mask=mask)
    assert "drawn" in flags
    assert ("causal" in flags) == (mask in ("causal", "boolean"))
    assert ("empty-rows" in flags) == (mask == "boolean")


@settings(max_examples=30)
@given(st.data())
def test_cases_are_in_the_format(data: st.DataObject) -> None:
    mask = data.draw(st.sampled_from([None, "causal", "boolean", ("window", 2, 3)]))
    form = as_format(data.draw(st.sampled_from(FORMATS)))
    for flag in data.draw(st.permutations(strategies.flags(dtype=form.name, mask=mask)))[:3]:
        case = data.draw(strategies.cases(flag, dtype=form.name, mask=mask))
        for A in (case.query, *case.keys, *case.values):
            assert A.dtype == form.dtype
            assert np.isfinite(A.astype(np.float64)).all()


def test_every_entry_is_some_target_s() -> None:
    met = {flag for mask in (None, "boolean") for flag in strategies.flags(mask=mask)}
    assert met == {entry.flag for entry in CATALOGUE}
    assert "distinct-slots" not in strategies.flags(order=1)


@pytest.mark.parametrize(("flag", "part"), [("nothing", "one of drawn"), ("causal", "applies")])
def test_families_that_are_none(flag: str, part: str) -> None:
    with pytest.raises(InputError, match=part):
        find(strategies.cases(flag, dtype="float32"), lambda _: True)
