"""Derivatives of outputs against difference quotients; which entries are free (S3)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from flint import arb
from hypothesis import given

from kvfloor import ExactAttention
from kvfloor.floors import Parameter, free_parameters, identifiable, minor, parameters
from kvfloor.floors.jacobian import derivatives
from kvfloor.numbers import arb_precision, to_fmpq
from strategies import Problem, problems

STEP = Fraction(1, 2**40)


def moved(arrays: Any, p: Parameter, by: Fraction) -> Any:
    copy = [[list(row) for row in A] for A in arrays]
    copy[p.slot][p.row][p.column] += by
    return copy


def balls(arrays: Any) -> Any:
    return [[[arb(to_fmpq(x)) for x in row] for row in A] for A in arrays]


@given(problems(scales=(1,), masked=False))
def test_derivatives_are_the_limits_of_difference_quotients(problem: Problem) -> None:
    rows = min(problem.lengths)
    keys, values = ([A[:rows] for A in arrays] for arrays in (problem.keys, problem.values))
    shape = (len(keys), rows, problem.d, problem.d_v)
    entries = parameters(*shape)
    query = [to_fmpq(x) for x in problem.query]
    with arb_precision(300):
        for c in range(problem.d_v):
            found = derivatives(query, c, balls(keys), balls(values), entries)
            for p, derivative in zip(entries, found, strict=True):
                ends = []
                for by in (-STEP, STEP):
                    K = moved(keys, p, by) if p.part == "key" else keys
                    V = moved(values, p, by) if p.part == "value" else values
                    ends.append(ExactAttention(K, V)(problem.query).enclose(300)[c])
                quotient = (ends[1] - ends[0]) / to_fmpq(2 * STEP)
                assert abs(quotient - derivative) < arb(2) ** -40  # third derivatives times 2^-80


def test_minor_takes_query_and_column_in_turn() -> None:
    keys, values = balls([[[1], [2]]]), balls([[[3, 4], [5, 6]]])
    by = free_parameters(1, 2, 1, 2)
    queries = [[arb(k)] for k in range(1, 6)]
    found = minor(queries, keys, values, by)
    for i, query in enumerate(queries):
        row = derivatives(query, i % 2, keys, values, by)
        assert [str(x) for x in found.table()[i]] == [str(x) for x in row]


@pytest.mark.parametrize(
    ("shape", "rank"),
    [
        ((1, 2, 2, 2), 6),
        ((1, 5, 4, 4), 36),  # 2nd - d
        ((2, 3, 4, 4), 40),  # (4n - 2)d
        ((3, 2, 1, 2), 12),
        ((1, 1, 3, 2), 2),
        ((3, 1, 3, 2), 2),
    ],
)
def test_rank_in_numbers(shape: tuple[int, int, int, int], rank: int) -> None:
    assert identifiable(*shape) == rank == len(free_parameters(*shape))


def test_gauge_is_row_0() -> None:
    assert [p for p in free_parameters(1, 2, 1, 1) if p.part == "key"] == [
        Parameter("key", 0, 1, 0)
    ]
    free = free_parameters(2, 2, 1, 1)
    assert [(p.part, p.slot, p.row) for p in free] == [
        *(("key", 0, 0), ("key", 0, 1), ("key", 1, 1)),
        *(("value", 0, 0), ("value", 0, 1), ("value", 1, 1)),
    ]
    assert len(parameters(2, 2, 1, 1)) == 8
