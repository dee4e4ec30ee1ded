"""Builders of cases for keys and values in few bits."""

from __future__ import annotations

from typing import Any

import numpy as np

from kvfloor.conformance.case import Case
from kvfloor.conformance.draft import Draft, NoCase, Tensors
from kvfloor.conformance.quantised import Codes, Quantised, Stored
from kvfloor.conformance.target import Target
from kvfloor.conformance.tiles import FEW
from kvfloor.numbers import Array, as_format

__all__ = [
    "beyond_scale_blocks",
    "end_codes",
    "no_blocks",
    "no_zero_points",
    "not_stored",
    "scale_blocks",
    "scales",
    "several",
    "zero_points",
]

STEPS = 5  # sizes of what shares a scale: powers of two around 1


def not_stored(target: Target) -> str:
    """Why there are no codes; empty if there are."""
    return "" if target.quantised else "nothing is quantised"


def no_zero_points(target: Target) -> str:
    """Why there are no zero points; empty if there are."""
    none = "" if target.quantised and target.quantised.zero_point else "there are no zero points"
    return not_stored(target) or none


def no_blocks(target: Target) -> str:
    """Why no scale is of a block of tokens; empty if one is."""
    per = target.quantised.per if target.quantised else ""
    return not_stored(target) or ("" if per == "block" else f"there is a scale for each {per}")


def several(_: Target) -> dict[str, Any]:
    """Several heads and rows, each with scales of its own."""
    return {"batch": 3, "kv_heads": 4}


def scales(draft: Draft) -> list[Case]:
    """Heads, rows and tokens of different sizes, those of values the other way round."""
    tensors = draft.tensors()
    tensors.query /= 2
    for K, V in zip(tensors.keys, tensors.values, strict=True):
        K[:] *= _sizes(K.shape[:3], 1)
        V[:] *= 32 * _sizes(V.shape[:3], -1)
    return [draft.case(tensors)]


def _sizes(shape: tuple[int, ...], sign: int) -> Array:
    """Powers of two for each row, head and token, neighbours different."""
    steps = np.indices(shape).sum(axis=0) % STEPS - STEPS // 2
    return np.asarray(2.0 ** (sign * steps))[..., None]


def zero_points(draft: Draft) -> list[Case]:
    """Numbers around something else than zero, above it and below."""
    tensors = draft.tensors()
    tensors.query /= 4
    for K, V in zip(tensors.keys, tensors.values, strict=True):
        signs = np.indices(K.shape[:3]).sum(axis=0) % 2 * 2 - 1
        K[:] += 2 * signs[..., None]
        V[:] -= 6 * signs[..., None]
    above = Tensors(tensors.query, [K + 4 for K in tensors.keys], [V + 4 for V in tensors.values])
    return [draft.case(tensors), draft.case(above)]


def end_codes(draft: Draft) -> list[Case]:
    """Codes at the ends alone, and least ones; zero points at either end."""
    case, quantised = draft.case(draft.tensors()), draft.target.quantised
    if case.stored is None or quantised is None:
        raise NoCase("nothing is quantised")
    rng = draft.generator(4)
    query, *slots = case.stored
    keys, values = (tuple(_spread(quantised, part, rng) for part in some) for some in slots)
    query = None if query is None else _spread(quantised, query, rng)
    return [case.with_codes(Stored(query, keys, values))]


def _spread(quantised: Quantised, part: Codes, rng: np.random.Generator) -> Codes:
    least, largest = quantised.ends
    if quantised.codes.kind in "iu":
        chosen: list[float] = [least, largest, least, largest, least + 1, 0]
    else:
        form = as_format(quantised.stored)
        tiny = 2.0 ** (form.min_exponent - form.precision + 1)
        chosen = [least, largest, -tiny, tiny, -0.0, largest / 2]
    codes = rng.choice(np.array(chosen), part.codes.shape).astype(quantised.codes)
    zeros = part.zeros
    if zeros is not None:
        ends = rng.choice(np.array([least, largest]), zeros.shape).astype(zeros.dtype)
        zeros = quantised.same(ends)
    scales = quantised.same(np.full(part.scales.shape, 1 / largest).astype(part.scales.dtype))
    return Codes(codes, scales, zeros, part.block)


def beyond_scale_blocks(target: Target) -> dict[str, Any]:
    """Two blocks of tokens and one more."""
    block = (target.quantised.block if target.quantised else None) or 1
    return FEW | {"d": 8, "d_v": 6, "lengths": (2 * block + 1,) * target.order}


def scale_blocks(draft: Draft) -> list[Case]:
    """Lengths on both sides of a block of one scale, and of two."""
    m, block = draft.target.order, draft.target.quantised and draft.target.quantised.block
    n = block or 1
    sizes = ({"lengths": (length,) * m} for length in (max(1, n - 1), n, n + 1, 2 * n, 2 * n + 1))
    cases = []
    for sized in draft.with_sizes(*sizes):
        tensors = sized.tensors()
        for K, V in zip(tensors.keys, tensors.values, strict=True):
            place = np.arange(K.shape[2])[:, None] // n
            K[:] *= 2.0**-place
            V[:] *= 4.0**place
        cases.append(sized.case(tensors))
    return cases
