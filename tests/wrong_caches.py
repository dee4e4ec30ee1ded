"""Caches that are wrong, each in one way; with the entry that catches it and the loss it is.

Those with a link follow what somebody reported of a cache in use; nothing of theirs is copied.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from kvfloor.caches import ExactCache
from kvfloor.caches.tokens import attend

__all__ = ["TABLE", "UNNAMED", "Row", "Stored", "told"]

Numbers = Sequence[Sequence[float]]
Change = Callable[[Any], Any]


class Stored(ExactCache):
    """An exact cache, but for what it does to keys and values on the way in, and to queries."""

    def keys_in(self, rows: Any) -> Any:
        return rows

    def values_in(self, rows: Any) -> Any:
        return rows

    def query_in(self, query: Any) -> Any:
        return query

    def append(self, keys: Numbers, values: Numbers) -> None:
        k, v = (np.array(part, dtype=float) for part in (keys, values))
        super().append(self.keys_in(k).tolist(), self.values_in(v).tolist())

    @property
    def tokens(self) -> int:
        return len(self._kept)

    def answer(self, query: Sequence[Any]) -> Any:
        keys, values = self._kept.slots
        q = self.query_in(np.array(query, dtype=float))
        return attend(keys, values, q.tolist(), self._shape.d)

    def forget(self, place: int) -> None:
        self._kept.drop(place)


def tuple_weights(keys: Sequence[Any], query: Any) -> Any:
    """The weights of all pairs of tokens at order 2."""
    logits = np.einsum("c,ic,jc->ij", np.array([float(x) for x in query]), *keys)
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()


# --- values --------------------------------------------------------------------------------


class WholeValues(Stored):
    """Values rounded to integers."""

    def values_in(self, rows: Any) -> Any:
        return np.rint(rows)


class ZeroScale(Stored):
    """A scale of zero."""

    def values_in(self, rows: Any) -> Any:
        return 0 * rows


class RawCodes(Stored):
    """Codes of 8 bits that nobody multiplies by their scale."""

    def values_in(self, rows: Any) -> Any:
        return np.rint(127 * rows)


class ReadScale(Stored):
    """Written without the scale, read with it."""

    def values_in(self, rows: Any) -> Any:
        return rows / 32


class Flushes(Stored):
    """Nothing below 2^-9, as in float8 at scale 1."""

    def values_in(self, rows: Any) -> Any:
        return np.rint(512 * rows) / 512


class Saturates(Stored):
    """Values cut at ±6."""

    def values_in(self, rows: Any) -> Any:
        return np.clip(rows, -6, 6)


class ClipsValues(Stored):
    """Values cut at half of the range."""

    def values_in(self, rows: Any) -> Any:
        return np.clip(rows, -0.5, 0.5)


class Unsigned(Stored):
    """Levels for numbers above zero only."""

    def values_in(self, rows: Any) -> Any:
        return np.maximum(rows, 0)


class WithoutSigns(Stored):
    """Absolute values."""

    def values_in(self, rows: Any) -> Any:
        return np.abs(rows)


class FirstScale(Stored):
    """Eight bits up to the largest value of the first token, for all tokens."""

    def values_in(self, rows: Any) -> Any:
        first = self._kept.slots[1] if self.tokens else [rows[r : r + 1] for r in range(len(rows))]
        largest = [np.abs(slot[0]).max() or 1 for slot in first]
        return np.array([np.clip(row, -x, x) for row, x in zip(rows, largest, strict=True)])


class NextColumnsScale(Stored):
    """Codes by the size of their own column, read by that of the next."""

    def values_in(self, rows: Any) -> Any:
        sizes = 4.0 ** -(np.arange(rows.shape[1]) % 4)
        return rows / sizes * np.roll(sizes, -1)


class ThreeBits(Stored):
    """Three bits by the largest value of a token."""

    def values_in(self, rows: Any) -> Any:
        step = np.abs(rows).max(axis=1, keepdims=True) / 3
        return np.rint(rows / np.where(step, step, 1)) * step


class ConstantRange(Stored):
    """A row whose least is its largest has a scale of zero, and is read as zeros."""

    def values_in(self, rows: Any) -> Any:
        spans = rows.max(axis=1, keepdims=True) - rows.min(axis=1, keepdims=True)
        return np.where(spans > 0, rows, 0)


class TwentyThousand(Stored):
    """Values cut at ±20000: more than anybody had seen."""

    def values_in(self, rows: Any) -> Any:
        return np.clip(rows, -20000, 20000)


class EndOfFloat16(Stored):
    """Values cut at the largest number of float16."""

    def values_in(self, rows: Any) -> Any:
        return np.clip(rows, -65504, 65504)


class AddsSlots(Stored):
    """Values of two slots added, less one, where they should be multiplied."""

    def answer(self, query: Sequence[Any]) -> Any:
        keys, values = self._kept.slots
        ones = [np.ones_like(values[0])] * 2
        parts = [[values[0], ones[0]], [ones[1], values[1]]]
        some = [attend(keys, part, list(query), self._shape.d) for part in parts]
        return np.array(some[0]) + some[1] - 1


class NegativeProducts(Stored):
    """Minus times minus is minus."""

    def answer(self, query: Sequence[Any]) -> Any:
        keys, values = self._kept.slots
        weights = tuple_weights(keys, query)
        products = values[0][:, None] * values[1][None]
        both = (values[0][:, None] < 0) & (values[1][None] < 0)
        return np.einsum("ij,ijc->c", weights, np.where(both, -products, products))


# --- keys ----------------------------------------------------------------------------------


class WholeKeys(Stored):
    """Keys rounded to integers."""

    def keys_in(self, rows: Any) -> Any:
        return np.rint(rows)


class TwoDigits(Stored):
    """Two significant bits of a key."""

    def keys_in(self, rows: Any) -> Any:
        fractions, exponents = np.frexp(rows)
        return np.ldexp(np.rint(4 * fractions) / 4, exponents)


class FourBitKeys(Stored):
    """Four bits by the largest number of the token, which columns of another size decide."""

    def keys_in(self, rows: Any) -> Any:
        step = np.abs(rows).max(axis=1, keepdims=True) / 7
        return np.rint(rows / np.where(step, step, 1)) * step


class Sixteenths(Stored):
    """Keys in steps of 1/4."""

    def keys_in(self, rows: Any) -> Any:
        return np.rint(4 * rows) / 4


class ClipsKeys(Stored):
    """Keys cut at ±1."""

    def keys_in(self, rows: Any) -> Any:
        return np.clip(rows, -1, 1)


class TwentyKeys(Stored):
    """Keys cut at ±20."""

    def keys_in(self, rows: Any) -> Any:
        return np.clip(rows, -20, 20)


class UnsignedColumns(Stored):
    """A column of keys that is below zero throughout is read without its sign."""

    def answer(self, query: Sequence[Any]) -> Any:
        keys, values = self._kept.slots
        read = [np.where((k < 0).all(axis=0), -k, k) for k in keys]
        return attend(read, values, list(query), self._shape.d)


class ByKey(Stored):
    """Found by a hash of the key alone: the value of the first one stands for all."""

    def append(self, keys: Numbers, values: Numbers) -> None:
        have = np.hstack(self._kept.slots[0])
        if not any((row == np.concatenate(keys)).all() for row in have):
            super().append(keys, values)


class Distinct(Stored):
    """A token that was there before is left out."""

    def append(self, keys: Numbers, values: Numbers) -> None:
        token = np.concatenate([*keys, *values])
        if not any((row == token).all() for row in self._kept.rows):
            super().append(keys, values)


class MergesAlike(Stored):
    """Three tokens on end are merged into their mean if their keys have cosines above 0.9."""

    def answer(self, query: Sequence[Any]) -> Any:
        keys, values = ([rows.copy() for rows in slots] for slots in self._kept.slots)
        sizes = np.linalg.norm(keys[0], axis=1)
        near = keys[0] @ keys[0].T > 0.9 * np.outer(sizes, sizes)
        for start in range(0, self.tokens, 3):
            block = slice(start, start + 3)
            if near[block, block].all():
                for rows in (*keys, *values):
                    rows[block] = rows[block].mean(axis=0)
        return attend(keys, values, list(query), self._shape.d)


class ZeroIsPadding(Stored):
    """A token with a key of zeros is left out."""

    def append(self, keys: Numbers, values: Numbers) -> None:
        if np.any(keys) or not self.tokens:
            super().append(keys, values)


# --- attention -----------------------------------------------------------------------------


class OverSqrtD(Stored):
    """The scale twice."""

    def query_in(self, query: Any) -> Any:
        return query / 2


class TooHot(Stored):
    """Logits twice as large."""

    def query_in(self, query: Any) -> Any:
        return 2 * query


class Capped(Stored):
    """Logits capped at 2."""

    def query_in(self, query: Any) -> Any:
        keys = self._kept.slots[0][0]
        largest = np.abs(keys @ query).max()
        return query * min(1, 2 / largest) if largest else query


class Clamped(Stored):
    """No largest logit is subtracted; exponentials are clamped at e^88 instead."""

    def answer(self, query: Any) -> Any:
        keys, values = (slots[0] for slots in self._kept.slots)
        weights = np.exp(np.minimum(keys @ np.array([float(x) for x in query]), 88))
        return weights @ values / weights.sum()


class MaximumFromZero(Stored):
    """The largest logit is subtracted where it is above zero; else exponentials may all vanish."""

    def answer(self, query: Any) -> Any:
        keys, values = (slots[0] for slots in self._kept.slots)
        logits = keys @ np.array([float(x) for x in query])
        weights = np.exp(logits - max(0.0, logits.max()))
        return weights @ values / (weights.sum() or 1)


class NotRescaled(Stored):
    """Blocks of four: where the maximum rises by less than half a nat, sums stay as they are."""

    def answer(self, query: Any) -> Any:
        keys, values = (slots[0] for slots in self._kept.slots)
        logits, top = keys @ np.array([float(x) for x in query]), -np.inf
        sums = np.zeros(values.shape[1] + 1)
        for i in range(0, len(logits), 4):
            block = slice(i, i + 4)
            new = max(top, logits[block].max())
            sums *= np.exp(top - new) if new - top >= 1 / 2 else 1
            top = new
            weights = np.exp(logits[block] - top)
            sums += np.append(weights @ values[block], weights.sum())
        return sums[:-1] / sums[-1]


class DropsLight(Stored):
    """Weights below a quarter of the mean are dropped."""

    def answer(self, query: Any) -> Any:
        keys, values = (slots[0] for slots in self._kept.slots)
        logits = keys @ np.array([float(x) for x in query])
        weights = np.exp(logits - logits.max())
        weights[weights < weights.mean() / 4] = 0
        return weights @ values / weights.sum()


class OldWhole(Stored):
    """Values of all but the last four tokens, rounded to integers."""

    def answer(self, query: Any) -> Any:
        keys, values = (slots[0] for slots in self._kept.slots)
        old = np.vstack([np.rint(values[:-4]), values[-4:]])
        return attend([keys], [old], query, self._shape.d)


class TopOne(Stored):
    """All weight to the largest logit."""

    def query_in(self, query: Any) -> Any:
        return 2.0**10 * query


class TopTwo(Stored):
    """Attends to the two tokens of the largest logits alone."""

    def answer(self, query: Sequence[Any]) -> Any:
        keys, values = self._kept.slots
        q = np.array(query, dtype=float)
        best = np.sort(np.argsort(-(keys[0] @ q), kind="stable")[:2])
        return attend([k[best] for k in keys], [v[best] for v in values], q.tolist(), len(q))


class NotItself(Stored):
    """At order 2 no token meets itself."""

    def answer(self, query: Sequence[Any]) -> Any:
        keys, values = self._kept.slots
        weights = tuple_weights(keys, query)
        if len(weights) > 1:
            np.fill_diagonal(weights, 0)
        return np.einsum("ij,ic,jc->c", weights, *values) / weights.sum()


class FirstSlotsKey(Stored):
    """Where the keys of two slots have the same signs, one is kept for both."""

    def answer(self, query: Sequence[Any]) -> Any:
        (first, second), values = self._kept.slots
        same = (np.sign(first) == np.sign(second)).all(axis=1, keepdims=True)
        keys = [first, np.where(same, first, second)]
        return attend(keys, values, list(query), self._shape.d)


# --- place ---------------------------------------------------------------------------------


class LosesFirst(Stored):
    """The sink goes as soon as there is another token."""

    def answer(self, query: Sequence[Any]) -> Any:
        if self.tokens == 1:
            return super().answer(query)
        keys, values = self._kept.slots
        return attend([k[1:] for k in keys], [v[1:] for v in values], list(query), self._shape.d)


class LosesLast(Stored):
    """The newest token has no score yet, and goes."""

    def answer(self, query: Sequence[Any]) -> Any:
        if self.tokens == 1:
            return super().answer(query)
        keys, values = self._kept.slots
        return attend([k[:-1] for k in keys], [v[:-1] for v in values], list(query), self._shape.d)


class BorderTwice(Stored):
    """The last token of a chunk of four is the first of the next one as well."""

    def append(self, keys: Numbers, values: Numbers) -> None:
        super().append(keys, values)
        if self.tokens % 5 == 4:
            super().append(keys, values)


class FullWindow(Stored):
    """When eight tokens are there, the next one takes the place of the last."""

    def append(self, keys: Numbers, values: Numbers) -> None:
        if self.tokens == 8:
            self.forget(7)
        super().append(keys, values)


class OneEarly(Stored):
    """Every token after the fifth lands on the one before."""

    def append(self, keys: Numbers, values: Numbers) -> None:
        if self.tokens == 6:
            self.forget(5)
        super().append(keys, values)


class AtTen(Stored):
    """The last of ten tokens is not attended to; that of nine or eleven is."""

    def answer(self, query: Sequence[Any]) -> Any:
        end = 9 if self.tokens == 10 else self.tokens
        keys, values = self._kept.slots
        return attend(
            [k[:end] for k in keys], [v[:end] for v in values], list(query), self._shape.d
        )


class LateKeys(Stored):
    """Keys of all but the first eight tokens, rounded to integers."""

    def keys_in(self, rows: Any) -> Any:
        return np.rint(rows) if self.tokens >= 8 else rows


class LateValues(Stored):
    """Values of all but the first eight tokens, in the last slot alone, rounded to integers."""

    def values_in(self, rows: Any) -> Any:
        return np.vstack([rows[:-1], np.rint(rows[-1:])]) if self.tokens >= 8 else rows


class LastBlocksScale(Stored):
    """The first token of a block of four is cut at the largest value of the block before."""

    def values_in(self, rows: Any) -> Any:
        if not self.tokens or self.tokens % 4:
            return rows
        largest = [np.abs(slot[-4:]).max() or 1 for slot in self._kept.slots[1]]
        return np.array([np.clip(row, -x, x) for row, x in zip(rows, largest, strict=True)])


class WholeBlocks(Stored):
    """Tokens behind the last full block of four are not attended to."""

    def answer(self, query: Sequence[Any]) -> Any:
        end = self.tokens // 4 * 4 or self.tokens
        keys, values = self._kept.slots
        return attend(
            [k[:end] for k in keys], [v[:end] for v in values], list(query), self._shape.d
        )


class SixTokens(Stored):
    """No more than six tokens."""

    def append(self, keys: Numbers, values: Numbers) -> None:
        super().append(keys, values)
        if self.tokens > 6:
            self.forget(0)


# --- streams -------------------------------------------------------------------------------


class Unflushed(Stored):
    """The last token is attended to only when the state has been written."""

    flushed = 0

    def state(self) -> bytes:
        self.flushed = self.tokens
        return super().state()

    @classmethod
    def from_state(cls, state: bytes, **arguments: Any) -> Any:
        cache = super().from_state(state, **arguments)
        cache.flushed = cache.tokens  # type: ignore[attr-defined]
        return cache

    def append(self, keys: Numbers, values: Numbers) -> None:
        self.flushed = self.tokens
        super().append(keys, values)

    def answer(self, query: Sequence[Any]) -> Any:
        end = self.flushed or self.tokens
        keys, values = self._kept.slots
        return attend(
            [k[:end] for k in keys], [v[:end] for v in values], list(query), self._shape.d
        )


class Traces(Stored):
    """Being asked, it takes its last token once more, up to three tokens."""

    def answer(self, query: Sequence[Any]) -> Any:
        found = super().answer(query)
        if self.tokens == 3:
            self._kept.append(self._kept.rows[-1])
        return found


class Remembers(Stored):
    """An answer that was given once is given again, whatever has come since."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.given: dict[Any, Any] = {}

    def answer(self, query: Sequence[Any]) -> Any:
        if tuple(query) not in self.given:
            self.given[tuple(query)] = super().answer(query)
        return self.given[tuple(query)]


