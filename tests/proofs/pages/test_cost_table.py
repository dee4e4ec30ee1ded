"""The page of costs: its counts are those of the evaluations, its times were measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kvfloor.cost import Counts, attend_factored, attend_formed, attend_products, counted
from kvfloor_proofs.pages import NAMES, D, Measured, closed_forms, measure
from kvfloor_proofs.pages.cost import SIZES, table

PAGE = Path(__file__).parents[3] / "docs" / "cost.md"


def cells(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_page_has_the_counts_of_the_closed_forms() -> None:
    rows = cells(PAGE.read_text(encoding="utf-8"))
    assert [(int(n), name) for n, name, *_ in rows] == [(n, name) for n in SIZES for name in NAMES]
    for n, name, products, ratio, read, milliseconds, times in rows:
        forms = closed_forms(int(n))
        assert int(products) == forms[name].multiplications
        assert int(read) == forms[name].read
        base = forms[NAMES[2]].multiplications
        assert ratio == f"{forms[name].multiplications / base:.2f}"
        assert float(milliseconds) > 0
        assert float(times) > 0
    assert PAGE.read_text(encoding="utf-8").split("|")[0] == table([]).split("|")[0]


def test_what_the_page_says_of_its_times() -> None:
    times = {(int(row[0]), row[1]): float(row[5]) for row in cells(PAGE.read_text("utf-8"))}
    largest = SIZES[-1]
    formed, two, factored = (times[largest, name] for name in NAMES)
    assert formed > 2 * two
    assert two > factored
    forms = [closed_forms(n) for n in SIZES]
    assert all(
        form[NAMES[0]].multiplications == 2 * form[NAMES[1]].multiplications for form in forms
    )


@pytest.mark.parametrize("name", NAMES)
def test_closed_forms_are_what_is_counted(name: str) -> None:
    counts = Counts()
    rng = np.random.default_rng(0)
    n = 3
    keys, values = ([counted(rng.integers(0, 9, (n, D)), counts) for _ in "12"] for _ in "kv")
    query = counted(rng.integers(0, 2, D), counts)
    rows = [counted(np.ones((n * n, D), dtype=int), counts) for _ in "kv"]
    if name == NAMES[1]:
        attend_products(query, *rows)
    else:
        (attend_formed if name == NAMES[0] else attend_factored)(query, keys, values)
    expected = closed_forms(n)[name]
    assert counts.multiplications == expected.multiplications
    assert counts.exponentials == expected.exponentials
    assert counts.additions == expected.additions


def test_measured_rows() -> None:
    rows = list(measure((2, 4), calls=3))
    assert [(row.n, row.name) for row in rows] == [(n, name) for n in (2, 4) for name in NAMES]
    assert all(row.seconds > 0 for row in rows)
    assert [row.counts for row in rows] == [c for n in (2, 4) for c in closed_forms(n).values()]
    found = cells(table(rows))
    assert [row[6] for row in found if row[1] == NAMES[2]] == ["1.0", "1.0"]


def test_milliseconds_and_their_ratio_to_factored() -> None:
    counts = closed_forms(2)
    seconds = dict(zip(NAMES, (0.5, 0.003, 0.002), strict=True))
    found = cells(table([Measured(2, name, counts[name], seconds[name]) for name in NAMES]))
    assert [row[5] for row in found] == ["500.00", "3.00", "2.00"]
    assert [row[6] for row in found] == ["250.0", "1.5", "1.0"]
