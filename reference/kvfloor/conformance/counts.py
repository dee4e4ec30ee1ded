"""Which whole numbers a function serves: some that are listed, or multiples between two ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import lcm
from typing import Any

from kvfloor.errors import InputError
from kvfloor.numbers import as_count, shown

__all__ = ["ANY", "Counts", "as_counts"]

WORDS = ("multiple", "least", "most")
EXPECTED = "whole numbers, such as 64,128, or multiple=16,least=16,most=4096 or a part of that"


@dataclass(frozen=True)
class Counts:
    """Whole numbers from 1.

    Attributes
    ----------
    listed : tuple of int
        These and no others, in order; if it is empty, the multiples:
    multiple, least : int
        Multiples of one number, from the first that is at least ``least``; that is one itself.
    most : int or None
        The largest, one itself; None if there is none.
    """

    listed: tuple[int, ...] = ()
    multiple: int = 1
    least: int = 1
    most: int | None = None

    def __contains__(self, count: int) -> bool:
        if self.listed:
            return count in self.listed
        below = self.most is None or count <= self.most
        return count >= self.least and below and count % self.multiple == 0

    def __str__(self) -> str:
        if self.listed:
            return ",".join(map(str, self.listed))
        parts = {"multiple": self.multiple, "least": self.least, "most": self.most}
        said = [f"{word}={value}" for word, value in parts.items() if value not in (1, None)]
        return ",".join(said) or "any"

    def nearest(self, wanted: int) -> int:
        """Return the one nearest to a number, the smaller of two."""
        if self.listed:
            return min(self.listed, key=lambda count: (abs(count - wanted), count))
        below = wanted // self.multiple * self.multiple
        found = below if 2 * (wanted - below) <= self.multiple else below + self.multiple
        found = max(self.least, found)
        return found if self.most is None else min(found, self.most)

    def after(self, count: int) -> int | None:
        """Return the next larger one, None if there is none."""
        if self.listed:
            return next((other for other in self.listed if other > count), None)
        other = max(self.least, (count // self.multiple + 1) * self.multiple)
        return other if self.most is None or other <= self.most else None

    def edges(self, ceiling: int) -> tuple[int, ...]:
        """Return the ends and those beside them, none above a ceiling if one is below it."""
        if self.listed:
            low = [count for count in self.listed if count <= ceiling] or [self.listed[0]]
            return tuple(sorted({*low[:2], *low[-2:]}))
        last = max(self.least, self.nearest(ceiling - self.multiple // 2))
        beside = {self.least, self.least + self.multiple, last - self.multiple, last}
        return tuple(sorted(count for count in beside if self.least <= count <= last))

    def multiples_of(self, factor: int) -> Counts | None:
        """Return those that are multiples of a number too, None if there are none."""
        if self.listed:
            listed = tuple(count for count in self.listed if count % factor == 0)
            return Counts(listed) if listed else None
        return _multiples(lcm(self.multiple, factor), self.least, self.most)

    def common(self, other: Counts) -> Counts | None:
        """Return those that are among others too, None if there are none."""
        if other.listed and not self.listed:
            return other.common(self)
        if self.listed:
            listed = tuple(count for count in self.listed if count in other)
            return Counts(listed) if listed else None
        ends = [count for count in (self.most, other.most) if count is not None]
        least, most = max(self.least, other.least), min(ends, default=None)
        return _multiples(lcm(self.multiple, other.multiple), least, most)


ANY = Counts()


def _multiples(multiple: int, least: int, most: int | None) -> Counts | None:
    first = -(-least // multiple) * multiple
    last = None if most is None else most // multiple * multiple
    return Counts((), multiple, first, last) if last is None or first <= last else None


def as_counts(given: Any, argument: str) -> Counts:
    """Read which whole numbers: None for any, one, a sequence of them, or text.

    Text is ``64,128``, or ``multiple=16,least=16,most=4096`` or a part of that.

    Raises
    ------
    InputError
        If it is nothing of that, or there is no such number.
    """
    if isinstance(given, Counts):
        return given
    if given is None or given == "any":
        return ANY
    parts = given.split(",") if isinstance(given, str) else given
    listed = list(parts) if isinstance(parts, Sequence | set | frozenset) else [parts]
    if not listed:
        raise InputError(argument, EXPECTED, shown(given))
    if isinstance(given, str) and "=" in given:
        found = _read_multiples(given, argument)
    else:
        found = Counts(tuple(sorted({as_count(_number(x), argument, 1) for x in listed})))
    if found is None:
        raise InputError(argument, "whole numbers that exist", shown(given))
    return found


def _read_multiples(text: str, argument: str) -> Counts | None:
    told = {}
    for part in text.split(","):
        word, _, value = part.partition("=")
        if word not in WORDS or word in told:
            raise InputError(argument, EXPECTED, shown(text))
        told[word] = as_count(_number(value), f"{argument}.{word}", 1)
    return _multiples(told.get("multiple", 1), told.get("least", 1), told.get("most"))


def _number(part: Any) -> Any:
    return int(part) if isinstance(part, str) and part.strip().isdecimal() else part
