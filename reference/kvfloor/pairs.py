"""Address books of pairs: two matrices of keys, and a query for every pair of rows (L5, order 2).

The key of the pair (j, l) is the entrywise product ``first[j]∘second[l]``; its query is C times
that product. Keys are whole numbers, so margins are certified in integers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from kvfloor.errors import InputError
from kvfloor.inputs import as_count
from kvfloor.keys import binary_keys, sign_rows
from kvfloor.keys.book import IntMatrix, IntVector, certified_margins

__all__ = ["PairBook", "binary_pairs", "sign_pairs"]


@dataclass(frozen=True)
class PairBook:
    """Keys of two slots that address all n² pairs of tokens, margins certified.

    Parameters
    ----------
    name : str
    first, second : tuples of n vectors of d ints
        The keys of slot 1 and of slot 2.

    Attributes
    ----------
    margin : int
        The margin at C = 1 of every pair over every other pair, in nats.
    tie_margin : int
        The margin at C = 1 of queries that tie two pairs, ``query(j, 0) + query(0, 0)`` and
        ``query(0, l) + query(0, 0)``, over all pairs other than those two (S2 `sharp-floor`).
        Not positive if some such query has a third pair at the top, or does not tie its two.

    Raises
    ------
    InputError
        If the margin is not positive: then the keys are no address book.
    """

    name: str
    first: IntMatrix
    second: IntMatrix
    margin: int = field(init=False)
    tie_margin: int = field(init=False)

    def __post_init__(self) -> None:
        rows = tuple(self.direction(j, k) for j in range(self.n) for k in range(self.n))
        margin, _ = certified_margins(rows, rows)
        if margin <= 0:
            expected = "keys of which each pair is singled out by its query"
            raise InputError("keys", expected, f"{self.name} with a margin of {margin}")
        object.__setattr__(self, "margin", margin)
        object.__setattr__(self, "tie_margin", _tie_margin(np.array(rows, dtype=object), self.n))

    @property
    def n(self) -> int:
        """Number of rows of each slot."""
        return len(self.first)

    @property
    def d(self) -> int:
        """Dimension of the keys."""
        return len(self.first[0])

    def direction(self, j: int, k: int) -> IntVector:
        """Return the query for the pair (j, k) at C = 1, shape (d,)."""
        return tuple(x * y for x, y in zip(self.first[j], self.second[k], strict=True))

    def tie(self, j: int, k: int) -> IntVector:
        """Return the query that ties the pairs (j, k) and (0, 0) at C = 1, shape (d,)."""
        pairs = zip(self.direction(j, k), self.direction(0, 0), strict=True)
        return tuple(x + y for x, y in pairs)


def _tie_margin(rows: npt.NDArray[Any], n: int) -> int:
    """The least margin of ties between row 0, the pair (0, 0), and each other (j, 0) or (0, l)."""
    partners = [*range(n, n * n, n), *range(1, n)]
    margins = []
    for partner in partners:
        logits = rows @ (rows[partner] + rows[0])
        if logits[partner] != logits[0]:
            return 0
        others = [s for t, s in enumerate(logits) if t not in (0, partner)]
        margins.append(int(logits[0] - max(others, default=0)))
    return min(margins, default=0)


def sign_pairs(n: int, d: int, *, seed: int = 0, tie_margin: int = 2, draws: int = 200) -> PairBook:
    """Random rows of {-1, +1}^d in both slots; products of signs are signs again.

    With μ the largest absolute inner product of two different products, the margin is at least
    ``C(d - μ)`` and that of a tie at least ``C(d - 3μ)``. The latter is far from necessary: what
    is certified is the margin itself.

    Parameters
    ----------
    n, d : int
        Rows of each slot, n >= 2; dimension.
    seed : int
        Of NumPy's PCG64.
    tie_margin : int
        The least margin of ties at C = 1 that is accepted, in nats.
    draws : int
        How many draws to try.

    Raises
    ------
    InputError
        If no draw has the margin.
    """
    n, d = as_count(n, "n", 2), as_count(d, "d", 1)
    rng = np.random.default_rng(as_count(seed, "seed"))
    as_count(tie_margin, "tie_margin", 1)
    for _ in range(as_count(draws, "draws", 1)):
        first, second = (sign_rows(rng.integers(0, 2, size=(n, d)).tolist()) for _ in range(2))
        try:
            book = PairBook("sign-pairs", first, second)
        except InputError:
            continue  # two products are equal
        if book.tie_margin >= tie_margin:
            return book
    raise InputError("d", f"a dimension where one of {draws} draws has {tie_margin=}", str(d))


def binary_pairs(n: int) -> PairBook:
    """First slot (code_j, 1), second (1, code_l), codes as in `binary_keys`; d = 2⌈log₂ n⌉.

    The margin is 2C. From n = 4 on some tie has more than two pairs at the top.

    Raises
    ------
    InputError
        If n < 2.
    """
    codes = binary_keys(as_count(n, "n", 2)).keys
    ones = (1,) * len(codes[0])
    first = tuple(code + ones for code in codes)
    return PairBook("binary-pairs", first, tuple(ones + code for code in codes))
