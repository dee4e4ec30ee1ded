"""The codec is lossless on every product, and rejects everything else by naming an entry (T2)."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvfloor import InputError, khatri_rao
from kvfloor.caches import pack, read_bits, write_bits
from kvfloor.caches.khatri_rao_codec import PackedColumn
from strategies import matrices

Rows = list[list[Fraction]]


@st.composite
def factor_lists(draw: st.DrawFn) -> list[Rows]:
    lengths = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    columns = draw(st.integers(1, 3))
    return [draw(matrices(n, columns)) for n in lengths]


@given(factor_lists())
def test_products_come_back(factors: list[Rows]) -> None:
    lengths = tuple(map(len, factors))
    matrix = khatri_rao(*factors)
    packed = pack(matrix, lengths)
    assert packed.unpack() == matrix
    zeros = [all(x == 0 for x in column) for column in zip(*matrix, strict=True)]
    kept = 1 + sum(n - 1 for n in lengths)
    assert packed.numbers == zeros.count(False) * kept


@given(factor_lists())
def test_numbers_are_entries_of_their_column(factors: list[Rows]) -> None:
    matrix = khatri_rao(*factors)
    packed = pack(matrix, tuple(map(len, factors)))
    for column, entries in zip(packed.columns, zip(*matrix, strict=True), strict=True):
        assert set(column.numbers) <= set(entries)
        assert column.pivot is None or not any(entries[: column.pivot])


def test_packed_column_by_hand() -> None:
    packed = pack(khatri_rao([[0], [2], [3]], [[0], [5], [-7]]), (3, 3))
    expected = PackedColumn(4, tuple(map(Fraction, (10, 0, 15, 0, -14))))
    assert packed.columns == (expected,)
    assert pack([[0], [0]], (2, 1)).columns == (PackedColumn(None, ()),)


@pytest.mark.parametrize("entries", list(product((0, 1, -2), repeat=4)))
def test_every_small_matrix_packs_if_and_only_if_its_rank_is_at_most_one(
    entries: tuple[int, ...],
) -> None:
    a, b, c, d = entries
    column = [[x] for x in entries]
    if a * d == b * c:
        assert pack(column, (2, 2)).unpack() == tuple((Fraction(x),) for x in entries)
    else:
        with pytest.raises(InputError):
            pack(column, (2, 2))


def test_the_entry_at_fault_is_named() -> None:
    matrix = [list(row) for row in khatri_rao([[1, 2], [3, 4]], [[1, 1], [2, 5], [0, 1]])]
    matrix[4][1] += 1
    with pytest.raises(InputError) as caught:
        pack(matrix, (2, 3), "values")
    error = caught.value
    assert error.argument == "values[4][1]"
    assert (error.expected, error.got) == ("20, by the column's rank", "21")


@pytest.mark.parametrize(
    ("matrix", "lengths", "argument"),
    [
        ([[1], [1]], (3,), "lengths"),
        ([[1], [1]], (), "lengths"),
        ([[1], [1]], (2, 0), "lengths[1]"),
        ([[1], [float("nan")]], (2,), "matrix[1][0]"),
        ([], (1,), "matrix"),
    ],
)
def test_bad_input_is_refused_by_name(matrix: Any, lengths: Any, argument: str) -> None:
    with pytest.raises(InputError) as caught:
        pack(matrix, lengths)
    assert caught.value.argument == argument


@given(st.data())
def test_bits_bring_the_product_back(data: st.DataObject) -> None:
    lengths = tuple(data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=3)))
    columns = data.draw(st.integers(1, 3))
    row = st.lists(st.integers(-2, 2), min_size=columns, max_size=columns)
    factors = [data.draw(st.lists(row, min_size=n, max_size=n)) for n in lengths]
    packed = pack(khatri_rao(*factors), lengths)
    for width in (5, 9):
        bits = write_bits(packed, width)
        assert set(bits) <= {"0", "1"}
        assert read_bits(bits, lengths, columns, width) == packed


@pytest.mark.parametrize("x", [-5, 4, Fraction(1, 2)])
def test_a_number_too_wide_is_refused(x: Any) -> None:
    packed = pack([[1], [x]], (2,))
    with pytest.raises(InputError) as caught:
        write_bits(packed, 3)
    assert caught.value.argument == "packed.columns[0]"
    assert caught.value.got == str(x)
    assert write_bits(pack([[3], [-4]], (2,)), 3) == "01" + "011" + "100"


@pytest.mark.parametrize(
    ("bits", "got"),
    [
        ("0101110", "7"),
        ("010111000", "9"),
        ("11011100", "2"),
        ("01000001", "row 0"),  # the pivot is zero
        ("10011100", "row 1"),  # row 0 has an entry, and is before the pivot
        ("00000100", "-4"),  # a number after a column of zeros
        ("0101110x", "'0101110x'"),
        ("0000000x", "'0000000x'"),
    ],
)
def test_malformed_bits_are_refused(bits: str, got: str) -> None:
    with pytest.raises(InputError) as caught:
        read_bits(bits, (2,), 1, 3)
    assert (caught.value.argument, caught.value.got) == ("bits", got)


@pytest.mark.parametrize(
    ("lengths", "columns", "width", "argument"),
    [((2,), 1, 0, "width"), ((0,), 1, 3, "lengths[0]"), ((2,), 0, 3, "columns")],
)
def test_sizes_of_what_is_read_are_refused_by_name(
    lengths: tuple[int, ...], columns: int, width: int, argument: str
) -> None:
    with pytest.raises(InputError) as caught:
        read_bits("", lengths, columns, width)
    assert caught.value.argument == argument


@pytest.mark.parametrize(("lengths", "width"), [((2,), 3), ((3,), 2), ((2, 2), 2), ((1, 2), 3)])
def test_all_bits_are_refused_or_written_again(lengths: tuple[int, ...], width: int) -> None:
    """So no two texts are read as one product, and none as a product that cannot be unpacked."""
    size = prod(lengths).bit_length() + (1 + sum(n - 1 for n in lengths)) * width
    read = 0
    for digits in product("01", repeat=size):
        bits = "".join(digits)
        try:
            packed = read_bits(bits, lengths, 1, width)
        except InputError:
            continue
        assert write_bits(packed, width) == bits
        assert pack(packed.unpack(), lengths) == packed
        read += 1
    # Of the lines through a pivot what is before it is zero; it is not, and what is after is free.
    pivots = product(*map(range, lengths))
    free = (sum(n - 1 - j for n, j in zip(lengths, pivot, strict=True)) for pivot in pivots)
    assert read == 1 + sum((2**width - 1) * 2 ** (width * k) for k in free)
