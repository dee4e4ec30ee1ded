"""A plain backward pass in float64, with one fault or none: what a wrong one is compared with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import log
from typing import Any, Literal, TypeAlias

import numpy as np

from kvfloor.attention import WINDOWS, Mask, Window
from kvfloor.conformance.backward.case import BackwardCase
from kvfloor.conformance.backward.target import named
from kvfloor.conformance.case import kept_tuples
from kvfloor.numbers import Array

__all__ = ["NONE", "Fault", "faults_of", "plain_gradients"]

Stage = Literal["p", "D", "ds", "products"]
Part: TypeAlias = tuple[int | None, int | None]
BLOCKS = (16, 32, 64, 128)
ALL: Part = (None, None)


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes
    ----------
    stage : str
        What is wrong first: p, D, ds or products.
    told : str
        What it is as if.
    window : Window or "none", optional
        The mask of p; by default that of the case.
    logits : int
        The power of the scale that logits are multiplied by besides.
    base : float
        ln of what is raised to powers.
    normalised : bool
        Whether the log-sum-exp is subtracted.
    delta : float
        What D is multiplied by.
    weighed : bool
        Whether ds has its factor p.
    query, keys : int
        Those that dq and dK are.
    heads : pair of the first and the end, as slices have them
        Which query heads of a group add to dK and dV.
    mean : bool
        Whether these are divided by how many there are.
    interleaved : bool
        Whether query head i reads keys i % h_kv.
    queries, tokens : pair likewise
        Which queries add to dK and dV, and which tokens of slot 1 to dq.
    """

    stage: Stage
    told: str
    window: Window | Literal["none"] | None = None
    logits: int = 0
    base: float = 1.0
    normalised: bool = True
    delta: float = 1.0
    weighed: bool = True
    query: int = 0
    keys: int = 0
    heads: Part = ALL
    mean: bool = False
    interleaved: bool = False
    queries: Part = ALL
    tokens: Part = ALL


NONE = Fault("products", "there were no fault")


def faults_of(case: BackwardCase) -> Iterator[Fault]:
    """Yield the faults that are known and make a difference for a case, the likelier first."""
    yield from _of_masks(case)
    yield Fault("D", "D were left out", delta=0.0)
    yield Fault("D", "D were added", delta=-1.0)
    yield Fault("D", "D were taken twice", delta=2.0)
    yield Fault("ds", "ds had no factor p", weighed=False)
    for power, told in ((-1, "had no scale"), (1, "had the scale twice")):
        yield Fault("products", f"dq and dK {told}", query=power, keys=power)
        yield Fault("products", f"dq {told}", query=power)
        yield Fault("products", f"dK {told}", keys=power)
        yield Fault("p", f"logits {told}", logits=power)
    yield Fault("p", "2 were raised to powers", base=log(2))
    yield Fault("p", "powers of 2 were powers of e", base=1 / log(2))
    yield Fault("p", "the log-sum-exp were left out", normalised=False)
    yield from _of_sums(case)


def _of_masks(case: BackwardCase) -> Iterator[Fault]:
    if case.mask is None:
        for name, each in WINDOWS.items():
            yield Fault("p", f"the mask were {name}", window=each)
        return
    yield Fault("p", "there were no mask", window="none")
    window = _window(case)
    if window is None:
        return
    corner = "bottom right" if window.top_left else "top left"
    other = window._replace(top_left=not window.top_left)
    yield Fault("p", f"the mask began at the {corner}", window=other)
    turned = window._replace(left=window.right, right=window.left)
    yield Fault("p", "the sides of the window were swapped", window=turned)
    if isinstance(window.right, int):
        for right, told in ((window.right + 1, "more"), (window.right - 1, "less")):
            if right >= 0:
                wider = window._replace(right=right)
                yield Fault("p", f"each query saw one token {told}", window=wider)


def _of_sums(case: BackwardCase) -> Iterator[Fault]:
    if case.query.shape[1] > case.keys[0].shape[1]:
        yield Fault("products", "one head of a group added to dK and dV", heads=(None, 1))
        yield Fault("products", "the last head of a group added to dK and dV", heads=(-1, None))
        yield Fault("products", "dK and dV were means over a group", mean=True)
        yield Fault("p", "query head i read the keys i % h_kv", interleaved=True)
    n_q, n = case.query.shape[2], case.lengths[0]
    for some, told in _ends(n_q):
        yield Fault("products", f"{told} did not add to dK and dV".format("query"), queries=some)
    for some, told in _ends(n):
        yield Fault("products", f"{told} did not add to dq".format("token"), tokens=some)


