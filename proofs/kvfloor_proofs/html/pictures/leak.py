"""L1, L2: how much all competitors may weigh, how much they do, and how much is too much."""

from __future__ import annotations

import math
from fractions import Fraction

from kvfloor.attention import ExactAttention
from kvfloor.families import AddressBook, binary_keys, orthonormal
from kvfloor.floors import Guarantee, leak
from kvfloor_proofs.html.pictures.panel import Panel, Picture, Series

__all__ = ["LEAK"]

TOKENS = 16  # of the instances that are measured, at order 1
ORDERS = {15: "most for M = 15 (n = 16, order 1)", 4095: "most for M = 4095 (n = 64, order 2)"}
BOOKS = (orthonormal, binary_keys)
GUARANTEES = (Guarantee(), Guarantee(Fraction(1, 10), Fraction(1, 5)))
MOST = 20  # nats


def _panels() -> tuple[Panel, ...]:
    bounds = [
        Series(name, tuple((g, leak(M * math.exp(-g))) for g in range(MOST + 1)))
        for M, name in ORDERS.items()
    ]
    instances = [
        Series(f"measured: {book.name}", _measured(book), "points")
        for book in (make(TOKENS) for make in BOOKS)
    ]
    return (
        Panel(
            "Leak against margin",
            "margin g (nats)",
            "leak λ",
            (*bounds, *instances, *map(_tolerated, GUARANTEES)),
            "Two falling curves, one for each number M of competitors, straight on this scale "
            "from about ln M on. The leaks measured with orthonormal keys lie on the curve for "
            "M = 15, those with binary keys below it. Level lines mark the leak from which on "
            "bits cannot be read, for two guarantees.",
            y_scale="log",
        ),
    )


def _measured(book: AddressBook) -> tuple[tuple[float, float], ...]:
    """Margin and leak of the first query, at every strength up to the last margin shown."""
    others = [[0]] + [[1]] * (book.n - 1)
    attention = ExactAttention([book.keys], [others])
    strengths = range(1, MOST // book.margin + 1)
    return tuple(
        (C * book.margin, attention([C * x for x in book.directions[0]]).floats()[0])
        for C in strengths
    )


def _tolerated(guarantee: Guarantee) -> Series:
    eta, alpha = float(guarantee.eta), float(guarantee.alpha)
    most = (1 - eta) / 2 - alpha
    return Series(f"too much for η = {eta:g}, α = {alpha:g}", ((0, most), (MOST, most)), "rule")


LEAK = Picture(
    "leak",
    "What a margin leaves to all others",
    f"The leak λ = E/(1 + E), E = M·exp(-g), and what address books of {TOKENS} keys show at "
    "growing strength. It is met exactly where all competitors lie g below the top. Bits can be "
    "read while λ < (1-η)/2 - α.",
    ("softmax-concentration", "decode-threshold"),
    _panels,
)
