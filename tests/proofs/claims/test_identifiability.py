"""The two sides of the rank, where they could be wrong (S3)."""

from __future__ import annotations

from itertools import product

import pytest

from kvfloor.floors import Parameter, free_parameters, identifiable, parameters
from kvfloor_proofs.claims import identifiability
from kvfloor_proofs.claims.identifiability import certified_rank, symmetry_directions
from kvfloor_proofs.foundations.properties import Falsified

SHAPES = [(1, 4, 3, 3), (2, 3, 2, 2), (2, 2, 3, 1), (3, 3, 2, 2), (3, 2, 1, 4), (2, 1, 2, 2)]


@pytest.mark.parametrize("shape", SHAPES)
def test_both_sides_meet(shape: tuple[int, int, int, int]) -> None:
    lost = len(symmetry_directions(*shape))
    assert certified_rank(*shape, seed=1) == len(parameters(*shape)) - lost == identifiable(*shape)


@pytest.mark.parametrize("shape", list(product((1, 2, 3), (1, 2), (1, 2), (1, 2))))
def test_no_larger_minor_is_certified(
    shape: tuple[int, int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one entry of the gauge declared free, every minor vanishes."""

    def one_too_many(*shape: int) -> list[Parameter]:
        free = original(*shape)
        return [*free, next(p for p in parameters(*shape) if p not in free)]

    original = free_parameters
    monkeypatch.setattr(identifiability, "free_parameters", one_too_many)
    with pytest.raises(Falsified, match="no non-zero minor"):
        certified_rank(*shape, seed=1)
