"""The one error for bad input, what any error is called in a line, and the end of a process."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["InputError", "Terminated", "described", "meant", "slots_told"]


class InputError(ValueError):
    """Bad input to a public function.

    Parameters
    ----------
    argument : str
        The argument at fault, with an index where that helps: ``"keys[1]"``.
    expected : str
        What would have been right.
    got : str
        What came.
    """

    def __init__(self, argument: str, expected: str, got: str) -> None:
        self.argument = argument
        self.expected = expected
        self.got = got
        super().__init__(f"{argument}: expected {expected}, got {got}")

    @classmethod
    def among(cls, argument: str, words: Iterable[str], got: str) -> InputError:
        """Return the error for what is none of some words; the nearest is suggested."""
        words = tuple(words)
        return cls(argument, "one of " + ", ".join(words), got + meant(got, words))

    def __reduce__(self) -> tuple[type[InputError], tuple[str, str, str]]:
        """Pickle by the three parts, so that the error crosses processes whole."""
        return type(self), (self.argument, self.expected, self.got)


class Terminated(SystemExit):
    """The process is told to end: whoever runs somebody else's code lets it pass."""


def meant(typed: str, words: Iterable[str]) -> str:
    """Return the question whether the nearest of some words was meant; empty if none is near."""
    near = get_close_matches(typed.strip("'"), list(words), 1)
    return f"; did you mean {near[0]}?" if near else ""


def described(error: BaseException) -> str:
    """Return the kind of an error and what it says, in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def slots_told(kind: type[BaseException], text: str, order: int) -> str:
    """Return what keys and values are, if an error says that they were taken for else; or ""."""
    plural = "" if order == 1 else "s"
    if (kind is ValueError and "values to unpack" in text) or (
        kind is IndexError and "tuple index" in text
    ):
        return f"; it was given {order} slot{plural} of keys and values, as the order is {order}"
    if kind in (AttributeError, TypeError) and "tuple" in text:
        return f"; keys and values are tuples of {order} array{plural}, one a slot"
    return ""
