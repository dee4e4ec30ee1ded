"""Tuples grouped by their exact logits: what `exact` calculates with (E1 `exact-equality`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from flint import fmpq, fmpq_mat

from kvfloor.attention.exact import ExactOutput
from kvfloor.attention.inputs import Mask, as_kept, as_scale, as_slots
from kvfloor.attention.terms import Terms, as_softcap
from kvfloor.numbers import Array, Vector, as_vector, to_fmpq

__all__ = ["ExactAttention", "row_products"]


class ExactAttention:
    """Tensor attention over fixed keys and values, each query answered exactly (E1).

    Parameters
    ----------
    keys, values : sequence of m arrays
        Shapes (n_r, d) and (n_r, d_v), as for `tensor_attention`.
    scale : positive rational or "1/sqrt(d)"
    softcap : positive rational, optional
        As for `tensor_attention`.

    Raises
    ------
    InputError
        For a wrong shape, an entry that is not finite, order 0 or no tokens.
    """

    def __init__(self, keys: Any, values: Any, *, scale: Any = 1, softcap: Any = None) -> None:
        K, V = as_slots(keys, values)
        self.d = K[0].shape[1]
        self.lengths = tuple(map(len, K))
        self._scale, c = as_scale(scale, self.d), as_softcap(softcap)
        self._softcap = None if c is None else to_fmpq(c)
        *first, last = (_fmpqs(K_r) for K_r in K)
        self._first_keys = row_products(first, [fmpq(1)] * self.d)
        self._last_keys = fmpq_mat(last).transpose()
        self._values = row_products((_fmpqs(V_r) for V_r in V), [fmpq(1)] * V[0].shape[1])

    def __call__(
        self, query: Any, *, mask: Any = None, bias: Any = None, sink: Any = None
    ) -> ExactOutput:
        """Answer one query of shape (d,); mask, bias and sink as for `tensor_attention`."""
        q = as_vector(query, "query", self.d)
        kept, terms = as_kept(mask, Terms(bias, sink), self.lengths)
        groups: dict[Any, tuple[int, list[fmpq]]] = {}
        for logit, v in self._members(q, kept, terms):
            count, sums = groups.get(logit, (0, [fmpq(0)] * len(v)))
            groups[logit] = count + 1, [a + b for a, b in zip(sums, v, strict=True)]
        descending = sorted(groups, reverse=True)
        return ExactOutput(
            tuple(descending if self._rational else (s for s, _ in descending)),
            self._scale.root,
            tuple(groups[s][0] for s in descending),
            tuple(tuple(groups[s][1]) for s in descending),
            None if self._rational else tuple(b for _, b in descending),
            self._softcap,
        )

    def _members(
        self, q: Vector, kept: Mask | None, terms: Terms
    ) -> Iterator[tuple[Any, list[fmpq]]]:
        """Logits and values of the tuples, and of the sink."""
        logits: list[Any] = self._logits(q)
        if terms.bias is not None or not self._rational:
            biases = [0] * len(logits) if terms.bias is None else np.ravel(terms.bias).tolist()
            logits = [self._with(s, b) for s, b in zip(logits, biases, strict=True)]
        for t in range(len(logits)) if kept is None else np.flatnonzero(kept).tolist():
            yield logits[t], self._values[t]
        if terms.sink is not None:
            yield self._with(fmpq(0), terms.sink), [fmpq(0)] * len(self._values[0])

    @property
    def _rational(self) -> bool:
        """Whether logits are rational, so that a bias can be added to them."""
        return self._scale.root == 1 and self._softcap is None

    def _with(self, s: fmpq, bias: Any) -> Any:
        """A logit with a bias: their sum, or both where that is no rational."""
        b = to_fmpq(Fraction(bias))
        return s + b if self._rational else (s, b)

    def _logits(self, q: Vector) -> list[fmpq]:
        """Logits of all tuples in C order: ((K_1 ⊘ … ⊘ K_{m-1}) ∘ σq) K_mᵀ."""
        scaled = [to_fmpq(self._scale.factor * x) for x in q]
        rows = [[a * b for a, b in zip(row, scaled, strict=True)] for row in self._first_keys]
        return (fmpq_mat(rows) * self._last_keys).entries()


def _fmpqs(matrix: Array) -> list[list[fmpq]]:
    return [[fmpq(*x.as_integer_ratio()) for x in row] for row in matrix.tolist()]


def row_products(
    matrices: Iterable[Sequence[Sequence[Any]]], ones: Sequence[Any]
) -> list[list[Any]]:
    """Rows of A_1 ⊘ … ⊘ A_m in any ring, the last slot fastest; the row ``ones`` for m = 0."""
    result = [list(ones)]
    for A in matrices:
        result = [[x * y for x, y in zip(row, a, strict=True)] for row in result for a in A]
    return result
