"""Builders of cases with more or fewer queries than tokens, where masks have two corners."""

from __future__ import annotations

from kvfloor.conformance.builders import drawn, ladder
from kvfloor.conformance.case import Case
from kvfloor.conformance.draft import Draft, NoCase

__all__ = ["fewer_queries", "more_queries", "one_query"]


def one_query(draft: Draft) -> list[Case]:
    """One query against many tokens, as in decoding."""
    single = draft.with_size(queries=1)
    if single.size.queries > 1:
        least = draft.with_size(queries=1, lengths=(1,) * len(draft.size.lengths))
        raise NoCase(f"there are at least {least.size.queries} queries")
    return drawn(single)


def fewer_queries(draft: Draft) -> list[Case]:
    """About half as many queries as tokens, each token outweighing those before it, or after."""
    n = max(draft.size.lengths)
    sized = draft.with_size(queries=(n + 1) // 2, lengths=(n + 1,) * len(draft.size.lengths))
    if sized.size.queries >= min(sized.size.lengths):
        raise NoCase("there are no fewer queries than tokens")
    return _both_ways(sized)


def more_queries(draft: Draft) -> list[Case]:
    """More queries than tokens, so that some see nothing, or all; of tokens an even number and odd.

    So one of them ends within a block.
    """
    m, longest = len(draft.size.lengths), max(draft.size.lengths)
    sizes = ({"queries": n + 2, "lengths": (n,) * m} for n in (longest, longest + 1))
    more = [sized for sized in draft.with_sizes(*sizes)
            if sized.size.queries > max(sized.size.lengths)]  # fmt: skip
    if not more:
        raise NoCase("there are no more queries than tokens")
    return [case for sized in more for case in _both_ways(sized)]


def _both_ways(draft: Draft) -> list[Case]:
    return [draft.case(ladder(draft, ascending=ascending)) for ascending in (True, False)]
