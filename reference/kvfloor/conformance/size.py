"""How large a case is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

from kvfloor.conformance.case import Case

__all__ = ["Size"]


@dataclass(frozen=True)
class Size:
    """How large a case is.

    Attributes
    ----------
    batch, kv_heads : int
        Sets of keys and values.
    group : int
        Heads of the query for each head of keys and values.
    queries : int
    lengths : tuple of m ints
        Tokens in each slot.
    d, d_v : int
    """

    batch: int
    kv_heads: int
    group: int
    queries: int
    lengths: tuple[int, ...]
    d: int
    d_v: int

    @classmethod
    def of(cls, case: Case) -> Size:
        """Return that of a case."""
        b, h, n_q, d = case.query.shape
        kv_heads = case.keys[0].shape[1]
        return cls(b, kv_heads, h // kv_heads, n_q, case.lengths, d, case.values[0].shape[3])

    @classmethod
    def all_of(cls, case: Case) -> list[Size]:
        """Those of a case and of its sequences, but for empty ones."""
        whole = cls.of(case)
        each = (replace(whole, queries=q, lengths=tuple(ns)) for q, *ns in set(case.owned))
        return [whole, *(size for size in each if size.queries and size.tuples)]

    @property
    def heads(self) -> int:
        """Heads of the query."""
        return self.kv_heads * self.group

    @property
    def tuples(self) -> int:
        """Tuples of tokens, one a slot."""
        return prod(self.lengths)

    @property
    def logits(self) -> int:
        """Logits of all queries."""
        return self.batch * self.heads * self.queries * self.tuples

    @property
    def outputs(self) -> int:
        """Numbers of the output."""
        return self.batch * self.heads * self.queries * self.d_v

    @property
    def numbers(self) -> int:
        """Entries of queries, keys and values, or of a head's products of values if more."""
        tokens = self.kv_heads * sum(self.lengths) * (self.d + self.d_v)
        given = self.batch * (self.heads * self.queries * self.d + tokens)
        return max(given, self.tuples * self.d_v)
