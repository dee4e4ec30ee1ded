"""Certificates as text: canonical form, digest, schema; and the two ways to refuse one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any, NoReturn

import jsonschema
from referencing import Registry, Resource

__all__ = [
    "MOST_CHARACTERS",
    "Document",
    "InvalidError",
    "MalformedError",
    "canonical",
    "check_seal",
    "compare",
    "digest",
    "parse",
    "sealed",
]

Document = dict[str, Any]

MOST_CHARACTERS = 16_000_000
MOST_WITHOUT_TRACE = 2_000_000  # in a certificate of another kind than a floor


class InvalidError(Exception):
    """The certificate does not hold."""


class MalformedError(Exception):
    """The text is no certificate."""


def canonical(document: Mapping[str, Any]) -> str:
    """Return the canonical text of a document: ASCII, sorted keys, no spaces."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def digest(document: Mapping[str, Any]) -> str:
    """Return the digest of a document over its canonical text, its own digest left out."""
    content = {key: value for key, value in document.items() if key != "digest"}
    return "sha256:" + hashlib.sha256(canonical(content).encode()).hexdigest()


def sealed(kind: str, content: Mapping[str, Any], *, version: int = 1) -> Document:
    """Return a certificate of a kind: the content under its head and digest."""
    document = {"format": "kvfloor-certificate", "version": version, "kind": kind, **content}
    return document | {"digest": digest(document)}


def check_seal(document: Document) -> None:
    """Refuse a document that its digest is not of; `InvalidError` then."""
    if document["digest"] != digest(document):
        raise InvalidError("digest: the content was damaged or altered")


def parse(text: str | bytes) -> Document:
    """Return the certificate that a text holds, as its schema wants it, rationals reduced.

    Raises
    ------
    MalformedError
        If it holds none.
    """
    if len(text) > MOST_CHARACTERS:
        raise MalformedError(f"longer than {MOST_CHARACTERS} characters")
    try:
        document = json.loads(
            text,
            object_pairs_hook=_object,
            parse_float=_no_float,
            parse_constant=_no_float,
        )
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"not JSON: {error}") from None
    _validate(document, "certificate-1")
    if document["kind"] != "floor" and len(text) > MOST_WITHOUT_TRACE:
        raise MalformedError(f"longer than {MOST_WITHOUT_TRACE} characters")
    _validate(document, f"{document['kind']}-{document['version']}")
    for rational in _rationals(document):
        if str(Fraction(rational)) != rational:
            raise MalformedError(f"the rational {rational[:60]} is not in lowest terms")
    return dict(document)


def compare(part: str, claimed: Any, truth: Any) -> None:
    """Refuse a claimed value that is not the recomputed one, naming the innermost part.

    Raises
    ------
    InvalidError
        If they differ, in type or value.
    """
    if isinstance(truth, dict):
        if claimed.keys() != truth.keys():
            raise InvalidError(f"{part}: has {sorted(claimed)}, should have {sorted(truth)}")
        for name in sorted(truth):
            compare(f"{part}.{name}", claimed[name], truth[name])
    elif type(claimed) is not type(truth) or claimed != truth:
        raise InvalidError(f"{part}: {_short(claimed)} is claimed, {_short(truth)} is true")


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return result


def _no_float(literal: str) -> NoReturn:
    raise ValueError(f"the number {literal} is not whole")


def _validate(document: Any, schema: str) -> None:
    try:
        # The first fault will do; a hostile text may have a million.
        fault = next(_validator(schema).iter_errors(document), None)
    except RecursionError:
        raise MalformedError("nested too deeply") from None
    if fault is not None:
        raise MalformedError(f"{fault.json_path}: {fault.message[:200]}")


@cache
def _validator(schema: str) -> jsonschema.Draft202012Validator:
    contents = Resource.from_contents(_schema("parts-1"))
    parts = Registry[Any]().with_resource("parts-1.json", contents)
    return jsonschema.Draft202012Validator(_schema(schema), registry=parts)


def _schema(name: str) -> dict[str, Any]:
    text = files("kvfloor.certificates").joinpath("schemas", f"{name}.json").read_text("utf-8")
    return dict(json.loads(text))


def _rationals(document: Document) -> Iterator[str]:
    """Every rational of a document: each text below the parts that hold nothing else."""
    yield from _texts(document["guarantee"])
    if document["kind"] == "floor":
        yield document["trace"]["scale"]["factor"]
    elif document["version"] == 1:
        for name in ("competitors", "margin"):
            yield document["family"][name]
    else:
        for name in ("keys", "values"):
            yield from _texts(document["instance"][name])
    for name in ("query", "outputs", "output", "answer"):
        yield from _texts(document.get(name))


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, list | dict):
        for child in node.values() if isinstance(node, dict) else node:
            yield from _texts(child)
