"""What a property is: it draws an instance, counts it, and says where a claim does not hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from hypothesis import strategies as st

__all__ = ["Falsified", "Property", "Tally", "require"]


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


Property: TypeAlias = Callable[[st.DataObject, Tally], None]
