"""The pages in docs that programs write."""

from kvfloor_proofs.pages.cost import NAMES, D, Measured, closed_forms, measure
from kvfloor_proofs.pages.index_success import BEST
from kvfloor_proofs.pages.league import in_order, league_csv, league_page

__all__ = [
    "BEST",
    "NAMES",
    "D",
    "Measured",
    "closed_forms",
    "in_order",
    "league_csv",
    "league_page",
    "measure",
]
