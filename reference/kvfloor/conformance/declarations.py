"""What a target may be told, read: each word or number, or `InputError`."""

from __future__ import annotations

from typing import Any

from kvfloor.attention import Intervals, Window, as_scale
from kvfloor.conformance.case import MaskSpec
from kvfloor.conformance.domain import MASKS, PADDINGS, Domain
from kvfloor.conformance.quantised import Quantised
from kvfloor.conformance.size import Size
from kvfloor.errors import InputError, meant
from kvfloor.numbers import FORMATS, Array, BinaryFormat, as_count, as_format, shown

__all__ = [
    "AXES",
    "BITWISE",
    "RETURNS",
    "as_bitwise",
    "as_block",
    "as_float",
    "as_mask_declaration",
    "as_packed",
    "as_padded",
    "as_returns",
    "as_splits",
    "check_domain",
    "check_layout",
    "check_quantised",
    "check_sequences",
    "check_stages",
    "to_layout",
]

AXES = "bhnd"
RETURNS = ("output", "logsumexp")
#: Calls that may have to agree bit for bit; also the flags of their entries.
BITWISE = ("repeat", "row-alone", "row-moved", "splits")
#: What packed sequences may be, besides: empty, and in buffers that are longer.
PACKED = ("empty", "slack")


def as_float(scale: Any) -> float:
    """Return a scale as a float; `InputError` if it is no positive rational."""
    as_scale(scale, 1)
    return float(scale)


def as_returns(returns: Any) -> tuple[str, ...]:
    """Return what is returned, as a tuple of words."""
    listed = tuple(returns) if isinstance(returns, list | tuple) else returns
    if listed not in (RETURNS, RETURNS[:1]):
        words = listed if isinstance(listed, tuple) else (listed,)
        near = next(filter(None, (meant(str(word), RETURNS) for word in words)), "")
        expected = "('output',) or ('output', 'logsumexp')"
        raise InputError("returns", expected, shown(returns) + near)
    result: tuple[str, ...] = listed
    return result


def as_mask_declaration(mask: Any, order: int) -> MaskSpec | str:
    """Return a mask, None for "none"; "boolean" stands for an array."""
    if mask is None or (isinstance(mask, str) and mask == "none"):
        return None
    if isinstance(mask, Window):
        Intervals.of(mask, 1, 1, (1,) * order)  # which refuses one that is none
        return mask
    if isinstance(mask, str) and mask in MASKS and mask != "window":
        return mask
    expected = "none, causal, causal-top-left, boolean or a kvfloor.Window"
    raise InputError("mask", expected, shown(mask) + meant(str(mask), MASKS))


def as_block(block: Any, order: int) -> tuple[int, ...] | None:
    """Return the tokens of a block for each slot."""
    if block is None:
        return None
    listed = tuple(block) if isinstance(block, list | tuple) else (block,) * order
    if len(listed) != order:
        raise InputError("block", f"one length or {order}", shown(block))
    return tuple(as_count(length, "block", 1) for length in listed)


def check_layout(layout: Any, needed: str) -> None:
    """Refuse axes that are none, or lack those that are needed."""
    if (
        not isinstance(layout, str)
        or len(set(layout)) != len(layout)
        or not set(needed) <= set(layout) <= set(AXES)
    ):
        raise InputError("layout", "the letters n and d, and b, h if there are any", shown(layout))


def check_quantised(quantised: Any, arithmetic: BinaryFormat) -> None:
    """Refuse what is no `Quantised`, or rounds to a format that the arithmetic does not hold."""
    if quantised is None:
        return
    if not isinstance(quantised, Quantised):
        raise InputError("quantised", "a kvfloor.conformance.Quantised", shown(quantised))
    for name in filter(None, (quantised.rounded, quantised.stored)):
        if name in FORMATS and not arithmetic.holds(as_format(name)):
            raise InputError("quantised", f"formats that {arithmetic.name} holds", name)


def as_packed(packed: Any) -> tuple[str, ...] | None:
    """Return what packed sequences may be, None if none are packed."""
    if packed is None:
        return None
    listed = (packed,) if isinstance(packed, str) else packed
    if not isinstance(listed, list | tuple) or any(word not in PACKED for word in listed):
        raise InputError("packed", "some of empty, slack, or none of them", shown(packed))
    return tuple(word for word in PACKED if word in listed)


