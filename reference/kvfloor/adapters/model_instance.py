"""Instances of a hard family for every layer and key-value head of a model (H1)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import frexp, sqrt

import numpy as np
import numpy.typing as npt

from kvfloor.adapters.carrying import ModelShape, Numbers
from kvfloor.attention import tensor_attention_rounded
from kvfloor.errors import InputError
from kvfloor.families import BinaryValues, binary_keys
from kvfloor.floors import Guarantee, heads_and_layers
from kvfloor.numbers import as_count

__all__ = ["ModelInstance", "Sizes", "revealed"]

STEPS = 32  # of values up to 1


@dataclass(frozen=True)
class Sizes:
    """What a model has to hold.

    Attributes
    ----------
    n, d, layers, heads, query_heads : int
    window : int or None
        Tokens that a query sees, its own included.
    latent : bool
        Whether keys and values come from latents.
    largest : float
        Of the values, a power of two; answers are told in units of it.
    """

    n: int
    d: int
    layers: int
    heads: int
    query_heads: int
    window: int | None = None
    latent: bool = False
    largest: float = 1.0

    def __post_init__(self) -> None:
        for name in ("n", "d"):  # whole numbers of NumPy, too, which JSON would not take
            object.__setattr__(self, name, as_count(getattr(self, name), name, 1))
        if not (self.largest > 0 and frexp(self.largest)[0] == 1 / 2):
            raise InputError("largest", "a power of two", str(self.largest))

    @property
    def visible(self) -> int:
        """Tokens that a query sees beside its own."""
        return self.n if self.window is None else min(self.n, self.window - 1)

    @property
    def group(self) -> int:
        """Query heads that share a key-value head."""
        return self.query_heads // self.heads


class ModelInstance:
    """Random bits as signs of the values of every token, layer and key-value head; keys are public.

    Values are ±1/2 to ±1 in steps of 1/32, the sizes as random as the signs: so two of one column
    that hold other bits are as far apart as 0 and 1, and values of few levels are off.

    Values are in units of the largest, which a model is given as `given_values`.

    The keys are the address book `binary_keys` of the tokens that queries see, zeros beyond its
    dimension; the same in all layers and heads. Tokens that no window reaches repeat its keys.
    The query's own token is the family's self token. Tokens ask for random addresses themselves.

    Parameters
    ----------
    sizes : Sizes
    guarantee : Guarantee
    seed : int

    Raises
    ------
    InputError
        If d is too small for as many addresses, or a number is out of range.
    """

    def __init__(self, sizes: Sizes, guarantee: Guarantee, seed: int) -> None:
        self.sizes = sizes
        visible = sizes.visible
        book = binary_keys(visible)
        if book.d > sizes.d:
            raise InputError("d", f"at least {book.d} for {visible} addresses", str(sizes.d))
        self.family = BinaryValues(book, d_v=sizes.d, order=1, self_token=True, guarantee=guarantee)
        rng = np.random.default_rng(seed)
        shape = (sizes.n, sizes.layers, sizes.heads, sizes.d)
        bits, levels = rng.integers(0, 2, shape), rng.integers(STEPS // 2, STEPS + 1, shape)
        self.values: Numbers = (2 * bits - 1) * levels / STEPS
        asked = rng.integers(0, visible, (sizes.n, sizes.layers, sizes.query_heads))
        self.own_queries: Numbers = self.queries(asked)
        self._rng = rng

    @property
    def given_values(self) -> Numbers:
        """Values as a model gets them, shape (n, layers, heads, d)."""
        return self.sizes.largest * self.values

    @cached_property
    def keys(self) -> Numbers:
        """Keys, shape (n, layers, heads, d)."""
        sizes, visible = self.sizes, self.family.n
        places = (np.arange(sizes.n) - (sizes.n - visible)) % visible
        rows = self._padded(self.family.book.keys)[places]
        return np.broadcast_to(rows[:, None, None], (sizes.n, sizes.layers, sizes.heads, sizes.d))

    @property
    def shape(self) -> ModelShape:
        """The shape of a model that carries it."""
        sizes, book = self.sizes, self.family.book
        return ModelShape(
            sizes.layers,
            sizes.heads,
            sizes.query_heads,
            sizes.d,
            sizes.window,
            sizes.latent,
            key_norm=sqrt(book.d),
            value_norm=sizes.largest * sqrt(sizes.d),
            query_norm=sqrt(self.family.multiplier**2 * book.d),
            largest_value=sizes.largest,
        )

    @property
    def floor_bits(self) -> int:
        """N, the bits of all layers and key-value heads (H1 `heads-and-layers`)."""
        sizes = self.sizes
        return int(heads_and_layers(sizes.layers, sizes.heads, self.family.size))

    def questions(self, sample: int) -> npt.NDArray[np.int64]:
        """Return addresses to ask for, shape (steps, layers, query_heads).

        Of each key-value head as many addresses as in ``sample``, all different, or all there are;
        query heads that share one ask for its addresses in turns.
        """
        sizes, visible, group = self.sizes, self.family.n, self.sizes.group
        steps = -(-min(sample, visible) // group)
        found = np.empty((steps, sizes.layers, sizes.query_heads), dtype=np.int64)
        for layer in range(sizes.layers):
            for head in range(sizes.heads):
                order = self._rng.permutation(visible)
                own = np.resize(order, steps * group).reshape(steps, group)
                found[:, layer, head * group : (head + 1) * group] = own
        return found

    def queries(self, addresses: npt.NDArray[np.int64]) -> Numbers:
        """Return the queries for addresses, with an axis of d more."""
        return self._padded(self.family.book.directions)[addresses] * self.family.multiplier

    def rows(self, layer: int, head: int) -> Numbers:
        """Return the values at the addresses of a key-value head, shape (addresses, d)."""
        return self.values[self.sizes.n - self.family.n :, layer, head]

    def hidden_rows(self, layer: int, head: int) -> Numbers:
        """Return the values that the window hides, the last first, shape (hidden, d)."""
        return self.values[: self.sizes.n - self.family.n, layer, head][::-1]

    def bits(self, layer: int, head: int) -> npt.NDArray[np.bool_]:
        """Return the bits at the addresses of a key-value head, shape (addresses, d)."""
        return revealed(self.rows(layer, head))

    def truth(self, layer: int, head: int, addresses: npt.NDArray[np.int64]) -> Numbers:
        """Return the outputs for addresses of a key-value head, each the nearest float64."""
        book = self.family.book
        nothing = np.zeros((1, book.d)), np.zeros((1, self.sizes.d))
        return tensor_attention_rounded(
            np.asarray(book.directions, dtype=np.float64)[addresses] * self.family.multiplier,
            [np.vstack([np.asarray(book.keys, dtype=np.float64), nothing[0]])],
            [np.vstack([self.rows(layer, head), nothing[1]])],
            dtype="float64",
        )

    def _padded(self, rows: tuple[tuple[int, ...], ...]) -> Numbers:
        padded = np.zeros((len(rows), self.sizes.d))
        padded[:, : len(rows[0])] = rows
        return padded


def revealed(answers: Numbers) -> npt.NDArray[np.bool_]:
    """Return the bits that values, or answers, reveal."""
    return answers > 0
