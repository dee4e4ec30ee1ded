"""T3 `time-memory`: the closed forms of what is counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kvfloor import cost
from kvfloor_proofs.calculus import Derivation, Relation
from kvfloor_proofs.claims.time_memory import (
    d,
    d_v,
    derivations,
    m,
    n,
    property_decoding,
    property_queries,
)
from kvfloor_proofs.foundations.constants import Constant, Tie, both_sides, concluded

__all__ = ["constants"]


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    two, formed, factored, append, add_two, add_factored, *_ = derivations()
    formed_3, factored_3, division, words, two_words, written_four, written_two = derivations()[11:]
    shape = n, d, d_v
    queries = both_sides("all that is counted, orders 1 to 3", property_queries)
    decoding = both_sides("all that is counted, token by token", property_decoding)

    def counts(
        chain: Derivation, called: Callable[..., cost.Counts], what: str, *order: int
    ) -> Tie:
        return _counted(chain, lambda: getattr(called(*shape, *order), what))

    return (
        Constant(
            cost.query_two,
            (
                counts(two, cost.query_two, "multiplications"),
                counts(add_two, cost.query_two, "additions"),
                counts(division, cost.query_two, "divisions"),
                *(queries, decoding),
            ),
        ),
        Constant(
            cost.query_formed,
            (
                counts(formed, cost.query_formed, "multiplications"),
                counts(formed_3, cost.query_formed, "multiplications", 3),
                counts(add_two, cost.query_formed, "additions"),
                counts(division, cost.query_formed, "divisions"),
                *(queries, decoding),
            ),
        ),
        Constant(
            cost.query_factored,
            (
                counts(factored, cost.query_factored, "multiplications"),
                counts(factored_3, cost.query_factored, "multiplications", 3),
                counts(add_factored, cost.query_factored, "additions"),
                counts(division, cost.query_factored, "divisions"),
                *(queries, decoding),
            ),
        ),
        Constant(
            cost.append_two,
            (
                counts(append, cost.append_two, "multiplications"),
                counts(append, cost.append_two, "read"),
                counts(written_two, cost.append_two, "written"),
                decoding,
            ),
        ),
        Constant(cost.append_four, (counts(written_four, cost.append_four, "written"), decoding)),
        Constant(
            cost.four_cache_words,
            (_counted(words, lambda: cost.four_cache_words(*shape, m)), queries, decoding),
        ),
        Constant(
            cost.two_cache_words,
            (_counted(two_words, lambda: cost.two_cache_words(*shape)), decoding),
        ),
    )


def _counted(chain: Derivation, formula: Callable[[], Any]) -> Tie:
    return concluded(chain, Relation.EQ, formula)
