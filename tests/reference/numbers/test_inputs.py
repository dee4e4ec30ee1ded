"""The gate: what goes in is exactly what was meant, and everything else is refused by name."""

from __future__ import annotations

import pickle
import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

import ml_dtypes
import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kvfloor
from kvfloor import InputError
from kvfloor.attention.inputs import as_kept, as_scale
from kvfloor.attention.terms import NO_TERMS
from kvfloor.numbers import as_count, as_fraction, as_vector

# --- exactness -----------------------------------------------------------------------------

# dtype, bits of exponent and of mantissa, bias; the value is decoded here from the bare bits.
FORMATS: dict[str, tuple[Any, int, int, int]] = {
    "float16": (np.float16, 5, 10, 15),
    "float32": (np.float32, 8, 23, 127),
    "float64": (np.float64, 11, 52, 1023),
    "bfloat16": (ml_dtypes.bfloat16, 8, 7, 127),
    "float8_e3m4": (ml_dtypes.float8_e3m4, 3, 4, 3),
    "float8_e4m3": (ml_dtypes.float8_e4m3, 4, 3, 7),
    "float8_e4m3fn": (ml_dtypes.float8_e4m3fn, 4, 3, 7),
    "float8_e4m3fnuz": (ml_dtypes.float8_e4m3fnuz, 4, 3, 8),
    "float8_e4m3b11fnuz": (ml_dtypes.float8_e4m3b11fnuz, 4, 3, 11),
    "float8_e5m2": (ml_dtypes.float8_e5m2, 5, 2, 15),
    "float8_e5m2fnuz": (ml_dtypes.float8_e5m2fnuz, 5, 2, 16),
}


def decoded(code: int, exponent_bits: int, mantissa_bits: int, bias: int) -> Fraction:
    mantissa = code & (1 << mantissa_bits) - 1
    exponent = code >> mantissa_bits & (1 << exponent_bits) - 1
    sign = -1 if code >> mantissa_bits + exponent_bits else 1
    if exponent:
        mantissa += 1 << mantissa_bits
    return sign * mantissa * Fraction(2) ** (max(exponent, 1) - bias - mantissa_bits)


@pytest.mark.parametrize("name", FORMATS)
@given(data=st.data())
def test_every_finite_number_of_a_format_is_taken_exactly(name: str, data: st.DataObject) -> None:
    dtype, exponent_bits, mantissa_bits, bias = FORMATS[name]
    width = 1 + exponent_bits + mantissa_bits
    size = 256 if width == 8 else 20
    drawn = st.lists(st.integers(0, 2**width - 1), min_size=size, max_size=size)
    codes = list(range(256)) if width == 8 else data.draw(drawn)
    array = np.array(codes, dtype=f"uint{width}").view(dtype)
    with np.errstate(invalid="ignore"):  # signalling NaNs
        finite = np.isfinite(array.astype(np.float64))
    wanted = [
        decoded(c, exponent_bits, mantissa_bits, bias)
        for c, keep in zip(codes, finite, strict=True)
        if keep
    ]
    if wanted:
        assert list(as_vector(array[finite], "x")) == wanted
        assert [as_fraction(x, "x") for x in array[finite]] == wanted
    if not finite.all():
        with pytest.raises(InputError, match="expected a finite real number"):
            as_vector(array[~finite], "x")


def test_scale_only_format_is_taken_exactly() -> None:
    array = np.arange(255, dtype=np.uint8).view(ml_dtypes.float8_e8m0fnu)
    assert list(as_vector(array, "x")) == [Fraction(2) ** (e - 127) for e in range(255)]


def test_longdouble_keeps_its_last_bit() -> None:
    info = np.finfo(np.longdouble)
    x, exact = np.longdouble(1) + info.eps, 1 + Fraction(1, 2**info.nmant)
    assert as_vector(np.array([x, -x]), "x") == (exact, -exact)


@given(st.integers(-(2**80), 2**80), st.integers(-300, 300))
def test_mpf_is_taken_exactly_at_any_precision(mantissa: int, exponent: int) -> None:
    with mpmath.workprec(200):
        x = mpmath.ldexp(mpmath.mpf(mantissa), exponent)
    assert as_fraction(x, "x") == mantissa * Fraction(2) ** exponent


