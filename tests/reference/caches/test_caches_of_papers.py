"""KIVI, a rotation in the manner of TurboQuant, BalanceKV: what their authors say of them."""

from __future__ import annotations

from math import log, pi, sqrt
from typing import Any

import numpy as np
import pytest

from faulty_kivi import NeverAges, OneTokenGroups
from kvfloor import InputError, Token, audit, tensor_attention_rounded
from kvfloor.caches import (
    BalancedCache,
    KiviCache,
    PolarCache,
    RotatedCache,
    SinkCache,
    State,
    configure,
    record,
    restore,
)
from kvfloor.caches.balanced import balanced
from kvfloor.caches.coins import PublicCoins, rotation
from kvfloor.caches.polar import levels_of, polar, vectors_of
from kvfloor.caches.rotated import ANGLES, codebook
from limits import HANG

LEAST = sqrt(3) * pi / 2  # of the bound of TurboQuant, times 4^-b


def tokens(n: int, d: int, d_v: int, seed: int = 0) -> list[Token]:
    rng = np.random.default_rng(seed)
    rows = rng.integers(-64, 65, (n, d + d_v)) / 64
    return [Token((tuple(row[:d].tolist()),), (tuple(row[d:].tolist()),)) for row in rows]


def fed(factory: Any, given: list[Token], d: int, d_v: int, seed: int = 0) -> Any:
    return restore(
        factory, record(factory, given, d=d, d_v=d_v, seed=seed), order=1, d=d, d_v=d_v, seed=seed
    )


def attention(keys: Any, values: Any, query: Any) -> list[float]:
    found: list[float] = tensor_attention_rounded(query, [keys], [values], dtype="float64").tolist()
    return found


# --- KIVI ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "keys_left"), [(3, 3), (4, 0), (10, 2), (16, 0)])
def test_kivi_rounds_keys_by_channel_and_values_by_token(n: int, keys_left: int) -> None:
    """R = 4 = G: four old keys are on four levels between their ends, as is each old value."""
    given = tokens(n, 3, 8)
    cache = fed(configure(KiviCache, bits=2, group=4, residual=4), given, 3, 8)
    keys = np.array([t.keys[0] for t in given])
    values = np.array([t.values[0] for t in given])
    old_keys, old_values = n - keys_left, max(0, n - 4)
    kept_keys = between(keys[:old_keys].reshape(-1, 4, 3), 1).reshape(-1, 3)
    kept_values = between(values[:old_values].reshape(-1, 2, 4), 2).reshape(-1, 8)
    np.testing.assert_array_equal(cache._whole[0], keys[old_keys:])
    np.testing.assert_array_equal(cache._whole[1], values[old_values:])
    query = [1.0, -2.0, 3.0]
    expected = attention(
        np.vstack([kept_keys, keys[old_keys:]]),
        np.vstack([kept_values, values[old_values:]]),
        query,
    )
    np.testing.assert_allclose(cache.answer(query), expected, rtol=0, atol=2.0**-8)
    if n > 4:
        exact = attention(keys, values, query)
        assert np.abs(np.subtract(cache.answer(query), exact)).max() > 2.0**-8


def between(rows: Any, axis: int) -> Any:
    """Numbers at the nearest of four levels from the least to the largest along an axis."""
    low, high = rows.min(axis=axis, keepdims=True), rows.max(axis=axis, keepdims=True)
    step = np.where(high > low, (high - low) / 3, 1)
    return low + np.rint((rows - low) / step) * step


def test_kivi_refuses() -> None:
    with pytest.raises(InputError, match="residual: expected a multiple of the group of 4, got 6"):
        KiviCache(order=1, d=1, d_v=1, seed=0, group=4, residual=6)
    with pytest.raises(InputError, match="bits: expected at most 16"):
        KiviCache(order=1, d=1, d_v=1, seed=0, bits=17)


def bits_of(cache: Any, n: int) -> int:
    return record(cache, tokens(n, 8, 8), d=8, d_v=8).bits


