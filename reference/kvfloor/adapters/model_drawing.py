"""A drawing of dots stored in a cache inside a model, and read back by decoding steps."""

from __future__ import annotations

from contextlib import ExitStack
from fractions import Fraction
from typing import Any

import numpy as np

from kvfloor.adapters.compressors import Compressor
from kvfloor.adapters.model_audit import CACHE, DEFAULT_SECONDS, answered, options_of, taken
from kvfloor.adapters.model_instance import ModelInstance, Sizes, revealed
from kvfloor.audit import Drawing, dots
from kvfloor.floors import Guarantee
from kvfloor.isolation import writer_and_reader
from kvfloor.numbers import as_count

__all__ = ["drawing_in_model"]


def drawing_in_model(
    compressor: Compressor,
    *,
    n: int,
    d: int,
    layers: int = 2,
    heads: int = 2,
    query_heads: int | None = None,
    window: int | None = None,
    latent: bool = False,
    largest: float = 1.0,
    eta: Any = 0,
    alpha: Any = Fraction(1, 8),
    prefill: int | None = None,
    attention: str = "sdpa",
    seconds: float = DEFAULT_SECONDS,
    seed: int = 0,
) -> Drawing:
    """Store a drawing as signs of the values of one head, beside random ones, and read it back.

    It is that of the first layer and key-value head, of n × d dots, or as many columns as tokens
    that the window shows. Another process answers, from the cache alone.

    Parameters
    ----------
    compressor, n, d, layers, heads, query_heads, window, latent, largest, eta, alpha
        As for `audit_in_model`.
    prefill, attention, seconds, seed
        Likewise.

    Raises
    ------
    InputError
        As `audit_in_model`.
    Misbehaviour
        Of `kvfloor.isolation`: if the compressor cannot be run.
    """
    sizes = Sizes(n, d, layers, heads, query_heads or heads, window, latent, float(largest))
    instance = ModelInstance(sizes, Guarantee(eta, alpha), as_count(seed, "seed"))
    visible = instance.family.n
    instance.rows(0, 0)[:] = (2 * np.array(dots(visible, d)) - 1) * np.abs(instance.rows(0, 0))
    addresses = instance.questions(visible)
    queries = instance.queries(addresses)
    options = options_of(instance, compressor, prefill, attention, seed)
    limit = seconds * (1 + len(queries))
    with ExitStack() as processes:
        writer, reader = writer_and_reader(CACHE, seconds=seconds, processes=processes)
        tokens = instance.keys, instance.given_values, instance.own_queries
        told = writer.call(taken, options, *tokens, [], seconds=limit)
        state = bytes.fromhex(told["state"])
        answers = np.array(reader.call(answered, options, state, n, queries, seconds=limit))
    found = np.zeros((visible, d), dtype=np.int64)
    for head in range(sizes.group):
        found[addresses[:, 0, head]] = revealed(answers[:, 0, head])
    return Drawing(tuple(map(tuple, found.tolist())), told["held"]["bits"])