@pytest.mark.parametrize(
    ("value", "exact"),
    [
        (0.1, Fraction(0.1)),
        (5e-324, Fraction(1, 2**1074)),
        (10**400, Fraction(10**400)),
        (np.int8(-128), Fraction(-128)),
        (np.uint64(2**64 - 1), Fraction(2**64 - 1)),
        (ml_dtypes.int4(-8), Fraction(-8)),
        (Fraction(1, 3), Fraction(1, 3)),
        (Decimal("0.1"), Fraction(1, 10)),
        (Decimal("-1e-30"), Fraction(-1, 10**30)),
        ("1/8", Fraction(1, 8)),
        ("-0.3", Fraction(-3, 10)),
    ],
)
def test_number_is_taken_exactly(value: Any, exact: Fraction) -> None:
    assert as_fraction(value, "x") == exact


def test_all_containers_mean_the_same() -> None:
    rows = [[1, -2], [3, 4]]
    wanted = kvfloor.ExactAttention([rows], [rows])([1, 2])
    for same in (
        [np.array(rows)],
        [np.array(rows, dtype=np.float32)],
        [np.array(rows, dtype=ml_dtypes.bfloat16)],
        [np.array(rows, dtype=object)],
        np.array([rows], dtype=">f8"),
        (((Fraction(1), Decimal(-2)), (mpmath.mpf(3), 4.0)),),
        iter([rows]),
    ):
        assert kvfloor.ExactAttention(same, [rows])([1, 2]) == wanted


# --- refusals ------------------------------------------------------------------------------

Q, K, V = [1, 2], [[[1, 2], [3, 4]]], [[[5], [6]]]
NUMBER = "a finite real number"
VECTOR = "a one-dimensional array of numbers"
MATRIX = "a two-dimensional array (tokens x columns)"
SLOTS = "a sequence of m >= 1 two-dimensional arrays, one a slot"
SCALE = "a positive rational or '1/sqrt(d)'"
MASK = "booleans of shape (2,)"
SINGLE = "a single array; of order 1, put it in a list"
RAGGED = (
    "list that NumPy cannot read ('setting an array element with a sequence. The requested ...)"
)

