"""What users of a clean clone found: each fault once, so that it stays mended."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import mpmath
import numpy as np
import pytest
from flint import arb, ctx

import kvfloor
from kvfloor.caches import HashedCache
from kvfloor.errors import InputError

FAMILY = kvfloor.BinaryValues(kvfloor.binary_keys(4), d_v=3)


class Restless(HashedCache):
    """A cache whose state is another one every time, for the same tokens."""

    counter = itertools.count()

    def state(self) -> bytes:
        return bytes([next(self.counter) % 5])


def test_a_cache_that_is_not_deterministic_yields_no_certificate() -> None:
    with pytest.raises(InputError, match="factory: expected a deterministic cache"):
        kvfloor.pigeonhole(Restless, FAMILY)


def test_threads_keep_their_precisions_and_leave_none() -> None:
    before = mpmath.mp.prec, ctx.prec

    def third(digits: int) -> mpmath.mpf:
        result = kvfloor.tensor_attention([0], [[[0], [0], [0]]], [[[1], [0], [0]]], digits=digits)
        return result.output[0]

    calls = [5, 50, 400] * 30
    with ThreadPoolExecutor(4) as pool:
        outputs = list(pool.map(third, calls))
    for digits, output in zip(calls, outputs, strict=True):
        with mpmath.workdps(2 * digits):
            assert abs(output - mpmath.mpf(1) / 3) < mpmath.mpf(10) ** -digits
    assert (mpmath.mp.prec, ctx.prec) == before


@pytest.mark.parametrize("text", ["1e99999999", "-1E+99999999", "1e-99999999"])
def test_short_texts_of_huge_numbers_are_refused_at_once(text: str) -> None:
    for value in (text, Decimal(text)) if "-99999999" not in text else (text,):
        with pytest.raises(InputError, match="scale"):
            kvfloor.tensor_attention([1], [[[1]]], [[[1]]], scale=value)


def test_huge_floats_of_mpmath_are_refused_at_once() -> None:
    with pytest.raises(InputError, match="eta"):
        kvfloor.Guarantee(mpmath.mpf("1e-99999999"))


class NeedsGradient:
    """What a tensor does that NumPy may not read."""

    def __array__(self, *arguments: Any, **options: Any) -> Any:
        raise RuntimeError("call detach first")


def test_tensors_that_numpy_cannot_read_are_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"query: .* NumPy cannot read .*call detach first"):
        kvfloor.tensor_attention(NeedsGradient(), [[[1]]], [[[1]]])
    with pytest.raises(InputError, match=r"mask: .* NumPy cannot read"):
        kvfloor.tensor_attention([1], [[[1]]], [[[1]]], mask=NeedsGradient())


def test_masked_masks_are_refused() -> None:
    mask = np.ma.array([True, True], mask=[True, False])
    with pytest.raises(InputError, match=r"mask: expected booleans of shape .2,., got a masked"):
        kvfloor.tensor_attention([1], [[[1], [2]]], [[[1], [2]]], mask=mask)


def test_balls_of_astronomical_exponents_are_decoded() -> None:
    assert FAMILY.decode([arb(-(10**400)).exp()] * 3) == (0, 0, 0)
    assert FAMILY.decode([1 - arb(-(10**400)).exp()] * 3) == (1, 1, 1)
