"""What an entry of the catalogue is drafted for, and how keys, values and queries are laid out.

Every number is a whole multiple of a power of two that float64 holds, so nothing is rounded before
a cache gets it. Keys and values lie in [-1, 1] wherever an entry is not about their size. A logit
is at most `MOST_LOGIT` in the sum of the absolute values of its terms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from random import Random

from kvfloor.audit.accuracy.instance import Instance, Row, Rows, tokens_of

__all__ = ["MOST_LOGIT", "SHARP", "Draft", "Rows", "axis", "codes", "mean", "stretched"]

MOST_LOGIT = 32  # e^32 is far beyond any α; a relative error of 2^-11 in keys still leaves e^1/64
SHARP = 3  # codes at distance 1 are 6 nats apart: all others have a weight of a few 2^-9
FEW = {1: 12, 2: 8}  # tokens of an instance that is not about length, by order
FEWEST = 5  # the same at higher orders
HIGH, LOW = 1.0, -0.75  # two values whose mean is not zero, which would take long to be rounded
MARGIN = Fraction(5, 4)  # by which a move of the answer is larger than α, as tokens leak


@dataclass
class Draft:
    """Shape, guarantee and coins.

    Attributes
    ----------
    order, n, d, d_v : int
        No instance has more than n tokens.
    alpha : Fraction
        How fine values are graded.
    rng : Random
    sizes : tuple of int
        Of blocks, rings and groups: what the options name or the states betray.
    traces : tuple of Instance
        That the user gave.
    hardest : tuple of Instance
        Of the family that the largest floor comes from.
    """

    order: int
    n: int
    d: int
    d_v: int
    alpha: Fraction
    rng: Random = field(default_factory=lambda: Random(0))  # noqa: S311 (repeatable)
    sizes: tuple[int, ...] = ()
    traces: tuple[Instance, ...] = ()
    hardest: tuple[Instance, ...] = ()

    @property
    def few(self) -> int:
        """Tokens of an instance that is not about length."""
        return min(self.n, FEW.get(self.order, FEWEST))

    @property
    def step(self) -> float:
        """The least power of two that is at least a quarter of α, and no less than 2^-40."""
        step = 0.125
        while step > max(self.alpha / 4, Fraction(1, 2**40)):
            step /= 2
        return step

    def in_slots(
        self,
        keys: Rows,
        values: Rows,
        queries: Iterable[Sequence[float]],
        course: str = "once",
        *,
        turn: int | None = None,
    ) -> Iterable[Instance]:
        """Yield the instance once for every slot: there are these rows, one row of signs in others.

        With ``turn`` it is one slot, so that slots take turns where there are many lengths.

        Keys and queries of signs undo each other. So the answers are those at order 1, but for
        signs; slots that are taken for one another, or added, show.
        """
        signs = [[-1.0 if c % 2 else 1.0 for c in range(width)] for width in (self.d, self.d_v)]
        asked = tuple(
            tuple(float(q * s ** (self.order - 1)) for q, s in zip(query, signs[0], strict=True))
            for query in queries
        )
        for slot in range(self.order) if turn is None else [turn % self.order]:
            slots = (
                [rows if r == slot else [others] * len(keys) for r in range(self.order)]
                for rows, others in zip((keys, values), signs, strict=True)
            )
            yield Instance(tokens_of(*slots), asked, course)

    def values(self, of: Callable[[int, int], float], count: int) -> Rows:
        """Rows of values: ``of(token, column)``."""
        return [[float(of(j, c)) for c in range(self.d_v)] for j in range(count)]

    def alike(self, column: Sequence[float]) -> Rows:
        """Rows of values with one column all over."""
        return [[float(x)] * self.d_v for x in column]

    def graded(self, count: int) -> Rows:
        """Odd multiples of `step` all over [-1, 1], another order of tokens in each column."""
        columns, step = [], self.step
        grades = [_odd((2 * j + 1) / count - 1, step) for j in range(count)]
        for _ in range(self.d_v):
            self.rng.shuffle(grades)
            columns.append(grades.copy())
        return [list(row) for row in zip(*columns, strict=True)]

    def contrasts(self, count: int) -> Rows:
        """Values `HIGH` and `LOW`; tokens whose numbers differ in a bit differ in some columns."""
        bits = max(1, (count - 1).bit_length())
        masks = [(1 << c % bits) | (self.rng.getrandbits(bits) if c >= bits else 0)
                 for c in range(self.d_v)]  # fmt: skip
        return self.values(lambda j, c: LOW if (j & masks[c]).bit_count() % 2 else HIGH, count)

    def singled(self, count: int, member: Callable[[int], int]) -> Rows:
        """Values `HIGH` where the token's number in its group is the column's, else `LOW`."""
        size = self.group
        return self.values(lambda j, c: LOW if (member(j) - c) % size else HIGH, count)

    def divided(self, count: int) -> Rows:
        """Values `HIGH` in every second column for the first half of tokens, `LOW` for the rest."""
        return self.values(lambda j, c: HIGH if (2 * j < count) == (c % 2 == 0) else LOW, count)

    @property
    def group(self) -> int:
        """Tokens that one query may ask for together, a power of two, with a column for each.

        Of g that share all weight, one alone has the value `HIGH` in a column. If it counts twice,
        the answer moves by the difference to `LOW` times 2/(g + 1) - 1/g; if it is lost, by more.
        """
        sizes, size = [2**k for k in range(2, self.d_v.bit_length())], 2
        for more in sizes:
            share = Fraction(2, more + 1) - Fraction(1, more)
            if Fraction(HIGH - LOW) * share > MARGIN * self.alpha:
                size = more
        return size

    def drawn(self, count: int, width: int, of: Callable[[], float], unit: int = 64) -> Rows:
        """Rows of drawn numbers, cut to [-1, 1], multiples of 1/unit."""
        return [
            [max(-1.0, min(1.0, round(of() * unit) / unit)) for _ in range(width)]
            for _ in range(count)
        ]


def codes(count: int, d: int) -> Rows:
    """Keys of ±1 that spell the number of the token, zeros after that."""
    bits = (count - 1).bit_length()
    return [[float(2 * (j >> c & 1) - 1) if c < bits else 0.0 for c in range(d)]
            for j in range(count)]  # fmt: skip


def axis(profile: Sequence[float], d: int, place: int = 0) -> Rows:
    """Keys that are the profile in one column, and zero elsewhere."""
    return [[float(x) if c == place % d else 0.0 for c in range(d)] for x in profile]


def mean(rows: Sequence[Sequence[float]], factor: float = SHARP) -> Row:
    """The mean of rows times a factor: a query that rows of codes answer to alike."""
    return tuple(factor * sum(column) / len(rows) for column in zip(*rows, strict=True))


def stretched(query: Sequence[float], keys: Sequence[Rows], most: float = MOST_LOGIT) -> Row:
    """The query times a factor so that Σ_c |q_c|·Π_r max_j |K_r[j, c]| is nearly ``most``.

    The factor is a whole multiple of a power of two, so nothing is rounded.
    """
    total = 0.0
    for c, q in enumerate(query):
        largest = 1.0
        for rows in keys:
            largest *= max(abs(row[c]) for row in rows)
        total += abs(q) * largest
    if not total:
        return tuple(query)
    factor, unit = most / total, 1.0
    while factor / unit < 64:
        unit /= 2
    factor = floor(factor / unit) * unit
    return tuple(q * factor for q in query)


def _odd(x: float, step: float) -> float:
    """The odd multiple of a step that is next to x, within [-1, 1]."""
    odd = 2 * floor(x / (2 * step)) + 1
    most = int(1 / step) - 1
    return max(-most, min(most, odd)) * step
