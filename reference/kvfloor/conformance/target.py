"""The target of the kit: a function, what it declares, and how it is called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from math import sqrt
from typing import Any, ClassVar, NamedTuple

import numpy as np

from kvfloor.attention import INVERSE_SQRT_D, WINDOWS, Base, Intervals, Window, as_scale
from kvfloor.conformance.case import Case, MaskSpec
from kvfloor.conformance.domain import EVERYTHING, MASKS, Domain
from kvfloor.conformance.size import Size
from kvfloor.conformance.terms import TERMS, as_bias_kind, as_cap
from kvfloor.errors import InputError, Terminated, meant
from kvfloor.floors import logit_roundings
from kvfloor.numbers import Array, BinaryFormat, as_count, as_format, shown, to_framework, to_numpy

__all__ = ["ACCUMULATIONS", "Answer", "CallError", "Target"]

ACCUMULATIONS = ("float64", "float32", "float16", "bfloat16")
RETURNS = ("output", "logsumexp")
AXES = "bhnd"
EMPTY = ("zero", "nan")


class CallError(Exception):
    """The function raised, or what it returned is not an answer; the text says which."""


class Answer(NamedTuple):
    """What a function returned, in the canonical layout.

    Attributes
    ----------
    output : ndarray, shape (b, h, n_q, d_v)
    logsumexp : ndarray, shape (b, h, n_q), or None
        If the target returns it.
    changed : tuple of str
        The inputs that were not the same after the call.
    """

    output: Array
    logsumexp: Array | None
    changed: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Target:
    """A function under test and what it declares; its bounds follow from that.

    Parameters
    ----------
    function : callable
        ``f(q, (K1, ...), (V1, ...), scale=..., mask=...)``.
    dtype : dtype or str
        The format of the inputs, one of `kvfloor.numbers.formats.FORMATS`.
    accumulate : dtype or str
        The format of the arithmetic, one of `ACCUMULATIONS`; it holds all numbers of ``dtype``.
    order : int
        m, the slots of keys and values.
    layout : str
        The axes of all arrays: a permutation of "bhnd" (batch, heads, tokens, columns); b or h
        may be left out.
    scale : positive number or "1/sqrt(d)"
        Passed as a float.
    mask : None or "none", "causal", "causal-top-left", `kvfloor.Window` or "boolean"
        What the function is given: the same, or for "boolean" an array (n_q, n_1, ..., n_m).
    returns : ("output",) or ("output", "logsumexp")
        An array, or a pair; in the format of the inputs or that of the arithmetic.
    block : int or tuple of m ints, optional
        Tokens of each slot in a block of an online softmax, which is rescaled after each.
    weights : dtype or str, optional
        The format in which weights are stored before they meet the values; else ``accumulate``.
    exp_ulps : number
        What exp, log and the last quotient are within, in ulps of ``accumulate``.
    logsumexp_base : "e" or 2
        What log-sum-exps are logarithms to.
    empty : "zero" or "nan"
        The output of a row without a tuple; its log-sum-exp is -inf.
    grouped : bool
        Whether several heads of the query may share one of keys and values.
    arrays : str
        What the function is given arrays of: "numpy", "torch", "jax" or a module of the array API.
    domain : Domain
        What it serves; everything by default. It is never called for anything else.
    sink : bool
        Whether it is given a logit for each head, with value zero: ``sink=``, shape (h,), in the
        format of the arithmetic. The log-sum-exp counts it.
    softcap : number, optional
        c, given as ``softcap=``: a logit s becomes c·tanh(s/c), before a bias and a mask.
    bias : None, "alibi" or "array"
        What is added to logits, given as ``bias=``. For "alibi", of order 1, slopes of shape (h,)
        in the format of the arithmetic, times minus the distance of a token from the place of a
        query, as the mask has it. An array has shape (h or 1, n_q, n_1, ..., n_m) and the format
        of the inputs; -inf drops a tuple.
    skips : bool
        Whether it never reads keys and values that no query sees, so that they may be NaN.
    source : str, optional
        ``MODULE:NAME`` that the function was loaded by, for tests to import it by.

    Raises
    ------
    InputError
        If a declaration is none of those.
    """

    needed: ClassVar[str] = "nd"  # axes that a layout has
    function: Callable[..., Any]
    _: KW_ONLY
    dtype: Any
    accumulate: Any
    order: int = 2
    layout: str = AXES
    scale: Any = INVERSE_SQRT_D
    mask: Any = None
    returns: tuple[str, ...] = RETURNS
    block: Any = None
    weights: Any = None
    exp_ulps: Any = 4
    logsumexp_base: Base = "e"
    empty: str = "zero"
    grouped: bool = False
    arrays: str = "numpy"
    domain: Domain = EVERYTHING
    sink: bool = False
    softcap: Any = None
    bias: str | None = None
    skips: bool = False
    source: str | None = None
    inputs: BinaryFormat = field(init=False)
    arithmetic: BinaryFormat = field(init=False)
    stored: BinaryFormat = field(init=False)
    convert: Callable[[Array], Any] = field(init=False)

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise InputError("function", "a callable", shown(self.function))
        as_count(self.order, "order", 1)
        inputs, arithmetic = as_format(self.dtype), as_format(self.accumulate)
        if arithmetic.name not in ACCUMULATIONS:
            raise InputError.among("accumulate", ACCUMULATIONS, arithmetic.name)
        if not arithmetic.holds(inputs):
            raise InputError("accumulate", f"a format that holds {inputs.name}", arithmetic.name)
        derived = {
            "inputs": inputs,
            "arithmetic": arithmetic,
            "stored": arithmetic if self.weights is None else as_format(self.weights),
            "convert": to_framework(self.arrays),
            "scale": self.scale if self.scale == INVERSE_SQRT_D else _as_float(self.scale),
            "mask": _as_mask_declaration(self.mask, self.order),
            "returns": _as_returns(self.returns),
            "block": _as_block(self.block, self.order),
            "softcap": as_cap(self.softcap),
            "bias": as_bias_kind(self.bias, self.order),
        }
        _check_layout(self.layout, self.needed)
        if self.logsumexp_base not in ("e", 2):
            raise InputError("logsumexp_base", '"e" or 2', shown(self.logsumexp_base))
        if self.empty not in EMPTY:
            raise InputError.among("empty", EMPTY, shown(self.empty))
        if self.grouped and "h" not in self.layout:
            raise InputError("grouped", "False, as the layout has no heads", "True")
        if not isinstance(self.exp_ulps, int | float) or not 0 <= self.exp_ulps <= 64:
            raise InputError("exp_ulps", "a number from 0 to 64", shown(self.exp_ulps))
        for name, value in derived.items():
            object.__setattr__(self, name, value)
        self._check_domain()

    def _check_domain(self) -> None:
        """Refuse a declaration of what the domain excludes."""
        domain = self.domain
        if not isinstance(domain, Domain):
            raise InputError("domain", "a kvfloor.conformance.Domain", shown(domain))
        for name, served, declared in (
            ("mask", domain.masks, self.kind),
            ("dtype", domain.formats or (self.inputs.name,), self.inputs.name),
        ):
            if declared not in served:
                raise InputError(name, f"one of the domain: {', '.join(served)}", declared)
        for term in self.terms:
            if term not in domain.terms:
                raise InputError(term, f"none, as the domain's terms are {domain.terms}", "one")
        if self.order not in domain.orders:
            raise InputError("order", f"one of the domain: {domain.orders}", str(self.order))
        lengths = (1,) * self.order
        left_out = domain.excludes(self.fit(Size(1, 1, 1, 1, lengths, 1, 1)))
        if left_out is not None:
            raise InputError("domain", "sizes that go together", left_out)

    @property
    def kind(self) -> str:
        """The kind of the mask, one of `kvfloor.conformance.domain.MASKS`."""
        if self.mask is None:
            return "none"
        return self.mask if isinstance(self.mask, str) else "window"

    @property
    def terms(self) -> tuple[str, ...]:
        """What joins the logits, of `TERMS`."""
        declared = {"sink": self.sink, "softcap": self.softcap, "bias": self.bias}
        return tuple(name for name in TERMS if declared[name])

    @property
    def window(self) -> Window | None:
        """What a query sees, None if that is no window."""
        return self.mask if isinstance(self.mask, Window) else WINDOWS.get(self.kind)

    def logit_roundings(self, d: int) -> int:
        """Roundings on the way of one term of a logit with d columns."""
        return int(logit_roundings(d, self.order))

    @property
    def difference_roundings(self) -> int:
        """Roundings of what is left of a logit once the maximum is subtracted."""
        return 1

    def place(self, place: tuple[int, ...]) -> tuple[int, ...]:
        """Return how reports name (b, h, i), or (b, h, i, c)."""
        return place

    def fit(self, size: Size) -> Size:
        """Return the size nearest to one that is served, in this layout."""
        return self.domain.fit(size, self.layout, grouped=self.grouped)

    def call(self, case: Case) -> Answer:
        """Call the function.

        Raises
        ------
        CallError
            If it raises, or returns anything but arrays of the right shapes and formats.
        InputError
            If the case is outside of the domain; then it is not called.
        """
        return self._answer(*self._called(case))

    def _called(self, case: Case) -> tuple[Any, Case, tuple[str, ...]]:
        """Call the function; return what it returned, the case, and the inputs that it changed."""
        left_out = self.domain.excludes(Size.of(case))
        if left_out is not None:
            raise InputError("case", f"one of the domain {self.domain}", left_out)
        before = self._arguments(case)
        copies = {name: A.copy(order="C") for name, A in before.items()}
        given = {name: self.convert(A) for name, A in copies.items()}
        try:
            with np.errstate(all="ignore"):
                found = self._invoke(given, case)
        except (KeyboardInterrupt, Terminated):
            raise
        except BaseException as error:  # somebody else's code, that may exit or skip
            text = " ".join(str(error).split())
            raise CallError(f"raised {type(error).__name__}: {text}") from error
        changed = tuple(name for name, A in before.items() if A.tobytes() != copies[name].tobytes())
        return found, case, changed

    def _arguments(self, case: Case) -> dict[str, Array]:
        """The arrays that the function is given, by name."""
        arrays = {"query": self._to_layout(case.query)}
        for name, slots in (("keys", case.keys), ("values", case.values)):
            arrays |= {f"{name}[{r}]": self._to_layout(A) for r, A in enumerate(slots)}
        arrays |= case.terms.arrays()
        return arrays | ({"mask": case.mask} if isinstance(case.mask, np.ndarray) else {})

    def _invoke(self, given: dict[str, Any], case: Case) -> Any:
        """Call the function with these arrays, as its framework has them."""
        arrays, options = self._as_called(given, case)
        return self.function(*arrays, **options)

    def _as_called(
        self, given: dict[str, Any], case: Case
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the query, keys and values, and what is told by keyword."""
        keys, values = (
            tuple(given[f"{name}[{r}]"] for r in range(self.order)) for name in ("keys", "values")
        )
        scale = 1 / sqrt(case.query.shape[3]) if case.scale == INVERSE_SQRT_D else case.scale
        mask = given.get("mask", case.mask)
        terms: dict[str, Any] = {name: given[name] for name in TERMS if name in given}
        if self.softcap is not None:
            terms["softcap"] = self.softcap
        return (given["query"], keys, values), {"scale": float(scale), "mask": mask, **terms}

    def _answer(self, found: Any, case: Case, changed: tuple[str, ...]) -> Answer:
        parts = (found,) if self.returns == ("output",) else found
        if not isinstance(parts, tuple | list) or len(parts) != len(self.returns):
            raise CallError(f"expected {' and '.join(self.returns)}, got {type(found).__name__}")
        shape = (*case.query.shape[:3], case.values[0].shape[3])
        output = self._read(parts[0], "output", shape)
        if len(parts) == 1:
            return Answer(output, None, changed)
        return Answer(output, self._read(parts[1], "logsumexp", shape[:3]), changed)

    def _read(self, part: Any, name: str, shape: tuple[int, ...]) -> Array:
        try:
            array = to_numpy(part)
        except (TypeError, ValueError, BufferError) as error:
            raise CallError(f"{name}: cannot be read ({error})") from error
        formats = (self.inputs.name, self.arithmetic.name)
        if array.dtype.name not in formats:
            expected = " or ".join(dict.fromkeys(formats))
            raise CallError(f"{name}: expected {expected}, got {array.dtype.name}")
        axes = [a for a in self.layout if a != "d" or len(shape) == 4]
        expected_shape = tuple(shape[AXES.index(a)] for a in axes)
        if array.shape != expected_shape:
            raise CallError(f"{name}: expected shape {expected_shape}, got {array.shape}")
        order = [axes.index(a) for a in AXES if a in axes]
        return array.transpose(order).reshape(shape)

    def _to_layout(self, array: Array) -> Array:
        """Return a view in the target's layout."""
        absent = tuple(AXES.index(a) for a in AXES if a not in self.layout)
        present = [a for a in AXES if a in self.layout]
        return array.squeeze(axis=absent).transpose([present.index(a) for a in self.layout])


