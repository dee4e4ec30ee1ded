"""The front of correct rounding: shapes, masks, empty rows, formats, refusals."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from flint import arb, fmpq

from kvfloor.attention import (
    ExactAttention,
    Layers,
    enclose,
    folded,
    tensor_attention_rounded,
)
from kvfloor.attention.balls import round_balls
from kvfloor.attention.fast.totals import Balls
from kvfloor.attention.ziv import boundary_between, round_ball
from kvfloor.errors import InputError
from kvfloor.numbers import FORMATS, Rounding, arb_precision, as_format, to_numpy

KEYS = [np.array([[1.0, 0.5], [0.25, -1.0], [2.0, 1.0]]), np.array([[1.0, 2.0], [0.5, 0.5]])]
VALUES = [np.array([[1.0], [2.0], [-3.0]]), np.array([[0.5], [4.0]])]
QUERIES = np.array([[[1.0, -2.0], [0.5, 3.0]], [[0.0, 0.0], [2.0, 2.0]], [[-1.0, 1.0], [9.0, 1.0]]])


def test_shapes_follow_the_query() -> None:
    one = tensor_attention_rounded(QUERIES[0, 0], KEYS, VALUES, dtype="float32")
    all_ = tensor_attention_rounded(QUERIES, KEYS, VALUES, dtype=np.float32, return_logsumexp=True)
    assert one.shape == (1,)
    assert one.dtype == np.float32
    assert (all_.output.shape, all_.logsumexp.shape) == ((3, 2, 1), (3, 2))
    assert all_.output[0, 0] == one
    listed = tensor_attention_rounded(QUERIES.tolist(), KEYS, VALUES, dtype="float32")
    assert (listed == all_.output).all()


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_returns_its_dtype(name: str) -> None:
    dtype = np.dtype(getattr(ml_dtypes, name, name))
    for spelt in (name, dtype, dtype.type):
        found = tensor_attention_rounded(QUERIES, KEYS, VALUES, dtype=spelt)
        assert found.dtype == dtype


def test_masks_for_all_and_for_each_query() -> None:
    one = np.array([[True, False], [True, True], [False, True]])
    each = np.stack([np.stack([one, ~one])] * 3)
    shared = tensor_attention_rounded(QUERIES, KEYS, VALUES, dtype="float64", mask=one)
    apart = tensor_attention_rounded(QUERIES, KEYS, VALUES, dtype="float64", mask=each)
    other = tensor_attention_rounded(QUERIES, KEYS, VALUES, dtype="float64", mask=~one)
    assert (apart[:, 0] == shared[:, 0]).all()
    assert (apart[:, 1] == other[:, 1]).all()
    assert (shared != other).any()


def test_empty_rows() -> None:
    mask = np.zeros((3, 2, 3, 2), dtype=np.bool_)
    mask[1, 1, 2, 0] = True
    arguments: dict[str, Any] = {"dtype": "float16", "mask": mask}
    with pytest.raises(InputError, match=r"mask: expected at least one tuple in each row"):
        tensor_attention_rounded(QUERIES, KEYS, VALUES, **arguments)
    cases: Any = (("zero", lambda x: x == 0), ("nan", np.isnan))
    for empty, is_empty in cases:
        found = tensor_attention_rounded(
            QUERIES, KEYS, VALUES, empty=empty, return_logsumexp=True, **arguments
        )
        kept = mask.any(axis=(2, 3))
        assert found.output[1, 1, 0] == -1.5
        assert is_empty(found.output[~kept]).all()
        assert (found.logsumexp[~kept] == -np.inf).all()
        assert np.isfinite(found.logsumexp[kept]).all()


def test_no_infinity_means_nan() -> None:
    mask = np.zeros((3, 2), dtype=np.bool_)
    found = tensor_attention_rounded(
        QUERIES, KEYS, VALUES, dtype="float8_e4m3fn", mask=mask, empty="zero",
        return_logsumexp=True,
    )  # fmt: skip
    assert np.isnan(found.logsumexp.astype(float)).all()


@pytest.mark.parametrize(
    ("value", "rounding", "expected"),
    [
        (1e39, "nearest", np.inf),
        (1e39, "up", np.inf),
        (1e39, "down", np.float32(3.4028235e38)),
        (1e39, "zero", np.float32(3.4028235e38)),
        (-1e39, "up", -np.float32(3.4028235e38)),
        (-1e39, "down", -np.inf),
        (1e-60, "nearest", 0.0),
        (1e-60, "up", 2.0**-149),
        (-1e-60, "up", -0.0),
        (-1e-60, "nearest", -0.0),
        (-1e-60, "down", -(2.0**-149)),
        (3 * 2.0**-150, "nearest", 2.0**-148),
        (0.0, "down", 0.0),
    ],
)
def test_overflow_underflow_and_the_sign_of_zero(
    value: float, rounding: Any, expected: Any
) -> None:
    """One tuple, so the output is the value itself."""
    found = tensor_attention_rounded(
        [1.0], [[[0.5]]], [[[value]]], dtype="float32", rounding=rounding
    )
    assert found[0] == np.float32(expected)
    assert np.signbit(found[0]) == np.signbit(expected)


def test_numbers_that_float64_does_not_hold_go_to_the_balls() -> None:
    layers = Layers()
    third = Fraction(1, 3)
    found = tensor_attention_rounded(
        [third, 1], [[[1, third], [third, 2]]], [[[third], [1]]], dtype="float64", layers=layers
    )
    assert (layers.single, layers.double, layers.balls + layers.exact) == (0, 0, 1)
    with arb_precision(200):
        weight = 1 / (1 + arb(fmpq(13, 9)).exp())  # logits 2/3 and 19/9
        assert abs(arb(float(found[0])) - (1 - weight * fmpq(2, 3))) < arb(2) ** -54


@pytest.mark.parametrize(
    ("change", "argument"),
    [
        ({"dtype": "float128"}, "dtype"),
        ({"dtype": int}, "dtype"),
        ({"dtype": None}, "dtype"),
        ({"rounding": "up "}, "rounding"),
        ({"rounding": ["up"]}, "rounding"),
        ({"empty": "skip"}, "empty"),
        ({"empty": ["nan"]}, "empty"),
        ({"scale": -1}, "scale"),
        ({"mask": np.ones((2, 3), dtype=np.bool_)}, "mask"),
        ({"mask": np.ones((3, 2))}, "mask"),
    ],
)
def test_refused_by_name(change: dict[str, Any], argument: str) -> None:
    with pytest.raises(InputError) as caught:
        tensor_attention_rounded(QUERIES, KEYS, VALUES, **({"dtype": "float32"} | change))
    assert caught.value.argument == argument


@pytest.mark.parametrize("query", [1.0, [], [[1.0, 2.0], [1.0]], [1.0, np.nan], [1.0, 2.0, 3.0]])
def test_bad_queries_are_refused(query: Any) -> None:
    with pytest.raises(InputError):
        tensor_attention_rounded(query, KEYS, VALUES, dtype="float32")


def test_a_ball_across_a_boundary_is_not_rounded() -> None:
    target = as_format("float16")
    middle = fmpq(2049, 2)  # halfway between 1024 and 1025, in steps of one
    assert round_ball(arb(middle, 0), target, "nearest") == 1024
    assert round_ball(arb(middle, 2.0**-40), target, "nearest") is None
    assert round_ball(arb(middle, 2.0**-40), target, "up") == 1025
    assert round_ball(arb(0, 2.0**-200), target, "nearest") is None
    assert round_ball(arb("nan"), target, "nearest") is None
    tiny = arb(-(10**9)).exp()  # its exponent has 31 bits
    assert round_ball(tiny, target, "up") == 2.0**-24
    below = round_ball(-tiny, target, "up")
    assert below == 0
    assert np.signbit(float(below))


@pytest.mark.parametrize("name", FORMATS)
def test_what_bits_cannot_part_from_an_end_of_the_format(name: str) -> None:
    """Half the least number, the least, and where overflow begins, all but e^(-10⁹) of them."""
    target = as_format(name)
    least, top = target.ulp(Fraction(0)), target.max_finite
    beyond = top + target.ulp(top) / 2
    ends: dict[Rounding, tuple[Fraction, ...]]
    ends = {"nearest": (least / 2, beyond), "up": (least, top), "down": (least,), "zero": (least,)}
    for rounding, boundaries in ends.items():
        for boundary in (b * sign for b in boundaries for sign in (1, -1)):
            for more in (boundary, -boundary):
                values = [[boundary], [boundary + more]]
                found = tensor_attention_rounded(
                    [1], [[[10**9], [0]]], [values], dtype=name, rounding=rounding
                )
                right = target.round(
                    boundary * (1 + Fraction(1, 2**99) * (more / boundary)), rounding
                )
                assert np.array_equal(found.astype(float), [right], equal_nan=True)
                assert np.isnan(right) or np.signbit(found[0]) == np.signbit(right)


def test_across_zero_no_boundary_is_the_only_one() -> None:
    """Beyond it there is the one where zeros change their sign."""
    target, least = as_format("float16"), Fraction(1, 2**24)
    assert boundary_between((-least / 9, least), target, "nearest") is None
    assert boundary_between((least / 9, least), target, "nearest") == least / 2


@pytest.mark.parametrize("rounding", ["nearest", "up", "down", "zero"])
@pytest.mark.parametrize("exponent", [-900, -500, 0, 500, 960])
def test_float64_is_rounded_exactly_from_pairs(rounding: Any, exponent: int) -> None:
    """Sums of two float64 numbers, where products of the parts would underflow or overflow."""
    rng = np.random.default_rng(5)
    hi = np.ldexp(rng.normal(size=200), exponent)
    lo = hi * np.ldexp(rng.normal(size=200), -rng.integers(53, 80, size=200))
    exact = np.zeros(200)
    rounded, decided = round_balls(Balls(hi, lo, exact), as_format("float64"), rounding)
    for k in range(200):
        true = Fraction(float(hi[k])) + Fraction(float(lo[k]))
        if decided[k]:
            assert rounded[k] == as_format("float64").round(true, rounding)
    assert decided.sum() > 100


@pytest.mark.parametrize(("last", "expected"), [(-1.0, 0.0), (-1.0 - 2.0**-52, -(2.0**-1074))])
def test_what_cancels_at_astronomical_exponents(last: float, expected: float) -> None:
    """All that is not zero weighs e^(-10^12/√2): no rational of that size fits in memory."""
    found = tensor_attention_rounded(
        [1.0, 0.0],
        [[[0.0, 0.0], [-1e12, 0.0], [-1e12, 0.0]]],
        [[[0.0], [1.0], [last]]],
        dtype="float64",
        scale="1/sqrt(d)",
        rounding="down",
    )
    assert found[0] == expected


@pytest.mark.parametrize("end", ["low", "high"])
def test_an_end_that_float64_does_not_hold_is_moved_outward(end: str) -> None:
    # The ball reaches less than 2**-156 beyond 1 + 2**-53, where rounding changes.
    middle, away = 2.0**-53, np.inf if end == "low" else 0
    lo = np.nextafter(middle, away)
    radius = np.nextafter(abs(lo - middle), 1)
    beyond = Fraction(radius) - abs(Fraction(lo) - Fraction(middle))
    assert 0 < beyond < Fraction(1, 2**156)
    arrays = (np.array([x]) for x in (1.0, lo, radius))
    assert not round_balls(Balls(*arrays), as_format("float64"), "nearest")[1][0]


@pytest.mark.parametrize("rounding", ["nearest", "up", "down", "zero"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float8_e5m2"])
def test_narrow_formats_are_rounded_from_balls(dtype: str, rounding: Any) -> None:
    """Balls beside a boundary: none is decided that holds it, all that keep 2**-48 from it are."""
    target, rng = as_format(dtype), np.random.default_rng(6)
    half = 2.0**-target.precision  # steps of it are numbers or midpoints, from 1 to 2
    boundary = np.ones(400) + half * rng.integers(1, 2**target.precision - 1, size=400)
    boundary *= rng.choice([-1.0, 1.0], size=400)
    lo = rng.normal(size=400) * np.ldexp(1.0, rng.integers(-80, -50, size=400))
    radius = np.ldexp(1.0, rng.integers(-80, -50, size=400))
    hi = boundary + 2.0**-52 * rng.integers(-2, 3, size=400)
    rounded, decided = round_balls(Balls(hi, lo, radius), target, rounding)
    for centre, low, r, found, sure in zip(hi, lo, radius, rounded, decided, strict=True):
        whole = Fraction(centre) + Fraction(low)
        if sure:
            ends = {target.round(whole + d, rounding) for d in (-Fraction(r), Fraction(r))}
            assert ends == {found}
    far = Balls(np.asarray(boundary + 2.0**-46), lo, radius)
    assert round_balls(far, target, rounding)[1].all()
    assert 0 < decided.sum() < 400


def test_tokens_all_alike_in_a_slot_are_one_token_to_outputs_alone() -> None:
    """Equal logits make outputs rational, so that E1 decides; the log-sum-exp counts all tuples."""
    keys, alike = np.array([[1.0, 2.0], [2.0, 1.0], [1.0, 2.0]]), np.full((5, 2), 3.0)
    values, twos = np.array([[1.0], [2.0], [3.0]]), np.full((5, 1), 2.0)
    layers = Layers()
    found = tensor_attention_rounded(
        [1.0, 1.0], (keys, alike), (values, twos), dtype="float64", rounding="up", layers=layers
    )
    assert found.tolist() == [4]
    assert layers.balls + layers.exact == 1
    one_k, one_v = folded((keys, alike), (values, twos))
    assert [len(A) for A in (*one_k, *one_v)] == [3, 1, 3, 1]
    (different,), _ = folded((keys,), (twos[:3],))
    assert len(different) == 3  # the ends are alike, and what is between is not
    mask = np.ones((3, 5), dtype=np.bool_)
    mask[0, 1:] = mask[2] = False  # so that tuples of one slot do not count alike any more
    masked = tensor_attention_rounded(
        [1.0, 1.0], (keys, alike), (values, twos), dtype="float64", rounding="up", mask=mask
    )
    assert masked.tolist() == [np.nextafter(11 / 3, 4)]
    bias = np.zeros((3, 5))
    bias[0, 1:] = bias[2] = -np.inf
    finite = np.maximum(bias, -1000.0)  # no mask comes of it
    told: dict[str, Any]
    for told, share in (
        ({"bias": bias}, 22 / 6),
        ({"bias": finite}, 22 / 6),
        ({"sink": 9}, 60 / 16),
        ({"sink": 9, "bias": bias}, 22 / 7),
    ):
        found = tensor_attention_rounded(
            [1.0, 1.0], (keys, alike), (values, twos), dtype="float64", **told
        )
        assert found.tolist() == [share]
    both = tensor_attention_rounded(
        [1.0, 1.0], (keys, alike), (values, twos), dtype="float64", return_logsumexp=True
    )
    assert both.output.tolist() == [4]
    with arb_precision(128):
        assert both.logsumexp == float((9 + arb(15).log()).mid())


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("rounding", ["nearest", "up", "down", "zero"])
def test_logsumexps_in_base_2(dtype: str, rounding: Any) -> None:
    target = as_format(dtype)
    found = tensor_attention_rounded(
        QUERIES, KEYS, VALUES, dtype=dtype, rounding=rounding, return_logsumexp=True,
        logsumexp_base=2,
    )  # fmt: skip
    balls = enclose(QUERIES, KEYS, VALUES)
    for place in np.ndindex(3, 2):
        with arb_precision(200):
            exact = balls.logsumexp[place] / arb(2).log()
        right = round_ball(exact, target, rounding)
        assert right is None or right == found.logsumexp[place]
    assert (found.output == tensor_attention_rounded(
        QUERIES, KEYS, VALUES, dtype=dtype, rounding=rounding
    )).all()  # fmt: skip


@pytest.mark.parametrize(("n", "exactly"), [(8, 1), (6, 0), (1, 1)])
def test_logsumexps_in_base_2_are_rational_for_powers_of_two_alone(n: int, exactly: int) -> None:
    zeros, layers = np.zeros((n, 1)), Layers()
    for rounding in ("up", "down"):
        found = tensor_attention_rounded(
            [0], [zeros], [zeros], dtype="float64", rounding=rounding, return_logsumexp=True,
            logsumexp_base=2, layers=layers,
        )  # fmt: skip
        assert abs(found.logsumexp - np.log2(n)) < 1e-15
        assert not exactly or found.logsumexp == np.log2(n)
    answer = ExactAttention([zeros], [zeros])([0])
    assert answer.rational_log2() == (Fraction(n.bit_length() - 1) if exactly else None)
    assert answer.log2_exceeds(Fraction(1, 3)) == (n > 1)
    assert not answer.log2_exceeds(Fraction(7, 2))
    assert not answer.log2_exceeds(Fraction(4))
    one = ExactAttention([[[1.0]]], [[[1.0]]])([1])
    assert one.rational_log2() is None  # log₂ e


@pytest.mark.parametrize("framework", ["torch", "jax.numpy", "array_api_strict"])
def test_results_like_another_array(framework: str) -> None:
    module = pytest.importorskip(framework)
    like = module.asarray([1.0])
    found = tensor_attention_rounded(
        QUERIES, KEYS, VALUES, dtype="float32", return_logsumexp=True, like=like
    )
    assert type(found.output) is type(like)
    assert type(found.logsumexp) is type(like)
    plain = tensor_attention_rounded(QUERIES, KEYS, VALUES, dtype="float32", like=np.ones(1))
    assert (to_numpy(found.output) == plain).all()


def test_refuses_what_is_no_array_to_be_like() -> None:
    with pytest.raises(InputError, match="like: expected an array of NumPy, PyTorch, JAX"):
        tensor_attention_rounded(QUERIES, KEYS, VALUES, dtype="float32", like="torch")
    base: Any = 10
    with pytest.raises(InputError, match='logsumexp_base: expected "e" or 2, got 10'):
        tensor_attention_rounded(QUERIES, KEYS, VALUES, dtype="float32", logsumexp_base=base)


def test_progress_is_told_to_the_end() -> None:
    told: list[tuple[int, int]] = []
    tensor_attention_rounded(
        QUERIES, KEYS, VALUES, dtype="float64", return_logsumexp=True,
        progress=lambda settled, numbers: told.append((settled, numbers)),
    )  # fmt: skip
    assert told == sorted(told)
    assert told[-1] == (12, 12)  # six queries, an output and a log-sum-exp each


@pytest.mark.parametrize("far", [-1e6, -1e9, float(np.finfo(np.float32).min)])
@pytest.mark.parametrize("softcap", [None, 30])
def test_base_2_beside_a_power_of_two_needs_no_bits(far: float, softcap: Any) -> None:
    """Tuples far away leave log₂ of a power of two by e^far: the ones cancel exactly."""
    zeros = np.zeros((4, 2))
    roundings: tuple[tuple[Any, float], ...] = (("nearest", 1), ("zero", 1), ("up", 1 + 2.0**-23))
    for rounding, number in roundings:
        found = tensor_attention_rounded(
            zeros[0], [zeros], [zeros], dtype="float32", logsumexp_base=2, softcap=softcap,
            bias=[0, 0, far, far], rounding=rounding, return_logsumexp=True,
        )  # fmt: skip
        assert found.logsumexp == number
