"""What the levels of the backward pass share: queries and cotangents in units that fit, and out.

Keys and values are those of `prepare`, |entry| <= 1. Queries take over the powers of the keys and
are divided by one power of two; cotangents take over those of the values and are divided by a power
for each query, by which its gradients of logits are so much smaller. All of this is exact, but for
what underflows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from kvfloor.attention.fast.arithmetic import Float, Integer, Pair, multiply
from kvfloor.attention.fast.backward.capping import Steepness
from kvfloor.attention.fast.backward.tables import Factors
from kvfloor.attention.fast.operands import Prepared, mantissa
from kvfloor.attention.fast.tiling import Dropped, slices
from kvfloor.attention.fast.totals import Balls, scaled_back
from kvfloor.attention.inputs import Mask, Scale
from kvfloor.attention.terms import Terms
from kvfloor.attention.windows import Intervals

__all__ = ["Booleans", "Operands", "operands_of"]

_RANGE = 500
_LEAST, _REACH, _ORDER = 2.0**-60, 128.0, 6  # entries, logits and order that are plain

Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Operands:
    """Queries and cotangents of one problem, beside its prepared keys and values.

    Attributes
    ----------
    prepared : Prepared
    given : ndarray, shape (b, d)
        The queries as they came.
    cotangents : ndarrays, shapes (b, d_v) and (b,)
        Those of outputs and of log-sum-exps as they came.
    queries : ndarray, shape (b, d)
        Those in the units of the keys, times 2**-query_power: at most 1.
    query_power : int
    output : ndarray, shape (b, d_v)
        G in the units of the values, times 2**-powers: at most 1.
    logsumexp : ndarray, shape (b,)
        g, likewise.
    powers : ndarray of int64, shape (b,)
    scale : Scale
    dropped : Dropped
    terms : Terms
    """

    prepared: Prepared
    given: Float
    cotangents: tuple[Float, Float]
    queries: Float
    query_power: int
    output: Float
    logsumexp: Float
    powers: Integer
    scale: Scale
    dropped: Dropped
    terms: Terms

    @cached_property
    def power(self) -> int:
        """The largest of the powers of the cotangents."""
        return int(self.powers.max())

    @cached_property
    def inert(self) -> Booleans:
        """Queries whose cotangents are zero."""
        inert: Booleans = (self.output == 0).all(axis=1) & (self.logsumexp == 0)
        return inert

    @cached_property
    def distinct(self) -> Booleans:
        """Queries whose g is zero, or so large that what it is multiplied by does not vanish."""
        told: Booleans = (self.cotangents[1] == 0) | (np.abs(self.logsumexp) >= _LEAST)
        return told

    @cached_property
    def steepness(self) -> Steepness | None:
        """The soft cap, if there is one."""
        return None if self.terms.softcap is None else Steepness(self.terms.softcap)

    def steepest(self, reach: Float, products: Float) -> Float:
        """Bounds of the logits, and of twice what slopes are powers of, if that is more."""
        if self.steepness is None:
            return reach
        return np.maximum(reach, 2 * self.steepness.exponents(products))

    def factors(self, rows: Pair) -> Factors:
        """Return what weights are multiplied with, all cotangents over one power of two.

        ``rows`` are the products of keys and of values of all slots but the last.
        """
        shares = (self.powers - self.power)[:, None]
        return Factors(
            np.ldexp(self.queries, shares),
            np.ldexp(self.output, shares),
            rows,
            (self.prepared.keys[-1], self.values),
            len(self.prepared.key_slots) > 1,
        )

    def plain(self, reach: Float) -> bool:
        """Whether no product of entries and weights underflows.

        So a sum of products of bounds of errors is zero just if all its terms are.
        """
        slots = *self.prepared.key_slots, *self.prepared.value_slots
        if len(slots) > 2 * _ORDER or not (reach <= _REACH).all():
            return False
        scaled = *self.prepared.keys, *(V[:, :-1] for V in self.prepared.values)
        pairs = [(slot.entries, A) for slot, A in zip(slots, scaled, strict=True)]
        factors = self.factors((np.ones(0), np.ones(0)))
        given = self.given, *self.cotangents
        pairs += zip(given, (factors.queries, factors.output, self.logsumexp), strict=True)
        return all(((A == 0) | (np.abs(B) >= _LEAST)).all() for A, B in pairs)

    def single(self, queries: slice) -> Booleans:
        """Which of some queries have one logit: of a tuple, or of a sink."""
        return np.asarray(self.counts(queries) + (self.terms.sink is not None) == 1)

    @property
    def rows(self) -> slice:
        """Tuples of all slots but the last."""
        return slice(0, self.prepared.shape[0])

    @cached_property
    def value_norms(self) -> Float:
        """Euclidean norms of the last slot's values, shape (n_m,)."""
        V = self.values
        norms: Float = np.sqrt(np.einsum("jc,jc->j", V, V))
        return norms

    @cached_property
    def values(self) -> Float:
        """The last slot's values."""
        return np.ascontiguousarray(self.prepared.values[-1][:, :-1])

    def columns(self, queries: slice) -> slice:
        """Tokens of the last slot that some queries see, and maybe others between them."""
        kept = self.dropped.kept
        if not isinstance(kept, Intervals):
            return slice(0, self.prepared.shape[1])
        low, high = kept.low[-1, queries], kept.high[-1, queries]
        seen = low < high
        if not seen.any():
            return slice(0, 0)
        return slice(int(low[seen].min()), int(high[seen].max()))

    def counts(self, queries: slice) -> Integer:
        """How many tuples each of some queries sees."""
        kept = self.dropped.kept
        if kept is None:
            return np.full(queries.stop - queries.start, prod(self.prepared.shape))
        if isinstance(kept, Intervals):
            seen = kept.taken(queries)
            return np.asarray(np.maximum(seen.high - seen.low, 0).prod(axis=0))
        part = kept[queries if len(kept) > 1 else slice(1)]
        return np.broadcast_to(part.sum(axis=(1, 2)), queries.stop - queries.start)

    def blocks(self, elements: int) -> Iterator[slice]:
        """Cut the queries so that about so many tuples come together."""
        return slices(len(self.queries), max(1, elements // prod(self.prepared.shape)))

    def enclosed(
        self,
        tables: Sequence[Pair],
        radii: Sequence[Float],
        zeros: Sequence[Booleans],
        reach: Float,
        *,
        pairs: bool,
    ) -> list[Balls]:
        """Return the gradients in the units of what was given.

        Parameters
        ----------
        tables : 2·m + 1 pairs of arrays
            Of queries, without σ and over their powers; of the keys of each slot without σ, and of
            its values, over the largest power of a cotangent.
        radii : 2·m + 1 arrays
        zeros : 2·m + 1 arrays of bool
            Where the errors of all terms have been found to be zero: if that is not by underflow,
            it is because no term is not zero.
        reach : ndarray
            Bounds of the logits.
        pairs : bool
            Whether σ is taken in double-double, or rounded, relative error 2u.
        """
        every = zip(tables, radii, self._exponents, strict=True)
        found = [self._given_back(i, *one, pairs=pairs) for i, one in enumerate(every)]
        if any(zero.any() for zero in zeros) and self.plain(reach):
            for zero, balls in zip(zeros, found, strict=True):
                for part in (balls.hi, balls.lo, balls.radius):
                    np.copyto(part, 0.0, where=zero)
        return found

    def enclosed_at(
        self, tables: Sequence[Pair], radii: Sequence[Float], places: Sequence[tuple[Any, Any]]
    ) -> list[Balls]:
        """Return some gradients of each table, at rows and columns, in the units of the given."""
        found = []
        every = zip(tables, radii, self._exponents, places, strict=True)
        for i, (table, radius, exponents, (rows, columns)) in enumerate(every):
            power = exponents[rows if len(exponents) > 1 else 0, columns]
            found.append(self._given_back(i, table, radius, power, pairs=True))
        return found

    def _given_back(
        self, i: int, table: Pair, radius: Float, power: Integer, *, pairs: bool
    ) -> Balls:
        """Multiply the i-th table by σ, if it is not of values, and by powers of two."""
        if i <= len(self.prepared.key_slots):
            hi, lo, _ = mantissa(self.scale, Fraction(1))
            radius = radius * hi
            if pairs:
                table = multiply(table, (np.full(1, hi), np.full(1, lo)))
            else:
                table = table[0] * hi, table[1] * hi
        return scaled_back(table, radius, power)

    @cached_property
    def _exponents(self) -> list[Integer]:
        """The powers of two of all tables, as arrays of two axes; σ's is in them."""
        sigma, slots = mantissa(self.scale, Fraction(1))[2], self.prepared
        shift = self.power + self.query_power + sigma
        return [
            np.asarray(self.powers[:, None] + slots.key_exponents + sigma),
            *(np.asarray(shift - slot.exponents)[None] for slot in slots.key_slots),
            *(np.asarray(self.power - slot.exponents)[None] for slot in slots.value_slots),
        ]


def operands_of(
    prepared: Prepared,
    queries: Float,
    cotangents: tuple[Float, Float],
    scale: Scale,
    mask: Mask | Intervals | None,
    terms: Terms,
) -> Operands | None:
    """Scale queries and the cotangents of outputs and of log-sum-exps.

    Returns
    -------
    Operands or None
        None where powers of two beyond 2**±500 would be needed.
    """
    inside = all(
        (np.abs(exponents) < _RANGE).all()
        for exponents in (prepared.key_exponents, prepared.value_exponents)
    )
    if not inside:
        return None
    with np.errstate(over="ignore", under="ignore"):
        q = queries * np.ldexp(1.0, prepared.key_exponents)
        G = cotangents[0] * np.ldexp(1.0, prepared.value_exponents)
    sizes = np.maximum(np.abs(G).max(axis=1), np.abs(cotangents[1]))
    largest = np.append(sizes, np.abs(q).max())
    if not ((largest == 0) | ((largest > 2.0**-_RANGE) & (largest < 2.0**_RANGE))).all():
        return None
    power = int(np.frexp(largest[-1])[1])
    powers = np.frexp(np.where(sizes > 0, sizes, sizes.max()))[1].astype(np.int64)
    each = np.ldexp(1.0, -powers)
    return Operands(
        prepared,
        queries,
        cotangents,
        q * 2.0**-power,
        power,
        G * each[:, None],
        cotangents[1] * each,
        powers,
        scale,
        Dropped.by(mask, prepared),
        terms,
    )
