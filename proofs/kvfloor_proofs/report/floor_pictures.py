"""Floors as a picture: bits against the accuracy asked for, and against the number of tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import NamedTuple

from kvfloor import GivenFloor
from kvfloor.audit import canvas, save
from kvfloor.errors import InputError
from kvfloor.floors import PartFloors, stored_bits, total_bits

__all__ = ["ALPHAS", "Panel", "draw_panels", "panels_of_shape", "panels_of_trace"]

#: The accuracies of a picture.
ALPHAS = tuple(Fraction(1, 2**k) for k in range(2, 17, 2))
LENGTHS = 10  # halvings of the number of tokens


class Panel(NamedTuple):
    """A curve of floors beside the bits of a float16 cache.

    Attributes
    ----------
    label : str
        What x is.
    x : tuple of numbers
    floors : tuple of int
        Bits.
    stored : tuple of int
        Bits of a float16 cache, one for each x.
    """

    label: str
    x: tuple[float, ...]
    floors: tuple[int, ...]
    stored: tuple[int, ...]


def panels_of_shape(
    floors_at: Callable[[int, Fraction | None], Sequence[PartFloors]], n: int, order: int
) -> list[Panel]:
    """Return the panels of a shape.

    Parameters
    ----------
    floors_at : callable
        The floors for so many tokens at an accuracy, that which was asked for if it is None.
    n : int
        The most tokens.
    order : int
    """

    def best(found: Sequence[PartFloors]) -> int:
        return total_bits([row.floors[0].bits for row in found])

    curve = _curve(lambda alpha: best(floors_at(n, alpha)))
    lengths = sorted({max(1, n >> k) for k in range(LENGTHS + 1)})
    each = [floors_at(tokens, None) for tokens in lengths]
    parts = [row.part for row in each[0]]
    stored = tuple(stored_bits(parts, tokens, order=order) for tokens in lengths)
    return [
        Panel("α", *curve, stored[-1:] * len(curve[0])),
        Panel("tokens", tuple(map(float, lengths)), tuple(map(best, each)), stored),
    ]


def panels_of_trace(floor_at: Callable[[Fraction], GivenFloor], stored: int) -> list[Panel]:
    """Return the panel of a trace, whose float16 cache has ``stored`` bits."""
    curve = _curve(lambda alpha: floor_at(alpha).bits)
    return [Panel("α", *curve, (stored,) * len(curve[0]))]


def _curve(bits_at: Callable[[Fraction], int]) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """The accuracies that are allowed, and bits at each."""
    found: dict[float, int] = {}
    for alpha in ALPHAS:
        try:
            found[float(alpha)] = bits_at(alpha)
        except InputError as error:
            if error.argument != "guarantee":
                raise  # too coarse an α beside η is left out
    return tuple(found), tuple(found.values())


def draw_panels(panels: Sequence[Panel], file: str) -> None:
    """Draw panels side by side into a file; its ending says what format.

    Raises
    ------
    InputError
        If Matplotlib is not installed (the extra ``plot``), or has no such format.
    """
    figure = canvas()(figsize=(5 * len(panels), 4), layout="constrained")
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        axes.plot(panel.x, panel.floors, "o-", label="floor")
        axes.plot(panel.x, panel.stored, "--", color="black", label="float16 cache")
        axes.set_xscale("log", base=2)
        axes.set_yscale("symlog", linthresh=1)
        bits = (*panel.floors, *panel.stored)
        axes.set(xlabel=panel.label, ylabel="bits", ylim=(min(bits) / 2, 2 * max(bits)))
        if panel.label == "α":
            axes.invert_xaxis()
        axes.legend(fontsize="small")
    save(figure, file)
