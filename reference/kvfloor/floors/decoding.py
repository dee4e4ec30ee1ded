"""When bits can be decoded, and the floor that follows (L1, L2, T1).

The arithmetic here is rational and generic: called with SymPy symbols in place of numbers, a
function returns the very expression that its claim's derivation ends in, and a test compares the
two. Logarithms never appear: a condition ``margin > ln r`` is returned as the rational ``r``, and
`exceeds_log` decides it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

from flint import arb

from kvfloor.errors import InputError
from kvfloor.numbers import arb_precision, as_fraction, shown, to_fmpq

__all__ = [
    "EtaAlpha",
    "Guarantee",
    "competitors_per_tie",
    "exceeds_log",
    "four_cache",
    "leak",
    "least_multiplier",
    "margin_ratio",
    "threshold",
]


class EtaAlpha(Protocol):
    """Anything with the two numbers of a guarantee; SymPy symbols in the tests."""

    @property
    def eta(self) -> Any:
        """Relative part."""

    @property
    def alpha(self) -> Any:
        """Absolute part."""


@dataclass(frozen=True)
class Guarantee:
    """The guarantee (η, α): every answer ``o`` obeys ``|o - out| <= η·|out| + α`` (D4).

    Parameters
    ----------
    eta, alpha : number
        Relative and absolute part; anything `as_fraction` takes. ``0 <= eta < 1``,
        ``alpha >= 0``.

    Raises
    ------
    InputError
        If a part is out of range.
    """

    eta: Fraction = Fraction(0)
    alpha: Fraction = Fraction(0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "eta", as_fraction(self.eta, "eta"))
        object.__setattr__(self, "alpha", as_fraction(self.alpha, "alpha"))
        if not 0 <= self.eta < 1:
            raise InputError("eta", "a number with 0 <= eta < 1", shown(self.eta))
        if self.alpha < 0:
            raise InputError("alpha", "a number >= 0", shown(self.alpha))

    def separates_bits(self) -> Guarantee:
        """Return self if answers to 0/1 values can differ at all: ``η + 2α < 1`` (L2).

        Raises
        ------
        InputError
            If ``η + 2α >= 1``: then one answer serves both values whatever the margin.
        """
        if self.eta + 2 * self.alpha >= 1:
            raise InputError(
                "guarantee",
                "eta + 2*alpha < 1, or no margin tells 0 from 1",
                f"eta={self.eta}, alpha={self.alpha}",
            )
        return self

    def accepts(self, answer: Fraction, low: Fraction, high: Fraction) -> bool | None:
        """Whether ``answer`` is accurate for a true output in ``[low, high]``.

        Returns None when the enclosure is too wide to decide.
        """
        # |o - y| - η|y| with η < 1 is monotone in y on each side of o: its extremes over an
        # interval lie at the ends and at o.
        points = [low, high, answer] if low < answer < high else [low, high]
        excess = [abs(answer - y) - self.eta * abs(y) - self.alpha for y in points]
        if max(excess) <= 0:
            return True
        return False if min(excess) > 0 else None


def leak(excess: Any) -> Any:
    """λ = E / (1 + E), the weight that is not on the top tuples (L1 `softmax-concentration`).

    Parameters
    ----------
    excess : number
        ``E = Σ exp(-gap) / ties`` over the competitors, at most ``M·exp(-g)/ties``.
    """
    return excess / (1 + excess)


def competitors_per_tie(n: Any, order: Any, self_token: bool) -> Any:
    """M/ties for the family `binary-values`: competitors for each tuple tied at the top (T1).

    One address names ``n**(order-1)`` tuples, all equal in value; ``(n-1)·n**(order-1)`` compete.
    The self token adds ``(n+1)**order - n**order`` tuples of logit 0.
    """
    tied = n ** (order - 1)
    competing = (n - 1) * tied + ((n + 1) ** order - n**order if self_token else 0)
    return competing / tied


def threshold(guarantee: EtaAlpha) -> Any:
    """θ = (1 - η²)/2 - ηα, which parts the answers to 0 from those to 1 (L2 `decode-threshold`).

    It is right for every leak that allows decoding at all, and rational.
    """
    return (1 - guarantee.eta**2) / 2 - guarantee.eta * guarantee.alpha


def margin_ratio(guarantee: EtaAlpha, competitors: Any) -> Any:
    """The r in the condition ``margin > ln r`` for decoding (L2): M(1+η+2α)/(1-η-2α).

    Parameters
    ----------
    guarantee : Guarantee
        With ``η + 2α < 1``.
    competitors : number
        M, or M/ties where tuples tie at the top.

    Raises
    ------
    InputError
        If ``η + 2α >= 1``.
    """
    if isinstance(guarantee, Guarantee):
        guarantee.separates_bits()
    slack = guarantee.eta + 2 * guarantee.alpha
    return competitors * (1 + slack) / (1 - slack)


def four_cache(n: Any, d_v: Any) -> Any:
    """Bits that any (η, α)-accurate cache needs (T1 `four-cache`): n·d_v."""
    return n * d_v


def exceeds_log(margin: Fraction, ratio: Fraction) -> bool:
    """Decide ``margin > ln ratio``; ``ratio = 0`` counts as ``ln 0 = -∞``.

    Always ends: e to a rational other than 0 is irrational, so equality needs ``0 = ln 1``.

    Raises
    ------
    InputError
        If ``ratio`` is negative.
    """
    if ratio < 0:
        raise InputError("ratio", "a number >= 0", str(ratio))
    if ratio == 0 or margin == 0:
        return ratio < 1
    bits = 64
    while True:
        with arb_precision(bits):
            gap = arb(to_fmpq(margin)) - arb(to_fmpq(ratio)).log()
            if gap > 0 or gap < 0:
                return bool(gap > 0)
        bits *= 2


def least_multiplier(margin: Fraction, ratio: Fraction, lift: Fraction = Fraction(0)) -> int:
    """Least whole C >= 1 with ``C·margin > ln ratio + lift``, for an address book's queries.

    The lift, at least 0, is what competitors gain by other entries than addresses (`key-levels`).

    Raises
    ------
    InputError
        If ``margin`` is not positive, or ``ratio`` or ``lift`` negative.
    """
    if margin <= 0:
        raise InputError("margin", "a number > 0", str(margin))
    if lift < 0:
        raise InputError("lift", "a number >= 0", str(lift))
    least = 1
    while not exceeds_log(least * margin - lift, ratio):
        least *= 2
    most = least
    least //= 2  # fails, or is 0
    while most - least > 1:
        middle = (least + most) // 2
        if exceeds_log(middle * margin - lift, ratio):
            most = middle
        else:
            least = middle
    return most
