"""Other people's compressors as caches: with NumPy always, with PyTorch where it is installed."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from kvfloor import BinaryValues, ExactAttention, InputError, audit, binary_keys
from kvfloor.adapters import LayerCache, PressCache
from kvfloor.caches import Configured, ExactCache, State, configure, describe, record, restore
from kvfloor.families import Token
from limits import HANG

FAMILY = BinaryValues(binary_keys(16), d_v=3, order=1)
SHAPE = {"order": 1, "d": 4, "d_v": 3, "seed": 0}
BITS = tuple(map(int, f"{random.Random(7).getrandbits(FAMILY.size):0{FAMILY.size}b}"))


class KeepLast:
    """Keeps the last tokens; shaped like a press."""

    def __init__(self, kept: int) -> None:
        self.kept = kept

    def compress(
        self, module: Any, hidden: Any, keys: Any, values: Any, attentions: Any, kwargs: Any
    ) -> tuple[Any, Any]:
        assert hidden.shape == (1, keys.shape[2], module.head_dim)
        assert attentions is None
        assert not hidden.any()
        return keys[:, :, -self.kept :], values[:, :, -self.kept :]


class KeepSome(KeepLast):
    """Keeps random tokens, by the library's global random numbers."""

    def compress(self, module: Any, hidden: Any, keys: Any, values: Any, *_: Any) -> Any:
        kept = np.random.permutation(keys.shape[2])[: self.kept]
        return keys[:, :, kept], values[:, :, kept]


class Returns:
    """Returns what it is told to."""

    def __init__(self, change: Callable[[Any, Any], Any]) -> None:
        self.change = change

    def compress(self, _m: Any, _h: Any, keys: Any, values: Any, *_: Any) -> Any:
        return self.change(keys, values)


class ListLayer:
    """Keeps tokens in two lists of arrays; shaped like a cache layer."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Any]] = {"keys": [], "values": []}
        self.name = "a list"

    def update(self, keys: Any, values: Any) -> tuple[Any, Any]:
        self.rows["keys"].append(keys)
        self.rows["values"].append(values)
        found = [np.concatenate(self.rows[name], axis=2) for name in ("keys", "values")]
        return found[0], found[1]


class ByteLayer:
    """Keeps entries of absolute value below 4 in eighths, as signed bytes."""

    def __init__(self, window: int = 1000) -> None:
        self.window = window
        self.kept: tuple[Any, Any] = (np.zeros((1, 1, 0, 4), np.int8),) * 2

    def update(self, keys: Any, values: Any) -> tuple[Any, Any]:
        news = [np.rint(x * 8).astype(np.int8) for x in (keys, values)]
        rows = [np.concatenate(both, axis=2) for both in zip(self.kept, news, strict=True)]
        self.kept = rows[0][:, :, -self.window :], rows[1][:, :, -self.window :]
        return rows[0].astype(np.float32) / 8, rows[1].astype(np.float32) / 8


class HidingLayer(ListLayer):
    """Counts what it has seen in a number instead of a tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0.0

    def update(self, keys: Any, values: Any) -> tuple[Any, Any]:
        self.total += float(values.sum())
        found = super().update(keys, values)
        return found[0], found[1] * 0 + self.total


class Box:
    """An object of a layer's own."""

    def __init__(self) -> None:
        self.layer = ListLayer()


class BoxLayer:
    """Keeps a layer in an object."""

    def __init__(self) -> None:
        self.box = Box()

    def update(self, keys: Any, values: Any) -> tuple[Any, Any]:
        return self.box.layer.update(keys, values)


class NumbersLayer(ListLayer):
    """Keeps plain lists of numbers."""

    def update(self, keys: Any, values: Any) -> tuple[Any, Any]:
        for name, new in (("keys", keys), ("values", values)):
            self.rows[name].append(new.tolist())
        found = [
            np.concatenate([np.array(row, np.float32) for row in self.rows[name]], axis=2)
            for name in ("keys", "values")
        ]
        return found[0], found[1]


def press(compressor: Any, **options: Any) -> Configured:
    return configure(PressCache, press=compressor, library="numpy", **options)


def layer(make: Any, **options: Any) -> Configured:
    return configure(LayerCache, layer=make, library="numpy", **options)


def state_of(factory: Configured, seed: int = 0) -> State:
    return record(factory, FAMILY.encode(BITS), d=4, d_v=3, seed=seed)


