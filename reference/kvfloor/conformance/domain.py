"""The domain of a target: what it serves, so that nothing else is asked of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from kvfloor.conformance.counts import ANY, Counts, as_counts
from kvfloor.conformance.size import Size
from kvfloor.conformance.terms import TERMS
from kvfloor.errors import InputError
from kvfloor.numbers import as_format, shown

__all__ = ["EVERYTHING", "MASKS", "PADDINGS", "VIEWS", "Domain"]

MASKS = ("none", "causal", "causal-top-left", "window", "boolean")
QUERIES = ("same", "fewer")
#: Where keys may be padded, and that whole sequences may be.
PADDINGS = ("left", "right", "empty")
#: How queries, keys and values may lie, besides contiguously.
VIEWS = ("strided", "columns", "offset", "expanded")
MOST_GROUPS = 64  # ratios that are tried where any may be served


@dataclass(frozen=True, repr=False)
class Domain:
    """What a function serves; a call outside of it is never made.

    Whole numbers are None for any, one, a sequence, or text: ``64,128``, or
    ``multiple=16,least=16,most=4096`` or a part of that.

    Parameters
    ----------
    d : whole numbers
        Columns of queries and keys.
    d_v : whole numbers, or "same"
        Columns of values; "same" as d.
    tokens : whole numbers
        Tokens of each slot.
    queries : whole numbers, "same" or "fewer"
        Queries n_q; as many as each slot has tokens, or no more than any slot has.
    batch : whole numbers
    heads : whole numbers
        Heads of the query.
    groups : whole numbers
        Heads of the query for each head of keys and values.
    masks : sequence of `MASKS`, optional
    terms : sequence of "sink", "softcap", "bias", optional
    orders : whole numbers
        Slots.
    formats : sequence of formats of inputs, optional
    padded : sequence of `PADDINGS`, optional
        How keys may be padded.
    views : sequence of `VIEWS`, optional
        Arrays with gaps or in another order, with gaps between columns, after other numbers, with
        a stride of 0.

    Raises
    ------
    InputError
        If one of them is none of that, or nothing is left.
    """

    d: Any = None
    d_v: Any = None
    tokens: Any = None
    queries: Any = None
    batch: Any = None
    heads: Any = None
    groups: Any = None
    masks: Any = None
    orders: Any = None
    formats: Any = None
    terms: Any = None
    padded: Any = None
    views: Any = None

    def __post_init__(self) -> None:
        words: dict[str, Sequence[str]] = {"d_v": ("same",), "queries": QUERIES}
        for name in ("d", "d_v", "tokens", "queries", "batch", "heads", "groups", "orders"):
            given = getattr(self, name)
            if not (isinstance(given, str) and given in words.get(name, ())):
                object.__setattr__(self, name, as_counts(given, name))
        masks = _listed(self.masks, MASKS)
        for mask in masks:
            if mask not in MASKS:
                raise InputError.among("masks", MASKS, shown(mask))
        object.__setattr__(self, "terms", _listed(self.terms, TERMS))
        for term in self.terms:
            if term not in TERMS:
                raise InputError.among("terms", TERMS, shown(term))
        for name, known in (("padded", PADDINGS), ("views", VIEWS)):
            object.__setattr__(self, name, _listed(getattr(self, name), known))
            for word in getattr(self, name):
                if word not in known:
                    raise InputError.among(name, known, shown(word))
        formats = None if self.formats is None else _listed(self.formats, ())
        object.__setattr__(self, "masks", masks)
        names = None if formats is None else tuple(as_format(form).name for form in formats)
        object.__setattr__(self, "formats", names)

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={text!r}" for name, text in self.told().items())
        return f"Domain({told})"

    def told(self) -> dict[str, str]:
        """Return what is not as without a domain, as text."""
        plain = {field.name: field.default for field in fields(self)}
        plain |= {"masks": MASKS, "terms": TERMS, "padded": PADDINGS, "views": VIEWS}
        said = {}
        for name, default in plain.items():
            value = getattr(self, name)
            if value not in (ANY, default):
                said[name] = ",".join(value) if isinstance(value, tuple) else str(value)
        return said

    @property
    def square(self) -> bool:
        """Whether there are as many queries as tokens in each slot."""
        return isinstance(self.queries, str) and self.queries == "same"

    def fit(self, size: Size, layout: str = "bhnd", *, grouped: bool = True) -> Size:
        """Return the size nearest to one that is served, in a layout with these axes.

        Raises
        ------
        InputError
            If there is none.
        """
        kv_heads, group = self._fit_heads(size, layout, grouped=grouped)
        lengths = tuple(map(self.tokens.nearest, size.lengths))
        if self.square:
            lengths = (lengths[0],) * len(lengths)
        if isinstance(self.queries, Counts):
            queries = self.queries.nearest(size.queries)
        else:
            queries = lengths[0] if self.square else min(size.queries, *lengths)
        d = self.d.nearest(size.d)
        fitted = Size(
            self.batch.nearest(size.batch if "b" in layout else 1),
            *(kv_heads, group, queries, lengths, d),
            d if self.d_v == "same" else self.d_v.nearest(size.d_v),
        )
        if "b" not in layout and fitted.batch != 1:
            raise InputError("batch", "1 among them, as the layout has no batch", str(self.batch))
        return fitted

    def _fit_heads(self, size: Size, layout: str, *, grouped: bool) -> tuple[int, int]:
        """Return heads of keys, and of the query for each of them."""
        one = "h" not in layout
        ratios: Iterable[int] = self.groups.listed or range(1, MOST_GROUPS + 1)
        wanted = [g for g in ratios if g in self.groups and (g == 1 or (grouped and not one))]
        for group in sorted(wanted, key=lambda g: (abs(g - size.group), g)):
            heads = self.heads.multiples_of(group)
            if heads is None or (one and 1 not in heads):
                continue
            return (1 if one else heads.nearest(size.kv_heads * group) // group), group
        expected = "heads that are multiples of one of the groups"
        expected += " (1, as heads are not grouped)" if one or not grouped else ""
        raise InputError("heads", expected, f"heads {self.heads}, groups {self.groups}")

    def excludes(self, size: Size) -> str | None:
        """Return why a size is outside, None if it is not."""
        parts: tuple[tuple[str, int, Any], ...] = (
            ("d", size.d, self.d),
            ("d_v", size.d_v, Counts((size.d,)) if self.d_v == "same" else self.d_v),
            *(("tokens", n, self.tokens) for n in size.lengths),
            ("batch", size.batch, self.batch),
            ("heads", size.heads, self.heads),
            ("groups", size.group, self.groups),
        )
        for name, count, served in parts:
            if count not in served:
                return f"{name}: expected {served}, got {count}"
        n_q, lengths = size.queries, size.lengths
        if isinstance(self.queries, Counts):
            within = n_q in self.queries
        else:
            within = all(n_q == n if self.square else n_q <= n for n in lengths)
        return None if within else f"queries: expected {self.queries}, got {n_q} for {lengths}"


def _listed(given: Any, default: tuple[str, ...]) -> tuple[Any, ...]:
    """A sequence of words, or text that is cut at commas."""
    if given is None:
        return default
    listed = given.split(",") if isinstance(given, str) else given
    return tuple(listed) if isinstance(listed, list | tuple | set | frozenset) else (listed,)


EVERYTHING = Domain()
