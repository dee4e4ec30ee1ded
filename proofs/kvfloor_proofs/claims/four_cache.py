"""T1 `four-cache`: the family `binary-values` needs n·d_v bits."""

from __future__ import annotations

from fractions import Fraction
from itertools import count

import sympy as sp
from flint import arb
from hypothesis import strategies as st

from kvfloor.caches import ExactCache, FloorCache, HashedCache, configure
from kvfloor.certificates import canonical, check
from kvfloor.collisions import pigeonhole
from kvfloor.families import attend_to
from kvfloor.floors import binary_entropy, four_cache, leak, randomised_four_cache
from kvfloor.index import message, output_row
from kvfloor.numbers import arb_precision, to_fmpq
from kvfloor_proofs.calculus import (
    Algebra,
    Assumptions,
    Cite,
    Derivation,
    Family,
    Induction,
    Monotone,
    Positivity,
    Relation,
    Step,
    Termwise,
    Variable,
)
from kvfloor_proofs.claims import (
    decode_threshold,
    index_deterministic,
    index_randomized,
    softmax_concentration,
)
from kvfloor_proofs.claims.decode_threshold import (
    GUARANTEE,
    NAMES,
    accurate_answer,
    alpha,
    answer,
    c,
    enough,
    eta,
    leak_of,
    theta,
)
from kvfloor_proofs.claims.index_deterministic import N, b
from kvfloor_proofs.claims.softmax_concentration import M, S, g, j, s, tau
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.draws import bits, edge_answer, families
from kvfloor_proofs.foundations.properties import Falsified, Tally, require

__all__ = ["CLAIM", "derivations"]

EQ, LE, LT, GE, GT = Relation.EQ, Relation.LE, Relation.LT, Relation.GE, Relation.GT

n, m, d_v, r = sp.symbols("n m d_v r", integer=True)
u, T = sp.symbols("u T", real=True)

# Tuples that name one address; that name another; that have the self token in some slot.
_TIES = n ** (m - 1)
_OTHERS = (n - 1) * n ** (m - 1)
_SELF = sp.Sum(n ** (r - 1) * (n + 1) ** (m - r), (r, 1, m))

_SIZE = (Variable(n, 1), Variable(m, 1))
_LOGITS = Family(s, high=S - g, index=(j, 1, _OTHERS))
_WEIGHTS = sp.Sum(sp.exp(s), (j, 1, _OTHERS))

# Competitors for each tied tuple, and the sizes for which there are any.
_ALONE = n - 1, (Variable(n, 2),)
_WITH_SELF = n - 1 + _SELF / _TIES, _SIZE


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (
        _competitors(),
        _self_tuples(),
        _competitors_with_self_token(),
        _leak(),
        _leak_with_self_token(),
        _margin("A margin above ln((n-1)(1+η+2α)/(1-η-2α)) is enough", *_ALONE),
        _margin("With the self token, n-1+T/n^(m-1) stands for n-1", *_WITH_SELF),
        _bit(0, "Then every bit 0 is answered below θ", *_ALONE),
        _bit(0, "Every bit 0 is answered below θ, with the self token", *_WITH_SELF),
        _bit(1, "Then every bit 1 is answered above θ", *_ALONE),
        _bit(1, "Every bit 1 is answered above θ, with the self token", *_WITH_SELF),
        _states(
            "States of exactly b < n·d_v bits are fewer than the 2^(n·d_v) instances",
            2**b,
            index_deterministic.exact_length(),
        ),
        _states(
            "So are the states of at most b bits",
            index_deterministic.length_up_to().start,
            index_deterministic.length_up_to(),
        ),
        _randomised(
            "b bits with which a query fails with mean error e <= δ are at least (1 - H₂(δ))·n·d_v",
            index_randomized.sent(n * d_v),
            index_randomized.floor(),
        ),
        _randomised(
            "So they are if e = 0; and n·d_v if δ = 0",
            index_randomized.sent_without_errors(n * d_v),
            index_randomized.without_errors(),
        ),
    )


def _competitors() -> Derivation:
    return Derivation(
        "There are n - 1 competitors for each tied tuple",
        Assumptions(_SIZE),
        (n**m - n ** (m - 1)) / n ** (m - 1),
        (Step(EQ, n - 1, Algebra(), "Of the n^m tuples, n^(m-1) name the address in question."),),
    )


