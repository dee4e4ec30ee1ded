"""A failing case as a test to paste: its input in full if it is small, else how it is made."""

from __future__ import annotations

import re
from inspect import ismethod
from textwrap import indent
from typing import Any

import numpy as np

from kvfloor.conformance.backward import FIXED as FIXED_BACKWARD
from kvfloor.conformance.backward import Backward, BackwardCase
from kvfloor.conformance.case import Case
from kvfloor.conformance.domain import Domain
from kvfloor.conformance.draft import Draft
from kvfloor.conformance.merging import FIXED, NOT_SERVED, Merging
from kvfloor.conformance.target import Target
from kvfloor.numbers import Array

__all__ = ["write_test"]

MOST_NUMBERS = 600
DEFAULTS: dict[str, Any] = {
    "order": 2,
    "layout": "bhnd",
    "scale": "1/sqrt(d)",
    "mask": None,
    "returns": ("output", "logsumexp"),
    "logsumexp_base": "e",
    "block": None,
    "weights": None,
    "exp_ulps": 4,
    "empty": "zero",
    "grouped": False,
    "arrays": "numpy",
    "domain": Domain(),
    "sink": False,
    "softcap": None,
    "bias": None,
    "quantised": None,
    "packed": None,
    "pages": None,
    "padded": None,
    "skips": False,
    "bitwise": ("repeat",),
    "splits": None,
}
OF_MERGING = {
    **{name: value for name, value in DEFAULTS.items() if name not in FIXED},
    "logsumexps": None,
    "exp_base": None,
    "domain": Domain(**NOT_SERVED),
}
OF_BACKWARD = {
    **{name: value for name, value in DEFAULTS.items() if name not in FIXED_BACKWARD},
    "order": 1,
    "differentiable": False,
    "gradients": (),
    "logsumexp_cotangent": False,
    "reads": None,
    "added": None,
}
KINDS: dict[type[Target], dict[str, Any]] = {
    Merging: OF_MERGING, Backward: OF_BACKWARD, Target: DEFAULTS,
}  # fmt: skip
NAMES = (
    "Backward", "Case", "Domain", "Draft", "Joined", "Merging", "Quantised", "Size", "Target",
    "as_entry", "judge", "judge_gradients",
)  # fmt: skip


def write_test(target: Target, flag: str, draft: Draft, number: int, case: Case) -> str:
    """Return the text of a test module that fails as the case did.

    Parameters
    ----------
    target : Target
        Its function is imported by its module and name, if it has any; else a line is left to fill.
    flag : str
        The entry that the case is of.
    draft : Draft
        What it was built from.
    number : int
        Which of the cases that the entry built.
    case : Case
    """
    name, imported = _import(target.function, target.source)
    kind = next(each for each in KINDS if isinstance(target, each))
    declared = ", ".join(
        f"{key}={getattr(target, key)!r}"
        for key, value in KINDS[kind].items()
        if getattr(target, key) != value
    )
    options = f"dtype={target.inputs.name!r}, accumulate={target.arithmetic.name!r}"
    options += f", {declared}" if declared else ""
    if target.stages is not None:
        same = target.stages is target.function
        stages, besides = (name, imported) if same else _import(target.stages, None, "stages")
        options += f", stages={stages}"
        imported += "" if same else f"\n{besides}"
    small = sum(A.size for A in (case.query, *case.keys, *case.values)) <= MOST_NUMBERS
    plain = case.stored is None and case.sequences is None and case.view is None
    literal = _states if kind is Merging else _pulled if kind is Backward else _literal
    judged = "judge_gradients" if kind is Backward else "judge"
    body = literal(case) if small and plain else _recipe(flag, draft, number)
    test = f"""def test_{flag.replace("-", "_")}():
    target = {kind.__name__}({name}, {options})
{indent(body, "    ")}
    assert {judged}(target, case).problem is None, {judged}(target, case).problem
"""
    used = [word for word in NAMES if re.search(rf"\b(?<!\.){word}\(", test)]
    numpy = "import numpy as np\n\n" if "np." in test else ""
    window = "from kvfloor import Window\n" if "Window(" in test else ""
    return f"""{numpy}{window}from kvfloor.conformance import {", ".join(used)}

{imported}


{test}"""


def _import(function: Any, source: str | None, what: str = "function") -> tuple[str, str]:
    """A function's name in the test, and the line that brings it there.

    Lambdas, partials, instances and functions within functions cannot be imported by what they say
    of themselves, unless the name that they were loaded by is known.
    """
    module, name = (getattr(function, key, None) or "" for key in ("__module__", "__qualname__"))
    if module and name and "<" not in name and not ismethod(function):
        return name, f"from {module} import {name.partition('.')[0]}"
    if source is not None:
        module, _, name = source.partition(":")
        return f"{module}.{name}", f"import {module}"
    return what, f"# from MODULE import NAME as {what}: it has no name of its own"


def _literal(case: Case) -> str:
    mask = _array(case.mask) if isinstance(case.mask, np.ndarray) else repr(case.mask)
    return "\n".join(
        (
            "case = Case(",
            f"    query={_array(case.query)},",
            f"    keys=({', '.join(map(_array, case.keys))},),",
            f"    values=({', '.join(map(_array, case.values))},),",
            f"    scale={case.scale!r},",
            f"    mask={mask},",
            f"    relation={case.relation!r},",
            f"    rows={case.rows!r},",
            *_terms(case),
            *_key_masks(case),
            *([] if case.splits is None else [f"    splits={case.splits},"]),
            ")",
        )
    )


def _key_masks(case: Case) -> list[str]:
    if case.key_masks is None:
        return []
    return [f"    key_masks=({', '.join(map(_array, case.key_masks))},),"]


def _pulled(case: Case) -> str:
    """The case without its cotangents, and these."""
    assert isinstance(case, BackwardCase)  # noqa: S101 (its targets have no others)
    plain = indent(_literal(case).removeprefix("case = "), "    ")
    given = [G for G in (case.cotangent, case.logsumexp_cotangent) if G is not None]
    cotangents = "".join(f"    {_array(G)},\n" for G in given)
    return f"case = target.case(\n{plain},\n{cotangents})"


def _terms(case: Case) -> list[str]:
    if not case.terms.any:
        return []
    told = ", ".join(
        f"{name}={_array(term) if isinstance(term, np.ndarray) else repr(term)}"
        for name, term in case.terms._asdict().items()
        if term is not None
    )
    return [f"    terms=Joined({told}),"]


def _states(case: Case) -> str:
    outputs, logsumexps = case.values[0], case.keys[0][..., 0]
    return "\n".join(
        (
            "case = target.case(",
            f"    outputs={_array(np.moveaxis(outputs, 2, 0))},",
            f"    logsumexps={_array(np.moveaxis(logsumexps, 2, 0))},",
            f"    relation={case.relation!r},",
            ")",
        )
    )


def _recipe(flag: str, draft: Draft, number: int) -> str:
    return "\n".join(
        (
            f"draft = Draft(target, {draft.size!r}, seed={draft.seed}, coarse={draft.coarse})",
            f"case = as_entry({flag!r}).build(draft)[{number}]",
        )
    )


def _array(array: Array) -> str:
    """The array in full; a float's repr reads back as the same number."""
    if array.dtype == np.bool_:
        return f"np.array({array.tolist()})"
    numbers = re.sub(r"\b(nan|inf)\b", r"np.\1", str(array.astype(np.float64).tolist()))
    if array.dtype.kind == "V":  # a format of ml_dtypes
        return f"np.array({numbers}).astype(target.inputs.dtype)"
    return f"np.array({numbers}, dtype={array.dtype.name!r})"
