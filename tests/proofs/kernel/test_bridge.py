"""The bridge: the constants of Coq's theorems, as Coq prints them, are those the library computes.

Rationals are compared exactly; where exp, ln or cos occurs, balls must overlap and be narrow.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import comb
from typing import Any

import pytest
from flint import arb, fmpq
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from coq_formulas import function, value
from kvfloor import cost, floors
from kvfloor.caches import new_tuples
from kvfloor.families import keys
from kvfloor.floors import Guarantee
from kvfloor.numbers import arb_precision
from kvfloor_proofs.kernel import Audit

BITS = 256
NARROW = Fraction(1, 2**200)

WHOLE = st.integers(1, 12)
PART = st.fractions(0, Fraction(9, 10), max_denominator=50)
POSITIVE = st.fractions(Fraction(1, 50), 20, max_denominator=50)
DELTA = st.fractions(0, Fraction(1, 2), max_denominator=50)
SMALL = st.fractions(0, Fraction(1, 100), max_denominator=10**4)


def ball(x: Any) -> arb:
    return x if isinstance(x, arb) else arb(fmpq(Fraction(x).numerator, Fraction(x).denominator))


def agree(coq: Any, python: Any) -> bool:
    """Equal if both are rational; else balls that overlap and say much."""
    if not isinstance(coq, arb) and not isinstance(python, arb):
        return bool(coq == python)
    left, right = ball(coq), ball(python)
    narrow = ball(NARROW) * (1 + abs(left))
    return bool(left.overlaps(right)) and left.rad() < narrow and right.rad() < narrow


def evaluate(formula: str, audited: Audit, v: dict[str, Any]) -> Any:
    """Over the rationals, or in balls where functions of the reals occur; Coq's ln 0 is 0."""
    known: dict[str, Any] = {
        "exp": arb.exp,
        "ln": lambda x: x.log() if x > 0 else arb(0),
        "Nat.max": max,
    }
    for name in ("excess", "log2", "H2", "best_symbols"):
        known[name] = _defined(audited.definitions[name], known)
    number = ball if set(re.findall(r"\w+", formula)) & set(known) else Fraction
    known |= {"INR": lambda x: x, "S": lambda x: x + 1, "binom": lambda n, k: comb(int(n), int(k))}
    return value(formula, known | {name: number(x) for name, x in v.items()}, number)


def _defined(definition: str, known: dict[str, Any]) -> Callable[..., Any]:
    arguments, body = function(definition)
    return lambda *values: value(body, known | dict(zip(arguments, values, strict=True)), ball)


@dataclass(frozen=True)
class Constant:
    """A formula in Coq and the function in Python.

    ``where`` is a definition of the statements or "theorem: pattern", the formula being what stands
    in the theorem's statement at the pattern's @.
    """

    where: str
    drawn: dict[str, SearchStrategy[Any]]
    python: Callable[[dict[str, Any]], Any]

    def formula(self, audited: Audit) -> str:
        name, _, pattern = self.where.partition(": ")
        if not pattern:
            return function(audited.definitions[name])[1]
        statement = " ".join(audited.theorems[name].statement.split())
        end = "$" if pattern.endswith("@") else ""
        found = set(re.findall(re.escape(pattern).replace("@", "(.*?)") + end, statement))
        assert len(found) == 1, (pattern, statement)
        return str(found.pop())


def guarantee(v: dict[str, Any]) -> Guarantee:
    return Guarantee(v["eta"], v["alpha"])


def log2(x: Any) -> arb:
    return ball(x).log() / arb(2).log()


def whole(*symbols: str) -> dict[str, SearchStrategy[Any]]:
    return dict.fromkeys(symbols, WHOLE)


def margin_of(book: keys.AddressBook) -> Callable[[dict[str, Any]], Any]:
    return lambda v: v["C"] * book.margin


def number_of(kind: str, count: Callable[..., Any]) -> Callable[[dict[str, Any]], Any]:
    return lambda v: getattr(count(v["n"], v["d"], v["d_v"]), kind)


def one_cell(place: int) -> Callable[[dict[str, Any]], Any]:
    return lambda v: floors.errors_of_one_cell(
        v["Q"], order=v["m"], key_bound=v["Bk"], value_bound=v["Bv"]
    )[place]