def test_a_residual_that_never_ages_out_is_seen_by_the_bits() -> None:
    """It answers better than KIVI does, and keeps every number in float16."""
    options = {"bits": 2, "group": 8, "residual": 16}
    right, wrong = configure(KiviCache, **options), configure(NeverAges, **options)
    whole = configure(SinkCache, sinks=0, window=200, dtype="float16")
    assert bits_of(wrong, 16) == bits_of(whole, 16) + 64
    assert bits_of(wrong, 200) == bits_of(whole, 200) + 64
    assert bits_of(right, 200) < bits_of(whole, 200) / 2
    found = audit(wrong, n=16, d=4, order=1, seconds=HANG)
    assert (found.verdict, found.bits) == ("within-guarantee", 64 + 16 * 8 * 16)


def test_groups_of_one_token_are_seen_by_the_bits() -> None:
    """Old keys come back as they were, and a bit code with its scale takes more than they did."""
    options = {"bits": 2, "group": 8, "residual": 16}
    right, wrong = configure(KiviCache, **options), configure(OneTokenGroups, **options)
    assert bits_of(wrong, 160) - bits_of(right, 160) == 160 * 8 * 32 * 7 // 8
    assert 160 * 8 * (2 + 32) > 2 * 160 * 8 * 16
    given = tokens(160, 8, 8)
    cache = fed(wrong, given, 8, 8)
    keys = [cache._groupings[0].numbers(block) for block in cache._blocks[0]]
    np.testing.assert_array_equal(keys, [t.keys[0] for t in given])


# --- rotated -------------------------------------------------------------------------------------


@pytest.mark.parametrize("d", [2, 16, 128])
@pytest.mark.parametrize("bits", [1, 2, 3, 4, 8])
def test_levels_keep_the_bound_of_turboquant(d: int, bits: int) -> None:
    """d times the mean square error of an entry, by another grid than the codebook's."""
    angles = (np.arange(10**5) + 0.5) * pi / 10**5
    weights = np.sin(angles) ** (d - 2)
    levels = codebook(d, bits)
    errors = np.abs(np.cos(angles)[:, np.newaxis] - levels).min(axis=1)
    assert d * (weights @ errors**2) / weights.sum() <= LEAST * 4.0**-bits
    assert (np.diff(levels) > 0).all()


def test_levels_are_those_of_a_normal_number_where_entries_are_many() -> None:
    """Max's table of 1960, to two cells of the grid of angles."""
    for bits, table in ((1, [0.7979]), (2, [0.4528, 1.510])):
        found = codebook(2000, bits) * sqrt(2000)
        expected = [*(-x for x in table[::-1]), *table]
        np.testing.assert_allclose(found, expected, rtol=0, atol=2 * sqrt(2000) * pi / ANGLES)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_the_mean_over_rotations_is_within_the_bound_of_turboquant(bits: int) -> None:
    """Of a vector with one large entry, at the hands of 60 seeds; no error is the other's."""
    one: Any = ((1.0,),)
    vector = np.array([1.0, 0.125, -0.5, *[0.0] * 5, 8.0, *[0.25] * 7])
    token, cache = Token((tuple(vector.tolist()),), one), configure(RotatedCache, bits=bits)
    errors = []
    for seed in range(60):
        made = fed(cache, [token], 16, 1, seed)
        kept = made.vectors()[0][0]
        errors.append(((kept - vector) ** 2).sum() / (vector**2).sum())
    assert np.mean(errors) <= LEAST * 4.0**-bits
    assert np.std(errors) > 0.02 * np.mean(errors)


def test_rotations_are_orthogonal_and_their_own() -> None:
    found = [rotation(seed, 8, (place,)) for seed in (0, 1) for place in (0, 1)]
    for k, matrix in enumerate(found):
        np.testing.assert_allclose(matrix @ matrix.T, np.eye(8), atol=1e-14)
        assert all(np.abs(matrix - other).max() > 0.1 for other in found[:k])
    means = np.mean([rotation(seed, 3, ()) for seed in range(400)], axis=0)
    assert np.abs(means).max() < 0.15  # of entries with a variance of 1/3: five times what is usual


