"""The floor that given keys and queries force (H4 `given-keys`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import prod
from typing import Any

from kvfloor.attention import INVERSE_SQRT_D, TokenWeights
from kvfloor.certificates import (
    MOST_FLOOR_WORK,
    RULES,
    Document,
    floor_certificate,
    floor_work,
    given_weights,
)
from kvfloor.errors import InputError
from kvfloor.families import GivenValues, told_levels
from kvfloor.floors import MOST_LEVELS, Guarantee
from kvfloor.numbers import as_count, as_fraction, shown
from kvfloor.traces.search import Choice, chosen

__all__ = ["GivenFloor", "floor_of"]

MOST_WEIGHTS = 2**25  # for the search to keep them in some hundred megabytes


@dataclass(frozen=True)
class GivenFloor:
    """Bits that every cache needs which serves these keys and queries, whatever the values.

    Attributes
    ----------
    claim : str
        The slug of the claim.
    bits : int
        What every such cache needs, if all its states have as many.
    tokens : tuple of k ints
        Whose values hold symbols, in the order of reading.
    queries : tuple of k ints
        Which query reads each of them.
    levels : tuple of k ints
        Of each entry of their values.
    rule : "successive" or "at once"
    certificate : dict or None
        What `kvfloor.check` accepts; None without tokens.
    """

    claim: str
    bits: int
    tokens: tuple[int, ...]
    queries: tuple[int, ...]
    levels: tuple[int, ...]
    rule: str
    certificate: Document | None = field(repr=False, compare=False)


def floor_of(
    keys: Any,
    queries: Any,
    *,
    alpha: Any,
    eta: Any = 0,
    delta: Any = 0,
    scale: Any = INVERSE_SQRT_D,
    mask: Any = None,
    d_v: int | None = None,
    slot: int = 0,
    rule: str | None = None,
    levels: int = MOST_LEVELS,
) -> GivenFloor:
    """Return a floor that given keys and queries force: values that need so many bits.

    Parameters
    ----------
    keys : sequence of m arrays
        ``keys[r]`` has shape (n_r, d); numbers that float64 holds.
    queries : array, shape (..., d)
        Likewise.
    alpha, eta : number
        The guarantee, for values in [0, 1], η + 2α < 1.
    delta : number
        How often an answer may fail it, ``0 <= δ <= 1/2``.
    scale, mask
        As for `tensor_attention_rounded`; by default 1/√d, as keys and queries are a model's.
    d_v : int, optional
        Entries of a value; by default d.
    slot : int
        Whose values hold symbols; those of the other slots are ones.
    rule : "successive" or "at once", optional
        Whether symbols that have been read are taken for known, which is never worse, and asks
        for a cache that never fails. By default "successive" for δ = 0, else "at once".
    levels : int
        The most levels of an entry, from 2 to 2^16. For α = 0 nothing else puts an end to them.

    Returns
    -------
    GivenFloor
        Of zero bits, without tokens, if nothing was found.

    Raises
    ------
    InputError
        If a number is out of range, or keys or queries are no finite numbers that fit together.

    Notes
    -----
    H4 `given-keys`. The search is greedy; what it finds is proved in balls, and its certificate
    checked by `kvfloor.check`. Cost: for each query that reads a token, attention to all tuples
    in balls.
    """
    guarantee, error = Guarantee(eta, alpha).separates_bits(), as_fraction(delta, "delta")
    if not 0 <= 2 * error <= 1:
        raise InputError("delta", "a number with 0 <= delta <= 1/2", shown(error))
    successive = _successive(rule, error)
    weights = TokenWeights(queries, keys, slot=slot, scale=scale, mask=mask)
    entries = as_count(weights.queries.shape[1] if d_v is None else d_v, "d_v", 1)
    most = as_count(levels, "levels", 2)
    if most > MOST_LEVELS:
        raise InputError("levels", f"a whole number up to {MOST_LEVELS}", str(most))
    lengths, (b, d) = tuple(map(len, weights.keys)), weights.queries.shape
    if (size := prod(lengths) * b) > MOST_WEIGHTS:
        expected = f"at most {MOST_WEIGHTS} weights of tuples"
        slots = f", as the keys are {len(lengths)} slots, not heads" if len(lengths) > 1 else ""
        raise InputError("queries", expected, f"{size}{slots}")
    choice = chosen(weights.plain(), guarantee, successive=successive, most=most)
    work = floor_work(lengths, len(set(choice.queries)), d, len(choice.tokens))
    if work > MOST_FLOOR_WORK:
        raise InputError("keys", f"work of at most {MOST_FLOOR_WORK} products", str(work))
    kept, family = _proved(weights, choice, guarantee, successive=successive, most=most)
    tokens, readers = (tuple(part[j] for j in kept) for part in (choice.tokens, choice.queries))
    return GivenFloor(
        "given-keys",
        family.bits(entries, error),
        tokens,
        readers,
        tuple(family.levels),
        RULES[0] if successive else RULES[1],
        floor_certificate(weights, tokens, readers, family, d_v=entries, delta=error)
        if kept
        else None,
    )


def _successive(rule: str | None, error: Fraction) -> bool:
    if rule is None:
        return error == 0
    if rule not in RULES:
        raise InputError.among("rule", RULES, shown(rule))
    if error and rule == RULES[0]:
        raise InputError("rule", f"{RULES[1]!r} for delta > 0", shown(rule))
    return rule == RULES[0]


def _proved(
    weights: TokenWeights, choice: Choice, guarantee: Guarantee, *, successive: bool, most: int
) -> tuple[list[int], GivenValues]:
    """The places of a choice of which two levels are proved, and as many levels as are."""
    rows = given_weights(weights, choice.tokens, choice.queries)
    kept = list(range(len(choice.tokens)))
    while True:
        balls = [[rows[j][i] for i in kept] for j in kept]
        levels = [
            told_levels(row, j, guarantee, successive=successive, at_most=most)
            for j, row in enumerate(balls)
        ]
        if all(L >= 2 for L in levels):
            return kept, GivenValues(balls, guarantee, levels, successive)
        # Without a token the others have more room.
        kept = [j for j, L in zip(kept, levels, strict=True) if L >= 2]
