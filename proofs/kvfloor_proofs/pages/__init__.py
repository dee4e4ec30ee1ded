"""The pages in docs that programs write."""

from kvfloor_proofs.pages.cost import NAMES, D, Measured, closed_forms, measure
from kvfloor_proofs.pages.index_success import BEST

__all__ = [
    "BEST",
    "NAMES",
    "D",
    "Measured",
    "closed_forms",
    "measure",
]
