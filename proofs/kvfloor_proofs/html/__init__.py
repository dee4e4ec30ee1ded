"""What is written as one page of HTML: the report, and the league."""

from kvfloor_proofs.html.document import page
from kvfloor_proofs.html.league import league_document

__all__ = ["league_document", "page"]
