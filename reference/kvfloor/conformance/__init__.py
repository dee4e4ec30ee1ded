"""The oracle for other implementations: catalogued and drawn inputs, derived bounds, a verdict.

``kvfloor.conformance.check(function, dtype=..., accumulate=...)`` compares every number that an
implementation of attention returns with the correctly rounded one, and passes it only if each is
within the bound that E3 and E4 derive for the arithmetic it declares.
"""

from kvfloor.conformance.answers import Answer, CallError
from kvfloor.conformance.backward import Backward, BackwardCase, as_backward, judge_gradients
from kvfloor.conformance.case import Case
from kvfloor.conformance.catalogue import (
    BACKWARDS,
    CATALOGUE,
    FAMILIES,
    MERGES,
    Entry,
    as_entry,
    entries_for,
)
from kvfloor.conformance.comparison import Judgement, Worst
from kvfloor.conformance.domain import Domain
from kvfloor.conformance.draft import Draft
from kvfloor.conformance.judge import judge
from kvfloor.conformance.loading import load
from kvfloor.conformance.merging import Merging
from kvfloor.conformance.power import Power
from kvfloor.conformance.quantised import Quantised
from kvfloor.conformance.report import Failure, NotRun, Report
from kvfloor.conformance.runner import check, check_backward, check_merge, run
from kvfloor.conformance.size import Size
from kvfloor.conformance.storage import unstored
from kvfloor.conformance.target import Target
from kvfloor.conformance.targets import NAMED, NamedTarget, find_named, named_target
from kvfloor.conformance.terms import Joined
from kvfloor.conformance.vectors import write

__all__ = [
    "BACKWARDS",
    "CATALOGUE",
    "FAMILIES",
    "MERGES",
    "NAMED",
    "Answer",
    "Backward",
    "BackwardCase",
    "CallError",
    "Case",
    "Domain",
    "Draft",
    "Entry",
    "Failure",
    "Joined",
    "Judgement",
    "Merging",
    "NamedTarget",
    "NotRun",
    "Power",
    "Quantised",
    "Report",
    "Size",
    "Target",
    "Worst",
    "as_backward",
    "as_entry",
    "check",
    "check_backward",
    "check_merge",
    "entries_for",
    "find_named",
    "judge",
    "judge_gradients",
    "load",
    "named_target",
    "run",
    "unstored",
    "write",
]