def _as_float(scale: Any) -> float:
    as_scale(scale, 1)
    return float(scale)


def _as_returns(returns: Any) -> tuple[str, ...]:
    listed = tuple(returns) if isinstance(returns, list | tuple) else returns
    if listed not in (RETURNS, RETURNS[:1]):
        words = listed if isinstance(listed, tuple) else (listed,)
        near = next(filter(None, (meant(str(word), RETURNS) for word in words)), "")
        expected = "('output',) or ('output', 'logsumexp')"
        raise InputError("returns", expected, shown(returns) + near)
    result: tuple[str, ...] = listed
    return result


def _as_mask_declaration(mask: Any, order: int) -> MaskSpec | str:
    if mask is None or (isinstance(mask, str) and mask == "none"):
        return None
    if isinstance(mask, Window):
        Intervals.of(mask, 1, 1, (1,) * order)  # which refuses one that is none
        return mask
    if isinstance(mask, str) and mask in MASKS and mask != "window":
        return mask
    expected = "none, causal, causal-top-left, boolean or a kvfloor.Window"
    raise InputError("mask", expected, shown(mask) + meant(str(mask), MASKS))


def _as_block(block: Any, order: int) -> tuple[int, ...] | None:
    if block is None:
        return None
    listed = tuple(block) if isinstance(block, list | tuple) else (block,) * order
    if len(listed) != order:
        raise InputError("block", f"one length or {order}", shown(block))
    return tuple(as_count(length, "block", 1) for length in listed)


def _check_layout(layout: Any, needed: str) -> None:
    if (
        not isinstance(layout, str)
        or len(set(layout)) != len(layout)
        or not set(needed) <= set(layout) <= set(AXES)
    ):
        raise InputError("layout", "the letters n and d, and b, h if there are any", shown(layout))
