"""Certificates, and the checker that believes nothing in them.

The checker builds instances and their true outputs again from the parameters, exactly; the search
that found them is not consulted. What only the cache knows is reported as unchecked, unless the
certificate is replayed on the cache.
"""

from kvfloor.certificate.checker import Outcome, check
from kvfloor.certificate.collision import collision_certificate
from kvfloor.certificate.text import MOST_CHARACTERS, Document, canonical, digest
from kvfloor.certificate.violation import violation_certificate

__all__ = [
    "MOST_CHARACTERS",
    "Document",
    "Outcome",
    "canonical",
    "check",
    "collision_certificate",
    "digest",
    "violation_certificate",
]