class RestoredShort(Stored):
    """Restored, it goes on one place too early."""

    restored = False

    @classmethod
    def from_state(cls, state: bytes, **arguments: Any) -> Any:
        cache = super().from_state(state, **arguments)
        cache.restored = True  # type: ignore[attr-defined]
        return cache

    def append(self, keys: Numbers, values: Numbers) -> None:
        if self.restored and self.tokens == 3:
            self.forget(2)
        super().append(keys, values)


class WrittenOut(Stored):
    """Of what a state was written of all but the last token is gone."""

    def state(self) -> bytes:
        data = super().state()
        while self.tokens > 1:
            self.forget(0)
        return data


class SecondStream(Stored):
    """Every object but the first of a process has no third token."""

    objects: ClassVar[list[int]] = []

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.first = not SecondStream.objects
        SecondStream.objects.append(1)

    def append(self, keys: Numbers, values: Numbers) -> None:
        super().append(keys, values)
        if not self.first and self.tokens == 4:
            self.forget(2)


class SharedBlock(Stored):
    """The second token of a stream is that of whichever stream had one first."""

    block: ClassVar[dict[int, Any]] = {}

    def append(self, keys: Numbers, values: Numbers) -> None:
        super().append(keys, values)
        if self.tokens == 1:
            SharedBlock.block.clear()
        if self.tokens == 2:
            self._kept.rows[1] = SharedBlock.block.setdefault(1, self._kept.rows[1].copy())