# query, keys, values, options; then the argument at fault, what was expected, what came
REFUSED: dict[str, tuple[Any, Any, Any, dict[str, Any], str, str, str]] = {
    "query-nan": ([1, float("nan")], K, V, {}, "query[1]", NUMBER, "nan"),
    "query-inf": ([float("inf"), 1], K, V, {}, "query[0]", NUMBER, "inf"),
    "query-bool": ([1, True], K, V, {}, "query[1]", NUMBER, "True"),
    "query-numpy-bool": (np.array([True, True]), K, V, {}, "query[0]", NUMBER, "True"),
    "query-text-entry": ([1, "2"], K, V, {}, "query[1]", NUMBER, "'2'"),
    "query-complex": ([1, 2j], K, V, {}, "query[1]", NUMBER, "2j"),
    "query-numpy-complex": (np.array([1j, 1]), K, V, {}, "query[0]", NUMBER, "1j"),
    "query-none": ([None, 1], K, V, {}, "query[0]", NUMBER, "None"),
    "query-decimal-nan": ([1, Decimal("nan")], K, V, {}, "query[1]", NUMBER, "Decimal('NaN')"),
    "query-mpf-inf": ([1, mpmath.inf], K, V, {}, "query[1]", NUMBER, "mpf('+inf')"),
    "query-nested": ([[1, 2], [3, 4]], K, V, {}, "query[0]", NUMBER, "[1, 2]"),
    "query-empty": ([], K, V, {}, "query", VECTOR, "an empty one"),
    "query-number": (1, K, V, {}, "query", VECTOR, "1"),
    "query-scalar-array": (np.array(1.0), K, V, {}, "query", VECTOR, "a scalar array(1.)"),
    "query-text": ("12", K, V, {}, "query", VECTOR, "'12'"),
    "query-bytes": (b"12", K, V, {}, "query", VECTOR, "b'12'"),
    "query-set": ({1, 2}, K, V, {}, "query", VECTOR, "{1, 2}"),
    "keys-order-0": (Q, [], [], {}, "keys", SLOTS, "an empty one (order 0)"),
    "keys-number": (Q, 3, V, {}, "keys", SLOTS, "3"),
    "keys-text": (Q, "K", V, {}, "keys", SLOTS, "'K'"),
    "keys-no-tokens": (Q, [[]], V, {}, "keys[0]", MATRIX, "an empty one"),
    "keys-no-columns": (Q, [[[]]], V, {}, "keys[0][0]", VECTOR, "an empty one"),
    "keys-one-matrix": (Q, K[0], V, {}, "keys", SLOTS, SINGLE),
    "values-one-matrix": (Q, K, np.array(V[0]), {}, "values", SLOTS, SINGLE),
    "keys-ragged": (Q, [[[1, 2], [3]]], V, {}, "keys[0][1]", "2 columns as in row 0", "1"),
    "keys-inf": (Q, [[[1, 2], [3, -np.inf]]], V, {}, "keys[0][1][1]", NUMBER, "-inf"),
    "keys-columns": (Q, [[[1], [3]]], V, {}, "keys[0]", "2 columns as in query", "1"),
    "values-order-0": (Q, K, [], {}, "values", SLOTS, "an empty one (order 0)"),
    "values-slots": (Q, K, V * 2, {}, "values", "1 arrays, one for each in keys", "2"),
    "values-rows": (Q, K, [[[5]]], {}, "values[0]", "2 rows as in keys[0]", "1"),
    "values-nan": (Q, K, [[[5], [np.nan]]], {}, "values[0][1][0]", NUMBER, "nan"),
    "second-keys": (Q, [*K, [[1]]], V * 2, {}, "keys[1]", "2 columns as in query", "1"),
    "second-values": (
        *(Q, K * 2, [*V, [[5, 6], [7, 8]]], {}),
        *("values[1]", "1 columns as in values[0]", "2"),
    ),
    "scale-zero": (Q, K, V, {"scale": 0}, "scale", SCALE, "0"),
    "scale-negative": (Q, K, V, {"scale": -0.5}, "scale", SCALE, "-1/2"),
    "scale-nan": (Q, K, V, {"scale": float("nan")}, "scale", SCALE, "nan"),
    "scale-text": (Q, K, V, {"scale": "sqrt(d)"}, "scale", SCALE, "'sqrt(d)'"),
    "scale-bool": (Q, K, V, {"scale": True}, "scale", SCALE, "True"),
    "scale-none": (Q, K, V, {"scale": None}, "scale", SCALE, "None"),
    "mask-shape": (Q, K, V, {"mask": [True]}, "mask", MASK, "bool of shape (1,)"),
    "mask-broadcast": (Q, K, V, {"mask": True}, "mask", MASK, "bool of shape ()"),
    "mask-integers": (Q, K, V, {"mask": [1, 0]}, "mask", MASK, "int64 of shape (2,)"),
    "mask-ragged": (Q, K, V, {"mask": [[True], []]}, "mask", MASK, RAGGED),
    "mask-empty-row": (
        *(Q, K, V, {"mask": [False, False]}),
        *("mask", "at least one tuple, as an empty row has no output", "none"),
    ),
    "digits-zero": (Q, K, V, {"digits": 0}, "digits", "a whole number >= 1", "0"),
    "digits-fraction": (Q, K, V, {"digits": 2.0}, "digits", "a whole number >= 1", "2.0"),
    "digits-bool": (Q, K, V, {"digits": True}, "digits", "a whole number >= 1", "True"),
}


@pytest.mark.parametrize(
    ("query", "bias", "argument"),
    [([[1, 2], [3]], None, "query"), ([[[1, 2]], [1]], None, "query"), (Q, [1, [2]], "bias")],
)
def test_ragged_rows_are_called_that(query: Any, bias: Any, argument: str) -> None:
    with pytest.raises(InputError) as caught:
        kvfloor.tensor_attention_rounded(query, K, V, dtype="float32", bias=bias)
    error = caught.value
    assert (error.argument, error.got) == (argument, "a ragged sequence")


@pytest.mark.parametrize("given", [np.array, np.ndarray.tolist], ids=["array", "lists"])
@pytest.mark.parametrize(
    ("place", "name"), [((1,), "[1]"), ((2, 1), "[2][1]"), ((0, 1, 2, 1), "[0][1][2][1]")]
)
def test_an_entry_is_named_by_its_place(place: tuple[int, ...], name: str, given: Any) -> None:
    query = np.ones([k + 1 for k in place])
    query[place] = np.nan
    keys, values = ([np.ones((*place[:-2], 2, width)[-4:])] for width in (2, 1))
    with pytest.raises(InputError, match=rf"^query{re.escape(name)}: expected a finite"):
        kvfloor.tensor_attention_rounded(given(query), keys, values, dtype="float32")


def test_booleans_may_be_objects() -> None:
    kept = np.array([True, False], dtype=object)
    found = kvfloor.tensor_attention_rounded(Q, K, V, dtype="float32", mask=kept)
    assert found.tolist() == np.ravel(V[0])[:1].tolist()


