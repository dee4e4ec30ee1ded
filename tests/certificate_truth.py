"""What is true of a certificate, by closed forms that share no code with the checker."""

from __future__ import annotations

import struct
from base64 import b64decode
from collections import Counter
from fractions import Fraction
from itertools import product
from math import ceil, floor, prod
from operator import mul
from typing import Any

import mpmath

from kvfloor.certificates import Document

__all__ = ["book_of", "truth"]


def book_of(book: Document) -> tuple[list[list[int]], list[list[int]]]:
    """Keys and directions."""
    n, d = book["n"], book["d"]
    if book["name"] == "parabola":
        return [[j, -j * j] for j in range(1, n + 1)], [[2 * j, 1] for j in range(1, n + 1)]
    if book["name"] == "orthonormal":
        keys = [[int(i == j) for i in range(n)] for j in range(n)]
    elif book["name"] == "binary-keys":
        keys = [[2 * (j >> c & 1) - 1 for c in range(d)] for j in range(n)]
    elif book["name"] == "roots-d":
        pairs = [(i, j) for j in range(d) for i in range(j)]
        signs = [(1, 1), (1, -1), (-1, 1), (-1, -1)]
        rows = [{i: a, j: b} for i, j in pairs for a, b in signs]
        keys = [[row.get(c, 0) for c in range(d)] for row in rows[:n]]
    else:
        keys = [[{"+": 1, "-": -1}[sign] for sign in row] for row in book["rows"]]
    return keys, keys


def rational(x: Fraction | int) -> Any:
    return mpmath.mpf(Fraction(x).numerator) / Fraction(x).denominator


def exp(x: Fraction | int) -> Any:
    return mpmath.exp(rational(x))


def output_of(weights: Counter[Any], ones: Counter[Any]) -> dict[str, str]:
    """The grid neighbours of Σ ones·e^s / Σ weights·e^s, s from the logits."""
    means = {Fraction(ones[s], weights[s]) for s in weights}
    span = min(max(weights) - min(weights), 20_000)  # nats, so more than as many digits
    with mpmath.workdps(200 + int(span)):
        total = mpmath.fsum(w * exp(s) for s, w in weights.items())
        cell = int(
            mpmath.floor(2**64 * mpmath.fsum(rational(ones[s]) * exp(s) for s in ones) / total)
        )
    exact = 2**64 * means.pop() if len(means) == 1 else None
    lower, upper = (cell, cell + 1) if exact is None else (floor(exact), ceil(exact))
    return {"lower": str(Fraction(lower, 2**64)), "upper": str(Fraction(upper, 2**64))}


def of_instance(document: Document) -> Document:
    """What follows from keys, values and query in numbers."""
    instance, column = document["instance"], document["query"]["column"]
    vector = [Fraction(x) for x in document["query"]["vector"]]
    keys, values = (
        [[[Fraction(x) for x in row] for row in slot] for slot in instance[part]]
        for part in ("keys", "values")
    )
    weights, sums = Counter[Any](), Counter[Any]()
    for places in product(range(len(keys[0])), repeat=len(keys)):
        rows = [slot[j] for slot, j in zip(keys, places, strict=True)]
        logit: Any = sum(
            prod(column, start=q) for q, column in zip(vector, zip(*rows, strict=True), strict=True)
        )
        weights[logit] += 1
        sums[logit] += prod(slot[j][column] for slot, j in zip(values, places, strict=True))
    bound = prod(max(abs(x) for row in slot for x in row) for slot in values)
    return document | {
        "guarantee": document["guarantee"] | {"bound": str(bound)},
        "output": output_of(weights, sums),
    }


