"""Heads and windows: the same as head by head and query by query, under booleans."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvfloor import InputError, Layers, Window, enclose, tensor_attention_rounded
from kvfloor.attention.fast import (
    centred,
    double,
    evaluate_double,
    evaluate_single,
    prepare,
    single,
    totals,
)
from kvfloor.attention.inputs import as_scale
from kvfloor.attention.windows import Intervals

Array = Any
RNG = np.random.default_rng(0)


def normal(*shape: int) -> Array:
    return RNG.standard_normal(shape)


Q, K, V = normal(2, 4, 7, 8), normal(2, 2, 9, 8), normal(2, 2, 9, 5)
Q2, K2, V2 = normal(3, 6, 4), [normal(1, 6, 4), normal(1, 5, 4)], [normal(1, 6, 2), normal(1, 5, 2)]


def seen(window: Window, i: int, n_q: int, lengths: tuple[int, ...]) -> Array:
    """The definition: which tuples query i sees."""
    kept = np.ones(lengths, dtype=np.bool_)
    for t in product(*map(range, lengths)):
        for r, (j, n) in enumerate(zip(t, lengths, strict=True)):
            place = i if window.top_left else i + n - n_q
            left, right = (x[r] if isinstance(x, tuple) else x for x in (window.left, window.right))
            inside = (left is None or j >= place - left) and (right is None or j <= place + right)
            kept[t] &= inside
    return kept


reaches = st.one_of(st.none(), st.integers(0, 5))


@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=3), st.integers(1, 5), st.booleans(), st.data()
)
def test_intervals_are_their_definition(
    lengths: list[int], n_q: int, top_left: bool, data: st.DataObject
) -> None:
    m = len(lengths)
    reach = st.one_of(reaches, st.tuples(*[reaches] * m))
    window = Window(data.draw(reach), data.draw(reach), top_left)
    found = Intervals.of(window, n_q, 2 * n_q, tuple(lengths))
    masks = [seen(window, b % n_q, n_q, tuple(lengths)) for b in range(2 * n_q)]
    for b, mask in enumerate(masks):
        assert (found.mask(b) == mask).all()
        assert found.any[b] == mask.any()
    last = lengths[-1]
    tiles = np.array(masks).reshape(2 * n_q, -1, last)
    rows = slice(data.draw(st.integers(0, tiles.shape[1] - 1)), tiles.shape[1])
    columns = slice(data.draw(st.integers(0, last - 1)), last)
    tile = tiles[:, rows, columns]
    dropped = found.dropped(rows, columns)
    assert (~tile == (False if dropped is None else dropped)).all()
    assert (dropped is None) == tile.all()
    assert not (found.sees_none_of(rows, columns) and tile.any())


@pytest.mark.parametrize(
    ("mask", "window"),
    [
        ("causal", Window(None, 0)),
        ("causal-top-left", Window(None, 0, top_left=True)),
        (Window(2, 1), Window(2, 1)),
        (Window(right=3, top_left=True), Window(None, 3, top_left=True)),
        (None, Window()),
    ],
)
@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
def test_heads_are_what_each_query_alone_gives(mask: Any, window: Window, dtype: str) -> None:
    """Groups of heads share keys; windows are booleans of their definition."""
    found = tensor_attention_rounded(Q, [K], [V], dtype=dtype, mask=mask, return_logsumexp=True)
    assert found.output.shape == (2, 4, 7, 5)
    assert found.logsumexp.shape == (2, 4, 7)
    for b, h, i in np.ndindex(2, 4, 7):
        alone = tensor_attention_rounded(
            Q[b, h, i], [K[b, h // 2]], [V[b, h // 2]], dtype=dtype,
            mask=seen(window, i, 7, (9,)), return_logsumexp=True,
        )  # fmt: skip
        assert (found.output[b, h, i] == alone.output).all()
        assert found.logsumexp[b, h, i] == alone.logsumexp


@pytest.mark.parametrize("mask", ["causal", Window((3, 1), (0, 2)), Window(1, 1, top_left=True)])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_heads_of_order_two_share_one_head_of_keys(mask: Any, dtype: str) -> None:
    window = Window(None, 0) if mask == "causal" else mask
    booleans = np.array([seen(window, i, 6, (6, 5)) for i in range(6)])
    found = tensor_attention_rounded(Q2, K2, V2, dtype=dtype, mask=mask, empty="zero")
    for h in range(3):
        slots = [A[0] for A in K2], [A[0] for A in V2]
        alone = tensor_attention_rounded(Q2[h], *slots, dtype=dtype, mask=booleans, empty="zero")
        assert (found[h] == alone).all()


def test_masks_of_heads_broadcast() -> None:
    booleans = normal(4, 1, 9) > -0.5
    found = tensor_attention_rounded(Q, [K], [V], dtype="float32", mask=booleans)
    for b, h in np.ndindex(2, 4):
        slots = [K[b, h // 2]], [V[b, h // 2]]
        alone = tensor_attention_rounded(Q[b, h], *slots, dtype="float32", mask=booleans[h, 0])
        assert (found[b, h] == alone).all()


def test_rows_of_a_window_without_tokens_are_empty() -> None:
    """Seven queries, five tokens: bottom-right, the first two come before the first token."""
    slots = [K[0, 0, :5]], [V[0, 0, :5]]
    with pytest.raises(InputError, match="mask: expected at least one tuple in each row"):
        tensor_attention_rounded(Q[0, 0], *slots, dtype="float32", mask="causal")
    found = tensor_attention_rounded(
        Q[0, 0], *slots, dtype="float32", mask="causal", empty="zero", return_logsumexp=True
    )
    assert (found.output[:2] == 0).all()
    assert (found.logsumexp[:2] == -np.inf).all()
    assert (found.output[2:] != 0).all()


def test_a_window_of_one_query_stands_at_the_last_token() -> None:
    slots = [K[0, 0]], [V[0, 0]]
    window, booleans = Window(2, 0), np.arange(9) >= 6
    q = Q[0, 0, 0]
    given_, expected = (
        tensor_attention_rounded(q, *slots, dtype="float64", mask=mask)
        for mask in (window, booleans)
    )
    assert (given_ == expected).all()
    ball, other = (enclose(q, *slots, mask=mask).output[0] for mask in (window, booleans))
    assert ball.mid() == other.mid()


@pytest.mark.parametrize("level", [evaluate_single, evaluate_double])
@pytest.mark.parametrize("m", [1, 2])
def test_tiles_that_a_window_hides_are_not_touched(
    level: Any, m: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Work is counted: of a causal square about half of the tiles, of a narrow band few."""
    n, calls = 64, list[int]()
    keys, values = [normal(n, 4)] * m, [normal(n, 2)] * m
    monkeypatch.setattr(single, "_COLUMNS", 8)
    monkeypatch.setattr("kvfloor.attention.fast.operands.BLOCK", 8)
    monkeypatch.setattr(centred, "BLOCK", 8)
    for module in (single, centred, double):
        monkeypatch.setattr(module, "_ELEMENTS", 64)
    for module in (double, totals):
        original = module.row_weights

        def counted(k: Any, *rest: Any, _original: Any = original, **more: Any) -> Any:
            calls[-1] += 1
            return _original(k, *rest, **more)

        monkeypatch.setattr(module, "row_weights", counted)
    monkeypatch.setattr(totals, "NARROW", -1)  # every tile is counted
    for window in (Window(), Window(None, 0), Window(3, 0)):
        calls.append(0)
        mask = Intervals.of(window, n, n, (n,) * m)
        level(prepare(keys, values), normal(n, 4), as_scale(1, 4), mask)
    everything, causal, band = calls
    assert causal < (0.6 if m == 1 else 0.45) * everything
    assert band < 0.35 * everything


