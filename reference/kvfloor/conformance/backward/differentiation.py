"""The backward pass of a function, by the framework that its arrays are of."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

__all__ = ["FRAMEWORKS", "pulled_back"]


def pulled_back(
    framework: str,
    function: Callable[..., Any],
    arrays: tuple[Any, ...],
    options: dict[str, Any],
    cotangent: Any,
) -> tuple[Any, tuple[Any, ...], tuple[Any, ...]]:
    """Call a function and pull a cotangent back through it.

    Parameters
    ----------
    framework : str
        One of `FRAMEWORKS`.
    function : callable
        ``f(query, keys, values, **options)``, which returns outputs, or a tuple that begins so.
    arrays : tuple
        Query, keys and values, the last two as tuples of m arrays.
    options : dict
        What it is told by keyword.
    cotangent : array
        In the shape of the output.

    Returns
    -------
    tuple
        Gradients of the query, of keys and of values.
    """

    def output(query: Any, *slots: Any) -> Any:
        m = len(slots) // 2
        found = function(query, slots[:m], slots[m:], **options)
        return found[0] if isinstance(found, tuple | list) else found

    query, keys, values = arrays
    gradients = FRAMEWORKS[framework](output, (query, *keys, *values), cotangent)
    m = len(keys)
    return gradients[0], tuple(gradients[1 : m + 1]), tuple(gradients[m + 1 :])


def _by_torch(output: Callable[..., Any], inputs: tuple[Any, ...], cotangent: Any) -> Any:
    torch = import_module("torch")
    leaves = [A.detach().clone().requires_grad_() for A in inputs]
    found = output(*leaves)
    return torch.autograd.grad(
        found, leaves, grad_outputs=cotangent.to(found.dtype), materialize_grads=True
    )


def _by_jax(output: Callable[..., Any], inputs: tuple[Any, ...], cotangent: Any) -> Any:
    found, pull = import_module("jax").vjp(output, *inputs)
    return pull(cotangent.astype(found.dtype))


FRAMEWORKS: dict[str, Callable[..., Any]] = {"torch": _by_torch, "jax": _by_jax}
