"""Correctly rounded tensor attention (E2 `correct-rounding-terminates`).

What is asked for is read here; `settling` finds it.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, overload

import numpy as np
import numpy.typing as npt

from kvfloor.attention.fast import device_of
from kvfloor.attention.heads import as_problems, require_answers
from kvfloor.attention.settling import Form, Layers, Progress, settle_all
from kvfloor.attention.terms import Terms
from kvfloor.attention.ziv import Base
from kvfloor.errors import InputError
from kvfloor.numbers import Rounding, as_count, as_format, as_rounding, shown, to_framework_of

__all__ = ["Rounded", "tensor_attention_rounded"]

Empty = Literal["raise", "zero", "nan"]
EMPTY_OUTPUT = {"raise": np.nan, "zero": 0.0, "nan": np.nan}


class Rounded(NamedTuple):
    """Rounded outputs and log-sum-exps.

    Attributes
    ----------
    output : ndarray, shape (..., d_v)
    logsumexp : ndarray, shape (...)
        In nats.
    """

    output: npt.NDArray[Any]
    logsumexp: npt.NDArray[Any]


@overload
def tensor_attention_rounded(
    query: Any,
    keys: Any,
    values: Any,
    *,
    dtype: Any,
    scale: Any = ...,
    mask: Any = ...,
    bias: Any = ...,
    sink: Any = ...,
    softcap: Any = ...,
    rounding: Rounding = ...,
    empty: Empty = ...,
    return_logsumexp: Literal[False] = ...,
    logsumexp_base: Base = ...,
    like: Any = ...,
    layers: Layers | None = ...,
    progress: Progress | None = ...,
    threads: int = ...,
    on: Any = ...,
) -> npt.NDArray[Any]: ...
@overload
def tensor_attention_rounded(
    query: Any,
    keys: Any,
    values: Any,
    *,
    dtype: Any,
    scale: Any = ...,
    mask: Any = ...,
    bias: Any = ...,
    sink: Any = ...,
    softcap: Any = ...,
    rounding: Rounding = ...,
    empty: Empty = ...,
    return_logsumexp: Literal[True],
    logsumexp_base: Base = ...,
    like: Any = ...,
    layers: Layers | None = ...,
    progress: Progress | None = ...,
    threads: int = ...,
    on: Any = ...,
) -> Rounded: ...
def tensor_attention_rounded(
    query: Any,
    keys: Any,
    values: Any,
    *,
    dtype: Any,
    scale: Any = 1,
    mask: Any = None,
    bias: Any = None,
    sink: Any = None,
    softcap: Any = None,
    rounding: Rounding = "nearest",
    empty: Empty = "raise",
    return_logsumexp: bool = False,
    logsumexp_base: Base = "e",
    like: Any = None,
    layers: Layers | None = None,
    progress: Progress | None = None,
    threads: int = 1,
    on: Any = None,
) -> npt.NDArray[Any] | Rounded:
    """Tensor attention of any order m, every number the correctly rounded one.

    Parameters
    ----------
    query : array, shape (..., d), or with heads (..., h, n_q, d)
    keys : sequence of m arrays, ``keys[r]`` of shape (n_r, d), or (..., h_kv, n_r, d)
        Head i of the queries uses head i // (h / h_kv).
    values : sequence of m arrays, ``values[r]`` of shape (n_r, d_v), or (..., h_kv, n_r, d_v)
    dtype : dtype or str
        The format of the result: one of `FORMATS`.
    scale : positive rational or "1/sqrt(d)"
    mask : boolean array, "causal", "causal-top-left" or `Window`, optional
        An array has shape (n_1, ..., n_m) or (..., n_1, ..., n_m), for all queries or for each,
        with heads any that broadcasts to (..., h, n_q, n_1, ..., n_m); True keeps the tuple. The
        others look at the place of a query on the last of its axes before d.
    bias : array, optional
        Added to the logits; -inf drops a tuple. It broadcasts as such a mask does.
    sink : number or array, optional
        One more logit in each row, with value zero; the log-sum-exp counts it. With heads it
        broadcasts to (..., h), else to the axes of the queries before d.
    softcap : positive rational, optional
        c: a logit s becomes c·tanh(s/c), before the bias is added.
    rounding : "nearest", "up", "down" or "zero"
        Ties to even; toward +∞, -∞, 0.
    empty : "raise", "zero" or "nan"
        What the output of a row without a tuple is; its log-sum-exp is -∞ (NaN in a format
        without infinities).
    return_logsumexp : bool
        Also return the log-sum-exp, as a `Rounded`.
    logsumexp_base : "e" or 2
        2 is for kernels that raise 2 to a power.
    like : array of NumPy, PyTorch or JAX, optional
        The result is an array of its framework, on its device.
    layers : Layers, optional
        Counts which layer settled how many numbers.
    progress : function, optional
        Called as ``progress(settled, numbers)`` whenever some more are settled, in the end with two
        equal numbers.
    threads : int
        How many there are for many queries; no result depends on it.
    on : array, optional
        Level (a) runs in the framework of this array, on its device; what it leaves open is settled
        here. No result depends on it.

    Returns
    -------
    array, shape (..., d_v), or Rounded
        Of NumPy without ``like``. An output that is exactly zero is +0; one that rounds to zero
        keeps its sign.

    Raises
    ------
    InputError
        As `tensor_attention` does; for an unknown dtype, rounding, ``empty``, base or ``like``; for
        a device that fails the test of its arithmetic; for a row without a tuple and without a sink
        if ``empty`` is "raise"; under a soft cap, for a number that 2**16 bits do not part from a
        rounding boundary.

    Notes
    -----
    E2 `correct-rounding-terminates`. Inputs that float64 does not hold go to the balls at once.
    Under a soft cap logits are no algebraic numbers: a number is exact where that is plain, but
    that the others are never on a boundary is not proved.
    """
    given = Terms(bias, sink, softcap)
    problems, leading = as_problems(query, keys, values, scale, mask, given)
    target, direction = as_format(dtype), as_rounding(rounding)
    if not isinstance(empty, str) or empty not in EMPTY_OUTPUT:
        raise InputError.among("empty", EMPTY_OUTPUT, repr(empty))
    if not isinstance(return_logsumexp, bool | np.bool_):
        raise InputError("return_logsumexp", "True or False", shown(return_logsumexp))
    if not isinstance(logsumexp_base, str | float | int) or logsumexp_base not in ("e", 2):
        raise InputError("logsumexp_base", '"e" or 2', shown(logsumexp_base))
    if progress is not None and not callable(progress):
        raise InputError("progress", "a function of two numbers, or None", shown(progress))
    if layers is not None and not isinstance(layers, Layers):
        raise InputError("layers", "a Layers or None", shown(layers))
    if empty == "raise":
        require_answers(problems, leading, mask)

    workers = as_count(threads, "threads", 1)
    convert = to_framework_of(like)
    form = Form(target, direction, logsumexp_base, bool(return_logsumexp), EMPTY_OUTPUT[empty])
    numbers = settle_all(problems, form, layers, progress, workers, device_of(on))
    result = numbers.astype(target.dtype).reshape(*leading, -1)
    output = convert(result[..., :-1])
    return Rounded(output, convert(result[..., -1])) if return_logsumexp else output
