"""The page about real models: every number is what the code computes, row by row."""

from __future__ import annotations

from pathlib import Path

import pytest

from kvfloor.floors import symbol_bits
from kvfloor_proofs.pages.models import MODELS, TOKENS, page, row, size

PAGE = Path(__file__).parents[3] / "docs" / "models.md"


def test_page_is_current() -> None:
    """If this fails: python -m kvfloor_proofs.pages.models docs/models.md."""
    assert PAGE.read_text(encoding="utf-8") == page()


@pytest.mark.parametrize(
    ("name", "stored", "values", "symbols"),
    [
        ("Llama 2 7B", 2 * 32 * 32 * 128, 32 * 32 * 128, None),
        (
            "Llama 3.1 8B",
            2 * 32 * 8 * 128,
            32 * 8 * 128,
            32 * 8 * (127 * 2**17 + 125 * (2**17 - 1)),
        ),
        ("Qwen2.5 7B", 2 * 28 * 4 * 128, 28 * 4 * 128, None),
        ("DeepSeek-V3", 61 * 576, 61 * 512, 61 * (511 * 2**17 + 61 * (2**17 - 1))),
    ],
)
def test_rows_by_hand(name: str, stored: int, values: int, symbols: int | None) -> None:
    """Entries a token from the shape alone; symbols of 128 levels at 128k tokens."""
    (model,) = (model for model in MODELS if model.name == name)
    n = TOKENS["128k"]
    found = row(model, n)
    assert found.stored == 16 * n * stored
    assert found.plain == n * values
    assert symbols is None or found.best == symbol_bits(symbols, 128)
    assert found.plain < found.bounded <= found.best < found.stored


def test_windows_stop_growing() -> None:
    (mistral,) = (model for model in MODELS if model.name.startswith("Mistral"))
    assert row(mistral, 4096) == row(mistral, 2**20)
    (gemma,) = (model for model in MODELS if model.name.startswith("Gemma"))
    assert row(gemma, 2**17).stored == 16 * 21 * 8 * 512 * (4096 + 2**17)


def test_sizes() -> None:
    assert [size(8 * bytes_) for bytes_ in (1_230_000, 999_000_000, 10**9)] == [
        "1.23 MB",
        "999 MB",
        "1 GB",
    ]