class KeysForValues(Stored):
    """Keys read as values."""

    def values_in(self, rows: Any) -> Any:
        return rows

    def append(self, keys: Numbers, values: Numbers) -> None:
        d_v = self._shape.d_v
        super().append(keys, [[*key, *[0.0] * d_v][:d_v] for key in keys])


class NoZeroPoint(Stored):
    """Codes of 8 bits from the least of a token, read as if that were zero."""

    def values_in(self, rows: Any) -> Any:
        return rows - rows.min(axis=1, keepdims=True)


class TwoBits(Stored):
    """Two bits of keys and values, between the ends of a token."""

    def keys_in(self, rows: Any) -> Any:
        low, high = (end(axis=1, keepdims=True) for end in (rows.min, rows.max))
        step = np.where(high > low, (high - low) / 3, 1)
        return low + np.rint((rows - low) / step) * step

    values_in = keys_in


class Padded(Stored):
    """Blocks of four are filled up with zeros, which are attended to."""

    def answer(self, query: Sequence[Any]) -> Any:
        blank = -self.tokens % 4
        filled = [
            [np.vstack([rows, np.zeros((blank, rows.shape[1]))]) for rows in slots]
            for slots in self._kept.slots
        ]
        return attend(filled[0], filled[1], list(query), self._shape.d)


