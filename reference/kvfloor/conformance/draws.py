"""Hypothesis strategies: see `kvfloor.conformance.strategies`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st

from kvfloor.attention import Mask
from kvfloor.conformance.case import Case
from kvfloor.conformance.catalogue import Entry, as_entry, entries_for
from kvfloor.conformance.draft import Draft, NoCase
from kvfloor.conformance.size import Size
from kvfloor.conformance.target import Target
from kvfloor.errors import InputError
from kvfloor.numbers import FORMATS, Array, as_format

__all__ = ["cases", "drafts", "flags", "formats", "masks", "shapes", "tensors"]

LARGEST = Size(batch=2, kv_heads=2, group=2, queries=8, lengths=(12, 12), d=8, d_v=8)
SEEDS = st.integers(0, 2**16 - 1)


def formats(names: Sequence[str] = FORMATS) -> st.SearchStrategy[np.dtype[Any]]:
    """Draw a NumPy dtype of a binary format.

    Parameters
    ----------
    names : sequence of str
        Which; all that kvfloor knows by default.
    """
    return st.sampled_from([as_format(name).dtype for name in names])


@st.composite
def shapes(
    draw: st.DrawFn,
    largest: Size = LARGEST,
) -> Size:
    """Draw sizes, each number from 1 up to that of the largest, and independent of the others.

    Parameters
    ----------
    largest : Size
        Its ``lengths`` say the order, too.
    """

    def upto(most: int) -> int:
        return draw(st.integers(1, most))

    return Size(
        batch=upto(largest.batch),
        kv_heads=upto(largest.kv_heads),
        group=upto(largest.group),
        queries=upto(largest.queries),
        lengths=tuple(map(upto, largest.lengths)),
        d=upto(largest.d),
        d_v=upto(largest.d_v),
    )


@st.composite
def tensors(draw: st.DrawFn, shape: tuple[int, ...], dtype: Any = "float64") -> Array:
    """Draw a tensor whose entries are numbers of the format, of size about 1, none repeated often.

    One draw of a seed makes all entries, so large tensors cost no more than small ones; quarters
    from -1 to 1 come first, normal numbers after them.

    Parameters
    ----------
    shape : tuple of int
    dtype : dtype or str
        One of `kvfloor.numbers.formats.FORMATS`.
    """
    form = as_format(dtype)
    normal, rng = draw(st.booleans()), np.random.default_rng(draw(SEEDS))
    numbers = rng.normal(size=shape) if normal else rng.integers(-4, 5, size=shape) / 4
    return form.round_array(numbers).astype(form.dtype)


@st.composite
def masks(
    draw: st.DrawFn, queries: int, lengths: tuple[int, ...], *, empty_rows: bool = False
) -> Mask:
    """Draw a boolean mask, shape (queries, n_1, ..., n_m); True keeps the tuple.

    Parameters
    ----------
    queries : int
    lengths : tuple of m ints
    empty_rows : bool
        Whether a row may be left without a tuple.
    """
    rng = np.random.default_rng(draw(SEEDS))
    mask = rng.random((queries, *lengths)) < draw(st.sampled_from((1.0, 0.5, 0.1)))
    if not empty_rows:
        rows = mask.reshape(queries, -1)
        kept = rng.integers(rows.shape[1], size=queries)
        rows[np.arange(queries), kept] = True
    return mask


@st.composite
def drafts(draw: st.DrawFn, entry: Entry, target: Target) -> Draft:
    """Draw the start of a case of an entry: small ones first, and numbers easy to read."""
    size = draw(shapes(entry.drawn(target)))
    fine, seed = draw(st.booleans()), draw(SEEDS)
    return Draft(target, target.fit(size), seed, coarse=not fine)


@st.composite
def cases(
    draw: st.DrawFn,
    flag: str,
    *,
    dtype: Any,
    order: int = 2,
    mask: Any = None,
    scale: Any = "1/sqrt(d)",
) -> Case:
    """Draw a case of one adversarial family.

    Parameters
    ----------
    flag : str
        One of `flags`.
    dtype : dtype or str
        The format of the inputs.
    order, mask, scale
        As for `kvfloor.conformance.check`.

    Returns
    -------
    SearchStrategy of Case
        ``query`` (b, h, n_q, d), ``keys`` and ``values`` of m arrays (b, h_kv, n_r, ·), ``mask``.

    Raises
    ------
    InputError
        If there is no such family, or it means nothing for such a target.
    """
    target = _described(dtype, order, mask, scale)
    entry = as_entry(flag)
    why = entry.unless(target)
    if why:
        raise InputError("flag", "one that applies", f"{flag!r}, but {why}")
    draft = draw(drafts(entry, target))
    try:
        built = entry.build(draft)
    except NoCase:  # of this size there is none, of others there is
        reject()
    return draw(st.sampled_from(built))


def flags(*, dtype: Any = "float64", order: int = 2, mask: Any = None) -> tuple[str, ...]:
    """Return the adversarial families that apply; without arguments, for order 2 and no mask."""
    return tuple(entry.flag for entry in entries_for(_described(dtype, order, mask, 1)))


def _described(dtype: Any, order: int, mask: Any, scale: Any) -> Target:
    return Target(
        lambda *_: None,
        dtype=dtype,
        accumulate="float64",
        order=order,
        mask=mask,
        scale=scale,
        grouped=True,
    )
