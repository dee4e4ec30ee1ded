"""L5 `keys`: the margins and dimensions of address books, and the sizes of codes."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, permutations, product
from math import prod
from operator import mul

from flint import arb, fmpq
from hypothesis import strategies as st

from kvfloor.families import (
    AddressBook,
    TupleBook,
    axes,
    binary_keys,
    greedy_code,
    orthonormal,
    parabola,
    polygon,
    roots_d,
    roots_e8,
    sign_keys,
    sign_rows,
    sign_tuples,
    tuple_keys,
)
from kvfloor.floors import cap_fraction, greedy_size
from kvfloor.numbers import arb_precision, ball_ends, to_fmpq
from kvfloor_proofs.calculus import Relation
from kvfloor_proofs.claims.keys import (
    C,
    derivations,
    property_greedy,
    property_polygon,
    property_tuples,
)
from kvfloor_proofs.foundations.constants import Constant, both_sides, concluded
from kvfloor_proofs.foundations.properties import Tally, refuses, require

__all__ = ["constants"]


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    binary, over_zero, unit, before, after, *_ = derivations()
    return (
        Constant(
            AddressBook,
            (both_sides("the least difference of logits; none for <= 0", property_certified),),
        ),
        Constant(
            binary_keys,
            (
                concluded(binary, Relation.GE, lambda: C * binary_keys(5).margin),
                concluded(over_zero, Relation.GE, lambda: C * binary_keys(3).zero_margin),
                both_sides("d = ⌈log₂ n⌉, g = 2, d over zero; not in d - 1", property_binary),
            ),
        ),
        Constant(
            orthonormal,
            (
                concluded(unit, Relation.EQ, lambda: C * orthonormal(5).margin),
                both_sides("d = n, g = 1", property_orthonormal),
            ),
        ),
        Constant(
            parabola,
            (
                concluded(before, Relation.GE, lambda: C * parabola(5).margin),
                concluded(after, Relation.GE, lambda: C * parabola(5).zero_margin),
                both_sides("d = 2, g = 1, (‖q‖‖k‖)² = (4n²+1)(n²+n⁴)", property_parabola),
            ),
        ),
        Constant(axes, (both_sides("2d vectors at 90°, not one more", property_axes),)),
        Constant(roots_d, (both_sides("2d(d-1) vectors at 60°, not one more", property_roots),)),
        Constant(roots_e8, (both_sides("240 vectors at 60° in d = 8", property_e8),)),
        Constant(
            polygon,
            (
                both_sides("corners of radius 8n², rounded to the nearest", property_corners),
                both_sides("margin from 61/64 of the ideal to 3R above it", property_polygon),
            ),
        ),
        Constant(
            cap_fraction,
            (both_sides("∫ sin^(d-2) up to θ over that up to π, to 2^-100", property_cap),),
        ),
        Constant(
            greedy_size, (both_sides("at least 1/I, and one less is below it", property_size),)
        ),
        Constant(
            greedy_code,
            (
                both_sides("⌈1/I⌉ words, no two closer than θ", property_greedy),
                both_sides("of many words some are near to θ, none nearer", property_near),
            ),
        ),
        Constant(
            tuple_keys,
            (both_sides("m·d dimensions, margin of one slot, m times over zero", property_tuples),),
        ),
        Constant(
            sign_keys,
            (both_sides("margin d - μ; taken at a least margin of it, not above", property_signs),),
        ),
        Constant(
            sign_tuples,
            (both_sides("the same of all n^m products", property_sign_tuples),),
        ),
        Constant(sign_rows, (both_sides("0 is -1 and 1 is +1", property_sign_rows),)),
    )


def require_book(book: AddressBook, n: int, d: int, margin: int, over_zero: int) -> None:
    """Require size and dimension, and that the least differences of logits are these margins."""
    require((book.n, book.d) == (n, d), f"{book.n} keys in {book.d} dimensions")
    require(len(set(book.keys)) == n, "a key comes twice")
    logits = [[_inner(u, key) for key in book.keys] for u in book.directions]
    gaps = [row[i] - x for i, row in enumerate(logits) for j, x in enumerate(row) if i != j]
    own = min(row[i] for i, row in enumerate(logits))
    require(own == book.zero_margin == over_zero, "another margin over zero")
    require(min(gaps, default=own) == book.margin == margin, "another margin")


def _inner(u: tuple[int, ...], v: tuple[int, ...]) -> int:
    return sum(map(mul, u, v))


def property_certified(data: st.DataObject, tally: Tally) -> None:
    """Margins are the least differences of logits; keys without a positive one are refused."""
    del tally
    n, d = data.draw(st.integers(1, 4), label="n"), data.draw(st.integers(1, 3), label="d")
    rows = st.tuples(*[st.tuples(*[st.integers(-4, 4)] * d)] * n)
    keys, directions = data.draw(rows, label="K"), data.draw(rows, label="Q")
    own = [_inner(q, k) for q, k in zip(directions, keys, strict=True)]
    others = [
        own[i] - _inner(directions[i], keys[j]) for i, j in product(range(n), repeat=2) if i != j
    ]
    margin = min(others, default=own[0])
    if margin <= 0:
        require(refuses(AddressBook.certified, "drawn", keys, directions), "no margin is taken")
        return
    book = AddressBook.certified("drawn", keys, directions)
    require((book.margin, book.zero_margin) == (margin, min(own)), "other margins")
    norms = [max(_inner(row, row) for row in matrix) for matrix in (keys, directions)]
    require(book.norms_squared == norms[0] * norms[1], "other norms")
    part = book.restricted([n - 1])
    require((part.keys, part.margin) == (keys[-1:], own[-1]), "another part")


def property_binary(data: st.DataObject, tally: Tally) -> None:
    """Rows of signs: 2^d of them in d dimensions, and no more."""
    del tally
    n = data.draw(st.integers(1, 33), label="n")
    least = next(d for d in range(1, 7) if 2**d >= n)
    more = data.draw(st.integers(0, 2), label="d more")
    for book, d in ((binary_keys(n), least), (binary_keys(n, least + more), least + more)):
        require_book(book, n, d, 2 if n > 1 else d, d)
        require({abs(x) for key in book.keys for x in key} == {1}, "not of signs")
    require(refuses(binary_keys, n, least - 1), "there are not so many rows")


def property_orthonormal(data: st.DataObject, tally: Tally) -> None:
    """Unit vectors."""
    del tally
    n = data.draw(st.integers(1, 16), label="n")
    book = orthonormal(n)
    require_book(book, n, n, 1, 1)
    require(book.norms_squared == 1, "not of norm 1")


def property_parabola(data: st.DataObject, tally: Tally) -> None:
    """Points on a parabola, counted from 1, and their tangents."""
    del tally
    n = data.draw(st.integers(1, 24), label="n")
    book = parabola(n)
    require_book(book, n, 2, 1, 1)
    require(all((x, -x * x) == (x, y) for x, y in book.keys), "not on the parabola")
    require(book.norms_squared == (4 * n**2 + 1) * (n**2 + n**4), "other norms")


def _require_code(book: AddressBook, n: int, d: int, norm: int, margin: int) -> None:
    """Require an address book of vectors of one norm, each its own direction."""
    require(book.keys == book.directions, "another direction than the key")
    require({_inner(key, key) for key in book.keys} == {norm}, "another norm")
    require_book(book, n, d, margin, norm)


def property_axes(data: st.DataObject, tally: Tally) -> None:
    """Of n vectors two are opposite, or three are at 90°; there are 2d."""
    del tally
    n = data.draw(st.integers(1, 24), label="n")
    least = next(d for d in range(1, 13) if 2 * d >= n)
    margin = {1: 1, 2: 2}.get(n, 1)
    _require_code(axes(n), n, least, 1, margin)
    _require_code(axes(n, least + 2), n, least + 2, 1, margin)
    require(
        refuses(axes, n, least - 1) and refuses(axes, 2 * least + 1, least), "one more is taken"
    )


def property_roots(data: st.DataObject, tally: Tally) -> None:
    """All 2d(d-1) roots, and any first part of them."""
    del tally
    d = data.draw(st.integers(2, 6), label="d")
    size = 2 * d * (d - 1)
    _require_code(roots_d(size, d), size, d, 2, 2 if d == 2 else 1)
    require(roots_d(size).d == d, "more dimensions than needed")
    require(roots_d(size + 1).d == d + 1, "one root more in as many dimensions")
    require(refuses(roots_d, size + 1, d), "one root more is taken")
    n = data.draw(st.integers(1, size), label="n")
    require(roots_d(n, d).keys == roots_d(size, d).keys[:n], "other roots")


def property_e8(data: st.DataObject, tally: Tally) -> None:
    """All 240 roots, and any first part of them."""
    del tally
    n = data.draw(st.integers(1, 240), label="n")
    if n == 1:  # where Hypothesis begins: once for all
        _require_code(roots_e8(), 240, 8, 8, 4)
        require(refuses(roots_e8, 241), "one root more is taken")
        halves = [key for key in roots_e8().keys if 0 not in key]
        require(all(key.count(-1) % 2 == 0 for key in halves), "an odd number of minus signs")
        require(len(halves) == 128, "another number of halves")
    require(roots_e8(n).keys == roots_e8().keys[:n], "other roots")


def property_corners(data: st.DataObject, tally: Tally) -> None:
    """Every corner is within 1/2, in each column, of that of radius 8n² at its angle."""
    del tally
    n = data.draw(st.integers(1, 40), label="n")
    book = polygon(n)
    require((book.n, book.d, book.keys == book.directions) == (n, 2, True), "another shape")
    with arb_precision(128):
        for j, key in enumerate(book.keys):
            turn = fmpq(2 * j, n)
            for x, ideal in zip(key, (arb.cos_pi_fmpq(turn), arb.sin_pi_fmpq(turn)), strict=True):
                off = abs(x - 8 * n**2 * ideal)
                require(not off > arb(1) / 2, f"corner {j} is off by more than 1/2")


def _cap(d: int, cosine: Fraction) -> arb:
    """The part of the sphere by its integral, ``J_k = ∫ sin^k`` by parts, two steps at a time."""
    cos = arb(to_fmpq(cosine))
    sin, pi = (1 - cos**2).sqrt(), arb.pi()
    part, whole = (cos.acos(), pi) if d % 2 == 0 else (1 - cos, arb(2))
    for k in range(2 + d % 2, d - 1, 2):
        part = (-cos * sin ** (k - 1) + (k - 1) * part) / k
        whole = (k - 1) * whole / k
    return part / whole


_COSINES = st.fractions(0, Fraction(15, 16), max_denominator=16)


def property_cap(data: st.DataObject, tally: Tally) -> None:
    """The ball overlaps that of the integral, and is narrow."""
    del tally
    d, cosine = data.draw(st.integers(2, 24), label="d"), data.draw(_COSINES, label="cos θ")
    low, high = ball_ends(cap_fraction(d, cosine))
    with arb_precision(256):
        least, most = ball_ends(_cap(d, cosine))
    step = Fraction(1, 2**100)
    require(most - step < low <= most and least <= high < least + step, "another part")
    for bad in ((1, cosine), (d, Fraction(1)), (d, -step)):
        require(refuses(cap_fraction, *bad), f"{bad} is taken")


def property_size(data: st.DataObject, tally: Tally) -> None:
    """⌈1/I⌉ by the integral, where that is no whole number; and no more than asked for."""
    del tally
    d, cosine = data.draw(st.integers(2, 12), label="d"), data.draw(_COSINES, label="cos θ")
    size = greedy_size(d, cosine)
    with arb_precision(256):
        least = 1 / _cap(d, cosine)
        require(not size < least, "fewer words than 1/I")
        require(bool(size - 1 < least), "one word less is at least 1/I")
    most = data.draw(st.integers(1, 200), label="most")
    require(greedy_size(d, cosine, most) == min(size, most), "not cut off where asked")


def _signs(n: int, d: int, seed: int, margin: int) -> AddressBook:
    return sign_keys(n, d, seed=seed, margin=margin, draws=1)


def property_near(data: st.DataObject, tally: Tally) -> None:
    """Of 64 words in three dimensions none are closer than θ, and some within 0.2 % of it."""
    del tally
    seed, cosine = data.draw(st.integers(0, 4), label="seed"), Fraction(31, 32)
    keys = greedy_code(3, cosine, seed=seed).keys
    require(len(keys) == 64, "not 2/(1 - cos θ) words")
    norms = {key: _inner(key, key) for key in keys}
    pairs = ((_inner(u, v), norms[u] * norms[v]) for u, v in combinations(keys, 2))
    near = max(Fraction(inner * abs(inner), squares) for inner, squares in pairs)
    require(Fraction(998, 1000) ** 2 * cosine**2 < near <= cosine**2, "too close, or none is near")


def property_signs(data: st.DataObject, tally: Tally) -> None:
    """The margin is d - μ; the same draw is taken for a least margin of it, and not for more."""
    del tally
    n, d = data.draw(st.integers(2, 12), label="n"), data.draw(st.integers(16, 24), label="d")
    seed = data.draw(st.integers(0, 99), label="seed")
    require(sign_keys(n, d, seed=seed).margin >= 2, "a smaller margin than by default")
    require(refuses(sign_keys, 1, 1), "a margin of 1 is taken by default")
    if refuses(_signs, n, d, seed, 1):
        return  # a row came twice
    book = _signs(n, d, seed, 1)
    largest = max(_inner(u, v) for u, v in permutations(book.keys, 2))
    _require_code(book, n, d, d, d - largest)
    require({abs(x) for key in book.keys for x in key} == {1}, "not of signs")
    require(_signs(n, d, seed, d - largest) == book, "its own margin is not taken")
    require(refuses(_signs, n, d, seed, d - largest + 1), "a smaller margin is taken")


def _tuples(n: int, d: int, order: int, seed: int, margin: int) -> TupleBook:
    return sign_tuples(n, d, order=order, seed=seed, margin=margin, draws=1)


def property_sign_tuples(data: st.DataObject, tally: Tally) -> None:
    """The margin is d - μ over all products, one key a slot; taken at it, and not above."""
    del tally
    order = data.draw(st.integers(1, 3), label="m")
    n, d = data.draw(st.integers(2, 3), label="n"), data.draw(st.integers(24, 40), label="d")
    seed = data.draw(st.integers(0, 99), label="seed")
    require(sign_tuples(n, d, order=order, seed=seed).margin >= 2, "less than by default")
    require(refuses(sign_tuples, 1, 1), "a margin of 1 is taken by default")
    if refuses(_tuples, n, d, order, seed, 1):
        return  # a product came twice
    book = _tuples(n, d, order, seed, 1)
    rows = [tuple(map(prod, zip(*keys, strict=True))) for keys in product(*book.keys)]
    largest = max(_inner(u, v) for u, v in permutations(rows, 2))
    _require_code(book.products, n**order, d, d, d - largest)
    require(list(book.products.keys) == rows, "other products")
    require(book.lengths == (n,) * order, "other slots")
    require({abs(x) for K in book.keys for key in K for x in key} == {1}, "not of signs")
    require(_tuples(n, d, order, seed, d - largest) == book, "its own margin is not taken")
    require(refuses(_tuples, n, d, order, seed, d - largest + 1), "a smaller margin is taken")


def property_sign_rows(data: st.DataObject, tally: Tally) -> None:
    """Row by row."""
    del tally
    rows = data.draw(st.lists(st.lists(st.integers(0, 1), min_size=3, max_size=3)), label="bits")
    signs = [tuple({0: -1, 1: 1}[b] for b in row) for row in rows]
    require(list(sign_rows(rows)) == signs, "other signs")
