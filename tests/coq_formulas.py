"""Evaluate the arithmetic that Coq prints: numbers, + - * / ^, and functions applied to atoms.

Subtraction of natural numbers stops at 0 in Coq and does not here: keep away from there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

TOKEN = re.compile(r"\s*(?:(\d+)|([A-Za-z_](?:[\w']|\.(?=\w))*)|(.))")


def value(text: str, names: Mapping[str, Any], number: Callable[[int], Any] = Fraction) -> Any:
    """Evaluate an expression; ``names`` gives values, and functions of as many arguments."""
    tokens = [match.group().strip() for match in TOKEN.finditer(re.sub(r"%\w+", "", text))]
    reader = _Reader([token for token in tokens if token], names, number)
    result = reader.sum()
    if reader.tokens:
        raise ValueError(f"{text!r}: what is {reader.tokens[0]!r}?")
    return result


def function(definition: str) -> tuple[tuple[str, ...], str]:
    """Split what Coq prints for a definition into its arguments and its body."""
    match = re.fullmatch(r"fun (.*?) =>\s+(.*)", definition, re.DOTALL)
    if match is None:
        raise ValueError(f"{definition!r} is not a function")
    binders = re.findall(r"\(([^:]*):|^([^(:]*):", match[1])
    return tuple(" ".join(a or b for a, b in binders).split()), match[2]


class _Reader:
    """A recursive descent, in the order in which Coq's operators bind."""

    def __init__(
        self, tokens: list[str], names: Mapping[str, Any], number: Callable[[int], Any]
    ) -> None:
        self.tokens, self.names, self.number = tokens, names, number

    def _takes(self, *options: str) -> str:
        return self.tokens.pop(0) if self.tokens and self.tokens[0] in options else ""

    def sum(self) -> Any:
        total = self.product()
        while sign := self._takes("+", "-"):
            total = total + self.product() if sign == "+" else total - self.product()
        return total

    def product(self) -> Any:
        total = self.signed()
        while sign := self._takes("*", "/"):
            total = total * self.signed() if sign == "*" else total / self.signed()
        return total

    def signed(self) -> Any:
        if self._takes("-"):
            return -self.signed()
        if self._takes("/"):
            return 1 / self.signed()
        base = self.application()
        return base ** self.signed() if self._takes("^") else base

    def application(self) -> Any:
        head = self.atom()
        if not callable(head):
            return head
        arguments = []
        while self.tokens and re.match(r"[\w(]", self.tokens[0]):
            arguments.append(self.atom())
        return head(*arguments)

    def atom(self) -> Any:
        token = self.tokens.pop(0)
        if token == "(":
            inside = self.sum()
            if not self._takes(")"):
                raise ValueError("a parenthesis is not closed")
            return inside
        return self.number(int(token)) if token.isdigit() else self.names[token]
