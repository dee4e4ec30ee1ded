"""The one error for bad input, and what any error is called in a line."""

from __future__ import annotations

__all__ = ["InputError", "described"]


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


def described(error: BaseException) -> str:
    """Return the kind of an error and what it says, in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