def read(factory: Configured, state: State) -> list[bool]:
    """Which addresses a restored cache reads right."""
    cache = restore(factory, state, order=1, d=4, d_v=3)
    rows = (cache.answer(FAMILY.query(i)) for i in range(FAMILY.n))
    return [FAMILY.decode(row) == FAMILY.row(BITS, i) for i, row in enumerate(rows)]


@pytest.mark.parametrize(
    ("factory", "bits"),
    [
        (press(KeepLast(16)), 32 + 2 * 16 * 4 * 32),
        (press(KeepLast(16), dtype="float16"), 32 + 2 * 16 * 4 * 16),
        (press(KeepLast(16), dtype="bfloat16"), 32 + 2 * 16 * 4 * 16),
        (press(KeepLast(16), dtype="float8_e4m3fn"), 32 + 2 * 16 * 4 * 8),
        (layer(ListLayer), 32 + 2 * 16 * 4 * 32),
        (layer(ListLayer, dtype="bfloat16"), 32 + 2 * 16 * 4 * 16),
        (layer(ByteLayer), 32 + 2 * 16 * 4 * 8),
    ],
)
def test_what_keeps_every_token_reads_every_bit(factory: Configured, bits: int) -> None:
    state = state_of(factory)
    assert state.bits == bits
    assert all(read(factory, state))


@pytest.mark.parametrize(
    ("factory", "kept"),
    [(press(KeepLast(5)), 5), (layer(functools.partial(ByteLayer, 5)), 5)],
)
def test_what_drops_tokens_reads_only_the_rest(factory: Configured, kept: int) -> None:
    state = state_of(factory)
    right = read(factory, state)
    assert all(right[-kept:])
    assert not all(right)


@pytest.mark.parametrize(
    ("factory", "kept"),
    [(press(KeepLast(4), dtype="float16"), 4), (layer(ListLayer, dtype="float16"), 6)],
)
def test_answers_are_attention_over_what_is_kept(factory: Configured, kept: int) -> None:
    tokens = [
        Token(((Fraction(i, 3), 1, -i, 2),), ((i, Fraction(1, i + 1), -1),)) for i in range(6)
    ]
    state = record(factory, tokens, d=4, d_v=3)
    rounded = [
        [[float(np.float16(float(x))) for x in rows[0]] for rows in part]
        for part in zip(*tokens[-kept:], strict=True)
    ]
    expected = ExactAttention([rounded[0]], [rounded[1]])([1, 2, 3, 4]).floats()
    got = restore(factory, state, order=1, d=4, d_v=3).answer([1, 2, 3, 4])
    assert got == expected


@pytest.mark.parametrize("adapter", [press(KeepLast(4), dtype="float16"), layer(ListLayer)])
def test_numbers_beyond_the_format_are_refused_as_they_come(adapter: Configured) -> None:
    cache = adapter(order=1, d=1, d_v=1, seed=0)
    with pytest.raises(InputError, match=r"^token: expected numbers up to .* for float"):
        cache.append([[0]], [[2**128]])


def test_public_coins_seed_a_press_and_are_put_back() -> None:
    factory = press(KeepSome(5))
    np.random.seed(3)
    expected = np.random.rand()
    np.random.seed(3)
    assert state_of(factory, 1) == state_of(factory, 1) != state_of(factory, 2)
    assert np.random.rand() == expected


def test_a_restored_layer_goes_on_as_before() -> None:
    factory, tokens = layer(functools.partial(ByteLayer, 5)), FAMILY.encode(BITS)
    whole = factory(**SHAPE)
    for token in tokens:
        whole.append(token.keys, token.values)
    half = record(factory, tokens[:9], d=4, d_v=3)
    resumed = restore(factory, half, order=1, d=4, d_v=3)
    for token in tokens[9:]:
        resumed.append(token.keys, token.values)
    assert resumed.answer((1, 2, 3, 4)) == whole.answer((1, 2, 3, 4))
    assert whole.answer((1, 2, 3, 4)) == whole.answer((1, 2, 3, 4))


@pytest.mark.parametrize("make", [HidingLayer, BoxLayer, NumbersLayer])
def test_a_layer_that_keeps_more_than_tensors_is_refused(make: Any) -> None:
    """It may be lossless, so that a state without all it needs would accuse it falsely."""
    with pytest.raises(InputError, match=r"^layer: expected one that keeps all it "):
        state_of(layer(make))
    found = audit(layer(make), n=8, d=3, order=1, seconds=HANG)
    assert (found.verdict, found.findings[0].kind) == ("misbehaves", "raised")
    assert "InputError: layer: expected one that keeps" in found.findings[0].reason


