"""Certificates, and the checker that believes nothing in them.

The checker builds instances and their true outputs again from the parameters, exactly; the search
that found them is not consulted. What only the cache knows is reported as unchecked, unless the
certificate is replayed on the cache.
"""

from kvfloor.certificates.checker import Outcome, check
from kvfloor.certificates.collision import collision_certificate
from kvfloor.certificates.families import MOST_WORK, most_work
from kvfloor.certificates.floor import (
    MOST_FLOOR_WORK,
    RULES,
    floor_certificate,
    floor_work,
    given_weights,
)
from kvfloor.certificates.instance import instance_certificate, instance_work, least_instance_work
from kvfloor.certificates.numeric import (
    InNumbers,
    TraceInNumbers,
    in_numbers,
    trace_in_numbers,
)
from kvfloor.certificates.text import (
    MOST_CHARACTERS,
    Document,
    InvalidError,
    MalformedError,
    canonical,
    digest,
    parse,
)
from kvfloor.certificates.violation import violation_certificate

__all__ = [
    "MOST_CHARACTERS",
    "MOST_FLOOR_WORK",
    "MOST_WORK",
    "RULES",
    "Document",
    "InNumbers",
    "InvalidError",
    "MalformedError",
    "Outcome",
    "TraceInNumbers",
    "canonical",
    "check",
    "collision_certificate",
    "digest",
    "floor_certificate",
    "floor_work",
    "given_weights",
    "in_numbers",
    "instance_certificate",
    "instance_work",
    "least_instance_work",
    "most_work",
    "parse",
    "trace_in_numbers",
    "violation_certificate",
]
