"""One array beside what is right, and what came of several."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kvfloor.attention import Mask
from kvfloor.conformance.power import Power, least_power
from kvfloor.numbers import Array, BinaryFormat

__all__ = ["Judgement", "Right", "Worst", "judge_array", "together"]


class Worst(NamedTuple):
    """The element with the largest error for its bound.

    Attributes
    ----------
    ratio : float
        Its error over its bound; above 1 it is wrong; inf if it is not even a number of the kind.
    ulps : float
        What it is off the correctly rounded number, in ulps of the format it was returned in.
    part : str
        "output" or "logsumexp".
    place : tuple of int
        (b, h, n_q) and for an output the column.
    found, expected : float
    """

    ratio: float
    ulps: float
    part: str
    place: tuple[int, ...]
    found: float
    expected: float

    def __str__(self) -> str:
        place = ", ".join(map(str, self.place))
        return (
            f"{self.part}[{place}] is {self.found!r}, correctly rounded it is {self.expected!r}: "
            f"{self.ulps:.3g} ulps off, {self.ratio:.3g} times the bound"
        )


class Judgement(NamedTuple):
    """What came of one call.

    Attributes
    ----------
    worst : Worst or None
        None if nothing has a bound, or nothing was returned.
    ulps : float
        The largest error in ulps of any element that has a bound.
    elements : int
        Numbers compared.
    unbounded : int
        Of these, numbers for which no bound is derived.
    problem : str or None
        What is wrong, in one line; None if nothing is.
    same : bool or None
        Whether calls that were compared agreed bit for bit; None if none were.
    power : Power or None
        The smallest faults that the case shows, if they were asked for.
    """

    worst: Worst | None
    ulps: float
    elements: int
    unbounded: int
    problem: str | None
    same: bool | None = None
    power: Power | None = None


def together(judged: list[Judgement]) -> Judgement:
    """What came of several arrays, or calls; the worst is that of all."""
    worst = max(
        (j.worst for j in judged if j.worst is not None), key=lambda w: w.ratio, default=None
    )
    return Judgement(
        worst,
        max(j.ulps for j in judged),
        sum(j.elements for j in judged),
        sum(j.unbounded for j in judged),
        next((j.problem for j in judged if j.problem is not None), None)
        if worst is None or worst.ratio <= 1
        else str(worst),
        power=least_power(known) if (known := [j.power for j in judged if j.power]) else None,
    )


class Right(NamedTuple):
    """What one array should be.

    Attributes
    ----------
    rounded, fine : ndarray of float64, shape (b, h, n_q) or (b, h, n_q, d_v)
        The correctly rounded numbers, in the format that was returned and in float64.
    bounds : ndarray of float64, the same shape
        How far a number may be from the fine one.
    exact : ndarray of bool, shape (b, h, n_q), or that of the array
        Where nothing is rounded: rows without a tuple, and what is hidden.
    """

    rounded: Array
    fine: Array
    bounds: Array
    exact: Mask


def judge_array(part: str, found: Array, right: Right, form: BinaryFormat) -> Judgement:
    """Compare one array.

    Parameters
    ----------
    part : str
        Its name.
    found : ndarray of float64, shape (b, h, n_q) or (b, h, n_q, d_v)
        What was returned.
    right : Right
    form : BinaryFormat
        The format that ``found`` was returned in.

    Notes
    -----
    Errors are measured from the fine numbers: beside the rounded ones, an output cut off in place
    of rounded would be within an ulp. The correctly rounded number itself is never wrong.
    A difference is rounded to nearest, which is monotone, and bounds are floats: none above its
    bound comes out below it.
    """
    rounded, fine, bounds, exact = right
    identical = (found == rounded) | (np.isnan(found) & np.isnan(rounded))
    with np.errstate(invalid="ignore", over="ignore"):
        ulp = form.ulps(np.where(np.isfinite(rounded), rounded, 0.0))
        ulps = np.where(identical, 0.0, np.abs(found - rounded) / ulp)
        ratio = np.where(identical, 0.0, np.abs(found - fine) / bounds)
    columns = () if exact.shape == found.shape else (1,) * (found.ndim - 3)
    strict = np.broadcast_to(exact.reshape(exact.shape + columns), found.shape)
    ratio = np.where(strict & ~identical, np.inf, ratio)
    ratio = np.where(~strict & ~np.isfinite(found), np.inf, ratio)
    open_ended = ~strict & np.isinf(bounds)
    ratio = np.where(open_ended, -1.0, ratio)
    ulps = np.where(np.isnan(ulps) | ~np.isfinite(found) & ~identical, np.inf, ulps)
    place = tuple(map(int, np.unravel_index(np.argmax(ratio), ratio.shape)))
    if open_ended.all():
        return Judgement(None, 0.0, found.size, found.size, None)
    worst = Worst(
        *(float(ratio[place]), float(ulps[place]), part, place),
        *(float(found[place]), float(rounded[place])),
    )
    return Judgement(
        worst,
        float(np.where(open_ended, 0.0, ulps).max()),
        found.size,
        int(open_ended.sum()),
        None if worst.ratio <= 1 else str(worst),
    )