def test_a_rotated_zero_is_zero_and_slots_have_rotations_of_their_own() -> None:
    zeros: Any = (0.0,) * 3
    ones: Any = (1.0,) * 3
    state = record(RotatedCacheOf8, [Token((zeros, ones), (ones, ones))], d=3, d_v=3)
    cache: Any = restore(RotatedCacheOf8, state, order=2, d=3, d_v=3)
    assert cache._numbers.array[0].tolist() == [0.0, *[float(np.float16(sqrt(3)))] * 3]
    codes = np.split(cache._codes.array[0], 4)
    assert len({tuple(part) for part in codes[1:]}) == 3


RotatedCacheOf8 = configure(RotatedCache, bits=8)


def test_rotated_refuses() -> None:
    with pytest.raises(InputError, match="bits: expected at most 8, got 9"):
        RotatedCache(order=1, d=1, d_v=1, seed=0, bits=9)
    cache = RotatedCache(order=1, d=2, d_v=1, seed=0, bits=1)
    with pytest.raises(InputError, match=r"numbers up to 65504\.0 for float16"):
        cache.append([[6e4, 6e4]], [[1]])


# --- PolarQuant ----------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [0, 1, 4])
def test_polar_coordinates_go_there_and_back(depth: int) -> None:
    vectors = np.random.default_rng(depth).normal(size=(5, 32))
    radii, angles = polar(vectors, depth)
    assert radii.shape == (5, 32 >> depth)
    assert [part.shape[1] for part in angles] == [32 >> k for k in range(1, depth + 1)]
    assert all((part >= 0).all() and (part <= pi / 2).all() for part in angles[1:])
    np.testing.assert_allclose(vectors_of(radii, angles), vectors, atol=1e-14)
    np.testing.assert_allclose((radii**2).sum(axis=1), (vectors**2).sum(axis=1))


def test_angles_of_random_directions_are_as_the_levels_expect() -> None:
    """The mean of sin² of an angle is 1/2, and its variance that of a Beta distribution."""
    _, angles = polar(np.random.default_rng(1).normal(size=(4000, 16)), 4)
    for level, part in enumerate(angles[1:], start=2):
        shares = np.sin(part.ravel()) ** 2
        assert abs(shares.mean() - 1 / 2) < 0.02
        assert abs(shares.var() * 4 * (2**level / 2 + 1) - 1) < 0.1  # of Beta(2^k/4, 2^k/4)
        middles = levels_of(level, 3)
        np.testing.assert_allclose(middles + middles[::-1], pi / 2, atol=1e-9)
        near = np.abs(part.ravel()[:, np.newaxis] - middles).min(axis=1)
        even = np.abs(part.ravel()[:, np.newaxis] - (np.arange(8) + 0.5) * pi / 16).min(axis=1)
        assert (near**2).mean() < (even**2).mean()


def polar_errors(bits: int) -> list[float]:
    """Of a vector with one large entry, at the hands of 60 seeds, relative squares."""
    vector = np.array([1.0, 0.125, -0.5, *[0.0] * 5, 8.0, *[0.25] * 7])
    one: Any = ((1.0,),)
    token = Token((tuple(vector.tolist()),), one)
    rows = [
        fed(configure(PolarCache, bits=bits), [token], 16, 1, seed).vectors()[0][0]
        for seed in range(60)
    ]
    return [float(((row - vector) ** 2).sum() / (vector**2).sum()) for row in rows]


def test_the_error_of_polar_coordinates_falls_by_four_with_a_bit() -> None:
    """As squares of steps do; and it is the rotation's, not the vector's."""
    errors = {bits: polar_errors(bits) for bits in (1, 2, 3, 4)}
    means = {bits: np.mean(found) for bits, found in errors.items()}
    assert all(2.5 < means[b] / means[b + 1] < 5 for b in (1, 2, 3))
    assert means[2] < 0.04  # in 3.9 bits an entry
    assert all(np.std(found) > 0.02 * np.mean(found) for found in errors.values())


