"""Curves of floors are those that the functions return, and become pictures."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kvfloor import InputError, Part, floor_of, model_floors
from kvfloor_proofs.report import draw_panels, panels_of_shape, panels_of_trace
from kvfloor_proofs.report.floor_pictures import ALPHAS

PARTS = (Part(2, 3, 16, 8, None), Part(1, 3, 16, 8, 100))


def panels(**terms: Any) -> Any:
    def floors_at(tokens: int, alpha: Fraction | None) -> Any:
        return model_floors(PARTS, tokens, **(terms if alpha is None else terms | {"alpha": alpha}))

    return panels_of_shape(floors_at, 3000, 1)


def test_the_curves_of_a_shape() -> None:
    accuracy, lengths = panels(alpha=Fraction(1, 64))
    assert accuracy.x == tuple(map(float, ALPHAS))
    assert list(accuracy.floors) == sorted(accuracy.floors)
    assert len(set(accuracy.floors)) == len(ALPHAS)
    assert lengths.x == (2, 5, 11, 23, 46, 93, 187, 375, 750, 1500, 3000)
    both = model_floors(PARTS, 3000, alpha=Fraction(1, 64))
    best = sum(row.floors[0].bits for row in both)
    assert best - 1 <= accuracy.floors[ALPHAS.index(Fraction(1, 64))] <= best
    assert lengths.floors[-1] == accuracy.floors[ALPHAS.index(Fraction(1, 64))]
    a_token = 16 * 3 * (16 + 8)  # of a layer
    assert set(accuracy.stored) == {a_token * (2 * 3000 + 100)}
    assert lengths.stored[-4:] == tuple(a_token * (2 * n + 100) for n in (375, 750, 1500, 3000))


def test_accuracies_that_are_too_coarse_are_left_out() -> None:
    accuracy, _ = panels(eta=Fraction(3, 4))
    assert accuracy.x == tuple(map(float, ALPHAS[1:]))  # 3/4 + 2/4 tells nothing


def test_other_faults_are_told() -> None:
    with pytest.raises(InputError, match="delta"):
        panels(delta=2)


def test_the_curve_of_a_trace(tmp_path: Path) -> None:
    keys = 4 * np.eye(4)
    (accuracy,) = panels_of_trace(lambda alpha: floor_of([keys], keys, alpha=alpha), 512)
    bits = [floor_of([keys], keys, alpha=alpha).bits for alpha in ALPHAS]
    assert accuracy.floors == tuple(bits)
    assert accuracy.stored == (512,) * len(bits)
    draw_panels([accuracy], str(tmp_path / "floor.svg"))
    drawn = (tmp_path / "floor.svg").read_text()
    assert all(f"<!-- {text} -->" in drawn for text in ("float16 cache", "floor", "bits", "α"))
    with pytest.raises(InputError, match="file: expected the name of a picture"):
        draw_panels([accuracy], str(tmp_path / "floor.none"))
    assert not (tmp_path / "floor.none").exists()
