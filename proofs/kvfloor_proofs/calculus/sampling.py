"""Points inside the assumptions, with a liking for the ends of every range and for ties."""

from __future__ import annotations

from itertools import islice
from random import Random

from flint import fmpq

from kvfloor.numbers import arb_precision
from kvfloor_proofs.calculus.assumptions import Assumptions, Family, Variable
from kvfloor_proofs.calculus.errors import RuleError
from kvfloor_proofs.calculus.evaluation import PRECISION, Number, Point, evaluate, is_exact, member

__all__ = ["sample_points"]

_ATTEMPTS_PER_POINT = 50

# Short menus on purpose: variables then often take equal values, and ends come up often.
_DISTANCES = (fmpq(0), fmpq(0), fmpq(1, 1000), fmpq(1, 3), fmpq(1), fmpq(2), fmpq(7))
_FRACTIONS = (fmpq(0), fmpq(1), fmpq(1, 1000), fmpq(999, 1000), fmpq(1, 2), fmpq(1, 3))
_ANYWHERE = (fmpq(0), fmpq(1), fmpq(-1), fmpq(2), fmpq(-3), fmpq(1, 3), fmpq(-5, 2))
_INTEGER_SPAN = 4
_MOST_MEMBERS = 40  # of one family, so that a check stays fast


def sample_points(assumptions: Assumptions, count: int, seed: int) -> tuple[Point, ...]:
    """Return pseudo-random points at which all the assumptions hold.

    Real variables are rational unless the end of a range that they depend on is not.

    Raises
    ------
    RuleError
        If they are hard to come by: then the assumptions may well be contradictory.
    """
    random = Random(seed)  # noqa: S311 - no secret: the points are to be reproducible
    attempts = (_sample(assumptions, random) for _ in range(_ATTEMPTS_PER_POINT * count))
    with arb_precision(PRECISION):
        points = list(islice((point for point in attempts if point is not None), count))
    if len(points) < count:
        raise RuleError(f"only {len(points)} of {count} points found inside the assumptions")
    return tuple(points)


def _sample(assumptions: Assumptions, random: Random) -> Point | None:
    point: dict[object, Number] = {}
    for variable in assumptions.variables:
        members = _members(variable, point)
        if len(members) > _MOST_MEMBERS:
            return None
        for one in members:
            value = _value(one, point, random)
            if value is None:
                return None
            point[one.symbol] = value
    return point


def _members(variable: Variable, point: Point) -> list[Variable]:
    if not isinstance(variable, Family):
        return [variable]
    _, first, last = variable.index
    steps = range(int(evaluate(first, point).p), int(evaluate(last, point).p) + 1)
    return [variable.member(member(variable.symbol.base, step)) for step in steps]


def _value(variable: Variable, point: Point, random: Random) -> Number | None:
    """Return a value in the range, None if the range is empty here (or too short to tell)."""
    low: Number = None if variable.low is None else evaluate(variable.low, point)
    high: Number = None if variable.high is None else evaluate(variable.high, point)
    if variable.symbol.is_integer:
        return _integer_value(variable, low, high, random)
    if low is None and high is None:
        return random.choice(_ANYWHERE)
    if high is None:
        return low + random.choice(_DISTANCES[2 * variable.low_open :])
    if low is None:
        return high - random.choice(_DISTANCES[2 * variable.high_open :])
    if not low < high:
        closed = not (variable.low_open or variable.high_open)
        return low if closed and is_exact(low) and low == high else None
    fractions = [
        fraction
        for fraction in _FRACTIONS
        if not (variable.low_open and fraction == 0) and not (variable.high_open and fraction == 1)
    ]
    return low + (high - low) * random.choice(fractions)


def _integer_value(
    variable: Variable, low: Number | None, high: Number | None, random: Random
) -> Number | None:
    if not all(end is None or is_exact(end) for end in (low, high)):
        raise RuleError(f"the range of the integer {variable.symbol} is not rational")
    first = None if low is None else int(low.ceil()) + (variable.low_open and low.q == 1)
    last = None if high is None else int(high.floor()) - (variable.high_open and high.q == 1)
    if first is None:
        first = -_INTEGER_SPAN if last is None else last - _INTEGER_SPAN
    if last is None:
        last = first + _INTEGER_SPAN
    if first > last:
        return None
    ends = {first, last, min(first + 1, last), max(last - 1, first)}
    return fmpq(random.choice([*sorted(ends), random.randint(first, last)]))
