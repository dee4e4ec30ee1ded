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
    cotangents: tuple[Any, Any],
    terms: tuple[str, ...] = (),
) -> tuple[Any, ...]:
    """Call a function and pull cotangents back through it.

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
    cotangents : pair of arrays
        In the shapes of the output and of the log-sum-exp, which is the second that is returned;
        None for that if it has none.
    terms : tuple of str
        The options that are differentiated, too.

    Returns
    -------
    tuple
        Gradients of the query, of keys, of values, and of each of the terms.

    Raises
    ------
    TypeError
        If the log-sum-exp has a cotangent, and is not returned.
    """
    query, keys, values = arrays
    m, several = len(keys), cotangents[1] is not None

    def returned(query: Any, *rest: Any) -> tuple[Any, ...]:
        slots, given = rest[: 2 * m], dict(zip(terms, rest[2 * m :], strict=True))
        found = function(query, slots[:m], slots[m:], **(options | given))
        parts = tuple(found) if isinstance(found, tuple | list) else (found,)
        if len(parts) < 1 + several:
            raise TypeError("expected an output and a log-sum-exp, as that has a cotangent")
        return parts[: 1 + several]

    inputs = (query, *keys, *values, *(options[name] for name in terms))
    gradients = FRAMEWORKS[framework](returned, inputs, cotangents[: 1 + several])
    slots = gradients[1 : 2 * m + 1]
    return gradients[0], tuple(slots[:m]), tuple(slots[m:]), *gradients[2 * m + 1 :]


def _by_torch(returned: Callable[..., Any], inputs: tuple[Any, ...], cotangents: Any) -> Any:
    torch = import_module("torch")
    leaves = [A.detach().clone().requires_grad_() for A in inputs]
    found = returned(*leaves)
    given = [G.to(A.dtype) for G, A in zip(cotangents, found, strict=True)]
    return torch.autograd.grad(found, leaves, grad_outputs=given, materialize_grads=True)


def _by_jax(returned: Callable[..., Any], inputs: tuple[Any, ...], cotangents: Any) -> Any:
    found, pull = import_module("jax").vjp(returned, *inputs)
    return pull(tuple(G.astype(A.dtype) for G, A in zip(cotangents, found, strict=True)))


FRAMEWORKS: dict[str, Callable[..., Any]] = {"torch": _by_torch, "jax": _by_jax}
