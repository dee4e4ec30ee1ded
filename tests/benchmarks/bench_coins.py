"""Verdicts on failure rates around δ: ``python tests/benchmarks/bench_coins.py``.

For each δ and each rate, how many of 50 seeds say that the cache fails too often, seldom enough, or
that the coins do not tell; and the most tosses that it took. The coins are Python's, not a cache's.
"""

from __future__ import annotations

import sys
from collections import Counter
from fractions import Fraction
from random import Random

from kvfloor.audit import DEFAULT_CONFIDENCE
from kvfloor.audit.coins import tossed_until_told

__all__ = ["DELTAS", "FACTORS", "WORDS", "verdicts"]

DELTAS = (Fraction(1, 100), Fraction(1, 10), Fraction(1, 4))
FACTORS = (Fraction(1, 2), Fraction(1), Fraction(3, 2), Fraction(2))
WORDS = {1: "violates", -1: "within-guarantee", 0: "undecided"}


def verdicts(delta: Fraction, rate: Fraction, seeds: range) -> tuple[Counter[str], int]:
    """How often each word is said, and the most tosses."""
    found, most = Counter[str](), 0
    for seed in seeds:
        coins = Coins(float(rate), f"{delta} {rate} {seed}")
        told, side = tossed_until_told(coins.tossed, delta, DEFAULT_CONFIDENCE)
        found[WORDS[side]] += 1
        most = max(most, told.tosses)
    return found, most


class Coins:
    """Fails at a rate."""

    def __init__(self, rate: float, seed: str) -> None:
        self.rate, self.rng = rate, Random(seed)

    def tossed(self, count: int) -> list[bool]:
        return [self.rng.random() >= self.rate for _ in range(count)]


def main() -> None:
    lines = ["| δ | rate | violates | undecided | within-guarantee | most tosses |"]
    lines.append("|---|---|---|---|---|---|")
    for delta in DELTAS:
        for factor in FACTORS:
            found, most = verdicts(delta, factor * delta, range(50))
            words = " | ".join(str(found[w]) for w in ("violates", "undecided", "within-guarantee"))
            lines.append(f"| {delta} | {factor}·δ | {words} | {most} |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
