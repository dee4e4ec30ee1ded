"""T3 `time-memory`: the two-cache against the four-cache, operation by operation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from fractions import Fraction
from typing import Any

import sympy as sp
from hypothesis import strategies as st

from kvfloor import cost
from kvfloor.attention import ExactAttention, khatri_rao
from kvfloor_proofs.calculus import (
    Algebra,
    Assumptions,
    Derivation,
    Positivity,
    Relation,
    Step,
    Variable,
)
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = [
    "CLAIM",
    "d",
    "d_v",
    "derivations",
    "m",
    "n",
    "property_decoding",
    "property_queries",
]

EQ, LE, LT, GT = Relation.EQ, Relation.LE, Relation.LT, Relation.GT

n, m, d, d_v, c, e, j, k, t = sp.symbols("n m d d_v c e j k t", integer=True)
x, y, z = sp.symbols("x y z", real=True)

_SIZES = Assumptions((Variable(n, 1), Variable(d, 1), Variable(d_v, 1)))
_GAUGE = Assumptions(
    (
        Variable(x, 0, low_open=True),
        Variable(y, 0, low_open=True),
        Variable(z, 1, low_open=True),
    )
)
_TUPLES, _COLUMNS, _OUTPUTS = (t, 1, n**2), (c, 1, d), (e, 1, d_v)
_FIRST, _SECOND = (j, 1, n), (k, 1, n)


def _each(*limits: Any, of: Any = 1) -> Any:
    """``of`` operations for every value of the indices."""
    return sp.Sum(sp.sympify(of), *limits)


# Multiplications and additions, in the loops in which they are done.
_TWO = _each(_COLUMNS, _TUPLES) + _each(_TUPLES, _OUTPUTS)
_FORMING = _each(_COLUMNS, _SECOND, _FIRST) + _each(_OUTPUTS, _SECOND, _FIRST)
_FACTORED_LOGITS = _each(_COLUMNS, _FIRST) + _each(_COLUMNS, _SECOND, _FIRST)
_FACTORED_OUTPUTS = _each(_SECOND, _OUTPUTS, _FIRST) + _each(_OUTPUTS, _FIRST)
_FACTORED = _FACTORED_LOGITS + _FACTORED_OUTPUTS
_APPEND = sum(_each((c, 1, columns), (t, 1, rows)) for columns in (d, d_v) for rows in (n - 1, n))
_TWO_ADDITIONS = _each(_TUPLES, of=d - 1) + (n**2 - 1) + _each(_OUTPUTS, of=n**2 - 1)
_FACTORED_ADDITIONS = (
    _each(_SECOND, _FIRST, of=d - 1)
    + (n**2 - 1)
    + _each(_OUTPUTS, _FIRST, of=n - 1)
    + _each(_OUTPUTS, of=n - 1)
)


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (
        _count("Multiplications of a query to the two-cache", _TWO, n**2 * (d + d_v)),
        _count(
            "Multiplications of a query to the four-cache, products formed first",
            _FORMING + _TWO,
            2 * n**2 * (d + d_v),
        ),
        _count(
            "Multiplications of a query to the four-cache, factored",
            _FACTORED,
            (n + n**2) * (d + d_v),
        ),
        _count("Multiplications of appending token n", _APPEND, (2 * n - 1) * (d + d_v)),
        _count(
            "Additions of a query to the two-cache",
            _TWO_ADDITIONS,
            n**2 * (d - 1) + (n**2 - 1) * (1 + d_v),
        ),
        _count(
            "Additions of a query to the four-cache, factored: as many",
            _FACTORED_ADDITIONS,
            n**2 * (d - 1) + (n**2 - 1) * (1 + d_v),
        ),
        _count("The two-cache saves", _FORMING + _TWO - _TWO, n**2 * (d + d_v)),
        _domination(),
        _domination_strict(),
        _same_products(),
        _other_products(),
        *_orders(),
        *_kept(),
    )


def _orders() -> Iterator[Derivation]:
    """Count the multiplications of a query of order 3."""
    third = (t, 1, n)
    pairs, triples = (_SECOND, _FIRST), (third, _SECOND, _FIRST)

    def passes(*limits: Any) -> Any:
        return _each(_COLUMNS, *limits) + _each(_OUTPUTS, *limits)

    yield _count(
        "Multiplications of a query of order 3, products formed first",
        passes(*pairs) + 2 * passes(*triples),
        (n**2 + 2 * n**3) * (d + d_v),
    )
    yield _count(
        "Multiplications of a query of order 3, factored",
        passes(_FIRST) + passes(*pairs) + passes(*triples),
        (n + n**2 + n**3) * (d + d_v),
    )


def _kept() -> Iterator[Derivation]:
    """Count divisions, and the numbers that are kept, read and written."""
    slots = (k, 1, m)

    def rows(*limits: Any) -> Any:
        return _each(_COLUMNS, *limits) + _each(_OUTPUTS, *limits)

    yield _count("Divisions of a query: one an output", _each(_OUTPUTS), d_v)
    yield replace(
        _count("Numbers in the 2m-cache, all of them read", rows(_FIRST, slots), m * n * (d + d_v)),
        assumptions=Assumptions((*_SIZES.variables, Variable(m, 1))),
    )
    yield _count(
        "Numbers in the two-cache, with its factors",
        rows(_TUPLES) + rows(_FIRST, (k, 1, 2)),
        (n**2 + 2 * n) * (d + d_v),
    )
    yield _count("Numbers written for a token of the four-cache", rows((k, 1, 2)), 2 * (d + d_v))
    yield _count(
        "Numbers written for token n of the two-cache: new rows, and factors",
        _APPEND + rows((k, 1, 2)),
        (2 * n - 1) * (d + d_v) + 2 * (d + d_v),
    )


def _count(title: str, loops: Any, total: Any) -> Derivation:
    return Derivation(
        title, _SIZES, loops, (Step(EQ, total, Algebra(), "Count the passes through each loop."),)
    )


def _domination() -> Derivation:
    return Derivation(
        "A factored step multiplies no more than a two-cache step, for every n >= 1",
        _SIZES,
        _FACTORED,
        (
            Step(EQ, (n + n**2) * (d + d_v), Algebra(), "Count."),
            Step(LE, n**2 * (d + d_v) + (2 * n - 1) * (d + d_v), Positivity(), "n <= 2n - 1."),
            Step(EQ, _TWO + _APPEND, Algebra(), "Query and append."),
        ),
    )


def _domination_strict() -> Derivation:
    sizes = Assumptions((Variable(n, 2), Variable(d, 1), Variable(d_v, 1)))
    return Derivation(
        "and multiplies less from n = 2 on",
        sizes,
        (n + n**2) * (d + d_v),
        (
            Step(
                LT,
                n**2 * (d + d_v) + (2 * n - 1) * (d + d_v),
                Positivity(),
                "n < 2n - 1 from n = 2 on.",
            ),
        ),
    )


def _same_products() -> Derivation:
    scaled, other = sp.symbols("x' y'", real=True)
    return Derivation(
        "Keys x' = x·z and y' = 1/z have the product that x and 1 have",
        replace(_GAUGE, definitions=((scaled, x * z), (other, 1 / z))),
        scaled * other,
        (Step(EQ, x * 1, Algebra(), "z cancels."),),
    )


def _other_products() -> Derivation:
    return Derivation(
        "but not with a new key y: so the products alone do not determine the next ones",
        _GAUGE,
        (x * z) * y,
        (Step(GT, x * y, Positivity(), "z > 1."),),
    )


def _rows(columns: int, least: int = 1) -> st.SearchStrategy[list[list[Fraction]]]:
    numbers = st.fractions(-2, 2, max_denominator=3)
    row = st.lists(numbers, min_size=columns, max_size=columns)
    return st.lists(row, min_size=least, max_size=least)


def _spent(
    counts: cost.Counts, action: Callable[..., Any], *arguments: Any
) -> tuple[cost.Counts, Any]:
    """Return what an action adds to the counts, and its result."""
    before = asdict(counts)
    result = action(*arguments)
    return cost.Counts(**{name: now - before[name] for name, now in asdict(counts).items()}), result


def _require_right(answer: Any, query: Any, keys: Any, values: Any) -> None:
    truth = ExactAttention(keys, values)(query).enclose()
    right = all(a.value.overlaps(o) for a, o in zip(answer, truth, strict=True))
    require(right, "a wrong answer")


def property_queries(data: st.DataObject, tally: Tally) -> None:
    """All that is counted in a query of order 1, 2 or 3 is the closed form, the answer is right."""
    del tally
    m = data.draw(st.integers(1, 3), label="m")
    n = data.draw(st.integers(1, {1: 8, 2: 5, 3: 3}[m]), label="n")
    d, d_v = (data.draw(st.integers(1, 4), label=name) for name in ("d", "d_v"))
    keys, values = ([data.draw(_rows(k, n)) for _ in range(m)] for k in (d, d_v))
    (query,) = data.draw(_rows(d), label="query")
    products: list[list[Any]] = [[khatri_rao(*slots)] for slots in (keys, values)]
    factors: list[list[Any]] = [keys, values]
    for evaluate, closed_form, kept, words in (
        (_from_products, cost.query_two, products, n**m * (d + d_v)),
        (
            cost.attend_formed,
            cost.query_formed,
            factors,
            cost.four_cache_words(n, d, d_v, m),
        ),
        (
            *(cost.attend_factored, cost.query_factored, factors),
            cost.four_cache_words(n, d, d_v, m),
        ),
    ):
        if m == 1 and evaluate is cost.attend_factored:
            continue  # there is nothing to factor
        counts = cost.Counts()
        memory = cost.Memory(counts)
        for part, slots in zip("KV", kept, strict=True):
            for r, rows in enumerate(slots):
                memory.write(f"{part}_{r}", cost.counted(rows, counts))
        require(memory.words == words == counts.written, f"{memory.words} words and not {words}")
        spent, answer = _spent(counts, _ask, evaluate, query, counts, memory, len(kept[0]))
        expected = closed_form(n, d, d_v, m)
        require(spent == expected, f"{spent} and not {expected}")
        _require_right(answer, query, keys, values)


def _ask(
    evaluate: Callable[..., Any], query: Any, counts: cost.Counts, memory: cost.Memory, slots: int
) -> Any:
    keys, values = ([memory.read(f"{part}_{r}") for r in range(slots)] for part in "KV")
    return evaluate(cost.counted(query, counts), keys, values)


def _from_products(query: Any, keys: Any, values: Any) -> Any:
    return cost.attend_products(query, *keys, *values)


def property_decoding(data: st.DataObject, tally: Tally) -> None:
    """What is counted in a step of each cache is the closed form, with words read and kept."""
    del tally
    d, d_v = (data.draw(st.integers(1, 3), label=name) for name in ("d", "d_v"))
    tokens = data.draw(st.integers(1, 4), label="n")
    keys, values = ([data.draw(_rows(k, tokens)) for _ in range(2)] for k in (d, d_v))
    (query,) = data.draw(_rows(d), label="query")
    for kind, append, ask, words in (
        (cost.TwoCache, cost.append_two, cost.query_two, cost.two_cache_words),
        (_formed, cost.append_four, cost.query_formed, cost.four_cache_words),
        (cost.FourCache, cost.append_four, cost.query_factored, cost.four_cache_words),
    ):
        counts = cost.Counts()
        cache = kind(cost.Memory(counts))
        slots = [[cost.counted(A, counts) for A in factors] for factors in (keys, values)]
        question = cost.counted(query, counts)
        for n in range(1, tokens + 1):
            token = [[A[n - 1] for A in factors] for factors in slots]
            spent, _ = _spent(counts, cache.append, *token)
            require(spent == append(n, d, d_v), f"{spent} for append {n}")
            spent, answer = _spent(counts, cache.query, question)
            require(spent == ask(n, d, d_v), f"{spent} for query {n}")
            require(cache.memory.words == words(n, d, d_v), f"{cache.memory.words} words")
            _require_right(answer, query, [A[:n] for A in keys], [A[:n] for A in values])


def _formed(memory: cost.Memory) -> cost.FourCache:
    return cost.FourCache(memory, cost.attend_formed)


CLAIM = Claim(
    slug="time-memory",
    title="the two-cache saves n²(d+d_v) products, yet a factored four-cache step is never dearer",
    statement="""\
