"""The fast path's theorems are about its code: the same operations bit by bit, the same constants.

The operations that a theorem of ``statements/FastPath.v`` binds by ``let`` are read from what Coq
prints, and done with rationals that are rounded after each.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from math import sqrt
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coq_formulas import function, value
from kvfloor.attention.fast import arithmetic, centred, exponential, logits, slices, totals
from kvfloor.attention.fast.arithmetic import UNIT
from kvfloor_proofs.kernel import Audit

Names = dict[str, Any]


def fl(x: Fraction) -> Fraction:
    """The nearest float64: the quotient of two integers is rounded once."""
    return Fraction(x.numerator / x.denominator)


def bpow(e: Fraction) -> Fraction:
    return Fraction(2) ** int(e)


def run(text: str, names: Names) -> Names:
    """Add what ``let name := ... in`` binds, one after the other, up to what is no ``let``."""
    while text.startswith("let "):
        end = _end_of_let(text)
        name, body = text[4:end].split(" := ", 1)
        names = names | {name: _bound(body, names)}
        text = text[end + 4 :]
    return names | {"": text}


def _end_of_let(text: str) -> int:
    depth = 0
    for word in re.finditer(r"\blet\b| in ", text):
        depth += 1 if word.group() == "let" else -1
        if depth == 0:
            return word.start()
    raise ValueError(f"{text!r}: a let without an end")


def _bound(body: str, names: Names) -> Any:
    """A number, or a function of numbers."""
    if match := re.match(r"fun (.*?) => ", body):
        binders = re.findall(r"(\w+) :", match[1])
        return lambda *values: _bound(
            body[match.end() :], names | dict(zip(binders, values, strict=True))
        )
    inside = run(body, names)
    return value(inside[""], inside)


def operations(audited: Audit, theorem: str, **numbers: float) -> Names:
    """What a theorem's operations give for these numbers."""
    statement = " ".join(audited.theorems[theorem].statement.split())
    statement = statement.replace("Raux.bpow Zaux.radix2", "bpow")
    known = {name: Fraction(x) for name, x in numbers.items()}
    return run(statement[statement.index("let ") :], known | {"fl": fl, "bpow": bpow})


def arrays(*numbers: Any) -> list[arithmetic.Float]:
    return [np.array([float(x)]) for x in numbers]


def pair(x: float, low: float) -> tuple[float, float]:
    """A double-double near x."""
    lo = x * low
    hi = x + lo
    return hi, lo - (hi - x)


SIZES = st.floats(2.0**-300, 2.0**300) | st.floats(0.5, 2)
NUMBERS = st.builds(lambda x, sign: sign * x, SIZES, st.sampled_from((1.0, -1.0)))
PAIRS = st.builds(pair, NUMBERS, st.floats(-(2.0**-54), 2.0**-54))


def agree(expected: Names, **found: Any) -> None:
    for name, x in found.items():
        assert expected[name] == Fraction(float(np.asarray(x).item())), name


@given(NUMBERS, NUMBERS)
def test_error_free(audited: Audit, a: float, b: float) -> None:
    s, e = arithmetic.two_sum(*arrays(a, b))
    agree(operations(audited, "fast_path_two_sum", a=a, b=b), s=s, e=e)
    s, e = arithmetic.fast_two_sum(*arrays(a, b))
    agree(operations(audited, "fast_path_fast_two_sum", a=a, b=b), s=s, e=e)
    p, e = arithmetic.two_product(*arrays(a, b))
    agree(operations(audited, "fast_path_two_product", a=a, b=b), p=p, e=e)


@given(PAIRS, PAIRS, NUMBERS)
def test_pairs(audited: Audit, a: tuple[float, float], b: tuple[float, float], x: float) -> None:
    hi, lo = arithmetic.pair_sum(tuple(arrays(*a)), tuple(arrays(*b)))  # type: ignore[arg-type]
    both = dict(zip(("x0", "x1", "y0", "y1"), (*a, *b), strict=True))
    agree(operations(audited, "fast_path_pair_sum", **both), hi=hi, lo=lo)

    hi, lo = arrays(*a)
    arithmetic.add_to(hi, lo, np.array([x]))
    found = operations(audited, "fast_path_add_to", hi=a[0], lo=a[1], x=x)
    agree(found, **{"hi'": hi, "lo'": lo})

    both = dict(zip(("a0", "a1", "b0", "b1"), (*a, *b), strict=True))
    p, e = arithmetic.two_product(*arrays(a[0], b[0]))
    more = {"p": p.item(), "e": e.item(), "t1": a[0] * b[1], "t2": a[1] * b[0]}
    hi, lo = arithmetic.multiply(tuple(arrays(*a)), tuple(arrays(*b)))  # type: ignore[arg-type]
    agree(operations(audited, "fast_path_multiply", **both, **more), hi=hi, lo=lo)

    q = a[0] / b[0]
    p, e = arithmetic.two_product(*arrays(q, b[0]))
    more = {"q": q, "p": p.item(), "e": e.item(), "g": q * b[1]}
    hi, lo = arithmetic.divide(tuple(arrays(*a)), tuple(arrays(*b)))  # type: ignore[arg-type]
    agree(operations(audited, "fast_path_divide", **both, **more), hi=hi, lo=lo)