def of_trace(document: Document) -> Document:
    """The bits that keys and queries force, if answers tell the levels apart; else -1."""
    symbols, guarantee = document["symbols"], document["guarantee"]
    eta, alpha, delta = (rational(Fraction(guarantee[x])) for x in ("eta", "alpha", "delta"))
    with mpmath.workdps(60):
        rows = [_marginals(document["trace"], symbol["query"]) for symbol in symbols]
        told, bits = True, mpmath.mpf(0)
        for j, (row, symbol) in enumerate(zip(rows, symbols, strict=True)):
            weights, L = [row[other["token"]] for other in symbols], symbol["levels"]
            known, open_ = sum(weights[:j]), sum(weights[j + 1 :])
            if document["rule"] == "at once":
                known, open_ = 0, known + open_
            level = mpmath.mpf(0)  # the least levels that are told apart, one by one
            for _ in range(L - 1):
                most = (1 + eta) * (known + weights[j] * level + open_) + 2 * alpha
                level = (most / (1 - eta) - known) / weights[j]
            told &= level < 1
            bits += mpmath.log(L, 2) - delta * mpmath.log(max(1, L - 1), 2)
            bits += sum(p * mpmath.log(p, 2) for p in (delta, 1 - delta) if p)
        whole = int(mpmath.ceil(document["d_v"] * bits - mpmath.mpf(10) ** -30))
    return document | {"bits": whole if told else -1}


def _marginals(trace: Document, query: int) -> list[Any]:
    """What each token of the slot weighs for a query."""
    keys = [_numbers(part) for part in trace["keys"]]
    q = _numbers(trace["queries"])[query]
    scale = rational(Fraction(trace["scale"]["factor"])) * mpmath.sqrt(trace["scale"]["root"])
    seen = {t for low, high in trace["seen"][query] for t in range(low, high)}
    found = [mpmath.mpf(0)] * len(keys[trace["slot"]])
    for t, places in enumerate(product(*[range(len(K_r)) for K_r in keys])):
        if t in seen:
            rows = [K_r[j] for K_r, j in zip(keys, places, strict=True)]
            logit = sum(prod(column, start=x) for x, *column in zip(q, *rows, strict=True))
            found[places[trace["slot"]]] += mpmath.exp(scale * rational(logit))
    return [x / sum(found) for x in found]


def _numbers(part: Document) -> list[list[Fraction]]:
    rows, columns = part["shape"]
    code = {"float16": "e", "float32": "f", "float64": "d"}[part["dtype"]]
    data = [*struct.iter_unpack("<" + code, b64decode(part["data"]))]
    return [[Fraction(x) for (x,) in data[i * columns :][:columns]] for i in range(rows)]


def truth(document: Document) -> Document:
    """What follows from the book, the order, d_v, the guarantee, the instances and the place."""
    if document["kind"] == "floor":
        return of_trace(document)
    if document["version"] == 2:
        return of_instance(document)
    family, query = document["family"], document["query"]
    book, m, own = family["book"], family["order"], family["self_token"]
    keys, directions = book_of(book)
    n, i, column = len(keys), query["address"], query["column"]
    logits = [[sum(map(mul, q, k)) for k in keys] + [0] * own for q in directions]
    margin = min(s[i] - x for i, s in enumerate(logits) for j, x in enumerate(s) if j != i)
    tied, self_tuples = n ** (m - 1), (n + own) ** m - n**m
    competitors = Fraction((n - 1) * tied + self_tuples, tied)
    eta, alpha = (Fraction(document["guarantee"][name]) for name in ("eta", "alpha"))
    slack, C = eta + 2 * alpha, 1
    with mpmath.workdps(200):
        ratio = competitors * (1 + slack) / (1 - slack)
        while mpmath.exp(C * margin) * ratio.denominator <= ratio.numerator:
            C += 1
    violation = document["kind"] == "violation"
    outputs = []
    for bits in [document["instance"]] if violation else document["instances"]:
        weights, ones = Counter({0: self_tuples} if own else {}), Counter[int]()
        for s, bit in zip(logits[i], bits[column :: family["d_v"]], strict=False):
            weights[C * s] += tied
            ones[C * s] += tied * int(bit)
        outputs.append(output_of(weights, ones))
    computed = {
        "multiplier": C,
        "margin": str(C * margin),
        "competitors": str(competitors),
        "size": n * family["d_v"],
        "book": book | {"n": n, "d": len(keys[0])},
    }
    theta = (1 - eta**2) / 2 - eta * alpha
    return (
        document
        | {
            "family": family | computed,
            "guarantee": document["guarantee"] | {"threshold": str(theta)},
            "query": query | {"vector": [str(C * x) for x in directions[i]]},
        }
        | ({"output": outputs[0]} if violation else {"outputs": outputs})
    )
