"""E5 `gradient-error`: how far what a backward pass computes may be off, step by step."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from kvfloor.floors import delta_error, difference_error, product_off, slope_factor
from kvfloor_proofs.calculus import Derivation
from kvfloor_proofs.foundations import pulling_back
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.properties import Tally, require
from kvfloor_proofs.foundations.pulled_floats import draw_pulled, judged

__all__ = ["CLAIM", "derivations", "property_never_exceeded", "property_reached"]


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return pulling_back.derivations()


def property_never_exceeded(data: st.DataObject, tally: Tally) -> None:
    """A backward pass in NumPy with cap, bias, sink and log-sum-exp stays within all bounds."""
    del tally
    found = judged(*draw_pulled(data))
    require(found.problem is None, f"a right one is said to be wrong: {found.problem}")
    require(found.unbounded == 0, f"{found.unbounded} numbers have no bound")


def property_reached(data: st.DataObject, tally: Tally) -> None:
    """Each step alone reaches its bound, if what it is made of is at its ends."""
    del tally
    small = st.fractions(0, Fraction(1, 8))
    a, b, x = (data.draw(st.fractions(0, 8), label=name) for name in "abx")
    a_off, b_off, off, u = (data.draw(small, label=name) for name in ("a'", "b'", "o", "u"))
    rounded = (a + a_off) * (b + b_off) * (1 + u)
    require(rounded - a * b == product_off(a, a_off, b, b_off, u), "a product does not reach it")
    joins = data.draw(st.integers(1, 2), label="sums before the last")
    first = joins * u / (1 - joins * u) * a
    found = (x + off + first) * (1 + u) - x
    require(found == difference_error(x, off, a, u, joins=joins), "a difference does not reach it")
    drawn = st.lists(st.tuples(*[st.fractions(0, 1)] * 4), min_size=1, max_size=4)
    rows = data.draw(drawn, label="p, |p̂ - p|, |dP - D|, |dP̂ - dP|")
    D = data.draw(st.fractions(0, 4), label="D")
    computed = sum((p + e) * (D + v + f) for p, e, v, f in rows)
    bound = delta_error(
        sum(e * v for _, e, v, _ in rows),
        sum(e for _, e, _, _ in rows),
        D,
        sum((p + e) * f for p, e, _, f in rows),
    )
    require(computed - sum(p * (D + v) for p, _, v, _ in rows) == bound, "D does not reach it")
    require(slope_factor(a, 1 + b) == 2 * (x + a) / (1 + b) - 2 * x / (1 + b), "nor does a cap")


CLAIM = Claim(
    slug="gradient-error",
    title="what a backward pass computes is off by no more than sums of its own parts' errors",
    statement="""\
The model is that of [`forward-error`](forward-error.md); ê is what is computed in place of e,
and D, dz, ds are those of [`gradients`](gradients.md). A weight from a log-sum-exp is p·e^±Δ
with `Δ = s + l + γ·(|z - lse| + s + l) + ε/(1-ε)`: s and l are what its logit and the
log-sum-exp are off by, γ is that of their difference. From a softmax of its own, errors of
weights are those of [`centred-error`](centred-error.md). `D̂ = Σ p̂·dP̂` is off by `Σ
|p̂-p|·|dP-D| + |D|·Σ |p̂-p| + Σ p̂·|dP̂-dP|` before its sums round; `D̂ = Σ G·ô` by η, the same
for all tuples of a query, and by what its sum rounds. `x = dP - D + g`, g the cotangent of the
log-sum-exp, is off by `o = a + γ_k·P` and `u·(|x| + o)`: a is what its parts are off by, P the
sum of their sizes, k is 1, or 2 where there is a g. A product of a and b, that are off by a'
and b', by `a'·(b + b') + a·b' + u·(a + a')·(b + b')`: so is `dz = p·x`, and `ds = dz·h` with
the slope `h = 1 - tanh²(z/c)` of a soft cap c. As the logit is off by s, h changes by a factor
within e^±Δ, Δ = 2s/c. By M, say; then with a tanh within T relatively, and Q = tanh² there, ĥ
is off by `M + W + γ_4·(h + M + W) + 3ε·(h + M)`, where `W = Q·((1 + T)²·(1 + u) - 1)`, whether
it is computed as 1 - t², as (1 - t)·(1 + t) or of exponentials. A sink is a tuple of value zero
without a slope, and a bias has the gradients dz, not ds. A sum of ê by inputs f is off by `Σ
|ê-e|·|f| + Σ ρ·|ê|·|f|`, ρ what its terms are rounded by on their way; η meets `|Σ p·h·k|` in a
gradient of a query.""",
    source="E5; the model is the standard one of IEEE 754 arithmetic",
    assumptions=(
        "no overflow; what underflows is counted apart, as in `forward-error`",
        "a bound ε <= 1/8 on the relative error of exp, and of tanh",
        "each product and sum is as D6 has it, in any order",
    ),
    verdict="holds in model M",
    derivations=derivations,
    properties=(property_never_exceeded, property_reached),
)
