"""Exact outputs: containment and width of balls, rationals found, neighbours on the grid (E1)."""

from __future__ import annotations

import subprocess
import sys
from contextlib import AbstractContextManager
from fractions import Fraction
from math import prod

import pytest
from flint import arb, fmpq
from hypothesis import given
from hypothesis import strategies as st

from kvfloor import ExactAttention, ExactOutput
from kvfloor.attention import exact as exact_module
from kvfloor.numbers import arb_precision, to_fmpq, to_fraction
from strategies import Problem, problems


def exact(p: Problem) -> ExactOutput:
    return ExactAttention(p.keys, p.values, scale=p.scale)(p.query, mask=p.mask)


def naive(p: Problem, bits: int) -> tuple[list[arb], arb]:
    """Output and log-sum-exp by the definition: each tuple by itself, no grouping, no shift."""
    with arb_precision(bits):
        sigma = arb(p.d).rsqrt() if p.scale == "1/sqrt(d)" else arb(to_fmpq(Fraction(p.scale)))
        weights, values = [], []
        for t in p.tuples:
            rows = [K[j] for K, j in zip(p.keys, t, strict=True)]
            logit = sum(
                (q * prod((row[c] for row in rows), start=Fraction(1)))
                for c, q in enumerate(p.query)
            )
            weights.append((sigma * to_fmpq(Fraction(logit))).exp())
            rows = [V[j] for V, j in zip(p.values, t, strict=True)]
            values.append([prod((row[c] for row in rows), start=Fraction(1)) for c in range(p.d_v)])
        total = sum(weights, arb(0))
        output = [
            sum((w * to_fmpq(v[c]) for w, v in zip(weights, values, strict=True)), arb(0)) / total
            for c in range(p.d_v)
        ]
        return output, total.log()


def same_and_narrow(found: arb, truth: arb, bits: int) -> None:
    """``found`` meets the much finer ``truth``, and is not wider than its precision allows."""
    assert found.overlaps(truth)
    assert truth.rad() <= arb(2) ** (-bits - 16)
    assert found.rad() <= arb(2) ** (16 - bits)


@given(problems(), st.sampled_from((64, 128, 300)))
def test_balls_contain_the_naive_output_and_are_narrow(p: Problem, bits: int) -> None:
    answer = exact(p)
    output, lse = naive(p, bits + 400)
    for found, truth in zip(answer.enclose(bits), output, strict=True):
        same_and_narrow(found, truth, bits)
    same_and_narrow(answer.logsumexp(bits), lse, bits)


def test_default_precision_is_128_bits() -> None:
    answer = ExactAttention([[[0], [1]]], [[[0], [1]]])([1])
    assert answer.enclose()[0].rad() < arb(2) ** -120
    assert answer.logsumexp().rad() < arb(2) ** -120


@given(problems())
def test_groups_are_those_of_the_definition(p: Problem) -> None:
    answer = exact(p)
    groups: dict[Fraction, tuple[int, list[Fraction]]] = {}
    unit = Fraction(1) if p.scale == "1/sqrt(d)" else Fraction(p.scale)
    if p.scale == "1/sqrt(d)":
        unit = Fraction(1, p.d) if answer.root == p.d > 1 else Fraction(1, {1: 1, 4: 2}[p.d])
    for t in p.tuples:
        s = unit * sum(
            (p.query[c] * prod(K[j][c] for K, j in zip(p.keys, t, strict=True))) for c in range(p.d)
        )
        v = [prod(V[j][c] for V, j in zip(p.values, t, strict=True)) for c in range(p.d_v)]
        count, sums = groups.get(s, (0, [Fraction(0)] * p.d_v))
        groups[s] = count + 1, [a + b for a, b in zip(sums, v, strict=True)]
    found = {
        to_fraction(s): (m, [to_fraction(a) for a in sums])
        for s, m, sums in zip(answer.logits, answer.counts, answer.sums, strict=True)
    }
    assert found == groups
    assert list(answer.logits) == sorted(answer.logits, reverse=True)


# --- rational outputs ----------------------------------------------------------------------


@given(problems())
def test_equal_values_are_a_rational_output(p: Problem) -> None:
    values = [[V[0]] * len(V) for V in p.values]
    answer = exact(p._replace(values=values))
    for c in range(p.d_v):
        assert answer.rational(c) == prod((V[0][c] for V in p.values), start=Fraction(1))


@given(problems())
def test_equal_logits_are_a_rational_output(p: Problem) -> None:
    answer = exact(p._replace(query=[Fraction(0)] * p.d))
    assert answer.logits == (fmpq(0),)
    for c in range(p.d_v):
        values = [prod(V[j][c] for V, j in zip(p.values, t, strict=True)) for t in p.tuples]
        assert answer.rational(c) == sum(values, Fraction(0)) / len(values)


