"""The catalogue: inputs that break wrong code. Each entry says which bug it catches."""

from __future__ import annotations

from collections.abc import Callable

from kvfloor.conformance import (
    builders,
    corners,
    extents,
    joining,
    packing,
    padding,
    partial_states,
    quantising,
    repeating,
    returned_stages,
    sentinels,
    tiles,
    viewing,
)
from kvfloor.conformance.backward import BACKWARDS, Backward
from kvfloor.conformance.entry import (
    FAMILIES,
    Entry,
    mask_other_than,
    no_domain,
    no_groups,
    no_wide_window,
    one_head,
    one_length,
    one_slot,
)
from kvfloor.conformance.merging import Merging
from kvfloor.conformance.target import Target
from kvfloor.errors import InputError

__all__ = [
    "BACKWARDS",
    "CATALOGUE",
    "FAMILIES",
    "MERGES",
    "Entry",
    "as_entry",
    "catalogue_of",
    "entries_for",
]


def _reads(target: Target) -> str:
    reason = "" if target.skips else "what no query sees may be read, as nothing else is declared"
    if target.quantised is not None:
        reason = "what is quantised is finite"
    return "the mask is none" if target.kind == "none" else reason


def _reads_empty(target: Target) -> str:
    return "" if target.skips else "outputs of empty parts may be read, as nothing else is declared"


def _no_cap_and_mask(target: Target) -> str:
    return joining.without("softcap")(target) or (
        "the mask is none" if target.kind == "none" else ""
    )


def _no_array(*terms: str) -> Callable[[Target], str]:
    def unless(target: Target) -> str:
        lacking = "" if target.bias == "array" else "no array of biases is declared"
        return joining.without(*terms)(target) or lacking

    return unless


def _no_alibi(target: Target) -> str:
    return "" if target.bias == "alibi" else "no alibi is declared"


CAUSAL = ("causal", "causal-top-left")

