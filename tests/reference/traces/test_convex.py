"""Queries of a norm: within it, optimal, better than a token's own key, and bad input."""

from __future__ import annotations

import json
from fractions import Fraction
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
import pytest

import kvfloor
from kvfloor import InputError, check

pytest.importorskip("scipy")

floor_of = partial(kvfloor.floor_of, scale=1)
free_queries = partial(kvfloor.free_queries, scale=1)


def clusters() -> Any:
    rng = np.random.default_rng(0)
    return np.repeat(4 * np.eye(3, 6), 5, axis=0) + rng.standard_normal((15, 6)) / 2


def weights(keys: Any, query: Any) -> Any:
    logits = keys @ query
    found = np.exp(logits - logits.max())
    return found / found.sum()


@pytest.mark.parametrize("norm", [Fraction(1, 3), 2, 10])
def test_no_norm_is_larger_and_every_weight_is_the_largest(norm: Any) -> None:
    """At a maximum in a ball the gradient points along the query, or is zero."""
    keys = clusters()
    queries = free_queries(keys, norm=norm)
    assert queries.shape == (15, 6)
    for query in queries:
        assert sum(Fraction(x) ** 2 for x in query) <= Fraction(norm) ** 2
    read = [int(np.argmax([weights(keys, q)[j] for q in queries])) for j in range(15)]
    for token, place in enumerate(read):
        query = queries[place]
        gradient = keys[token] - weights(keys, query) @ keys
        along = gradient @ query / np.linalg.norm(query)
        across = np.linalg.norm(gradient - along * query / np.linalg.norm(query))
        assert along > -1e-4
        assert across < 1e-3 * np.linalg.norm(keys[token])
        own = float(norm) * keys[token] / np.linalg.norm(keys[token])
        assert weights(keys, query)[token] >= weights(keys, own)[token] - 1e-9


def test_they_force_more_than_a_tokens_own_key_and_what_they_force_is_proved() -> None:
    keys = clusters()
    own = 5 * keys / np.linalg.norm(keys, axis=1, keepdims=True)
    mine = floor_of([keys], own, alpha="1/64")
    best = floor_of([keys], free_queries(keys, norm=5), alpha="1/64")
    assert best.bits > 1.2 * mine.bits
    assert check(json.dumps(best.certificate)).status == "ok"


def test_the_tokens_that_start_best_are_asked_for() -> None:
    keys = np.vstack([np.zeros((6, 3)), 5 * np.eye(3)])
    queries = free_queries(keys, norm=3, most=3)
    assert sorted(int(np.argmax(weights(keys, q))) for q in queries) == [6, 7, 8]
    assert len(free_queries(keys, norm=3, most=100)) == 9
    np.testing.assert_array_equal(queries, free_queries(keys, norm=3, most=3))


def test_the_scale_counts() -> None:
    keys = clusters()[:, :5]
    scaled = kvfloor.free_queries(keys, norm=4)
    np.testing.assert_allclose(scaled, 5**0.5 * free_queries(keys, norm=4 / 5**0.5), atol=1e-3)


def test_alike_keys_and_one_key() -> None:
    assert np.isfinite(free_queries(np.ones((4, 2)), norm=1)).all()
    assert free_queries([[3.0, 4.0]], norm=1).shape == (1, 2)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"norm": 0}, "norm: expected a positive number, got 0"),
        ({"norm": "x"}, "norm: expected"),
        ({"most": 0}, "most: expected a whole number >= 1, got 0"),
        ({"scale": -1}, "scale: expected"),
        ({"keys": np.ones((2, 2, 2))}, "keys"),
    ],
)
def test_bad_input(arguments: dict[str, Any], reason: str) -> None:
    given: dict[str, Any] = {"keys": np.eye(2), "norm": 1} | arguments
    with pytest.raises(InputError) as error:
        free_queries(given.pop("keys"), **given)
    assert str(error.value).startswith(reason)


def test_without_the_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(import_module("sys").modules, "scipy.optimize", None)
    with pytest.raises(InputError, match="norm: expected SciPy to be installed"):
        free_queries(np.eye(2), norm=1)
