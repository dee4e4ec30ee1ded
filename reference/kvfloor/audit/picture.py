"""Audits as a picture: what was recovered, and how far answers are off, against bits per token."""

from __future__ import annotations

import os
from collections.abc import Sequence
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

from kvfloor.audit.result import Audit
from kvfloor.errors import InputError
from kvfloor.files import write_whole

__all__ = ["canvas", "draw", "save"]

MARKERS = {
    "refuted": "x",
    "violates": "v",
    "undecided": "d",
    "within-guarantee": "o",
    "misbehaves": "*",
    "error": "P",
}
TITLE = "x refuted   ▼ violates   ♦ undecided   ● within the guarantee   ★ misbehaves   ✚ error"
LEAST_ERROR = 2.0**-60  # what smaller errors are drawn at


def canvas() -> Any:
    """Return Matplotlib's class of figures; `InputError` if it is not installed."""
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 (an extra)
    except ImportError:
        expected = "Matplotlib to be installed: pip install 'kvfloor[plot]'"
        raise InputError("plot", expected, "none") from None
    return Figure


def draw(audits: Sequence[Any], file: str | os.PathLike[str]) -> None:
    """Draw audits into a file; its ending says what format.

    Parameters
    ----------
    audits : sequence of Audit or Row
        Those without answers are left out.
    file : path

    Raises
    ------
    InputError
        If Matplotlib is not installed (the extra ``plot``), or has no such format.
    """
    figure = canvas()(figsize=(7, 6), layout="constrained")
    recovered, error = figure.subplots(2, 1, sharex=True)
    points = [_point(item) for item in audits if item.recovered is not None]
    for name in dict.fromkeys(point["cache"] for point in points):
        own = sorted((p for p in points if p["cache"] == name), key=lambda point: point["bits"])
        for axes, what in ((recovered, "recovered"), (error, "worst_error")):
            (line,) = axes.plot([p["bits"] for p in own], [p[what] for p in own], label=name)
            for p in own:
                axes.plot(p["bits"], p[what], MARKERS[p["verdict"]], color=line.get_color())
    for floor in {point["floor"] for point in points}:
        for axes in (recovered, error):
            axes.axvline(floor, color="black", linestyle="--", linewidth=1)
    most = max((max(point["bits"], point["floor"]) for point in points), default=1)
    recovered.set(ylabel="symbols recovered", ylim=(-0.05, 1.05), title=TITLE)
    recovered.set(xscale="symlog", xlim=(0, 2 * most))
    if points:
        recovered.legend(fontsize="small")
    error.set(ylabel="worst error", yscale="log", xlabel="bits per token (dashed: the floor)")
    save(figure, file)


def save(figure: Any, file: str | os.PathLike[str]) -> None:
    """Write a figure whole, in the format that the file's ending says; `InputError` if none."""
    picture = BytesIO()
    try:
        figure.savefig(picture, format=Path(file).suffix[1:] or None)
    except ValueError as problem:
        raise InputError("file", "the name of a picture", str(problem)) from None
    write_whole(file, picture.getvalue())


def _point(item: Any) -> dict[str, Any]:
    content = item.to_json() if isinstance(item, Audit) else item.audit
    n = content["n"]
    return {
        "cache": content["cache"].partition("(")[0],  # budgets of one cache are one line
        "verdict": content["verdict"],
        "bits": content["bits"] / n,
        "floor": content["floor_bits"] / n,
        "recovered": float(item.recovered),
        "worst_error": max(LEAST_ERROR, float(item.worst_error or Fraction(0))),
    }
