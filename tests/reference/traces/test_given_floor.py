"""Floors of given keys: known traces, the greedy search beside the optimum, bad input."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from math import ceil, log2
from typing import Any

import numpy as np
import pytest

import kvfloor
from kvfloor import GivenFloor, Guarantee, InputError, check
from kvfloor.attention import TokenWeights
from kvfloor.certificates import RULES
from kvfloor.floors import mixed_bits
from kvfloor.numbers import Array
from kvfloor.traces import chosen

ALPHA = Fraction(1, 64)
floor_of = partial(kvfloor.floor_of, scale=1)


def accepted(found: GivenFloor) -> GivenFloor:
    assert check(json.dumps(found.certificate)).status == "ok"
    return found


@pytest.mark.parametrize("rule", RULES)
def test_orthonormal_keys_hold_symbols_in_all_tokens(rule: str) -> None:
    n = 16
    found = accepted(floor_of([np.eye(n)], 16 * np.eye(n), alpha=ALPHA, rule=rule, d_v=7))
    # 1/(1 + 15e^-16) is above 31/32, and not 1
    assert found.levels == (32,) * n
    assert sorted(found.tokens) == list(range(n))
    assert found.bits == 5 * 7 * n
    assert found.tokens == found.queries
    assert (found.claim, found.rule) == ("given-keys", rule)


def test_keys_in_clusters_hold_as_many_symbols_as_there_are_clusters() -> None:
    keys = np.repeat(8 * np.eye(4), 8, axis=0)
    # a token weighs 1/8 at most, and the others of its cluster as much
    found = accepted(floor_of([keys], 2 * keys, alpha=ALPHA))
    assert sorted(token // 8 for token in found.tokens) == [0, 1, 2, 3]
    assert found.levels == (4,) * 4
    assert floor_of([keys], 2 * keys, alpha="1/16").bits == 0
    for token in found.tokens:  # the rest of its cluster tells nothing more
        assert found.tokens.count(token) == 1


def test_keys_alike_tell_one_token() -> None:
    found = accepted(floor_of([np.ones((4, 2))], np.ones((9, 2)), alpha=ALPHA))
    assert (len(found.tokens), found.levels, found.bits) == (1, (8,), 6)


def test_nothing_found_is_a_floor_of_no_bits() -> None:
    rng = np.random.default_rng(1)
    keys, queries = rng.normal(size=(400, 16)), rng.normal(size=(8, 16))
    found = floor_of([keys], queries, alpha="1/8", scale="1/sqrt(d)")
    assert (found.bits, found.tokens, found.levels, found.certificate) == (0, (), (), None)


def test_a_query_reads_several_tokens_in_turn_and_only_one_at_once() -> None:
    keys = np.log([[67.0], [33.0]])  # weights about 0.67 and 0.33
    in_turn = accepted(floor_of([keys], [[1]], alpha="13/80", d_v=1))
    at_once = accepted(floor_of([keys], [[1]], alpha="13/80", d_v=1, rule="at once"))
    assert (in_turn.tokens, in_turn.queries, in_turn.levels) == ((0, 1), (0, 0), (2, 2))
    assert (at_once.tokens, at_once.levels) == ((0,), (3,))


def test_errors_take_symbols_read_at_once_and_their_bits() -> None:
    found = accepted(floor_of([np.eye(8)], 16 * np.eye(8), alpha=ALPHA, delta="1/10"))
    assert found.rule == "at once"
    assert found.bits == mixed_bits({32: 64}, Fraction(1, 10))


def test_order_2_sums_over_the_other_slot_and_masks_leave_tokens_out() -> None:
    keys = [16 * np.eye(4), np.ones((3, 4))]
    found = accepted(floor_of(keys, np.eye(4), alpha=ALPHA, d_v=1))
    assert found.levels == (32,) * 4
    # the second slot's tokens are alike: one holds symbols
    other = accepted(floor_of(keys, np.eye(4), alpha=ALPHA, d_v=1, slot=1))
    assert other.levels == (11,)
    mask = np.ones((4, 4, 3), dtype=bool)
    mask[:, 2] = False
    without = accepted(floor_of(keys, np.eye(4), alpha=ALPHA, d_v=1, mask=mask))
    assert sorted(without.tokens) == [0, 1, 3]


def test_a_tie_that_floats_miss_is_not_counted() -> None:
    # Of ten tuples alike a query sees 8 of the one token and 1 of the other; 8/10 > 1/10 + 2α is
    # a tie, which floats call true.
    counts = np.array([[8, 1, 1], [1, 8, 1]])
    mask = np.arange(10) < counts[:, :, None]
    keys, alpha = [np.zeros((3, 1)), np.zeros((10, 1))], Fraction(7, 20)
    weights = TokenWeights(np.zeros((2, 1)), keys, mask=mask).plain()
    assert (weights == counts / 10).all()
    assert chosen(weights, Guarantee(alpha=alpha), successive=True, most=9).bits == 2
    found = accepted(floor_of(keys, np.zeros((2, 1)), alpha=alpha, mask=mask))
    assert (found.levels, found.bits) == ((2,), 1)


def test_the_scale_is_that_of_models_by_default() -> None:
    keys = 8 * np.eye(16)
    found = kvfloor.floor_of([keys], keys, alpha=ALPHA)
    assert found == floor_of([keys], keys, alpha=ALPHA, scale="1/4")
    assert found.certificate is not None
    assert found.certificate["trace"]["scale"] == {"factor": "1/4", "root": 1}


def test_levels_end_where_they_are_told_to() -> None:
    found = accepted(floor_of([[[1]]], [[1]], alpha=0, d_v=2))
    assert (found.levels, found.bits) == ((2**16,), 32)
    assert floor_of([[[1]]], [[1]], alpha=0, levels=5).levels == (5,)


def optimum(weights: Array, alpha: float, *, successive: bool) -> float:
    """The most bits of all sets, orders and queries, for η = 0 and some tokens."""
    n = weights.shape[1]
    sums = {0: 2 * alpha + np.zeros(len(weights))}
    best, all_at_once = {0: 0.0}, 0.0
    for S in range(1, 2**n):
        tokens = [i for i in range(n) if S >> i & 1]
        sums[S] = 2 * alpha + weights[:, tokens].sum(axis=1)
        reached: list[float] = []
        each: list[float] = []
        for i in tokens:
            before = S ^ 1 << i
            L = ceil((weights[:, i] / (sums[S] - weights[:, i])).max())
            each.append(log2(L) if L > 1 else -np.inf)
            reached.append(best[before] + each[-1])  # read i first, then the others
        best[S] = max(reached)
        all_at_once = max(all_at_once, sum(each))
    return max(best.values()) if successive else all_at_once


def cases() -> Iterator[tuple[Array, float]]:
    for seed in range(12):
        rng = np.random.default_rng(seed)
        keys, queries = rng.normal(size=(8, 4)), rng.normal(size=(6, 4))
        strength, alpha = (1, 2, 4)[seed % 3], (1 / 16, 1 / 256)[seed % 2]
        yield TokenWeights(strength * queries, [keys]).plain(), alpha


@pytest.mark.parametrize("successive", [True, False])
def test_greedy_is_not_above_the_optimum_and_near_it(successive: bool) -> None:
    shares = []
    for weights, alpha in cases():
        most = optimum(weights, alpha, successive=successive)
        terms: dict[str, Any] = {"successive": successive, "most": 2**16}
        found = chosen(weights, Guarantee(Fraction(0), Fraction(alpha)), **terms)
        assert found.bits <= most + 1e-9
        shares.append(found.bits / most if most else 1.0)
    assert min(shares) > 0.75
    assert sum(shares) / len(shares) > 0.9


def test_the_order_is_one_in_which_the_choice_can_be_read() -> None:
    for weights, alpha in cases():
        found = chosen(
            weights, Guarantee(Fraction(0), Fraction(alpha)), successive=True, most=2**16
        )
        levels = [
            ceil(weights[q, i] / (2 * alpha + weights[q, list(found.tokens[j + 1 :])].sum()))
            for j, (i, q) in enumerate(zip(found.tokens, found.queries, strict=True))
        ]
        assert len(set(found.tokens)) == len(found.tokens)
        assert abs(sum(map(log2, levels)) - found.bits) < 1e-9


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"alpha": -1}, "alpha: expected a number >= 0"),
        ({"eta": 1}, "eta: expected a number with 0 <= eta < 1"),
        ({"alpha": "1/2"}, "guarantee: expected eta + 2*alpha < 1, or no margin tells 0 from 1"),
        ({"delta": "3/5"}, "delta: expected a number with 0 <= delta <= 1/2"),
        ({"delta": "1/5", "rule": "successive"}, "rule: expected 'at once' for delta > 0"),
        ({"rule": "both"}, "rule: expected one of successive, at once"),
        ({"levels": 1}, "levels: expected a whole number >= 2"),
        ({"levels": 2**16 + 1}, "levels: expected a whole number up to 65536"),
        ({"d_v": 0}, "d_v: expected a whole number >= 1"),
        ({"slot": 1}, "slot: expected one of 1 slots"),
        ({"keys": [[[Fraction(1, 3), 0]]]}, "keys[0]: expected numbers that float64 holds"),
        ({"queries": [[1, 2, 3]]}, "keys[0]: expected 3 columns"),
        ({"keys": [[[2.0**64, 0.0]]]}, "keys: expected logits below 2**64"),
        ({"keys": [[[1e200, 1.0]]], "queries": [[1e200, 0.0]]}, "keys: expected logits that float"),
        ({"keys": [np.ones((3300, 2))] * 2, "queries": [[1, 1]]},
         "keys: expected work of at most 536870912 products"),
        ({"keys": [np.ones((2**13, 2))], "queries": np.ones((2**13, 2))},
         "queries: expected at most 33554432 weights of tuples, got 67108864"),
        ({"keys": np.ones((8, 32, 2))}, "queries: expected at most 33554432 weights of tuples, got "
         "2199023255552, as the keys are 8 slots, not heads"),
    ],
)  # fmt: skip
def test_bad_input_is_named(terms: dict[str, Any], said: str) -> None:
    given: dict[str, Any] = {"keys": [np.eye(2)], "queries": np.eye(2), "alpha": 0} | terms
    with pytest.raises(InputError) as caught:
        floor_of(given.pop("keys"), given.pop("queries"), **given)
    assert str(caught.value).startswith(said)
