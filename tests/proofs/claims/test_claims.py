"""The registry: every claim is run, every page is current."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from kvfloor.errors import InputError
from kvfloor_proofs import claims
from kvfloor_proofs.claims import SLUGS, load
from kvfloor_proofs.pages.claims import index, page, write_pages
from kvfloor_proofs.verify.results import verify_claim

ROOT = Path(__file__).parents[3]

# Properties with so few instances that Hypothesis may run out of them: with every (n, d_v, b).
FEW_INSTANCES = {"random-instance-fails": 2 + 3 + 4 + 5}


@pytest.mark.parametrize("slug", SLUGS)
def test_claim_is_established(slug: str) -> None:
    claim = load(slug)
    examples = max(1, settings().max_examples // 10)
    result = verify_claim(claim, examples=examples)
    assert result.ok, (result.derivation_error, result.property_error)
    assert result.verdict == claim.verdict
    assert result.steps > 0
    few = min(examples, FEW_INSTANCES.get(slug, examples))
    assert result.examples == examples * (len(claim.properties) - 1) + few


@pytest.mark.parametrize("slug", ["four-cache", "collision", "sliding-window"])
def test_claims_about_caches_check_certificates(slug: str) -> None:
    assert verify_claim(load(slug), examples=5).certificates >= 5


def test_registry_lists_every_module() -> None:
    folder = Path(claims.__file__).parent
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert modules == {slug.replace("-", "_") for slug in SLUGS}
    assert [load(slug).slug for slug in SLUGS] == list(SLUGS)


def test_unknown_slug() -> None:
    with pytest.raises(InputError, match=r"slug: expected one of .*, got five-cache"):
        load("five-cache")


@pytest.mark.parametrize("slug", SLUGS)
def test_page_is_current(slug: str) -> None:
    """If this fails: python -m kvfloor_proofs.pages.claims docs/claims."""
    assert (ROOT / "docs" / "claims" / f"{slug}.md").read_text() == page(load(slug))


def test_no_page_is_left_over(tmp_path: Path) -> None:
    write_pages(tmp_path)
    committed = {path.name for path in (ROOT / "docs" / "claims").glob("*.md")}
    assert committed == {path.name for path in tmp_path.iterdir()}
    assert (ROOT / "docs" / "claims" / "index.md").read_text() == index()
