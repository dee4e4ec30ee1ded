"""E2 `correct-rounding-terminates`: rounded outputs and log-sum-exps, in every direction."""

from __future__ import annotations

from fractions import Fraction
from math import isfinite
from typing import Any

from hypothesis import strategies as st

from kvfloor.attention import ExactAttention, ExactOutput, tensor_attention_rounded
from kvfloor.numbers import FORMATS, BinaryFormat, as_format
from kvfloor_proofs.claims.correct_rounding_terminates import hard_values, property_hard_cases
from kvfloor_proofs.foundations.constants import Constant, both_sides
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["constants"]


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    return (
        Constant(
            tensor_attention_rounded,
            (
                both_sides("no other number is nearer, by E1", property_hard_cases),
                both_sides("up, down, to zero: the next number is beyond", property_directions),
            ),
        ),
    )


def property_directions(data: st.DataObject, tally: Tally) -> None:
    """Hard cases rounded up, down, to zero, log-sum-exps too: E1 says that the next is beyond."""
    del tally
    target = as_format(data.draw(st.sampled_from(FORMATS), label="format"))
    logits, values = hard_values(data, target)
    keys, columns = [[[s] for s in logits]], [[[v] for v in values]]
    exact = ExactAttention(keys, columns)([1])
    rounding: Any = data.draw(st.sampled_from(("up", "down", "zero")), label="rounding")
    found = tensor_attention_rounded(
        *([1], keys, columns), dtype=target.name, rounding=rounding, return_logsumexp=True
    )
    log = Fraction(logits[0]) if len(logits) == 1 else None
    for rounded, exceeds in (
        (float(found.output[0]), lambda x: _exceeds(exact, x)),
        (float(found.logsumexp), lambda x: exact.logsumexp_exceeds(x) if log is None else log > x),
    ):
        if isfinite(rounded):
            _require_next_beyond(target, rounding, Fraction(rounded), exceeds)


def _exceeds(exact: ExactOutput, x: Fraction) -> bool:
    rational = exact.rational(0)
    return exact.exceeds(0, x) if rational is None else rational > x


def _require_next_beyond(target: BinaryFormat, rounding: Any, y: Fraction, exceeds: Any) -> None:
    if rounding == "zero":  # 0 is below what is above it, and above what is not
        rounding = "down" if exceeds(Fraction(0)) else "up"
    tiny = target.ulp(Fraction(0)) / 4
    if rounding == "up":
        require(not exceeds(y), "a number below what is rounded up")
        before = target.round(y - tiny, "down")  # no number, below the least
        require(not isfinite(before) or exceeds(Fraction(before)), "the number before is enough")
    else:
        after = target.round(y + tiny, "up")  # no number, above the largest
        require(not isfinite(after) or not exceeds(Fraction(after)), "the next one is not beyond")
        require(exceeds(y) or _is(y, exceeds), "a number above what is rounded down")


def _is(y: Fraction, exceeds: Any) -> bool:
    """Whether what is rounded is y, to within 2^-1200, as it is a hard case's rational or not."""
    return bool(exceeds(y - Fraction(1, 2**1200)))
