"""L4: how often INDEX is answered rightly from few bits, at best and by codes."""

from __future__ import annotations

from fractions import Fraction

from kvfloor.floors import least_error
from kvfloor.index import CODES, best_success
from kvfloor_proofs.html.pictures.panel import Panel, Picture, Series
from kvfloor_proofs.pages import BEST

__all__ = ["INDEX"]

GRID = 64  # places at which the bound is drawn


def _panels() -> tuple[Panel, ...]:
    bound = tuple((k / GRID, float(1 - least_error(Fraction(k, GRID)))) for k in range(GRID + 1))
    best = sorted((b / N, float(best_success(N, b))) for N, b in BEST)
    codes = sorted((code.bits / code.size, float(code.success)) for code in CODES)
    return (
        Panel(
            "INDEX: success against bits",
            "bits of the message for each bit of the input, b/N",
            "success, averaged",
            (
                Series("bound 1 − H₂⁻¹(1 − b/N)", bound),
                Series("best protocol, by exhaustion", tuple(best), "points"),
                Series("covering codes", tuple(codes), "points"),
            ),
            "A curve rises from one half at b = 0, steeply at first, to 1 at b = N. All points "
            "lie below it: the best protocols for small N, found by exhaustion, and perfect and "
            "other covering codes, of which the Hamming code of length 15 comes nearest.",
        ),
    )


INDEX = Picture(
    "index",
    "How near protocols for INDEX come to the bound",
    "Success averaged over uniform inputs and indices. No protocol of b bits is above the curve; "
    "the best there are have been found by exhaustion for "
    f"{len(BEST)} pairs (N, b), N up to {max(N for N, _ in BEST)}. The codes are repetition, "
    "Hamming, BCH and Golay.",
    ("index-randomized", "index-deterministic", "random-instance-fails"),
    _panels,
)