CATALOGUE = (
    Entry("drawn", "shapes", "anything at all", builders.drawn),
    Entry("distinct-slots", "shapes", "slots swapped, or one used for another",
          builders.distinct_slots, unless=one_slot),
    Entry("unequal-lengths", "shapes", "the length of one slot used for another",
          builders.unequal_lengths, unless=one_length),
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
          extents.domain_edges, unless=no_domain, sizes=lambda _: tiles.FEW, longest=1,
          draws=False),
    Entry("unequal-sequences", "shapes", "the length of another sequence, or where it begins",
          packing.unequal_sequences, unless=packing.no_sequences),
    Entry("empty-sequences", "shapes", "sequences without queries, or tokens: NaN, or others' rows",
          packing.empty_sequences, unless=packing.never_empty),
    Entry("pages", "shapes", "pages in another order, or of another sequence; a last page in part",
          packing.pages, unless=packing.no_pages, sizes=packing.beyond_pages),
    Entry("unowned", "masks", "what no sequence owns is read: NaN in the rest of a page, and slack",
          packing.unowned, unless=packing.nothing_unowned),
    Entry("heads", "shapes", "heads and batch mixed up, or one head read for all",
          builders.heads, unless=one_head, sizes=extents.many_heads),
    Entry("grouped-heads", "shapes", "heads of the query that read the wrong keys",
          builders.heads, unless=no_groups, sizes=extents.many_heads),
    Entry("causal", "masks", "a causal mask off by one, or in one slot only", builders.causal,
          unless=mask_other_than(*CAUSAL, "boolean")),
    Entry("fewer-queries", "masks", "a mask at the wrong corner, with fewer queries than tokens",
          corners.fewer_queries, unless=mask_other_than(*CAUSAL, "window")),
    Entry("more-queries", "masks", "a mask at the wrong corner, with more queries than tokens",
          corners.more_queries, unless=mask_other_than(*CAUSAL, "window")),
    Entry("window", "masks", "windows swapped, off by one or not cut", builders.window,
          unless=mask_other_than("window", "boolean")),
    Entry("wide-window", "masks", "wide windows swapped, off by one or not cut", tiles.wide_window,
          unless=no_wide_window, sizes=tiles.beyond_windows),
    Entry("empty-rows", "masks", "a row without a tuple that is not -inf, but NaN or a number",
          builders.empty_rows, unless=mask_other_than("boolean")),
    Entry("masked-rows", "masks", "masks that are large numbers, or applied after the maximum",
          builders.masked_rows, unless=mask_other_than("boolean")),
    Entry("low-logits", "masks", "a number in place of minus infinity: -1e4, -5e4, -65504, -1e9",
          sentinels.low_logits, sizes=lambda _: tiles.FEW | {"d": 8, "d_v": 6}),
    Entry("key-padding", "masks", "padding that is seen: on one side, in one row, in every block",
          padding.key_padding, unless=padding.not_padded, sizes=padding.several),
    Entry("padded-low-logits", "masks", "a number in place of minus infinity where keys are padded",
          padding.padded_low_logits, unless=padding.not_padded, sizes=padding.several),
    Entry("padded-poison", "masks", "padding is read, though it is declared that it is not",
          padding.padded_poison, unless=padding.padding_read, sizes=padding.several),
    Entry("whole-padding", "masks", "sequences that are all padding: NaN, or a number",
          padding.whole_padding, unless=padding.never_all_padding, sizes=padding.several),
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
    Entry("sink-above", "ranges", "a sink that is no candidate for the maximum, or has a value",
          joining.sink_above, unless=joining.without("sink")),
    Entry("sink-below", "ranges", "exp of minus a sink, or one taken for masked",
          joining.sink_below, unless=joining.without("sink")),
    Entry("sink-of-blocks", "precision", "a sink counted once a block, or for each split",
          joining.sink_of_blocks, unless=joining.without("sink"), longest=37),
    Entry("sink-heads", "shapes", "the sink of another head", builders.heads,
          unless=joining.without("sink"), sizes=lambda _: {"kv_heads": 8}),
    Entry("capped", "ranges", "a cap forgotten, or applied to other numbers", joining.capped,
          unless=joining.without("softcap")),
    Entry("small-under-cap", "precision", "a tanh of few bits", joining.small_under_cap,
          unless=joining.without("softcap")),
    Entry("cap-after-mask", "masks", "a cap that is applied to what a mask has hidden",
          joining.cap_after_mask, unless=_no_cap_and_mask),
    Entry("cap-after-bias", "ranges", "a cap that is applied to logits with their bias",
          joining.cap_after_bias, unless=_no_array("softcap")),
    Entry("bias-axes", "shapes", "the bias of another head or query, or one head's for all",
          joining.bias_axes, unless=_no_array()),
    Entry("bias-sentinels", "masks", "biases of -1e4 and -65504 taken for masks",
          joining.bias_sentinels, unless=_no_array()),
    Entry("hidden-by-bias", "masks", "biases of -inf that make NaN, or hide nothing",
          joining.hidden_by_bias, unless=_no_array()),
    Entry("alibi-corners", "masks", "distances of the wrong sign, or from another place",
          joining.alibi_corners, unless=_no_alibi),
    Entry("alibi-slopes", "shapes", "the slope of another head, or slopes of its own",
          joining.alibi_slopes, unless=_no_alibi, sizes=lambda _: {"kv_heads": 6}),
    Entry("scales", "ranges", "a scale left at 1, or that of another head, token, or of values",
          quantising.scales, unless=quantising.not_stored, sizes=quantising.several),
    Entry("zero-points", "ranges", "zero points forgotten, added, or not scaled",
          quantising.zero_points, unless=quantising.no_zero_points, sizes=quantising.several),
    Entry("end-codes", "ranges", "codes read with another sign or format, or subtracted in it",
          quantising.end_codes, unless=quantising.not_stored),
    Entry("scale-blocks", "shapes", "the scale of another block of tokens, or of the last one",
          quantising.scale_blocks, unless=quantising.no_blocks,
          sizes=quantising.beyond_scale_blocks),
    Entry("fine-logits", "precision", "logits rounded on the way", builders.fine_logits),
    Entry("small-keys", "precision", "a small bias on the keys", builders.small_keys),
    Entry("scale", "precision", "the scale given twice, not at all, or nearly",
          builders.scale),
    Entry("cancelling-values", "precision", "outputs that are accumulated in a narrow format",
          builders.cancelling_values),
    Entry("many-tokens", "precision", "tiny weights lost in a narrow running sum",
          builders.many_tokens, longest=24),
    Entry("light-tokens", "precision", "light weights taken for zero, few digits of log₂ e",
          builders.light_tokens, longest=24, sizes=lambda _: {"d": 2}),
    Entry("late-maximum", "precision", "an online softmax that rescales late, or not all it should",
          builders.late_maximum, longest=37),
    Entry("softmax-axes", "precision", "softmax over the wrong axis, or over each slot by itself",
          builders.softmax_axes),
    Entry("stages", "precision", "a logit, a cap, a mask or a weight that is wrong on its way",
          returned_stages.returned, unless=returned_stages.no_stages,
          sizes=returned_stages.several),
    Entry("permuted-tokens", "invariance", "results that depend on the order of the tokens",
          builders.permuted_tokens),
    Entry("batch", "invariance", "rows that depend on what else is in the batch", builders.batch),
    Entry("repeat", "invariance", "a second call that returns other numbers", builders.repeat),
    Entry("row-alone", "invariance", "a row that is computed in another way when it is alone",
          repeating.row_alone, unless=repeating.no_batch, sizes=repeating.rows, longest=37),
    Entry("row-moved", "invariance", "a row that is computed in another way at another place",
          repeating.row_moved, unless=repeating.no_batch, sizes=repeating.rows, longest=37),
    Entry("splits", "invariance", "splits that lose tokens, or are empty, or return other bits",
          repeating.splits, unless=repeating.no_splits, longest=37),
    Entry("inputs", "invariance", "inputs that are overwritten", builders.inputs),
    Entry("strided", "invariance", "strides taken for those of contiguous arrays, or of others",
          viewing.viewed("strided", "transposed"), unless=viewing.without_view("strided")),
    Entry("columns-apart", "invariance", "columns that are taken to lie side by side",
          viewing.viewed("columns"), unless=viewing.without_view("columns")),
    Entry("offset", "invariance", "memory that is read from its start, or from where it is aligned",
          viewing.viewed("offset"), unless=viewing.without_view("offset")),
    Entry("expanded", "invariance", "strides of 0 taken for others, or arrays written to",
          viewing.expanded, unless=viewing.without_view("expanded")),
    Entry("reduction", "instances", "weights that leak where every bit must be read",
          builders.reduction, longest=8),
)  # fmt: skip


