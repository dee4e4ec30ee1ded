"""Rotary embeddings and attention in balls: what claims about positions run on (H3)."""

from __future__ import annotations

import cmath
from fractions import Fraction

import pytest
from flint import arb, fmpq
from hypothesis import given
from hypothesis import strategies as st

from kvfloor import ExactAttention
from kvfloor.numbers import arb_precision
from kvfloor_proofs.foundations.rotary import attended, rotated, turned_back

SMALL = st.integers(-5, 5)


@given(st.lists(SMALL, min_size=6, max_size=6), st.integers(0, 50))
def test_pairs_are_turned_as_complex_numbers(vector: list[int], position: int) -> None:
    """Entries c and c + d/2 are x + iy, multiplied by exp(i·position·base^(-2c/d))."""
    turned = rotated(vector, position, 10_000)
    for c in range(3):
        z = complex(vector[c], vector[c + 3])
        w = z * cmath.exp(1j * position * 10_000 ** (-c / 3))
        assert abs(float(turned[c].mid()) - w.real) < 1e-9
        assert abs(float(turned[c + 3].mid()) - w.imag) < 1e-9


def test_position_zero_and_a_quarter_turn() -> None:
    assert rotated([1, 2, 3, 4], 0, 10_000) == [1, 2, 3, 4]
    with arb_precision(128):
        first, *_ = rotated([1, 0, 0, 0], 1, 500_000)
        assert first.overlaps(arb(1).cos())
        assert rotated([0, 1, 0, 0], 1, 10_000)[1].overlaps((arb(1) / 100).cos())


@given(st.lists(SMALL, min_size=4, max_size=4), st.integers(0, 10_000))
def test_turned_back_and_turned(vector: list[int], position: int) -> None:
    with arb_precision(256):
        again = rotated(turned_back(vector, position, 10_000), position, 10_000)
        for entry, was in zip(again, vector, strict=True):
            assert abs(entry - was) < arb(2) ** -200


@given(st.lists(st.fractions(-4, 4, max_denominator=9), min_size=1, max_size=5), st.data())
def test_attention_in_balls_is_attention(logits: list[Fraction], data: st.DataObject) -> None:
    values = [data.draw(st.lists(SMALL, min_size=2, max_size=2)) for _ in logits]
    exact = ExactAttention([[[s] for s in logits]], [values])([1]).enclose(128)
    with arb_precision(128):
        balls = attended([arb(fmpq(s.numerator, s.denominator)) for s in logits], values)
    for ball, other in zip(balls, exact, strict=True):
        assert ball.overlaps(other)
        assert ball.rad() < 1e-30


def test_as_transformers_does_it() -> None:
    torch = pytest.importorskip("torch")
    llama = pytest.importorskip("transformers.models.llama.modeling_llama")
    position, vector = 7, [1.0, -2.0, 3.0, 0.5]
    angles = torch.tensor([position * 10_000 ** (-2 * (c % 2) / 4) for c in range(4)])
    query = torch.tensor(vector)[None, None, None]
    cos, sin = (f(angles)[None, None] for f in (torch.cos, torch.sin))
    turned, _ = llama.apply_rotary_pos_emb(query, query, cos, sin)
    for entry, ball in zip(turned.flatten().tolist(), rotated(vector, 7, 10_000), strict=True):
        assert abs(float(ball.mid()) - entry) < 1e-5