def test_options_are_named_so_that_anyone_finds_them() -> None:
    assert describe(layer(ListLayer))["options"]["layer"] == f"{__name__}:ListLayer"
    assert describe(press(KeepLast(1)))["options"]["press"] == f"{__name__}:KeepLast"


@pytest.mark.parametrize(
    ("factory", "verdict", "finding"),
    [
        (press(KeepLast(32)), "within-guarantee", None),
        (layer(ListLayer), "within-guarantee", None),
        (press(KeepLast(2)), "violates", "violation"),
        (press(KeepLast(1), dtype="float8_e4m3fn"), "refuted", "violation"),
    ],
)
def test_adapted_code_is_audited(factory: Configured, verdict: str, finding: str | None) -> None:
    found = audit(factory, n=32, d=8, order=1, seconds=HANG)
    assert found.verdict == verdict
    assert {f.kind for f in found.findings} >= ({finding} if finding else set())
    assert found.scope.startswith("counted: the number of tokens")
    assert "; not seen: " in found.scope


def test_a_cache_that_is_none_of_these_says_nothing() -> None:
    assert audit(ExactCache, n=4, d=2, order=1).scope == ""


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: press(KeepLast(1))(**SHAPE | {"order": 2}), "order"),
        (lambda: layer(ListLayer)(**SHAPE | {"order": 2}), "order"),
        (lambda: configure(PressCache, press=None, library="jax")(**SHAPE), "library"),
        (lambda: press(KeepLast(1), dtype="int8")(**SHAPE), "dtype"),
        (lambda: press(KeepLast(1))(**SHAPE).append([[1]], [[1, 2, 3]]), "token"),
        (lambda: layer(ListLayer)(**SHAPE).append([[1] * 4], [[1] * 3] * 2), "token"),
        (lambda: press(KeepLast(1)).from_state(b"\x01\0\0\0", **SHAPE), "state"),
        (lambda: layer(ListLayer).from_state(b"\x01\0\0\0", **SHAPE), "state"),
        (lambda: layer(ListLayer).from_state(b"\0" * 5, **SHAPE), "state"),
        (
            lambda: press(KeepLast(1)).from_state(b"\0" * 4, **SHAPE).append([[1] * 4], [[1] * 3]),
            "token",
        ),
        (lambda: press(KeepLast(1)).from_state(b"\0" * 4, **SHAPE).answer([1] * 4), "cache"),
        (
            lambda: state_of(press(Returns(lambda k, v: (k[:, :, 1:], v)))),
            "values that compress returned",
        ),
        (
            lambda: state_of(press(Returns(lambda k, v: (k.astype(float), v)))),
            "keys that compress returned",
        ),
        (
            lambda: state_of(press(Returns(lambda k, v: (k.tolist(), v)))),
            "keys that compress returned",
        ),
    ],
)
def test_refused_by_name(call: Callable[[], object], argument: str) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.argument == argument


# --- the real packages ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options", "kept"),
    [
        ("KnormPress", {"compression_ratio": 0.5}, 8),
        ("KeyDiffPress", {"compression_ratio": 0.25}, 12),
        ("StreamingLLMPress", {"compression_ratio": 0.5, "n_sink": 4}, 8),
        ("RandomPress", {"compression_ratio": 0.75}, 4),
        ("KnormPress", {"compression_ratio": 0.0}, 16),
    ],
)
def test_kvpress(name: str, options: dict[str, Any], kept: int) -> None:
    kvpress = pytest.importorskip("kvpress")
    factory = configure(PressCache, press=getattr(kvpress, name)(**options))
    state = state_of(factory)
    assert state == state_of(factory)
    assert state.bits == 32 + 2 * kept * 4 * 32
    right = read(factory, state)
    assert sum(right) >= kept
    assert all(right) == (kept == 16)
    if name == "StreamingLLMPress":
        assert all(right[i] for i in (0, 1, 2, 3, 12, 13, 14, 15))


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_transformers_layers(dtype: str) -> None:
    utils = pytest.importorskip("transformers.cache_utils")
    width = {"float32": 32}.get(dtype, 16)
    everything = configure(LayerCache, layer=utils.DynamicLayer, dtype=dtype)
    state = state_of(everything)
    assert state.bits == 32 + 2 * 16 * 4 * width
    assert all(read(everything, state))
    window = functools.partial(utils.DynamicSlidingWindowLayer, 6)
    sliding = configure(LayerCache, layer=window, dtype=dtype)
    state = state_of(sliding)
    assert state.bits == 32 + 64 + 2 * 5 * 4 * width  # and the window itself, as a tensor
    right = read(sliding, state)
    assert all(right[-5:])
    assert not all(right)