def test_rational_in_one_column_and_not_in_the_other() -> None:
    # Two groups with means (1/2, 1) and (1/2, 0): e^s drops out of the first column alone.
    keys = [[[0], [0], [1], [1]]]
    answer = ExactAttention(keys, [[[0, 1], [1, 1], [Fraction(1, 4), 0], [Fraction(3, 4), 0]]])([1])
    assert answer.rational(0) == Fraction(1, 2)
    assert answer.rational(1) is None
    assert answer.bounds(0, 1) == (Fraction(1, 2), Fraction(1, 2))


@given(problems())
def test_irrational_exactly_when_no_group_mean_is_common(p: Problem) -> None:
    answer = exact(p)
    for c in range(p.d_v):
        r = answer.rational(c)
        means = {to_fraction(a[c]) / m for a, m in zip(answer.sums, answer.counts, strict=True)}
        assert (r is None) == (len(means) > 1)
        if r is not None:
            with arb_precision(400):
                assert answer.enclose(100)[c].overlaps(arb(to_fmpq(r)))


# --- the grid ------------------------------------------------------------------------------


@given(problems(), st.integers(0, 70))
def test_bounds_are_neighbours_around_the_output(p: Problem, grid_bits: int) -> None:
    answer = exact(p)
    bits = grid_bits + 2**14  # logits of these problems are thousands of nats apart
    output, _ = naive(p, bits)
    for c, truth in enumerate(output):
        lower, upper = answer.bounds(c, grid_bits)
        r = answer.rational(c)
        assert (lower * 2**grid_bits).denominator == 1
        assert upper - lower == (0 if lower == r else Fraction(1, 2**grid_bits))
        if r is None:
            with arb_precision(bits):
                assert arb(to_fmpq(lower)) < truth < arb(to_fmpq(upper))
        else:
            assert lower <= r <= upper


@pytest.mark.parametrize(
    ("value", "grid_bits", "wanted"),
    [
        (Fraction(1, 3), 2, (Fraction(1, 4), Fraction(1, 2))),
        (Fraction(-1, 3), 2, (Fraction(-1, 2), Fraction(-1, 4))),
        (Fraction(3, 4), 2, (Fraction(3, 4), Fraction(3, 4))),
        (Fraction(-5), 0, (Fraction(-5), Fraction(-5))),
    ],
)
def test_bounds_of_a_rational(
    value: Fraction, grid_bits: int, wanted: tuple[Fraction, Fraction]
) -> None:
    answer = ExactAttention([[[1], [2]]], [[[value], [value]]])([1])
    assert answer.bounds(0, grid_bits) == wanted


@pytest.mark.parametrize("gap", [50, 500, 5000])
def test_bounds_beside_a_grid_point(gap: int) -> None:
    unit = Fraction(1, 2**64)
    above = ExactAttention([[[0], [gap]]], [[[1], [0]]])([1])  # 1/(1 + e^gap): a hair above 0
    below = ExactAttention([[[0], [gap]]], [[[0], [1]]])([1])
    minus = ExactAttention([[[0], [gap]]], [[[-1], [0]]])([1])
    cell = 0 if gap > 64 else above.bounds(0, 64)[0]
    assert above.bounds(0, 64) == (cell, cell + unit)
    assert below.bounds(0, 64) == (1 - cell - unit, 1 - cell)
    assert minus.bounds(0, 64) == (-cell - unit, -cell)


def test_bounds_beside_a_grid_point_need_no_more_precision(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    used: list[int] = []

    def spy(bits: int) -> AbstractContextManager[None]:
        used.append(bits)
        return arb_precision(bits)

    monkeypatch.setattr(exact_module, "arb_precision", spy)
    answer = ExactAttention([[[0], [10**5]]], [[[0], [1]]])([1])  # 1 - 1/(1 + e^100000)
    assert answer.bounds(0, 64) == (1 - Fraction(1, 2**64), Fraction(1))
    assert max(used) < 10_000


def test_bounds_of_an_output_nearest_to_zero() -> None:
    script = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))\n"
        "import kvfloor; answer = kvfloor.ExactAttention([[[0], [10**12]]], [[[1], [0]]])([1])\n"
        "print(*answer.bounds(0, 64))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, f"0 {Fraction(1, 2**64)}\n")


def test_weights_are_relative_to_the_largest_logit() -> None:
    answer = ExactOutput((fmpq(10**6), fmpq(10**6 - 1)), 1, (2, 3), ((fmpq(2),), (fmpq(0),)))
    with arb_precision(300):
        out, lse = 2 / (2 + 3 * arb(-1).exp()), 10**6 + (2 + 3 * arb(-1).exp()).log()
    same_and_narrow(answer.enclose(128)[0], out, 128)
    assert answer.logsumexp(128).overlaps(lse)
    assert answer.logsumexp(128).rad() < arb(2) ** -100


def test_root_multiplies_logits() -> None:
    answer = ExactOutput((fmpq(1), fmpq(0)), 2, (1, 1), ((fmpq(1),), (fmpq(0),)))
    with arb_precision(300):
        e = arb(2).sqrt().exp()
        out, lse = e / (1 + e), (1 + e).log()
    same_and_narrow(answer.enclose(128)[0], out, 128)
    same_and_narrow(answer.logsumexp(128), lse, 128)
