"""Certificates of floors: accepted alone, and refused for their reason where one is altered."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from kvfloor import InputError, check, floor_of
from kvfloor.caches import ExactCache
from kvfloor.certificates import MOST_CHARACTERS, Document, digest
from kvfloor.certificates.text import MOST_WITHOUT_TRACE

RNG = np.random.default_rng(2)
KEYS = RNG.normal(size=(12, 4)).astype(np.float16)
QUERIES = (4 * RNG.normal(size=(9, 4))).astype(np.float32)
TERMS: dict[str, Any] = {"alpha": "1/64", "eta": "1/100", "scale": "1/sqrt(d)", "d_v": 3}
FOUND = floor_of([KEYS], QUERIES, mask="causal", **TERMS)


def copied() -> Document:
    document: Document = json.loads(json.dumps(FOUND.certificate))
    return document


def sealed(document: Document) -> str:
    return json.dumps(document | {"digest": digest(document)})


def altered(change: Callable[[Document], None]) -> tuple[str, str]:
    document = copied()
    change(document)
    outcome = check(sealed(document))
    return outcome.status, outcome.reason


def test_accepted_alone_and_says_what_it_cannot_know() -> None:
    assert len(FOUND.tokens) >= 4
    outcome = check(sealed(copied()))
    assert outcome.status == "ok"
    assert outcome.unchecked == ("that these are the keys and queries of a model",)


def test_there_is_nothing_to_replay() -> None:
    """The certificate is not to blame."""
    with pytest.raises(InputError, match=r"^cache: expected none, as a floor speaks of all caches"):
        check(sealed(copied()), cache=ExactCache)


def _put(*path: Any, value: Any) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        node: Any = document
        for part in path[:-1]:
            node = node[part]
        node[path[-1]] = value(node[path[-1]]) if callable(value) else value

    return change


def _turned(symbols: list[Any]) -> list[Any]:
    return symbols[::-1]


def _other_query(query: int) -> int:
    return query + 1 if query == 0 else 0


def _other_number(factor: float, place: int, dtype: Any) -> Callable[[str], str]:
    def change(data: str) -> str:
        array = np.frombuffer(b64decode(data), dtype).copy()
        array[place] *= factor
        return b64encode(array.tobytes()).decode()

    return change


LAST = len(FOUND.tokens) - 1
KEY_OF_LAST = 4 * FOUND.tokens[LAST]
FALSE = [
    ("more levels", _put("symbols", LAST, "levels", value=lambda L: L + 1), f"levels[{LAST}]"),
    ("fewer levels", _put("symbols", LAST, "levels", value=2), "bits: "),
    ("more bits", _put("bits", value=lambda b: b + 1), "bits: "),
    ("fewer bits", _put("bits", value=lambda b: b - 1), "bits: "),
    ("another order", _put("symbols", value=_turned), "levels["),
    ("another query", _put("symbols", LAST, "query", value=_other_query), "symbols: not all"),
    (
        "another token",
        _put("symbols", LAST, "token", value=next(i for i in range(12) if i not in FOUND.tokens)),
        "levels[",
    ),
    (
        "a token twice",
        _put("symbols", LAST, "token", value=FOUND.tokens[0]),
        "symbols: a token stands twice",
    ),
    ("no such token", _put("symbols", LAST, "token", value=12), "symbols: no such token"),
    ("no such query", _put("symbols", LAST, "query", value=9), "symbols: not all queries"),
    (
        "another key",
        _put("trace", "keys", 0, "data", value=_other_number(-1, KEY_OF_LAST, "<f2")),
        "levels[",
    ),
    (
        "queries that are less sharp",
        _put("trace", "queries", "data", value=_other_number(0.5, slice(None), "<f4")),  # type: ignore[arg-type]
        "levels[",
    ),
    ("a key that is no number", _put("trace", "keys", 0, "data",
      value=_other_number(float("nan"), 0, "<f2")), "trace: keys[0]"),
    ("another slot", _put("trace", "slot", value=1), "trace: slot"),
    ("a smaller scale", _put("trace", "scale", "factor", value="1/8"), "levels["),
    ("no scale", _put("trace", "scale", "factor", value="0"), "trace.scale: expected"),
    ("a negative scale", _put("trace", "scale", "factor", value="-1/4"), "trace.scale: expected"),
    ("a larger α", _put("guarantee", "alpha", value="1/32"), "levels["),
    ("a negative α", _put("guarantee", "alpha", value="-1/32"), "alpha: expected"),
    ("a larger η", _put("guarantee", "eta", value="1/10"), "levels["),
    ("η = 1", _put("guarantee", "eta", value="1"), "eta: expected"),
    ("errors", _put("guarantee", "delta", value="1/10"), "delta: expected 0"),
    ("another rule", _put("rule", value="at once"), "levels["),
    ("another width", _put("d_v", value=4), "bits: "),
    ("other tokens seen", _put("trace", "seen", value=lambda seen: [[[0, 12]]] * len(seen)),
     "levels["),
    ("a tuple too many", _put("trace", "seen", 0, value=[[0, 13]]), "trace.seen: expected"),
    ("intervals turned", _put("trace", "seen", 0, value=[[3, 4], [0, 2]]), "trace.seen: expected"),
    ("an empty interval", _put("trace", "seen", 0, value=[[3, 3]]), "trace.seen: expected"),
    ("a row missing", _put("trace", "seen", value=lambda seen: seen[1:]), "trace.seen: expected"),
    ("bytes missing", _put("trace", "keys", 0, "data", value=lambda data: data[:-4]),
     "trace.keys[0]: "),
    ("no base64", _put("trace", "keys", 0, "data", value=lambda data: "*" + data[1:]),
     "trace.keys[0]: its data are no base64"),
    ("another shape", _put("trace", "keys", 0, "shape", value=[24, 2]), "trace: keys[0]"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "reason"), [pytest.param(*row[1:], id=row[0]) for row in FALSE])
def test_altered_it_is_invalid(change: Callable[[Document], None], reason: str) -> None:
    status, found = altered(change)
    assert (status, reason in found) == ("invalid", True), found


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_put("trace", "queries", "shape", value=[10**6, 4]), "$.trace.queries.shape"),
        (_put("trace", "queries", "shape", value=[10**5, 1000]), "trace: too large"),
        (_put("symbols", value=[]), "$.symbols"),
        (_put("symbols", 0, "levels", value=1), "$.symbols[0].levels"),
        (_put("symbols", 0, "levels", value=2**16 + 1), "$.symbols[0].levels"),
        (_put("rule", value="both"), "$.rule"),
        (_put("trace", "seen", 0, value=[]), "$.trace.seen[0]"),
        (_put("trace", "seen", value=[[[0, 1]]] * 10_001), "$.trace.seen: [[[0, 1]]"),
        (_put("trace", "scale", "factor", value="2/4"), "the rational 2/4"),
        (_put("guarantee", "alpha", value="2/128"), "the rational 2/128"),
        (_put("trace", "keys", 0, "dtype", value="int8"), "$.trace.keys[0].dtype"),
        (_put("version", value=2), "$.version"),
        (_put("more", value=None), "$: Additional properties"),
    ],
)
def test_of_another_form_it_is_malformed(change: Callable[[Document], None], reason: str) -> None:
    document = copied()
    change(document)
    outcome = check(sealed(document))
    assert (outcome.status, reason in outcome.reason) == ("malformed", True), outcome.reason


def test_a_seal_that_is_not_its_own() -> None:
    document = copied()
    document["bits"] += 1
    assert check(json.dumps(document)).reason.startswith("digest: ")


@pytest.mark.parametrize(
    ("array", "dtype"),
    [
        (KEYS, "float16"),
        (KEYS.astype(np.float64), "float16"),
        (np.array([[2.0**40, 1]], dtype=ml_dtypes.bfloat16), "bfloat16"),
        (KEYS.astype(np.float32) + np.float32(2**-20), "float32"),
        (KEYS.astype(np.float64) + 2.0**-45, "float64"),
        ([["1/2", 3]], "float16"),
    ],
)
def test_keys_are_kept_in_the_narrowest_format(array: Any, dtype: str) -> None:
    rows = [[x if not isinstance(x, str) else 0.5 for x in row] for row in array]
    given = array if hasattr(array, "dtype") else rows
    queries = np.zeros((1, np.shape(rows)[1]))
    document = floor_of([given], queries, alpha=0).certificate
    assert document is not None
    assert document["trace"]["keys"][0]["dtype"] == dtype
    assert check(json.dumps(document)).status == "ok"


def test_only_floors_are_that_long() -> None:
    document = {"format": "kvfloor-certificate", "version": 1, "kind": "collision"}
    text = json.dumps(document | {"long": "x" * MOST_WITHOUT_TRACE})
    assert check(text).reason == f"longer than {MOST_WITHOUT_TRACE} characters"
    assert check("x" * (MOST_CHARACTERS + 1)).reason == f"longer than {MOST_CHARACTERS} characters"
    text = json.dumps(document | {"kind": "floor", "long": "x" * MOST_WITHOUT_TRACE})
    assert "'long' was unexpected" in check(text).reason
