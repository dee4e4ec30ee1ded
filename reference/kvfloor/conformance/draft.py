"""What builders of cases work with: a size, a source of numbers, and the target's format."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from kvfloor.attention import Mask, causal_mask
from kvfloor.conformance.case import Case, Relation
from kvfloor.conformance.quantised import Codes, Stored
from kvfloor.conformance.size import Size
from kvfloor.conformance.target import Target
from kvfloor.conformance.terms import Joined, alibi, slopes_of
from kvfloor.numbers import Array, BinaryFormat

__all__ = ["BEYOND_EXP", "MOST_LOGITS", "Draft", "NoCase", "affordable"]

Float = npt.NDArray[np.float64]
# Beyond this times the logarithm of the largest number, exp is infinite in the arithmetic; a
# quarter more survives a coarse format.
BEYOND_EXP = 1.25
MOST_LOGITS = 2**22
MOST_COMPARED = 2**16  # logits of a head, up to which all its queries are compared
MOST_OUTPUTS = 2**20
MOST_NUMBERS = 2**24


class NoCase(Exception):  # noqa: N818 (it says what there is not)
    """A case cannot be made of what is served, or would take too long; the text says why."""


@dataclass(frozen=True)
class Draft:
    """The start of a case: random tensors of some size, which builders alter.

    Attributes
    ----------
    target : Target
    size : Size
    seed : int
    coarse : bool
        Quarters from -1 to 1 in place of normal numbers: easier to read.
    """

    target: Target
    size: Size
    seed: int
    coarse: bool

    def with_size(self, **changes: Any) -> Draft:
        """Return the same with another size, the nearest that the target serves."""
        return replace(self, size=self.target.fit(replace(self.size, **changes)))

    def with_sizes(self, *changes: dict[str, Any]) -> list[Draft]:
        """Return those of several changes whose sizes differ, and are not too large.

        Raises
        ------
        NoCase
            If all are.
        """
        drafts = {draft.size: draft for draft in (self.with_size(**change) for change in changes)}
        found = [draft for size, draft in drafts.items() if affordable(size)]
        if not found:
            raise NoCase(_too_large(min(drafts, key=lambda size: size.logits)))
        return found

    def generator(self, stream: int = 0) -> np.random.Generator:
        """Return a new source of numbers, the same for the same draft and stream."""
        return np.random.default_rng((self.seed, stream))

    def numbers(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Float:
        """Draw numbers of size about 1."""
        if self.coarse:
            return rng.integers(-4, 5, size=shape) / 4
        return np.clip(rng.normal(size=shape), -3, 3)

    def tensors(self, stream: int = 0) -> Tensors:
        """Draw a query, keys and values, all different.

        Raises
        ------
        NoCase
            If there are too many of them, or of their logits.
        """
        if not affordable(self.size):
            raise NoCase(_too_large(self.size))
        rng, size = self.generator(stream), self.size
        shared = size.batch, size.kv_heads
        return Tensors(
            self.numbers(rng, (size.batch, size.kv_heads * size.group, size.queries, size.d)),
            [self.numbers(rng, (*shared, n, size.d)) for n in size.lengths],
            [self.numbers(rng, (*shared, n, size.d_v)) for n in size.lengths],
        )

    @property
    def sigma(self) -> float:
        """The scale, about."""
        scale = self.target.scale
        return float(self.size.d**-0.5 if isinstance(scale, str) else scale)

    def case(
        self,
        tensors: Tensors,
        mask: Mask | None = None,
        relation: Relation = "none",
        *,
        sink: Any = None,
        bias: Any = None,
        slopes: Any = None,
        key_masks: tuple[Mask, ...] | None = None,
    ) -> Case:
        """Round to the format of the inputs, and put the target's mask, scale and terms to it.

        For "boolean" targets, ``mask`` is the mask; without one it is causal from the top left.
        A sink for each head and an array of biases are those that are given, or else drawn; a
        sink is then about the largest logit. Slopes are the usual ones if none are given. Without
        key masks nothing is padding.
        """

        def rounded(array: Float) -> Array:
            return _rounded(self.target.inputs, array)

        spec = self.target.mask
        stored = self._stored(tensors)
        case = Case(
            rounded(tensors.query),
            tuple(map(rounded, tensors.keys)),
            tuple(map(rounded, tensors.values)),
            self.target.scale,
            (self.causal() if mask is None else mask) if spec == "boolean" else spec,
            relation,
            self._compared(),
            self._terms(tensors, sink, bias, slopes),
            None if self.target.splits is None else self.target.splits[0],
            key_masks=(key_masks or _unpadded(tensors)) if self.target.padded else None,
        )
        return case if stored is None else case.with_codes(stored)

    def _compared(self) -> tuple[int, ...] | None:
        """The first and the last queries and one between; None for all, if that is not much."""
        n_q = self.size.queries
        if n_q * self.size.tuples <= MOST_COMPARED:
            return None
        return tuple(sorted({0, min(1, n_q - 1), n_q // 2, max(0, n_q - 2), n_q - 1}))

    def _stored(self, tensors: Tensors) -> Stored | None:
        """The nearest codes, if that is what the target is given."""
        quantised = self.target.quantised
        if quantised is None:
            return None
        room = quantised.room(self.target.inputs)

        def codes(array: Float) -> Codes:
            return quantised.store(np.clip(array, -room, room), self.target.arithmetic)

        return Stored(
            codes(tensors.query) if quantised.query else None,
            tuple(map(codes, tensors.keys)),
            tuple(map(codes, tensors.values)),
        )

    def _terms(self, tensors: Tensors, sink: Any, bias: Any, slopes: Any) -> Joined:
        target, size = self.target, self.size
        rng = self.generator(9)
        given: dict[str, Any] = {"softcap": target.softcap}
        if target.sink:
            if sink is None:
                sink = self.numbers(rng, (size.heads,)) + self.largest_logit(tensors)
            given["sink"] = _rounded(target.arithmetic, np.broadcast_to(sink, (size.heads,)))
        if target.bias == "array":
            if bias is None:
                bias = self.numbers(rng, (size.heads, size.queries, *size.lengths))
            hidden = np.isneginf(bias)
            numbers = _rounded(target.inputs, np.where(hidden, 0.0, bias))
            given["bias"] = np.where(hidden, np.array(-np.inf).astype(numbers.dtype), numbers)
        elif target.bias == "alibi":
            usual = slopes_of(size.heads) if slopes is None else slopes
            slopes = _rounded(target.arithmetic, usual)
            corner = target.window is not None and target.window.top_left
            n = size.lengths[0]
            given |= {"slopes": slopes, "bias": alibi(slopes, size.queries, n, top_left=corner)}
        return Joined(**given)

    def largest_logit(self, tensors: Tensors) -> Float:
        """About the largest logit of the first query of each head, under the cap, shape (h,)."""
        products = tensors.query[0, :, :1] * self.sigma
        for K in tensors.keys:
            shared = np.repeat(K[0], self.size.group, axis=0)
            products = (products[:, :, None] * shared[:, None]).reshape(
                self.size.heads, -1, self.size.d
            )
        top: Float = products.sum(axis=-1).max(axis=-1)
        c = self.target.softcap
        return top if c is None else c * np.tanh(top / c)

    def everything(self) -> Mask:
        """A mask that keeps all."""
        return np.ones((self.size.queries, *self.size.lengths), dtype=np.bool_)

    def causal(self) -> Mask:
        """A causal mask as booleans."""
        rows = [causal_mask(i, self.size.lengths) for i in range(self.size.queries)]
        return np.stack(rows)


@dataclass
class Tensors:
    """A query, keys and values as float64, in the canonical layout, to be altered in place."""

    query: Float
    keys: list[Float]
    values: list[Float]

    def set_logits(self, logits: Float, sigma: float, noise: float = 0.25, slot: int = 0) -> None:
        """Make logits about ``logits[j_r]``, r the slot, by column 0 alone.

        The rest are smaller by ``noise``.
        Every factor of the largest is the same, so that none is out of a narrow format's range.
        """
        largest = float(np.abs(logits).max()) or 1.0
        factor = (largest / sigma) ** (1 / (1 + len(self.keys)))
        self.query *= noise
        self.query[..., 0] = factor
        for K in self.keys:
            K[..., 0] = factor
        self.keys[slot][..., 0] = factor * logits / largest


def _unpadded(tensors: Tensors) -> tuple[Mask, ...]:
    """Key masks without padding."""
    return tuple(np.ones((len(K), K.shape[2]), dtype=np.bool_) for K in tensors.keys)


def _rounded(form: BinaryFormat, array: Float) -> Array:
    """Numbers of a format, none beyond its largest."""
    largest = float(form.max_finite)
    return form.round_array(np.clip(array, -largest, largest)).astype(form.dtype)


def affordable(size: Size) -> bool:
    """Whether a case of a size is not too large for a run."""
    few = size.logits <= MOST_LOGITS and size.outputs <= MOST_OUTPUTS
    return few and size.numbers <= MOST_NUMBERS


def _too_large(size: Size) -> str:
    most = f"{MOST_LOGITS} logits, {MOST_OUTPUTS} outputs and {MOST_NUMBERS} numbers"
    found = size.logits, size.outputs, size.numbers
    return f"a case has at most {most}, not {', '.join(map(str, found))}"
