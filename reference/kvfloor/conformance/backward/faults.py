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

__all__ = ["NO_FAULT", "Fault", "faults_of", "plain_gradients"]

Stage = Literal["p", "D", "ds", "products", "sums"]
Part: TypeAlias = tuple[int | None, int | None]
BLOCKS = (16, 32, 64, 128)
ALL: Part = (None, None)


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes
    ----------
    stage : str
        What is wrong first: p, D, ds, products or sums.
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
    of_logsumexp : float
        What the cotangent of the log-sum-exp is multiplied by.
    sloped : bool
        Whether ds has the slope of the cap.
    summed : bool
        Whether the sink is in the sum of weights.
    of_sink : float
        What the gradient of the sink is multiplied by.
    bias_sloped : bool
        Whether the gradient of the bias has the slope of the cap.
    bias_of : int, optional
        Of what the bias is the same for, the one whose gradient it has; by default the sum.
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
    of_logsumexp: float = 1.0
    sloped: bool = True
    summed: bool = True
    of_sink: float = 1.0
    bias_sloped: bool = False
    bias_of: int | None = None


NO_FAULT = Fault("products", "there were none")


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
    yield from _of_terms(case)
    yield from _of_sums(case)


def _of_terms(case: BackwardCase) -> Iterator[Fault]:
    if case.terms.softcap is not None:
        yield Fault("ds", "the slope of the cap were left out", sloped=False)
    if case.logsumexp_cotangent is not None:
        told = "the cotangent of the log-sum-exp were"
        yield Fault("D", f"{told} left out", of_logsumexp=0.0)
        yield Fault("D", f"{told} subtracted", of_logsumexp=-1.0)
    if case.terms.sink is not None:
        yield Fault("p", "the sink were not in the sum of the weights", summed=False)
    if "sink" in case.differentiated:
        yield Fault("sums", "the gradient of the sink had the other sign", of_sink=-1.0)
    if "bias" in case.differentiated:
        if case.terms.softcap is not None:
            told = "the gradient of the bias had the slope of the cap"
            yield Fault("sums", told, bias_sloped=True)
        for one, told in ((0, "first"), (-1, "last")):
            summed = f"the gradient of the bias were the {told} of those that it sums"
            yield Fault("sums", summed, bias_of=one)


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
    right = _weights(_capped(s, case), _kept(case, None), case)
    p = right if _plain(fault) else _faulty(s, sigma, case, fault)
    N = s.shape[3]
    D = (G * (right[..., :N] @ values)).sum(axis=-1, keepdims=True) * fault.delta
    if case.logsumexp_cotangent is not None:
        D = D - fault.of_logsumexp * case.logsumexp_cotangent.astype(np.float64)[..., None]
    dz = G @ values.swapaxes(2, 3) - D
    p, of_sink = p[..., :N], -(p[..., N:] * D).sum(axis=(0, 2, 3)) * fault.of_sink
    dz = dz * p if fault.weighed else np.where(_kept(case, fault.window), dz, 0.0)
    c = case.terms.softcap
    slope = 1.0 if c is None else 1 - np.tanh(s / float(c)) ** 2
    ds = dz * slope if fault.sloped else dz
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
    if "bias" in case.differentiated:
        dz = dz * slope if fault.bias_sloped else dz
        found["dbias"] = _of_bias(dz.reshape(b, h, n_q, *lengths), case, fault)
    return found | ({"dsink": of_sink} if "sink" in case.differentiated else {})


def _of_bias(dz: Array, case: BackwardCase, fault: Fault) -> Array:
    """The gradients of logits, summed over what the bias is the same for."""
    bias = case.terms.bias
    assert bias is not None  # noqa: S101 (it has a gradient)
    axes = (0,) if len(bias) == dz.shape[1] else (0, 1)
    if fault.bias_of is None:
        dz = dz.sum(axis=axes)
    for _ in axes if fault.bias_of is not None else ():
        dz = dz[fault.bias_of]
    return dz.reshape(bias.shape)


def _capped(s: Array, case: BackwardCase) -> Array:
    """Logits of inner products."""
    c, bias = case.terms.softcap, case.terms.bias
    z = s if c is None else float(c) * np.tanh(s / float(c))
    if bias is None:
        return z
    return z + np.where(np.isneginf(bias), 0, bias).astype(np.float64).reshape(
        len(bias), *s.shape[2:]
    )


def _plain(fault: Fault) -> bool:
    """Whether p is right."""
    untouched = replace(fault, window=None, logits=0, base=1.0, normalised=True, summed=True)
    return fault == untouched


def _faulty(s: Array, sigma: float, case: BackwardCase, fault: Fault) -> Array:
    """P with a fault: from the right log-sum-exp, which is that of other logits."""
    kept = _kept(case, None)
    z, sinks = _with_sink(_capped(s, case), kept, case, summed=fault.summed)
    top = np.maximum(z.max(axis=-1, keepdims=True), sinks)
    top = np.where(np.isfinite(top), top, 0.0)
    total = np.exp(z - top).sum(axis=-1, keepdims=True) + np.exp(sinks - top)
    lse = np.where(total > 0, top + np.log(np.where(total > 0, total, 1.0)), 0.0)
    off = lse if fault.normalised else 0.0
    exponents = (_capped(s * sigma**fault.logits, case) - off) * fault.base
    p = np.where(_kept(case, fault.window), np.exp(np.minimum(exponents, 700.0)), 0.0)
    if case.terms.sink is None:
        return p
    _, sinks = _with_sink(z, kept, case)
    of_sink = np.exp(np.minimum((sinks - off) * fault.base, 700.0))
    return np.concatenate([p, np.broadcast_to(of_sink, (*p.shape[:3], 1))], axis=3)


def _weights(z: Array, kept: Mask, case: BackwardCase) -> Array:
    """P, and last that of the sink if there is one."""
    z, sinks = _with_sink(z, kept, case)
    if case.terms.sink is not None:
        z = np.concatenate([z, np.broadcast_to(sinks, (*z.shape[:3], 1))], axis=3)
    top = z.max(axis=-1, keepdims=True)
    e = np.exp(z - np.where(np.isfinite(top), top, 0.0))
    total = e.sum(axis=-1, keepdims=True)
    return np.asarray(e / np.where(total > 0, total, 1.0))


def _with_sink(
    z: Array, kept: Mask, case: BackwardCase, *, summed: bool = True
) -> tuple[Array, Array]:
    """Logits with -inf for what is hidden, and sinks, shape (h, 1, 1), -inf for none."""
    sink = case.terms.sink
    none = np.full((z.shape[1], 1, 1), -np.inf)
    sinks = none if sink is None or not summed else sink.astype(np.float64)[:, None, None]
    return np.where(kept, z, -np.inf), sinks


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