ETA_ALPHA = {"eta": PART, "alpha": st.fractions(0, Fraction(1, 21), max_denominator=50)}
GRID = {"eta": SMALL, "alpha": SMALL, "L": st.integers(2, 20)}
ROOM = "value_floor_states: (1 + eta + 2 * alpha) < @ -> forall"
QUANTISED = {"Q": POSITIVE, "Bk": POSITIVE, "Bv": POSITIVE, "ek": POSITIVE, "ev": POSITIVE}
CACHED = whole("m", "n", "d", "d_v", "wk", "wv")

CONSTANTS = [
    Constant("threshold", ETA_ALPHA, lambda v: floors.threshold(guarantee(v))),
    Constant(
        "margin_ratio", ETA_ALPHA | whole("M"), lambda v: floors.margin_ratio(guarantee(v), v["M"])
    ),
    Constant(
        "margin_limit",
        ETA_ALPHA | {"c": POSITIVE},
        lambda v: ball(floors.margin_ratio(guarantee(v), v["c"])).log(),
    ),
    Constant(
        "leak",
        {"M": WHOLE, "g": POSITIVE},
        lambda v: floors.leak(v["M"] * ball(-v["g"]).exp()),
    ),
    Constant(
        "leak_of",
        {"c": POSITIVE, "g": POSITIVE},
        lambda v: floors.leak(ball(v["c"]) * ball(-v["g"]).exp()),
    ),
    Constant(
        "self_competitors",
        whole("n", "m"),
        lambda v: floors.competitors_per_tie(Fraction(v["n"]), v["m"], self_token=True),
    ),
    Constant(
        "four_cache_order: <-> (@ <= b)%nat",
        whole("n", "d_v"),
        lambda v: floors.four_cache(v["n"], v["d_v"]),
    ),
    Constant(
        "four_cache_order_randomized: Q b -> @ <= INR b",
        whole("n", "d_v") | {"delta": DELTA},
        lambda v: floors.index_randomized(
            v["n"] * v["d_v"], floors.binary_entropy(v["delta"], BITS)
        ),
    ),
    Constant(
        "retrievable_information: <= delta) -> @ <= INR b",
        {"N": WHOLE, "L": st.integers(2, 20), "delta": DELTA},
        lambda v: floors.retrievable(
            v["N"],
            log2(v["L"]),
            floors.binary_entropy(v["delta"], BITS),
            ball(v["delta"]),
            log2(v["L"] - 1),
        ),
    ),
    Constant(
        "heads_and_layers: <-> (@ <= b)%nat",
        whole("layers", "heads", "n", "d_v"),
        lambda v: floors.heads_and_layers(
            v["layers"], v["heads"], floors.four_cache(v["n"], v["d_v"])
        ),
    ),
    Constant(
        "heads_and_layers_windows: <-> (@ <= b)%nat",
        whole("full", "windows", "heads", "n", "W", "d_v"),
        lambda v: sum(
            floors.heads_and_layers(v[layers], v["heads"], floors.four_cache(v[tokens], v["d_v"]))
            for layers, tokens in (("full", "n"), ("windows", "W"))
        ),
    ),
    Constant(
        "positions_bias_margin: s j + bias j) i @",
        {"g": POSITIVE, "beta": POSITIVE},
        lambda v: floors.biased_margin(v["g"], v["beta"]),
    ),
    Constant(
        "positions_sink_margin: g > ln (@) <->",
        {"M": WHOLE, "eta": SMALL, "alpha": SMALL, "sigma": POSITIVE},
        lambda v: floors.sink_ratio(guarantee(v), v["M"], v["sigma"]),
    ),
    Constant(
        "index_randomized_one_bit: 2 ^ S N * @",
        {"N": WHOLE},
        lambda v: floors.one_bit_success(v["N"] + 1),
    ),
    Constant(
        "subgen_normaliser_variance: <= tau * tau * @",
        {"rho": POSITIVE, "t": WHOLE},
        lambda v: floors.relative_variance(v["rho"]) / v["t"],
    ),
    Constant(
        "subgen_two_cache_rows: length (new_pairs i) = (@)%nat",
        {"i": WHOLE},
        lambda v: len([*new_tuples(v["i"] + 1, 2)]),
    ),
    Constant(
        "subgen_two_cache_normaliser_variance: <= total2 n d q K1 K2 * total2 n d q K1 K2 * @",
        {"rho": POSITIVE, "t": WHOLE},
        lambda v: floors.relative_variance(v["rho"]) / v["t"],
    ),
    Constant(
        "subgen_two_cache_clusters: (sub k centre) <= @)",
        dict.fromkeys(("R1", "R2", "delta1", "delta2"), POSITIVE),
        lambda v: floors.product_radius(v["R1"], v["delta1"], v["R2"], v["delta2"]),
    ),
    Constant(
        "two_cache: K1 K2 W c)) -> (@ <= b)%nat",
        whole("n1", "d_v"),
        lambda v: floors.two_cache(v["n1"], v["d_v"]),
    ),
    Constant(
        "two_cache_structured: length numbers = (@)%nat",
        whole("n1", "d", "d_v"),
        lambda v: floors.packed_numbers(v["n1"], v["d"], v["d_v"]),
    ),
    Constant(
        "two_cache_structured_bits: length (state A B) = (@)%nat",
        whole("n1", "d", "d_v", "w", "F"),
        lambda v: floors.packed_bits(v["n1"], v["d"], v["d_v"], v["w"], v["F"]),
    ),
    Constant(
        "value_floor: <-> INR (@) * log2",
        whole("n1", "d_v"),
        lambda v: floors.paired_symbols(v["n1"], v["d_v"]),
    ),
    Constant(
        "given_alpha",
        ETA_ALPHA | dict.fromkeys(("w", "u", "t"), POSITIVE),
        lambda v: floors.given_alpha(guarantee(v), v["w"], v["u"], v["t"]),
    ),
    Constant(ROOM, GRID, lambda v: floors.grid_room(guarantee(v), Fraction(v["L"]))),
    Constant(
        "sign_keys: 2 * exp (- (@))",
        {"eps": POSITIVE, "d": WHOLE},
        lambda v: floors.hoeffding_exponent(v["d"], v["eps"]),
    ),
    Constant(
        "random_instance_fails: / 2 ^ N <= @",
        {"k": WHOLE},
        lambda v: floors.all_correct_probability(20, 2 ** (20 - v["k"])),
    ),
    Constant(
        "quantised_upper_bound: Ks Vs c) <= @",
        QUANTISED | {"m": st.integers(1, 4)},
        lambda v: floors.output_error(
            v["m"], v["Bv"], v["ev"], floors.logit_error(v["m"], v["Bk"], v["ek"], v["Q"])
        ),
    ),
    Constant(
        "quantised_upper_bound_cache: length (state Ks Vs) = (@)%nat",
        CACHED,
        lambda v: (
            floors.quantised_bits(
                v["n"], v["d"], v["d_v"], (2 ** v["wk"], 2 ** v["wv"]), order=v["m"]
            )
            - 1  # the library's state tells the number of tokens too
        ),
    ),
    Constant(
        "key_levels: <-> INR (@) * log2",
        whole("n", "b", "f"),
        lambda v: floors.key_symbols(1, v["n"], v["b"], v["f"] + 1),
    ),
    Constant(
        "key_levels_margin: g > ln (@) + gamma",
        {"n": st.integers(3, 12), "eta": PART, "alpha": SMALL, "rho": POSITIVE},
        lambda v: floors.symbol_ratio(guarantee(v), v["n"] - 2, v["rho"]),
    ),
    Constant(
        "key_levels_margin: (g - @) * (1 + eta",
        {"gamma": POSITIVE, "X": POSITIVE},
        lambda v: floors.tied_lift(1, v["gamma"], v["X"]),
    ),
    Constant(
        "best_floor_keys: best_symbols n d d_v = (@)%nat",
        {"d": st.integers(5, 12)} | whole("n", "d_v"),
        lambda v: floors.key_symbols(1, v["n"], v["d"] - 3, v["d_v"]),
    ),
    Constant(
        "best_floor_identifiable: = (@)%nat",
        {"n": st.integers(2, 12), "d": st.integers(3, 12), "d_v": WHOLE},
        lambda v: (
            floors.identifiable(1, v["n"], v["d"], v["d_v"])
            - floors.key_symbols(1, v["n"], v["d"] - 3, v["d_v"])
        ),
    ),
    Constant(
        "latent_heads_named: <-> INR (@) * log2",
        whole("n", "a") | {"r": st.integers(13, 20)},
        lambda v: floors.value_symbols(1, v["n"], v["r"] - v["a"]),
    ),
    Constant(
        "value_levels_relative: equal_room eta alpha L = @",
        {
            "eta": st.fractions(Fraction(1, 1000), Fraction(9, 10), max_denominator=1000),
            "alpha": SMALL,
            "L": st.integers(2, 20),
        },
        lambda v: floors.equal_room(guarantee(v), v["L"]),
    ),
    Constant(
        "value_levels_absolute: equal_room 0 alpha L = @ /\\",
        {"alpha": SMALL, "L": st.integers(2, 20)},
        lambda v: floors.equal_room(Guarantee(Fraction(0), v["alpha"]), Fraction(v["L"])),
    ),
    Constant(
        "value_floor_margin: g > ln (@) -> INR M",
        GRID | whole("M"),
        lambda v: floors.symbol_ratio(
            guarantee(v), v["M"], floors.grid_room(guarantee(v), Fraction(v["L"]))
        ),
    ),
    Constant(
        "sharp_floor: <-> INR (@) * log2",
        whole("n1", "b", "f"),
        lambda v: floors.sharp_symbols(v["n1"], v["b"], v["f"] + 2),
    ),
    Constant(
        "sharp_floor_strength: gamma > @",
        {"eta": PART, "L": st.integers(2, 20)},
        lambda v: (v["L"] - 1) * ball(floors.strength_ratio(Guarantee(v["eta"]))).log(),
    ),
    Constant(
        "identifiability: length (free_entries m n d_v))%nat = (@)%nat",
        {"m": st.integers(2, 5), "n": st.integers(2, 12)} | whole("d", "d_v"),
        lambda v: floors.identifiable(v["m"], v["n"], v["d"], v["d_v"]),
    ),
    Constant(
        "identifiability_order_1: (seq 0 d_v)))%nat = (@)%nat",
        {"n": st.integers(2, 12)} | whole("d", "d_v"),
        lambda v: floors.identifiable(1, v["n"], v["d"], v["d_v"]),
    ),
    Constant(
        "product_off",
        dict.fromkeys(("a", "a_off", "b", "b_off", "u"), POSITIVE),
        lambda v: floors.product_off(v["a"], v["a_off"], v["b"], v["b_off"], v["u"]),
    ),
    Constant(
        "difference_off",
        {"size": POSITIVE, "o": POSITIVE, "u": SMALL},
        lambda v: floors.difference_error(v["size"], v["o"], 0, v["u"], joins=1),
    ),
    Constant(
        "exponent_drift",
        dict.fromkeys(("s", "l", "gamma", "size", "e"), POSITIVE),
        lambda v: floors.exponent_drift(v["s"], v["l"], v["gamma"], v["size"], v["e"]),
    ),
    Constant(
        "slope_off",
        dict.fromkeys(("slope", "moved", "square", "off"), POSITIVE) | {"u": SMALL},
        lambda v: floors.slope_error(
            v["slope"], v["moved"], v["square"], v["off"], v["u"], Fraction(0)
        ),
    ),
    Constant(
        "gradient_error_slope: tanh (y' / c) <= (1 - tanh (y / c) * tanh (y / c)) * exp (@)",
        {"D": POSITIVE, "c": POSITIVE},
        lambda v: floors.slope_factor(v["D"], v["c"]),
    ),
    Constant(
        "entropy_dimension_order_1: INR b <= INR (@) * log2",
        {"n": st.integers(2, 12)} | whole("d", "d_v"),
        lambda v: floors.identifiable(1, v["n"], v["d"], v["d_v"]),
    ),
    *(
        Constant(
            f"entropy_dimension_gauge: let {error} := @ in",
            {"m": st.integers(1, 4)} | dict.fromkeys(("Q", "Bk", "Bv"), POSITIVE),
            one_cell(place),
        )
        for place, error in enumerate(("Ek", "Ev"))
    ),
    Constant(
        "entropy_dimension_gauge: let rows := (@)%nat in",
        {"m": st.integers(2, 5), "n": st.integers(2, 12)},
        lambda v: floors.gauged_numbers(v["m"], v["n"], 1, 1)[0],
    ),
    Constant(
        "covering_number: points)) <= @ /\\",
        {"radius": POSITIVE, "delta": POSITIVE, "d": WHOLE},
        lambda v: floors.covering_number(v["radius"], v["delta"], v["d"]),
    ),
    Constant(
        "covering_number_clusterable: (m1 * m2) (@)",
        dict.fromkeys(("R1", "R2", "delta1", "delta2"), POSITIVE),
        lambda v: floors.product_radius(v["R1"], v["delta1"], v["R2"], v["delta2"]),
    ),
    *(
        Constant(where, {"C": WHOLE}, margin_of(book))
        for where, book in (
            ("keys_orthonormal: (key_query C unit_key) @", keys.orthonormal(5)),
            ("keys_signed_axes: (key_query C axis_key) @", keys.axes(8)),
            ("keys_roots_d: (key_query C (root_key d)) @", keys.roots_d(40)),
            ("keys_e8: (key_query C (code_key e8)) @", keys.roots_e8()),
            ("keys_parabola: parabola_key) i @", keys.parabola(7)),
            ("keys_binary: binary_key) i @", keys.binary_keys(16)),
        )
    ),
    *(
        Constant(
            f"time_memory_{name}: | {kind} => @ {'end' if kind == 'exponentials' else '|'}",
            whole("n", "d", "d_v"),
            number_of(kind, count),
        )
        for name, count in (
            ("two", cost.query_two),
            ("formed", cost.query_formed),
            ("factored", cost.query_factored),
        )
        for kind in ("multiplications", "additions", "divisions", "exponentials")
    ),
    Constant(
        "time_memory_append: | multiplications => @ | _ => 0%nat end",
        whole("n", "d", "d_v"),
        lambda v: cost.append_two(v["n"], v["d"], v["d_v"]).multiplications,
    ),
    Constant(
        "time_memory_append: | _ => @ end",
        whole("n", "d", "d_v"),
        lambda v: cost.append_two(v["n"], v["d"], v["d_v"]).additions,
    ),
]