@given(st.floats(-1, 1), st.integers(1, 26), st.integers(-3, 3))
def test_slices(audited: Audit, x: float, beta: int, t: int) -> None:
    scaled = x * 2.0**t
    rest = np.array([scaled])
    head = arithmetic.extract(rest, 2.0 ** (t - beta))
    found = operations(audited, "fast_path_extract", x=scaled, e=t - beta)
    agree(found, C=arithmetic.rounder(2.0 ** (t - beta)), head=head)

    parts = slices.split(np.array([scaled]), np.zeros(1), beta, 2.0**t)
    found = operations(audited, "fast_path_split", x=scaled, t=t, beta=beta)
    agree(found, **dict(zip(("x0", "x1", "x2"), parts, strict=True)))


def numerators(audited: Audit) -> list[int]:
    return [int(n) for n in re.findall(r"\d+(?=%Z)", audited.definitions["exp2_numerators"])]


@given(st.floats(-(2.0**21), 2.0**21) | st.floats(-1, 1))
def test_exp2(audited: Audit, x: float) -> None:
    """Horner's scheme is the definition's: (p + c) rounded, p the product, rounded too."""
    y, k = np.empty(1), np.empty(1, dtype=np.int64)
    exponential.exp2_single(np.array([x]), y, k)
    found = operations(audited, "fast_path_exp2", x=x)
    assert found["n"] == k.item()
    f = fl(Fraction(x) - found["n"])
    acc, *rest = (Fraction(n, 2**80) for n in numerators(audited))
    for c in rest:
        acc = fl(fl(acc * f) + c)
    assert acc == Fraction(y.item())


def test_polynomial(audited: Audit) -> None:
    assert [Fraction(n, 2**80) for n in numerators(audited)] == [*map(Fraction, exponential.EXP2)]


def found_at(audited: Audit, where: str, **names: Any) -> Fraction:
    """The number that stands in a statement, or a definition, where the pattern has its @."""
    name, pattern = where.split(": ", 1)
    known = {**audited.definitions, **{n: t.statement for n, t in audited.theorems.items()}}
    text = " ".join(known[name].split())
    found = set(re.findall(re.escape(pattern).replace("@", "(.*?)"), text))
    assert len(found) == 1, (where, text)
    number: Fraction = value(found.pop(), {n: Fraction(x) for n, x in names.items()})
    return number


CONSTANTS: list[tuple[str, float]] = [
    ("fast_path_exp2: - Rpower 2 x) <= @ * roundoff", exponential.EXP2_SINGLE_ERROR / UNIT),
    ("fast_path_exp2: Rabs x <= @ ->", exponential.EXPONENT_LIMIT),
    ("term_off: gamma r + @ * roundoff", exponential.EXP2_SINGLE_ERROR / UNIT),
    ("fast_path: (computed (logits t))) <= @ * roundoff", exponential.EXP2_SINGLE_ERROR / UNIT),
    ("fast_path: * b + @ * D in", totals.TINY),
    ("fast_path_order_one: * Rabs z + @)", totals.TINY),
    ("fast_path_order_one: <= (@) * (W", totals.INFLATION),
    ("fast_path_order_one: w t * ((@) * omega t)", 1 + (totals.INFLATION - 1) / 2),
]


@pytest.mark.parametrize(("where", "constant"), CONSTANTS)
def test_constants(audited: Audit, where: str, constant: float) -> None:
    assert found_at(audited, where) == Fraction(constant)


@pytest.mark.parametrize(
    "where", ["fast_path: fun b : R => (@) * b", "fast_path: <= (@) * ((e b_n"]
)
def test_bounds_are_inflated_twice_as_much_as_the_theorem_needs(audited: Audit, where: str) -> None:
    """The rest is for the roundings of the bounds."""
    assert 2 * (found_at(audited, where) - 1) == Fraction(totals.INFLATION) - 1


def test_quotients(audited: Audit) -> None:
    """With numbers of few bits the bound itself is not rounded."""
    statement = " ".join(audited.theorems["fast_path"].statement.split())
    formula = re.findall(r"\* (\(\(e b_n \+ .*?) \* Rabs z\) /\\", statement)[0] + " * Rabs z)"
    names: Names = {"Rabs": abs, "z": Fraction(-3), "D": 1 + Fraction(1, 2**12)}
    names |= {"e": lambda b: b, "b_n": Fraction(1, 2**10), "b_d": Fraction(1, 2**12)}
    error = np.array([[2.0**-10, 2.0**-12]])
    radius = totals.spread(np.array([[-3.0, 1]]), error, np.array([[1 + 2.0**-12]]), 2 * UNIT)
    expected = value(formula, names | {"roundoff": Fraction(UNIT)})
    assert Fraction(radius[0, 0]) == expected


