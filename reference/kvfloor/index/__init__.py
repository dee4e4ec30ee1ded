"""INDEX (D5): the reduction from it to caches, and protocols for it that may err."""

from kvfloor.index.protocols import CODES, CyclicCode, best_success
from kvfloor.index.reduction import all_inputs, colliding_pair, message, output_row

__all__ = [
    "CODES",
    "CyclicCode",
    "all_inputs",
    "best_success",
    "colliding_pair",
    "message",
    "output_row",
]
