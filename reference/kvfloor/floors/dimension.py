"""The best proven floor for given n, d and norms: which code, at which angle (T4, S4).

A spherical code of k keys at angle θ, with ``σ·‖q‖·‖k‖ = ρ``, has margin ρ(1 - cos θ). So it
gives a floor of k·d_v bits once ``ρ(1 - cos θ) > ln((k-1)(1+η+2α)/(1-η-2α))``. Part of a code is
a code: only the keys in use count, as competitors and as bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import Any, Literal

from flint import arb, fmpq

from kvfloor.errors import InputError
from kvfloor.floors.bisection import last
from kvfloor.floors.caps import greedy_size
from kvfloor.floors.decoding import Guarantee, exceeds_log, four_cache, margin_ratio
from kvfloor.floors.levels import equal_room, most_levels
from kvfloor.floors.retrieval import symbol_bits
from kvfloor.floors.symbols import symbol_ratio
from kvfloor.numbers import arb_precision, as_count, as_fraction, as_positive, to_fmpq

__all__ = ["BestFloor", "Regime", "best", "crossover"]

Regime = Literal["all tokens", "large norms", "low dimension"]

_GRID = 1024  # greedy codes are tried at cos θ = j/1024: between two of them less is proved


@dataclass(frozen=True)
class BestFloor:
    """A proven floor and what proves it.

    Attributes
    ----------
    bits : int
        ``addresses·d_v`` symbols: every (η, α)-accurate cache needs so many bits.
    addresses : int
        How many of the n tokens can be told apart.
    code : str
        The family of L5; `parabola` only where norms are not bounded.
    angle : str
        θ of the code in use; empty for `parabola`.
    regime : str
        "all tokens": n·d_v with d >= log₂ n, TMT's Ω(nd) at d = Ω(log n). "large norms": n·d_v in
        fewer dimensions, paid for with norms (S4). "low dimension": less than n·d_v, as in HO25's
        and TMT v1's d·min(n, e^Ω(d)).
    """

    bits: int
    addresses: int
    code: str
    angle: str
    regime: Regime


def best(
    n: int,
    d: int,
    *,
    rho: Any,
    eta: Any = 0,
    alpha: Any = 0,
    d_v: int | None = None,
    levels: int = 2,
) -> BestFloor:
    """Return the best floor that the codes of L5 prove.

    Parameters
    ----------
    n, d : int
        Tokens and dimension of the keys, at least 1.
    rho : number or None
        Bound on σ·‖q‖·‖k‖, in nats, at least 0; None if norms are not bounded.
    eta, alpha : number
        The guarantee, η + 2α < 1.
    d_v : int, optional
        Columns of the values; by default d.
    levels : int
        Of an entry of the values, with equal room between neighbours (`value-levels`); two are
        bits.

    Returns
    -------
    BestFloor
        It grows with n, d and ρ and falls with η and α, weakly.

    Raises
    ------
    InputError
        If a number is out of range, or the guarantee too weak for the levels.

    Notes
    -----
    T4 `low-dimension`, S4 `norm-dimension`.
    """
    n, d = as_count(n, "n", 1), as_count(d, "d", 1)
    d_v = d if d_v is None else as_count(d_v, "d_v", 1)
    ratio = _ratio(Guarantee(eta, alpha), as_count(levels, "levels", 2))
    if rho is None:
        found = iter([_unbounded(n, d)])
    else:
        rho = as_fraction(rho, "rho")
        if rho < 0:
            raise InputError("rho", "a number >= 0, or None", str(rho))
        found = _candidates(n, d, rho, ratio)
        if not exceeds_log(2 * rho, ratio):
            found = islice(found, 1)  # not even two opposite keys: all serve one
    addresses, code, angle = max(found, key=lambda candidate: candidate[0])
    bits = symbol_bits(four_cache(addresses, d_v), levels)
    return BestFloor(bits, addresses, code, angle, _regime(n, d, addresses))


def _ratio(guarantee: Guarantee, levels: int) -> Fraction:
    """What the margin is to exceed the logarithm of, with a single competitor (L2, S1)."""
    if levels == 2:
        return Fraction(margin_ratio(guarantee, Fraction(1)))
    room = Fraction(equal_room(guarantee, levels))
    if room <= 0:
        most = most_levels(guarantee, levels)
        raise InputError("levels", f"at most the {most} that answers tell apart", str(levels))
    return Fraction(symbol_ratio(guarantee, Fraction(1), room))


def crossover(n: int, *, rho_per_dimension: Any, eta: Any = 0, alpha: Any = 0) -> int:
    """Return the least d from which on all n tokens count, where ρ is proportional to d (T4).

    Below it the floor is exponential in d, above it n·d_v.

    Parameters
    ----------
    n : int
        Tokens, at least 1.
    rho_per_dimension : number
        ρ/d > 0.
    eta, alpha : number
        The guarantee, η + 2α < 1.

    Raises
    ------
    InputError
        If a number is out of range.
    """
    kappa = as_positive(rho_per_dimension, "rho_per_dimension")

    def short(d: int) -> bool:
        return best(n, d, rho=kappa * d, eta=eta, alpha=alpha).addresses < n

    most = 1
    while short(most):
        most *= 2
    return last(most, lambda d: d == 0 or short(d)) + 1


Candidate = tuple[int, str, str]


def _unbounded(n: int, d: int) -> Candidate:
    """Points on a parabola need two dimensions; on a line only the two ends stand out (S4)."""
    return (n, "parabola", "") if d >= 2 else (min(n, 2), "binary-keys", "arccos(-1)")


def _candidates(n: int, d: int, rho: Fraction, ratio: Fraction) -> Iterator[Candidate]:
    for size, cosine, name in _rational_codes(n, d):
        keys = min(n, size)
        yield _most(keys, rho * (1 - cosine), ratio), name, f"arccos({cosine})"
    if d >= 2:
        keys = last(n, lambda k: _polygon_separates(k, rho, ratio))
        yield keys, "polygon", f"2π/{keys}"
        yield from _greedy(n, d, rho, ratio)


def _rational_codes(n: int, d: int) -> Iterator[tuple[int, Fraction, str]]:
    """Size, cosine and name of the explicit codes in at most d dimensions."""
    for a in range(1, min(d, (n - 1).bit_length()) + 1):
        yield 2**a, 1 - Fraction(2, a), "binary-keys"
    yield 2 * d, Fraction(0), "signed-axes"
    if d >= 3:
        yield 2 * d * (d - 1), Fraction(1, 2), "roots-d"
    if d >= 8:
        yield 240, Fraction(1, 2), "roots-e8"


def _most(keys: int, margin: Fraction, ratio: Fraction) -> int:
    """The largest k <= keys with ``margin > ln((k-1)·ratio)``; one key needs no margin."""
    return last(keys, lambda k: exceeds_log(margin, (k - 1) * ratio))


def _polygon_separates(k: int, rho: Fraction, ratio: Fraction) -> bool:
    """Decide ``rho·(1 - cos(2π/k)) > ln((k-1)·ratio)``.

    Always ends: the left side is algebraic, and e to an algebraic number other than 0 is not.
    """
    if k == 1 or rho == 0:
        return k == 1 or exceeds_log(rho, (k - 1) * ratio)
    bits = 64
    while True:
        with arb_precision(bits):
            margin = arb(to_fmpq(rho)) * (1 - arb.cos_pi_fmpq(fmpq(2, k)))
            gap = margin - arb(to_fmpq((k - 1) * ratio)).log()
            if gap > 0 or gap < 0:
                return bool(gap > 0)
        bits *= 2


def _greedy(n: int, d: int, rho: Fraction, ratio: Fraction) -> Iterator[Candidate]:
    """Greedy codes: the widest of which every key can be used, and the next one, of which part."""

    def whole(j: int) -> bool:
        keys = greedy_size(d, Fraction(j, _GRID), n)
        return exceeds_log(rho * (1 - Fraction(j, _GRID)), (keys - 1) * ratio)

    # The size grows and the margin falls with j, so this holds up to some j and no further.
    widest = last(_GRID - 1, whole) if whole(0) else 0
    for j in {widest, min(widest + 1, _GRID - 1)}:
        cosine = Fraction(j, _GRID)
        keys = greedy_size(d, cosine, n)
        yield _most(keys, rho * (1 - cosine), ratio), "greedy", f"arccos({cosine})"


def _regime(n: int, d: int, addresses: int) -> Regime:
    if addresses < n:
        return "low dimension"
    return "all tokens" if d >= (n - 1).bit_length() else "large norms"
