"""Thousands of bits read back with certainty, from correctly rounded answers (T1).

Rounding is monotone and the threshold 1/2 is a float64, so where an answer rounds to something
else, it is on the same side of the threshold as what it rounds to.
"""

from __future__ import annotations

import random

import numpy as np
import pytest

from kvfloor import BinaryValues, binary_keys, tensor_attention_rounded
from kvfloor.families import Bits, stack
from kvfloor.floors import threshold


def read(family: BinaryValues, x: Bits) -> Bits:
    slots = ([np.array(rows, dtype=float) for rows in part] for part in stack(family.encode(x)))
    queries = np.array([family.query(i) for i in range(family.n)], dtype=float)
    answers = tensor_attention_rounded(queries, *slots, dtype="float64")
    assert threshold(family.guarantee) == 0.5
    assert not (answers == 0.5).any()
    return tuple(bit for answer in answers for bit in family.decode(answer))


@pytest.mark.parametrize(
    ("n", "order", "bits"),
    [
        (256, 1, 16_384),
        (64, 2, 4096),
        pytest.param(1024, 1, 65_536, marks=pytest.mark.long),
        pytest.param(128, 2, 8192, marks=pytest.mark.long),
    ],
)
def test_every_bit_comes_back(n: int, order: int, bits: int) -> None:
    family = BinaryValues(binary_keys(n), d_v=64, order=order)
    assert family.size == bits
    rng = random.Random(n)
    x = tuple(rng.randrange(2) for _ in range(bits))
    assert read(family, x) == x
    k = rng.randrange(bits)
    other = (*x[:k], 1 - x[k], *x[k + 1 :])
    assert read(family, other) == other
