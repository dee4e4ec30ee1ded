"""Instances of symbols read back from the states of a cache, in two processes (H5)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from random import Random
from typing import Any, NamedTuple

from kvfloor.audit.symbol_families import SymbolFamily
from kvfloor.families import Token
from kvfloor.isolation import (
    READING,
    WRITING,
    Answer,
    Factory,
    Misbehaviour,
    Refusal,
    Shape,
    Stream,
    asked,
    streamed,
    warm,
    writer_and_reader,
)

__all__ = ["REFUSED", "ReadBack", "Reader", "drawn"]

REFUSED = "refused"  # the kind of what a cache does that takes no such instance


class ReadBack(NamedTuple):
    """What came back of one instance.

    Attributes
    ----------
    symbols : tuple of int
        The instance.
    bits : int
        Of the state.
    answers : dict of tuples of d_v Fractions
        By the addresses that were asked.
    wrong : int
        Symbols that they do not reveal.
    """

    symbols: tuple[int, ...]
    bits: int
    answers: dict[int, Answer]
    wrong: int


class Reader:
    """A process where a cache takes in instances, and one where it answers from states alone."""

    def __init__(
        self, factory: Factory, shape: Shape, *, seconds: float, processes: ExitStack
    ) -> None:
        self._shape, self._seconds = shape, seconds
        warm(WRITING, READING)
        self._writer, self._reader = writer_and_reader(
            factory, seconds=seconds, processes=processes
        )

    def read(
        self,
        family: SymbolFamily,
        symbols: Sequence[int],
        coins: int,
        addresses: Sequence[int] | None = None,
    ) -> ReadBack:
        """Have an instance taken in, and the queries of addresses answered, by default of all.

        Raises
        ------
        Misbehaviour
            If the cache does what no cache may do, or (kind "refused") refuses the instance.
        """
        addresses = range(family.addresses) if addresses is None else addresses
        queries: list[Any] = [family.query(address) for address in addresses]
        bits, replies = self.answers(family.encode(symbols), queries, coins, family.name)
        answers = dict(zip(addresses, replies, strict=True))
        return ReadBack(tuple(symbols), bits, answers, family.wrong(symbols, answers))

    def answers(
        self, tokens: Sequence[Token], queries: Sequence[Any], coins: int, name: str
    ) -> tuple[int, list[Answer]]:
        """Return the bits of the state after tokens, and the answers to queries from it alone.

        Raises
        ------
        Misbehaviour
            As for `read`; the reason names what was refused.
        """
        stream = Stream(tokens, "once", queries[0], coins)
        shape, seconds = self._shape, self._seconds
        try:
            state, _ = streamed(self._writer, stream, [], shape, seconds)
            return state.bits, asked(self._reader, state, queries, shape, coins, seconds)
        except Refusal as refusal:
            raise Misbehaviour(REFUSED, f"it refuses {name}: {refusal}") from None


def drawn(family: SymbolFamily, seed: int, purpose: str) -> tuple[int, ...]:
    """Return the symbols of an instance, as good as uniform to whoever does not know the seed."""
    rng = Random(f"{purpose}:{seed}")  # noqa: S311 (repeatable; the whole text is its seed)
    return tuple(rng.randrange(family.L) for _ in range(family.size))
