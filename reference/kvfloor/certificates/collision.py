"""Collisions (T5): a cache ends in one state on two instances, and one query tells them apart."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from kvfloor.caches import State, fits
from kvfloor.certificates.families import (
    checked_bits,
    checked_family,
    checked_query,
    output,
    public_part,
    query_part,
    rebuild_family,
)
from kvfloor.certificates.replay import TWICE, compare_cache
from kvfloor.certificates.text import Document, InvalidError, compare, sealed
from kvfloor.families import BinaryValues, Bits
from kvfloor.floors import Guarantee
from kvfloor.isolation import Factory, Isolated, Misbehaviour, Shape

__all__ = ["UNCHECKED", "check_collision", "collision_certificate", "replay_collision"]

UNCHECKED = "that both instances lead to the state (replay them on the cache to check)"


def collision_certificate(
    family: BinaryValues, x: Bits, y: Bits, *, cache: Mapping[str, Any], seed: int, state: State
) -> Document:
    """Return the certificate that instances x and y share a state.

    The query is for the first symbol in which they differ.

    Parameters
    ----------
    family : BinaryValues
    x, y : tuple of N bits
        Different.
    cache : mapping
        As `describe` gives it.
    seed : int
        The public coins of the cache.
    state : State
        The common state.

    Raises
    ------
    InputError
        If the checker could not build the family's book from its name.
    """
    head = public_part(family)
    symbol = next(k for k in range(family.size) if x[k] != y[k])
    address, column = family.locate(symbol)
    return sealed(
        "collision",
        head
        | {
            "cache": {
                **cache,
                "seed": seed,
                "state": state.data.hex(),
                "state_bits": state.bits,
            },
            "instances": ["".join(map(str, bits)) for bits in (x, y)],
            "query": query_part(family, address, column),
            "outputs": [output(family, bits, address, column) for bits in (x, y)],
        },
    )


def check_collision(document: Document) -> None:
    """Recompute all that a collision claims; `InvalidError` if any of it is false."""
    family = checked_family(document)
    instances = [
        checked_bits(family, text, f"instances[{k}]")
        for k, text in enumerate(document["instances"])
    ]
    address, column = checked_query(family, document)
    for k, bits in enumerate(instances):
        truth = output(family, bits, address, column)
        compare(f"outputs[{k}]", document["outputs"][k], truth)
    if not _separated(family.guarantee, *document["outputs"]):
        raise InvalidError("outputs: one answer is accurate for both instances")
    cache = document["cache"]
    if not fits(bytes.fromhex(cache["state"]), cache["state_bits"]):
        raise InvalidError("cache.state: does not fit state_bits")


def _separated(guarantee: Guarantee, *outputs: Document) -> bool:
    """Whether no number is an accurate answer to both of two outputs, given their bounds."""
    (_, top), (bottom, _) = sorted((Fraction(o["lower"]), Fraction(o["upper"])) for o in outputs)
    most = top + guarantee.eta * abs(top) + guarantee.alpha
    least = bottom - guarantee.eta * abs(bottom) - guarantee.alpha
    return most < least


def replay_collision(document: Document, factory: Factory) -> None:
    """Run the cache on both instances, twice, in a process of its own.

    Raises
    ------
    InvalidError
        Unless both end in the state of the certificate each time.
    """
    family, cache = rebuild_family(document), document["cache"]
    shape = Shape(family.order, family.book.d, family.d_v)
    try:
        with Isolated(factory) as process:
            compare_cache(document, process)
            for k, text in [*enumerate(document["instances"])] * TWICE:
                tokens = family.encode([int(b) for b in text])
                state = process.state(tokens, shape, cache["seed"])
                compare(f"replay of instances[{k}]: state", state.data.hex(), cache["state"])
                compare(f"replay of instances[{k}]: state_bits", state.bits, cache["state_bits"])
    except Misbehaviour as error:
        raise InvalidError(f"replay: {error}") from None