def _self_tuples() -> Derivation:
    ratio = sp.Sum(n ** (r - 1) * (n + 1) ** (-r), (r, 1, m))
    telescoped = 1 - n**m * (n + 1) ** (-m)
    return Derivation(
        "The self token adds (n+1)^m - n^m tuples, counted by the first slot r that holds it",
        Assumptions(_SIZE),
        _SELF,
        (
            Step(EQ, (n + 1) ** m * ratio, Algebra(), "Take (n+1)^m out of the sum."),
            Step(
                EQ,
                (n + 1) ** m * telescoped,
                Monotone(Variable(u), (n + 1) ** m * u, ratio, telescoped, Induction(m, Algebra())),
                "By induction on m: the next term is (n/(n+1))^m - (n/(n+1))^(m+1).",
            ),
            Step(EQ, (n + 1) ** m - n**m, Algebra(), "Multiply out."),
        ),
    )


def _competitors_with_self_token() -> Derivation:
    count = (n + 1) ** m - n**m
    return Derivation(
        "With the self token there are n - 1 + ((n+1)^m - n^m)/n^(m-1)",
        Assumptions(_SIZE, ((T, _SELF),)),
        (_OTHERS + T) / _TIES,
        (
            Step(
                EQ,
                (_OTHERS + count) / _TIES,
                Monotone(Variable(u), (_OTHERS + u) / _TIES, T, count, Cite(_self_tuples())),
                "The self token adds T = (n+1)^m - n^m tuples.",
            ),
        ),
    )


def _leak() -> Derivation:
    excess = _OTHERS * sp.exp(-g) / _TIES
    return Derivation(
        "What is not on the address weighs at most λ with E = (n-1)·exp(-g)",
        Assumptions((*_SIZE, Variable(S), Variable(g), _LOGITS)),
        _WEIGHTS / (_TIES * sp.exp(S) + _WEIGHTS),
        (
            Step(
                LE,
                excess / (1 + excess),
                Cite(softmax_concentration.leak(), ((M, _OTHERS), (tau, _TIES))),
                "L1, with (n-1)·n^(m-1) competitors and n^(m-1) tied tuples.",
            ),
            Step(EQ, leak_of(n - 1), Algebra(), "Cancel n^(m-1)."),
        ),
    )


def _leak_from(excess: sp.Expr) -> sp.Expr:
    return excess / (1 + excess)


def _leak_with_self_token() -> Derivation:
    others = sp.Sum(sp.exp(s - S), (j, 1, _OTHERS))
    others_at_most = sp.Sum(sp.exp(-g), (j, 1, _OTHERS))
    one_logit = Monotone(Variable(u), sp.exp(u), s - S, -g, Positivity())
    self_logit = Monotone(Variable(u), sp.exp(-u), S, g, Positivity())

    def leak_from(weight: sp.Expr, self_weight: sp.Expr) -> sp.Expr:
        excess = (weight + T * self_weight) / _TIES
        return excess / (1 + excess)

    return Derivation(
        "With the self token it is λ with E = (n - 1 + T/n^(m-1))·exp(-g)",
        Assumptions((*_SIZE, Variable(g), Variable(S, g), _LOGITS), ((T, _SELF),)),
        (_WEIGHTS + T) / (_TIES * sp.exp(S) + _WEIGHTS + T),
        (
            Step(
                EQ,
                leak_from(others, sp.exp(-S)),
                Algebra(),
                "Divide by n^(m-1)·exp(S); the T tuples with the self token have logit 0.",
            ),
            Step(
                LE,
                leak_from(others_at_most, sp.exp(-S)),
                Monotone(
                    Variable(u, 0),
                    leak_from(u, sp.exp(-S)),
                    others,
                    others_at_most,
                    Termwise(one_logit),
                ),
                "The logits of the other addresses are at least g below S.",
            ),
            Step(
                LE,
                leak_from(others_at_most, sp.exp(-g)),
                Monotone(
                    Variable(u, 0),
                    leak_from(others_at_most, u),
                    sp.exp(-S),
                    sp.exp(-g),
                    self_logit,
                ),
                "So is the logit 0, as S >= g.",
            ),
            Step(
                EQ,
                leak_of(n - 1 + T / _TIES),
                Algebra(),
                "All (n-1)·n^(m-1) terms of the sum are equal.",
            ),
        ),
    )


