"""The report as one page of HTML."""

from kvfloor_proofs.html.document import page

__all__ = ["page"]
