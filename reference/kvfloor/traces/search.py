"""Which tokens to read by which queries, and in which order: a greedy search in plain floats.

Nothing here is proved; what is found is certified in balls afterwards.

Tokens are added before those that are chosen already, so that reading ends with the first one
added. A token that is added takes room from every query that is to read another one: from those
that read a token which is chosen, and from those that may still read one which is not. So the next
token is one that gains the most, less some share of what it takes; or one that takes the least.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kvfloor.floors import Guarantee

__all__ = ["Choice", "chosen"]

Array = npt.NDArray[np.float64]
# What the bits count that a token gains, and those that it takes from queries that read nothing.
STRATEGIES = ((1.0, 0.0), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0))
LEAST = 2.0**-40  # below it an excess is not worth counting: floats do not resolve it


@dataclass(frozen=True)
class Choice:
    """What is read: the j-th token by the j-th query, in the order of reading.

    Attributes
    ----------
    tokens, queries : tuples of k ints
    bits : float
        log₂ of the number of levels of all tokens together, as far as floats know.
    """

    tokens: tuple[int, ...]
    queries: tuple[int, ...]
    bits: float


def chosen(weights: Array, guarantee: Guarantee, *, successive: bool, most: int) -> Choice:
    """Return the best of some greedy choices.

    Parameters
    ----------
    weights : ndarray, shape (b, n)
        What each token weighs for each query.
    guarantee : Guarantee
    successive : bool
        Whether symbols that have been read are taken for known.
    most : int
        Levels of a token at most.
    """
    search = _Search(weights, guarantee, successive, most)
    found = (search.run(*strategy) for strategy in STRATEGIES)
    return max(found, key=lambda choice: choice.bits)


class _Search:
    """Room and levels of all queries and tokens, kept up to date as tokens are added."""

    def __init__(self, weights: Array, guarantee: Guarantee, successive: bool, most: int) -> None:
        self._all, self._most = weights, most
        self._eta = float(guarantee.eta)
        # What a token adds to the excess of a query that reads a later token, or an earlier one.
        self._later = 1 + self._eta
        self._earlier = 2 * self._eta if successive else 1 + self._eta
        self._start = max(2 * float(guarantee.alpha), LEAST)

    def run(self, gain: float, share: float) -> Choice:
        """Add tokens as long as that adds bits."""
        weights, names = self._all, np.arange(self._all.shape[1])
        excess = np.full(len(weights), self._start)  # of a query that is to read the next token
        idle = np.ones(len(weights), dtype=bool)
        tokens: list[int] = []
        queries: list[int] = []
        own, over = np.empty(0), np.empty(0)  # weight and excess of the tokens that are chosen
        while True:
            with np.errstate(divide="ignore"):
                ratios = weights / excess[:, None]
                readers = ratios.argmax(axis=0)
                best = ratios[readers, np.arange(ratios.shape[1])]
                active = self._levels(best, np.ones_like(best)) >= 2
                if not active.any():
                    break
                weights, names, readers = weights[:, active], names[active], readers[active]
                gains = np.log2(best[active])
            open_to_more = idle & (weights.max(axis=1) > excess)
            taken = share * self._taken(weights[open_to_more], excess[open_to_more], self._later)
            if self._earlier and queries:
                taken += self._taken(self._all[queries][:, names], over, self._earlier)
            at = int((gain * gains - taken).argmax())
            token, query = int(names[at]), int(readers[at])
            grown = over + self._earlier * self._all[queries, token]
            new_own = np.append(own, self._all[query, token])
            new_over = np.append(grown, excess[query])
            if self._total(new_own, new_over) > self._total(own, over):
                own, over = new_own, new_over
                tokens.append(token)
                queries.append(query)
                idle[query] = False
                excess = excess + self._later * self._all[:, token]
            weights, names = np.delete(weights, at, axis=1), np.delete(names, at)
        return Choice(tuple(tokens[::-1]), tuple(queries[::-1]), self._total(own, over))

    @staticmethod
    def _taken(weights: Array, excess: Array, factor: float) -> Array:
        """Bits that each token takes from some queries, one for each row."""
        taken: Array = np.log2(1 + factor * weights / excess[:, None]).sum(axis=0)
        return taken

    def _levels(self, own: Array, excess: Array) -> Array:
        """Levels that tokens of some weights have, with what is over their queries' room."""
        steps = own / excess
        if self._eta:
            steps = np.log1p(2 * self._eta * steps) / np.log((1 + self._eta) / (1 - self._eta))
        return np.clip(np.ceil(steps), 1, self._most)

    def _total(self, own: Array, excess: Array) -> float:
        return float(np.log2(self._levels(own, excess)).sum())
