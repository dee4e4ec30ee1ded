"""The league: who plays, what is written of a match, the drawing, the pictures."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cheats
from kvfloor import InputError, caches, tensor_attention_rounded
from kvfloor.audit import (
    Match,
    Result,
    Terms,
    dots,
    draw_drawings,
    draw_errors,
    draw_league,
    league,
    left_out,
    matches,
    played,
    playing,
)
from kvfloor.audit.entrants import Entrant
from kvfloor.caches import ExactCache, HashedCache, QuantisedCache, SinkCache, configure
from limits import HANG

TERMS = Terms(n=8, d=4, alpha=Fraction(1, 16), seconds=HANG)


def result(name: str, options: str = "") -> Result:
    """Of an entrant at the small terms."""
    (match,) = (
        one
        for one in matches(TERMS)
        if one.entrant.cache == name and one.entrant.options == options
    )
    return played(match)


@pytest.mark.parametrize(("order", "count"), [(1, 103), (2, 94)])
def test_every_cache_plays_or_is_left_out(order: int, count: int) -> None:
    classes = {
        name
        for name in caches.__all__
        if isinstance(getattr(caches, name), type) and hasattr(getattr(caches, name), "from_state")
    } - {"Configured", "CacheFactory"}
    entrants = [match.entrant.cache for match in matches(Terms(order=order))]
    assert classes == {*entrants, *left_out(order)} & {*caches.__all__}
    assert not {*entrants} & {*left_out(order)}
    assert len(entrants) == count
    assert max(map(entrants.count, entrants)) == 4
    laddered = {name for name in entrants if entrants.count(name) == 4}
    assert len(laddered) == {1: 25, 2: 23}[order]


def test_some_alone_may_play() -> None:
    some = matches(TERMS, ["PolarCache", "sliding window"])
    assert [match.entrant.cache for match in some] == [*["PolarCache"] * 4, *["sliding window"] * 4]
    assert some[0].key == next(m for m in matches(TERMS) if m.entrant.cache == "PolarCache").key
    with pytest.raises(InputError, match=r"^only: expected one of ExactCache, "):
        matches(TERMS, ["Nobody"])


def test_order_2_is_played_without_a_drawing() -> None:
    (match,) = (
        one
        for one in matches(dataclasses.replace(TERMS, order=2, d=8))
        if one.entrant.cache == "KiviCache" and one.entrant.options.startswith("bits=8, ")
    )
    found = played(match)
    assert (found.dots, found.reason, (found.efficiency or {})["order"]) == (None, "", 2)
    assert 0 < (found.mean_error or 0) < (found.worst_error or 0) < 1 / 16


def test_a_trace_is_played(tmp_path: Path) -> None:
    """Errors are in units of the largest value; what a cache refuses is said."""
    rng = np.random.default_rng(0)
    keys, values, queries = rng.integers(-8, 9, (3, 6, 4)) / 8
    np.savez(tmp_path / "t.npz", keys=keys, values=4 * values, queries=queries)
    terms = dataclasses.replace(TERMS, trace=str(tmp_path / "t.npz"))
    exact = played(Match(Entrant("ExactCache", "", ExactCache), terms))
    assert exact.trace == {"bits": 6 * 8 * 64, "worst": 0.0, "mean": 0.0}
    assert exact.task["trace"] == "t.npz"
    assert Result.of(exact.line()) == exact
    empty = played(Match(Entrant("HashedCache", "", configure(HashedCache, bits=1)), terms)).trace
    outputs = tensor_attention_rounded(queries, [keys], [values], dtype="float64")
    assert empty is not None
    assert empty["worst"] == pytest.approx(np.abs(outputs).max() / np.abs(values).max(), rel=1e-12)
    boxed = configure(QuantisedCache, key_cells=3, value_cells=3)
    refused = played(Match(Entrant("QuantisedCache", "", boxed), terms)).trace
    assert refused is not None
    assert refused["refused"].startswith("it refuses the trace: ")


def test_budgets_rise() -> None:
    found = [result("WindowCache", f"window={kept}") for kept in (2, 4, 6, 8)]
    bits = [(one.efficiency or {})["bits"] for one in found]
    wrong = [(one.efficiency or {})["wrong"] for one in found]
    assert bits == [8, 16, 24, 32]
    assert wrong == sorted(wrong, reverse=True)
    assert (wrong[-1], found[-1].worst_error, found[-1].mean_error) == (0, 0, 0)
    assert 0 < (found[0].mean_error or 0) < (found[0].worst_error or 0) <= 1


@pytest.mark.parametrize("name", ["ExactCache", "FloorCache"])
def test_a_result_is_a_line(name: str) -> None:
    found = result(name)
    assert Result.of(found.line()) == found
    assert Result.of(found.line()[:-9]) is None
    assert found.dots == dots(8, 4)


def test_a_cheat_has_a_reason_and_no_numbers() -> None:
    match = Match(Entrant("Understated", "", cheats.Understated), TERMS)
    found = played(match)
    assert (found.efficiency, found.worst_error, found.mean_error, found.dots) == (None,) * 4
    assert found.trace is None
    assert found.reason.startswith("state: append() or state() cache: ")
    assert Result.of(found.line()) == found


def test_what_was_played_is_not_played_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = matches(TERMS)[3:6]
    monkeypatch.setattr(playing, "matches", lambda *_: few)
    output = tmp_path / "rows.jsonl"

    def play() -> list[Result]:
        with ThreadPoolExecutor(1) as pool:
            return list(league(TERMS, output=output, executor=pool))

    first = play()
    whole = output.read_bytes()
    assert whole == b"".join(one.line() for one in first)
    output.write_bytes(whole[:-7])
    again = play()
    assert again[:2] == first[:2]  # with the seconds of then
    assert [one.task for one in again] == [one.task for one in first]
    assert output.read_bytes().startswith(b"".join(one.line() for one in first[:2]))


# --- the drawing ---------------------------------------------------------------------------------


def test_the_drawing_is_a_key() -> None:
    drawn = dots(64, 16)
    assert (len(drawn), {len(column) for column in drawn}) == (64, {16})
    ring, shaft = drawn[:20], drawn[20:44]
    assert drawn[11][7:9] == (0, 0)  # the hole
    assert all(column[7:9] == (1, 1) for column in shaft)
    assert all(column[0] == column[15] == 0 for column in shaft)
    assert sum(map(sum, ring)) > 60
    assert sum(drawn[46]) > sum(drawn[43])  # a tooth


def test_tokens_that_are_dropped_take_their_dots_with_them() -> None:
    cache = configure(SinkCache, sinks=2, window=4, dtype="float16")
    terms = dataclasses.replace(TERMS, n=16, d=8)
    found = played(Match(Entrant("SinkCache", "", cache), terms)).dots
    assert found is not None
    stored = dots(16, 8)
    assert (found[:2], found[12:]) == (stored[:2], stored[12:])
    assert found[2:12] != stored[2:12]


def points(name: str) -> Iterator[Result]:
    for k, budget in enumerate((100, 200)):
        content: dict[str, Any] = {"n": 8, "bits": budget, "retrieved": str(Fraction(k * 30))}
        task = {"cache": name, "options": str(budget)}
        yield Result(task, content, 0.5, 0.25, dots(8, 4), None, "")


def errors_at_the_terms(results: Any, file: Any) -> None:
    draw_errors(results, TERMS, file)


@pytest.mark.parametrize("draw", [draw_league, draw_drawings, errors_at_the_terms])
def test_pictures_are_drawn(draw: Any, tmp_path: Path) -> None:
    nothing = Result(
        {"cache": "None", "options": ""}, None, None, None, None, None, "died: at once"
    )
    draw([*points("One"), *points("Other"), nothing], tmp_path / "p.svg")
    text = (tmp_path / "p.svg").read_text()
    assert text.count("<image") == (4 if draw is draw_drawings else 0)
    draw([nothing], tmp_path / "empty.png")
    assert (tmp_path / "empty.png").read_bytes().startswith(b"\x89PNG")


def test_exact_answers_have_no_error() -> None:
    found = played(Match(Entrant("ExactCache", "", ExactCache), TERMS))
    assert (found.worst_error, found.mean_error) == (0, 0)


def test_errors_are_those_of_values_that_floats_do_not_hold() -> None:
    """All tokens in float16: sevenths are off by half an ulp of float16, outputs as well."""
    found = result("all tokens, rounded", "float16")
    assert (found.efficiency or {})["levels"] == 8
    assert 0 < (found.mean_error or 0) < (found.worst_error or 0) < 2**-11
