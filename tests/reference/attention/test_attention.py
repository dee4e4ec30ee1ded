"""The laws of D1: exactly over the rationals, and within the promised error in mpmath."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import mpmath
import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import assume, given
from hypothesis import strategies as st

from kvfloor import (
    Attention,
    ExactAttention,
    ExactOutput,
    InputError,
    khatri_rao,
    tensor_attention,
    tensor_attention_khatri_rao,
)
from kvfloor.numbers import arb_precision, as_fraction, mpmath_precision, to_fmpq
from strategies import Problem, fractions, problems

READINGS = (tensor_attention, tensor_attention_khatri_rao)


def exact(p: Problem) -> ExactOutput:
    return ExactAttention(p.keys, p.values, scale=p.scale)(p.query, mask=p.mask)


def ball(x: Any) -> arb:
    return arb(to_fmpq(as_fraction(x, "x")))


def product_rows(matrices: Any) -> Any:
    return khatri_rao(*matrices)


def by_tuple(p: Problem, matrices: Any) -> dict[tuple[int, ...], list[Fraction]]:
    """The product of the rows of each tuple."""
    rows = map(list, product_rows(matrices))
    return dict(zip(product(*map(range, p.lengths)), rows, strict=True))


def promise_kept(p: Problem, found: Attention, digits: int) -> None:
    """Check ``|error| <= 10**-digits * Σ p|Πv|``, and the like for lse, by much finer balls."""
    bits = 4 * digits + 400
    with arb_precision(bits):
        allowed = arb(10) ** -digits
        outputs, sums = exact(p).enclose(bits), sum_of_absolute_products(p, bits)
        for o, truth, sum_pv in zip(found.output, outputs, sums, strict=True):
            assert abs(ball(o) - truth) <= allowed * sum_pv
        lse = exact(p).logsumexp(bits)
        assert abs(ball(found.logsumexp) - lse) <= allowed * arb(1).max(abs(lse))


def sum_of_absolute_products(p: Problem, bits: int) -> list[arb]:
    """Σ_t p_t |Π_r V_r[t_r, c]|: attention over one slot with all products written out."""
    keys = [list(row) for row in product_rows(p.keys)]
    values = [[abs(x) for x in row] for row in product_rows(p.values)]
    mask = None if p.mask is None else p.mask.reshape(-1)
    return exact(Problem(p.query, [keys], [values], p.scale, mask)).enclose(bits)


# --- two readings, one definition ----------------------------------------------------------


@given(problems(), st.integers(1, 60))
def test_both_readings_keep_the_digits_promised(p: Problem, digits: int) -> None:
    for attend in READINGS:
        found = attend(p.query, p.keys, p.values, scale=p.scale, mask=p.mask, digits=digits)
        assert found.output.shape == (p.d_v,)
        promise_kept(p, found, digits)


@given(problems())
def test_tuple_form_is_matrix_form_exactly(p: Problem) -> None:
    keys, values = product_rows(p.keys), product_rows(p.values)
    mask = None if p.mask is None else p.mask.reshape(-1)
    one_slot = ExactAttention([keys], [values], scale=p.scale)(p.query, mask=mask)
    assert one_slot == exact(p)


def test_khatri_rao_rows_are_products_the_last_slot_fastest() -> None:
    A, B = ((Fraction(1), Fraction(2)), (Fraction(3), Fraction(4))), ((Fraction(5), Fraction(7)),)
    assert product_rows([A, B]) == ((5, 14), (15, 28))
    C = ((Fraction(1), Fraction(1)), (Fraction(2), Fraction(3)))
    assert product_rows([A, C]) == ((1, 2), (2, 6), (3, 4), (6, 12))
    assert product_rows([A]) == A


def test_known_value() -> None:
    found = tensor_attention([1], [[[0], [1]]], [[[0], [1]]], digits=30)
    with mpmath.workdps(30):
        assert abs(found.output[0] - mpmath.e / (1 + mpmath.e)) < mpmath.mpf(10) ** -29
        assert abs(found.logsumexp - mpmath.log(1 + mpmath.e)) < mpmath.mpf(10) ** -29


# --- laws ----------------------------------------------------------------------------------


@given(problems(), st.data())
def test_permuting_tokens_changes_nothing(p: Problem, data: st.DataObject) -> None:
    orders = [data.draw(st.permutations(range(n))) for n in p.lengths]
    mask = p.mask if p.mask is None else p.mask[np.ix_(*orders)]
    permuted = p._replace(
        keys=[[K[j] for j in order] for K, order in zip(p.keys, orders, strict=True)],
        values=[[V[j] for j in order] for V, order in zip(p.values, orders, strict=True)],
        mask=mask,
    )
    assert exact(permuted) == exact(p)


def rescaled(matrix: Sequence[Sequence[Fraction]], column: int, by: Fraction) -> Any:
    return [[x * by if c == column else x for c, x in enumerate(row)] for row in matrix]


@given(problems(orders=(2, 3)), fractions().filter(bool), fractions().filter(bool), st.data())
def test_rescaling_columns_between_slots_changes_nothing(
    p: Problem, tau: Fraction, rho: Fraction, data: st.DataObject
) -> None:
    r, s = data.draw(st.permutations(range(len(p.keys))))[:2]
    key_column, value_column = (data.draw(st.integers(0, k - 1)) for k in (p.d, p.d_v))
    keys, values = list(p.keys), list(p.values)
    keys[r] = rescaled(keys[r], key_column, tau)
    keys[s] = rescaled(keys[s], key_column, 1 / tau)
    values[r] = rescaled(values[r], value_column, rho)
    values[s] = rescaled(values[s], value_column, 1 / rho)
    assert exact(p._replace(keys=keys, values=values)) == exact(p)


@given(problems(orders=(1,)), st.data())
def test_one_vector_added_to_all_keys_shifts_only_lse(p: Problem, data: st.DataObject) -> None:
    v = data.draw(st.lists(fractions(), min_size=p.d, max_size=p.d))
    keys = [[[x + y for x, y in zip(row, v, strict=True)] for row in p.keys[0]]]
    before, after = exact(p), exact(p._replace(keys=keys))
    assert (after.counts, after.sums) == (before.counts, before.sums)
    q_v = sum((x * y for x, y in zip(p.query, v, strict=True)), Fraction(0))
    with arb_precision(300):
        sigma = arb(p.d).rsqrt() if p.scale == "1/sqrt(d)" else ball(p.scale)
        shift = after.logsumexp(300) - before.logsumexp(300) - sigma * to_fmpq(q_v)
        assert shift.contains(0)
        assert shift.rad() < arb(2) ** -250
    assert len({b - a for a, b in zip(before.logits, after.logits, strict=True)}) == 1


@given(problems())
def test_output_lies_in_the_hull_of_the_products(p: Problem) -> None:
    V = by_tuple(p, p.values)
    answer = exact(p)
    for c in range(p.d_v):
        kept = [V[t][c] for t in p.tuples]
        for a, m in zip(answer.sums, answer.counts, strict=True):
            assert to_fmpq(min(kept)) <= a[c] / m <= to_fmpq(max(kept))
        out = answer.enclose(300)[c]
        assert not out < ball(min(kept))
        assert not out > ball(max(kept))
        assert answer.rational(c) is not None or min(kept) < max(kept)


@given(problems(masked=False), st.integers(1, 3), st.data())
def test_slot_of_ones_is_one_order_less(p: Problem, n: int, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(p.keys)))
    keys, values = list(p.keys), list(p.values)
    keys.insert(at, [[Fraction(1)] * p.d] * n)
    values.insert(at, [[Fraction(1)] * p.d_v] * n)
    less, more = exact(p), exact(p._replace(keys=keys, values=values))
    assert more.logits == less.logits
    assert more.counts == tuple(n * m for m in less.counts)
    assert more.sums == tuple(tuple(n * a for a in sums) for sums in less.sums)
    with arb_precision(300):
        shift = more.logsumexp(300) - less.logsumexp(300) - arb(n).log()
        assert shift.contains(0)
        assert shift.rad() < arb(2) ** -250


@given(problems())
def test_masked_tuples_are_removed(p: Problem) -> None:
    K, V = by_tuple(p, p.keys), by_tuple(p, p.values)
    keys, values = ([A[t] for t in p.tuples] for A in (K, V))
    assert exact(Problem(p.query, [keys], [values], p.scale, None)) == exact(p)


@given(problems(masked=False), st.data())
def test_masking_tokens_is_dropping_them(p: Problem, data: st.DataObject) -> None:
    kept = [
        sorted(data.draw(st.sets(st.integers(0, n - 1), min_size=1, max_size=n))) for n in p.lengths
    ]
    mask = np.zeros(p.lengths, dtype=np.bool_)
    mask[np.ix_(*kept)] = True
    dropped = p._replace(
        keys=[[K[j] for j in js] for K, js in zip(p.keys, kept, strict=True)],
        values=[[V[j] for j in js] for V, js in zip(p.values, kept, strict=True)],
    )
    assert exact(p._replace(mask=mask)) == exact(dropped)


@given(problems(), fractions().filter(lambda x: x > 0))
def test_scale_multiplies_the_query(p: Problem, sigma: Fraction) -> None:
    assume(p.scale != "1/sqrt(d)")
    by_scale = exact(p._replace(scale=sigma))
    assert by_scale == exact(p._replace(query=[sigma * x for x in p.query], scale=1))


# --- extremes ------------------------------------------------------------------------------


@pytest.mark.parametrize("attend", READINGS)
@pytest.mark.parametrize("size", [Fraction(10) ** 6, Fraction(10) ** 20, Fraction(1, 10**300)])
@pytest.mark.parametrize("scale", [1, "1/sqrt(d)"])
def test_huge_and_tiny_logits_are_stable(attend: Any, size: Fraction, scale: Any) -> None:
    third = Fraction(1, 3)
    p = Problem(
        [size, Fraction(1)],
        [[[Fraction(1), third], [Fraction(1), 2 * third], [Fraction(-1), third]]],
        [[[Fraction(3)], [Fraction(-2)], [Fraction(1, 3)]]],
        scale,
        None,
    )
    promise_kept(p, attend(p.query, p.keys, p.values, scale=scale, digits=40), 40)


@pytest.mark.parametrize("attend", READINGS)
def test_cancelling_values_keep_the_promise(attend: Any) -> None:
    big = Fraction(10) ** 40
    p = Problem(
        [Fraction(1)], [[[Fraction(0)]] * 2 + [[Fraction(1)]]], [[[big], [-big], [big]]], 1, None
    )
    promise_kept(p, attend(p.query, p.keys, p.values, digits=10), 10)


# --- precision is local --------------------------------------------------------------------


@pytest.fixture
def precisions() -> Iterator[None]:
    before = mpmath.mp.prec, ctx.prec
    mpmath.mp.prec, ctx.prec = 71, 59
    yield
    left = mpmath.mp.prec, ctx.prec
    mpmath.mp.prec, ctx.prec = before
    assert left == (71, 59)


@pytest.mark.usefixtures("precisions")
def test_precision_is_put_back() -> None:
    K, V = [[[1], [2]]] * 2, [[[3], [4]]] * 2
    for attend in READINGS:
        attend([1], K, V, digits=100)
        with pytest.raises(InputError, match="query"):
            attend([None], K, V)
    answer = ExactAttention(K, V)([1])
    answer.enclose(500)
    answer.logsumexp(500)
    answer.bounds(0, 200)


@pytest.mark.usefixtures("precisions")
@pytest.mark.parametrize("precision", [arb_precision, mpmath_precision])
def test_precision_is_put_back_after_an_exception(precision: Any) -> None:
    def fail() -> None:
        with precision(333):
            assert 333 in (mpmath.mp.prec, ctx.prec)
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        fail()


@pytest.mark.usefixtures("precisions")
def test_result_does_not_depend_on_the_callers_precision() -> None:
    arguments: Any = ([1], [[[1], [2]]], [[[3], [4]]])
    here = tensor_attention(*arguments)
    with mpmath.workprec(10):
        there = tensor_attention(*arguments)
    assert here.output[0]._mpf_ == there.output[0]._mpf_
    assert here.logsumexp._mpf_ == there.logsumexp._mpf_