def _margin(title: str, competitors: sp.Expr, size: tuple[Variable, ...]) -> Derivation:
    return Derivation(
        title,
        Assumptions((*size, *GUARANTEE, enough(competitors))),
        leak_of(competitors),
        (
            Step(
                LT,
                (1 - eta) / 2 - alpha,
                Cite(decode_threshold.margin_suffices(), ((c, competitors),)),
                "L2.",
            ),
        ),
    )


def _bit(bit: int, title: str, competitors: sp.Expr, size: tuple[Variable, ...]) -> Derivation:
    most = leak_of(competitors)
    accurate = accurate_answer(1 - most, 1) if bit else accurate_answer(0, most)
    by_margin = decode_threshold.one_by_margin() if bit else decode_threshold.zero_by_margin()
    return Derivation(
        title,
        Assumptions((*size, *GUARANTEE, enough(competitors), *accurate), NAMES),
        answer,
        (Step(GT if bit else LT, theta, Cite(by_margin, ((c, competitors),)), "L2."),),
    )


_FEWER_BITS = Assumptions((Variable(n, 1), Variable(d_v, 1), Variable(b, 0, n * d_v - 1)))


def _states(title: str, states: sp.Expr, counted: Derivation) -> Derivation:
    instances = Cite(counted, ((N, n * d_v),))
    step = Step(LT, 2 ** (n * d_v), instances, "L3: so two instances share a state.")
    return Derivation(title, _FEWER_BITS, states, (step,))


def _randomised(title: str, sent: tuple[Variable, ...], floor: Derivation) -> Derivation:
    size, L4 = n * d_v, index_randomized
    cited = Cite(floor, ((L4.N, size),))
    step = Step(GE, (1 - L4.entropy_bits(L4.delta)) * size, cited, "L4: a state is a message.")
    ranges = (Variable(n, 1), Variable(d_v, 1), *sent)
    return Derivation(title, Assumptions(ranges), L4.b, (step,))


def property_recovery(data: st.DataObject, tally: Tally) -> None:
    """Every bit comes back: from true outputs, from the worst accurate answers, from a cache."""
    del tally
    family = data.draw(families(), label="family")
    x = data.draw(bits(family.size), label="bits")
    attention = attend_to(family.encode(x))
    state = message(ExactCache, family, x)
    for i in range(family.n):
        row = family.row(x, i)
        outputs = attention(family.query(i)).enclose()
        worst = [edge_answer(family.guarantee, o, bit=b) for o, b in zip(outputs, row, strict=True)]
        require(family.decode(outputs) == row, "from the true outputs")
        require(family.decode(worst) == row, "from answers at the edge of the guarantee")
        require(output_row(ExactCache, family, state, i) == row, "from a restored exact cache")


def property_floor_is_met(data: st.DataObject, tally: Tally) -> None:
    """N bits are enough: a cache of exactly the floor answers the whole family."""
    del tally
    family = data.draw(families(most_bits=48), label="family")
    x = data.draw(bits(family.size), label="bits")
    factory = configure(FloorCache, family=family)
    state = message(factory, family, x)
    require(state.bits == four_cache(family.n, family.d_v), "the state has not N bits")
    for i in range(family.n):
        recovered = output_row(factory, family, state, i)
        require(recovered == family.row(x, i), "N bits were not enough")


def property_too_small_collides(data: st.DataObject, tally: Tally) -> None:
    """A cache of b < N bits has a collision whose certificate the checker accepts."""
    family = data.draw(families(most_bits=16, least_bits=2), label="family")
    b = data.draw(st.integers(0, min(family.size - 1, 8)), label="b")
    factory = configure(HashedCache, bits=b, family=family)
    collision = pigeonhole(factory, family, seed=data.draw(st.integers(0, 99), label="seed"))
    if collision is None:
        raise Falsified("no collision")
    outcome = check(canonical(collision.certificate))
    require(outcome.status == "ok", f"the checker says: {outcome.reason}")
    tally.certificates += 1


