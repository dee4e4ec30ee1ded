"""The catalogue of the backward pass. Each entry says which bug it catches."""

from __future__ import annotations

from kvfloor.conformance import builders, corners, extents, joining, sentinels, tiles
from kvfloor.conformance.backward import builders as own
from kvfloor.conformance.backward import joining as joined
from kvfloor.conformance.backward.builders import pulled
from kvfloor.conformance.entry import (
    Entry,
    mask_other_than,
    no_domain,
    no_groups,
    no_wide_window,
    one_head,
    one_length,
    one_slot,
)
from kvfloor.conformance.target import Target

__all__ = ["BACKWARDS"]

CAUSAL = ("causal", "causal-top-left")
CORNERED = mask_other_than(*CAUSAL, "window")
NO_SINK, NO_CAP = map(joining.without, ("sink", "softcap"))
NO_LSE = joined.no_logsumexp_cotangent


def _no_array(target: Target) -> str:
    return "" if target.bias == "array" else "no array of biases is declared"


def _no_alibi(target: Target) -> str:
    return "" if target.bias == "alibi" else "no alibi is declared"


def _no_array_and_cap(target: Target) -> str:
    return NO_CAP(target) or _no_array(target)


BACKWARDS = (
    Entry("gradient", "shapes", "anything at all", pulled(builders.drawn)),
    Entry("gradient-one-row", "shapes", "a query that gets or adds what is another's",
          own.one_row),
    Entry("gradient-one-column", "shapes", "columns of values and cotangents mixed up",
          own.one_column),
    Entry("gradient-slots", "shapes", "slots swapped, or one used for another",
          pulled(builders.distinct_slots), unless=one_slot),
    Entry("gradient-lengths", "shapes", "the length of one slot used for another",
          pulled(builders.unequal_lengths), unless=one_length),
    Entry("gradient-widths", "shapes", "d where d_v is meant", pulled(builders.wide_values)),
    Entry("gradient-one-token", "shapes", "a single weight, whose gradient is zero",
          pulled(builders.single_token)),
    Entry("gradient-one-query", "shapes", "one query against many tokens",
          pulled(corners.one_query), longest=33),
    Entry("gradient-block-boundary", "shapes", "off by one where a block begins or ends",
          pulled(builders.block_boundary), longest=32),
    Entry("gradient-block-ends", "shapes", "the first or the last query of a block lost",
          own.at_block_ends, sizes=own.many_rows),
    Entry("gradient-tail", "shapes", "a last block dropped, or padding counted",
          pulled(builders.tail_block), longest=37),
    Entry("gradient-tiles", "shapes", "a tile of queries dropped, or its end",
          pulled(tiles.query_tiles), longest=3, sizes=tiles.many_queries),
    Entry("gradient-full-blocks", "shapes", "a path of its own where blocks divide all sizes",
          own.full_blocks, sizes=own.full_rows, draws=False),
    Entry("gradient-long", "shapes", "tokens or queries dropped beyond some number",
          own.long_tokens, sizes=own.few_and_large, draws=False),
    Entry("gradient-columns", "shapes", "a tile of columns dropped, or its end",
          pulled(tiles.columns), longest=3, sizes=lambda _: tiles.FEW | {"d": 65, "d_v": 65}),
    Entry("gradient-head-sizes", "shapes", "head sizes of models: columns dropped, a wrong scale",
          own.head_sizes, sizes=extents.widest, draws=False),
    Entry("gradient-domain-edges", "shapes", "the largest and the smallest that is served",
          pulled(extents.domain_edges), unless=no_domain, sizes=lambda _: tiles.FEW, longest=1,
          draws=False),
    Entry("gradient-heads", "shapes", "heads and batch mixed up, or one head read for all",
          pulled(builders.heads), unless=one_head, sizes=extents.many_heads),
    Entry("gradient-groups", "shapes", "keys that get the gradient of one head, or a mean",
          own.group_sums, unless=no_groups),
    Entry("gradient-causal", "masks", "a causal mask missing, or off by one",
          pulled(builders.causal), unless=mask_other_than(*CAUSAL, "boolean")),
    Entry("gradient-fewer-queries", "masks", "a mask at the wrong corner, with fewer queries",
          pulled(corners.fewer_queries), unless=CORNERED),
    Entry("gradient-more-queries", "masks", "a mask at the wrong corner, with more queries",
          pulled(corners.more_queries), unless=CORNERED),
    Entry("gradient-window", "masks", "windows swapped, off by one or not cut",
          pulled(builders.window), unless=mask_other_than("window", "boolean")),
    Entry("gradient-wide-window", "masks", "wide windows swapped, off by one or not cut",
          pulled(tiles.wide_window), unless=no_wide_window, sizes=tiles.beyond_windows),
    Entry("gradient-empty-rows", "masks", "a row without a tuple that makes NaN, or adds",
          own.empty_and_full, unless=mask_other_than("boolean")),
    Entry("gradient-unseen-tokens", "masks", "tokens that no query sees and that get something",
          own.unseen_tokens, unless=mask_other_than("boolean")),
    Entry("gradient-masked-rows", "masks", "masks that are large numbers, or come late",
          pulled(builders.masked_rows), unless=mask_other_than("boolean")),
    Entry("gradient-low-logits", "masks", "a number in place of minus infinity: -1e4, -65504, -1e9",
          pulled(sentinels.low_logits), sizes=lambda _: tiles.FEW | {"d": 8, "d_v": 6}),
    Entry("gradient-dominated", "ranges", "weights of one: what is left is rounding",
          pulled(builders.dominant_weight)),
    Entry("gradient-equal-weights", "ranges", "weights by the wrong number",
          pulled(builders.equal_weights)),
    Entry("gradient-large-logits", "ranges", "logits of ±10^4 through a narrow format",
          pulled(builders.large_logits)),
    Entry("gradient-exp-overflow", "ranges", "exp without the maximum or the log-sum-exp",
          pulled(builders.exp_overflow)),
    Entry("gradient-large", "ranges", "cotangents of thousands: cut off, or normalised",
          own.large_cotangents),
    Entry("gradient-small", "ranges", "small cotangents taken for zero", own.small_cotangents),
    Entry("gradient-zeros", "ranges", "zero taken for masked or for padding",
          pulled(builders.signed_zeros)),
    Entry("gradient-zero-cotangent", "ranges", "gradients of nothing", own.zero_cotangent),
    Entry("gradient-sink", "ranges", "a sink left out of p, of D, or with another gradient",
          joined.sinks, unless=NO_SINK),
    Entry("gradient-sink-heads", "shapes", "the sink of another head, or gradients of one for all",
          pulled(builders.heads), unless=NO_SINK, sizes=lambda _: {"kv_heads": 8}),
    Entry("gradient-sink-sums", "precision", "sums over queries for a sink in a narrow format",
          joined.sink_sums, unless=NO_SINK),
    Entry("gradient-capped", "ranges", "the slope of a cap left out, or of other numbers",
          joined.slope_steps, unless=NO_CAP),
    Entry("gradient-cap-and-bias", "ranges", "a bias under the cap, or under its slope",
          pulled(joining.cap_after_bias), unless=_no_array_and_cap),
    Entry("gradient-bias-axes", "shapes", "the bias of another head or query, or one gradient of "
          "those that are summed", pulled(joining.bias_axes), unless=_no_array),
    Entry("gradient-bias-tuple", "shapes", "a bias that leads to other tuples",
          joined.bias_of_one_tuple, unless=_no_array),
    Entry("gradient-hidden-by-bias", "masks", "biases of -inf that make NaN, or hide nothing",
          pulled(joining.hidden_by_bias), unless=_no_array),
    Entry("gradient-alibi", "masks", "distances of the wrong sign, or from another place",
          pulled(joining.alibi_corners), unless=_no_alibi),
    Entry("gradient-logsumexp", "precision", "cotangents of log-sum-exps that are not used, or "
          "wrongly", joined.logsumexp_alone, unless=NO_LSE),
    Entry("gradient-logsumexp-row", "shapes", "the cotangent of another row's log-sum-exp",
          joined.logsumexp_of_one_row, unless=NO_LSE),
    Entry("gradient-equal-values", "precision", "gradients that are zero, but for D",
          own.equal_values),
    Entry("gradient-offset-values", "precision", "D or dP in a narrow format",
          own.offset_values),
    Entry("gradient-cancelling", "precision", "sums over queries in a narrow format",
          own.cancelling_cotangents),
    Entry("gradient-long-sums", "precision", "small terms lost in a narrow running sum",
          own.long_sums),
    Entry("gradient-fine-logits", "precision", "logits or log-sum-exps rounded on the way",
          pulled(builders.fine_logits)),
    Entry("gradient-small-keys", "precision", "a small bias on the keys",
          pulled(builders.small_keys)),
    Entry("gradient-scale", "precision", "the scale left out, given twice, or nearly",
          pulled(builders.scale)),
    Entry("gradient-softmax-axes", "precision", "sums over the wrong axis",
          pulled(builders.softmax_axes)),
    Entry("gradient-permuted-queries", "invariance", "results that depend on the order of queries",
          own.permuted_queries),
    Entry("gradient-permuted-tokens", "invariance", "results that depend on the order of tokens",
          pulled(builders.permuted_tokens)),
    Entry("gradient-batch", "invariance", "rows that depend on what else is in the batch",
          pulled(builders.batch)),
    Entry("gradient-inputs", "invariance", "inputs that are overwritten", own.untouched_inputs),
    Entry("gradient-reduction", "instances", "weights that leak where every bit must be read",
          pulled(builders.reduction), longest=8),
)  # fmt: skip
