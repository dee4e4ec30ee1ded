"""What `kvfloor conform` was told, as a target."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kvfloor.attention import Window
from kvfloor.conformance import NAMED, Domain, Merging, Quantised, Target, find_named, load
from kvfloor.errors import InputError, meant

__all__ = ["as_merging", "as_target"]

SERVED = ("d", "d_v", "tokens", "queries", "batch", "heads", "groups", "views")
QUANTISED = "int8,per=token,block=16,zero-point,query,rounded=bfloat16 or a part of that"
WINDOW = "window,left=3,right=0 or a part of that, or L1/L2 for each slot, and top-left"


def as_target(spec: str, declared: dict[str, Any]) -> Target:
    """Return the target that a name and the options given describe.

    Parameters
    ----------
    spec : str
        ``MODULE:FUNCTION``, the name of a `Target`, or one of `kvfloor.conformance.NAMED`.
    declared : dict
        Options as text, by the names of `Target`'s parameters.

    Raises
    ------
    InputError
        If the name leads nowhere, an option is out of range, or one of the formats is missing.
    """
    for name in ("exp_base", "logsumexps"):
        if name in declared:
            raise InputError(f"--{name.replace('_', '-')}", "none without --what merge", "one")
    named = find_named(spec)
    if named is not None:
        served = _read(declared)
        return named.target(domain=served, **declared)
    return _as_target(Target, spec, declared)


def as_merging(spec: str, declared: dict[str, Any]) -> Target:
    """Do the same for a function that merges partial states; none of those has a name."""
    return _as_target(Merging, spec, declared)


def _as_target(kind: type[Target], spec: str, declared: dict[str, Any]) -> Target:
    try:
        found = load(spec, "target")
    except InputError as error:
        near = meant(spec, (known.name for known in NAMED))
        raise InputError(error.argument, error.expected, error.got + near) from None
    if isinstance(found, Target):
        if declared:
            raise InputError("options", "none, as the target declares everything", str(declared))
        if isinstance(found, Merging) != (kind is Merging):
            raise InputError("--what", "what the target does", repr(kind.__name__))
        return replace(found, source=f"{spec}.function")
    for name in ("dtype", "accumulate"):
        if name not in declared:
            raise InputError(f"--{name}", "a format", "none")
    served = _read(declared)
    return kind(found, source=spec, domain=served, **declared)


def _read(declared: dict[str, Any]) -> Domain:
    """Read what came as text, in place; return what of it is a domain."""
    for name, read in READ.items():
        if name in declared:
            declared[name] = read(declared[name])
    return Domain(**{name: declared.pop(name) for name in SERVED if name in declared})


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def _mask(text: str) -> Any:
    kind, *parts = text.split(",")
    if kind != "window":
        if parts:
            raise InputError("mask", WINDOW, repr(text) + meant(kind, ("window",)))
        return kind
    told: dict[str, Any] = {}
    for part in parts:
        word, _, value = part.partition("=")
        if part == "top-left":
            told["top_left"] = True
        elif word in ("left", "right") and value:
            each = tuple(map(_number, value.split("/")))
            told[word] = each if len(each) > 1 else each[0]
        else:
            raise InputError("mask", WINDOW, repr(text))
    return Window(**told)


def _block(text: str) -> Any:
    numbers = _numbers(text)
    return numbers if len(numbers) > 1 else numbers[0]


def _quantised(text: str) -> Quantised:
    stored, *parts = text.split(",")
    told: dict[str, Any] = {}
    for part in parts:
        word, _, value = part.partition("=")
        if word in ("per", "rounded") and value:
            told[word] = value
        elif word == "block" and value:
            told[word] = _number(value)
        elif part in ("zero-point", "query"):
            told[part.replace("-", "_")] = True
        else:
            raise InputError("quantised", QUANTISED, repr(text))
    return Quantised(stored, **told)


def _number(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


def _numbers(text: str) -> tuple[int | str, ...]:
    return tuple(map(_number, text.split(",")))


READ = {
    "views": lambda text: () if text == "none" else _words(text),
    "packed": lambda text: () if text == "plain" else _words(text),
    "quantised": _quantised,
    "bitwise": lambda text: () if text == "none" else _words(text),
    "splits": _numbers,
    "mask": _mask,
    "returns": _words,
    "block": _block,
    "logsumexp_base": _number,
    "exp_base": _number,
}