class KeysOneLate(Stored):
    """Keys one place further than their values."""

    def answer(self, query: Sequence[Any]) -> Any:
        keys, values = self._kept.slots
        return attend([np.roll(k, 1, axis=0) for k in keys], values, list(query), self._shape.d)


class Row(NamedTuple):
    """A wrong cache, the entry that catches it, the loss it is; its link, and the order it has."""

    cache: Any
    entry: str
    loss: str
    link: str = ""
    order: int = 1


def told(row: Row) -> str:
    """The row of docs/wrong-caches.md."""
    where = f"[{row.link.removeprefix(GITHUB)}]({row.link})" if row.link else ""
    words = " ".join((row.cache.__doc__ or "").split()) if "__doc__" in vars(row.cache) else ""
    return f"| `{row.cache.__name__}` | {words} | `{row.entry}` | {row.loss} | {where} |"


VALUES, ROUNDED, KEYS, CLIP, SIGNS = (
    "scale of values", "precision of values", "precision of keys", "clipping", "wrong signs",
)  # fmt: skip
MISSING, TWICE, MERGED, HEAT, NONE = (
    "missing token", "token counted twice", "merged tokens", "temperature", "of no single kind",
)  # fmt: skip
ZERO, BOTH, MORE, ORDER = (
    "zero point", "precision of keys and values", "token too many", "wrong order",
)  # fmt: skip
GITHUB = "https://github.com/"

