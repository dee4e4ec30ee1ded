"""What joins the logits: a soft cap, a bias, a sink; what a target declares, what a case has."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from kvfloor.errors import InputError, meant
from kvfloor.numbers import Array, as_fraction, shown

__all__ = ["BIASES", "NO_TERMS", "TERMS", "Joined", "alibi", "as_bias_kind", "as_cap", "slopes_of"]

TERMS = ("sink", "softcap", "bias")
BIASES = ("alibi", "array")


class Joined(NamedTuple):
    """The terms of one case.

    Attributes
    ----------
    sink : ndarray, shape (h,), or None
        A logit for each head, with value zero.
    softcap : number or None
        c: a logit s becomes c·tanh(s/c), before the bias.
    bias : ndarray, shape (h or 1, n_q, n_1, ..., n_m), or None
        Added to the logits; -inf drops a tuple.
    slopes : ndarray, shape (h,), or None
        Those that the bias was made of, which the function is given in its place.
    """

    sink: Array | None = None
    softcap: Any = None
    bias: Array | None = None
    slopes: Array | None = None

    @property
    def any(self) -> bool:
        """Whether there is any of them."""
        return any(term is not None for term in self)

    @property
    def arguments(self) -> dict[str, Any]:
        """What the oracle takes."""
        return {"sink": self.sink, "softcap": self.softcap, "bias": self.bias}

    def arrays(self) -> dict[str, Array]:
        """The arrays that a function is given, by name."""
        given = {"sink": self.sink, "bias": self.bias if self.slopes is None else self.slopes}
        return {name: array for name, array in given.items() if array is not None}

    def of(self, rows: list[int]) -> Joined:
        """Return those of some queries."""
        return self if self.bias is None else self._replace(bias=self.bias[:, rows])


NO_TERMS = Joined()


def alibi(slopes: Array, n_q: int, n: int, *, top_left: bool) -> Array:
    """Return the bias -slope·|i - j|, shape (h, n_q, n), query i standing where the mask has it.

    That is at i + n - n_q, or at i from the top left. Exact in float64 for slopes of float32.
    """
    places = np.arange(n_q)[:, None] + (0 if top_left else n - n_q)
    distances = np.abs(places - np.arange(n)).astype(np.float64)
    return np.asarray(-slopes.astype(np.float64)[:, None, None] * distances)


def slopes_of(heads: int) -> Array:
    """The usual slopes, 2^(-8/h) and its powers."""
    return np.asarray(2.0 ** (-8 * np.arange(1, heads + 1) / heads))


def as_bias_kind(bias: Any, order: int) -> str | None:
    """Return the kind of bias that is declared; `InputError` if there is none, or not so many."""
    if bias is None:
        return None
    if bias not in BIASES:
        raise InputError("bias", "alibi or array", shown(bias) + meant(str(bias), BIASES))
    if bias == "alibi" and order != 1:
        raise InputError("bias", "array, as there are several slots", "'alibi'")
    return str(bias)


def as_cap(softcap: Any) -> float | None:
    """Return the soft cap as a float; `InputError` if it is no positive number."""
    if softcap is None:
        return None
    expected = "a positive number"
    try:
        c = float(as_fraction(softcap, "softcap"))
    except InputError as error:
        raise InputError("softcap", expected, error.got) from None
    if not 0 < c < np.inf:
        raise InputError("softcap", expected, shown(softcap))
    return c
