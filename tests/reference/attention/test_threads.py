"""Many queries are cut into tasks that run on threads; nothing that comes out depends on them."""

from __future__ import annotations

from time import sleep
from typing import Any

import numpy as np
import pytest

from kvfloor import InputError, Window
from kvfloor.attention import Layers, settling, tensor_attention_rounded

FEW = 3  # queries of a task, here


@pytest.fixture(autouse=True)
def small_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "_LEAST", FEW)
    monkeypatch.setattr(settling, "_MOST", FEW)


def attention(order: int, threads: int, **given: Any) -> tuple[Any, Any, Layers, list[int]]:
    """Two heads of eight queries, of which some see nothing, on threads."""
    rng = np.random.default_rng(order)
    query = rng.standard_normal((2, 8, 4))
    keys, values = ([rng.standard_normal((1, 6, 4)) for _ in range(order)] for _ in range(2))
    values[0][0, :, 1] = 1  # outputs of one, which rounding up leaves to E1
    layers, settled = Layers(), list[int]()
    for r in range(1, order):
        values[r][0, :, 1] = 1
    found = tensor_attention_rounded(
        *(query, keys, values),
        dtype="float32",
        empty="zero",
        return_logsumexp=True,
        layers=layers,
        progress=lambda done, total: settled.append(total - done),
        threads=threads,
        **given,
    )
    return found.output, found.logsumexp, layers, settled


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(
    "mask", [None, "causal", Window(left=2, right=0), np.arange(96).reshape(2, 8, 6) % 5 > 0]
)
def test_results_and_counts_do_not_depend_on_threads(order: int, mask: Any) -> None:
    if order == 2 and isinstance(mask, np.ndarray):
        mask = mask[..., None] & mask[..., None, :]
    bias = np.linspace(-1, 1, 8).reshape(8, *[1] * order)
    given = {"mask": mask, "bias": bias, "rounding": "up"}
    alone = attention(order, 1, **given)
    assert alone[2].exact > 0
    for threads in (2, 5):
        output, logsumexp, layers, settled = attention(order, threads, **given)
        np.testing.assert_array_equal(output, alone[0])
        np.testing.assert_array_equal(logsumexp, alone[1])
        assert layers == alone[2]
        assert settled[-1] == 0
        assert settled == sorted(settled, reverse=True)


def test_tasks_give_what_one_task_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    bias = np.linspace(-1, 1, 8).reshape(8, 1)
    given = {"mask": "causal", "sink": np.array([0.5, -1.0]), "bias": bias}
    in_parts = attention(1, 2, **given)
    monkeypatch.setattr(settling, "_LEAST", 128)
    monkeypatch.setattr(settling, "_MOST", 128)
    whole = attention(1, 2, **given)
    np.testing.assert_array_equal(in_parts[0], whole[0])
    np.testing.assert_array_equal(in_parts[1], whole[1])


@pytest.mark.parametrize("threads", [1, 2])
def test_what_is_raised_between_tasks_ends_the_others(
    threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, begun, original = list[int](), list[Any](), settling._settled

    def settled(task: Any, report: Any) -> Layers:
        begun.append(task)
        sleep(0.01)
        return original(task, report)

    def progress(done: int, total: int) -> None:
        calls.append(done)
        raise KeyboardInterrupt

    monkeypatch.setattr(settling, "_settled", settled)
    ones = np.ones((30, 2))
    with pytest.raises(KeyboardInterrupt):
        tensor_attention_rounded(
            ones, [np.eye(2)], [np.eye(2)], dtype="float32", progress=progress, threads=threads
        )
    assert len(calls) == 1
    assert len(begun) < 10


@pytest.mark.parametrize("threads", [0, -1, 1.5, "2", True])
def test_a_wrong_number_of_threads_is_refused(threads: Any) -> None:
    with pytest.raises(InputError, match="threads"):
        tensor_attention_rounded(
            np.ones(2), [np.eye(2)], [np.eye(2)], dtype="float32", threads=threads
        )
