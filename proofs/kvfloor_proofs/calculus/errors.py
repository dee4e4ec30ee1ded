"""What goes wrong in a derivation."""

from __future__ import annotations

__all__ = ["DerivationError", "RuleError"]


class RuleError(Exception):
    """A rule does not establish the statement it was given; the text says why."""


class DerivationError(Exception):
    """A step of a derivation is not established.

    Parameters
    ----------
    title : str
        The derivation.
    step : int
        The step at fault, counted from 1; 0 is the start of the chain.
    rule : str
        The rule that was to justify it.
    reason : str
        Why it does not.
    point : str, optional
        A point inside the assumptions at which the step is false.
    """

    def __init__(
        self, title: str, step: int, rule: str, reason: str, point: str | None = None
    ) -> None:
        self.title = title
        self.step = step
        self.rule = rule
        self.reason = reason
        self.point = point
        at = "" if point is None else f"; it is false at {point}"
        super().__init__(f"{title}, step {step} by {rule}: {reason}{at}")

    def __reduce__(self) -> tuple[type[DerivationError], tuple[str, int, str, str, str | None]]:
        """Pickle by the parts, so that the error crosses processes whole."""
        return type(self), (self.title, self.step, self.rule, self.reason, self.point)
