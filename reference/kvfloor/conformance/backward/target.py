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
from kvfloor.conformance.terms import TERMS
from kvfloor.conformance.truth import find_truth
from kvfloor.errors import InputError, meant
from kvfloor.numbers import Array, BinaryFormat, as_format, shown

__all__ = ["FIXED", "Backward", "Pulled", "as_backward", "named"]

# terms that may have gradients, in the order in which these are returned
DIFFERENTIATED = ("bias", "sink")
#: What a backward pass does not have: its value, whatever is declared.
FIXED: dict[str, Any] = {
    "returns": RETURNS, "empty": "zero", "skips": False, "quantised": None, "splits": None,
    "packed": None, "pages": None, "padded": None, "stages": None, "bitwise": ("repeat",),
}  # fmt: skip


class Pulled(NamedTuple):
    """What a backward pass returned, in the canonical layout.

    Attributes
    ----------
    query : ndarray, shape (b, h, n_q, d)
    keys, values : tuple of m ndarrays, shapes (b, h_kv, n_r, d) and (b, h_kv, n_r, d_v)
    terms : dict of ndarray
        Those of bias and sink by these names, in the shapes that they are given in.
    changed : tuple of str
        The inputs that were not the same after the call.
    """

    query: Array
    keys: tuple[Array, ...]
    values: tuple[Array, ...]
    terms: dict[str, Array]
    changed: tuple[str, ...]

    def parts(self) -> dict[str, Array]:
        """The gradients by name: dq, dK, dV, or dK_1, ..., dV_m; and dbias, dsink."""
        found: dict[str, Array] = named(self.query, self.keys, self.values)
        return found | {f"d{name}": array for name, array in self.terms.items()}


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
        heads share get the sum over these heads. ``sink``, ``softcap``, ``bias`` and
        ``logsumexp_cotangent`` are given by these names if they are declared.
    differentiable : bool
        Whether the function is a forward pass of PyTorch or JAX instead (``arrays``), called as a
        `Target` is, whose backward pass the kit calls. If it returns a tuple, the first is the
        output, and the second the log-sum-exp, if that has a cotangent.
    sink, softcap, bias
        As for `Target`: a backward pass of attention with these.
    gradients : tuple of "bias", "sink", optional
        The terms whose gradients are returned, too, after dV and in this order: each in the shape
        that it is given in, summed over what it is the same for.
    logsumexp_cotangent : bool
        Whether it takes a cotangent of the log-sum-exp, shape (b, h, n_q): gradients are then those
        of Σ cotangent·output + Σ logsumexp_cotangent·logsumexp.
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
    gradients: tuple[str, ...] = ()
    logsumexp_cotangent: bool = False
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
        if self.logsumexp_cotangent and self.logsumexp_base != "e":
            expected = "e, as there are cotangents of natural log-sum-exps"
            raise InputError("logsumexp_base", expected, shown(self.logsumexp_base))
        object.__setattr__(self, "reads", _as_reads(self.reads))
        object.__setattr__(self, "gradients", self._as_gradients())
        sums = self.arithmetic if self.added is None else as_format(self.added)
        if not self.arithmetic.holds(sums):
            expected = f"a format that {self.arithmetic.name} holds"
            raise InputError("added", expected, sums.name)
        object.__setattr__(self, "sums", sums)

    def _as_gradients(self) -> tuple[str, ...]:
        given = self.gradients
        listed = tuple(given) if isinstance(given, list | tuple) else (given,)
        for word in listed:
            if word not in DIFFERENTIATED:
                expected = "bias, sink, both or none of them"
                raise InputError("gradients", expected, shown(given) + meant(str(word), TERMS))
            if not getattr(self, word):
                raise InputError("gradients", f"no {word}, as none is declared", shown(given))
        if "bias" in listed and self.bias != "array":
            raise InputError("gradients", f"no bias, as {self.bias} is none", shown(given))
        return tuple(word for word in DIFFERENTIATED if word in listed)

    def case(self, case: Case, cotangent: Any, logsumexp_cotangent: Any = None) -> BackwardCase:
        """Return a case with cotangents, and with the outputs and log-sum-exps that are right.

        Parameters
        ----------
        case : Case
        cotangent : array, shape (b, h, n_q, d_v)
        logsumexp_cotangent : array, shape (b, h, n_q), optional
            Zeros by default, where one is declared. Both are rounded to the format of the inputs.
        """
        truth = find_truth(
            case, output=self.inputs, logsumexp=self.arithmetic, base=self.logsumexp_base
        )
        g = None
        if self.logsumexp_cotangent:
            zeros = np.zeros(case.query.shape[:3])
            g = self._rounded(zeros if logsumexp_cotangent is None else logsumexp_cotangent)
            g = g.astype(self.arithmetic.dtype)
        return BackwardCase(
            **{one.name: getattr(case, one.name) for one in fields(Case)},
            cotangent=self._rounded(cotangent).astype(self.inputs.dtype),
            output=truth.output.astype(self.inputs.dtype),
            logsumexp=truth.logsumexp.astype(self.arithmetic.dtype),
            truth=truth,
            logsumexp_cotangent=g,
            differentiated=self.gradients,
        )

    def _rounded(self, cotangent: Any) -> Array:
        largest = float(self.inputs.max_finite)
        return self.inputs.round_array(np.clip(np.asarray(cotangent, float), -largest, largest))

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
        names = ["dq", "dK", "dV", *(f"d{name}" for name in self.gradients)]
        if not isinstance(found, tuple | list) or len(found) != len(names):
            told = f"{', '.join(names[:-1])} and {names[-1]}"
            raise CallError(f"expected {told}, got {type(found).__name__}")
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
        given = case.terms.arrays()
        terms = {
            name: self._as_it_is(A, f"gradient of the {name}", given[name].shape)
            for name, A in zip(self.gradients, found[3:], strict=True)
        }
        return Pulled(query, keys, values, terms, changed)

    def _arguments(self, case: Case) -> dict[str, Array]:
        """The arrays that the function is given, by name."""
        arrays = super()._arguments(case)
        if isinstance(case, BackwardCase):
            arrays |= {name: to_layout(getattr(case, name), self.layout) for name in self.given}
            arrays["logsumexp"] = self._by_rows(case.logsumexp)
            if case.logsumexp_cotangent is not None:
                arrays["logsumexp_cotangent"] = self._by_rows(case.logsumexp_cotangent)
        return arrays

    def _by_rows(self, array: Array) -> Array:
        """One number a query, of shape (b, h, n_q), in the layout without columns."""
        rows = to_layout(array[..., None], self.layout)
        return rows.squeeze(axis=self.layout.index("d"))

    def _invoke(self, given: dict[str, Any], case: Case) -> Any:
        arrays, options = self._as_called(given, case)
        cotangents = {name: given[name] for name in ("logsumexp_cotangent",) if name in given}
        if self.differentiable:
            both = given["cotangent"], cotangents.get("logsumexp_cotangent")
            terms = self.gradients
            return pulled_back(self.arrays, self.function, arrays, options, both, terms)
        forward = {name: given[name] for name in RETURNS}
        return self.function(*arrays, given["cotangent"], **options, **forward, **cotangents)


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
