"""What `kvfloor conform` was told, as a target."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kvfloor.attention import Window
from kvfloor.conformance import (
    NAMED,
    Backward,
    Domain,
    Merging,
    Quantised,
    Target,
    find_named,
    load,
)
from kvfloor.errors import InputError, meant

__all__ = ["as_described"]

KINDS: dict[str, type[Target]] = {"attention": Target, "backward": Backward, "merge": Merging}
# options of one kind of target alone
OF_KIND = {
    "backward": ("reads", "added", "differentiable", "gradients", "logsumexp_cotangent"),
    "merge": ("exp_base", "logsumexps"),
}
SERVED = ("d", "d_v", "tokens", "queries", "batch", "heads", "groups", "views")
QUANTISED = "int8,per=token,block=16,zero-point,query,rounded=bfloat16 or a part of that"
WINDOW = "window,left=3,right=0 or a part of that, or L1/L2 for each slot, and top-left"


def as_described(what: str, spec: str, declared: dict[str, Any]) -> Target:
    """Return the target that a name and the options given describe.

    Parameters
    ----------
    what : str
        One of `KINDS`.
    spec : str
        ``MODULE:FUNCTION``, the name of a `Target`, or one of `kvfloor.conformance.NAMED`.
    declared : dict
        Options as text, by the names of the parameters of such a target.

    Raises
    ------
    InputError
        If the name leads nowhere, an option is out of range or for another kind of target, or one
        of the formats is missing.
    """
    for kind, names in OF_KIND.items():
        for name in names if kind != what else ():
            if name in declared:
                option = f"--{name.replace('_', '-')}"
                raise InputError(option, f"none without --what {kind}", "one")
    named = find_named(spec)
    if named is not None and what != "merge":
        own = {name: _read_one(name, declared.pop(name)) for name in OF_KIND["backward"]
               if name in declared}  # fmt: skip
        forward = named.target(domain=_read(declared), **declared)
        return named.backward(forward, **own) if what == "backward" else forward
    return _as_target(KINDS[what], spec, declared)


def _as_target(kind: type[Target], spec: str, declared: dict[str, Any]) -> Target:
    try:
        found = load(spec, "target")
    except InputError as error:
        near = meant(spec, (known.name for known in NAMED))
        raise InputError(error.argument, error.expected, error.got + near) from None
    if isinstance(found, Target):
        if declared:
            raise InputError("options", "none, as the target declares everything", str(declared))
        if type(found) is not kind:
            raise InputError("--what", "what the target does", repr(kind.__name__))
        return replace(found, source=f"{spec}.function")
    for name in ("dtype", "accumulate"):
        if name not in declared:
            raise InputError(f"--{name}", "a format, such as float32", "none")
    served = _read(declared)
    return kind(found, source=spec, domain=served, **declared)


def _read(declared: dict[str, Any]) -> Domain:
    """Read what came as text, in place; return what of it is a domain."""
    declared.update({name: _read_one(name, given) for name, given in declared.items()})
    return Domain(**{name: declared.pop(name) for name in SERVED if name in declared})


def _read_one(name: str, given: Any) -> Any:
    return READ[name](given) if name in READ else given


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
    if "left" not in told and "right" not in told:
        raise InputError("mask", WINDOW, f"{text!r}, which has no end and hides nothing")
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


def _words_or_none(text: str) -> tuple[str, ...]:
    return () if text == "none" else _words(text)


READ = {
    "views": _words_or_none,
    "packed": lambda text: () if text == "plain" else _words(text),
    "padded": _words,
    "quantised": _quantised,
    "bitwise": _words_or_none,
    "splits": _numbers,
    "mask": _mask,
    "returns": _words,
    "block": _block,
    "logsumexp_base": _number,
    "exp_base": _number,
    "reads": _words_or_none,
    "gradients": _words_or_none,
}
