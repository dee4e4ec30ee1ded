"""T3: what the three evaluations of one query count, and how long they take here."""

from __future__ import annotations

from kvfloor_proofs.html.pictures.panel import Panel, Picture, Series
from kvfloor_proofs.pages import NAMES, D, Measured, closed_forms, measure

__all__ = ["COST"]

SIZES = (16, 32, 64, 128, 256)  # beyond that the products take a gigabyte
CALLS = 5


def _panels() -> tuple[Panel, ...]:
    rows = list(measure(SIZES, CALLS))
    return (
        Panel(
            "Counted",
            "tokens n",
            "multiplications",
            tuple(Series(name, _counts(name), "both") for name in NAMES),
            "Three straight lines of slope two. Forming the products first takes twice as many "
            "multiplications as the two-cache; the factored evaluation and the two-cache lie on "
            "each other.",
            x_scale="log2",
            y_scale="log",
        ),
        Panel(
            "Measured",
            "tokens n",
            "milliseconds",
            tuple(Series(name, _times(rows, name), "both") for name in NAMES),
            "Wall-clock times of the same three evaluations on the machine that wrote this page. "
            "At the largest n, forming the products first takes longest and the factored "
            "evaluation the least time or about as long as the two-cache.",
            x_scale="log2",
            y_scale="log",
        ),
    )


def _counts(name: str) -> tuple[tuple[float, float], ...]:
    return tuple((n, closed_forms(n)[name].multiplications) for n in SIZES)


def _times(rows: list[Measured], name: str) -> tuple[tuple[float, float], ...]:
    return tuple((row.n, 1000 * row.seconds) for row in rows if row.name == name)


COST = Picture(
    "cost",
    "What one query costs, three ways",
    f"Order 2, d = d_v = {D}, float64. Counts are the closed forms, which counting confirms; "
    f"times are the median of {CALLS} calls on the machine that wrote this page.",
    ("time-memory",),
    _panels,
)
