"""The target of the kit: a function, what it declares, and how it is called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import partial
from math import sqrt
from typing import Any, ClassVar, cast

import numpy as np

from kvfloor.attention import INVERSE_SQRT_D, WINDOWS, Base, Window
from kvfloor.conformance.answers import Answer, CallError
from kvfloor.conformance.case import Case
from kvfloor.conformance.declarations import (
    AXES,
    RETURNS,
    as_bitwise,
    as_block,
    as_float,
    as_mask_declaration,
    as_packed,
    as_padded,
    as_returns,
    as_splits,
    check_domain,
    check_layout,
    check_quantised,
    check_sequences,
    check_stages,
    to_layout,
)
from kvfloor.conformance.domain import EVERYTHING, Domain
from kvfloor.conformance.packed import SLACK, owned_arrays, unpack
from kvfloor.conformance.quantised import Quantised
from kvfloor.conformance.size import Size
from kvfloor.conformance.terms import TERMS, as_bias_kind, as_cap
from kvfloor.conformance.views import copied
from kvfloor.errors import InputError, Terminated, slots_told
from kvfloor.floors import logit_roundings
from kvfloor.numbers import Array, BinaryFormat, as_count, as_format, shown, to_framework, to_numpy

__all__ = ["ACCUMULATIONS", "STAGES", "Target"]

ACCUMULATIONS = ("float64", "float32", "float16", "bfloat16")
EMPTY = ("zero", "nan")
#: On the way to an output, in order.
STAGES = ("logits", "capped", "masked", "weights")
#: What a function may be given besides, by name: one array, or one for each slot.
OF_CALLS = (*TERMS, "query_scales", "query_zeros", "query_offsets")
OF_SLOTS = (
    "key_scales", "value_scales", "key_zeros", "value_zeros", "key_offsets", "block_tables",
    "lengths", "key_masks",
)  # fmt: skip


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
    quantised : Quantised, optional
        How keys and values are stored. Then they are codes, and it is given ``key_scales=`` and
        ``value_scales=`` besides, and ``key_zeros=`` and ``value_zeros=`` if there are zero points:
        m arrays each, of shape () for a tensor, (h_kv,) for heads, else that of keys without
        columns, of tokens or of their blocks. ``dtype`` is that of the query and of outputs.
    packed : tuple of "empty", "slack", optional
        That sequences of unequal lengths are packed one after another, in a layout without b:
        it is given ``query_offsets=``, shape (b + 1,), and ``key_offsets=``, m of these. Some may
        be "empty"; buffers may have "slack" after the last.
    pages : int, optional
        Tokens of a page, in which keys and values are: pools with pages in place of the batch, the
        first axis if the layout has no b. It is given ``block_tables=``, m arrays of shape
        (b, pages), and ``lengths=``, m of shape (b,).
    padded : tuple of "left", "right", "empty", optional
        Where keys and values of a batch may be padded, and that whole sequences may be. It is given
        ``key_masks=``, m arrays of booleans of shape (b, n_r): False is padding, which no query of
        that row sees, besides what the mask hides.
    skips : bool
        Whether it never reads keys and values that no query sees, so that they may be NaN.
    bitwise : tuple of "repeat", "row-alone", "row-moved", "splits"
        Calls that return the same bits: a second one, a row of the batch alone, at another place,
        with other splits.
    splits : int or tuple of int, optional
        Into how many parts it can be told to split the tokens, by ``splits=``, the usual one first.
    stages : callable, optional
        Called as the function is, at order 1, with ``stage=`` besides, one of `STAGES`: returns
        logits, those under a cap, with bias and -inf for what is hidden, or weights: n columns.
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
    quantised: Quantised | None = None
    packed: Any = None
    pages: int | None = None
    padded: Any = None
    skips: bool = False
    bitwise: Any = ("repeat",)
    splits: Any = None
    stages: Callable[..., Any] | None = None
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
            "scale": self.scale if self.scale == INVERSE_SQRT_D else as_float(self.scale),
            "mask": as_mask_declaration(self.mask, self.order),
            "returns": as_returns(self.returns),
            "block": as_block(self.block, self.order),
            "softcap": as_cap(self.softcap),
            "bias": as_bias_kind(self.bias, self.order),
            "bitwise": as_bitwise(self.bitwise, self.splits),
            "splits": as_splits(self.splits),
            "packed": as_packed(self.packed),
            "padded": as_padded(self.padded),
        }
        check_layout(self.layout, self.needed)
        check_quantised(self.quantised, arithmetic)
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
        check_sequences(self)
        check_domain(self)
        check_stages(self)

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

    @property
    def batched(self) -> bool:
        """Whether a call may have a batch, or sequences."""
        return "b" in self.axes

    @property
    def axes(self) -> str:
        """The layout; with an axis of sequences, or of pages, where it has none but they are."""
        return self.layout if self.packed is None else f"b{self.layout}"

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
        return self.domain.fit(size, self.axes, grouped=self.grouped)

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

    def call_stage(self, case: Case, stage: str) -> Array:
        """Return one of `STAGES`, shape (b, h, n_q, n).

        Raises
        ------
        CallError
            If the function raises, or returns no such array.
        """
        function = partial(cast("Callable[..., Any]", self.stages), stage=stage)
        found, _, _ = replace(self, function=function)._called(case)
        return self._read(found, stage, (*case.query.shape[:3], *case.lengths))

    def _called(self, case: Case) -> tuple[Any, Case, tuple[str, ...]]:
        """Call the function; return what it returned, the case, and the inputs that it changed."""
        for size in Size.all_of(case):
            left_out = self.domain.excludes(size)
            if left_out is not None:
                raise InputError("case", f"one of the domain {self.domain}", left_out)
        before = self._arguments(case)
        copies, given = copied(before, case.view, self.convert)
        try:
            with np.errstate(all="ignore"):
                found = self._invoke(given, case)
        except (KeyboardInterrupt, Terminated):
            raise
        except BaseException as error:  # somebody else's code, that may exit or skip
            text = " ".join(str(error).split())
            told = slots_told(type(error), str(error), self.order)
            raise CallError(f"raised {type(error).__name__}: {text}{told}") from error
        changed = tuple(name for name, A in before.items() if A.tobytes() != copies[name].tobytes())
        return found, case, changed

    def _arguments(self, case: Case) -> dict[str, Array]:
        """The arrays that the function is given, by name."""
        layouts = {"rows": self.layout, "pool": self.axes}
        owned = owned_arrays(case, packed=self.packed is not None, page=self.pages)
        arrays = {
            name: to_layout(A, layouts[kind]) if kind in layouts else A for name, A, kind in owned
        }
        if case.stored is not None and self.quantised is not None:
            for name, each in self.quantised.arguments(case.stored):
                arrays[name] = to_layout(each, self.layout) if each.ndim == 3 else each
        arrays |= {f"key_masks[{r}]": M for r, M in enumerate(case.key_masks or ())}
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
        slots = {
            name: tuple(given[f"{name}[{r}]"] for r in range(self.order))
            for name in ("keys", "values", *OF_SLOTS)
            if f"{name}[0]" in given
        }
        scale = 1 / sqrt(case.query.shape[3]) if case.scale == INVERSE_SQRT_D else case.scale
        mask = given.get("mask", case.mask)
        terms: dict[str, Any] = {name: given[name] for name in OF_CALLS if name in given}
        terms |= {name: arrays for name, arrays in slots.items() if name in OF_SLOTS}
        if self.softcap is not None:
            terms["softcap"] = self.softcap
        if case.splits is not None:
            terms["splits"] = case.splits
        arrays = given["query"], slots["keys"], slots["values"]
        return arrays, {"scale": float(scale), "mask": mask, **terms}

    def _answer(self, found: Any, case: Case, changed: tuple[str, ...]) -> Answer:
        parts = (found,) if self.returns == ("output",) else found
        if not isinstance(parts, tuple | list) or len(parts) != len(self.returns):
            told = f"expected {' and '.join(self.returns)}, as declared (returns)"
            raise CallError(f"{told}, got {type(found).__name__}")
        shape = (*case.query.shape[:3], case.values[0].shape[3])
        queries = [n_q for n_q, *_ in case.owned]
        if self.packed is not None:
            total = sum(queries) + (SLACK if case.slack else 0)
            shape = (1, shape[1], total, shape[3])
        shapes = (shape, shape[:3])
        read = [self._read(*each) for each in zip(parts, self.returns, shapes, strict=False)]
        if self.packed is not None:
            read = [unpack(array, queries) for array in read]
        return Answer(read[0], read[1] if len(read) > 1 else None, changed)

    def _read(self, part: Any, name: str, shape: tuple[int, ...]) -> Array:
        """Read an array of shape (b, h, n, d) or (b, h, n) that came in the layout."""
        axes = [a for a in self.layout if a != "d" or len(shape) == 4]
        array = self._as_it_is(part, name, tuple(shape[AXES.index(a)] for a in axes))
        order = [axes.index(a) for a in AXES if a in axes]
        return array.transpose(order).reshape(shape)

    def _as_it_is(self, part: Any, name: str, shape: tuple[int, ...]) -> Array:
        """Read an array of some shape."""
        try:
            array = to_numpy(part)
        except (TypeError, ValueError, BufferError) as error:
            raise CallError(f"{name}: cannot be read ({error})") from error
        formats = (self.inputs.name, self.arithmetic.name)
        if array.dtype.name not in formats:
            expected = " or ".join(dict.fromkeys(formats))
            raise CallError(f"{name}: expected {expected}, got {array.dtype.name}")
        if array.shape != shape:
            raise CallError(f"{name}: expected shape {shape}, got {array.shape}")
        return array
