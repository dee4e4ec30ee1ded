"""A backward pass as a target of the kit, and what it declares."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field, fields
from typing import Any, ClassVar, NamedTuple

import numpy as np

from kvfloor.conformance.answers import CallError
from kvfloor.conformance.backward.case import BackwardCase
from kvfloor.conformance.backward.differentiation import FRAMEWORKS, pulled_back
from kvfloor.conformance.case import Case
from kvfloor.conformance.declarations import RETURNS, to_layout
from kvfloor.conformance.target import Target
from kvfloor.conformance.truth import find_truth
from kvfloor.errors import InputError, meant
from kvfloor.numbers import Array, BinaryFormat, as_format, shown

__all__ = ["FIXED", "Backward", "Pulled", "as_backward"]

#: What a backward pass does not have: its value, whatever is declared.
FIXED: dict[str, Any] = {
    "returns": RETURNS, "empty": "zero", "sink": False, "softcap": None, "bias": None,
    "skips": False, "quantised": None, "splits": None, "packed": None, "pages": None,
    "padded": None, "stages": None, "bitwise": ("repeat",),
}  # fmt: skip


class Pulled(NamedTuple):
    """What a backward pass returned, in the canonical layout.

    Attributes
    ----------
    query : ndarray, shape (b, h, n_q, d)
    keys, values : tuple of m ndarrays, shapes (b, h_kv, n_r, d) and (b, h_kv, n_r, d_v)
    changed : tuple of str
        The inputs that were not the same after the call.
    """

    query: Array
    keys: tuple[Array, ...]
    values: tuple[Array, ...]
    changed: tuple[str, ...]

    def parts(self) -> dict[str, Array]:
        """The gradients by name: dq, dK, dV; or dK_1, ..., dV_m."""
        return named(self.query, self.keys, self.values)


def named(query: Any, keys: tuple[Any, ...], values: tuple[Any, ...]) -> dict[str, Any]:
    """Return gradients by name: dq, dK, dV; or dq, dK_1, ..., dV_m."""
    ends = [""] if len(keys) == 1 else [f"_{r}" for r in range(1, len(keys) + 1)]
    return (
        {"dq": query}
        | {f"dK{end}": A for end, A in zip(ends, keys, strict=True)}
        | {f"dV{end}": A for end, A in zip(ends, values, strict=True)}
    )


@dataclass(frozen=True, eq=False)
class Backward(Target):
    """A function that returns gradients of attention, and what it declares.

    Parameters
    ----------
    function : callable
        ``f(q, (K1, ...), (V1, ...), cotangent, scale=..., mask=..., output=..., logsumexp=...)``,
        which returns ``dq, (dK1, ...), (dV1, ...)``, or ``dq, dK, dV`` at order 1: gradients of
        Σ cotangent·output, with the outputs and log-sum-exps of the forward pass given. Keys that
        heads share get the sum over these heads.
    differentiable : bool
        Whether the function is a forward pass of PyTorch or JAX instead (``arrays``), called as a
        `Target` is, whose backward pass the kit calls. If it returns a tuple, the first is the
        output.
    reads : tuple of "output", "logsumexp", optional
        What it takes from the forward pass: D = Σ G·out is then made of the output, p = e^(s - l)
        of the log-sum-exp; without them D = Σ p·dP, and p is a softmax of its own. By default
        either is allowed.
    weights : dtype or str, optional
        The format in which p and ds are stored before they meet matrices; else ``accumulate``.
    added : dtype or str, optional
        The format in which the sums of blocks are stored and added up; else ``accumulate``.
    block : int or tuple of m ints, optional
        Queries, and tokens of each slot, in a block: how many sums are added up in ``added``.
        Every number is a sum of its own without one.
    order : int
        m, 1 by default.
    dtype, accumulate, layout, scale, mask, exp_ulps, logsumexp_base, grouped, arrays, domain
        As for `Target`; ``source`` too.

    Raises
    ------
    InputError
        If a declaration is none of those.
    """

    given: ClassVar[tuple[str, ...]] = ("cotangent", "output")
    _: KW_ONLY
    order: int = 1
    differentiable: bool = False
    reads: tuple[str, ...] | None = None
    added: Any = None
    sums: BinaryFormat = field(init=False)

    def __post_init__(self) -> None:
        for name, value in FIXED.items():
            if getattr(self, name) != value:
                expected = f"{value}, as it is a backward pass"
                raise InputError(name, expected, shown(getattr(self, name)))
        super().__post_init__()
        if self.differentiable and self.arrays not in FRAMEWORKS:
            raise InputError("arrays", "torch or jax, as it is differentiable", shown(self.arrays))
        object.__setattr__(self, "reads", _as_reads(self.reads))
        sums = self.arithmetic if self.added is None else as_format(self.added)
        if not self.arithmetic.holds(sums):
            expected = f"a format that {self.arithmetic.name} holds"
            raise InputError("added", expected, sums.name)
        object.__setattr__(self, "sums", sums)

    def case(self, case: Case, cotangent: Any) -> BackwardCase:
        """Return a case with a cotangent, and with the outputs and log-sum-exps that are right.

        Parameters
        ----------
        case : Case
        cotangent : array, shape (b, h, n_q, d_v)
            Rounded to the format of the inputs.
        """
        largest = float(self.inputs.max_finite)
        G = self.inputs.round_array(np.clip(np.asarray(cotangent, np.float64), -largest, largest))
        truth = find_truth(
            case, output=self.inputs, logsumexp=self.arithmetic, base=self.logsumexp_base
        )
        return BackwardCase(
            **{one.name: getattr(case, one.name) for one in fields(Case)},
            cotangent=G.astype(self.inputs.dtype),
            output=truth.output.astype(self.inputs.dtype),
            logsumexp=truth.logsumexp.astype(self.arithmetic.dtype),
            truth=truth,
        )

    def pull_back(self, case: BackwardCase) -> Pulled:
        """Call the function, or the backward pass of a differentiable one.

        Raises
        ------
        CallError
            If it raises, or returns anything but gradients of the right shapes and formats.
        InputError
            If the case is outside of the domain; then it is not called.
        """
        found, _, changed = self._called(case)
        if not isinstance(found, tuple | list) or len(found) != 3:
            raise CallError(f"expected dq, dK and dV, got {type(found).__name__}")
        slots = [
            each if isinstance(each, tuple | list) else (each,) for each in (found[1], found[2])
        ]
        if any(len(each) != self.order for each in slots):
            came = f"{len(slots[0])} and {len(slots[1])}"
            raise CallError(f"expected {self.order} gradients of keys and of values, got {came}")
        keys, values = (
            tuple(
                self._read(A, f"gradient of {name}[{r}]", like.shape)
                for r, (A, like) in enumerate(zip(each, slot, strict=True))
            )
            for each, name, slot in zip(
                slots, ("keys", "values"), (case.keys, case.values), strict=True
            )
        )
        query = self._read(found[0], "gradient of the query", case.query.shape)
        return Pulled(query, keys, values, changed)

    def _arguments(self, case: Case) -> dict[str, Array]:
        """The arrays that the function is given, by name."""
        arrays = super()._arguments(case)
        if isinstance(case, BackwardCase):
            arrays |= {name: to_layout(getattr(case, name), self.layout) for name in self.given}
            rows = to_layout(case.logsumexp[..., None], self.layout)
            arrays["logsumexp"] = rows.squeeze(axis=self.layout.index("d"))
        return arrays

    def _invoke(self, given: dict[str, Any], case: Case) -> Any:
        arrays, options = self._as_called(given, case)
        if self.differentiable:
            return pulled_back(self.arrays, self.function, arrays, options, given["cotangent"])
        forward = {name: given[name] for name in RETURNS}
        return self.function(*arrays, given["cotangent"], **options, **forward)


def as_backward(forward: Target, **declared: Any) -> Backward:
    """Return the backward pass of a differentiable target, with more declared if need be."""
    told = {
        one.name: getattr(forward, one.name)
        for one in fields(Target)
        if one.init and one.name not in FIXED
    }
    return Backward(**(told | {"differentiable": True} | declared))


def _as_reads(reads: Any) -> tuple[str, ...] | None:
    if reads is None:
        return None
    listed = tuple(reads) if isinstance(reads, list | tuple) else (reads,)
    for word in listed:
        if word not in RETURNS:
            expected = "output, logsumexp, both or none of them"
            raise InputError("reads", expected, shown(reads) + meant(str(word), RETURNS))
    return listed