TABLE = (
    Row(WholeValues, "graded-values", ROUNDED, GITHUB + "lablup/mlxcel/pull/717"),
    Row(ZeroScale, "graded-values", VALUES, GITHUB + "vllm-project/llm-compressor/issues/1928"),
    Row(RawCodes, "graded-values", VALUES, GITHUB + "FlashML-org/FreeToken/pull/309"),
    Row(ReadScale, "graded-values", VALUES, GITHUB + "sgl-project/sglang/issues/18818"),
    Row(Flushes, "small-values", ROUNDED, GITHUB + "NVIDIA/Model-Optimizer/issues/20"),
    Row(Saturates, "outlier-column", CLIP),
    Row(ClipsValues, "graded-values", CLIP),
    Row(Unsigned, "negative-values", CLIP),
    Row(WithoutSigns, "negative-values", SIGNS),
    Row(FirstScale, "token-sizes", CLIP),
    Row(NextColumnsScale, "column-sizes", VALUES),
    Row(ThreeBits, "graded-values", ROUNDED),
    Row(ConstantRange, "constant-values", VALUES, GITHUB + "openvinotoolkit/openvino/pull/34105"),
    Row(TwentyThousand, "huge-values", CLIP),
    Row(EndOfFloat16, "beyond-float16", CLIP),
    Row(AddsSlots, "graded-values", NONE, order=2),
    Row(NegativeProducts, "negative-values", NONE, order=2),
    Row(WholeKeys, "fractional-keys", KEYS),
    Row(TwoDigits, "nearly-parallel-keys", KEYS),
    Row(FourBitKeys, "key-columns", KEYS, GITHUB + "huggingface/transformers/issues/35185"),
    Row(Sixteenths, "fractional-keys", KEYS),
    Row(ClipsKeys, "large-keys", CLIP),
    Row(TwentyKeys, "huge-keys", CLIP),
    Row(UnsignedColumns, "negative-keys", SIGNS),
    Row(ByKey, "equal-keys", MISSING, GITHUB + "openvinotoolkit/openvino.genai/issues/3722"),
    Row(Distinct, "duplicates", MISSING),
    Row(MergesAlike, "underflow", MERGED),
    Row(ZeroIsPadding, "zero-tokens", MISSING),
    Row(OverSqrtD, "temperatures", HEAT),
    Row(TooHot, "temperatures", HEAT),
    Row(Capped, "temperatures", CLIP),
    Row(Clamped, "overflow", CLIP),
    Row(TopOne, "halves", HEAT),
    Row(TopTwo, "long-tail", MISSING),
    Row(NotItself, "tuples", NONE, order=2),
    Row(FirstSlotsKey, "tuples", KEYS, order=2),
    Row(LosesFirst, "first-token", MISSING, GITHUB + "awslabs/keys_values/pull/142"),
    Row(LosesLast, "last-token", MISSING, GITHUB + "rajveer43/VeloxQuant-MLX/issues/137"),
    Row(BorderTwice, "just-appended", TWICE),
    Row(FullWindow, "powers-of-two", MISSING, GITHUB + "huggingface/transformers/issues/37574"),
    Row(OneEarly, "every-token", MISSING, GITHUB + "jundot/omlx/issues/2172"),
    Row(AtTen, "every-length", MISSING),
    Row(LateKeys, "old-keys", NONE, order=2),
    Row(LateValues, "old-values", NONE, order=2),
    Row(LastBlocksScale, "growing-values", CLIP),
    Row(WholeBlocks, "just-appended", MISSING),
    Row(SixTokens, "block-edges", MISSING),
    Row(Unflushed, "asked-live", MISSING),
    Row(Traces, "asked-between", TWICE),
    Row(Remembers, "asked-throughout", MISSING),
    Row(RestoredShort, "restored", MISSING, GITHUB + "ggml-org/llama.cpp/issues/26676"),
    Row(WrittenOut, "saved", MISSING),
    Row(SecondStream, "twice", MISSING, GITHUB + "ovg-project/kvcached/issues/446"),
    Row(SharedBlock, "interleaved", MISSING),
    Row(NoZeroPoint, "graded-values", ZERO),
    Row(TwoBits, "gaussian", BOTH),
    Row(Padded, "just-appended", MORE),
    Row(KeysOneLate, "just-appended", ORDER),
    Row(KeysForValues, "graded-values", NONE, GITHUB + "ikawrakow/ik_llama.cpp/pull/1592"),
)


class FourSigmas(Stored):
    """Values clipped four standard deviations from their mean, over all that it holds."""

    def answer(self, query: Sequence[Any]) -> Any:
        keys, (first, *others) = self._kept.slots
        values = np.array(first, dtype=float)
        low, high = (values.mean() + by * values.std() for by in (-4, 4))
        return attend(keys, [values.clip(low, high).tolist(), *others], query, self._shape.d)


#: Wrong in how they answer, not in what they keep, or in some tokens alone: of no kind above.
UNNAMED = (
    (MaximumFromZero, "underflow"),
    (NotRescaled, "rising"),
    (DropsLight, "light-tail"),
    (OldWhole, "old-values"),
    (FourSigmas, "one-outlier"),
)
