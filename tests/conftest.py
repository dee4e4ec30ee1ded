"""Hypothesis profiles, chosen by HYPOTHESIS_PROFILE: few, quick (the default), ci, thorough.

And Coq's audit, once for all tests; KVFLOOR_KERNEL=required makes a missing Coq an error.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from kvfloor_proofs.kernel import Audit, audit, sources
from kvfloor_proofs.kernel.coq import missing

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
def audited() -> Audit:
    """What Coq's kernel accepts."""
    if missing() and os.environ.get("KVFLOOR_KERNEL") != "required":
        pytest.skip(missing())
    return audit(sources())


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks at the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one process of pytest-xdist run all that need the audit, so that it is made once."""
    for item in items:
        if "audited" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("kernel"))
