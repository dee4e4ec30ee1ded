"""The table of docs/index-success.md: ``python -m kvfloor_proofs.pages.index_success FILE``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from kvfloor.floors import least_error, randomised_bits
from kvfloor.index import CODES, best_success

__all__ = ["table"]

BEST = [(N, 1) for N in range(1, 9)] + [(N, 2) for N in range(2, 8)] + [(3, 3), (4, 3)]
HEADER = """\
# How near protocols for INDEX come to the bound

Of N bits one is asked for, after b bits were sent: how often the answer is right, averaged over
uniform inputs and indices. *Bound*: 1 - H₂⁻¹(1 - b/N), which
[no protocol of b bits exceeds](claims/index-randomized.md). *Floor*: the bits that L4 asks for at
the success in the row. Decimals of bounds are rounded up, others to the nearest. Written by
`python -m kvfloor_proofs.pages.index_success docs/index-success.md`.
"""


def table() -> str:
    """Return the page."""
    best = ["## The best there is, by exhaustion", *_head("N,b,success,decimal,bound")]
    best += [_row(N, b, best_success(N, b)) for N, b in BEST]
    codes = ["## Codes", *_head("code,N,b,success,decimal,bound,floor")]
    codes += list(_codes())
    return "\n".join([HEADER, *best, "```", "", *codes, "```", ""])


def _head(columns: str) -> list[str]:
    return ["", "```text", columns]


def _codes() -> Iterator[str]:
    for code in CODES:
        floor = randomised_bits(code.size, 1 - code.success)
        yield f"{code.name},{_row(code.size, code.bits, code.success)},{floor}"


def _row(size: int, bits: int, success: Fraction) -> str:
    bound = 1 - least_error(Fraction(bits, size))
    return f"{size},{bits},{success},{float(success):.5f},{_rounded_up(bound)}"


def _rounded_up(x: Fraction) -> str:
    return f"{float(Fraction(-(-x * 10**5 // 1), 10**5)):.5f}"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(table(), encoding="utf-8")