def exact(query: Any, keys: Any, values: Any, *, scale: Any = 1, mask: Any = None) -> Any:
    return kvfloor.ExactAttention(keys, values, scale=scale)(query, mask=mask)


def refuses(case: tuple[Any, ...], attend: Any) -> InputError:
    query, keys, values, options, argument, expected, got = case
    with pytest.raises(InputError) as caught:
        attend(query, keys, values, **options)
    error = caught.value
    assert (error.argument, error.expected, error.got) == (argument, expected, got)
    assert str(error) == f"{argument}: expected {expected}, got {got}"
    return error


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_refused_by_name(case: tuple[Any, ...]) -> None:
    first = refuses(case, kvfloor.tensor_attention)
    second = refuses(case, kvfloor.tensor_attention_khatri_rao)
    assert str(first) == str(second)
    assert isinstance(first, ValueError)


KEYS_NO_SEQUENCE: tuple[Any, ...] = (
    *(Q, np.array(1.0), V, {}),
    *("keys", SLOTS, "array(1.)"),
)
SCALE_ARRAY: tuple[Any, ...] = (
    *(Q, K, V, {"scale": np.array([1.0, 2.0])}),
    *("scale", SCALE, "array([1., 2.])"),
)


def test_scalar_array_of_keys_is_refused_by_name() -> None:
    refuses(KEYS_NO_SEQUENCE, kvfloor.tensor_attention)


def test_array_as_scale_is_refused_by_name() -> None:
    refuses(SCALE_ARRAY, kvfloor.tensor_attention)


def test_masked_array_is_refused() -> None:
    masked: Any = np.ma.array([1.0, 2.0], mask=[False, True])
    with pytest.raises(InputError, match="query"):
        kvfloor.tensor_attention(masked, K, V)


@pytest.mark.parametrize("matrices", [(), ([[1, 2]], [[1]]), ([[1], [1, 2]],)])
def test_khatri_rao_refuses_by_name(matrices: tuple[Any, ...]) -> None:
    with pytest.raises(InputError):
        kvfloor.khatri_rao(*matrices)


EXACT_TOO = [k for k in REFUSED if not k.startswith(("digits", "query-number", "keys-columns"))]


@pytest.mark.parametrize("name", [k for k in EXACT_TOO if k != "second-keys"])
def test_exact_attention_refuses_alike(name: str) -> None:
    refuses(REFUSED[name], exact)


def test_exact_attention_takes_d_from_the_keys() -> None:
    with pytest.raises(InputError, match=r"query: expected 2 entries, got 3"):
        exact([1, 2, 3], K, V)
    with pytest.raises(InputError, match=r"keys\[1\]: expected 2 columns as in keys\[0\], got 1"):
        exact(Q, [*K, [[1]]], V * 2)


@pytest.mark.parametrize("value", [-1, 1.0, True, "1", None, Fraction(1)])
def test_count_refused(value: Any) -> None:
    with pytest.raises(InputError) as caught:
        as_count(value, "n")
    assert (caught.value.argument, caught.value.expected) == ("n", "a whole number >= 0")


def test_count_takes_any_integer_type() -> None:
    assert type(as_count(np.int16(3), "n", 3)) is int
    with pytest.raises(InputError, match=r"n: expected a whole number >= 4, got 3"):
        as_count(3, "n", 4)


def test_long_values_are_shown_short() -> None:
    with pytest.raises(InputError) as caught:
        as_fraction("x" * 1000, "x")
    assert len(caught.value.got) == 60


@pytest.mark.parametrize(
    ("d", "factor", "root"), [(1, 1, 1), (4, Fraction(1, 2), 1), (2, Fraction(1, 2), 2)]
)
def test_inverse_square_root_is_exact(d: int, factor: Fraction, root: int) -> None:
    scale = as_scale("1/sqrt(d)", d)
    assert (scale.factor, scale.root) == (factor, root)
    assert scale.factor**2 * scale.root == Fraction(1, d)


def test_mask_may_be_nested_lists() -> None:
    mask, _ = as_kept([[True, False]], NO_TERMS, (1, 2))
    assert mask is not None
    assert mask.tolist() == [[True, False]]
    assert as_kept(None, NO_TERMS, (1, 2)) == (None, NO_TERMS)


def test_error_crosses_processes_whole() -> None:
    error = InputError("keys[1]", "2 columns", "3")
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.argument, copy.expected, copy.got) == (
        str(error),
        "keys[1]",
        "2 columns",
        "3",
    )
