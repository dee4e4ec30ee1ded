"""The merging of partial states, as a target: attention of order 1 whose logits are given.

A state is an output and a log-sum-exp. Of n of them the merged output is Σ e^(l_i)·o_i / Σ e^(l_i),
and the merged log-sum-exp ln Σ e^(l_i): attention with the query 1, the keys l_i and the values
o_i. So the oracle and the bounds are those of attention. A part that is empty has the log-sum-exp
-inf, and is a tuple that is masked.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field, replace
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
from flint import arb

from kvfloor.attention import Base
from kvfloor.conformance.case import Case, Relation
from kvfloor.conformance.domain import Domain
from kvfloor.conformance.target import Target
from kvfloor.errors import InputError
from kvfloor.numbers import Array, BinaryFormat, arb_precision, as_format, shown

__all__ = ["FIXED", "Merging"]

#: What partial states do not have: its value, whatever is declared.
FIXED: dict[str, Any] = {
    "order": 1, "layout": "bhd", "scale": 1.0, "mask": None, "grouped": False,
    "quantised": None, "splits": None, "packed": None, "pages": None,
    "padded": None, "stages": None,
}  # fmt: skip
NOT_SERVED = {"d": 1, "queries": 1, "groups": 1}
# A product by log₂ e or ln 2 and the factor's own rounding, of a log-sum-exp or of both that are
# subtracted.
BASE_ROUNDINGS = 4
LN_2_BITS = 400


@dataclass(frozen=True, eq=False)
class Merging(Target):
    """A function that merges partial states of attention, and what it declares.

    Parameters
    ----------
    function : callable
        ``f(outputs, logsumexps)``, of shapes (parts, rows, heads, d_v) and (parts, rows, heads);
        returns the same of all parts together, without the first axis.
    dtype, accumulate
        The formats of the outputs, and of the arithmetic.
    logsumexps : dtype or str, optional
        The format of the log-sum-exps that are given; that of the arithmetic by default.
    logsumexp_base : "e" or 2
        What they are logarithms to; those that are returned, too.
    exp_base : "e" or 2, optional
        What is raised to a power; by default the same. Else log-sum-exps are multiplied first.
    block : int, optional
        Parts in a block of one pass, whose sums are rescaled after each.
    empty : "zero" or "nan"
        The output if all parts are empty; its log-sum-exp is -inf.
    skips : bool
        Whether outputs of empty parts are never read, so that they may be NaN; else they are zero.
    domain : Domain
        ``tokens`` are parts, ``batch`` rows; ``d``, ``queries`` and ``groups`` there are not.
    returns, weights, exp_ulps, arrays, source
        As for `Target`.

    Raises
    ------
    InputError
        If a declaration is none of those.
    """

    needed: ClassVar[str] = "d"
    _: KW_ONLY
    order: int = 1
    layout: str = FIXED["layout"]
    scale: Any = 1.0
    logsumexps: Any = None
    exp_base: Base | None = None
    given: BinaryFormat = field(init=False)

    def __post_init__(self) -> None:
        for name, value in FIXED.items():
            if getattr(self, name) != value:
                raise InputError(name, f"{value}, as it merges", shown(getattr(self, name)))
        if not isinstance(self.domain, Domain):
            raise InputError("domain", "a kvfloor.conformance.Domain", shown(self.domain))
        for name, count in NOT_SERVED.items():
            served = getattr(self.domain, name)
            if isinstance(served, str) or count not in served:
                raise InputError(f"domain.{name}", "none, as it merges", str(served))
        object.__setattr__(self, "domain", replace(self.domain, **NOT_SERVED))
        super().__post_init__()
        given = self.arithmetic if self.logsumexps is None else as_format(self.logsumexps)
        if not given.has_infinity:
            raise InputError("logsumexps", "a format that has an infinity", given.name)
        if not self.arithmetic.holds(given):
            raise InputError(
                "accumulate", f"a format that holds {given.name}", self.arithmetic.name
            )
        if set(self.bitwise) - {"repeat"}:
            raise InputError("bitwise", "repeat alone, as it merges", shown(self.bitwise))
        if self.exp_base not in (None, "e", 2):
            raise InputError("exp_base", '"e" or 2', shown(self.exp_base))
        object.__setattr__(self, "given", given)

    @property
    def changes_base(self) -> bool:
        """Whether log-sum-exps are multiplied before anything is raised to a power."""
        return self.exp_base not in (None, self.logsumexp_base)

    def logit_roundings(self, d: int) -> int:  # noqa: ARG002 (there are no products to add up)
        """Roundings of a logit: none, unless the base is changed."""
        return BASE_ROUNDINGS if self.changes_base else 0

    @property
    def difference_roundings(self) -> int:
        """A subtraction, and what changes the base if that comes after."""
        return 3 if self.changes_base else 1

    def case(self, outputs: Any, logsumexps: Any, relation: Relation = "none") -> Case:
        """Return the case of some partial states.

        Parameters
        ----------
        outputs : array, shape (parts, rows, heads, d_v)
            Rounded to the format of the outputs.
        logsumexps : array, shape (parts, rows, heads)
            Rounded to theirs; -inf is an empty part.
        relation
            As in `Case`.
        """
        values = _rounded(self.inputs, np.moveaxis(np.asarray(outputs, np.float64), 0, 2))
        keys = _rounded(self.given, np.moveaxis(np.asarray(logsumexps, np.float64), 0, 2))
        empty = np.isneginf(keys.astype(np.float64))
        return Case(
            np.ones((*keys.shape[:2], 1, 1), self.given.dtype),
            (keys[..., None],),
            (values,),
            Fraction(1) if self.logsumexp_base == "e" else _ln_2(),
            ~empty[:, :, None],
            relation,
        )

    def place(self, place: tuple[int, ...]) -> tuple[int, ...]:
        """Return the row, the head and the column: there is no axis of queries."""
        return place[:2] + place[3:]

    def _arguments(self, case: Case) -> dict[str, Array]:
        """The two arrays that the function is given, by name."""
        return {
            "outputs": np.moveaxis(case.values[0], 2, 0),
            "logsumexps": np.moveaxis(case.keys[0][..., 0], 2, 0),
        }

    def _invoke(self, given: dict[str, Any], case: Case) -> Any:  # noqa: ARG002 (all is given)
        return self.function(given["outputs"], given["logsumexps"])


def _rounded(form: BinaryFormat, array: Array) -> Array:
    """Round to a format; what is not finite stays, and nothing else becomes so."""
    finite = np.isfinite(array)
    largest = float(form.max_finite)
    rounded = form.round_array(np.clip(np.where(finite, array, 0.0), -largest, largest))
    return np.where(finite, rounded, array).astype(form.dtype)


def _ln_2() -> Fraction:
    """Ln 2 to within 2^-399, by which logarithms to base 2 are logits.

    A difference of logits is off by 2^-399 of itself, far below 2^-300 of what its rounding may do.
    """
    with arb_precision(LN_2_BITS + 64):
        man, exp = arb.const_log2().mid().man_exp()
    return Fraction(int(man)) * Fraction(2) ** int(exp)
