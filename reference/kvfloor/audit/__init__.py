"""`audit`: can a cache be right, and is it? With proof where it is not (T5, T6)."""

from kvfloor.audit.auditor import DEFAULT_ALPHA, DEFAULT_CONFIDENCE, FAMILIES, audit
from kvfloor.audit.result import Audit, Finding

__all__ = [
    "DEFAULT_ALPHA",
    "DEFAULT_CONFIDENCE",
    "FAMILIES",
    "Audit",
    "Finding",
    "audit",
]
