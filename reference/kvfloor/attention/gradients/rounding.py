"""Correctly rounded gradients (E5 `gradient-rounding`).

Balls of growing precision; and where the ball of an entry holds one rounding boundary, the question
whether the entry is that rational. It is asked of the residues, which are quick to say no, and then
of the shares of the queries, which prove a yes. They also tell on which side of the boundary an
entry lies that is nearer to it than bits can say.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import inf, isfinite, nextafter
from typing import Any, NamedTuple

import numpy as np
from flint import arb

from kvfloor.attention.balls import round_balls
from kvfloor.attention.fast import Balls
from kvfloor.attention.gradients.cotangents import Gradients, Shapes, as_pullbacks
from kvfloor.attention.gradients.entries import Entries, entries_of_problem, entries_of_terms
from kvfloor.attention.gradients.settling import Form, Settled, settle, settle_terms
from kvfloor.attention.inputs import Mask
from kvfloor.attention.terms import Terms
from kvfloor.attention.ziv import boundary_between, round_ball, round_beside
from kvfloor.errors import InputError
from kvfloor.numbers import (
    Array,
    BinaryFormat,
    Rounding,
    arb_precision,
    as_format,
    as_rounding,
    ball_ends,
    shown,
    to_framework_of,
)

__all__ = ["GradientLayers", "tensor_attention_gradients_rounded"]

FIRST_BITS = 128
SIGN_BITS = 512  # before that, more bits are the cheaper question
MOST_BITS = 2**16


@dataclass
class GradientLayers:
    """How many numbers each layer settled.

    Pass one to `tensor_attention_gradients_rounded`, which adds to it.

    Attributes
    ----------
    single, double, balls, exact, residues : int
        Float64 with a bound; double-double with a bound; Arb; proved to be a rational, or to lie
        beside one; a rational but for a chance below 2**-64 each.
    """

    single: int = 0
    double: int = 0
    balls: int = 0
    exact: int = 0
    residues: int = 0


def tensor_attention_gradients_rounded(
    query: Any,
    keys: Any,
    values: Any,
    cotangent: Any,
    *,
    dtype: Any,
    logsumexp_cotangent: Any = None,
    scale: Any = 1,
    mask: Any = None,
    bias: Any = None,
    sink: Any = None,
    softcap: Any = None,
    rounding: Rounding = "nearest",
    like: Any = None,
    layers: GradientLayers | None = None,
) -> Gradients:
    """Gradients of tensor attention of any order m, every number the correctly rounded one.

    Parameters
    ----------
    query, keys, values, scale, mask, bias, sink, softcap
        As for `tensor_attention_rounded`: a query of shape (d,), several, or heads.
    cotangent : array, shape (..., d_v)
        Of the output.
    dtype : dtype or str
        The format of the result: one of `FORMATS`.
    logsumexp_cotangent : array, shape (...), optional
        Of the log-sum-exp in nats; zeros without it.
    rounding : "nearest", "up", "down" or "zero"
        Ties to even; toward +∞, -∞, 0.
    like : array of NumPy, PyTorch or JAX, optional
        The results are arrays of its framework, on its device.
    layers : GradientLayers, optional
        Counts which layer settled how many numbers.

    Returns
    -------
    Gradients
        ``query``, ``keys``, ``values``, and ``bias`` and ``sink`` where there are any, each in the
        shape of what was given: gradients are summed over query heads that share keys, and over the
        axes along which a bias or sink was broadcast. A row without a tuple contributes nothing. A
        gradient that is exactly zero is +0; one that rounds to zero keeps its sign.

    Raises
    ------
    InputError
        As `tensor_attention_gradients` does; for an unknown dtype, rounding or ``like``; for a
        number that 2**16 bits do not part from a rounding boundary, where it is not known on which
        side it lies.

    Notes
    -----
    E5 `gradient-rounding`. A yes that is not proved has a chance below 2**-64 of being wrong
    (`GradientLayers.residues` counts them); every other number is certain.
    """
    given = Terms(bias, sink, softcap)
    pullbacks, shapes = as_pullbacks(
        query, keys, values, cotangent, logsumexp_cotangent, scale, mask, given
    )
    target, direction = as_format(dtype), as_rounding(rounding)
    if layers is not None and not isinstance(layers, GradientLayers):
        raise InputError("layers", "a GradientLayers or None", shown(layers))
    convert = to_framework_of(like)
    counted = layers if layers is not None else GradientLayers()

    form = Form(target, direction)
    rows = [_rounded(entries_of_problem(p), settle(p, form), form, counted) for p in pullbacks]
    terms = entries_of_terms(pullbacks, shapes)
    last = None
    if terms is not None:
        last = _rounded(terms, settle_terms(pullbacks, shapes, form), form, counted)
    dQ, dK, dV = _tables(np.stack(rows), shapes)
    dbias, dsink = _ends(last, shapes)
    return Gradients(
        convert(dQ),
        tuple(map(convert, dK)),
        tuple(map(convert, dV)),
        None if dbias is None else convert(dbias),
        None if dsink is None else convert(dsink),
    )


def _tables(rows: Array, shapes: Shapes) -> tuple[Array, list[Array], list[Array]]:
    """The entries of all problems, one a row, in the shapes of queries, keys and values."""
    tables, first = [], 0
    for shape in (shapes.query, *shapes.keys, *shapes.values):
        width = int(np.prod(shape)) // len(rows)
        tables.append(rows[:, first : first + width].reshape(shape))
        first += width
    m = len(shapes.keys)
    return tables[0], tables[1 : m + 1], tables[m + 1 :]


def _ends(flat: Array | None, shapes: Shapes) -> tuple[Array | None, Array | None]:
    """The entries of biases and sinks in their shapes."""
    if flat is None:
        return None, None
    size = 0 if shapes.bias is None else int(np.prod(shapes.bias))
    bias = None if shapes.bias is None else flat[:size].reshape(shapes.bias)
    return bias, None if shapes.sink is None else flat[size:].reshape(shapes.sink)


def _rounded(entries: Entries, settled: Settled, form: Form, layers: GradientLayers) -> Array:
    """Round what the fast levels have left of some entries, and count all."""
    layers.single += settled.single
    layers.double += settled.double
    _round_rest(entries, settled.numbers, settled.wanted, form, layers)
    return settled.numbers.astype(form.target.dtype)


def _round_rest(
    entries: Entries,
    numbers: Array,
    wanted: Mask,
    form: Form,
    layers: GradientLayers,
) -> None:
    """Round the entries that are wanted by balls and exactness, into ``numbers``."""
    bits, asked = FIRST_BITS, set[tuple[int, Fraction]]()
    while (places := np.flatnonzero(wanted)).size:
        balls = entries.enclose(bits, places)
        if bits == FIRST_BITS:
            found, plain = _plain(balls, form.target, form.rounding)
            numbers[places[plain]] = found[plain]
            wanted[places[plain]] = False
            layers.balls += int(plain.sum())
        for place, ball in zip(places.tolist(), balls, strict=True):
            if not wanted[place]:
                continue
            number = round_ball(ball, form.target, form.rounding)
            layers.balls += number is not None
            if number is None and ball.is_finite():
                ends = ball_ends(ball)
                task = _Task(entries, place, form.target, form.rounding, layers)
                number = _as_rational(task, ends, asked)
                if number is None and bits >= SIGN_BITS:
                    number = _beside_rational(task, ends, bits)
            if number is not None:
                numbers[place], wanted[place] = number, False
        if bits >= MOST_BITS and wanted.any():
            ball = balls[int(np.flatnonzero(wanted[places])[0])]
            expected = f"queries, keys and values for which {bits} bits part each gradient from"
            raise InputError("query", f"{expected} every boundary", f"one near {ball}")
        bits *= 2


def _plain(balls: list[arb], target: BinaryFormat, rounding: Rounding) -> tuple[Array, Mask]:
    """Round what float64 suffices for, all at once; say of each whether it is decided."""
    zero = np.array([ball == 0 for ball in balls])  # exactly, so that it is +0
    with arb_precision(FIRST_BITS):
        parts = np.array([_in_float64(ball) for ball in balls])
    numbers, decided = round_balls(Balls(*parts.T), target, rounding)
    return np.where(decided & ~zero, numbers, 0.0), decided | zero


def _in_float64(ball: arb) -> tuple[float, float, float]:
    """Centre, in two parts, and radius of a ball of float64 numbers around a ball."""
    hi = float(ball)
    if not isfinite(hi):
        return 0.0, 0.0, inf
    lo = float(ball - hi)
    radius = float((ball - hi - lo).abs_upper())
    return hi, lo, nextafter(radius, inf)


class _Task(NamedTuple):
    """An entry that a ball does not round."""

    entries: Entries
    place: int
    target: BinaryFormat
    rounding: Rounding
    layers: GradientLayers


def _as_rational(
    task: _Task, ends: tuple[Fraction, Fraction], asked: set[tuple[int, Fraction]]
) -> float | None:
    """Round an entry that is zero, or the one boundary between the ends; each is asked once."""
    zero = ends[0] <= 0 <= ends[1]
    r = Fraction(0) if zero else boundary_between(ends, task.target, task.rounding)
    if r is None or (task.place, r) in asked:
        return None
    asked.add((task.place, r))
    alike = task.entries.equals(task.place, r)
    if alike is False:
        return None
    proved = task.entries.proves(task.place, r)
    if not proved and not alike:
        return None
    task.layers.exact += proved
    task.layers.residues += not proved
    return task.target.round(r, task.rounding)


def _beside_rational(task: _Task, ends: tuple[Fraction, Fraction], bits: int) -> float | None:
    """Round an entry next to the one boundary between the ends, by the side on which it lies."""
    r = boundary_between(ends, task.target, task.rounding)
    above = None if r is None else task.entries.above(task.place, r, bits)
    if r is None or above is None:
        return None
    task.layers.exact += 1
    return round_beside(r, task.target, task.rounding, above=above)
