"""What is settled at once: plain numbers, those beside a boundary, those beyond a format."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from kvfloor.attention import Layers, tensor_attention_rounded
from kvfloor.numbers import as_format


@pytest.mark.parametrize("low", [1e-170, 1e-310, -1e-170])
def test_an_output_beside_a_small_number_needs_few_bits(low: float) -> None:
    """It is e^-30000 beside it; the product of two such numbers underflows."""
    layers = Layers()
    found = tensor_attention_rounded(
        [3e4],
        [[[1.0], [0.0]]],
        [[[low], [3 * low]]],
        dtype="float64",
        rounding="up",
        layers=layers,
    )
    assert found[0] == (np.nextafter(low, 1) if low > 0 else low)
    assert layers.exact == 1


def test_what_is_plain_is_settled_at_once() -> None:
    """Columns of zeros, of one number, rows that see a sink alone, and numbers beyond a format."""
    rng = np.random.default_rng(0)
    q, K, V = (rng.standard_normal((n, 8)) for n in (32, 64, 64))
    V[:, 0], V[:, 1], V[:, 2] = 0, 0.1, 1e6
    V[-1, 3] = V[0, 3]
    mask = np.ones((32, 64), dtype=np.bool_)
    mask[:8] = False
    plain, layers = Layers(), Layers()
    given: dict[str, Any] = {"dtype": "float8_e4m3fn", "scale": "1/sqrt(d)"}
    found = tensor_attention_rounded(q, [K], [V], layers=plain, **given)
    assert (found[:, 0] == 0).all()
    assert not np.signbit(found[:, 0]).any()
    assert (found[:, 1] == as_format("float8_e4m3fn").round(Fraction(0.1))).all()
    assert np.isnan(found[:, 2].astype(np.float64)).all()
    assert len(np.unique(found[:, 3].astype(np.float64))) > 1
    assert (plain.exact, plain.balls) == (3 * 32, 0)
    sink = tensor_attention_rounded(
        q, [K], [V], mask=mask, sink=3.0, return_logsumexp=True, layers=layers, **given
    )
    assert (sink.output[:8] == 0).all()
    assert (sink.output[8:, 1].astype(np.float64) < 0.1).all()
    assert (sink.logsumexp[:8] == 3).all()
    assert (layers.exact, layers.balls) == (8 * 9 + 24, 0)


def test_a_column_of_zeros_in_one_slot_is_enough() -> None:
    rng = np.random.default_rng(0)
    q, *slots = (rng.standard_normal((n, 3)) for n in (4, 6, 6, 6, 6))
    slots[2][:, 0], slots[2][:, 1] = 0, 1
    layers = Layers()
    found = tensor_attention_rounded(q, slots[:2], slots[2:], dtype="float64", layers=layers)
    assert (found[:, 0] == 0).all()
    assert len(np.unique(found[:, 1])) == 4
    assert layers.exact == 4


def test_a_row_whose_biases_are_all_the_least_number_has_none() -> None:
    rng = np.random.default_rng(0)
    q, K, V = (rng.standard_normal((n, 4)) for n in (4, 16, 16))
    bias = np.zeros((4, 16), dtype=np.float32)
    bias[1:] = np.finfo(np.float32).min
    bias[2, 0] = -1.0
    layers = Layers()
    found = tensor_attention_rounded(q, [K], [V], dtype="float32", bias=bias, layers=layers)
    right = tensor_attention_rounded(q, [K], [V], dtype="float32")
    np.testing.assert_array_equal(found[[0, 1, 3]], right[[0, 1, 3]])
    np.testing.assert_array_equal(found[2], V[0].astype(np.float32))
    assert layers.balls == layers.exact == 0
    told = tensor_attention_rounded(q, [K], [V], dtype="float64", bias=bias, return_logsumexp=True)
    assert (told.logsumexp[[1, 3]] == np.float64(np.finfo(np.float32).min)).all()
