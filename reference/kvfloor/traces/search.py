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
Places = npt.NDArray[np.intp]
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
    found = (
        _Search(weights, guarantee, successive, most).run(*strategy) for strategy in STRATEGIES
    )
    return max(found, key=lambda choice: choice.bits)


class _Search:
    """One greedy search.

    The excess of a query is what a token's weight is compared with: 2α, and what other tokens add
    that hold symbols (`given_alpha`, times twice the weight).
    """

    def __init__(self, weights: Array, guarantee: Guarantee, successive: bool, most: int) -> None:
        self._all, self._most, self._eta = weights, most, float(guarantee.eta)
        # What a token adds to the excess of a query that reads before it, and after it.
        self._later = 1 + self._eta
        self._earlier = 2 * self._eta if successive else 1 + self._eta
        # Of each query, if it reads the next token that is added.
        self._excess = np.full(len(weights), max(2 * float(guarantee.alpha), LEAST))
        self._idle = np.ones(len(weights), dtype=bool)
        self._tokens: list[int] = []
        self._queries: list[int] = []
        # Weight and excess of each token that has been added.
        self._own, self._over = np.empty(0), np.empty(0)

    def run(self, gain: float, share: float) -> Choice:
        """Add tokens as long as that adds bits."""
        left = np.arange(self._all.shape[1])  # tokens that may be added
        while True:
            weights = self._all[:, left]
            ratios = weights / self._excess[:, None]
            readers = ratios.argmax(axis=0)
            best = ratios[readers, np.arange(len(left))]
            readable = self._levels(best) >= 2
            if not readable.any():  # and never will be
                break
            left, readers, weights = left[readable], readers[readable], weights[:, readable]
            worth = gain * np.log2(best[readable]) - self._taken_by(weights, left, share)
            at = int(worth.argmax())
            self._add(int(left[at]), int(readers[at]))
            left = np.delete(left, at)
        return Choice(tuple(self._tokens[::-1]), tuple(self._queries[::-1]), self._bits())

    def _taken_by(self, weights: Array, tokens: Places, share: float) -> Array:
        """Bits that each token would take from others, those of idle queries by a share."""
        useful = self._idle & (weights.max(axis=1) > self._excess)
        taken = share * self._taken(weights[useful], self._excess[useful], self._later)
        if self._earlier and self._queries:
            taken += self._taken(self._all[self._queries][:, tokens], self._over, self._earlier)
        return taken

    def _add(self, token: int, query: int) -> None:
        """Add a token before all others, unless there are fewer bits with it."""
        before = self._own, self._over, self._bits()
        weights = self._all[:, token]
        self._own = np.append(self._own, weights[query])
        self._over = np.append(
            self._over + self._earlier * weights[self._queries], self._excess[query]
        )
        if self._bits() <= before[2]:
            self._own, self._over, _ = before
            return
        self._tokens.append(token)
        self._queries.append(query)
        self._idle[query] = False
        self._excess = self._excess + self._later * weights

    @staticmethod
    def _taken(weights: Array, excess: Array, factor: float) -> Array:
        """Bits that each token takes from some queries, one for each row."""
        taken: Array = np.log2(1 + factor * weights / excess[:, None]).sum(axis=0)
        return taken

    def _levels(self, ratios: Array) -> Array:
        """Levels of tokens by their weights over the excess of the queries that read them."""
        steps = ratios
        if self._eta:
            steps = np.log1p(2 * self._eta * steps) / np.log((1 + self._eta) / (1 - self._eta))
        return np.clip(np.ceil(steps), 1, self._most)

    def _bits(self) -> float:
        return float(np.log2(self._levels(self._own / self._over)).sum())
