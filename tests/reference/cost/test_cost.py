"""Counted arithmetic, the three evaluations on it and on floats, and their closed forms (T3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvfloor import ExactAttention, InputError, cost
from strategies import matrices


def arrays(*shapes: tuple[int, ...]) -> list[Any]:
    rng = np.random.default_rng(0)
    return [rng.integers(-2, 3, shape) for shape in shapes]


def test_every_operation_is_counted_by_name() -> None:
    counts = cost.Counts()
    x, y = cost.counted([2, 3], counts)
    assert (x * y).value == 6
    assert (x + y).value == 5
    assert (x / y).value.overlaps((y / x).value ** -1)
    assert (x * x * x).exp().value.overlaps(x.value.exp() ** 4)
    assert asdict(counts) == {
        "multiplications": 3,
        "additions": 1,
        "divisions": 2,
        "exponentials": 1,
        "written": 0,
        "read": 0,
    }


@pytest.mark.parametrize(
    "operation", [lambda x: x - x, lambda x: x < 1, lambda x: -x, lambda x: x**2, lambda x: x + 1]
)
def test_no_operation_goes_uncounted(operation: Callable[[Any], Any]) -> None:
    (x,) = cost.counted([2], cost.Counts())
    with pytest.raises((TypeError, AttributeError)):
        operation(x)


def test_what_is_counted_must_be_numbers() -> None:
    with pytest.raises(InputError) as caught:
        cost.counted([[1, 2], [3, float("inf")]], cost.Counts())
    assert caught.value.argument == "numbers[1, 1]"


def test_memory_counts_what_goes_in_and_out() -> None:
    counts = cost.Counts()
    memory = cost.Memory(counts)
    memory.write("A", np.ones((2, 3)))
    memory.write("A", np.zeros((1, 3)))
    memory.write("B", np.ones((1, 2)))
    assert (counts.written, counts.read, memory.words) == (11, 0, 11)
    assert memory.read("A").tolist() == [[1] * 3, [1] * 3, [0] * 3]
    memory.read("B")
    assert (counts.written, counts.read, memory.words) == (11, 11, 11)


@pytest.mark.parametrize(
    ("act", "argument", "got"),
    [
        (lambda m: m.write("A", np.ones((1, 2))), "A", "shape (1, 2)"),
        (lambda m: m.write("B", np.ones(3)), "B", "shape (3,)"),
        (lambda m: m.read("C"), "name", "C"),
    ],
)
def test_memory_refuses_by_name(act: Any, argument: str, got: str) -> None:
    memory = cost.Memory(cost.Counts())
    memory.write("A", np.ones((1, 3)))
    with pytest.raises(InputError) as caught:
        act(memory)
    assert (caught.value.argument, caught.value.got) == (argument, got)


@pytest.mark.parametrize("m", [2, 3])
@pytest.mark.parametrize(("n", "d", "d_v"), [(1, 1, 1), (2, 3, 1), (3, 2, 4)])
def test_counts_of_a_query_are_the_closed_forms(m: int, n: int, d: int, d_v: int) -> None:
    (q, *slots) = arrays((d,), *[(n, d)] * m, *[(n, d_v)] * m)
    for evaluate, closed_form in (
        (cost.attend_formed, cost.query_formed),
        (cost.attend_factored, cost.query_factored),
    ):
        counts = cost.Counts()
        query, *rows = (cost.counted(A, counts) for A in (q, *slots))
        evaluate(query, rows[:m], rows[m:])
        assert counts == cost.Counts(**asdict(closed_form(n, d, d_v, m)) | {"read": 0})
    counts = cost.Counts()
    query, K, V = (cost.counted(A, counts) for A in arrays((d,), (n**m, d), (n**m, d_v)))
    cost.attend_products(query, K, V)
    assert counts == cost.Counts(**asdict(cost.query_two(n, d, d_v, m)) | {"read": 0})


@given(st.data())
def test_answers_are_those_of_exact_attention(data: st.DataObject) -> None:
    d, d_v, m = (data.draw(st.integers(1, 3)) for _ in range(3))
    lengths = [data.draw(st.integers(1, 3)) for _ in range(m)]
    keys, values = ([data.draw(matrices(n, k)) for n in lengths] for k in (d, d_v))
    (q,) = data.draw(matrices(1, d))
    truth = ExactAttention(keys, values)(q).enclose()
    counts = cost.Counts()
    query = cost.counted(q, counts)
    slots = [[cost.counted(A, counts) for A in factors] for factors in (keys, values)]
    for evaluate in (cost.attend_formed, *[cost.attend_factored] * (m > 1)):
        answer = evaluate(query, *slots)
        assert answer.shape == (d_v,)
        assert all(a.value.overlaps(o) for a, o in zip(answer, truth, strict=True))


@pytest.mark.parametrize("evaluate", [cost.attend_formed, cost.attend_factored])
def test_the_same_code_runs_on_floats(evaluate: Any) -> None:
    """With query 0 the output is the mean over tuples, here without rounding."""
    K1, K2, V1, V2 = (A.astype(float) for A in arrays((4, 3), (2, 3), (4, 5), (2, 5)))
    answer = evaluate(np.zeros(3), [K1, K2], [V1, V2])
    assert answer.dtype == np.float64
    assert answer.tolist() == (V1.mean(axis=0) * V2.mean(axis=0)).tolist()


def decoders(counts: cost.Counts) -> list[tuple[Any, Any, Any, Any]]:
    memories = [cost.Memory(counts) for _ in range(3)]
    fours = cost.four_cache_words
    return [
        (cost.TwoCache(memories[0]), cost.append_two, cost.query_two, cost.two_cache_words),
        (cost.FourCache(memories[1]), cost.append_four, cost.query_factored, fours),
        (
            cost.FourCache(memories[2], cost.attend_formed),
            cost.append_four,
            cost.query_formed,
            fours,
        ),
    ]


@pytest.mark.parametrize("which", range(3))
def test_counts_of_decoding_are_the_closed_forms(which: int) -> None:
    d, d_v, counts = 3, 2, cost.Counts()
    cache, append, ask, words = decoders(counts)[which]
    plain = arrays((4, 2, d), (4, 2, d_v), (d,))
    keys, values, query = (cost.counted(A, counts) for A in plain)
    expected = dict.fromkeys(asdict(counts), 0)
    for n in range(1, 5):
        cache.append(keys[n - 1], values[n - 1])
        answer = cache.query(query)
        for spent in (append(n, d, d_v), ask(n, d, d_v)):
            expected = {name: k + expected[name] for name, k in asdict(spent).items()}
        assert asdict(counts) == expected
        assert cache.memory.words == words(n, d, d_v)
        slots = [[A[:n, r] for r in (0, 1)] for A in plain[:2]]
        truth = ExactAttention(*slots)(plain[2])
        pairs = zip(answer, truth.enclose(), strict=True)
        assert all(a.value.overlaps(o) for a, o in pairs)


def test_products_alone_do_not_determine_the_next_products() -> None:
    """Two streams with one two-cache, and after one more token two."""
    caches = [cost.TwoCache(cost.Memory(cost.Counts())) for _ in range(2)]
    one = np.ones(1)
    for cache, z in zip(caches, (1.0, 2.0), strict=True):
        cache.append([one * z, one / z], [one * z, one / z])
    kept = [[cache.memory.read(name).tolist() for name in "KV"] for cache in caches]
    assert kept[0] == kept[1]
    for cache in caches:
        cache.append([one, one], [one, one])
    later = [[cache.memory.read(name).tolist() for name in "KV"] for cache in caches]
    assert later[0] != later[1]


@pytest.mark.parametrize("n", [1, 2, 10])
def test_a_factored_step_is_never_dearer(n: int) -> None:
    factored = cost.query_factored(n, 3, 5).multiplications
    two = cost.query_two(n, 3, 5).multiplications + cost.append_two(n, 3, 5).multiplications
    assert two - factored == (n - 1) * 8
    formed = cost.query_formed(n, 3, 5).multiplications
    assert formed - cost.query_two(n, 3, 5).multiplications == n * n * 8


GOOD: dict[str, Any] = {
    "query": np.ones(2),
    "keys": [np.ones((3, 2)), np.ones((4, 2))],
    "values": [np.ones((3, 5)), np.ones((4, 5))],
}


@pytest.mark.parametrize(
    ("changed", "argument"),
    [
        ({"query": np.ones((1, 2))}, "query"),
        ({"query": np.ones(1)}, "keys[0]"),
        ({"keys": [np.ones((3, 2))], "values": [np.ones((3, 5))]}, "keys"),
        ({"values": [np.ones((3, 5))]}, "values"),
        ({"keys": [np.ones((3, 2)), np.ones((4, 1))]}, "keys[1]"),
        ({"keys": [np.ones((3, 2)), np.ones(2)]}, "keys[1]"),
        ({"values": [np.ones((3, 5)), np.ones((1, 5))]}, "values[1]"),
        ({"values": [np.ones((3, 5)), np.ones((4, 1))]}, "values[1]"),
        ({"values": [np.ones((3, 5)), np.ones(4)]}, "values[1]"),
    ],
)
def test_shapes_that_do_not_fit_are_refused_by_name(changed: Any, argument: str) -> None:
    assert cost.attend_factored(**GOOD).shape == (5,)
    with pytest.raises(InputError) as caught:
        cost.attend_factored(**GOOD | changed)
    assert caught.value.argument == argument
