"""What level (a) takes for granted of its logits, which are in bits: how far off, how large."""

from __future__ import annotations

from kvfloor.attention.fast.arithmetic import gamma
from kvfloor.attention.fast.exponential import EXPONENT_LIMIT
from kvfloor.attention.fast.operands import Prepared

__all__ = ["LN2_ABOVE", "logit_error", "logit_limit"]

LN2_ABOVE = 0.6932  # rounded up


def logit_error(prepared: Prepared) -> float:
    """Relative to ‖A_i‖·‖K_m[j]‖: d roundings in the sum, and one in each of m + 1 factors."""
    return gamma(len(prepared.key_exponents) + len(prepared.key_slots) + 1)


def logit_limit(prepared: Prepared) -> float:
    """Logits whose error stays below 2**-12, inside the range of `exp2_single`."""
    return min(0.99 * EXPONENT_LIMIT, 2.0**-12 / logit_error(prepared))
