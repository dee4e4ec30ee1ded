"""Hypothesis profiles, chosen by HYPOTHESIS_PROFILE: few, quick (the default), ci, thorough.

And Coq's audit, once for all tests; KVFLOOR_KERNEL=required makes a missing Coq an error.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from kvfloor_proofs.kernel import Audit, audit, sources
from kvfloor_proofs.kernel.coq import missing
from once import once, started

base = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],  # a clock, too
    derandomize=True,
    database=None,
    print_blob=False,
)
settings.register_profile("few", base, max_examples=5)
settings.register_profile("quick", base, max_examples=40)
settings.register_profile("ci", base, max_examples=100)
settings.register_profile("thorough", base, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever waits for Coq's audit comes last."""
    items.sort(key=waits_for_audit)


def waits_for_audit(item: pytest.Item) -> bool:
    return "audited" in getattr(item, "fixturenames", ())


@pytest.fixture(scope="session", autouse=True)
def audit_ahead(request: pytest.FixtureRequest) -> None:
    """Begin with Coq's audit, which takes minutes, while other tests run."""
    if not missing() and any(map(waits_for_audit, request.session.items)):
        started(request, "audit", lambda: audit(sources()))


@pytest.fixture(scope="session")
def audited(request: pytest.FixtureRequest) -> Audit:
    """What Coq's kernel accepts."""
    if missing() and os.environ.get("KVFLOOR_KERNEL") != "required":
        pytest.skip(missing())
    return once(request, "audit", lambda: audit(sources()))
