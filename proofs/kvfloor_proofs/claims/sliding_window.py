"""T7 `sliding-window`: attention to the last W tokens needs W·d_v bits, and W·d_v are no more."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp
from hypothesis import strategies as st

from kvfloor.attention import ExactAttention, window_mask
from kvfloor.caches import WindowCache, configure, restore
from kvfloor.certificates import canonical, check
from kvfloor.collisions import flips
from kvfloor.families import BinaryValues, stack
from kvfloor.floors import four_cache
from kvfloor.index import message
from kvfloor_proofs.calculus import Algebra, Assumptions, Cite, Derivation, Relation, Step, Variable
from kvfloor_proofs.claims import decode_threshold, index_deterministic
from kvfloor_proofs.claims.decode_threshold import GUARANTEE, alpha, c, enough, eta, leak_of
from kvfloor_proofs.claims.index_deterministic import N, b
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.draws import bits, edge_answer, families
from kvfloor_proofs.foundations.properties import Falsified, Tally, require

__all__ = ["CLAIM", "W", "d_v", "derivations", "m", "n"]

EQ, LT = Relation.EQ, Relation.LT

W, d_v, m, n = sp.symbols("W d_v m n", integer=True)


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (_competitors(), _margin(), _window(), _unrestricted())


def _competitors() -> Derivation:
    return Derivation(
        "In a window of W tokens in each slot, W - 1 compete with each tied tuple",
        Assumptions((Variable(W, 1), Variable(m, 1))),
        (W**m - W ** (m - 1)) / W ** (m - 1),
        (Step(EQ, W - 1, Algebra(), "Of the W^m tuples, W^(m-1) name the address in question."),),
    )


def _margin() -> Derivation:
    return Derivation(
        "A margin above ln((W-1)(1+η+2α)/(1-η-2α)) is enough, however many tokens came before",
        Assumptions((Variable(W, 2), *GUARANTEE, enough(W - 1))),
        leak_of(W - 1),
        (
            Step(
                LT,
                (1 - eta) / 2 - alpha,
                Cite(decode_threshold.margin_suffices(), ((c, W - 1),)),
                "L2.",
            ),
        ),
    )


def _window() -> Derivation:
    counted = Cite(index_deterministic.exact_length(), ((N, W * d_v),))
    return Derivation(
        "States of b < W·d_v bits are fewer than the 2^(W·d_v) contents of the window",
        Assumptions((Variable(W, 1), Variable(d_v, 1), Variable(b, 0, W * d_v - 1))),
        2**b,
        (Step(LT, 2 ** (W * d_v), counted, "L3: so two contents share a state."),),
    )


def _unrestricted() -> Derivation:
    counted = Cite(index_deterministic.exact_length(), ((N, n * d_v), (b, W * d_v)))
    return Derivation(
        "W < n: states of W·d_v bits are fewer than the 2^(n·d_v) instances without a window",
        Assumptions((Variable(n, 2), Variable(W, 1, n - 1), Variable(d_v, 1))),
        2 ** (W * d_v),
        (Step(LT, 2 ** (n * d_v), counted, "L3: so two instances share a state."),),
    )


def _family(data: st.DataObject, least: int) -> BinaryValues:
    drawn = families(most_bits=64).filter(lambda family: family.n >= least)
    return replace(data.draw(drawn, label="family"), self_token=False)


def property_floor_is_met(data: st.DataObject, tally: Tally) -> None:
    """A cache of W·d_v bits answers as attention in the window does, and every bit comes back."""
    del tally
    family = _family(data, 1)
    window = data.draw(st.integers(1, family.n), label="W")
    x = data.draw(bits(family.size), label="bits")
    factory = configure(WindowCache, family=family, window=window)
    state = message(factory, family, x)
    require(state.bits == four_cache(window, family.d_v), "the state has not W·d_v bits")
    shape = {"order": family.order, "d": family.book.d, "d_v": family.d_v}
    cache = restore(factory, state, **shape)
    mask = window_mask(family.n - 1, [window] * family.order, [family.n] * family.order)
    attention = ExactAttention(*stack(family.encode(x)))
    last = range(family.n - window, family.n)
    read = 0
    inside = replace(family, book=family.book.restricted(last))  # T1 with n = W
    for i, address in enumerate(last):
        query = inside.query(i)
        truth = attention(query, mask=mask)
        row = family.row(x, address)
        outputs = truth.enclose()
        worst = [edge_answer(family.guarantee, o, bit=b) for o, b in zip(outputs, row, strict=True)]
        require(inside.decode(worst) == row, "a bit is not read at the edge of the guarantee")
        require(list(cache.answer(query)) == truth.floats(), "another answer than in the window")
        read += len(row)
    require(read == four_cache(window, family.d_v), "another number of bits was read")


def property_unrestricted_falls(data: st.DataObject, tally: Tally) -> None:
    """Without the window, the same cache collides as soon as a bit before it is flipped."""
    family = _family(data, 2)
    window = data.draw(st.integers(1, family.n - 1), label="W")
    x = data.draw(bits(family.size), label="bits")
    factory = configure(WindowCache, family=family, window=window)
    collision = flips(factory, family, x)
    if collision is None:
        raise Falsified("no collision")
    require(collision.evaluations == 2, "the first bit was not forgotten")
    require(collision.certificate["query"]["address"] == 0, "another address")
    outcome = check(canonical(collision.certificate))
    require(outcome.status == "ok", f"the checker says: {outcome.reason}")
    tally.certificates += 1
    whole = configure(WindowCache, family=family, window=family.n)
    require(flips(whole, family, x) is None, "a window of all tokens forgets one")


CLAIM = Claim(
    slug="sliding-window",
    title="attention to the last W tokens needs exactly W·d_v bits; they do not serve without it",
    statement="""\
Let each slot attend to its last W tokens only. Those alone are the family of
[`four-cache`](four-cache.md) with n = W: a margin above `ln((W-1)(1+η+2α)/(1-η-2α))` recovers W·d_v
bits, whatever came before, so every (η, α)-accurate cache for this attention has at least W·d_v
bits. A cache of the last W rows of V_1 has exactly so many and answers the whole family.

For attention without the window it is too small by (n - W)·d_v bits, and falls to T1: a bit of a
token that has left the window is flipped, the state stays the same, and no answer serves both.""",
    source="HO25; T7",
    assumptions=(
        "keys and queries are public and fixed; the cache is right for every V_1 in {0,1}^(n×d_v)",
        "0 <= η < 1, α >= 0, η + 2α < 1",
        "the cache is deterministic",
    ),
    verdict="holds",
    derivations=derivations,
    properties=(property_floor_is_met, property_unrestricted_falls),
)
