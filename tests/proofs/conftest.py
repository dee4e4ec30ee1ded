"""The report on all claims, made once, with results that nobody had to wait for."""

from __future__ import annotations

import pytest
from reports import established

from kvfloor_proofs.claims import SLUGS, load
from kvfloor_proofs.html import page


@pytest.fixture(scope="session")
def report() -> str:
    claims = [load(slug) for slug in SLUGS]
    return page(claims, [established(claim) for claim in claims], examples=7, seed=3)
