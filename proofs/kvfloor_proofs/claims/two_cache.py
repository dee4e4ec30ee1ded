"""T2 `two-cache`: n²·d_v bits if the two matrices may be anything; few if they are products."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import prod
from random import Random

import sympy as sp
from hypothesis import strategies as st

from kvfloor.attention import ExactAttention, khatri_rao
from kvfloor.caches import pack, read_bits, write_bits
from kvfloor.errors import InputError
from kvfloor.families import BinaryValues, attend_to, binary_keys
from kvfloor.floors import packed_bits, packed_numbers, two_cache
from kvfloor.numbers import Matrix
from kvfloor_proofs.calculus import (
    Algebra,
    Assumptions,
    Cite,
    Derivation,
    Induction,
    Monotone,
    Positivity,
    Relation,
    Step,
    Termwise,
    Variable,
)
from kvfloor_proofs.claims import index_deterministic
from kvfloor_proofs.claims.index_deterministic import N, b
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.draws import bits, edge_answer, guarantees
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = [
    "CLAIM",
    "d",
    "d_v",
    "derivations",
    "flag",
    "n",
    "property_counterexample",
    "property_packs",
    "property_unstructured",
    "width",
]

EQ, LE, LT = Relation.EQ, Relation.LE, Relation.LT

n, d, d_v, k, width, flag, column = sp.symbols("n d d_v k w F e", integer=True)
u, c, pivot = sp.symbols("u c P", real=True)


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (
        _unstructured(),
        _numbers(),
        _column(2),
        _column(3),
        powers_of_two(),
        _flag(),
        _vanishing(),
        _bits(),
    )


def _unstructured() -> Derivation:
    return Derivation(
        "Unstructured: states of b < n²·d_v bits are fewer than the instances with n² rows",
        Assumptions((Variable(n, 1), Variable(d_v, 1), Variable(b, 0, n**2 * d_v - 1))),
        2**b,
        (
            Step(
                LT,
                2 ** (n**2 * d_v),
                Cite(index_deterministic.exact_length(), ((N, n**2 * d_v),)),
                "L3; by T1 with n² rows at order 1 the queries recover every bit.",
            ),
        ),
    )


def _numbers() -> Derivation:
    return Derivation(
        "Structured: pivot and lines of d + d_v columns are (2n-1)(d + d_v) numbers",
        Assumptions((Variable(n, 1), Variable(d, 1), Variable(d_v, 1))),
        (1 + sp.Sum(n - 1, (k, 1, 2))) * (d + d_v),
        (
            Step(
                EQ,
                (2 * n - 1) * (d + d_v),
                Algebra(),
                "The pivot, and n - 1 more entries along each of the two slots.",
            ),
        ),
    )


def _column(order: int) -> Derivation:
    """Every entry of a column from the lines through the pivot."""
    here = [sp.Symbol(f"a_{r}", real=True) for r in range(order)]
    at_pivot = [sp.Symbol(f"p_{r}", real=True) for r in range(order)]
    lines = [sp.Symbol(f"l_{r}", real=True) for r in range(order)]
    named = [
        (lines[r], sp.Mul(here[r], *at_pivot[:r], *at_pivot[r + 1 :])) for r in range(order)
    ] + [(pivot, sp.Mul(*at_pivot))]
    # The pivot is not zero, so no factor is; its sign only flips signs on both sides.
    ranges = (*map(Variable, here), *(Variable(p, 0, low_open=True) for p in at_pivot))
    return Derivation(
        f"Order {order}: an entry is the product of those on the lines over a power of the pivot",
        Assumptions(ranges, tuple(named)),
        sp.Mul(*lines) / pivot ** (order - 1),
        (Step(EQ, sp.Mul(*here), Algebra(), "Every pivot factor cancels."),),
    )


def powers_of_two() -> Derivation:
    """Compare n with 2^n."""
    ones, powers = sp.Sum(sp.Integer(1), (k, 0, n - 1)), sp.Sum(2**k, (k, 0, n - 1))
    grows = Monotone(Variable(u, 0), 2**u, sp.Integer(0), k, Positivity())
    return Derivation(
        "n < 2^n",
        Assumptions((Variable(n, 1),)),
        n,
        (
            Step(LT, 1 + ones, Positivity(), "There are n ones."),
            Step(
                LE,
                1 + powers,
                Monotone(Variable(u), 1 + u, ones, powers, Termwise(grows)),
                "2^k >= 2^0.",
            ),
            Step(EQ, 2**n, Induction(n, Algebra()), "By induction: 2^n doubles."),
        ),
    )


def _flag() -> Derivation:
    return Derivation(
        "2n bits are enough for a flag: n² pivots and the column of zeros",
        Assumptions((Variable(n, 1),)),
        n**2,
        (
            Step(
                LT,
                (2**n) ** 2,
                Monotone(Variable(u, 0, low_open=True), u**2, n, 2**n, Cite(powers_of_two())),
                "n < 2^n, squared.",
            ),
        ),
    )


def _vanishing() -> Derivation:
    sizes = (Variable(n, 1), Variable(d, 1), Variable(width, 1), Variable(flag, 1, 2 * n))
    fraction = Variable(c, 4 * (width + 1) / n)
    return Derivation(
        "The packed pair is below any fraction c of n²d once n >= 4(w+1)/c (here d_v = d)",
        Assumptions((*sizes, fraction)),
        (2 * n - 1) * (2 * d) * width + flag * (2 * d),
        (
            Step(
                LE,
                (2 * n - 1) * (2 * d) * width + 2 * n * (2 * d),
                Positivity(),
                "A flag has at most 2n bits.",
            ),
            Step(LT, 4 * (width + 1) / n * n**2 * d, Positivity(), "2n - 1 < 2n."),
            Step(
                LE,
                c * n**2 * d,
                Positivity(),
                "c >= 4(w+1)/n.",
            ),
        ),
    )


def _bits() -> Derivation:
    sizes = (Variable(n, 1), Variable(d, 1), Variable(d_v, 1))
    kept = (1 + sp.Sum(n - 1, (k, 1, 2))) * width + flag
    return Derivation(
        "Structured: a column takes w bits for each number and F for the place of its pivot",
        Assumptions((*sizes, Variable(width, 1), Variable(flag, 1))),
        sp.Sum(kept, (column, 1, d)) + sp.Sum(kept, (column, 1, d_v)),
        (
            Step(
                EQ,
                (2 * n - 1) * (d + d_v) * width + flag * (d + d_v),
                Algebra(),
                "d columns of keys and d_v of values.",
            ),
        ),
    )


def property_unstructured(data: st.DataObject, tally: Tally) -> None:
    """Unstructured: all n²·d_v bits come back from n² rows, and those are no product of keys."""
    del tally
    n = data.draw(st.integers(2, 4), label="n")
    d_v = data.draw(st.integers(1, 4), label="d_v")
    guarantee = data.draw(guarantees(), label="guarantee")
    family = BinaryValues(binary_keys(n * n), d_v, order=1, guarantee=guarantee)
    x = data.draw(bits(family.size), label="bits")
    attention = attend_to(family.encode(x))
    recovered: list[int] = []
    for i in range(family.n):
        row = family.row(x, i)
        outputs = attention(family.query(i)).enclose()
        worst = [edge_answer(guarantee, o, bit=bit) for o, bit in zip(outputs, row, strict=True)]
        require(family.decode(outputs) == row, "from the true outputs")
        require(family.decode(worst) == row, "from answers at the edge of the guarantee")
        recovered += family.decode(outputs)
    require(tuple(recovered) == x, "not all bits come back")
    require(len(recovered) == two_cache(n, d_v), "they are not as many as the floor says")


_ENTRIES = st.sampled_from([Fraction(x) for x in (0, 0, 1, 1, -1, 2, -3, "1/2", "-2/3")])


def _factors(
    rows: int, columns: int, entries: st.SearchStrategy[Fraction]
) -> st.SearchStrategy[Matrix]:
    return st.tuples(*[st.tuples(*[entries] * columns)] * rows)


def property_packs(data: st.DataObject, tally: Tally) -> None:
    """Structured: every product comes back from 1 + Σ(n_r - 1) numbers a column, 0 if it is 0."""
    del tally
    lengths = tuple(data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=3), label="lengths"))
    columns = data.draw(st.integers(1, 3), label="columns")
    factors = [data.draw(_factors(n, columns, _ENTRIES), label="factor") for n in lengths]
    matrix = khatri_rao(*factors)
    packed = pack(matrix, lengths)
    require(packed.unpack() == matrix, "it does not come back")
    zero = sum(not any(column) for column in zip(*matrix, strict=True))
    kept = (1 + sum(n - 1 for n in lengths)) * (columns - zero)
    require(packed.numbers == kept, "not the numbers claimed")


def property_rejects(data: st.DataObject, tally: Tally) -> None:
    """A product with one entry changed is rejected, unless it is another product."""
    del tally
    n1, n2 = data.draw(st.integers(2, 3), label="n_1"), data.draw(st.integers(2, 3), label="n_2")
    matrix = khatri_rao(*(data.draw(_factors(n, 1, _ENTRIES), label="factor") for n in (n1, n2)))
    place = data.draw(st.integers(0, n1 * n2 - 1), label="row")
    column = [row[0] for row in matrix]
    column[place] += data.draw(_ENTRIES.filter(bool), label="added")
    minors = (
        column[j * n2 + k] * column[i * n2 + h] - column[j * n2 + h] * column[i * n2 + k]
        for j in range(n1)
        for i in range(j)
        for k in range(n2)
        for h in range(k)
    )
    is_product = not any(minors)  # rank at most one
    try:
        packed = pack([[x] for x in column], (n1, n2))
    except InputError:
        require(not is_product, "a product is rejected")
    else:
        require(is_product, "what is no product is accepted")
        require(packed.unpack() == tuple((x,) for x in column), "it does not come back")


def property_counterexample(data: st.DataObject, tally: Tally) -> None:
    """Structured: n = 16 rows of -1, 0, 1 answer every query from 142·d bits, fewer than n²·d."""
    del tally
    d = data.draw(st.integers(1, 3), label="d")
    signs = st.sampled_from([Fraction(x) for x in (-1, 0, 1)])
    keys, values = ([data.draw(_factors(16, d, signs)) for _ in range(2)] for _ in range(2))
    _, restored = _through_bits(keys, values)
    query = data.draw(st.lists(st.integers(-2, 2), min_size=d, max_size=d), label="query")
    answer = ExactAttention(*([matrix] for matrix in restored))(query)
    require(answer == ExactAttention(keys, values)(query), "the answers change")


Pair = Sequence[Matrix]


def _through_bits(keys: Pair, values: Pair) -> tuple[list[str], Pair]:
    """The bits of both products with entries in two bits, and what is read back from them."""
    n, d, width = len(keys[0]), len(keys[0][0]), 2
    pair = [khatri_rao(*keys), khatri_rao(*values)]
    state = [write_bits(pack(matrix, (n, n)), width) for matrix in pair]
    size = sum(map(len, state))
    require(size == packed_bits(n, d, d, width, (n * n).bit_length()), "not the bits claimed")
    require(size == 142 * d < two_cache(n, d), "no fewer than n²·d bits")
    require(prod((2, 2 * n - 1, d)) == packed_numbers(n, d, d), "not the numbers claimed")
    restored = [read_bits(text, (n, n), d, width).unpack() for text in state]
    require(restored == pair, "the state does not bring the pair back")
    return state, restored


def counterexample() -> str:
    """Return an instance with d = 1 and its bits, from which a query has been answered."""
    rng = Random(0)  # noqa: S311 (an instance, not a secret)
    columns = [[rng.randint(-1, 1) for _ in range(16)] for _ in range(4)]
    factors = [tuple((Fraction(x),) for x in column) for column in columns]
    keys, values = factors[:2], factors[2:]
    state, restored = _through_bits(keys, values)
    restored_answer = ExactAttention(*([matrix] for matrix in restored))([1])
    answer = ExactAttention(keys, values)([1])
    require(answer == restored_answer, "the answers change")
    names = ("K_1", "K_2", "V_1", "V_2")
    rows = [f"| {name} | {_signs(column)} |" for name, column in zip(names, columns, strict=True)]
    bits = sum(map(len, state))
    return "\n".join(
        [
            "n = 16 tokens of order 2, d = d_v = 1, one entry of each key and value a token:",
            "",
            "| factor | entries |",
            "|---|---|",
            *rows,
            "",
            f"The two-cache holds K_1 ⊘ K_2 and V_1 ⊘ V_2, {2 * 16**2} entries. They are restored, "
            f"all of them, from these {bits} bits, fewer than n²·d = {two_cache(16, 1)}:",
            "",
            "| product | bits: the row of the pivot, then 31 entries of two bits |",
            "|---|---|",
            *(f"| {k} | {text} |" for k, text in zip(("keys", "values"), state, strict=True)),
            "",
            f"From them the query q = 1 has the output {answer.floats()[0]:.6f}…, exactly that of "
            "attention to the factors: the two are equal as sums of exponentials.",
        ]
    )


def _signs(column: Sequence[int]) -> str:
    return " ".join({-1: "−1", 0: "0", 1: "1"}[x] for x in column)


CLAIM = Claim(
    slug="two-cache",
    title="n²·d_v bits hold for any two matrices, but products pack into (4n-2)·d numbers",
    statement="""\
