"""Enclosures contain the truth, and are narrow."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice
from math import prod
from typing import Any

import numpy as np
import pytest
from flint import arb, ctx, fmpq

from hard_cases import Case, cases
from kvfloor.attention import ExactAttention, compare, enclose, equal, is_exactly
from kvfloor.errors import InputError
from kvfloor.numbers import arb_precision, ball_ends, to_fmpq

TINY = Fraction(1, 2**1000)


def enclosed(case: Case, b: int, bits: int) -> Any:
    mask = None if case.mask is None else case.mask[b]
    return enclose(case.queries[b], case.keys, case.values, scale=case.scale, mask=mask, bits=bits)


def weighted_size(case: Case, b: int) -> list[arb]:
    """Σ_t p_t·|Π_r V_r| for each column: what the width is measured against."""
    absolute = case._replace(values=[abs(V) for V in case.values])
    return list(enclosed(absolute, b, 80).output)


def allowed_beside(case: Case, bits: int) -> list[arb]:
    """What `enclose` may take beside that: 2^-72 of the largest value of a column."""
    largest = [[max(abs(Fraction(x)) for x in column) for column in V.T] for V in case.values]
    unit = Fraction(1, 2**72) if bits <= 64 else Fraction(0)
    return [arb(to_fmpq(unit * prod(column))) for column in zip(*largest, strict=True)]


@pytest.mark.parametrize("bits", [24, 128, 500])
def test_enclosures_contain_the_exact_output_and_are_narrow(bits: int) -> None:
    for case in islice(cases(bits), 45):
        for b in range(len(case.queries)):
            found = enclosed(case, b, bits)
            mask = None if case.mask is None else case.mask[b]
            exact = ExactAttention(case.keys, case.values, scale=case.scale)(
                case.queries[b], mask=mask
            )
            truth = [*exact.enclose(4 * bits + 200), exact.logsumexp(4 * bits + 200)]
            with arb_precision(4 * bits + 200):
                for ball, true in zip((*found.output, found.logsumexp), truth, strict=True):
                    assert ball.contains(true)
                sizes = zip(weighted_size(case, b), allowed_beside(case, bits), strict=True)
                for ball, (size, beside) in zip(found.output, sizes, strict=True):
                    assert not ball.rad() > size * arb(2) ** (4 - bits) + beside
                lse = found.logsumexp
                assert lse.rad() <= (1 + abs(lse).upper()) * arb(2) ** (4 - bits)


def test_enclosures_contain_narrower_ones() -> None:
    for case in islice(cases(99), 45):
        wide, narrow = enclosed(case, 0, 40), enclosed(case, 0, 200)
        for outer, inner in zip(wide.output, narrow.output, strict=True):
            (low, high), (inner_low, inner_high) = ball_ends(outer), ball_ends(inner)
            assert low <= inner_low <= inner_high <= high
        assert wide.logsumexp.overlaps(narrow.logsumexp)


def test_few_bits_for_many_queries_are_right_where_double_double_is_not_accurate_enough() -> None:
    """Not where logits are too large for it: that query goes on alone."""
    rng = np.random.default_rng(3)
    queries = rng.standard_normal((3, 4)) * np.array([[1], [1], [2.0**40]])
    keys, values = rng.standard_normal((2, 6, 4))
    few, many = (enclose(queries, [keys], [values], bits=bits) for bits in (64, 256))
    for one, other in zip(few, many, strict=True):
        for wide, narrow in zip(np.ravel(one), np.ravel(other), strict=True):
            assert wide.contains(narrow)
            assert wide.rel_accuracy_bits() > 60


def test_the_input_that_mpmath_intervals_get_wrong() -> None:
    """mpmath issue 1181: at 53 bits iv.exp of this number lies wholly below its exponential."""
    x = fmpq(3893924827815215, 2**50)
    keys, values = [[[float(3893924827815215 / 2**50)], [0.0]]], [[[0.0], [1.0]]]
    found = enclose([1.0], keys, values, bits=53)
    with arb_precision(2000):
        truth = 1 / (1 + arb(x).exp())
        assert found.output[0].contains(truth)
        assert found.logsumexp.contains((1 + arb(x).exp()).log())
        assert ExactAttention(keys, values)([1.0]).enclose(53)[0].contains(truth)


def test_accuracy_is_reported() -> None:
    case = next(cases(5))
    assert enclosed(case, 0, 100).rel_accuracy_bits >= 80
    assert enclosed(case, 0, 1000).rel_accuracy_bits >= 900


def test_precision_is_local() -> None:
    before = ctx.prec
    enclose([1.0], [[[1.0]]], [[[1.0]]], bits=999)
    assert ctx.prec == before


@pytest.mark.parametrize("bits", [0, 1, 2.5, "64", None])
def test_bits_are_refused_by_name(bits: Any) -> None:
    with pytest.raises(InputError, match="bits: expected a whole number >= 2"):
        enclose([1.0], [[[1.0]]], [[[1.0]]], bits=bits)


# --- E1: decided equality ------------------------------------------------------------------


def number(logits: Any, values: Any, scale: Any = 1, d: int = 1) -> Any:
    keys = [[[s] + [0] * (d - 1)] for s in logits]
    return ExactAttention([[k[0] for k in keys]], [[[v] for v in values]], scale=scale)(
        [1] + [0] * (d - 1)
    )[0]


def test_equal_where_it_must_be_and_nowhere_else() -> None:
    x = number([0, 1], [0, 1])
    assert equal(x, x)
    assert equal(x, number([5, 6], [0, 1]))  # logits shifted
    assert equal(x, number([0, 0, 1, 1], [0, 0, 2, 0]))  # regrouped
    assert not equal(x, number([0, 1], [0, 1 + TINY]))
    assert not equal(x, number([0, 1 + TINY], [0, 1]))
    assert compare(x, number([0, 1], [0, 1 + TINY])) == -1
    assert compare(number([0, 1 + TINY], [0, 1]), x) == 1
    assert compare(x, number([5, 6], [0, 1])) == 0


def test_equality_across_roots() -> None:
    """Scales 1/√2 and 1/√8 = 1/(2√2) meet; 1/√2 and 1/√3 do not; 1/√4 is rational."""
    x = number([0, 1], [0, 1], "1/sqrt(d)", 2)
    assert equal(x, number([0, 2], [0, 1], "1/sqrt(d)", 8))
    assert equal(number([0, 2], [0, 1], "1/sqrt(d)", 8), x)
    assert not equal(x, number([0, 1], [0, 1], "1/sqrt(d)", 3))
    assert not equal(x, number([0, 1.5], [0, 1], "1/sqrt(d)", 3))  # √2/2 and √3/2
    assert not equal(x, number([0, 1], [0, 1], "1/sqrt(d)", 8))
    assert equal(number([0, 1], [0, 1], "1/sqrt(d)", 4), number([0, 0.5], [0, 1]))
    assert equal(number([0, 0], [0, 1], "1/sqrt(d)", 3), number([0, 0], [0, 1]))


def test_is_exactly() -> None:
    assert is_exactly(number([0, 0], [1, 2]), "3/2")
    assert is_exactly(number([0, 1, 0, 1], [1, 1, 2, 2]), 1.5)
    assert not is_exactly(number([0, 1], [1, 2]), 1.5)
    with pytest.raises(InputError, match="rational"):
        is_exactly(number([0, 1], [1, 2]), float("nan"))


def test_exceeds_decides_beside_a_rational() -> None:
    """e^-100000 away from 1, decided without 144,270 bits."""
    output = ExactAttention([[[100000], [0]]], [[[1, 1], [2, 0]]])([1])
    assert output.exceeds(0, Fraction(1))
    assert not output.exceeds(1, Fraction(1))
    assert output.logsumexp_exceeds(Fraction(100000))
    assert not output.logsumexp_exceeds(Fraction(100001))


def test_shapes_are_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"values\[0\]: expected 1 rows"):
        enclose([1.0], [np.ones((1, 1))], [np.ones((2, 1))])