@pytest.mark.parametrize(
    ("query", "keys", "values", "message"),
    [
        (Q[0, 0, 0], [K], [V], "query: expected shape (..., h, n_q, d), as keys have heads"),
        (Q[:, :3], [K], [V], "query: expected a multiple of 2 heads, as keys[0] has, got 3"),
        (Q, [K[:1]], [V], "keys[0]: expected shape (2, 2, 9, 8), got shape (1, 2, 9, 8)"),
        (Q, [K[..., :7]], [V], "keys[0]: expected shape (2, 2, 9, 8), got shape (2, 2, 9, 7)"),
        (Q, [K], [V[:, :1]], "values[0]: expected shape (2, 2, 9, 5), got shape (2, 1, 9, 5)"),
        (Q, [K], [V[:, :, :8]], "values[0]: expected shape (2, 2, 9, 5), got shape (2, 2, 8, 5)"),
        (Q, [K, K], [V], "values: expected 2 arrays, one for each in keys, got 1"),
        (Q, [K, K], [V, V[..., :3]], "values[1]: expected shape (2, 2, 9, 5), got"),
        (Q[0, 0], [K[0, 0]], [V], "values[0]: expected two axes, as keys[0] has, got 4"),
        (Q, [K, K[0]], [V, V], "keys[1]: expected shape (2, 2, 9, 8), got shape (2, 9, 8)"),
    ],
)
def test_heads_that_do_not_fit_are_refused(
    query: Any, keys: Any, values: Any, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        tensor_attention_rounded(query, keys, values, dtype="float32")
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        ("casual", "mask: expected one of causal, causal-top-left"),
        (Window(-1, 0), "mask.left: expected a whole number >= 0, got -1"),
        (Window(0, 1.5), "mask.right: expected a whole number >= 0, got 1.5"),
        (Window((1, 2), 0), "mask.left: expected a number, None, or 1 of them"),
        (Window(b"a", 0), "mask.left: expected a number, None, or 1 of them"),
        (Window(top_left="x"), "mask.top_left: expected True or False, got 'x'"),  # type: ignore[arg-type]
        (
            np.ones((3, 9), dtype=bool),
            "mask: expected booleans that broadcast to shape (2, 4, 7, 9)",
        ),
        (np.ones((7, 9)), "mask: expected booleans that broadcast to shape (2, 4, 7, 9)"),
    ],
)
def test_masks_that_do_not_fit_are_refused(mask: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        tensor_attention_rounded(Q, [K], [V], dtype="float32", mask=mask)
    assert str(caught.value).startswith(message)


def test_slots_may_come_from_an_iterator() -> None:
    found = tensor_attention_rounded(Q[0, 0], iter([K[0, 0]]), iter([V[0, 0]]), dtype="float32")
    assert (found == tensor_attention_rounded(Q[0, 0], [K[0, 0]], [V[0, 0]], dtype="float32")).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"return_logsumexp": "no"}, "return_logsumexp: expected True or False, got 'no'"),
        ({"layers": 3}, "layers: expected a Layers or None, got 3"),
        ({"rounding": np.array(["up"])}, "rounding: expected one of nearest, up, down, zero"),
    ],
)
def test_options_are_refused_by_name(options: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        tensor_attention_rounded(Q, [K], [V], dtype="float32", **options)
    assert str(caught.value).startswith(message)


def test_layers_count_the_numbers_of_all_heads() -> None:
    layers = Layers()
    tensor_attention_rounded(Q, [K], [V], dtype="float32", layers=layers)
    assert (
        layers.single + layers.refined + layers.double + layers.balls + layers.exact == 2 * 4 * 35
    )


def test_rationals_have_heads_too() -> None:
    """What float64 does not hold goes to the balls, head by head."""
    third = [[[[Fraction(1, 3)], [2]]]]
    found = tensor_attention_rounded([[[0]]], third, third, dtype="float64")
    assert found.tolist() == [[[7 / 6]]]
