"""A named target: somebody's function, what it serves and declares, found if it is installed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field, fields, replace
from importlib import metadata
from typing import Any, NamedTuple

from kvfloor.attention import INVERSE_SQRT_D, Window
from kvfloor.conformance.backward import Backward, as_backward
from kvfloor.conformance.counts import Counts
from kvfloor.conformance.domain import EVERYTHING, Domain
from kvfloor.conformance.loading import load
from kvfloor.conformance.target import Target
from kvfloor.errors import InputError
from kvfloor.numbers import as_format, shown

__all__ = ["Arithmetic", "NamedTarget"]

WINDOWS: dict[str, Callable[[Window], bool]] = {
    "any": lambda _: True,
    "top-left": lambda window: window.top_left,
    "bottom-right": lambda window: not window.top_left,
    "causal": lambda window: window.right == 0,
}
TERMS = ("sink", "softcap", "bias")
CALL = (
    "layout", "arrays", "returns", "logsumexp_base", "grouped", "source", *TERMS, "quantised",
    "packed", "pages", "splits",
)  # fmt: skip


class Arithmetic(NamedTuple):
    """How a function computes with inputs of one format.

    Attributes
    ----------
    accumulate : str
        The format of every operation.
    weights : str or None
        A narrower one in which weights are stored.
    """

    accumulate: str
    weights: str | None = None


@dataclass(frozen=True)
class NamedTarget:
    """A function of some package, as a target of the kit.

    Parameters
    ----------
    name : str
        What commands call it: ``torch:sdpa``.
    package : str
        Whose it is, by the name that pip installs it by.
    adapter : str
        ``MODULE:FUNCTION`` in `kvfloor.conformance.targets`. The module imports the package, and
        is imported when the target is.
    formats : mapping of str to Arithmetic
        Formats of inputs that are served; the first is the one by default.
    masks : tuple of str
        Likewise, of `kvfloor.conformance.domain.MASKS`; "window" is not the first.
    orders : tuple of int
        Likewise.
    domain : Domain
        What else is served.
    scales : bool
        Whether it is told the scale; else that is 1/sqrt(d).
    padded : tuple of str
        How keys may be padded, of `kvfloor.conformance.domain.PADDINGS`.
    terms : tuple of str
        What may join the logits, of `kvfloor.conformance.terms.TERMS`.
    stages : bool
        Whether the adapter takes ``stage=``, and returns what `Target.stages` does.
    windows : str
        Which are served: any, top-left, bottom-right or causal ones.
    needs : tuple of str
        Packages besides, that it does not install itself.
    cuda : bool
        Whether it runs on a CUDA device alone.
    call : mapping
        How the adapter is called: parameters of `Target` that nobody may change.
    pulled : mapping of str to mapping
        What its backward pass declares besides for inputs of a format: parameters of `Backward`.
    """

    name: str
    package: str
    adapter: str
    _: KW_ONLY
    formats: Mapping[str, Arithmetic]
    masks: tuple[str, ...] = ("none",)
    orders: tuple[int, ...] = (1,)
    domain: Domain = EVERYTHING
    scales: bool = True
    padded: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    stages: bool = False
    windows: str = "any"
    needs: tuple[str, ...] = ()
    cuda: bool = False
    call: Mapping[str, Any] = field(default_factory=dict)
    pulled: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def version(self) -> str | None:
        """The version of its package, None if that is not installed."""
        return _version(self.package)

    def target(self, *, domain: Domain = EVERYTHING, **declared: Any) -> Target:
        """Import it, and return it as a target.

        Parameters
        ----------
        domain : Domain
            The part of what it serves that is to be examined.
        **declared
            Parameters of `Target`, in place of what is declared for it.

        Raises
        ------
        InputError
            If it is not installed or cannot run here, or does not serve what is declared.
        """
        absent = [p for p in (self.package, *self.needs) if _version(p) is None]
        if absent:
            expected = f"{' and '.join(absent)} installed (pip install {' '.join(absent)})"
            raise InputError(self.name, expected, "none")
        for parameter in CALL:
            if parameter in declared and parameter not in self.terms:
                expected = f"none, as {self.name} is called in one way"
                raise InputError(parameter, expected, shown(declared[parameter]))
        if not self.scales and declared.get("scale", INVERSE_SQRT_D) != INVERSE_SQRT_D:
            expected = f"1/sqrt(d), as {self.name} takes no other"
            raise InputError("scale", expected, shown(declared["scale"]))
        self._check_window(declared.get("mask"))
        dtype = as_format(declared.pop("dtype", next(iter(self.formats)))).name
        if dtype not in self.formats:
            raise InputError.among("dtype", self.formats, dtype)
        usual = self.formats[dtype]
        if "accumulate" in declared:
            usual = Arithmetic(declared["accumulate"])
        plain = {"order": self.orders[0], "mask": self.masks[0], **usual._asdict()}
        function = self._load()
        if self.stages:
            plain["stages"] = function
        return Target(
            function,
            dtype=dtype,
            domain=self._narrowed(domain),
            **{**self.call, **plain, **declared},
        )

    def backward(self, forward: Target, **declared: Any) -> Backward:
        """Return the backward pass of one of its targets.

        Parameters
        ----------
        forward : Target
        **declared
            Parameters of `Backward`, in place of what is declared for it.

        Raises
        ------
        InputError
            If it is of no framework that differentiates, or what is declared is out of range.
        """
        usual = dict(self.pulled.get(forward.inputs.name, {}))
        if forward.block is not None:
            usual["block"] = forward.block
        return as_backward(forward, **{**usual, **declared})

    def _load(self) -> Any:
        expected = f"a package {self.package} that can be imported"
        found = load(f"kvfloor.conformance.targets.{self.adapter}", self.name, expected)
        if self.cuda and not load("torch:cuda", self.name, "PyTorch").is_available():
            raise InputError(self.name, "a CUDA device, on which alone it runs", "none")
        return found

    def _check_window(self, mask: Any) -> None:
        if isinstance(mask, Window) and not WINDOWS[self.windows](mask):
            expected = f"a {self.windows} window, as {self.name} has no other"
            raise InputError("mask", expected, shown(mask))

    def _narrowed(self, asked: Domain) -> Domain:
        """Return what is served and asked for."""
        common: dict[str, Any] = {
            "masks": self.masks,
            "orders": self.orders,
            "padded": self.padded,
            "terms": self.terms,
            "formats": tuple(self.formats),
        }
        for name in (f.name for f in fields(Domain) if f.name not in common):
            served, wanted = getattr(self.domain, name), getattr(asked, name)
            found = _common(served, wanted)
            if found is None:
                expected = f"a part of what {self.name} serves, {served}"
                raise InputError(name, expected, str(wanted))
            common[name] = found
        return replace(self.domain, **common)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _common(served: Any, wanted: Any) -> Any:
    """What is in both of two axes of domains; None if nothing is.

    A word (as many queries as tokens) is less than any number, and not to be had with a number.
    """
    if isinstance(served, Counts) and isinstance(wanted, Counts):
        return served.common(wanted)
    if isinstance(served, tuple) and isinstance(wanted, tuple):
        return tuple(word for word in served if word in wanted)
    if served == wanted or wanted == Counts():
        return served
    return wanted if served == Counts() or (served, wanted) == ("fewer", "same") else None
