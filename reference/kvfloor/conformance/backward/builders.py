"""Builders of cases of the backward pass: cotangents at full scale, and what they single out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import log
from typing import Any

import numpy as np

from kvfloor.conformance import extents
from kvfloor.conformance.backward.target import Backward
from kvfloor.conformance.builders import drawn, ladder
from kvfloor.conformance.case import Case
from kvfloor.conformance.draft import Draft, Float, NoCase, Tensors
from kvfloor.conformance.tiles import FEW
from kvfloor.errors import InputError

__all__ = [
    "at_block_ends",
    "cancelling_cotangents",
    "empty_and_full",
    "equal_values",
    "few_and_large",
    "full_blocks",
    "full_cotangent",
    "full_rows",
    "group_sums",
    "head_sizes",
    "large_cotangents",
    "long_sums",
    "long_tokens",
    "many_rows",
    "offset_values",
    "one_column",
    "one_row",
    "permuted_queries",
    "pulled",
    "small_cotangents",
    "unseen_tokens",
    "untouched_inputs",
    "with_cotangents",
    "zero_cotangent",
]

BLOCK = 16  # the least of a block of queries, or of tokens
LENGTHS = (127, 129, 257, 513)
NARROWER = ((128, 96), (128, 80), (192, 64))  # columns of keys, and fewer of values
FULL = (16, 64, 128)  # sizes that blocks divide
LARGE = (14, 20)  # powers of two: beyond thousands, and beyond what float16 holds
FAR = 32.0  # values about that are all alike but for 1


def pulled(build: Callable[[Draft], list[Case]]) -> Callable[[Draft], list[Case]]:
    """Return the builder of the same cases, each with a cotangent at full scale."""

    def builder(draft: Draft) -> list[Case]:
        return [with_cotangents(draft, case, full_cotangent(draft, case)) for case in build(draft)]

    return builder


def _backward(draft: Draft) -> Backward:
    target = draft.target
    assert isinstance(target, Backward)  # noqa: S101 (its entries are for nothing else)
    return target


def with_cotangents(
    draft: Draft, case: Case, cotangent: Float, of_lse: Float | None = None
) -> Case:
    """The case with cotangents; every gradient of it is compared.

    That of the log-sum-exp is by default as large as that of the output, row by row.

    Raises
    ------
    NoCase
        If what is right cannot be told, as logits are too far beyond a soft cap.
    """
    if of_lse is None:
        drawn_rows = draft.numbers(draft.generator(6), cotangent.shape[:3])
        of_lse = drawn_rows * np.abs(cotangent).max(axis=3)
    try:
        return _backward(draft).case(replace(case, rows=None), cotangent, of_lse)
    except InputError as error:
        if error.argument != "softcap":
            raise
        raise NoCase("logits are so far beyond the cap that none can tell what is right") from error


def full_cotangent(draft: Draft, case: Case) -> Float:
    """A cotangent of size 1: that of a sum of outputs by weights, not of a mean."""
    shape = (*case.query.shape[:3], case.values[0].shape[3])
    return draft.numbers(draft.generator(5), shape)


def _drawn(draft: Draft) -> Case:
    (case,) = drawn(draft)
    return case


def _places(count: int) -> list[int]:
    """The first, the last, and one between."""
    return sorted({0, count // 2, count - 1})


def one_row(draft: Draft) -> list[Case]:
    """The cotangent of one query alone: others add nothing, and get nothing."""
    case = _drawn(draft)
    G, cases = full_cotangent(draft, case), []
    for i in _places(G.shape[2]):
        cotangent = np.zeros_like(G)
        cotangent[:, :, i] = G[:, :, i] + 1
        cases.append(with_cotangents(draft, case, cotangent))
    return cases


def one_column(draft: Draft) -> list[Case]:
    """The cotangent of one column alone: dV has no other, and dP and D are one product."""
    case = _drawn(draft)
    G, cases = full_cotangent(draft, case), []
    for c in _places(G.shape[3]):
        cotangent = np.zeros_like(G)
        cotangent[..., c] = G[..., c] + 1
        cases.append(with_cotangents(draft, case, cotangent))
    return cases


def at_block_ends(draft: Draft) -> list[Case]:
    """Cotangents of the first and last queries of blocks, then of no others; tokens likewise."""
    case = _drawn(draft)
    G = full_cotangent(draft, case)
    i = np.arange(G.shape[2])
    ends = (i % BLOCK == 0) | (i % BLOCK == BLOCK - 1) | (i == len(i) - 1)
    rows = ends[:, None]
    return [with_cotangents(draft, case, np.where(some, G, 0.0)) for some in (rows, ~rows)]


def head_sizes(draft: Draft) -> list[Case]:
    """Columns of keys and of values as models have them, and values narrower than keys."""
    size = draft.size
    changes = ({"d": min(d, size.d), "d_v": min(d_v, size.d_v)} for d, d_v in NARROWER)
    cases = extents.head_sizes(draft)
    cases += [case for sized in draft.with_sizes(*changes) for case in drawn(sized)]
    return [with_cotangents(draft, case, full_cotangent(draft, case)) for case in cases]


def group_sums(draft: Draft) -> list[Case]:
    """Each head of a group has a cotangent of its own size; then they nearly cancel."""
    case = _drawn(draft)
    G = full_cotangent(draft, case)
    b, h, n_q, d_v = G.shape
    group = h // case.keys[0].shape[1]
    each = G.reshape(b, h // group, group, n_q, d_v)
    sizes = 4.0 ** np.arange(group)[:, None, None]
    query = case.query.reshape(b, h // group, group, n_q, -1)
    alike = replace(case, query=np.repeat(query[:, :, :1], group, axis=2).reshape(case.query.shape))
    signs = np.where(np.arange(group) % 2, -1.0, 1.0)[:, None, None]
    opposite = np.repeat(each[:, :, :1], group, axis=2) * signs
    return [
        with_cotangents(draft, case, (each * sizes).reshape(G.shape)),
        with_cotangents(draft, alike, opposite.reshape(G.shape)),
    ]


def full_blocks(draft: Draft) -> list[Case]:
    """As many queries as tokens, all blocks full, each token outweighing those before it."""
    cases = []
    for n in sorted({min(n, draft.size.queries) for n in FULL}):
        sized = draft.with_size(queries=n, lengths=(n, *draft.size.lengths[1:]))
        cases.append(sized.case(ladder(sized, ascending=True)))
    return [with_cotangents(draft, case, full_cotangent(draft, case)) for case in cases]


def full_rows(target: Any) -> dict[str, Any]:
    """As many queries and tokens as are visited, of the first slot."""
    others = (2,) * (target.order - 1)
    return FEW | {"queries": FULL[-1], "lengths": (FULL[-1], *others), "d": 4, "d_v": 3}


def many_rows(target: Any) -> dict[str, Any]:
    """Four blocks of queries and one more, and of tokens as many."""
    n = 4 * BLOCK + 1
    return FEW | {"queries": n, "lengths": (n,) + (2,) * (target.order - 1), "d": 4, "d_v": 3}


def few_and_large(target: Any) -> dict[str, Any]:
    """The longest that is visited, of queries and of tokens in turn."""
    others = (2,) * (target.order - 1)
    return FEW | {"queries": LENGTHS[-1], "lengths": (LENGTHS[-1], *others)}


def long_tokens(draft: Draft) -> list[Case]:
    """Many tokens for two queries, then many queries for three tokens; the last weighs half."""
    most, cases = draft.size, []
    lengths = sorted({min(n, most.lengths[0]) for n in LENGTHS})
    queries = sorted({min(n, most.queries) for n in LENGTHS})
    changes = [{"queries": 2, "lengths": (n, *most.lengths[1:])} for n in lengths]
    changes += [{"queries": n, "lengths": (3, *most.lengths[1:])} for n in queries]
    for sized in draft.with_sizes(*changes):
        tensors = sized.tensors()
        logits = sized.numbers(sized.generator(1), (sized.size.lengths[0],))
        logits[-1] = log(max(2, len(logits)))
        tensors.set_logits(logits, sized.sigma)
        case = sized.case(tensors, mask=sized.everything())
        G = full_cotangent(sized, case)
        G[:, :, -1] += np.sqrt(G.shape[2])
        cases.append(with_cotangents(sized, case, G))
    return cases


def long_sums(draft: Draft) -> list[Case]:
    """One large term, then many of one sign that a narrow running sum would lose one by one.

    Over queries for dK and dV, over tokens for dq.
    """
    small = 2.0 ** -(min(draft.target.inputs.precision, 12) + 0.5)
    cases = []
    for over in ("queries", "tokens"):
        count = 48 * max(3, draft.size.lengths[0])
        lengths = ((count if over == "tokens" else 3), *draft.size.lengths[1:])
        queries = count if over == "queries" else 2
        sized = draft.with_size(batch=1, kv_heads=1, group=1, queries=queries, lengths=lengths)
        tensors = sized.tensors()
        tensors.query[:] = np.abs(tensors.query) / 8 + 0.25
        for A in (*tensors.keys, *tensors.values):
            A[:] = np.abs(A) + 0.25
        case = sized.case(tensors, mask=sized.everything())
        G = np.abs(full_cotangent(sized, case)) + 0.5
        if over == "queries":
            G[:, :, 1:] *= small
        cases.append(with_cotangents(sized, case, G))
        if over == "tokens":
            cases.append(with_cotangents(sized, sized.case(_two_levels(sized, tensors)), G))
    return cases


def _two_levels(draft: Draft, tensors: Tensors) -> Tensors:
    """Values of the first token are below, those of all others above: ds are of two signs."""
    V = tensors.values[0]
    V[:, :, 0], V[:, :, 1:] = -4, 1 + V[:, :, 1:] / 64
    gap = min(draft.target.inputs.precision + 0.5, 12) * log(2)
    logits = np.full(V.shape[2], -gap)
    logits[0] = 0
    tensors.set_logits(logits, draft.sigma, noise=1 / 64)
    for K in tensors.keys:
        K[..., 1:] = np.abs(K[..., 1:]) + 0.25
    return tensors


def equal_values(draft: Draft) -> list[Case]:
    """All values are alike, so dq and dK are zero; then they differ where the cotangent is zero."""
    tensors = draft.tensors()
    for V in tensors.values:
        V[:] = V[:, :, :1]
    case = draft.case(tensors)
    cases = [with_cotangents(draft, case, full_cotangent(draft, case))]
    if draft.size.d_v > 1:
        first = draft.tensors(1)
        for V in first.values:
            V[..., 1:] = V[:, :, :1, 1:]
        case = draft.case(first)
        G = full_cotangent(draft, case)
        G[..., 0] = 0
        cases.append(with_cotangents(draft, case, G))
    return cases


def zero_cotangent(draft: Draft) -> list[Case]:
    """No cotangent at all, then none for half of the queries."""
    case = _drawn(draft)
    G = full_cotangent(draft, case)
    half = np.arange(G.shape[2])[:, None] % 2 == 0
    return [with_cotangents(draft, case, some) for some in (0 * G, np.where(half, G, 0.0))]


def unseen_tokens(draft: Draft) -> list[Case]:
    """Tokens that no query sees, which get nothing; and queries that see one token alone."""
    if draft.size.lengths[0] < 3:
        raise NoCase("there are too few tokens to hide some")
    mask = draft.everything()
    mask[:, [0, -1]] = False
    one = np.zeros_like(mask)
    one.reshape(len(one), -1)[np.arange(len(one)), np.arange(len(one)) % one[0].size] = True
    cases = [draft.case(draft.tensors(), mask=some) for some in (mask, one)]
    return [with_cotangents(draft, case, full_cotangent(draft, case)) for case in cases]


def empty_and_full(draft: Draft) -> list[Case]:
    """Rows without any tuple have large cotangents: the first, the last, every third; then all."""
    some = draft.generator(2).random((draft.size.queries, *draft.size.lengths)) < 0.5
    some.reshape(len(some), -1)[:, -1] = True
    some[0] = some[-1] = some[::3] = False
    cases = [draft.case(draft.tensors(), mask=mask) for mask in (some, np.zeros_like(some))]
    return [with_cotangents(draft, case, 8 * full_cotangent(draft, case)) for case in cases]


def large_cotangents(draft: Draft) -> list[Case]:
    """Cotangents of thousands, and of millions, by powers of two that the formats hold."""
    target = draft.target
    room = min(float(target.inputs.max_finite), float(target.arithmetic.max_finite) / 2**12) / 64
    case = _drawn(draft)
    powers = sorted({min(power, int(np.log2(room))) for power in LARGE})
    G = full_cotangent(draft, case)
    return [with_cotangents(draft, case, G * 2.0**power) for power in powers]


def small_cotangents(draft: Draft) -> list[Case]:
    """Cotangents far below any tolerance that is absolute; rows of sizes that differ."""
    least = draft.target.inputs.min_exponent
    case = _drawn(draft)
    G = full_cotangent(draft, case)
    rows = 2.0 ** -(np.arange(G.shape[2])[:, None] % 6)
    return [with_cotangents(draft, case, G * rows * 2.0 ** max(-30, least + 8))]


def cancelling_cotangents(draft: Draft) -> list[Case]:
    """The later half of the queries is nearly the first, with opposite cotangents: sums cancel."""
    tensors = draft.tensors()
    half = tensors.query.shape[2] // 2
    if not half:
        raise NoCase("there is one query")
    tensors.query[:, :, half : 2 * half] = tensors.query[:, :, :half] * (1 + 2.0**-6)
    case = draft.case(tensors, mask=draft.everything())
    G = 8 * full_cotangent(draft, case)
    G[:, :, half : 2 * half] = -G[:, :, :half]
    G[:, :, 2 * half :] = 0
    return [with_cotangents(draft, case, G)]


def offset_values(draft: Draft) -> list[Case]:
    """Values that are large and nearly alike: so are dP and D, and what is left is small."""
    tensors = draft.tensors()
    far = min(FAR, float(draft.target.inputs.max_finite) / 8)
    tensors.values[0][:] += far
    for V in tensors.values[1:]:
        V[:] = 1
    case = draft.case(tensors)
    return [with_cotangents(draft, case, np.abs(full_cotangent(draft, case)) + 0.5)]


def permuted_queries(draft: Draft) -> list[Case]:
    """The same queries and cotangents in another order."""
    tensors = draft.tensors()
    case = draft.case(tensors, mask=draft.everything())
    G = full_cotangent(draft, case)
    order = draft.generator(1).permutation(G.shape[2])
    tensors.query[:] = tensors.query[:, :, order]
    other = draft.case(tensors, mask=draft.everything())
    return [with_cotangents(draft, case, G), with_cotangents(draft, other, G[:, :, order])]


def untouched_inputs(draft: Draft) -> list[Case]:
    """The inputs before and after."""
    case = draft.case(draft.tensors(), relation="inputs")
    return [with_cotangents(draft, case, full_cotangent(draft, case))]
