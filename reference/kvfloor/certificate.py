"""Certificates, and the checker that believes nothing in them (T5 `collision`).

A collision certificate says: this cache ends in one state on two instances, and no single answer
to this query is accurate for both. The checker builds the instances and their true outputs again
from the parameters, exactly; the search that found them is not consulted. That both instances
lead to the state is known only to the cache: without a replay it is reported as unchecked.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal, NoReturn

import jsonschema

from kvfloor.caches.protocol import CacheFactory, State, describe, fits, record
from kvfloor.errors import InputError
from kvfloor.floors import Guarantee, threshold
from kvfloor.instances import BinaryValues, Bits, attend_to
from kvfloor.keys import AddressBook, binary_keys, orthonormal, parabola, sign_rows

__all__ = [
    "Document",
    "Outcome",
    "canonical",
    "check",
    "collision_certificate",
    "digest",
]

Document = dict[str, Any]

GRID_BITS = 64  # outputs are given as neighbouring multiples of 2**-64: a format constant
MOST_CHARACTERS = 8_000_000
MOST_PRODUCTS = 4_000_000  # tuples by columns, or pairs of keys: keeps a check within seconds
UNCHECKED = "that both instances lead to the state (replay them on the cache to check)"


@dataclass(frozen=True)
class Outcome:
    """What the checker found.

    Attributes
    ----------
    status : "ok", "invalid" or "malformed"
        Malformed: no certificate of a known format. Invalid: one that does not hold.
    reason : str
        Why it was refused; empty if ok.
    unchecked : tuple of str
        What nobody can know from the certificate alone.
    """

    status: Literal["ok", "invalid", "malformed"]
    reason: str = ""
    unchecked: tuple[str, ...] = ()


class _InvalidError(Exception):
    """The certificate does not hold."""


class _MalformedError(Exception):
    """The text is no certificate."""


def check(text: str | bytes, *, cache: CacheFactory | None = None) -> Outcome:
    """Check a certificate, and with a cache replay both instances on it.

    Parameters
    ----------
    text : str or bytes
        The JSON text.
    cache : CacheFactory, optional
        The cache that the certificate speaks of.

    Returns
    -------
    Outcome
        Never raises for a bad certificate.

    Notes
    -----
    T5 `collision`. Cost: attention on two instances, tuple by tuple.
    """
    try:
        document = _parse(text)
        _check_collision(document)
        if cache is not None:
            _replay(document, cache)
    except _MalformedError as error:
        return Outcome("malformed", str(error))
    except _InvalidError as error:
        return Outcome("invalid", str(error))
    return Outcome("ok", unchecked=() if cache is not None else (UNCHECKED,))


def canonical(document: Mapping[str, Any]) -> str:
    """Return the canonical text of a document: ASCII, sorted keys, no spaces."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def digest(document: Mapping[str, Any]) -> str:
    """Return the digest of a document over its canonical text, its own digest left out."""
    content = {key: value for key, value in document.items() if key != "digest"}
    return "sha256:" + hashlib.sha256(canonical(content).encode()).hexdigest()


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
    """
    symbol = next(k for k in range(family.size) if x[k] != y[k])
    address, column = family.locate(symbol)
    document = _public_part(family) | {
        "format": "kvfloor-certificate",
        "version": 1,
        "kind": "collision",
        "cache": {
            **cache,
            "seed": seed,
            "state": state.data.hex(),
            "state_bits": state.bits,
        },
        "instances": ["".join(map(str, bits)) for bits in (x, y)],
        "query": {
            "address": address,
            "column": column,
            "vector": [str(c) for c in family.query(address)],
        },
        "outputs": [
            {"lower": str(lower), "upper": str(upper)}
            for lower, upper in (_output(family, bits, address, column) for bits in (x, y))
        ],
    }
    return document | {"digest": digest(document)}


# --- reading -------------------------------------------------------------------------------


def _parse(text: str | bytes) -> Document:
    if len(text) > MOST_CHARACTERS:
        raise _MalformedError(f"longer than {MOST_CHARACTERS} characters")
    try:
        document = json.loads(
            text,
            object_pairs_hook=_object,
            parse_float=_no_float,
            parse_constant=_no_float,
        )
    except (ValueError, RecursionError) as error:
        raise _MalformedError(f"not JSON: {error}") from None
    try:
        fault = jsonschema.exceptions.best_match(_validator().iter_errors(document))
    except RecursionError:
        raise _MalformedError("nested too deeply") from None
    if fault is not None:
        raise _MalformedError(f"{fault.json_path}: {fault.message[:200]}")
    _lowest_terms(document)
    return dict(document)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return result


def _no_float(literal: str) -> NoReturn:
    raise ValueError(f"the number {literal} is not whole")


@lru_cache(maxsize=1)
def _validator() -> jsonschema.Draft202012Validator:
    schema = files("kvfloor").joinpath("schemas", "collision-1.json").read_text("utf-8")
    return jsonschema.Draft202012Validator(json.loads(schema))


def _lowest_terms(document: Document) -> None:
    texts = [document["guarantee"][name] for name in ("eta", "alpha", "threshold")]
    texts += [document["family"][name] for name in ("competitors", "margin")]
    texts += document["query"]["vector"]
    texts += [output[end] for output in document["outputs"] for end in ("lower", "upper")]
    for text in texts:
        if str(Fraction(text)) != text:
            raise _MalformedError(f"the rational {text[:60]} is not in lowest terms")


# --- checking ------------------------------------------------------------------------------


def _check_collision(document: Document) -> None:
    if document["digest"] != digest(document):
        raise _InvalidError("digest: the content was damaged or altered")
    family = _rebuild_family(document)
    for part, truth in _public_part(family).items():
        _compare(part, document[part], truth)

    x, y = (tuple(map(int, bits)) for bits in document["instances"])
    for k, bits in enumerate((x, y)):
        if len(bits) != family.size:
            raise _InvalidError(f"instances[{k}]: {len(bits)} bits, N is {family.size}")
    address, column = (document["query"][name] for name in ("address", "column"))
    if address >= family.n or column >= family.d_v:
        raise _InvalidError("query: no such address and column")
    _compare("query.vector", document["query"]["vector"], [str(c) for c in family.query(address)])

    bounds = [_output(family, bits, address, column) for bits in (x, y)]
    for k, (lower, upper) in enumerate(bounds):
        truth = {"lower": str(lower), "upper": str(upper)}
        _compare(f"outputs[{k}]", document["outputs"][k], truth)
    if not _separated(family.guarantee, *bounds):
        raise _InvalidError("outputs: one answer is accurate for both instances")

    state = document["cache"]
    if not fits(bytes.fromhex(state["state"]), state["state_bits"]):
        raise _InvalidError("cache.state: does not fit state_bits")


def _compare(part: str, claimed: Any, truth: Any) -> None:
    """Refuse a claimed value that is not the recomputed one, naming the innermost part."""
    if isinstance(truth, dict):
        if claimed.keys() != truth.keys():
            raise _InvalidError(f"{part}: has {sorted(claimed)}, should have {sorted(truth)}")
        for name in sorted(truth):
            _compare(f"{part}.{name}", claimed[name], truth[name])
    elif type(claimed) is not type(truth) or claimed != truth:
        raise _InvalidError(f"{part}: {_short(claimed)} is claimed, {_short(truth)} is true")


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _rebuild_family(document: Document) -> BinaryValues:
    family, guarantee = document["family"], document["guarantee"]
    book = family["book"]
    rows = max(book["n"], len(book.get("rows", ())))
    tuples = (rows + family["self_token"]) ** family["order"]
    if max(tuples * (book["d"] + family["d_v"]), rows**2 * book["d"]) > MOST_PRODUCTS:
        raise _MalformedError(f"family: larger than {MOST_PRODUCTS} products of numbers")
    try:
        return BinaryValues(
            _rebuild_book(family["book"]),
            d_v=family["d_v"],
            order=family["order"],
            self_token=family["self_token"],
            guarantee=Guarantee(Fraction(guarantee["eta"]), Fraction(guarantee["alpha"])),
        )
    except InputError as error:
        raise _InvalidError(f"family: {error}") from None


def _rebuild_book(book: Document) -> AddressBook:
    name, n, d = book["name"], book["n"], book["d"]
    if name == "orthonormal":
        return orthonormal(n)
    if name == "binary-keys":
        return binary_keys(n, d)
    if name == "parabola":
        return parabola(n)
    if [len(row) for row in book["rows"]] != [d] * n:
        raise InputError("rows", f"n = {n} rows of d = {d} signs", "others")
    rows = sign_rows([[int(sign == "+") for sign in row] for row in book["rows"]])
    return AddressBook.certified(name, rows, rows)


def _public_part(family: BinaryValues) -> Document:
    """What a certificate says of its family and guarantee, all of it recomputable."""
    book: Document = {"name": family.book.name, "n": family.n, "d": family.book.d}
    if family.book.name == "sign-keys":
        book["rows"] = ["".join("-+"[x > 0] for x in row) for row in family.book.keys]
    return {
        "family": {
            "name": "binary-values",
            "order": family.order,
            "d_v": family.d_v,
            "self_token": family.self_token,
            "book": book,
            "multiplier": family.multiplier,
            "competitors": str(family.competitors),
            "margin": str(family.margin),
            "size": family.size,
        },
        "guarantee": {
            "eta": str(family.guarantee.eta),
            "alpha": str(family.guarantee.alpha),
            "threshold": str(threshold(family.guarantee)),
        },
    }


def _output(
    family: BinaryValues, bits: Sequence[int], address: int, column: int
) -> tuple[Fraction, Fraction]:
    """Bounds on the true output: neighbouring multiples of 2**-GRID_BITS."""
    exact = attend_to(family.encode(bits))(family.query(address))
    return exact.bounds(column, GRID_BITS)


def _separated(
    guarantee: Guarantee, first: tuple[Fraction, Fraction], second: tuple[Fraction, Fraction]
) -> bool:
    """Whether no number is an accurate answer to both of two outputs, given their bounds."""
    (_, top), (bottom, _) = sorted((first, second))
    most = top + guarantee.eta * abs(top) + guarantee.alpha
    least = bottom - guarantee.eta * abs(bottom) - guarantee.alpha
    return most < least


def _replay(document: Document, factory: CacheFactory) -> None:
    family = _rebuild_family(document)
    cache = document["cache"]
    _compare("cache", {name: cache[name] for name in ("name", "options")}, describe(factory))
    for k, text in enumerate(document["instances"]):
        tokens = family.encode([int(b) for b in text])
        try:
            state = record(factory, tokens, d=family.book.d, d_v=family.d_v, seed=cache["seed"])
        except Exception as error:
            raise _InvalidError(f"replay of instances[{k}]: the cache failed: {error}") from error
        _compare(f"replay of instances[{k}]: state", state.data.hex(), cache["state"])
        _compare(f"replay of instances[{k}]: state_bits", state.bits, cache["state_bits"])
