"""Hard families: every bit comes back, even from the worst acceptable answer (T1, L1, L2)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import pytest
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st

from kvfloor import AddressBook, BinaryValues, Guarantee, InputError, Token, binary_keys
from kvfloor.families import attend_to, stack
from kvfloor.floors import margin_ratio, threshold
from kvfloor.numbers import arb_precision, to_fmpq
from strategies import BOOKS, families, guarantees, instances, make_book

Bits = tuple[int, ...]
WEAK = Guarantee(Fraction(1, 2), Fraction(1, 8))


def worst(outputs: Sequence[arb], bits: Sequence[int], guarantee: Guarantee) -> list[arb]:
    """Answers pushed to the edge of the guarantee, each towards the wrong bit."""
    eta, alpha = to_fmpq(guarantee.eta), to_fmpq(guarantee.alpha)
    return [
        o * (1 - eta) - alpha if bit else o * (1 + eta) + alpha
        for o, bit in zip(outputs, bits, strict=True)
    ]


def recovered(family: BinaryValues, bits: Bits, *, disturbed: bool) -> Bits:
    attention = attend_to(family.encode(bits))
    found: list[int] = []
    with arb_precision(256):
        for i in range(family.n):
            outputs = attention(family.query(i)).enclose(256)
            if disturbed:
                outputs = worst(outputs, family.row(bits, i), family.guarantee)
            found += family.decode(outputs)
    return tuple(found)


# --- every bit comes back ------------------------------------------------------------------


@given(instances())
def test_bits_come_back_from_exact_and_from_the_worst_answers(
    instance: tuple[BinaryValues, Bits],
) -> None:
    family, bits = instance
    assert recovered(family, bits, disturbed=False) == bits
    assert recovered(family, bits, disturbed=True) == bits


@pytest.mark.parametrize("guarantee", [Guarantee(), WEAK, Guarantee(alpha=Fraction(31, 64))])
@pytest.mark.parametrize("self_token", [False, True])
@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("name", BOOKS)
def test_every_combination_recovers_its_hardest_rows(
    name: str, order: int, self_token: bool, guarantee: Guarantee
) -> None:
    family = BinaryValues(make_book(name, 3), 2, order, self_token, guarantee)
    for bits in ((1, 0, 0, 1, 0, 1), (0, 1, 1, 0, 1, 0), (0,) * 6, (1,) * 6):
        assert recovered(family, bits, disturbed=True) == bits


@pytest.mark.parametrize(("guarantee", "disturbed"), [(Guarantee(), False), (WEAK, True)])
def test_all_1024_bits_of_the_papers_case(guarantee: Guarantee, disturbed: bool) -> None:
    family = BinaryValues(binary_keys(64), d_v=16, order=2, guarantee=guarantee)
    assert (family.n, family.book.d, family.size) == (64, 6, 1024)
    drawn = random.Random(2503).getrandbits(1024)
    bits = tuple(drawn >> k & 1 for k in range(1024))
    assert recovered(family, bits, disturbed=disturbed) == bits


# --- L2, exactly when ----------------------------------------------------------------------


def tight_families() -> st.SearchStrategy[BinaryValues]:
    """Families where all competitors sit exactly the margin below, so that L1 is an equality."""
    books = st.one_of(
        st.integers(2, 4).map(lambda n: make_book("orthonormal", n)),
        st.sampled_from(BOOKS).map(lambda name: make_book(name, 2)),
    )
    return st.builds(
        BinaryValues,
        books,
        d_v=st.just(1),
        order=st.integers(1, 3),
        guarantee=guarantees().filter(lambda g: g != Guarantee()),
    )


def only(family: BinaryValues, bit: int) -> Bits:
    """The instance with ``bit`` at address 0 and the other bit everywhere else."""
    return (bit, *[1 - bit] * (family.n - 1))


def outputs_at(family: BinaryValues, multiplier: Fraction) -> tuple[Any, Any]:
    query = [multiplier * x for x in family.book.directions[0]]
    one, zero = (attend_to(family.encode(only(family, bit)))(query) for bit in (1, 0))
    return one.bounds(0, 200), zero.bounds(0, 200)


@given(tight_families())
def test_just_under_the_margin_one_answer_serves_two_instances(family: BinaryValues) -> None:
    ratio = margin_ratio(family.guarantee, family.competitors)
    with arb_precision(200):
        edge = (arb(to_fmpq(ratio)).log() / family.book.margin * 2**40).floor().unique_fmpz()
    assert edge is not None
    under, over = Fraction(int(edge), 2**40), Fraction(int(edge) + 1, 2**40)

    one, zero = outputs_at(family, under)
    eta, alpha = family.guarantee.eta, family.guarantee.alpha
    lowest, highest = one[0] * (1 - eta) - alpha, zero[1] * (1 + eta) + alpha
    shared = (lowest + highest) / 2
    assert family.guarantee.accepts(shared, *one) is True
    assert family.guarantee.accepts(shared, *zero) is True

    one, zero = outputs_at(family, over)
    lowest, highest = one[0] * (1 - eta) - alpha, zero[1] * (1 + eta) + alpha
    assert highest < threshold(family.guarantee) < lowest


@given(tight_families())
def test_a_smaller_multiplier_lets_an_acceptable_answer_decode_wrongly(
    family: BinaryValues,
) -> None:
    (lower, upper), _ = outputs_at(family, Fraction(family.multiplier - 1))
    answer = upper * (1 - family.guarantee.eta) - family.guarantee.alpha
    assert family.guarantee.accepts(answer, lower, upper) is not False
    assert family.decode([answer]) == (0,)  # the bit is 1


@given(tight_families())
def test_leak_is_reached_by_a_tight_family(family: BinaryValues) -> None:
    attention = attend_to(family.encode(only(family, 1)))
    with arb_precision(256):
        missing = 1 - attention(family.query(0)).enclose(256)[0]
        assert missing.overlaps(family.leak(256))
        assert family.leak(256).rad() < arb(2) ** -200


@given(instances())
def test_leak_bounds_the_distance_from_every_bit(instance: tuple[BinaryValues, Bits]) -> None:
    family, bits = instance
    attention, leak = attend_to(family.encode(bits)), family.leak(256)
    with arb_precision(256):
        eta, alpha = to_fmpq(family.guarantee.eta), to_fmpq(family.guarantee.alpha)
        assert leak < (1 - eta) / 2 - alpha
        for i in range(family.n):
            outputs = attention(family.query(i)).enclose(256)
            for o, bit in zip(outputs, family.row(bits, i), strict=True):
                assert not abs(o - bit) > leak


# --- shape and bookkeeping -----------------------------------------------------------------


@given(instances())
def test_tokens_are_those_of_the_theorem(instance: tuple[BinaryValues, Bits]) -> None:
    family, bits = instance
    tokens = family.encode(bits)
    keys, values = stack(tokens)
    n, others = family.n, family.order - 1
    assert len(tokens) == n + family.self_token
    assert keys[0][:n] == list(family.book.keys)
    assert [b for row in values[0][:n] for b in row] == list(bits)
    for K, V in zip(keys[1:], values[1:], strict=True):
        assert K[:n] == [(1,) * family.book.d] * n
        assert V[:n] == [(1,) * family.d_v] * n
    if family.self_token:
        zeros = Token(((0,) * family.book.d,) * (1 + others), ((0,) * family.d_v,) * (1 + others))
        assert tokens[n] == zeros


@given(families())
def test_symbols_are_located_row_by_row(family: BinaryValues) -> None:
    assert family.size == family.n * family.d_v
    bits = tuple(k % 2 for k in range(family.size))
    for symbol in range(family.size):
        address, column = family.locate(symbol)
        assert address * family.d_v + column == symbol
        assert family.row(bits, address)[column] == bits[symbol]
    for i in range(family.n):
        assert family.query(i) == tuple(family.multiplier * x for x in family.book.directions[i])


def test_margin_counts_the_self_token() -> None:
    book = AddressBook.certified("far", ((3, -1), (3, 1)), ((0, -5), (0, 5)))
    assert (book.margin, book.zero_margin) == (10, 5)
    assert BinaryValues(book, 1).margin == 10
    assert BinaryValues(book, 1, self_token=True).margin == 5


def test_name_says_everything() -> None:
    family = BinaryValues(binary_keys(4), 3, self_token=True)
    shape = "order=2, n=4, d=2, d_v=3, self token"
    assert str(family) == f"binary-values(binary-keys, {shape}, C={family.multiplier})"
    assert "self token" not in str(BinaryValues(binary_keys(4), 3))


# --- refusals ------------------------------------------------------------------------------

TINY = 2**-60


@pytest.mark.parametrize(
    ("call", "argument", "expected"),
    [
        (lambda f: f.encode((0, 1, 0)), "bits", "N = n*d_v = 4 bits"),
        (lambda f: f.encode((0, 1, 2, 0)), "bits[2]", "0 or 1"),
        (lambda f: f.encode((0, True, 1, 0)), "bits[1]", "0 or 1"),
        (lambda f: f.encode("0110"), "bits[0]", "0 or 1"),
        (lambda f: f.query(2), "address", "a whole number below n = 2"),
        (lambda f: f.query(-1), "address", "a whole number >= 0"),
        (lambda f: f.decode([1]), "answer", "2 entries"),
        (lambda f: f.decode([0, float("nan")]), "answer[1]", "a finite real number"),
        (lambda f: f.decode([arb(0.5, TINY), 0]), "answer[0]", "a ball on one side of the thr"),
        (lambda f: f.decode([0, arb("nan")]), "answer[1]", "a ball on one side of the thr"),
        (lambda f: BinaryValues(f.book, 0), "d_v", "a whole number >= 1"),
        (lambda f: BinaryValues(f.book, 1, 0), "order", "a whole number >= 1"),
        (lambda f: BinaryValues(f.book, True), "d_v", "a whole number >= 1"),
        (
            lambda f: BinaryValues(f.book, 1, guarantee=Guarantee(alpha=Fraction(1, 2))),
            *("guarantee", "eta + 2*alpha < 1, or no margin tells 0 from 1"),
        ),
    ],
)
def test_refused_by_name(call: Any, argument: str, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        call(BinaryValues(binary_keys(2), 2))
    assert caught.value.argument == argument
    assert caught.value.expected.startswith(expected)


def test_threshold_itself_decodes_to_0() -> None:
    family = BinaryValues(binary_keys(2), 2, guarantee=WEAK)
    theta, hair = threshold(WEAK), Fraction(1, 2**100)
    assert family.decode([theta, theta + hair]) == (0, 1)
    with arb_precision(200):
        balls = [arb(to_fmpq(theta - hair)), arb(to_fmpq(theta + hair))]
        assert family.decode(balls) == (0, 1)


# --- bugs ----------------------------------------------------------------------------------


def test_decode_does_not_depend_on_the_callers_precision() -> None:
    family = BinaryValues(binary_keys(2), 1, guarantee=Guarantee(Fraction(1, 5)))
    answer = [arb("0.47")]  # the threshold is 12/25
    before = ctx.prec
    ctx.prec = 4
    try:
        assert family.decode(answer) == (0,)
    finally:
        ctx.prec = before


def test_self_token_that_cannot_be_told_apart_is_refused_by_name() -> None:
    book = AddressBook.certified("through zero", ((0,), (1,)), ((-1,), (1,)))
    with pytest.raises(InputError) as caught:
        BinaryValues(book, 1, self_token=True)
    assert type(caught.value) is InputError


@pytest.mark.parametrize(
    "call",
    [
        lambda: BinaryValues(binary_keys(2), 1, self_token="no"),  # type: ignore[arg-type]
        lambda: BinaryValues(binary_keys(2), 1).encode((1.0, 0)),  # type: ignore[arg-type]
    ],
)
def test_other_types_are_refused_by_name(call: Any) -> None:
    with pytest.raises(InputError):
        call()
