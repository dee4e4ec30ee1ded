"""What ``--set NAME=VALUE`` does to caches."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import click

__all__ = ["combined", "configured", "importable"]


def configured(factory: Any, settings: Sequence[str]) -> Any:
    """The factory with the values that are set."""
    only, *others = combined([factory], settings)
    if others:
        raise click.UsageError("--set: expected one value for each name; sweep takes more")
    return only


def combined(factories: Sequence[Any], settings: Sequence[str]) -> list[Any]:
    """The factories with all combinations of the values that are set."""
    from kvfloor.caches import configure

    choices = []
    for setting in settings:
        name, equals, values = setting.partition("=")
        if not name.isidentifier() or not equals:
            raise click.UsageError(f"--set: expected NAME=VALUE, got {setting!r}")
        choices.append([(name, _value(value)) for value in values.split(",")])
    combinations = [dict(chosen) for chosen in product(*choices)]
    return [
        configure(factory, **options) if options else factory
        for factory in factories
        for options in combinations
    ]


def importable(factory: Any, argument: str) -> Any:
    """Return a factory that other processes can import; its code is never run in this one."""
    from kvfloor.audit import label
    from kvfloor.isolation import Isolated, Misbehaviour

    label(factory)
    try:
        with Isolated(factory) as process:
            _ = process.cache
    except Misbehaviour as fault:
        if fault.kind == "option":
            raise click.UsageError(f"--set: {fault}") from None
        raise click.UsageError(f"{argument}: expected MODULE:FACTORY, but {fault}") from None
    return factory


def _value(text: str) -> int | str:
    try:
        return int(text)
    except ValueError:
        return text