MERGES = (
    Entry("drawn-parts", "shapes", "anything at all", partial_states.drawn_parts),
    Entry("one-part", "shapes", "a state that does not come back as it is",
          partial_states.one_part),
    Entry("two-parts", "shapes", "weights swapped: each part by that of the other",
          partial_states.two_parts),
    Entry("many-parts", "shapes", "a part dropped, the last above all, or padding counted",
          partial_states.many_parts, longest=65),
    Entry("part-columns", "shapes", "a tile of columns dropped, or its end",
          partial_states.part_columns, longest=3, sizes=lambda _: {"d_v": 256}, draws=False),
    Entry("rows-and-heads", "shapes", "weights of another row or head",
          partial_states.rows_and_heads, sizes=lambda _: {"batch": 5, "kv_heads": 32}),
    Entry("empty-parts", "masks", "an empty part that makes NaN, or is counted",
          partial_states.empty_parts),
    Entry("all-empty", "masks", "rows of empty parts that are not -inf, but NaN or a number",
          partial_states.all_empty),
    Entry("unread-parts", "masks", "outputs of empty parts are read, though it is declared that "
          "they are not", partial_states.unread_parts, unless=_reads_empty),
    Entry("dominant-part", "ranges", "weights that do not vanish, or are of another part",
          partial_states.dominant_part),
    Entry("equal-parts", "ranges", "log-sum-exps added up, weights that do not add up to 1",
          partial_states.equal_parts),
    Entry("low-parts", "ranges", "parts taken for empty below a number: -1e4, -5e4, -65504, -1e9",
          partial_states.low_parts),
    Entry("high-parts", "ranges", "exp without the maximum", partial_states.high_parts),
    Entry("steep-parts", "ranges", "logarithms to the base 2 for those to e, or the reverse",
          partial_states.steep_parts),
    Entry("fine-parts", "precision", "log-sum-exps rounded on the way", partial_states.fine_parts),
    Entry("cancelling-parts", "precision", "outputs that are added up in a narrow format",
          partial_states.cancelling_parts),
    Entry("light-parts", "precision", "small weights lost in a narrow running sum",
          partial_states.light_parts, longest=65),
    Entry("late-part", "precision", "a running maximum that rescales late, or not all it should",
          partial_states.late_part, longest=37),
    Entry("permuted-parts", "invariance", "results that depend on the order of the parts",
          partial_states.permuted_parts),
    Entry("repeated-merge", "invariance", "a second call that returns other numbers",
          partial_states.repeated_merge),
    Entry("merged-inputs", "invariance", "arrays that are overwritten",
          partial_states.merged_inputs),
)  # fmt: skip


def catalogue_of(target: Target) -> tuple[Entry, ...]:
    """Return the catalogue for what a target does."""
    if isinstance(target, Backward):
        return BACKWARDS
    return MERGES if isinstance(target, Merging) else CATALOGUE


def entries_for(target: Target) -> tuple[Entry, ...]:
    """Return the entries that apply to a target."""
    return tuple(entry for entry in catalogue_of(target) if not entry.unless(target))


def as_entry(flag: str) -> Entry:
    """Return the entry with a flag; `InputError` if there is none."""
    entries = (*CATALOGUE, *MERGES, *BACKWARDS)
    for entry in entries:
        if entry.flag == flag:
            return entry
    raise InputError.among("flag", (entry.flag for entry in entries), repr(flag))