def property_least_strength(data: st.DataObject, tally: Tally) -> None:
    """The least strength C, found by trying, is the one that the inequality gives."""
    del tally
    family = data.draw(families(), label="family")
    unit = family.margin / family.multiplier
    most = (1 - family.guarantee.eta) / 2 - family.guarantee.alpha
    with arb_precision(256):
        least = next(
            C
            for C in count(1)
            if leak(to_fmpq(family.competitors) * arb(to_fmpq(-C * unit)).exp()) < to_fmpq(most)
        )
    require(least == family.multiplier, "another strength is the least")


def property_randomised(data: st.DataObject, tally: Tally) -> None:
    """The randomised floor is ⌈(1 - H₂(δ))·N⌉, and no more than keeping random bits takes."""
    del tally
    n_addresses = data.draw(st.integers(1, 40), label="n")
    columns = data.draw(st.integers(1, 40), label="d_v")
    size = four_cache(n_addresses, columns)
    # Public coins choose which bits are kept; the others are guessed, so one in two is wrong.
    kept = data.draw(st.integers(0, size), label="bits kept")
    delta = Fraction(size - kept, 2 * size)
    floor = randomised_four_cache(n_addresses, columns, delta)
    require(floor <= kept, "the floor is above what some cache needs")
    with arb_precision(256):
        exact = (1 - binary_entropy(delta, 256)) * size
        require(not exact > floor and not exact <= floor - 1, "not the least whole number")


CLAIM = Claim(
    slug="four-cache",
    title="a deterministic (η, α)-accurate cache of n tokens with d_v values needs n·d_v bits",
    statement="""\
Fix an address book of n keys as K_1, ones as all other keys and values, and V_1 in {0,1}^(n×d_v).
Let its margin be `g > ln((n-1)(1+η+2α)/(1-η-2α))` with `η + 2α < 1`; with the self token put
`M/ties = n - 1 + ((n+1)^m - n^m)/n^(m-1)` for n - 1, and let g be the margin over a key of zeros
too. Then the n queries recover all
`N = n·d_v` bits, so a deterministic cache that is (η, α)-accurate on this family has at least N
bits, for every order m. N bits are enough for it, so the floor is met exactly.

Address books with such margins are the claim [`keys`](keys.md). With queries of strength C, and
`ρ = ‖q‖·‖k‖`, the condition is, for L = ln((n-1)(1+η+2α)/(1-η-2α)):

| keys | dimension | strength | norms |
|---|---|---|---|
| `orthonormal` | d >= n | C > L | ρ > L |
| `binary-keys` | d >= log₂ n | 2C > L | ρ = C·d > d·L/2 |
| `sign-keys` | d > (2/ε²)·ln(n(n-1)/2) | C(1-ε)d >= L | ρ = C·d >= L/(1-ε) |
| `parabola` | d >= 2 | C > L | ρ <= √10·C·n³ |
| `polygon`, not rounded | d >= 2 | | ρ(1 - cos(2π/n)) > L |
| `signed-axes` | 2d >= n | C > L | ρ > L |
| `roots-d` | 2d(d-1) >= n | C > L | ρ > 2L |
| `roots-e8` | d >= 8, n <= 240 | 4C > L | ρ > 2L |

A randomised cache that fails at each query with probability at most δ <= 1/2 is, in the same way,
a protocol for INDEX with error δ; by [L4](index-randomized.md) it needs `(1 - H₂(δ))·n·d_v` bits,
H₂ the binary entropy, if all its states have as many; if lengths vary, at most one bit less.""",
    source="TMT (exact and approximate); HO25 for m = 1; T1",
    assumptions=(
        "keys and queries are public and fixed; the cache is right for every V_1 in {0,1}^(n×d_v)",
        "0 <= η < 1, α >= 0, η + 2α < 1",
        "the cache is deterministic; in the randomised form, given its public coins; 0 <= δ <= 1/2",
        "n >= 2, or the self token: a single key needs no margin",
    ),
    verdict="holds",
    derivations=derivations,
    properties=(
        property_recovery,
        property_floor_is_met,
        property_too_small_collides,
        property_least_strength,
        property_randomised,
    ),
)
