"""The comparison, and comparisons that are deliberately wrong: the table tells them apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

from kvfloor.conformance.comparison import Right, judge_array
from kvfloor.numbers import as_format

Array = npt.NDArray[np.float64]
INF, NAN = np.inf, np.nan


class Row(NamedTuple):
    """What was returned, what is right, the bound, whether the row is empty; and the verdict."""

    found: float
    right: float
    bound: float
    empty: bool
    passes: bool


TABLE = (
    Row(1.0, 1.0, 0.0, False, True),
    Row(1.0, 1.5, 0.5, False, True),
    Row(1.0, 1.5, np.nextafter(0.5, 0), False, False),
    Row(2.0, 1.5, np.nextafter(0.5, 0), False, False),
    Row(-1.0, 1.0, 0.5, False, False),
    Row(1e30, 1e30 * (1 + 1e-6), 1e20, False, False),
    Row(1e-30, 2e-30, 1e-31, False, False),
    Row(NAN, 1.0, 1.0, False, False),
    Row(INF, 1.0, 1.0, False, False),
    Row(-INF, 1.0, 1e300, False, False),
    Row(NAN, -INF, 1.0, True, False),
    Row(-1e30, -INF, INF, True, False),
    Row(-INF, -INF, INF, True, True),
    Row(INF, -INF, INF, True, False),
    Row(NAN, 0.0, INF, True, False),
    Row(0.0, 0.0, INF, True, True),
    Row(1e-30, 0.0, 1.0, True, False),
    Row(NAN, NAN, INF, True, True),
    Row(0.0, NAN, INF, True, False),
    Row(-0.0, 0.0, 0.0, False, True),
    Row(INF, INF, INF, False, True),
    Row(1e38, INF, 1e39, False, False),
    Row(NAN, INF, INF, False, True),
    Row(5.0, 1.0, INF, False, True),  # nothing is derived, so nothing is refuted
)


def verdict(row: Row, at: int = 0, of: int = 1) -> bool:
    """Judge a row among others that are right."""
    found, right, bound = (np.full((1, 1, of), x) for x in (1.0, 1.0, 0.0))
    found[..., at], right[..., at], bound[..., at] = row[:3]
    empty = np.zeros(of, dtype=np.bool_)
    empty[at] = row.empty
    judged = judge_array("output", found, Right(right, right, bound, empty), as_format("float32"))
    assert (judged.problem is None) == (judged.worst is None or judged.worst.ratio <= 1)
    return judged.problem is None


@pytest.mark.parametrize("row", TABLE)
def test_the_table(row: Row) -> None:
    assert verdict(row) == row.passes
    assert all(verdict(row, at, 3) == row.passes for at in range(3))


WRONG: dict[str, Callable[[Row], bool]] = {
    "a chosen tolerance": lambda r: np.allclose(r.found, r.right, rtol=1e-5, equal_nan=True),
    "NaN is not larger than its bound": lambda r: not abs(r.found - r.right) > r.bound,
    "NaN fails even where it is right": lambda r: (
        r.found == r.right or abs(r.found - r.right) <= r.bound
    ),
    "errors are signed": lambda r: r.found == r.right or r.found - r.right <= r.bound,
    "what is not finite is skipped": lambda r: (
        not np.isfinite(r.found) or abs(r.found - r.right) <= r.bound
    ),
    "a bound below one ulp is one ulp": lambda r: (
        str(r.found) == str(r.right) or abs(r.found - r.right) <= max(r.bound, 1e-7)
    ),
    "signs of infinities are dropped": lambda r: (
        abs(r.found) == abs(r.right) or abs(r.found - r.right) <= r.bound
    ),
    "empty rows are skipped": lambda r: r.empty or verdict(r),
    "empty rows are rounded, too": lambda r: verdict(r._replace(empty=False)),
    "strictly below": lambda r: r.found == r.right or abs(r.found - r.right) < r.bound,
    "large numbers are infinite": lambda r: verdict(
        r._replace(found=r.right if abs(r.found) > 1e29 else r.found)
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_comparisons_are_told_apart(name: str) -> None:
    with np.errstate(invalid="ignore"):
        assert any(bool(WRONG[name](row)) != row.passes for row in TABLE)


def test_worst_counts_and_ulps() -> None:
    found = np.array([[[1.0, 2.0, 3.0]]])
    right = np.array([[[1.0, 2.0 + 2**-22, 3.0 + 2**-22]]])
    bound = np.array([[[1.0, 2.0**-20, 2.0**-21]]])
    whole = Right(right, right, bound, np.zeros(3, dtype=np.bool_))
    judged = judge_array("logsumexp", found, whole, as_format("float32"))
    assert judged.worst is not None
    assert (judged.worst.ratio, judged.worst.ulps, judged.worst.place) == (0.5, 1.0, (0, 0, 2))
    assert (judged.elements, judged.unbounded, judged.problem, judged.ulps) == (3, 0, None, 1.0)


def test_errors_are_measured_from_the_fine_number() -> None:
    """1.75 is rounded to 2 in ulps of 1: 1 is one ulp off that, but 0.75 off the truth."""
    rounded, fine, bound = (np.full((1, 1, 2), x) for x in (2.0, 1.75, 0.5))
    right = Right(rounded, fine, bound, np.zeros(2, dtype=np.bool_))
    judged = judge_array("output", np.array([[[2.0, 1.0]]]), right, as_format("float32"))
    assert judged.worst is not None
    assert (judged.worst.ratio, judged.worst.ulps) == (1.5, 2.0**22)
    assert judged.worst.expected == 2.0