def test_ln_2_rounded_up(audited: Audit) -> None:
    found = found_at(audited, "term_off: roundoff + @ * off k (logits t)")
    assert float(found) == logits.LN2_ABOVE
    assert found > exponential.LN2


def test_logits_whose_errors_the_theorem_takes(audited: Audit) -> None:
    shape: Any = SimpleNamespace(key_exponents=range(2**24), key_slots=range(2))
    assert (limit := logits.logit_limit(shape)) < 0.99 * exponential.EXPONENT_LIMIT
    largest = found_at(audited, "fast_path: off k (logits t) <= @) ->")
    assert limit * logits.logit_error(shape) == largest


def test_radius_at_order_1(audited: Audit) -> None:
    """Of a query whose sums are these, in real numbers; twice `INFLATION`, as in `enclose`."""
    d, n, (numerator, total, squares, lengths) = 2, 1000, (0.75, 1.0, 0.5625, 2.0**20)
    prepared: Any = SimpleNamespace(
        shape=(1, n), key_exponents=range(d), key_slots=range(1), value_exponents=np.zeros(1, int)
    )
    g: Any = SimpleNamespace(hi=np.full((1, d), 2.0**29), reach=np.ones(1))
    sums: Any = SimpleNamespace(
        sums=np.array([[numerator, total, squares, lengths]]), exponent=np.zeros(1, int)
    )
    joined: Any = SimpleNamespace(
        additions=0,
        error=np.zeros_like,
        reach=lambda reach: reach,
        covers=lambda reach, _: reach > 0,
    )
    found = centred._enclose(prepared, g, sums, joined).output

    statement = " ".join(audited.theorems["fast_path_order_one"].statement.split())
    length = sqrt(d * 2.0**58 * lengths)
    relative = exponential.EXP2_SINGLE_ERROR + logits.LN2_ABOVE * arithmetic.gamma(d + 2) * length
    z, s = Fraction(numerator / total), Fraction(squares / total)
    names: Names = {"z": z, "s": s, "d": fl(s - fl(z * z)), "W": Fraction(relative)}
    names |= {"r": Fraction(256 + 4 + 1), "roundoff": Fraction(UNIT), "Rabs": abs, "Rmax": max}
    names |= {"gamma": lambda r: Fraction(arithmetic.gamma(int(r)))}
    names |= {"sqrt": lambda x: Fraction(sqrt(x))}
    names["variance"] = value(re.findall(r"variance := (.*?) in", statement)[0], names)
    bound = value(statement.rsplit(" <= ", 1)[1], names) * Fraction(totals.INFLATION)
    assert found.hi[0, 0] == z
    assert float(bound) == pytest.approx(found.radius[0, 0], rel=1e-12, abs=0)


def test_unit_roundoff(audited: Audit) -> None:
    assert value(audited.definitions["roundoff"], {}) == Fraction(UNIT)


@given(st.integers(1, 2**30))
def test_gamma(audited: Audit, k: int) -> None:
    arguments, body = function(audited.definitions["gamma"])
    known: Names = {"INR": lambda x: x, "roundoff": Fraction(UNIT), arguments[0]: Fraction(k)}
    assert value(body, known) == Fraction(arithmetic.gamma(k))


@given(st.integers(1, 2**20))
def test_as_many_bits_as_the_theorem_allows(audited: Audit, n: int) -> None:
    statement = audited.theorems["fast_path_slices"].statement
    assert "INR N * Raux.bpow Zaux.radix2 (2 * beta) <= 2 ^ 53" in statement
    allowed: Callable[[int], bool] = lambda beta: n * bpow(Fraction(2 * beta)) <= 2**53  # noqa: E731
    assert allowed(beta := slices.slice_bits(n))
    assert beta == 26 or not allowed(beta + 1)


@given(st.integers(1, 512), st.integers(0, 20), st.integers(1, 2**20), st.integers(1, 2**20))
def test_rests(audited: Audit, d: int, unit: int, sums: int, longest: int) -> None:
    beta = slices.slice_bits(d)
    statement = " ".join(audited.theorems["fast_path_key_rest"].statement.split())
    known: Names = {"INR": lambda x: x, "d": Fraction(d), "J": Fraction(d), "beta": Fraction(beta)}
    known |= {"sums": Fraction(sums), "longest": Fraction(longest), "unit": Fraction(2**unit)}
    bound = slices.key_rest(np.array([float(sums)]), np.array([2.0**unit]), longest, d)
    assert value(statement.rsplit(" <= ", 1)[1], known) == Fraction(bound.item())

    statement = " ".join(audited.theorems["fast_path_value_rest"].statement.split())
    rest = value(statement.rsplit(" <= ", 1)[1], known)
    assert Fraction(arithmetic.gamma(d + 5)) * rest * Fraction(8, 7) == slices.value_error(d)
