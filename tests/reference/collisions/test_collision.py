"""The search for collisions: always found in time, always accepted by the checker (T5)."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvfloor import BinaryValues, Collision, InputError, birthday, check, pigeonhole
from kvfloor.caches import ExactCache, FloorCache, HashedCache, configure
from kvfloor.certificates import canonical
from kvfloor.collisions import random_inputs
from kvfloor.index import message
from strategies import BOOKS, families, make_book


def accepted(found: Collision | None) -> Collision:
    """A certificate that the checker accepts; what replays find out is in test_certificate."""
    assert found is not None
    assert check(canonical(found.certificate)).status == "ok"
    return found


def smallest_family(bits: int) -> BinaryValues:
    """A family with N = bits + 1 (N = 1 has no book without a competitor: there N = 2)."""
    name = BOOKS[bits % len(BOOKS)]
    return BinaryValues(make_book(name, max(2, bits + 1)), 1, order=1 + bits % 2)


@pytest.mark.parametrize("bits", range(13))
def test_pigeonhole_within_one_more_than_the_states(bits: int) -> None:
    family, factory = smallest_family(bits), configure(HashedCache, bits=bits)
    assert family.size > bits
    found = accepted(pigeonhole(factory, family, seed=bits))
    assert 2 <= found.evaluations <= 2**bits + 1
    assert found.certificate["cache"]["seed"] == bits
    assert found.certificate["cache"]["state_bits"] == bits


@pytest.mark.parametrize("bits", [0, 4, 9, 12])
def test_birthday_finds_what_it_claims(bits: int) -> None:
    family, factory = smallest_family(bits + 20), configure(HashedCache, bits=bits)
    found = accepted(birthday(factory, family, limit=2**bits + 1))
    x, y = (tuple(map(int, text)) for text in found.certificate["instances"])
    assert x != y
    assert message(factory, family, x) == message(factory, family, y)


def test_birthday_takes_about_the_square_root() -> None:
    family, factory = BinaryValues(make_book("binary-keys", 20), 1, order=1), None
    evaluations = []
    for search_seed in range(12):
        factory = configure(HashedCache, bits=10)
        found = birthday(factory, family, search_seed=search_seed, limit=2**10 + 1)
        evaluations.append(accepted(found).evaluations)
    mean = sum(evaluations) / len(evaluations)
    assert 0.6 * 40 < mean < 1.6 * 40  # 1.25·2^5 = 40; twelve runs stray by 15% each


@given(families(most_bits=8))
def test_certificates_of_every_family_are_accepted(family: BinaryValues) -> None:
    factory = configure(HashedCache, bits=0)
    accepted(pigeonhole(factory, family))
    accepted(birthday(factory, family, limit=200))


def test_exact_and_floor_caches_do_not_collide() -> None:
    family = BinaryValues(make_book("binary-keys", 3), 2)
    assert pigeonhole(ExactCache, family) is None
    assert pigeonhole(configure(FloorCache, family=family), family) is None
    assert birthday(ExactCache, family, limit=50) is None


def test_limit_is_kept() -> None:
    family, factory = BinaryValues(make_book("binary-keys", 4), 4), configure(HashedCache, bits=0)
    assert birthday(factory, family, limit=0) is None
    assert birthday(factory, family, limit=1) is None
    assert accepted(birthday(factory, family, limit=2)).evaluations == 2
    with pytest.raises(InputError, match="limit: expected a whole number >= 0, got -1"):
        birthday(factory, family, limit=-1)


@given(st.integers(1, 80), st.integers(0, 100))
def test_random_inputs_are_inputs_and_repeatable(size: int, seed: int) -> None:
    first = list(islice(random_inputs(size, seed), 20))
    assert first == list(islice(random_inputs(size, seed), 20))
    assert {len(x) for x in first} == {size}
    assert {b for x in first for b in x} <= {0, 1}


def test_random_inputs_are_uniform() -> None:
    counts = Counter(islice(random_inputs(3, 1), 8000))
    assert len(counts) == 8
    assert all(850 < count < 1150 for count in counts.values())  # five deviations of 30
