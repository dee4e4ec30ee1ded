"""Faults that are public reports: each has a wrong implementation, and a row of the page."""

from __future__ import annotations

import re
from pathlib import Path

from kernels.reported import REPORTED
from kernels.wrong import WRONG
from kernels.wrong_joined import WRONG_TERMS
from kernels.wrong_merging import WRONG_MERGES
from kernels.wrong_packed import WRONG_PACKED
from kernels.wrong_padded import WRONG_PADDED
from kernels.wrong_quantised import WRONG_QUANTISED
from kernels.wrong_repeated import WRONG_REPEATED
from kernels.wrong_views import WRONG_VIEWS

PAGE = (Path(__file__).parents[3] / "docs" / "conformance.md").read_text()
OF_ATTENTION = (
    *WRONG, *WRONG_TERMS, *WRONG_PACKED, *WRONG_PADDED, *WRONG_QUANTISED, *WRONG_REPEATED,
    *WRONG_VIEWS,
)  # fmt: skip


def test_each_row_is_a_report_and_the_entry_that_its_fault_fails() -> None:
    """That the entry fails it is tested where the wrong implementation is."""
    flags = {wrong.name: wrong.flag for wrong in (*WRONG_MERGES, *OF_ATTENTION)}
    rows = re.findall(r"^\| \[.*?\]\(https://github.com/(.*?)\) \| .*? \| `(.*?)` \|$", PAGE, re.M)
    assert rows == [(link, flags[name]) for link, name in REPORTED]
    assert len({link for link, _ in rows}) == len(rows)


def test_the_page_counts_the_wrong_ones() -> None:
    (counts,) = re.findall(r"(\d+) wrong implementations of attention and (\d+) of merging", PAGE)
    assert tuple(map(int, counts)) == (len(OF_ATTENTION), len(WRONG_MERGES))
