"""Keys and values in few bits, with scales and zero points: what is declared, and what it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from kvfloor.errors import InputError
from kvfloor.numbers import FORMATS, Array, BinaryFormat, as_count, as_format, shown

__all__ = ["Codes", "Quantised", "Stored"]

INTEGERS = {"int8": (-128, 127), "uint8": (0, 255), "int4": (-8, 7), "uint4": (0, 15)}
FLOATS = ("float8_e4m3fn", "float8_e5m2")
PER = ("tensor", "head", "token", "block")
SCALE = "float32"  # codes of 9 bits times 24 are exact in float64


class Codes(NamedTuple):
    """One array in few bits: its numbers are (codes - zeros)·scales.

    Attributes
    ----------
    codes : ndarray, shape (b, h, n, columns)
    scales : ndarray, shape (b, h, g)
        g is 1, n, or the blocks of tokens.
    zeros : ndarray, the same shape, or None
        In the format of the codes.
    block : int
        Tokens for each scale; n if g is 1.
    """

    codes: Array
    scales: Array
    zeros: Array | None
    block: int

    def numbers(self) -> Array:
        """What it stands for, exactly, in float64."""
        n = self.codes.shape[2]
        wide, scales, *zeros = (
            A if A.ndim == 4 else np.repeat(A, self.block, axis=2)[:, :, :n, None]
            for A in (self.codes, self.scales, self.zeros)
            if A is not None
        )
        offset = zeros[0].astype(np.float64) if zeros else 0.0
        return np.asarray((wide.astype(np.float64) - offset) * scales.astype(np.float64))

    def of(self, places: list[int]) -> Codes:
        """Return those of some elements of the batch."""
        zeros = None if self.zeros is None else self.zeros[places]
        return self._replace(codes=self.codes[places], scales=self.scales[places], zeros=zeros)

    def cut(self, n: int) -> Codes:
        """Return those of the first tokens."""
        return self._replace(codes=self.codes[:, :, :n])


class Stored(NamedTuple):
    """What a function is given in place of numbers; None for a query that is no codes."""

    query: Codes | None
    keys: tuple[Codes, ...]
    values: tuple[Codes, ...]

    def cut(self, queries: int, lengths: tuple[int, ...]) -> Stored:
        """Return those of the first queries and tokens, where all tokens share a scale."""
        query, keys, values = self
        return Stored(
            None if query is None else query.cut(queries),
            tuple(K.cut(n) for K, n in zip(keys, lengths, strict=True)),
            tuple(V.cut(n) for V, n in zip(values, lengths, strict=True)),
        )

    def of(self, places: list[int]) -> Stored:
        """Return those of some elements of the batch."""
        return Stored(
            None if self.query is None else self.query.of(places),
            tuple(K.of(places) for K in self.keys),
            tuple(V.of(places) for V in self.values),
        )


@dataclass(frozen=True)
class Quantised:
    """How keys and values are stored; a number is (code - zero point)·scale, exactly.

    Parameters
    ----------
    stored : "float8_e4m3fn", "float8_e5m2", "int8", "uint8", "int4" or "uint4"
        Codes of 4 bits come one in each number of 8.
    per : "tensor", "head", "token" or "block"
        What shares a scale, and a zero point.
    block : int, optional
        Tokens of a block.
    zero_point : bool
        Whether codes have zero points.
    query : bool
        Whether the query is stored likewise.
    rounded : dtype or str, optional
        A format that numbers are rounded to before they meet any other; else that of the
        arithmetic.

    Raises
    ------
    InputError
        If one of them is none of that.
    """

    stored: str
    per: str = "tensor"
    block: int | None = None
    zero_point: bool = False
    query: bool = False
    rounded: Any = None

    def __post_init__(self) -> None:
        for name, given, known in (
            ("quantised.stored", self.stored, (*FLOATS, *INTEGERS)),
            ("quantised.per", self.per, PER),
        ):
            if given not in known:
                raise InputError.among(name, known, shown(given))
        if (self.per == "block") != (self.block is not None):
            expected = "tokens of a block" if self.per == "block" else "none without per=block"
            raise InputError("quantised.block", expected, shown(self.block))
        if self.block is not None:
            as_count(self.block, "quantised.block", 1)
        if self.zero_point and self.stored in FLOATS:
            raise InputError("quantised.zero_point", "False, as codes are floats", "True")
        if self.stored.startswith("u") and not self.zero_point:
            raise InputError("quantised.zero_point", "True, as codes have no sign", "False")
        if self.rounded is not None:
            object.__setattr__(self, "rounded", as_format(self.rounded).name)

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the largest code."""
        if self.stored in INTEGERS:
            return INTEGERS[self.stored]
        largest = float(as_format(self.stored).max_finite)
        return -largest, largest

    @property
    def codes(self) -> np.dtype[Any]:
        """The format that codes come in."""
        if self.stored in FORMATS:
            return as_format(self.stored).dtype
        return np.dtype(self.stored.replace("4", "8"))

    def room(self, form: BinaryFormat) -> float:
        """How large numbers may be, so that neither a format nor scales are exceeded by codes."""
        least, largest = self.ends
        forms = (form, as_format(self.rounded or form.name), as_format(SCALE))
        most = float(min(each.max_finite for each in forms))
        return most * (1 - 2 / (largest - least + 1))

    def store(self, numbers: Array, form: BinaryFormat) -> Codes:
        """Return the nearest codes; scales are the least that reach all, in a format.

        Parameters
        ----------
        numbers : ndarray of float64, shape (b, h, n, columns)
        form : BinaryFormat
            That of the arithmetic; scales have it, if it is narrower than `SCALE`.
        """
        n = numbers.shape[2]
        block = {"token": 1, "block": self.block}.get(self.per) or n
        lows, highs = (self._ends_of(numbers, block, end) for end in (np.minimum, np.maximum))
        least, largest = self.ends
        if self.zero_point:
            reach = (highs - lows) / (largest - least)
        else:
            reach = np.maximum(lows / least, highs / largest)
        scales = _scales(reach, form)
        zeros = None
        if self.zero_point:
            zeros = np.clip(np.rint(least - lows / scales), least, largest).astype(self.codes)
        return self._nearest(numbers, scales, zeros, block)

    def same(self, each: Array) -> Array:
        """Numbers of shape (b, h, g) with the first of them wherever one is shared."""
        first = {"tensor": each[:1, :1], "head": each[:1]}.get(self.per, each)
        return np.broadcast_to(first, each.shape)

    def _ends_of(self, numbers: Array, block: int, end: np.ufunc) -> Array:
        """The least or the largest of what shares a scale, and zero, shape (b, h, g)."""
        starts = range(0, numbers.shape[2], block)
        found = end.reduceat(end.reduce(numbers, axis=3), starts, axis=2)
        if self.per in ("tensor", "head"):
            found = np.broadcast_to(end.reduce(found, axis=0), found.shape)
        if self.per == "tensor":
            found = np.broadcast_to(end.reduce(found, axis=1, keepdims=True), found.shape)
        return np.asarray(end(found, 0.0))

    def _nearest(self, numbers: Array, scales: Array, zeros: Array | None, block: int) -> Codes:
        n, (least, largest) = numbers.shape[2], self.ends
        each = np.repeat(scales.astype(np.float64), block, axis=2)[:, :, :n, None]
        codes = numbers / each
        if zeros is not None:
            codes = codes + np.repeat(zeros.astype(np.float64), block, axis=2)[:, :, :n, None]
        codes = np.clip(codes, least, largest)
        rounded = np.rint(codes) if self.stored in INTEGERS else _round(self.stored, codes)
        return Codes(rounded.astype(self.codes), scales, zeros, block)

    def arguments(self, stored: Stored) -> Iterator[tuple[str, Array]]:
        """What a function is given of codes: each array by name, of shape (b, h, g) or fewer."""
        listed = [*((f"key#[{r}]", K) for r, K in enumerate(stored.keys)),
                  *((f"value#[{r}]", V) for r, V in enumerate(stored.values))]  # fmt: skip
        if stored.query is not None:
            listed.append(("query#", stored.query))
        for name, part in listed:
            yield name.replace("#", "_scales"), self._shared(part.scales)
            if part.zeros is not None:
                yield name.replace("#", "_zeros"), self._shared(part.zeros)

    def _shared(self, each: Array) -> Array:
        if self.per == "tensor":
            return np.asarray(each[0, 0, 0])
        return each[0, :, 0] if self.per == "head" else each


def _scales(reach: Array, form: BinaryFormat) -> Array:
    """Scales of at least that, rounded up to a format; one where there is nothing to reach."""
    narrow = as_format(SCALE)
    narrow = narrow if form.holds(narrow) else form
    normal = np.maximum(reach, 2.0**narrow.min_exponent)
    return np.where(reach > 0, narrow.round_array(normal, "up"), 1.0).astype(narrow.dtype)


def _round(name: str, numbers: Array) -> Array:
    return as_format(name).round_array(numbers)
