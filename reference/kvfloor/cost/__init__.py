"""What one decoding step costs (T3 `time-memory`): counted, and in closed form."""

from kvfloor.cost.closed_forms import (
    append_four,
    append_two,
    four_cache_words,
    query_factored,
    query_formed,
    query_two,
    two_cache_words,
)
from kvfloor.cost.counting import Counted, Counts, Memory, counted
from kvfloor.cost.evaluations import (
    FourCache,
    TwoCache,
    attend_factored,
    attend_formed,
    attend_products,
)

__all__ = [
    "Counted",
    "Counts",
    "FourCache",
    "Memory",
    "TwoCache",
    "append_four",
    "append_two",
    "attend_factored",
    "attend_formed",
    "attend_products",
    "counted",
    "four_cache_words",
    "query_factored",
    "query_formed",
    "query_two",
    "two_cache_words",
]
