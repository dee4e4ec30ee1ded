"""T1, T2, T4, T7, S1, S2, S4: every published floor, against n and against d."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from kvfloor.floors import (
    best,
    crossover,
    four_cache,
    least_sign_dimension,
    paired_symbols,
    randomised_four_cache,
    sharp_symbols,
    two_cache,
)
from kvfloor_proofs.html.pictures.panel import Panel, Picture, Series

__all__ = ["FLOORS"]

TOKENS = tuple(2**k for k in range(4, 17))
WIDE = 1024  # d = d_v where dimension is no concern
WINDOW = 1024
DELTA = Fraction(1, 10)  # the paper's probability of failure
DIMENSIONS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 18, 20, 24, 28, 32, 40, 48, 64)
MANY = 4096  # tokens, where the dimension is what changes
NORMS = (Fraction(1, 2), Fraction(1), Fraction(4))  # ρ/d

Curve = tuple[tuple[float, float], ...]


def _panels() -> tuple[Panel, ...]:
    return (_against_n(), _constants(), _against_d(), _regimes())


def _against_n() -> Panel:
    low = 8
    bounds: dict[str, Callable[[int], int]] = {
        "two-cache, any n² rows: n²·d (TMT)": lambda n: int(two_cache(n, WIDE)),
        "four-cache: n·d (TMT; HO25 for order 1)": lambda n: int(four_cache(n, WIDE)),
        f"window of {WINDOW} tokens: W·d (HO25)": lambda n: int(four_cache(min(n, WINDOW), WIDE)),
        f"d = {low}, ρ = d: d·min(n, e^Ω(d)) (TMT v1; HO25)": lambda n: best(n, low, rho=low).bits,
    }
    return Panel(
        "The published floors",
        "tokens n",
        "bits",
        tuple(Series(name, _curve(TOKENS, bound)) for name, bound in bounds.items()),
        "The floor of the two-cache for any rows rises with the square of n, that of the "
        f"four-cache with n. The floor for a window stops at n = {WINDOW}, that for low "
        "dimension with bounded norms much earlier.",
        x_scale="log2",
        y_scale="log",
    )


def _constants() -> Panel:
    """Bits for each of the n·d, so that constants can be seen."""
    bounds: dict[str, Callable[[int], float]] = {
        "keys and values: 2(n−1)(b+d−2), S2": lambda n: sharp_symbols(n, _payload(n), WIDE) / n,
        "both values: 2(n−1)·d, S1": lambda n: paired_symbols(n, WIDE) / n,
        "one value: n·d, T1": lambda n: four_cache(n, WIDE) / n,
        "right with probability 9/10: T1, L4": lambda n: randomised_four_cache(n, WIDE, DELTA) / n,
    }
    return Panel(
        "Their constants, at one bit a symbol",
        "tokens n",
        "bits / (n·d)",
        tuple(
            Series(name, tuple((n, bound(n) / WIDE) for n in TOKENS))
            for name, bound in bounds.items()
        ),
        "Bits divided by n times d. The floor in values alone is 1 and with both values it comes "
        "to 2; with keys it is above 3 for few tokens and falls slowly, as addresses take "
        "more of each key. With errors allowed it is 0.531.",
        x_scale="log2",
    )


def _payload(n: int) -> int:
    """Entries of a key that hold symbols: what signs with a > 3μ for all pairs leave of d."""
    return max(WIDE - least_sign_dimension(n * n, Fraction(1, 3)), 0)


def _against_d() -> Panel:
    norms = [Series(f"ρ = {_norm(kappa)}", _floor(kappa)) for kappa in NORMS]
    return Panel(
        f"Against d, n = {MANY}, norms bounded or not",
        "dimension of the keys d",
        "tokens that can be told apart",
        (Series("norms not bounded", _floor(None)), *norms),
        "How many tokens a proven address book tells apart: the floor is as many times d_v. "
        "Without a bound on norms all of them from d = 2 on. With norms bounded in proportion to "
        "d the curves rise exponentially, earlier for larger norms, until they reach all tokens.",
        x_scale="log2",
        y_scale="log2",
    )


def _norm(kappa: Fraction) -> str:
    """ρ in words."""
    return {Fraction(1, 2): "d/2", Fraction(1): "d"}.get(kappa, f"{kappa}·d")


def _floor(kappa: Fraction | None) -> Curve:
    def addresses(d: int) -> int:
        return best(MANY, d, rho=None if kappa is None else kappa * d).addresses

    return _curve(DIMENSIONS, addresses)


def _regimes() -> Panel:
    kappa = NORMS[0]
    all_tokens = _curve(TOKENS, lambda n: crossover(n, rho_per_dimension=kappa))
    return Panel(
        "The regimes, by n and d",
        "tokens n",
        "dimension of the keys d",
        (
            Series(f"all tokens from here on, if ρ = {_norm(kappa)}", all_tokens),
            Series("d = log₂ n", _curve(TOKENS, lambda n: (n - 1).bit_length())),
        ),
        "Two rising lines part three regimes. Above both all tokens count, n·d_v bits. Between "
        "them, with norms bounded, dimension is low: d_v·min(n, e^Ω(d)) bits. Below log₂ n the "
        "full n·d_v holds only with large norms.",
        x_scale="log2",
        y_scale="log2",
        y_range=(2, 128),
        notes=(
            (512, 64, "all tokens: n·dᵥ"),
            (8192, 21, "low dimension: dᵥ·min(n, e^Ω(d))"),
            (2048, 4, "large norms: n·dᵥ, otherwise low dimension"),
        ),
    )


def _curve(places: tuple[int, ...], bound: Callable[[int], float]) -> Curve:
    return tuple((x, bound(x)) for x in places)


FLOORS = Picture(
    "floors",
    "Every floor against n and d",
    f"Order 2. Above: d = d_v = {WIDE} unless it says otherwise; keys with signs for all n² pairs, "
    "as many as the exact binomial tail asks for. Below: what the codes of `keys` prove in d "
    "dimensions with norms σ·‖q‖·‖k‖ <= ρ, and where the regimes part.",
    (
        "four-cache",
        "two-cache",
        "low-dimension",
        "norm-dimension",
        "sliding-window",
        "value-floor",
        "sharp-floor",
    ),
    _panels,
)
