"""H3 `soft-cap`: what a cap on logits leaves of the floor, and where little is enough."""

from __future__ import annotations

from fractions import Fraction

import sympy as sp
from flint import arb
from hypothesis import strategies as st

from kvfloor.attention import ExactAttention, enclose
from kvfloor.floors import Guarantee, capped_tokens, mean_bits
from kvfloor.numbers import arb_precision, ball_ends, to_fmpq
from kvfloor_proofs.calculus import (
    Algebra,
    Assumptions,
    Cite,
    Derivation,
    Positivity,
    Relation,
    Step,
    Variable,
)
from kvfloor_proofs.claims import decode_threshold
from kvfloor_proofs.claims.decode_threshold import GUARANTEE, alpha, c, enough, eta, leak_of
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.draws import bits, guarantees
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["CLAIM", "K", "derivations", "n", "property_cap", "property_mean"]

EQ, LE, LT = Relation.EQ, Relation.LE, Relation.LT

u, w, x, K = sp.symbols("u w x K", real=True)
ones, zeros, A, B = sp.symbols("k l A B", real=True)
n = sp.Symbol("n", integer=True)


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (_margin(), _highest(), _spread(), _most(), _quarter())


def _margin() -> Derivation:
    return Derivation(
        "n tokens take a margin above ln((n-1)(1+η+2α)/(1-η-2α)); a cap at ±c leaves less than 2c",
        Assumptions((Variable(n, 2), *GUARANTEE, enough(n - 1))),
        leak_of(n - 1),
        (
            Step(
                LT,
                (1 - eta) / 2 - alpha,
                Cite(decode_threshold.margin_suffices(), ((c, n - 1),)),
                "L2.",
            ),
        ),
    )


def _spread() -> Derivation:
    high, low = x * K / (x * K + 1 - x), x / (x + (1 - x) * K)
    return Derivation(
        "Logits within ±c, K = e^(2c): outputs of a column, a share x of whose values is 1, differ "
        "by no more than this",
        Assumptions((Variable(K, 1), Variable(x, 0, 1))),
        high - low,
        (
            Step(
                EQ,
                (K**2 - 1) * x * (1 - x) / ((K - 1) ** 2 * x * (1 - x) + K),
                Algebra(),
                "In terms of x(1-x).",
            ),
        ),
    )


def _most() -> Derivation:
    return Derivation(
        "With w = x(1-x) that is at most (K-1)/(K+1) = tanh c",
        Assumptions((Variable(K, 1), Variable(w, 0, sp.Rational(1, 4)))),
        (K**2 - 1) * w / ((K - 1) ** 2 * w + K),
        (Step(LE, (K - 1) / (K + 1), Positivity(), "It grows with w, up to 1/4."),),
    )


def _quarter() -> Derivation:
    half = sp.Rational(1, 2)
    return Derivation(
        "And x(1-x) is at most 1/4, with x = 1/2 + u",
        Assumptions((Variable(u),)),
        (half + u) * (half - u),
        (Step(LE, sp.Rational(1, 4), Positivity(), "1/4 - u²."),),
    )


def _highest() -> Derivation:
    # A, B: what tokens of value 1 and of value 0 weigh; k and l of them, with weights in [1, K].
    ranges = (Variable(K, 1), Variable(ones, 0), Variable(zeros, 0, low_open=True))
    weights = (Variable(A, 0, ones * K), Variable(B, zeros))
    return Derivation(
        "An output is highest where the ones weigh most and the others least, relative to e^-c",
        Assumptions((*ranges, *weights)),
        A / (A + B),
        (Step(LE, ones * K / (ones * K + zeros), Positivity(), "A <= kK, B >= l."),),
    )


def property_cap(data: st.DataObject, tally: Tally) -> None:
    """Under a soft cap so many of n tokens are told apart, and no more, by any query."""
    del tally
    guarantee = data.draw(guarantees(), label="guarantee")
    cap = Fraction(data.draw(st.integers(1, 24), label="8c"), 8)
    n = data.draw(st.integers(2, 12), label="n")
    most = capped_tokens(n, cap, guarantee)
    require(1 <= most <= n, "no number of tokens among n")
    for size in {max(2, most), min(n, most + 1)}:
        require(_told_apart(size, cap, guarantee) == (size <= most), "another number of tokens")


def _told_apart(n: int, cap: Fraction, guarantee: Guarantee) -> bool:
    """Whether some query singles out one of n tokens, with logits raw and -raw before the cap."""
    keys = [[[1], *[[-1]] * (n - 1)]]
    with arb_precision(256):
        eta_, alpha_ = to_fmpq(guarantee.eta), to_fmpq(guarantee.alpha)
        for raw in (2**k for k in range(12)):
            low, high = (
                enclose(
                    [raw], keys, [[[own], *[[1 - own]] * (n - 1)]], softcap=cap, bits=256
                ).output[0]
                for own in (0, 1)
            )
            if (1 + eta_) * low + alpha_ < (1 - eta_) * high - alpha_:
                return True
    return False


def property_mean(data: st.DataObject, tally: Tally) -> None:
    """Under a small cap the number of ones in a column is enough to answer any query."""
    del tally
    cap = data.draw(st.fractions(Fraction(1, 16), 2, max_denominator=16), label="c")
    with arb_precision(128):
        alpha_ = -ball_ends(-arb(to_fmpq(cap)).tanh() / 2)[0]  # an upper end
    n = data.draw(st.integers(1, 9), label="n")
    mean_bits(n, 1, cap, alpha_)
    x_ = data.draw(bits(n), label="bits")
    drawn = st.sampled_from((-cap, cap)) | st.fractions(-cap, cap, max_denominator=64)
    logits = [data.draw(drawn, label="logit") for _ in range(n)]
    output = ExactAttention([[[z] for z in logits]], [[[bit] for bit in x_]])([1]).enclose(256)[0]
    with arb_precision(256):
        share, grown = to_fmpq(Fraction(sum(x_), n)), arb(to_fmpq(2 * cap)).exp()
        highest = share * grown / (share * grown + 1 - share)
        middle = (highest + share / (share + (1 - share) * grown)) / 2
        gap = abs(output - middle) - to_fmpq(alpha_)
        require(not gap > to_fmpq(Fraction(1, 2**100)), "the answer is not accurate")


CLAIM = Claim(
    slug="soft-cap",
    title="a soft cap at c leaves n·d_v bits up to e^(2c) tokens; a small one leaves d_v·log₂(n+1)",
    statement="""\
A soft cap c·tanh(s/c) keeps logits within ±c, and margins below 2c, as near to it as one likes. One
weight can single out each of n tokens exactly if

    n - 1 < e^(2c)·(1-η-2α)/(1+η+2α)

and up to there the floor of n·d_v bits holds ([`four-cache`](four-cache.md)), for keys with an
entry of ones, which lets a query centre its logits.

On the other side, if `tanh c <= 2α` all outputs of a column of n bits lie within 2α of each other,
about a point that the number of its ones tells: so `⌈d_v·log₂(n+1)⌉` bits are enough for a
(0, α)-accurate cache. For η = 0 that is where not even two tokens are told apart.""",
    source="H3",
    assumptions=(
        "the cap is public; order 1; values are bits",
        "of caches that answer from many weights of which none dominates nothing is said",
    ),
    verdict="holds",
    derivations=derivations,
    properties=(property_cap, property_mean),
)
