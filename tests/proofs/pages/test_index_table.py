"""The table of INDEX is what the code computes."""

from __future__ import annotations

import csv
import re
from fractions import Fraction
from pathlib import Path

from kvfloor_proofs.pages.index_success import table

PAGE = Path(__file__).parents[3] / "docs" / "index-success.md"


def test_page_is_current() -> None:
    """If this fails: python -m kvfloor_proofs.pages.index_success docs/index-success.md."""
    assert PAGE.read_text(encoding="utf-8") == table()


def test_no_row_beats_its_bounds() -> None:
    best, codes = (
        list(csv.DictReader(block.splitlines()))
        for block in re.findall(r"```text\n(.*?)```", table(), re.DOTALL)
    )
    assert len(best) == 16
    assert len(codes) == 8
    for row in best + codes:
        assert Fraction(row["success"]) <= Fraction(row["bound"])
        assert abs(Fraction(row["success"]) - Fraction(row["decimal"])) <= Fraction(1, 2 * 10**5)
    assert all(int(row["floor"]) <= int(row["b"]) for row in codes)
