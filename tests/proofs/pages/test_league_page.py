"""The pages of the league are what its rows say, rows are what caches do, and none is above 1."""

from __future__ import annotations

import csv
import dataclasses
from fractions import Fraction
from pathlib import Path

import pytest

from kvfloor.audit import Result, Terms, matches, played
from kvfloor.floors import certified_bits
from kvfloor_proofs.pages import in_order, league_csv, league_page
from limits import HANG

DOCS = Path(__file__).parents[3] / "docs"
TERMS = Terms(trace=str(DOCS / "league-trace.npz"))
PAGES = {
    "league": TERMS,
    "league-256": Terms(n=256, instances=1),
    "league-1024": Terms(n=1024),
    "league-order-2": Terms(n=16, order=2),
}
# Who plays, where not all do.
ONLY = {
    "league-1024": (
        *("ExactCache", "SinkCache", "GroupedCache", "KiviCache", "RotatedCache", "PolarCache"),
        "all tokens, rounded",
    )
}


def rows(name: str = "league") -> list[Result]:
    lines = (DOCS / f"{name}.jsonl").read_bytes().splitlines()
    found = [row for row in map(Result.of, lines) if row is not None]
    assert len(found) == len(lines)
    return in_order(found, PAGES[name])


@pytest.mark.parametrize(("name", "terms"), PAGES.items())
def test_the_page_and_the_table_say_what_the_rows_say(name: str, terms: Terms) -> None:
    results, only = rows(name), ONLY.get(name, ())
    assert [row.task for row in results] == [match.key for match in matches(terms, only)]
    assert (DOCS / f"{name}.md").read_text() == league_page(results, terms, name, only)
    assert (DOCS / f"{name}.csv").read_text() == league_csv(results, terms)
    names, *table = csv.reader((DOCS / f"{name}.csv").read_text().splitlines())
    assert {len(line) for line in table} == {len(names)}


@pytest.mark.parametrize("name", PAGES)
def test_what_is_certified_follows_from_what_was_counted(name: str) -> None:
    for row in rows(name):
        content = row.efficiency or {}
        terms = {"instances": content["instances"], "wrong": content["wrong"]}
        size = content["symbols"] // content["instances"]
        again = [
            certified_bits(
                *(size, content["levels"]),
                **terms,
                longest=content["bits"],
                alike=alike,
                confidence=content["confidence"],
            )
            for alike in (True, False)
        ]
        assert Fraction(content["retrieved"]) in again
        assert content["efficiency"] <= 1


def test_a_cache_without_a_bit_has_a_row() -> None:
    row = rows()[0]
    none = dataclasses.replace(
        row, efficiency=(row.efficiency or {}) | {"bits": 0, "retrieved": "0"}
    )
    _, line = league_csv([none], TERMS).splitlines()
    assert line.startswith(f"{row.task['cache']},,0.0,0.0,0.000,")


def test_a_reason_with_a_bar_stays_in_its_cell() -> None:
    row = dataclasses.replace(rows()[0], efficiency=None, reason="raised: a | b")
    assert " raised: a \\| b | " in league_page([row], TERMS, "league")


@pytest.mark.parametrize(
    ("cache", "options"),
    [
        ("WindowCache", "window=32"),
        ("QuantisedCache", "key_cells=3, value_cells=3"),
        ("SubGen", "s=16, delta=1, t=1, dtype=float16"),
        ("RotatedCache", "bits=2"),
    ],
)
def test_rows_are_what_caches_do(cache: str, options: str) -> None:
    terms = dataclasses.replace(TERMS, seconds=HANG)
    (match,) = (
        one
        for one in matches(terms)
        if (one.entrant.cache, one.entrant.options) == (cache, options)
    )
    (known,) = (
        row for row in rows() if (row.task["cache"], row.task["options"]) == (cache, options)
    )
    again = played(match)
    seconds = (known.efficiency or {})["seconds"]
    assert (
        dataclasses.replace(
            again,
            task=known.task,
            efficiency=(again.efficiency or {}) | {"seconds": seconds},
        )
        == known
    )


def test_what_gives_nothing_has_its_reason() -> None:
    row = rows()[0]
    nothing = Result(row.task, None, None, None, None, None, "died: its process ended")
    page = league_page([nothing], TERMS, "league")
    assert f"| ExactCache | {' | –' * 6} | died: its process ended | – | – |" in page