Multiplications of one query of order 2 over n tokens, at scale 1:

* four-cache, products formed first: `2n²(d + d_v)`;
* two-cache: `n²(d + d_v)`;
* four-cache, factored as (q∘K_1)·K_2ᵀ and Σ_j V_1[j]∘(P·V_2)[j]: `(n² + n)(d + d_v)`.

So against the first, the two-cache saves `n²(d + d_v)`: TMT's Ω(n²d), which **holds** as a
comparison of those two algorithms. It is no trade-off in general. Appending token n to the
two-cache takes `(2n - 1)(d + d_v)` multiplications and to the four-cache none, so a whole step of
the factored four-cache, `(n² + n)(d + d_v)`, is never more than the two-cache's
`(n² + 2n - 1)(d + d_v)`, and less from n = 2 on.

All three take n² exponentials, `n²(d - 1) + (n² - 1)(1 + d_v)` additions (subtracting a largest
logit, which would add the same to each, is left out) and d_v divisions. A query reads
`n²(d + d_v)` numbers of the two-cache, `2n(d + d_v)` of the four-cache.

The products alone cannot be appended to: z·K_1 and K_2/z have the products of K_1 and K_2, but
with a new token other ones. So a two-cache that decodes keeps the factors too,
`(n² + 2n)(d + d_v)` numbers against the four-cache's `2n(d + d_v)`.

For order m, of which orders 2 and 3 are counted, a factored query takes
`(n + n² + … + n^m)(d + d_v)` multiplications.

Counts beside wall-clock times of the same code: [what the evaluations cost](../cost.md).""",
    source="TMT (running time); T3",
    assumptions=(
        "the operations of these algorithms are counted; other algorithms may do with fewer",
        "a sum of k numbers is k - 1 additions; the sum of weights divides the d_v outputs",
        "decoding is of order 2 without a self token",
    ),
    verdict="holds in model M",
    derivations=derivations,
    properties=(property_queries, property_decoding),
)
