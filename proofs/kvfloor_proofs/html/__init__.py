"""The report as one page of HTML."""

from kvfloor_proofs.html.page import page

__all__ = ["page"]
