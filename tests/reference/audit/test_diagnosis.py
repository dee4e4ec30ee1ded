"""What is said of known faults: the words that each must get, and those it must not."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pytest

from kvfloor.audit import LOSSES, UNTOLD
from kvfloor.audit.accuracy import CATALOGUE, Instance, Reported, reported
from kvfloor.audit.accuracy.controls import probes
from kvfloor.audit.accuracy.diagnosis import diagnosed
from kvfloor.audit.accuracy.instance import tokens_of
from kvfloor.audit.accuracy.views import View
from kvfloor.caches import (
    BalancedCache,
    GroupedCache,
    HeavyHitterCache,
    KiviCache,
    SinkCache,
    configure,
    describe,
)
from kvfloor.caches.tokens import attend
from local_bench import bench_of, entered
from wrong_caches import KeysOneLate, LosesFirst, NoZeroPoint, Padded, Stored, TwoBits

D, N = 8, 16


class Quarters(Stored):
    """Values rounded to multiples of 1/4."""

    def values_in(self, rows: Any) -> Any:
        return np.rint(4 * rows) / 4


class ShiftedZero(Stored):
    """Codes of 8 bits read from a zero that is 64 codes too low."""

    def values_in(self, rows: Any) -> Any:
        span = rows.max(axis=1, keepdims=True) - rows.min(axis=1, keepdims=True)
        return rows - 64 / 255 * span


class OldWithoutZero(Stored):
    """Values of full blocks of eight tokens are read without their zero point."""

    def answer(self, query: Sequence[Any]) -> Any:
        (keys,), (values,) = self._kept.slots
        old = values[: self.tokens // 8 * 8]
        read = np.vstack([old - old.min(axis=1, keepdims=True), values[len(old) :]])
        return attend([keys], [read], list(query), self._shape.d)


class KeysWithoutZero(Stored):
    """Keys of full blocks of four tokens, in columns, are read without their zero point."""

    def answer(self, query: Sequence[Any]) -> Any:
        (keys,), (values,) = self._kept.slots
        read = keys.copy()
        for first in range(0, self.tokens // 4 * 4, 4):
            read[first : first + 4] -= read[first : first + 4].min(axis=0)
        return attend([read], [values], list(query), self._shape.d)


class Pairs(Stored):
    """Every two tokens are merged into their mean."""

    def answer(self, query: Sequence[Any]) -> Any:
        slots = [[rows.copy() for rows in part] for part in self._kept.slots]
        for start in range(0, self.tokens, 2):
            for rows in (*slots[0], *slots[1]):
                rows[start : start + 2] = rows[start : start + 2].mean(axis=0)
        return attend(slots[0], slots[1], list(query), self._shape.d)


class ColumnsBackwards(Stored):
    """Columns of keys the other way round."""

    def keys_in(self, rows: Any) -> Any:
        return rows[:, ::-1]


class AnotherStreams(Stored):
    """A token of another stream, all ones, is never masked."""

    def answer(self, query: Sequence[Any]) -> Any:
        filled = [
            [np.vstack([rows, np.ones((1, rows.shape[1]))]) for rows in part]
            for part in self._kept.slots
        ]
        return attend(filled[0], filled[1], list(query), self._shape.d)


class Fault(NamedTuple):
    """A cache, entries that it fails, and words that one line has, and all lines, of its losses."""

    cache: Any
    entries: tuple[str, ...]
    said: str
    losses: frozenset[str]


def fault(cache: Any, entries: str, said: str, *losses: str) -> Fault:
    return Fault(cache, tuple(entries.split()), said, frozenset(losses))


ROUNDED, KEYS, BOTH = "precision of values", "precision of keys", "precision of keys and values"
MISSING = "missing token"
FAULTS = (
    fault(Quarters, "small-values old-values", "values rounded to multiples of 0.25", ROUNDED),
    fault(configure(SinkCache, sinks=0, window=4), "small-values huge-keys", "tokens 0 to 7",
          MISSING),
    fault(configure(HeavyHitterCache, heavy=4, recent=4), "graded-values just-above-half",
          "tokens 3, 5, 6, 7", MISSING),
    fault(configure(BalancedCache, levels=2, batch=4), "just-above-half huge-keys",
          "tokens 0, 1, 3, 4, 6, 7, 9, 11", MISSING),
    fault(LosesFirst, "just-appended overflow huge-keys", "(token 0)", MISSING),
    fault(Pairs, "asked-throughout large-keys", "2 tokens each", "merged tokens"),
    fault(TwoBits, "large-values gaussian", "values in 2 bits between a token's ends",
          ROUNDED, BOTH),
    fault(configure(KiviCache, bits=2, group=4, residual=4),
          "large-values key-columns heavy-tailed",
          "values in 2 bits between the ends of 4, all but the last 4 tokens", ROUNDED, KEYS, BOTH),
    fault(configure(GroupedCache, bits=3, group=4), "large-values key-columns",
          "values come back off by up to", ROUNDED, KEYS),
    fault(NoZeroPoint, "just-appended just-above-half", "of the least of a token", "zero point"),
    fault(ShiftedZero, "growing-values just-above-half", "-0.251 of the span of a token",
          "zero point"),
    fault(OldWithoutZero, "graded-values fractional-keys",
          "values plus -1 of the least of a token in full blocks of 8 tokens", "zero point"),
    fault(KeysWithoutZero, "graded-values underflow",
          "the least of a column in each full block of 4 tokens", "zero point"),
    fault(Padded, "just-appended asked-throughout", "zeros up to a multiple of 4",
          "token too many"),
    fault(KeysOneLate, "overflow large-values", "keys with tokens +1 place", "wrong order"),
    fault(ColumnsBackwards, "asked-throughout key-columns", "keys with columns backwards",
          "wrong order"),
    fault(AnotherStreams, "small-values temperatures", "the answers are right", UNTOLD),
)  # fmt: skip


def reports(cache: Any, entries: Sequence[str]) -> list[Reported]:
    """What is reported of the worst failure of each entry."""
    bench = bench_of(cache, 1, D, n=N)
    some = [entry for entry in CATALOGUE if entry.name in entries]
    found = [one for one in entered(bench, some, n=N) if one.failures]
    assert {one.entry.name for one in found} == set(entries)
    worst = [max(one.failures, key=lambda failure: failure.miss.excess) for one in found]
    return [reported(bench, failure, describe(cache)) for failure in worst]


@pytest.mark.parametrize("row", FAULTS, ids=lambda row: describe(row.cache)["name"])
def test_known_faults_get_their_words_and_no_others(row: Fault) -> None:
    found = reports(row.cache, row.entries)
    assert {one.diagnosis.loss for one in found} == row.losses
    assert any(row.said in one.reason for one in found)
    for one in found:
        assert one.certificate is not None
        assert f" column {one.certificate['query']['column']}, " in one.reason


# --- what is named explains all that was seen --------------------------------------------------


def view(answer: Any, values: Any = None) -> View:
    """What a function of query, keys and values answers to probes."""
    rng = np.random.default_rng(1)
    keys = rng.integers(-8, 9, (6, 4)) / 8
    values = rng.integers(-8, 9, (6, 3)) / 8 if values is None else values
    instance = Instance(tokens_of([keys.tolist()], [values.tolist()]), ((1.0, 2.0, -1.0, 0.5),))
    asked = probes(instance)
    answers = [[Fraction(float(x)) for x in answer(np.array(q), keys, values)] for q in asked]
    return View.of(instance, asked, answers, Fraction(1, 64))


def attention(query: Any, keys: Any, values: Any) -> Any:
    weights = np.exp(keys @ query)
    return weights @ values / weights.sum()


def rounded(query: Any, keys: Any, values: Any) -> Any:
    return attention(query, keys, np.rint(values * 2) / 2)


def test_a_change_that_explains_one_view_and_not_the_other_is_not_named() -> None:
    one = view(rounded)
    assert diagnosed(one, []).detail == "values rounded to multiples of 0.5"
    assert diagnosed(one, [view(rounded, one.values[0] / 2)]).loss == "precision of values"
    scaled = view(lambda q, k, v: 2 * attention(q, k, v))
    assert diagnosed(one, [scaled]) == (UNTOLD, "", None)


def test_what_all_views_leave_alike_is_told_by_one_beside_them() -> None:
    """Values of which rounding leaves nothing, in multiples of 16 as in those of 1/2."""
    small = view(rounded, np.full((6, 3), 1 / 8))
    assert diagnosed(small, []).detail == "values times 0"
    assert diagnosed(small, [view(rounded)]).detail == "values rounded to multiples of 0.5"
    assert diagnosed(small, [], view(rounded)).detail == "values rounded to multiples of 0.5"


def test_a_bound_far_below_the_values_is_found() -> None:
    cut = view(lambda q, k, v: attention(q, k, v.clip(-(2.0**-12), 2.0**-12)))
    assert diagnosed(cut, []) == ("clipping", "values cut at ±0.0002441", None)


def test_nothing_is_named_that_leaves_a_fifth_of_the_error() -> None:
    noise = np.random.default_rng(2).normal(size=(99, 3))
    rows = iter(noise)
    assert diagnosed(view(lambda q, k, v: attention(q, k, v) + next(rows)), []).loss == UNTOLD


def test_every_word_has_a_meaning() -> None:
    assert {loss for row in FAULTS for loss in row.losses} <= {*LOSSES, UNTOLD}
