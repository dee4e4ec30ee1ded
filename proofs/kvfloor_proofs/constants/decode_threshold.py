"""L2 `decode-threshold`: the threshold, the margin that it takes, and how that is decided."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import sympy as sp
from flint import arb
from hypothesis import strategies as st

from kvfloor.errors import InputError
from kvfloor.floors import Guarantee, exceeds_log, least_multiplier, margin_ratio, threshold
from kvfloor.numbers import arb_precision, ball_ends, to_fmpq
from kvfloor_proofs.calculus import Relation
from kvfloor_proofs.claims.decode_threshold import alpha, c, derivations, eta
from kvfloor_proofs.claims.softmax_concentration import g
from kvfloor_proofs.foundations.constants import Constant, assumed, both_sides, concluded
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["constants"]

SYMBOLS = SimpleNamespace(eta=eta, alpha=alpha)


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    zero, one, *_, suffices, needed, zero_by_margin, one_by_margin = derivations()
    below = [(chain, Relation.LT) for chain in (zero, zero_by_margin)]
    above = [(chain, Relation.GT) for chain in (one, one_by_margin)]
    return (
        Constant(
            threshold,
            tuple(
                concluded(chain, sign, lambda: threshold(SYMBOLS)) for chain, sign in below + above
            ),
        ),
        Constant(
            margin_ratio,
            (
                assumed(suffices, g, "low", _ratio, strict=True, through=sp.exp),
                assumed(needed, g, "high", _ratio, strict=False, through=sp.exp),
            ),
        ),
        Constant(exceeds_log, (both_sides("yes below e^margin, no above", property_exceeds),)),
        Constant(
            least_multiplier, (both_sides("C is enough, C - 1 is not", property_least_multiplier),)
        ),
        Constant(
            Guarantee,
            (both_sides("accepts |o - out| <= η|out| + α and no more", property_guarantees),),
        ),
    )


def _ratio() -> sp.Expr:
    return margin_ratio(SYMBOLS, c)


def property_exceeds(data: st.DataObject, tally: Tally) -> None:
    """A margin exceeds ln r for the r just below e^margin, and not for that just above."""
    del tally
    margin = data.draw(st.fractions(0, 40, max_denominator=64), label="margin")
    bits = data.draw(st.integers(64, 300), label="bits")
    with arb_precision(bits + 128):
        low, high = ball_ends(arb(to_fmpq(margin)).exp())
    step = Fraction(1, 2**bits)
    require(exceeds_log(margin, low - step), "no margin over the ratio below e^margin")
    require(not exceeds_log(margin, high + step), "a margin over the ratio above e^margin")
    require(exceeds_log(Fraction(0), Fraction(0)), "ln 0 is not below every margin")
    require(exceeds_log(Fraction(0), 1 - step), "ln r is not below 0 for r < 1")
    require(not exceeds_log(Fraction(0), Fraction(1)), "ln 1 is below 0")


def property_least_multiplier(data: st.DataObject, tally: Tally) -> None:
    """C·margin > ln r, and not (C-1)·margin > ln r, by balls."""
    del tally
    margin = data.draw(st.fractions(Fraction(1, 64), 8), label="margin")
    ratio = data.draw(st.fractions(0, 10**6), label="r")
    C = least_multiplier(margin, ratio)
    require(C >= 1, "C is below 1")
    with arb_precision(256):
        log = arb(to_fmpq(ratio)).log() if ratio > 0 else arb("-inf")
        require(bool(C * arb(to_fmpq(margin)) > log), "C is not enough")
        require(C == 1 or not (C - 1) * arb(to_fmpq(margin)) > log, "C - 1 is enough")
    for refused in (Fraction(0), -margin):
        taken = _is_taken(lambda m=refused: least_multiplier(m, Fraction(1, 2)))
        require(not taken, f"a margin of {refused} is taken")


def property_guarantees(data: st.DataObject, tally: Tally) -> None:
    """Answers at the edge of D4 are accepted, those beyond are not; bits part if η + 2α < 1."""
    del tally
    eta_ = data.draw(st.fractions(0, Fraction(15, 16), max_denominator=16), label="η")
    alpha_ = data.draw(st.fractions(0, 1, max_denominator=16), label="α")
    guarantee = Guarantee(eta_, alpha_)
    if data.draw(st.booleans(), label="at the edge"):
        guarantee = Guarantee(eta_, (1 - eta_) / 2)
    require(_is_taken(guarantee.separates_bits) == _parts(guarantee), "which guarantees part bits")
    y = data.draw(st.fractions(-3, 3, max_denominator=8), label="out")
    reach, beyond = guarantee.eta * abs(y) + guarantee.alpha, Fraction(1, 2**40)
    for side in (-1, 1):
        require(guarantee.accepts(y + side * reach, y, y) is True, "an answer at the edge")
        outside = guarantee.accepts(y + side * (reach + beyond), y, y)
        require(outside is False, "an answer outside of the guarantee")
        either = guarantee.accepts(y + side * reach, *sorted((y, y - side * beyond)))
        require(either is None, "an output at the edge and one beyond it are told apart")
    wide = (reach + 1) / (1 - guarantee.eta)  # both ends are too far, and the answer is between
    undecided = guarantee.accepts(y, y - wide, y + wide)
    require(undecided is None, "an answer is refused though it may be the output itself")
    none = Fraction(0)
    require(Guarantee() == Guarantee(none, none), "by default answers are not exact")
    for bad in ((Fraction(1), none), (-beyond, none), (none, -beyond)):
        require(not _is_taken(lambda bad=bad: Guarantee(*bad)), "a guarantee out of range is taken")
    require(_is_taken(lambda: Guarantee(1 - beyond, none)), "a guarantee in range is refused")


def _parts(guarantee: Guarantee) -> bool:
    """Whether the answers to an output of 0 and to one of 1 have none in common."""
    return guarantee.alpha < 1 - guarantee.eta - guarantee.alpha


def _is_taken(call: object) -> bool:
    try:
        call()  # type: ignore[operator]
    except InputError:
        return False
    return True
