"""Error-free transformations, double-doubles and slices, against exact rationals."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import numpy.typing as npt
import pytest

from kvfloor.attention.fast.arithmetic import (
    UNIT,
    Pair,
    add_to,
    divide,
    extract,
    fast_two_sum,
    gamma,
    multiply,
    power_of_two,
    two_product,
    two_sum,
    two_sum_into,
)
from kvfloor.attention.fast.double import _row_sums, _row_units
from kvfloor.attention.fast.slices import KeySlices, ValueSlices, slice_bits, split

Float = npt.NDArray[np.float64]
U2 = Fraction(1, 2**106)


def floats(exponents: int, count: int = 400, seed: int = 0) -> Float:
    """Random signs, exponents and mantissas: dense, sparse, and next to a power of two."""
    rng = np.random.default_rng(seed)
    mantissas = np.concatenate(
        [
            rng.uniform(1, 2, count),
            1 + rng.integers(0, 4, count) * 2.0**-52,
            2 - rng.integers(1, 4, count) * 2.0**-52,
            1 + rng.integers(0, 2, count) * 2.0 ** -rng.integers(1, 52, count),
            np.zeros(8),
        ]
    )
    rng.shuffle(mantissas)
    powers = rng.integers(-exponents, exponents + 1, len(mantissas))
    return np.asarray(np.ldexp(mantissas * rng.choice([-1, 1], len(mantissas)), powers))


def pairs(exponents: int, seed: int) -> Pair:
    """Normalised double-doubles."""
    hi = floats(exponents, seed=seed)
    lo = hi * UNIT * np.random.default_rng(seed).uniform(-1, 1, len(hi)) * (1 - 2.0**-40)
    return fast_two_sum(hi, lo)


def exact(*parts: Float) -> list[Fraction]:
    """The sums of the parts, entry by entry."""
    return [sum(map(Fraction, row), Fraction(0)) for row in np.stack(parts, axis=-1).tolist()]


# --- arithmetic


@pytest.mark.parametrize("count", [1, 2, 66, 4096, 2**30])
def test_gamma_is_above_its_definition_and_not_far(count: int) -> None:
    u = Fraction(UNIT)
    true = count * u / (1 - count * u)
    assert true <= Fraction(gamma(count)) <= true * (1 + Fraction(1, 2**19))


def test_two_sum_is_exact() -> None:
    a, b = floats(60, seed=1), floats(60, seed=2)
    s, e = two_sum(a, b)
    assert (s == a + b).all()
    assert exact(s, e) == exact(a, b)
    total, error, second, work = np.empty_like(a), a.copy(), b.copy(), np.empty_like(a)
    two_sum_into(error, second, total, work)
    assert (total == s).all()
    assert (error == e).all()


def test_fast_two_sum_is_exact_for_ordered_terms() -> None:
    a, b = floats(60, seed=1), floats(60, seed=2)
    larger = np.where(np.abs(a) >= np.abs(b), a, b)
    smaller = np.where(np.abs(a) >= np.abs(b), b, a)
    assert exact(*fast_two_sum(larger, smaller)) == exact(a, b)


@pytest.mark.parametrize("exponents", [60, 400])
def test_two_product_is_exact(exponents: int) -> None:
    a, b = floats(exponents, seed=1), floats(exponents, seed=2)
    p, e = two_product(a, b)
    assert (p == a * b).all()
    assert exact(p, e) == [Fraction(x) * Fraction(y) for x, y in zip(a, b, strict=True)]


def test_two_product_that_underflows_is_nearly_exact() -> None:
    a, b = floats(500, seed=1) * 2.0**-500, floats(30, seed=2) * 2.0**-510
    for found, x, y in zip(exact(*two_product(a, b)), a, b, strict=True):
        assert abs(found - Fraction(x) * Fraction(y)) <= Fraction(1, 2**1070)


def worst(found: list[Fraction], true: list[Fraction]) -> Fraction:
    """Largest relative error in units of u²."""
    return max(
        (abs(a - b) / abs(b) / U2 for a, b in zip(found, true, strict=True) if b),
        default=Fraction(0),
    )


def test_double_double_operations_meet_their_bounds() -> None:
    a, b = pairs(40, 1), pairs(40, 2)
    keep = b[0] != 0
    a, b = (a[0][keep], a[1][keep]), (b[0][keep], b[1][keep])
    x, y = exact(*a), exact(*b)
    ab, quotient = multiply(a, b), divide(a, b)
    assert 1 < worst(exact(*ab), [s * t for s, t in zip(x, y, strict=True)]) <= 9
    assert 1 < worst(exact(*quotient), [s / t for s, t in zip(x, y, strict=True)]) <= 16
    for hi, lo in (ab, quotient):
        assert (np.abs(lo) <= UNIT * np.abs(hi)).all()
    hi, lo = a[0].copy(), a[1].copy()
    add_to(hi, lo, b[0])
    allowed = [2 * U2 * (abs(s) + abs(Fraction(t))) for s, t in zip(x, b[0], strict=True)]
    for found, s, t, bound in zip(exact(hi, lo), x, b[0], allowed, strict=True):
        assert abs(found - s - Fraction(t)) <= bound


@pytest.mark.parametrize("power", [-40, -3, 0, 20])
def test_extract_rounds_to_the_grid_and_leaves_the_rest(power: int) -> None:
    unit = 2.0**power
    x = np.random.default_rng(0).uniform(-(2.0**51), 2.0**51, 2000) * unit
    x[:1000] /= 2.0 ** np.random.default_rng(1).integers(0, 80, 1000)
    x[:3] = unit * 2.0**51, -unit * 2.0**51, unit / 2
    rest = x.copy()
    head = extract(rest, unit)
    assert (np.rint(head / unit) * unit == head).all()
    assert (np.abs(rest) <= unit / 2).all()
    assert exact(head, rest) == exact(x)


def test_power_of_two() -> None:
    k = np.array([0, -1, -1022, -1074, -1075, -1100, -(2**40)])
    assert power_of_two(k).tolist() == [1, 0.5, 2.0**-1022, 5e-324, 0, 0, 0]


# --- slices


@pytest.mark.parametrize(("length", "bits"), [(1, 26), (2, 26), (3, 25), (64, 23), (128, 23)])
def test_slice_bits(length: int, bits: int) -> None:
    assert slice_bits(length) == bits
    assert length * 4**bits <= 2**53 < length * 4 ** (bits + 1)


@pytest.mark.parametrize("bits", [20, 23, 26])
def test_slices_sum_to_the_input_and_lie_on_their_grids(bits: int) -> None:
    x = floats(0, seed=3) / 2
    x[::3] *= 2.0 ** -np.random.default_rng(0).integers(0, 90, len(x[::3]))
    for unit in (1.0, 2.0**9):
        head, middle, rest = split(x * unit, np.zeros_like(x), bits, unit)
        assert exact(head, middle, rest) == exact(x * unit)
        for part, grid in ((head, 2.0**-bits), (middle, 2.0 ** (-2 * bits))):
            assert (np.rint(part / (grid * unit)) * grid * unit == part).all()
        assert (np.abs(middle) <= unit * 2.0 ** (-bits - 1)).all()
        assert (np.abs(rest) <= unit * 2.0 ** (-2 * bits - 1)).all()


def odd_slices(shape: tuple[int, ...], bits: int, rng: np.random.Generator) -> Float:
    """Entries of at most 1 whose slices are as large and as odd as can be."""
    head = 1 - rng.integers(1, 4, shape) * 2.0**-bits
    middle = 2.0 ** (-bits - 1) - rng.integers(1, 4, shape) * 2.0 ** (-2 * bits)
    return head + middle


def exact_product(A: Float, B: Float) -> list[list[Fraction]]:
    """The matrix product A·Bᵀ."""
    rows = [[Fraction(x) for x in row] for row in A.tolist()]
    columns = [[Fraction(x) for x in row] for row in B.tolist()]
    return [[sum(map(Fraction.__mul__, r, c), Fraction(0)) for c in columns] for r in rows]


def as_fractions(A: Float) -> list[list[Fraction]]:
    return [[Fraction(x) for x in row] for row in A.tolist()]


@pytest.mark.parametrize(("d", "hard"), [*product([1, 3, 64, 128, 200], [False, True])])
def test_first_two_orders_of_the_logits_are_exact(d: int, hard: bool) -> None:
    rng = np.random.default_rng(d)
    bits = slice_bits(d)
    if hard:
        A, K = odd_slices((3, d), bits, rng), odd_slices((4, d), bits, rng)
    else:
        A, K = rng.uniform(-1, 1, (3, d)), rng.uniform(-1, 1, (4, d))
    slices = KeySlices.of(K)
    assert slices.bits == bits
    a = split(A.copy(), np.zeros_like(A), bits)
    k = split(K.copy(), np.zeros_like(K), bits)
    out = [np.empty((3, 4)) for _ in range(3)]
    slices.products(np.hstack(a[::-1]), out)
    assert as_fractions(out[0]) == exact_product(a[0], k[0])
    second = exact_product(np.hstack([a[0], a[1]]), np.hstack([k[1], k[0]]))
    assert as_fractions(out[1]) == second
    whole = exact_product(A, K)
    for i, j in product(range(3), range(4)):
        sum_of_orders = sum((Fraction(part[i, j]) for part in out), Fraction(0))
        size = d * 2.5 * 2.0 ** (-2 * bits - 1)
        assert abs(sum_of_orders - whole[i][j]) <= Fraction(gamma(3 * d) * size)


@pytest.mark.parametrize(("n", "hard"), [*product([1, 5, 64, 256], [False, True])])
def test_weighted_sums_are_as_exact_as_their_rests(n: int, hard: bool) -> None:
    rng = np.random.default_rng(n)
    bits = slice_bits(n)
    P, V = rng.uniform(0, 1, (3, n)), rng.uniform(-1, 1, (n, 4))
    if hard:
        P, V = odd_slices((3, n), bits, rng), odd_slices((n, 4), bits, rng)
    slices = ValueSlices.of(V, n)
    found = slices.products(split(P.copy(), np.zeros_like(P), bits))
    assert (np.abs(found[1]) <= UNIT * np.abs(found[0])).all()
    true = exact_product(P, V.T.copy())
    allowed = Fraction(gamma(n + 5) * n * 2.0 ** (-2 * bits) * 2) + 2 * U2 * n
    for i, c in product(range(3), range(4)):
        assert abs(Fraction(found[0][i, c]) + Fraction(found[1][i, c]) - true[i][c]) <= allowed


@pytest.mark.parametrize("kind", ["zero", "few bits", "many bits"])
def test_slices_that_are_zero_are_left_out(kind: str) -> None:
    x = np.random.default_rng(0).uniform(0.5, 1, (6, 4))
    x = {"zero": 0 * x, "few bits": np.rint(x * 256) / 256, "many bits": x}[kind]
    widths = [factor.shape[1] for factor in KeySlices.of(x).factors]
    assert widths == ([4, 8, 12] if kind == "many bits" else [4, 4, 4])
    widths = [factor.shape[1] for factor in ValueSlices.of(x, 6).factors]
    assert widths == ([12, 8, 4] if kind == "many bits" else [4, 4, 4])


@pytest.mark.parametrize(("rows", "limit"), [(1, 1), (3, 7), (64, 256), (300, 5)])
def test_row_sums_are_exact_but_for_the_last(rows: int, limit: int) -> None:
    rng = np.random.default_rng(rows)
    hi = rng.uniform(-limit, limit, (2, rows, 3))
    hi[:, ::2] *= 2.0 ** -rng.integers(0, 100, hi[:, ::2].shape)
    hi[0] = np.abs(hi[0]) / np.abs(hi[0]).max() * limit
    lo = hi * UNIT / 2
    parts = _row_sums((hi.copy(), lo), limit)
    allowed = Fraction(gamma(rows + 1)) * (
        rows * Fraction(_row_units(rows, limit)[1]) / 2 + Fraction(UNIT) * rows * limit
    )
    for q, c in product(range(2), range(3)):
        true = sum(exact(hi[q, :, c], lo[q, :, c]), Fraction(0))
        found = sum((Fraction(part[q, c]) for part in parts), Fraction(0))
        assert abs(found - true) <= allowed
    heads, rest = [], hi.copy()
    for unit in _row_units(rows, limit):
        heads.append(extract(rest, unit))
    for head, total in zip(heads, parts, strict=False):
        for q, c in product(range(2), range(3)):
            assert Fraction(total[q, c]) == sum(exact(head[q, :, c]), Fraction(0))
