"""How far the outputs of a carrying model may be off by its arithmetic alone (E3 `forward-error`).

Assumed, beside the model of E3 in float32: sums in any order; exp within `EXP_ULPS` units in the
last place, which is the weakest that PyTorch's attention on processors uses; the reciprocal root of
norms within two. Nothing overflows. A weight, or its product by a value, that underflows is off by
the least normal number, as if it were flushed.
"""

from __future__ import annotations

from fractions import Fraction

from flint import arb

from kvfloor.adapters.carrying import ModelShape
from kvfloor.floors import (
    forward_error,
    gamma,
    logit_roundings,
    rescaling_growth,
    sum_error,
    underflow_error,
    value_roundings,
    weight_drift,
    weight_underflow,
)
from kvfloor.numbers import arb_precision, ball_ends

__all__ = ["EXP_ULPS", "carrying_error"]

EXP_ULPS = 20
UNIT = Fraction(1, 2**24)
LEAST = Fraction(1, 2**126)
PRECISION = 128


def carrying_error(shape: ModelShape, n: int) -> Fraction:
    """Return a bound on the error of an output for n tokens and the query's own, all of them kept.

    A norm multiplies a token by a factor within 1 ± ρ. So keys, values and queries come to the
    attention changed relatively by their rounding to hidden states, by the norm and by the rotary
    embedding: two products and a sum an entry, ``√2·γ_2`` in the norm of a pair. By Cauchy and
    Schwarz logits change by at most ``‖q‖·‖k‖`` times the product of both changes. The rest is the
    forward error of attention, in blocks of any size, and one more norm on the way out. Latents
    have a norm of their own.

    Parameters
    ----------
    shape : ModelShape
    n : int

    Notes
    -----
    E3 `forward-error`.
    """
    u, epsilon = UNIT, 2 * EXP_ULPS * UNIT
    with arb_precision(PRECISION):
        norm = _norm(shape.hidden)
        latents = _norm(shape.rank) if shape.latent else arb(1)
        turning = 1 + arb(2).sqrt() * _ball(gamma(2, u))
        moved = _ball((1 + u) ** 3) * norm * latents
        S = arb(shape.key_norm) * arb(shape.query_norm)
        stretched = S * (moved * turning) ** 2
        drift = (
            stretched
            - S
            + weight_drift(
                stretched, _ball(u), _ball(epsilon), logit_roundings(shape.d, 1), rescalings=n
            )
        )
        spread = (2 * drift).exp()
        rescaled = rescaling_growth(_ball(u), _ball(epsilon), _ball(LEAST))
        lost = (n + 1) * weight_underflow(n, rescaled, _ball(u), _ball(LEAST), _ball(LEAST))
        kappa = sum_error(n + n, _ball(u), spread, lost)
        growth = 1 + _ball(gamma(value_roundings((n + 1,), factored=False, rescalings=n), u))
        on_the_way = moved * norm * _ball(1 + u)  # of values to the cache, of outputs to logits
        error = forward_error(spread, growth * on_the_way, kappa)
        error += underflow_error(spread, kappa, 2 * lost) * growth * on_the_way
        return ball_ends(error * arb(shape.largest_value))[1]


def _norm(hidden: int) -> arb:
    """1 + ρ: how far from 1 the factor of a norm may be.

    The mean square is off relatively by γ of the hidden size and two, for squares, sum, quotient
    and epsilon; by 2u as the level is rounded; by u as outputs are in hidden states (`SHRINKING`).
    """
    u = UNIT
    mean = _ball(gamma(hidden + 2, u) + 3 * u)
    return _ball(1 + 4 * u) / (1 - mean).sqrt()


def _ball(x: Fraction) -> arb:
    return arb(x.numerator) / x.denominator
