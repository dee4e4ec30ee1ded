"""What each cache promises of its answers: of what it keeps, and how near that is to the tokens."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvfloor import ExactAttention, InputError, Token, tensor_attention_rounded
from kvfloor.caches import (
    ExactCache,
    GroupedCache,
    HeavyHitterCache,
    LowRankCache,
    PackedCache,
    ProjectionCache,
    Shape,
    SinkCache,
    SubGen2Cache,
    TwoCache,
    configure,
    record,
    restore,
)
from kvfloor.caches.grouped import entry_groups
from kvfloor.caches.low_rank import factored
from kvfloor.caches.projection import lifted
from kvfloor.caches.tokens import KeptTokens
from kvfloor.families import stack
from kvfloor.numbers import as_format

quarters = st.integers(-8, 8).map(lambda k: k / 4)
wholes = st.integers(-3, 3)


@st.composite
def token_lists(
    draw: st.DrawFn, entry: Any = quarters, most: int = 5
) -> tuple[list[Token], int, int]:
    order, d, d_v = (draw(st.integers(1, k)) for k in (3, 3, 2))
    key, value = st.tuples(*[entry] * d), st.tuples(*[entry] * d_v)
    token = st.builds(Token, st.tuples(*[key] * order), st.tuples(*[value] * order))
    return draw(st.lists(token, min_size=1, max_size=most)), d, d_v


def fed(factory: Any, tokens: list[Token], d: int, d_v: int, seed: int = 0) -> Any:
    cache = factory(order=len(tokens[0].keys), d=d, d_v=d_v, seed=seed)
    for token in tokens:
        cache.append(token.keys, token.values)
    return cache


def attention(tokens: list[Token], query: Any) -> list[float]:
    output: list[float] = tensor_attention_rounded(query, *stack(tokens), dtype="float64").tolist()
    return output


# --- exact ---------------------------------------------------------------------------------


@pytest.mark.parametrize("factory", [ExactCache, TwoCache, configure(PackedCache, width=12)])
@given(case=token_lists(wholes), data=st.data())
def test_exact_caches_answer_with_the_correctly_rounded_output(
    factory: Any, case: tuple[list[Token], int, int], data: st.DataObject
) -> None:
    tokens, d, d_v = case
    query = data.draw(st.lists(quarters, min_size=d, max_size=d))
    state = record(factory, tokens, d=d, d_v=d_v)
    cache = restore(factory, state, order=len(tokens[0].keys), d=d, d_v=d_v)
    assert cache.answer(query) == attention(tokens, query)


def test_two_cache_answers_from_its_products_alone() -> None:
    tokens = [Token(((1,), (2,)), ((3,), (5,))), Token(((0,), (1,)), ((7,), (1,)))]
    state = record(TwoCache, tokens, d=1, d_v=1)
    factors = state.data[: 8 * 8]
    other = TwoCache.from_state(bytes(64) + state.data[64:], order=2, d=1, d_v=1, seed=0)
    assert factors != bytes(64)
    assert other.answer([1]) == attention(tokens, [1])


def test_two_cache_refuses_products_that_float64_does_not_hold() -> None:
    cache = fed(TwoCache, [Token(((3,), (1,)), ((1,), (1,)))], 1, 1)
    before = cache.state()
    with pytest.raises(InputError, match="numbers whose products are such that float64 holds"):
        cache.append([[1.0], [1 + 2.0**-52]], [[1.0], [1.0]])
    assert cache.state() == before


def test_packed_cache_refuses_what_it_cannot_hold() -> None:
    for value, width in ((Fraction(1, 2), 8), (Fraction(2), 2), (Fraction(-3), 2)):
        cache = fed(configure(PackedCache, width=width), [Token(((1,),), ((value,),))], 1, 1)
        with pytest.raises(InputError, match=f"whole numbers of {width} bits"):
            cache.state()


def test_packed_cache_takes_no_token_once_restored() -> None:
    cache = fed(PackedCache, [Token(((1,), (2,)), ((3,), (1,)))], 1, 1)
    restored = PackedCache.from_state(cache.state(), order=2, d=1, d_v=1, seed=0)
    with pytest.raises(InputError, match="none after a restored state: it has no factors"):
        restored.append([[1], [2]], [[3], [1]])


def test_products_do_not_tell_their_factors() -> None:
    """Why the two-cache keeps factors, and the packed one takes no more: same state, other next."""
    first = [Token(((1,), (2,)), ((1,), (1,)))]
    second = [Token(((2,), (1,)), ((1,), (1,)))]
    states = [record(PackedCache, tokens, d=1, d_v=1) for tokens in (first, second)]
    assert states[0] == states[1]
    more = Token(((1,), (3,)), ((1,), (2,)))
    assert attention([*first, more], [1]) != attention([*second, more], [1])


# --- rounded -------------------------------------------------------------------------------


@given(
    st.lists(st.floats(-300, 300), min_size=4, max_size=4), st.sampled_from(["float16", "bfloat16"])
)
def test_tokens_are_rounded_to_nearest(numbers: list[float], dtype: str) -> None:
    cache = SinkCache(order=1, d=2, d_v=2, seed=0, window=1, dtype=dtype)
    cache.append([numbers[:2]], [numbers[2:]])
    kind = getattr(ml_dtypes, dtype, dtype)
    assert cache.state() == (np.array(numbers) + 0.0).astype(kind).tobytes()


def test_rationals_are_rounded_to_nearest_too() -> None:
    """1/17 is below its nearest float16, and no float64 itself."""
    cache = SinkCache(order=1, d=1, d_v=1, seed=0, window=1, dtype="float16")
    cache.append([[Fraction(1, 17)]], [[Fraction(-1, 17)]])
    near = np.float16(1 / 17)
    assert float(near) > Fraction(1, 17)
    assert cache.state() == np.array([near, -near]).tobytes()


@pytest.mark.parametrize(("dtype", "number"), [("float16", 70000), ("float8_e4m3fn", 500)])
def test_numbers_beyond_the_format_are_refused(dtype: str, number: int) -> None:
    cache = configure(SinkCache, window=1, dtype=dtype)(order=1, d=1, d_v=1, seed=0)
    with pytest.raises(InputError, match=f"for {dtype}, got larger ones"):
        cache.append([[1]], [[number]])
    assert cache.state() == b""


def test_an_answer_beyond_float64_is_refused() -> None:
    cache = configure(SinkCache, window=1, dtype="float64")(order=2, d=1, d_v=1, seed=0)
    cache.append([[1], [1]], [[1e300], [1e300]])
    with pytest.raises(InputError, match="values whose products float64 holds"):
        cache.answer([1])


# --- grouped -------------------------------------------------------------------------------


@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 5), st.integers(1, 4))
def test_groups_are_channels_of_keys_and_parts_of_values(m: int, d: int, d_v: int, G: int) -> None:
    shape = Shape(m, d, d_v)
    groups = entry_groups(shape, G)
    assert sorted(np.concatenate(groups)) == list(range(G * shape.width))
    assert len(groups) == m * (d + G * -(-d_v // G))
    for group in groups[: m * d]:
        assert set(group % shape.width) == {group[0] % shape.width}
        assert len(group) == G
    for group in groups[m * d :]:
        channels = group % shape.width - m * d
        assert set(group // shape.width) == {group[0] // shape.width}
        assert set(channels // d_v) == {channels[0] // d_v}
        assert 1 <= len(group) <= G


@given(
    st.lists(st.floats(-4, 4, width=16), min_size=24, max_size=24),
    st.integers(1, 5),
    st.sampled_from(["float16", "float32"]),
)
def test_grouped_entries_are_off_by_half_a_step(
    entries: list[float], bits: int, dtype: str
) -> None:
    cache = GroupedCache(order=1, d=2, d_v=4, seed=0, bits=bits, group=4, dtype=dtype)
    rows = np.array(entries).reshape(4, 6)
    for row in rows:
        cache.append([row[:2].tolist()], [row[2:].tolist()])
    (block,) = cache._blocks
    found = cache._grouping.numbers(block)
    groups = entry_groups(Shape(1, 2, 4), 4)
    for group, low, step in zip(groups, block.lows, block.steps, strict=True):
        given_, kept = rows.ravel()[group], found.ravel()[group]
        span = Fraction(given_.max()) - Fraction(given_.min())
        assert low == given_.min()
        assert Fraction(step) >= span / (2**bits - 1)
        assert Fraction(step) <= span / (2**bits - 1) * (1 + Fraction(1, 2**9)) + Fraction(1, 2**24)
        assert (abs(given_ - kept) <= step / 2 * (1 + 2.0**-40)).all()
    assert block.codes.min() >= 0
    assert block.codes.max() < 2**bits


def test_grouped_cache_answers_from_blocks_and_waiting_tokens() -> None:
    """Groups of two values have one bit each and no error, so answers are the rounded ones."""
    rng = np.random.default_rng(0)
    tokens = [
        Token(((1 - 2 * int(a), 3),), ((int(b), int(c)),)) for a, b, c in rng.integers(0, 2, (7, 3))
    ]
    cache = fed(configure(GroupedCache, bits=1, group=3), tokens, 2, 2)
    assert len(cache._blocks) == 2
    assert cache.answer([1, 1]) == attention(tokens, [1, 1])


def test_grouped_cache_refuses() -> None:
    with pytest.raises(InputError, match="bits: expected at most 16"):
        GroupedCache(order=1, d=1, d_v=1, seed=0, bits=17)
    cache = GroupedCache(order=1, d=1, d_v=1, seed=0, bits=1, group=2)
    cache.append([[60000]], [[1]])
    with pytest.raises(InputError, match="entries less far apart for float16"):
        cache.append([[-60000]], [[1]])


# --- tokens dropped ------------------------------------------------------------------------


@given(token_lists(most=9), st.integers(0, 3), st.integers(1, 3), st.data())
def test_sinks_and_window_are_what_is_left(
    case: tuple[list[Token], int, int], sinks: int, window: int, data: st.DataObject
) -> None:
    tokens, d, d_v = case
    cache = fed(configure(SinkCache, sinks=sinks, window=window), tokens, d, d_v)
    left = tokens if len(tokens) <= sinks + window else tokens[:sinks] + tokens[-window:]
    query = data.draw(st.lists(quarters, min_size=d, max_size=d))
    assert cache.answer(query) == attention(left, query)


def heaviest(tokens: list[Token], heavy: int, recent: int) -> list[Token]:
    """The same eviction again, token by token, with the weights of exact attention."""
    left: list[tuple[Token, float]] = []
    for token in tokens:
        left.append((token, 0.0))
        keys, _ = stack([t for t, _ in left])
        query = np.prod([np.array(key) for key in token.keys], axis=0).tolist()
        n, order = len(left), len(keys)
        for slot in range(order):
            values = [
                [[float(i == j) if r == slot else 1.0 for j in range(n)] for i in range(n)]
                for r in range(order)
            ]
            weights = ExactAttention(keys, values)(query).floats()
            left = [(t, s + float(np.float32(w))) for (t, s), w in zip(left, weights, strict=True)]
        left = [(t, float(np.float32(s))) for t, s in left]
        if n > heavy + recent:
            scores = [s for _, s in left[: n - recent]]
            del left[scores.index(min(scores))]
    return [t for t, _ in left]


@given(token_lists(most=7), st.integers(0, 2), st.integers(1, 2))
def test_heavy_hitters_stay(case: tuple[list[Token], int, int], heavy: int, recent: int) -> None:
    tokens, d, d_v = case
    cache = fed(configure(HeavyHitterCache, heavy=heavy, recent=recent), tokens, d, d_v)
    left = heaviest(tokens, heavy, recent)
    assert cache.answer([1] * d) == attention(left, [1] * d)


def test_scores_stop_at_the_largest_number() -> None:
    cache = HeavyHitterCache(order=1, d=1, d_v=1, seed=0, heavy=1, recent=1, dtype="float8_e4m3fn")
    cache.append([[1]], [[1]])
    cache._scores = np.array([448.0])
    for _ in range(3):
        cache.append([[1]], [[2]])
    assert cache._scores[0] == 448.0
    assert cache._kept.slots[1][0].ravel().tolist() == [1, 2]


def test_the_product_of_its_keys_is_a_tokens_query() -> None:
    """With the first key alone, always 1, the token with 2 would stay instead of the second."""
    tokens = [Token(((1,), (x,)), ((place,), (1,))) for place, x in enumerate((-2, -2, -2, 2, -2))]
    cache = fed(configure(HeavyHitterCache, heavy=2, recent=1), tokens, 1, 1)
    assert cache._kept.slots[1][0].ravel().tolist() == [0, 1, 4]


def test_weights_in_all_slots_add_up() -> None:
    """In the first, where keys are alike, the second token has drawn more than the third."""
    tokens = [Token(((1,), (x,)), ((place,), (1,))) for place, x in enumerate((0, 0, 3, 3, 3))]
    cache = fed(configure(HeavyHitterCache, heavy=2, recent=1), tokens, 1, 1)
    assert cache._kept.slots[1][0].ravel().tolist() == [0, 2, 4]


def test_a_token_that_draws_attention_outlives_older_and_newer_ones() -> None:
    keys = [0, 0, 5, 1, 1, 1, 1, 1]
    tokens = [Token(((k,),), ((place,),)) for place, k in enumerate(keys)]
    cache = fed(configure(HeavyHitterCache, heavy=1, recent=2), tokens, 1, 1)
    _, (values,) = cache._kept.slots
    assert values.ravel().tolist() == [2, 6, 7]


# --- low rank and projections --------------------------------------------------------------


@given(token_lists())
def test_full_rank_keeps_all_entries_nearly(case: tuple[list[Token], int, int]) -> None:
    tokens, d, d_v = case
    cache = fed(configure(LowRankCache, rank=3), tokens, d, d_v)
    keys, values = stack(tokens)
    for matrix, factors in zip([*keys, *values], cache._matrices, strict=True):
        # 5 tokens; entries up to 2, so norms up to 2·√15; a factor is rounded by 2^-24 of itself.
        assert np.abs(factors.left @ factors.right - np.array(matrix)).max() < 2.0**-16


def test_a_low_rank_is_the_best_of_its_rank() -> None:
    matrix = np.random.default_rng(1).normal(size=(6, 4))
    left, sizes, right = np.linalg.svd(matrix)
    for rank in range(1, 5):
        factors = factored(matrix, rank, as_format("float64"))
        assert factors.left.shape == (6, rank)
        best = left[:, :rank] * sizes[:rank] @ right[:rank]
        assert np.allclose(factors.left @ factors.right, best, atol=1e-12)
        assert np.allclose(np.linalg.norm(factors.left), np.linalg.norm(factors.right))


def test_what_is_computed_beyond_the_format_is_refused() -> None:
    with pytest.raises(InputError, match=r"numbers up to 448\.0 for float8_e4m3fn"):
        factored(np.array([[1e6]]), 1, as_format("float8_e4m3fn"))
    f8: dict[str, Any] = {"order": 2, "d": 2, "d_v": 1, "seed": 0, "dtype": "float8_e4m3fn"}
    for cache in (
        ProjectionCache(dimensions=9, **f8),
        SubGen2Cache(delta=1, t=1, s=1, **f8),
    ):
        with pytest.raises(InputError, match=r"numbers up to 448\.0 for float8_e4m3fn"):
            cache.append([[400, 400], [400, 400]], [[1], [1]])


def test_low_rank_answers_are_about_its_products() -> None:
    tokens = [Token(((1, 2),), ((1,),)), Token(((2, 4),), ((2,),)), Token(((3, 6),), ((3,),))]
    cache = fed(configure(LowRankCache, rank=1, dtype="float64"), tokens, 2, 1)
    assert cache.answer([1, 0]) == pytest.approx(attention(tokens, [1, 0]), rel=1e-12)


@pytest.mark.parametrize("k", [1, 2])
def test_projected_keys_are_right_in_the_mean(k: int) -> None:
    """Over all matrices of signs, each as likely as any other."""
    key = np.array([3.0, -1.0, 0.5])
    matrices = [np.array(s).reshape(k, 3) for s in product((-1.0, 1.0), repeat=3 * k)]
    mean = np.mean([lifted(matrix @ key, matrix) for matrix in matrices], axis=0)
    assert mean.tolist() == key.tolist()


@given(token_lists(), st.integers(0, 99))
def test_projection_answers_are_about_the_lifted_keys(
    case: tuple[list[Token], int, int], seed: int
) -> None:
    tokens, d, d_v = case
    cache = fed(configure(ProjectionCache, dimensions=2), tokens, d, d_v, seed)
    keys, values = stack(tokens)
    about = [np.array(K) @ S.T @ S / 2 for K, S in zip(keys, cache._signs, strict=True)]
    expected = tensor_attention_rounded([1] * d, about, values, dtype="float64")
    assert cache.answer([1] * d) == expected.tolist()


def test_projections_differ_by_slot_and_by_seed() -> None:
    shapes = [ProjectionCache(order=2, d=9, d_v=1, seed=seed, dimensions=9) for seed in (0, 1)]
    matrices = [matrix.tobytes() for cache in shapes for matrix in cache._signs]
    assert len(set(matrices)) == 4
    assert {x for cache in shapes for m in cache._signs for x in m.ravel()} == {-1.0, 1.0}


def test_kept_tokens_split_into_slots() -> None:
    kept = KeptTokens(Shape(2, 2, 1), "float32")
    kept.append(np.arange(6.0))
    keys, values = kept.slots
    assert [k.tolist() for k in keys] == [[[0, 1]], [[2, 3]]]
    assert [v.tolist() for v in values] == [[[4]], [[5]]]
