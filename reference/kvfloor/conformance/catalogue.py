"""The catalogue: inputs that break wrong code. Each entry says which bug it catches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from kvfloor.conformance import builders, tiles
from kvfloor.conformance.case import Case
from kvfloor.conformance.draft import Draft, Size, fitted
from kvfloor.conformance.target import Target
from kvfloor.errors import InputError

__all__ = ["CATALOGUE", "FAMILIES", "Entry", "as_entry", "entries_for"]

FAMILIES = ("shapes", "masks", "ranges", "precision", "invariance", "instances")
MANY_HEADS: dict[str, Any] = {"batch": 3, "kv_heads": 5, "group": 3, "queries": 3}


@dataclass(frozen=True)
class Entry:
    """A kind of input.

    Attributes
    ----------
    flag : str
        Its name, in reports and in files of expected failures.
    family : str
        One of `FAMILIES`.
    note : str
        Which bug it catches.
    build : callable
        Makes cases of a draft.
    applies : callable
        Whether it means anything for a target.
    longest : int
        Tokens in a slot, at most.
    sizes : callable
        What else of `Size` is not as in other entries, for a target.
    """

    flag: str
    family: str
    note: str
    build: Callable[[Draft], list[Case]]
    applies: Callable[[Target], bool] = lambda _: True
    longest: int = 12
    sizes: Callable[[Target], dict[str, Any]] = lambda _: {}

    def largest(self, target: Target) -> Size:
        """The size of the case that every run includes.

        Raises
        ------
        InputError
            If no case would be large enough for what the target declares.
        """
        longest = self.longest if target.order < 3 else min(self.longest, 5)
        lengths = tuple(max(1, longest - r) for r in range(target.order))
        usual = Size(2, 2, 3, 7, lengths, 8, 6)
        return fitted(target, replace(usual, **self.sizes(target)))


def _causal(target: Target) -> bool:
    return isinstance(target.mask, str)


def _slots(target: Target) -> bool:
    return target.order > 1


def _free_lengths(target: Target) -> bool:
    return target.order > 1 and not target.positional


def _boolean(target: Target) -> bool:
    return isinstance(target.mask, str) and target.mask == "boolean"


CATALOGUE = (
    Entry("drawn", "shapes", "anything at all", builders.drawn),
    Entry("distinct-slots", "shapes", "slots swapped, or one used for another",
          builders.distinct_slots, applies=_slots),
    Entry("unequal-lengths", "shapes", "the length of one slot used for another",
          builders.unequal_lengths, applies=_free_lengths),
    Entry("wide-values", "shapes", "d where d_v is meant", builders.wide_values),
    Entry("single-token", "shapes", "sums and maxima that expect two", builders.single_token),
    Entry("block-boundary", "shapes", "off by one where a block begins or ends",
          builders.block_boundary, longest=32),
    Entry("tail-block", "shapes", "a last block dropped, or padding counted", builders.tail_block,
          longest=37),
    Entry("long-slot", "shapes", "large blocks: not rescaled, or the last one dropped",
          tiles.long_slot, sizes=tiles.beyond_blocks),
    Entry("query-tiles", "shapes", "a tile of queries dropped, or its end", tiles.query_tiles,
          longest=3, sizes=tiles.many_queries),
    Entry("columns", "shapes", "a tile of columns dropped, or its end", tiles.columns,
          longest=3, sizes=lambda _: tiles.FEW | {"d": 65, "d_v": 65}),
    Entry("heads", "shapes", "heads and batch mixed up, or one head read for all",
          builders.heads, applies=lambda target: "h" in target.layout or "b" in target.layout,
          sizes=lambda _: MANY_HEADS),
    Entry("grouped-heads", "shapes", "heads of the query that read the wrong keys",
          builders.heads, applies=lambda target: target.grouped, sizes=lambda _: MANY_HEADS),
    Entry("causal", "masks", "a causal mask off by one, or in one slot only", builders.causal,
          applies=_causal),
    Entry("window", "masks", "windows swapped, off by one or not cut", builders.window,
          applies=lambda target: isinstance(target.mask, tuple) or target.mask == "boolean"),
    Entry("wide-window", "masks", "wide windows swapped, off by one or not cut", tiles.wide_window,
          applies=lambda target: isinstance(target.mask, tuple), sizes=tiles.beyond_windows),
    Entry("empty-rows", "masks", "a row without a tuple that is not -inf, but NaN or a number",
          builders.empty_rows, applies=_boolean),
    Entry("masked-rows", "masks", "masks that are large numbers, or applied after the maximum",
          builders.masked_rows, applies=_boolean),
    Entry("dominant-weight", "ranges", "weights that do not vanish, values of the wrong token",
          builders.dominant_weight),
    Entry("equal-weights", "ranges", "a sum divided by the wrong number", builders.equal_weights),
    Entry("large-logits", "ranges", "logits of ±10^4 through a narrow format",
          builders.large_logits),
    Entry("negative-logits", "ranges", "a maximum that starts from 0", builders.negative_logits),
    Entry("exp-overflow", "ranges", "exp without the maximum", builders.exp_overflow),
    Entry("subnormals", "ranges", "subnormal numbers flushed to zero", builders.subnormals),
    Entry("signed-zeros", "ranges", "zero taken for masked or for padding",
          builders.signed_zeros),
    Entry("fine-logits", "precision", "logits rounded on the way", builders.fine_logits),
    Entry("small-keys", "precision", "a small bias on the keys", builders.small_keys),
    Entry("scale", "precision", "the scale given twice, not at all, or nearly",
          builders.scale),
    Entry("cancelling-values", "precision", "outputs that are accumulated in a narrow format",
          builders.cancelling_values),
    Entry("many-tokens", "precision", "tiny weights lost in a narrow running sum",
          builders.many_tokens, longest=24),
    Entry("late-maximum", "precision", "an online softmax that rescales late, or not all it should",
          builders.late_maximum, longest=37),
    Entry("softmax-axes", "precision", "softmax over the wrong axis, or over each slot by itself",
          builders.softmax_axes),
    Entry("permuted-tokens", "invariance", "results that depend on the order of the tokens",
          builders.permuted_tokens),
    Entry("batch", "invariance", "rows that depend on what else is in the batch", builders.batch),
    Entry("repeat", "invariance", "a second call that returns other numbers", builders.repeat),
    Entry("inputs", "invariance", "inputs that are overwritten", builders.inputs),
    Entry("reduction", "instances", "weights that leak where every bit must be read",
          builders.reduction, longest=8),
)  # fmt: skip


def entries_for(target: Target) -> tuple[Entry, ...]:
    """Return the entries that apply to a target."""
    return tuple(entry for entry in CATALOGUE if entry.applies(target))


def as_entry(flag: str) -> Entry:
    """Return the entry with a flag; `InputError` if there is none."""
    for entry in CATALOGUE:
        if entry.flag == flag:
            return entry
    raise InputError.among("flag", (entry.flag for entry in CATALOGUE), repr(flag))
