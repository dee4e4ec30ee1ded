"""S2: the quantised cache beside the floor."""

from __future__ import annotations

from kvfloor.families import sign_pairs, tightness
from kvfloor_proofs.html.pictures.panel import Panel, Picture, Series

__all__ = ["TIGHTNESS"]

FAMILIES = ((4, 24, 64), (8, 48, 512), (16, 64, 4096), (32, 96, 32768))  # n, a, d = d_v
EXPONENTS = tuple(2**k for k in range(3, 12))  # log₂ L


def _panels() -> tuple[Panel, ...]:
    curves = []
    for n, a, d in FAMILIES:
        book = sign_pairs(n, a)
        ratios = [float(tightness(book, d - a, d, 2**k).ratio.mid()) for k in EXPONENTS]
        name = f"n = {n}, d = dᵥ = {d}"
        curves.append(Series(name, tuple(zip(EXPONENTS, ratios, strict=True)), "both"))
    ends = EXPONENTS[0], EXPONENTS[-1]
    floor = Series("1: cache and floor agree", tuple((k, 1.0) for k in ends), "rule")
    return (
        Panel(
            "Upper over lower bound",
            "bits of a symbol, log₂ L",
            "bits of the cache / bits of the floor",
            (*curves, floor),
            "Four curves, one for each size of instance, all falling as symbols get longer. The "
            "larger the instance, the lower the curve; the lowest ends a few hundredths above "
            "the level line at 1.",
            x_scale="log2",
        ),
    )


TIGHTNESS = Picture(
    "tightness",
    "The quantised cache comes down to the floor",
    "Bits of the rounded cache for each bit of the floor of the family `sharp`, with "
    "α a quarter of the gap between its two lowest payloads. The ratio goes to 1 as n, d and L "
    "grow: the constant 4 of 4nd·log₂(1/α) is right.",
    ("quantised-upper-bound", "sharp-floor"),
    _panels,
)
