"""A model that carries any instance: exact but for roundings, within a derived bound."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import sqrt
from typing import Any

import numpy as np
import pytest

from kvfloor import InputError, tensor_attention_rounded
from kvfloor.adapters import CarryingModel, ModelShape, carrying_error

NORMS: dict[str, Any] = {"key_norm": 3.0, "value_norm": 2.0, "query_norm": 4.0}
UNIT = 2.0**-24


def drawn(shape: tuple[int, int, int, int], norm: float, seed: int) -> Any:
    """Vectors of Gaussian entries, the longest as long as the norm."""
    rows = np.random.default_rng(seed).standard_normal(shape)
    return rows * (norm * (1 - 1e-12) / np.sqrt((rows**2).sum(-1)).max())


def first_order(shape: ModelShape, n: int) -> float:
    """The bound of `carrying_error` to first order in u, written down once more."""
    S, u = shape.key_norm * shape.query_norm, UNIT
    rho = 4 * u + (shape.hidden + 2 + 3) * u / 2
    moved = 3 * u + rho
    drift = S * 2 * (moved + sqrt(2) * 2 * u) + S * (shape.d + 5 + 2) * u + (n + 1) * 40 * u
    weighted = 2 * drift + 2 * n * u + (1 + n + 1 + n) * u
    return (weighted + moved + rho + u) * shape.largest_value


@pytest.mark.parametrize("n", [3, 200])
@pytest.mark.parametrize("d", [8, 64])
@pytest.mark.parametrize("key_norm", [3.0, 1e-4])  # of logits that matter, and that do not
def test_the_bound_is_what_its_derivation_says(n: int, d: int, key_norm: float) -> None:
    shape = ModelShape(2, 2, 4, d, **NORMS | {"key_norm": key_norm}, largest_value=2)
    estimate, bound = first_order(shape, n), carrying_error(shape, n)
    assert estimate <= bound <= estimate * (1 + 2 * estimate)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize(
    ("layers", "heads", "query_heads", "d", "n", "window"),
    [(2, 2, 4, 16, 40, None), (3, 1, 3, 8, 100, None), (1, 2, 2, 8, 30, 12)],
)
def test_a_plain_cache_answers_within_the_bound(
    attention: str, layers: int, heads: int, query_heads: int, d: int, n: int, window: int | None
) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    keys = drawn((n, layers, heads, d), NORMS["key_norm"], 1)
    values = drawn((n, layers, heads, d), NORMS["value_norm"], 2)
    queries = drawn((n + 1, layers, query_heads, d), NORMS["query_norm"], 3)
    shape = ModelShape(
        layers, heads, query_heads, d, window, **NORMS, largest_value=float(np.abs(values).max())
    )
    carrying = CarryingModel(shape, attention)
    model, nothing = carrying.model, np.zeros((1, layers, heads, d))
    cache = transformers.DynamicCache(config=model.config)
    with torch.no_grad():
        tokens = carrying.hidden(keys, values, queries[:n], np.arange(n))
        model.model(inputs_embeds=tokens, past_key_values=cache)
        seen = n if window is None else window - 1
        for layer, own in enumerate(cache.layers):
            for found, true, norm in ((own.keys, keys, 3.0), (own.values, values, 2.0)):
                expected = true[n - seen :, layer].swapaxes(0, 1)
                most = norm * shape.hidden * UNIT
                assert np.abs(found[0].numpy() - expected).max() <= most
        query = carrying.hidden(nothing, nothing, queries[n:], np.array([n]))
        place = torch.tensor([[n]])
        logits = model(inputs_embeds=query, past_key_values=cache, position_ids=place).logits
    answers = logits[0, -1].numpy().reshape(layers, query_heads, d)
    bound, worst = carrying_error(shape, n), 0.0
    for layer in range(layers):
        for head in range(query_heads):
            own = head * heads // query_heads
            rows = [np.vstack([x[n - seen :, layer, own], np.zeros(d)]) for x in (keys, values)]
            truth = tensor_attention_rounded(
                queries[n, layer, head], rows[:1], rows[1:], dtype="float64"
            )
            worst = max(worst, float(np.abs(answers[layer, head] - truth).max()))
    assert 0 < worst <= bound < Fraction(1, 50)


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: ModelShape(1, 1, 1, 3, **NORMS), "d"),
        (lambda: ModelShape(1, 2, 3, 4, **NORMS), "query_heads"),
        (lambda: ModelShape(0, 2, 2, 4, **NORMS), "layers"),
        (lambda: ModelShape(1, 2, 2, 4, 1, **NORMS), "window"),
        (lambda: ModelShape(1, 2, 2, 4, **NORMS | {"key_norm": 0}), "key_norm"),
        (lambda: CarryingModel(ModelShape(1, 1, 1, 4, **NORMS), "flash"), "attention"),
    ],
)
def test_refused_by_name(call: Callable[[], object], argument: str) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.argument == argument


@pytest.mark.parametrize(
    ("argument", "change"),
    [
        ("keys", lambda x: x * 10),
        ("values", lambda x: x[:, :, :1]),
        ("queries", lambda x: x * np.nan),
    ],
)
def test_vectors_that_it_was_not_made_for_are_refused(
    argument: str, change: Callable[[Any], Any]
) -> None:
    pytest.importorskip("transformers")
    norms = {"keys": 3.0, "values": 2.0, "queries": 4.0}
    vectors = {name: drawn((3, 1, 2, 4), norm, 1) for name, norm in norms.items()}
    vectors[argument] = change(vectors[argument])
    with pytest.raises(InputError) as caught:
        CarryingModel(ModelShape(1, 2, 2, 4, **NORMS)).hidden(**vectors, positions=np.arange(3))
    assert caught.value.argument == argument
