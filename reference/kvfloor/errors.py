"""The one error for bad input: it names the argument, what was expected and what came."""

from __future__ import annotations

__all__ = ["InputError"]


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

    def __reduce__(self) -> tuple[type[InputError], tuple[str, str, str]]:
        """Pickle by the three parts, so that the error crosses processes whole."""
        return type(self), (self.argument, self.expected, self.got)
