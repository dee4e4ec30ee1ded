"""The pictures of the page, one file for each subject."""

from __future__ import annotations

from kvfloor_proofs.html.pictures.caches import CACHES
from kvfloor_proofs.html.pictures.cost import COST
from kvfloor_proofs.html.pictures.floors import FLOORS
from kvfloor_proofs.html.pictures.index import INDEX
from kvfloor_proofs.html.pictures.leak import LEAK
from kvfloor_proofs.html.pictures.panel import Panel, Picture, Series
from kvfloor_proofs.html.pictures.tightness import TIGHTNESS

__all__ = ["PICTURES", "Panel", "Picture", "Series"]

PICTURES = (FLOORS, LEAK, CACHES, TIGHTNESS, COST, INDEX)