The two-cache keeps two matrices of n² rows. TMT's Ω(n²d) has two readings.

* *Unstructured*, **holds in model M**: if the rows may be anything, K in R^(n²×d) and
  V in R^(n²×d_v), then T1 at order 1 with n² rows applies: n²·d_v bits are needed and enough.
* *Structured*, **refuted as read**: if the matrices are K_1 ⊘ K_2 and V_1 ⊘ V_2, as they are in
  tensor attention, then each column is a matrix of rank at most one. It is packed losslessly into
  2n - 1 of its own entries and a flag that says where its first non-zero entry is. That makes
  (4n - 2)·d numbers for the pair with d_v = d, and `(4n-2)·d·w + 2d·⌈log₂(n²+1)⌉` bits if entries
  have w bits, which is less than any fraction of n²d once n is large.

Counterexample: n = 16 and entries -1, 0, 1 in two bits. The pair takes 142·d bits, fewer than
256·d, and every answer is exactly that of the two-cache.""",
    source="TMT (two cached matrices); T2",
    assumptions=(
        "unstructured: the cache is right for every V in {0,1}^(n²×d_v) with public keys",
        "structured: entries are exact, as rationals or as whole numbers of w bits",
        "for the counterexample d_v = d",
    ),
    verdict="refuted as read",
    derivations=derivations,
    properties=(
        property_unstructured,
        property_packs,
        property_rejects,
        property_counterexample,
    ),
    counterexample=counterexample,
)
