"""Hypothesis profiles, chosen by HYPOTHESIS_PROFILE: few, quick (the default), ci, thorough.

And Coq's audit, once for all tests; KVFLOOR_KERNEL=required makes a missing Coq an error.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from kvfloor_proofs.kernel import Audit, audit, sources
from kvfloor_proofs.kernel.coq import missing
from once import once

base = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],  # a clock, too
    derandomize=True,
    database=None,
    print_blob=False,
)
settings.register_profile("few", base, max_examples=5)
settings.register_profile("quick", base, max_examples=60)
settings.register_profile("ci", base, max_examples=100)
settings.register_profile("thorough", base, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture(scope="session")
def audited(request: pytest.FixtureRequest) -> Audit:
    """What Coq's kernel accepts."""
    if missing() and os.environ.get("KVFLOOR_KERNEL") != "required":
        pytest.skip(missing())
    return once(request, "audit", lambda: audit(sources()))