@pytest.mark.parametrize("constant", CONSTANTS, ids=lambda c: c.where)
def test_constants_are_those_of_the_theorems(constant: Constant, audited: Audit) -> None:
    formula = constant.formula(audited)

    @given(st.fixed_dictionaries(constant.drawn))
    def at_many_points(v: dict[str, Any]) -> None:
        both = v | {"n2": v["n1"]} if "n1" in v else v
        with arb_precision(BITS):
            assert agree(evaluate(formula, audited, both), constant.python(v)), formula

    at_many_points()


WHOLE_BITS = [
    Constant(
        "soft_cap_counts: tanh c <= 2 * alpha -> @ <= INR b",
        whole("n", "d_v"),
        lambda v: floors.mean_bits(v["n"], v["d_v"], Fraction(1, 100), Fraction(1, 10)),
    ),
    Constant(
        "value_levels: <-> @ <= INR b",
        whole("n", "d_v") | {"L": st.integers(2, 20)},
        lambda v: floors.whole_bits(floors.value_symbols(1, v["n"], v["d_v"]), v["L"]),
    ),
    Constant(
        "best_floor: <-> @ <= INR bits",
        {"n": st.integers(4, 12), "d": st.integers(3, 12), "d_v": WHOLE, "L": st.integers(2, 20)},
        lambda v: floors.best_floor(v["n"], v["d"], d_v=v["d_v"], levels=v["L"]).bits,
    ),
    Constant(
        "key_levels: <-> @ <= INR bits",
        whole("n", "b", "f") | {"L": st.integers(2, 20)},
        lambda v: floors.whole_bits(floors.key_symbols(1, v["n"], v["b"], v["f"] + 1), v["L"]),
    ),
    Constant(
        "retrievable_information: <= delta) -> @ <= INR b",
        {"N": WHOLE, "L": st.integers(2, 20), "delta": DELTA},
        lambda v: floors.symbol_bits(v["N"], v["L"], v["delta"]),
    ),
    Constant(
        "value_floor: <-> @ <= INR b",
        whole("n1", "d_v") | {"L": st.integers(2, 20)},
        lambda v: floors.whole_bits(floors.paired_symbols(v["n1"], v["d_v"]), v["L"]),
    ),
    Constant(
        "four_cache_order_randomized: Q b -> @ <= INR b",
        whole("n", "d_v") | {"delta": DELTA},
        lambda v: floors.randomised_four_cache(v["n"], v["d_v"], v["delta"]),
    ),
]


@pytest.mark.parametrize("bound", WHOLE_BITS, ids=lambda c: c.where)
def test_whole_bits_are_the_least_that_the_theorems_allow(bound: Constant, audited: Audit) -> None:
    formula = bound.formula(audited)

    @given(st.fixed_dictionaries(bound.drawn))
    def at_many_points(v: dict[str, Any]) -> None:
        both = v | {"n2": v["n1"]} if "n1" in v else v
        bits = bound.python(v)
        with arb_precision(BITS):
            least = ball(evaluate(formula, audited, both))
            assert not least > bits
            assert not least <= bits - 1

    at_many_points()


@pytest.mark.parametrize("text", ["1 +", "(1", "1 2", "f", "1 ? 2", "fun n => n"])
def test_what_is_no_formula_is_refused(text: str) -> None:
    with pytest.raises((ValueError, KeyError, IndexError)):
        value(text, {})