def _ends(n: int) -> Iterator[tuple[Part, str]]:
    """What is left of n of them without the last, the first, or a last block that is not full."""
    if n > 1:
        yield (None, -1), "the last {}"
        yield (1, None), "the first {}"
    full = {n // block * block for block in BLOCKS} - {0, n - 1, n}
    for first in sorted(full, reverse=True):
        yield (None, first), f"what begins at {{}} {first}"


def plain_gradients(case: BackwardCase, fault: Fault) -> dict[str, Array]:
    """Return the gradients that a backward pass with a fault returns, by name."""
    b, h, n_q, _ = case.query.shape
    h_kv, lengths = case.keys[0].shape[1], case.lengths
    reads = np.arange(h) % h_kv if fault.interleaved else np.arange(h) // (h // h_kv)
    query, G = (A.astype(np.float64) for A in (case.query, case.cotangent))
    K, V = ([A.astype(np.float64)[:, reads] for A in slots] for slots in (case.keys, case.values))
    keys, values = _products(K), _products(V)
    sigma = float(case.sigma.factor) * float(case.sigma.root) ** 0.5
    s = query @ keys.swapaxes(2, 3) * sigma
    right = _weights(s, _kept(case, None))
    p = right if _plain(fault) else _faulty(s, sigma, case, fault)
    D = (G * (right @ values)).sum(axis=-1, keepdims=True) * fault.delta
    ds = G @ values.swapaxes(2, 3) - D
    ds = ds * p if fault.weighed else np.where(_kept(case, fault.window), ds, 0.0)
    table = ds.reshape(b, h, n_q, *lengths)[:, :, :, slice(*fault.tokens)]
    some = keys.reshape(b, h, *lengths, -1)[:, :, slice(*fault.tokens)]
    dq = table.reshape(b, h, n_q, -1) @ some.reshape(b, h, -1, keys.shape[3]) * sigma
    rows = slice(None), slice(None), slice(*fault.queries)
    dK = _columns(ds[rows] * sigma ** (1 + fault.keys), query[rows], K)
    dV = _columns(p[rows], G[rows], V)

    def summed(each: Array) -> Array:
        split = each.reshape(b, h_kv, -1, *each.shape[2:])
        if fault.interleaved:
            split = each.reshape(b, -1, h_kv, *each.shape[2:]).swapaxes(1, 2)
        chosen = split[:, :, slice(*fault.heads)].sum(axis=2)
        return np.asarray(chosen / split.shape[2] if fault.mean else chosen)

    found: dict[str, Array] = named(
        dq * sigma**fault.query, tuple(map(summed, dK)), tuple(map(summed, dV))
    )
    return found


def _plain(fault: Fault) -> bool:
    """Whether p is right."""
    untouched = replace(fault, window=None, logits=0, base=1.0, normalised=True)
    return fault == untouched


def _faulty(s: Array, sigma: float, case: BackwardCase, fault: Fault) -> Array:
    """P with a fault: from the right log-sum-exp, which is that of other logits."""
    kept = _kept(case, None)
    top = np.where(kept, s, -np.inf).max(axis=-1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    total = np.where(kept, np.exp(s - top), 0.0).sum(axis=-1, keepdims=True)
    lse = np.where(total > 0, top + np.log(np.where(total > 0, total, 1.0)), 0.0)
    exponents = s * sigma**fault.logits - (lse if fault.normalised else 0.0)
    p = np.exp(np.minimum(exponents * fault.base, 700.0))
    return np.where(_kept(case, fault.window), p, 0.0)


def _weights(s: Array, kept: Mask) -> Array:
    top = np.where(kept, s, -np.inf).max(axis=-1, keepdims=True)
    e = np.where(kept, np.exp(s - np.where(np.isfinite(top), top, 0.0)), 0.0)
    total = e.sum(axis=-1, keepdims=True)
    return np.asarray(e / np.where(total > 0, total, 1.0))


def _window(case: BackwardCase) -> Window | None:
    if isinstance(case.mask, str):
        return WINDOWS[case.mask]
    return None if case.mask is None or isinstance(case.mask, np.ndarray) else Window(*case.mask)


def _kept(case: BackwardCase, window: Any) -> Mask:
    """Which tuples p keeps, shape (b or 1, h or 1, n_q, N)."""
    n_q, lengths = case.query.shape[2], case.lengths
    if window is None:
        kept = case.kept
    else:
        kept = None if window == "none" else kept_tuples(window, n_q, lengths)
    if kept is None:
        kept = np.ones((1, 1, n_q, *lengths), dtype=np.bool_)
    kept = kept.reshape((1,) * (3 + len(lengths) - kept.ndim) + kept.shape)
    return kept.reshape(*kept.shape[:3], -1)


def _products(arrays: list[Array]) -> Array:
    """Rows of the Khatri-Rao product, the last slot fastest."""
    rows = arrays[0]
    for A in arrays[1:]:
        rows = (rows[:, :, :, None] * A[:, :, None]).reshape(*rows.shape[:2], -1, A.shape[3])
    return rows


def _columns(table: Array, rows: Array, arrays: list[Array]) -> tuple[Array, ...]:
    """Σ_b rows_bc Σ_{t: t_r = j} table_bt·Π_{s≠r} A_s, for each slot r."""
    lengths = [A.shape[2] for A in arrays]
    whole = table.swapaxes(2, 3) @ rows
    found = []
    for r in range(len(arrays)):
        others = _products([A if s != r else np.ones_like(A) for s, A in enumerate(arrays)])
        axes = tuple(2 + s for s in range(len(arrays)) if s != r)
        found.append((whole * others).reshape(*whole.shape[:2], *lengths, -1).sum(axis=axes))
    return tuple(found)
