"""The catalogue: inputs that break wrong code. Each entry says which bug it catches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from kvfloor.conformance import builders, corners, extents, sentinels, tiles
from kvfloor.conformance.case import Case
from kvfloor.conformance.domain import EVERYTHING
from kvfloor.conformance.draft import Draft, affordable
from kvfloor.conformance.size import Size
from kvfloor.conformance.target import Target
from kvfloor.errors import InputError

__all__ = ["CATALOGUE", "FAMILIES", "Entry", "as_entry", "entries_for"]

FAMILIES = ("shapes", "masks", "ranges", "precision", "invariance", "instances")


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
    unless : callable
        Why it means nothing for a target; empty if it does.
    longest : int
        Tokens in a slot, at most.
    sizes : callable
        What else of `Size` is not as in other entries, for a target.
    draws : bool
        Whether smaller cases are drawn; else there are those at full size alone.
    """

    flag: str
    family: str
    note: str
    build: Callable[[Draft], list[Case]]
    unless: Callable[[Target], str] = lambda _: ""
    longest: int = 12
    sizes: Callable[[Target], dict[str, Any]] = lambda _: {}
    draws: bool = True

    def largest(self, target: Target) -> Size:
        """The size of the case that every run includes: the nearest that the target serves."""
        longest = self.longest if target.order < 3 else min(self.longest, 5)
        lengths = tuple(max(1, longest - r) for r in range(target.order))
        usual = Size(2, 2, 3, 7, lengths, 8, 6)
        return _afforded(target, replace(usual, **self.sizes(target)))


def _afforded(target: Target, size: Size) -> Size:
    """Return a size that is served, with fewer sets of keys if all would take too long."""
    fitted = target.fit(size)
    for name in ("batch", "kv_heads", "group"):
        while not affordable(fitted) and getattr(size, name) > 1:
            size = replace(size, **{name: getattr(size, name) // 2})
            fitted = target.fit(size)
    return fitted


def _one_slot(target: Target) -> str:
    return "" if target.order > 1 else "there is one slot"


def _one_length(target: Target) -> str:
    if target.domain.square:
        return "each slot has as many tokens as there are queries"
    return _one_slot(target)


def _one_head(target: Target) -> str:
    size = target.fit(Size(8, 8, 1, 1, (1,) * target.order, 1, 1))
    return "" if size.batch * size.kv_heads > 1 else "there is one head, in a batch of one"


def _no_groups(target: Target) -> str:
    size = target.fit(Size(1, 8, 4, 1, (1,) * target.order, 1, 1))
    return "" if size.group > 1 else "heads do not share keys"


def _not(*kinds: str) -> Callable[[Target], str]:
    def unless(target: Target) -> str:
        return "" if target.kind in kinds else f"the mask is {target.kind}"

    return unless


def _no_wide_window(target: Target) -> str:
    return _not("window")(target) or tiles.too_wide(target)


def _no_domain(target: Target) -> str:
    return "no domain is declared" if target.domain == EVERYTHING else ""


def _reads(target: Target) -> str:
    reason = "" if target.skips else "what no query sees may be read, as nothing else is declared"
    return "the mask is none" if target.kind == "none" else reason


CAUSAL = ("causal", "causal-top-left")

CATALOGUE = (
    Entry("drawn", "shapes", "anything at all", builders.drawn),
    Entry("distinct-slots", "shapes", "slots swapped, or one used for another",
          builders.distinct_slots, unless=_one_slot),
    Entry("unequal-lengths", "shapes", "the length of one slot used for another",
          builders.unequal_lengths, unless=_one_length),
    Entry("wide-values", "shapes", "d where d_v is meant", builders.wide_values),
    Entry("single-token", "shapes", "sums and maxima that expect two", builders.single_token),
    Entry("block-boundary", "shapes", "off by one where a block begins or ends",
          builders.block_boundary, longest=32),
    Entry("tail-block", "shapes", "a last block dropped, or padding counted", builders.tail_block,
          longest=37),
    Entry("long-slot", "shapes", "large blocks: not rescaled, or the last one dropped",
          tiles.long_slot, unless=tiles.too_long, sizes=tiles.beyond_blocks),
    Entry("query-tiles", "shapes", "a tile of queries dropped, or its end", tiles.query_tiles,
          longest=3, sizes=tiles.many_queries),
    Entry("columns", "shapes", "a tile of columns dropped, or its end", tiles.columns,
          longest=3, sizes=lambda _: tiles.FEW | {"d": 65, "d_v": 65}),
    Entry("head-sizes", "shapes", "head sizes of models: columns dropped, a wrong scale",
          extents.head_sizes, sizes=extents.widest, draws=False),
    Entry("long-context", "shapes", "tokens dropped in slots that are long", extents.long_context,
          sizes=extents.beyond_powers, draws=False),
    Entry("one-query", "shapes", "one query against many tokens, as in decoding",
          corners.one_query, longest=33),
    Entry("domain-edges", "shapes", "the largest and the smallest that is served",
          extents.domain_edges, unless=_no_domain, sizes=lambda _: tiles.FEW, longest=1,
          draws=False),
    Entry("heads", "shapes", "heads and batch mixed up, or one head read for all",
          builders.heads, unless=_one_head, sizes=extents.many_heads),
    Entry("grouped-heads", "shapes", "heads of the query that read the wrong keys",
          builders.heads, unless=_no_groups, sizes=extents.many_heads),
    Entry("causal", "masks", "a causal mask off by one, or in one slot only", builders.causal,
          unless=_not(*CAUSAL, "boolean")),
    Entry("fewer-queries", "masks", "a mask at the wrong corner, with fewer queries than tokens",
          corners.fewer_queries, unless=_not(*CAUSAL, "window")),
    Entry("more-queries", "masks", "a mask at the wrong corner, with more queries than tokens",
          corners.more_queries, unless=_not(*CAUSAL, "window")),
    Entry("window", "masks", "windows swapped, off by one or not cut", builders.window,
          unless=_not("window", "boolean")),
    Entry("wide-window", "masks", "wide windows swapped, off by one or not cut", tiles.wide_window,
          unless=_no_wide_window, sizes=tiles.beyond_windows),
    Entry("empty-rows", "masks", "a row without a tuple that is not -inf, but NaN or a number",
          builders.empty_rows, unless=_not("boolean")),
    Entry("masked-rows", "masks", "masks that are large numbers, or applied after the maximum",
          builders.masked_rows, unless=_not("boolean")),
    Entry("low-logits", "masks", "a number in place of minus infinity: -1e4, -5e4, -65504, -1e9",
          sentinels.low_logits, sizes=lambda _: tiles.FEW | {"d": 8, "d_v": 6}),
    Entry("poison", "masks", "what no query sees is read, though it is declared that it is not",
          sentinels.poison, unless=_reads, sizes=sentinels.unseen),
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
    return tuple(entry for entry in CATALOGUE if not entry.unless(target))


def as_entry(flag: str) -> Entry:
    """Return the entry with a flag; `InputError` if there is none."""
    for entry in CATALOGUE:
        if entry.flag == flag:
            return entry
    raise InputError.among("flag", (entry.flag for entry in CATALOGUE), repr(flag))
