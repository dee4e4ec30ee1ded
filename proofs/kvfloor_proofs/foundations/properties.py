"""What a property is: it draws an instance, counts it, and says where a claim does not hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from hypothesis import strategies as st

from kvfloor.errors import InputError

__all__ = ["Falsified", "Property", "Tally", "refuses", "require"]


@dataclass
class Tally:
    """What a property has run so far.

    Attributes
    ----------
    examples : int
        Instances tried.
    certificates : int
        Certificates that the checker accepted.
    """

    examples: int = 0
    certificates: int = 0


class Falsified(Exception):  # noqa: N818 (it says what happened to the claim)
    """An instance on which a claim does not hold."""


def require(holds: bool, otherwise: str) -> None:
    """Raise `Falsified` with the reason unless ``holds``; unlike assert, never compiled away."""
    if not holds:
        raise Falsified(otherwise)


def refuses(function: Callable[..., Any], *arguments: Any) -> bool:
    """Whether a function takes arguments for bad input."""
    try:
        function(*arguments)
    except InputError:
        return True
    return False


Property: TypeAlias = Callable[[st.DataObject, Tally], None]
