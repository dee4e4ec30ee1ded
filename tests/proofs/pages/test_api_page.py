"""The page of the API names everything that its modules offer, with what is said of it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from kvfloor_proofs.pages.api import MODULES, table

PAGE = Path(__file__).parents[3] / "docs" / "api.md"


def test_the_page_is_what_the_program_writes() -> None:
    assert PAGE.read_text() == table()


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_has_a_row_that_says_something(module: str) -> None:
    section = table().partition(f"\n## {module}\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    names = [name for name in import_module(module).__all__ if not name.startswith("__")]
    assert [row.split("`")[1] for row in rows] == names
    assert not [row for row in rows if row.endswith("|  |")]
    assert not [row for row in rows if "Built-in immutable" in row or "tuple(iterable" in row]
