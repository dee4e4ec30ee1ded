"""The league in pictures: bits against bits that come back and against errors, and drawings."""

from __future__ import annotations

import os
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from kvfloor.audit.dot_pictures import pixels
from kvfloor.audit.picture import canvas, save
from kvfloor.audit.playing import Result, Terms
from kvfloor.floors import best_floor

__all__ = ["draw_drawings", "draw_errors", "draw_league"]

MARKERS = "osD^v<>Pp*hXd8H"
COLOURS = 10  # of Matplotlib, before they come again
LEAST_ERROR = 1e-8  # that nothing is drawn below
LINES = ("-", "--", ":")  # of as many caches as there are colours, each
SIZE = 9, 6.5  # inches, with room for thirty names
WIDEST = 4  # times as wide as high, a drawing: of more tokens dots are narrower
LEAST = 0.05  # bits a token that nothing is drawn at


def draw_league(results: Sequence[Result], file: str | os.PathLike[str]) -> None:
    """Draw bits a token against certified bits that come back, with the line nobody crosses.

    Parameters
    ----------
    results : sequence of Result
        Those without an efficiency are left out.
    file : path
        Its ending says what format.

    Raises
    ------
    InputError
        If Matplotlib is not installed (the extra ``plot``), or has no such format.
    """
    figure = canvas()(figsize=SIZE, layout="constrained")
    axes = figure.subplots()
    points = [_point(result) for result in results if result.efficiency is not None]
    ends = LEAST, 2 * max((bits for _, bits, _ in points), default=1.0)
    axes.plot(ends, ends, color="black", label="all that is kept comes back")
    axes.fill_between(ends, ends, [ends[1]] * 2, color="black", alpha=0.08, linewidth=0)
    _draw_lines(axes, points)
    axes.set(xscale="log", yscale="log", xlim=(1, ends[1]), ylim=(LEAST, ends[1]))
    axes.set(xlabel="bits kept per token", ylabel="bits that come back per token, certified")
    axes.text(1.2, ends[1] / 2, "no cache is here", va="top")
    figure.legend(loc="outside right upper", fontsize="small")
    save(figure, file)


def _point(result: Result) -> tuple[str, float, float]:
    content: dict[str, Any] = result.efficiency or {}
    n = content["n"]
    back = float(Fraction(content["retrieved"])) / n
    return result.task["cache"], content["bits"] / n, max(LEAST, back)


def draw_errors(results: Sequence[Result], terms: Terms, file: str | os.PathLike[str]) -> None:
    """Draw bits a token against the worst error, and what the floors ask for at each accuracy.

    Left of the curve a cache that serves all inputs is further off on others than on those tried.

    Parameters
    ----------
    results : sequence of Result
        Those without an efficiency are left out.
    terms : Terms
    file : path

    Raises
    ------
    InputError
        As for `draw_league`.
    """
    figure = canvas()(figsize=SIZE, layout="constrained")
    axes = figure.subplots()
    points = [
        (result.task["cache"], _point(result)[1], max(LEAST_ERROR, result.worst_error or 0.0))
        for result in results
        if result.efficiency is not None
    ]
    _draw_lines(axes, points)
    accuracies = [Fraction(1, 2**k) for k in range(2, 17)]
    needed = [_needed(terms, alpha) for alpha in accuracies]
    axes.plot(needed, list(map(float, accuracies)), color="black", label="the floor at α")
    axes.fill_betweenx(list(map(float, accuracies)), 1, needed, color="black", alpha=0.08)
    axes.set(xscale="log", yscale="log", ylim=(LEAST_ERROR / 2, 20))
    axes.set(xlabel="bits kept per token", ylabel="worst error on the instances, or α")
    figure.legend(loc="outside right upper", fontsize="small")
    save(figure, file)


def _needed(terms: Terms, alpha: Fraction) -> float:
    """Bits a token of the largest floor at an accuracy."""
    floor = best_floor(terms.n, terms.d, order=terms.order, alpha=alpha)
    return float(Fraction(floor.bits, terms.n))


def _draw_lines(axes: Any, points: Sequence[tuple[str, float, float]]) -> None:
    """Draw the points of each cache, joined by a line of its own style."""
    for k, name in enumerate(dict.fromkeys(name for name, _, _ in points)):
        own = sorted((x, y) for which, x, y in points if which == name)
        style = MARKERS[k % len(MARKERS)] + LINES[k // COLOURS % len(LINES)]
        axes.plot(*zip(*own, strict=True), style, label=name, alpha=0.8)


def draw_drawings(results: Sequence[Result], file: str | os.PathLike[str]) -> None:
    """Draw what came back of the drawing, a row for each cache, wrong dots in colour.

    Parameters
    ----------
    results : sequence of Result
        In the order in which they are drawn; those without a drawing are left out.
    file : path

    Raises
    ------
    InputError
        As for `draw_league`.
    """
    rows: dict[str, list[Result]] = {}
    for result in results:
        if result.dots is not None:
            rows.setdefault(result.task["cache"], []).append(result)
    columns = max(map(len, rows.values()), default=1)
    figure = canvas()(figsize=(2.6 * columns, 0.95 * max(1, len(rows))), layout="constrained")
    grid = figure.subplots(max(1, len(rows)), columns, squeeze=False)
    for axes in grid.flat:
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    for line, (name, own) in zip(grid, rows.items(), strict=False):
        for axes, result in zip(line, own, strict=False):
            axes.spines[:].set(visible=True, color="lightgray")
            dots = result.dots or ((0,),)
            aspect = max(1.0, len(dots) / (WIDEST * len(dots[0])))
            axes.imshow(pixels(dots), aspect=aspect, interpolation="auto")
            bits = (result.efficiency or {})["bits"] / len(dots)
            axes.set_title(f"{bits:.0f} bits a token", fontsize=7, pad=2)
        line[0].text(
            *(-0.05, 0.5, name),
            transform=line[0].transAxes, ha="right", va="center", fontsize=8,
        )  # fmt: skip
    save(figure, file)