def test_polar_bits_are_those_of_the_paper() -> None:
    """Sixteen entries in 8·4 + 4·2 + 2·2 + 2 bits of angles, and a radius of 16."""
    state = record(configure(PolarCache, bits=2), tokens(3, 16, 16), d=16, d_v=16)
    assert state.bits == 64 + 3 * 2 * (16 + 46)
    odd = record(configure(PolarCache, bits=2), tokens(3, 6, 3), d=6, d_v=3)
    assert odd.bits == 64 + 3 * (3 * 16 + 3 * 4 + 3 * 16)  # a width of 3 has no pairs


def test_a_polar_zero_is_zero() -> None:
    zeros: Any = (0.0,) * 4
    ones: Any = (1.0,) * 4
    state = record(configure(PolarCache, bits=8), [Token((zeros,), (ones,))], d=4, d_v=4)
    cache: Any = restore(configure(PolarCache, bits=8), state, order=1, d=4, d_v=4)
    assert not cache.vectors()[0].any()
    assert np.abs(cache.vectors()[1] - 1).max() < 0.02


# --- BalanceKV -----------------------------------------------------------------------------------


def test_levels_are_counted_as_often_as_they_stand_for() -> None:
    given = tokens(27, 3, 2)
    cache = fed(configure(BalancedCache, batch=4, levels=2), given, 3, 2)
    lengths = [len(level) for level in cache._levels]
    assert lengths == [3, 0, 6]  # 6 batches: 12 tokens came to the first level above, 6 to the next
    rows = [level.rows for level in cache._levels]
    assert {tuple(row) for part in rows for row in part.tolist()} <= {
        (*t.keys[0], *t.values[0]) for t in given
    }
    weighted = np.vstack([rows[0], *[rows[2]] * 4])
    assert len(weighted) == 27
    query = [1.0, 2.0, -1.0]
    assert cache.answer(query) == attention(weighted[:, :3], weighted[:, 3:], query)


def discrepancies(width: float, *, count: int = 128) -> tuple[float, float]:
    """Mean ‖signed sum‖² that a walk leaves, and that random choices leave: the sum of ‖y‖²."""
    rng = np.random.default_rng(1)
    keys, values = rng.normal(size=(count, 8)) / 8, rng.normal(size=(count, 2))
    products = np.exp(keys @ keys.T) * (values @ values.T)
    found = []
    for seed in range(20):
        signs = np.where(balanced(keys, values, width, PublicCoins(seed), ()), 1.0, -1.0)
        signed = np.stack([signs, -signs], axis=1).ravel()
        found.append(signed @ products @ signed)
    ends = products[::2, ::2], products[::2, 1::2], products[1::2, ::2], products[1::2, 1::2]
    return float(np.mean(found)), float(np.trace(ends[0] - ends[1] - ends[2] + ends[3]))


def test_a_walk_leaves_a_fifth_of_what_random_halves_leave() -> None:
    walk, random = discrepancies(1)
    cautious, _ = discrepancies(30 * log(128))
    assert walk < random / 4  # as docs/caches.md says, and the next
    assert random / 3 < cautious < 2 * random / 3


def test_a_walk_of_zeros_tosses_fair_coins() -> None:
    zeros = np.zeros((128, 1))
    kept = balanced(zeros, zeros, 1.0, PublicCoins(3), ())
    assert 20 < kept.sum() < 44


def test_balanced_refuses() -> None:
    for options, reason in (
        ({"order": 2}, "order: expected 1, got 2"),
        ({"batch": 3}, "batch: expected an even number, got 3"),
        ({"levels": 0}, "levels: expected a whole number >= 1"),
        ({"width": 0}, "width: expected "),
    ):
        with pytest.raises(InputError, match=reason):
            BalancedCache(**{"order": 1, "d": 1, "d_v": 1, "seed": 0} | options)
    state = State(b"\7" + b"\0" * 7, 64)
    with pytest.raises(InputError, match="state: expected "):
        restore(configure(BalancedCache, batch=4), state, order=1, d=1, d_v=1)
