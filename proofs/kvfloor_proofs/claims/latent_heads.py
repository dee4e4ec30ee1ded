"""H2 `latent-heads`: heads that read one latent a token leave it as incompressible as a value."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from kvfloor.attention import tensor_attention_rounded
from kvfloor.caches import FloorCache, configure, restore
from kvfloor.families import BinaryValues, Dense, binary_keys, parabola, tuple_keys
from kvfloor.index import message
from kvfloor_proofs.calculus import Algebra, Assumptions, Cite, Derivation, Relation, Step, Variable
from kvfloor_proofs.claims import value_floor
from kvfloor_proofs.claims.value_floor import L, N, b, n
from kvfloor_proofs.claims.value_levels import dense_guarantees
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.draws import bits, guarantees, symbols
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["CLAIM", "a", "derivations", "property_floor_is_met", "property_recovery", "rank"]

EQ, LT = Relation.EQ, Relation.LT

rank, a, i, j = sp.symbols("r a i j", integer=True)

_LATENT = (Variable(n, 1), Variable(a, 0), Variable(rank, a + 1))


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (_symbols(), _floor())


def _symbols() -> Derivation:
    return Derivation(
        "Symbols of an instance: what entries that name the token leave of its latent",
        Assumptions(_LATENT),
        sp.Sum(sp.Integer(1), (i, a + 1, rank), (j, 1, n)),
        (Step(EQ, n * (rank - a), Algebra(), "Count."),),
    )


def _floor() -> Derivation:
    size = n * (rank - a)
    fewer = Variable(b, 0, size * sp.log(L) / sp.log(2), high_open=True)
    return Derivation(
        "So states of fewer bits are fewer than the instances; the logarithms",
        Assumptions((*_LATENT, Variable(L, 2), fewer)),
        b * sp.log(2),
        (
            Step(
                LT,
                size * sp.log(L),
                Cite(value_floor.instances(), ((N, size),)),
                "With so many symbols.",
            ),
        ),
    )


def _model(data: st.DataObject, free: int) -> tuple[int, int, bool]:
    """Draw how many heads there are, how many columns each reads, and where the address is."""
    heads = data.draw(st.integers(1, free), label="heads")
    beside = data.draw(st.booleans(), label="address beside the latent")
    return heads, -(-free // heads), beside


def _outputs(family: Any, tokens: Any, model: tuple[int, int, bool]) -> Any:
    """Outputs of all heads side by side, of attention with keys and values of every head.

    Keys are the latent times weights that pass its address, and beside them the rotary entries;
    values the latent times weights that pass some columns a head, the last of which pass nothing.
    """
    heads, width, beside = model
    address = np.array([token.keys[0] for token in tokens], dtype=np.float64)
    stored = np.array([token.values[0] for token in tokens], dtype=np.float64)
    (n_, entries), free = address.shape, stored.shape[1]
    latent = stored if beside else np.hstack([address, stored])
    rotary = address if beside else np.zeros((n_, 0))
    first = latent.shape[1] - free
    key_weights = np.zeros((latent.shape[1], entries - rotary.shape[1]))
    key_weights[:first] = np.eye(first)
    value_weights = np.zeros((heads, latent.shape[1], width))
    for column in range(free):
        value_weights[column // width, first + column, column % width] = 1
    keys = np.hstack([latent @ key_weights, rotary])
    queries = np.array([family.query(place) for place in range(family.addresses)], dtype=np.float64)
    by_head = tensor_attention_rounded(
        np.stack([queries] * heads),
        [np.stack([keys] * heads)],
        [latent @ value_weights],
        dtype="float64",
    )
    absorbed = tensor_attention_rounded(queries, [keys], [stored], dtype="float64")
    side_by_side = np.hstack(list(by_head))[:, :free]
    require(np.array_equal(side_by_side, absorbed), "heads read something else than the latent")
    return side_by_side


def property_recovery(data: st.DataObject, tally: Tally) -> None:
    """Through the keys and values of all heads every free entry of every latent comes back."""
    del tally
    inexact = dense_guarantees(8).filter(lambda drawn: drawn[1].alpha > 2.0**-53)
    levels, guarantee = data.draw(inexact, label="L, guarantee")
    free = data.draw(st.integers(1, 6), label="r - a")
    book = data.draw(st.sampled_from((parabola, binary_keys)), label="book")
    family = Dense(
        tuple_keys(book(data.draw(st.integers(2, 6), label="n")), 1), free, 0, levels, guarantee
    )
    x = data.draw(symbols(family.size, levels), label="symbols")
    outputs = _outputs(family, family.encode(x), _model(data, free))
    recovered: list[int] = []
    for address in range(
        family.addresses
    ):  # float64 answers are accurate: α is more than the rounding
        recovered += family.decode(address, [float(o) for o in outputs[address]])
    require(tuple(recovered) == x, "not all symbols come back")
    require(len(recovered) == family.n * free, "another number of symbols")


def property_floor_is_met(data: st.DataObject, tally: Tally) -> None:
    """A cache of n·(r-a) bits answers every head, at any number of heads."""
    del tally
    free = data.draw(st.integers(1, 6), label="r - a")
    book = parabola(data.draw(st.integers(1, 5), label="n"))
    family = BinaryValues(book, free, order=1, guarantee=data.draw(guarantees()))
    x = data.draw(bits(family.size), label="bits")
    factory = configure(FloorCache, family=family)
    state = message(factory, family, x)
    require(state.bits == book.n * free, "another number of bits than the floor")
    cache = restore(factory, state, order=1, d=book.d, d_v=free)
    outputs = _outputs(_Addresses(family), family.encode(x), _model(data, free))
    for address in range(family.n):
        answer = cache.answer(family.query(address))
        near = np.allclose(answer, outputs[address], rtol=2.0**-51, atol=2.0**-300)
        require(near, "not within an ulp of what the heads read")


class _Addresses:
    """A family of bits with the names of one of symbols."""

    def __init__(self, family: BinaryValues) -> None:
        self.query, self.addresses = family.query, family.n


CLAIM = Claim(
    slug="latent-heads",
    title="n tokens with latents of r entries need n·(r-a) symbols, a of them to name a token",
    statement="""\\
Heads compute their keys and values from one latent of r entries a token, by public weights, and may
share a key of d_R entries beside it (multi-head latent attention with rotary entries). Weights that
pass a entries of the latent to the keys, and the others to the values, a few columns a head, make
its free entries the values of one head that is asked by all: `n·(r-a)` symbols of as many levels as
[`value-levels`](value-levels.md) has. With free norms a = 2; where the rotary entries are two or
more they name the token, and a = 0: `n·r` symbols. The heads together need as many columns as there
are free entries; beyond that their number changes nothing, so it is no way out to have fewer, and
the keys and values of all heads written out, larger than the latent, hold nothing more.

So the model is one head with keys of d_R entries and values of r, and every floor of one head
applies, that of [`key-levels`](key-levels.md) too. A cache of the free entries of each latent has
as many bits as the floor of values and answers every head.""",
    source="H2",
    assumptions=(
        "the weights are some public ones; the cache is right for all latents",
        "all heads together have r - a columns of values or more",
        "those of `value-levels`; the cache is deterministic",
    ),
    verdict="holds",
    derivations=derivations,
    properties=(property_recovery, property_floor_is_met),
)