def as_padded(padded: Any) -> tuple[str, ...] | None:
    """Return how keys may be padded, None if they are not; on a side at least."""
    if padded is None:
        return None
    listed = (padded,) if isinstance(padded, str) else padded
    expected = "left, right or both, and empty if whole sequences may be padding"
    if not isinstance(listed, list | tuple):
        raise InputError("padded", expected, shown(padded))
    for word in listed:
        if word not in PADDINGS:
            raise InputError("padded", expected, shown(word) + meant(str(word), PADDINGS))
    if set(listed) <= {"empty"}:
        raise InputError("padded", expected, shown(padded))
    return tuple(word for word in PADDINGS if word in listed)


def check_sequences(target: Any) -> None:
    """Refuse what does not go with sequences of unequal lengths, and pages that are none."""
    if target.pages is not None:
        as_count(target.pages, "pages", 1)
    if target.packed is not None and "b" in target.layout:
        raise InputError("layout", "no b, as sequences are packed", repr(target.layout))
    if target.padded is not None and not target.batched:
        raise InputError("padded", "none, as the layout has no batch", shown(target.padded))
    if target.packed is None and target.pages is None:
        return
    if target.padded is not None:
        raise InputError("padded", "none, as sequences are as long as is told", repr(target.padded))
    why = "as lengths differ"
    if target.kind == "boolean":
        raise InputError("mask", f"no array, {why}", "'boolean'")
    if target.bias == "array":
        raise InputError("bias", f"alibi or none, {why}", "'array'")
    if target.quantised is not None and target.quantised.per not in ("tensor", "head"):
        raise InputError("quantised.per", f"tensor or head, {why}", repr(target.quantised.per))


def check_stages(target: Any) -> None:
    """Refuse what gives no stages, and targets whose logits are no matrices."""
    if target.stages is None:
        return
    if not callable(target.stages):
        raise InputError("stages", "a callable", shown(target.stages))
    if target.order != 1 or target.packed is not None or target.pages is not None:
        expected = "none, unless the order is 1 and sequences are neither packed nor in pages"
        raise InputError("stages", expected, "a callable")


def check_domain(target: Any) -> None:
    """Refuse a declaration of what the domain excludes."""
    domain = target.domain
    if not isinstance(domain, Domain):
        raise InputError("domain", "a kvfloor.conformance.Domain", shown(domain))
    for name, served, declared in (
        ("mask", domain.masks, target.kind),
        ("dtype", domain.formats or (target.inputs.name,), target.inputs.name),
    ):
        if declared not in served:
            raise InputError(name, f"one of the domain: {', '.join(served)}", declared)
    for term in target.terms:
        if term not in domain.terms:
            raise InputError(term, f"none, as the domain's terms are {domain.terms}", "one")
    for word in target.padded or ():
        if word not in domain.padded:
            expected = f"of the domain's, {', '.join(domain.padded) or 'none'}"
            raise InputError("padded", expected, word)
    if target.order not in domain.orders:
        raise InputError("order", f"one of the domain: {domain.orders}", str(target.order))
    lengths = (1,) * target.order
    left_out = domain.excludes(target.fit(Size(1, 1, 1, 1, lengths, 1, 1)))
    if left_out is not None:
        raise InputError("domain", "sizes that go together", left_out)


def to_layout(array: Array, layout: str) -> Array:
    """Return a view with axes (b, h, n, d), or (b, h, n), in the order of a layout."""
    axes = AXES[: array.ndim]
    absent = tuple(axes.index(a) for a in axes if a not in layout)
    present = [a for a in axes if a in layout]
    order = [present.index(a) for a in layout if a in axes]
    return array.squeeze(axis=absent).transpose(order)


def as_bitwise(bitwise: Any, splits: Any) -> tuple[str, ...]:
    """Return which calls agree bit for bit, in the order of `BITWISE`."""
    listed = (bitwise,) if isinstance(bitwise, str) else bitwise
    if not isinstance(listed, list | tuple):
        raise InputError("bitwise", f"some of {', '.join(BITWISE)}", shown(bitwise))
    for word in listed:
        if word not in BITWISE:
            raise InputError.among("bitwise", BITWISE, shown(word))
    if "splits" in listed and splits is None:
        raise InputError("bitwise", "no splits, as none are declared", "'splits'")
    return tuple(word for word in BITWISE if word in listed)


def as_splits(splits: Any) -> tuple[int, ...] | None:
    """Return the counts of splits, the usual one first."""
    if splits is None:
        return None
    listed = splits if isinstance(splits, list | tuple) else (splits,)
    counts = tuple(as_count(count, "splits", 1) for count in listed)
    if not counts or len(set(counts)) < len(counts):
        raise InputError("splits", "counts, each once", shown(splits))
    return counts
