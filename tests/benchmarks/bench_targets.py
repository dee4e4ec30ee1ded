"""The named targets that are installed, under the kit: the table in docs/conformance.md.

``PYTHONPATH=tests python tests/benchmarks/bench_targets.py [--backward] [NAME ...]``; with all of
them it takes most of an hour. With ``--backward`` it is that of docs/backward.md, of the backward
passes of those that are differentiable. Each is run in its first format with every mask that it
serves and with padding, and without a mask in every other. A cell is the worst error over its bound
of these runs, and the entries that fail; after the table each failure is described. Not run is what
none of a target's runs could run.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import NamedTuple

from kvfloor import InputError, Window
from kvfloor.conformance import NAMED, NamedTarget, Report, Target, run

FORMATS = ("float32", "float64", "bfloat16", "float16")
EXAMPLES = {"jax": 0}  # by package, else 2; JAX compiles for every shape that is drawn
DIFFERENTIABLE = ("torch", "jax")  # by their arrays
# what no target with a name has
UNDECLARED = [
    *(f"no {it} is declared" for it in ("sink", "softcap", "array of biases", "alibi", "padding")),
    "no cotangent of the log-sum-exp is declared",
    "no splits are declared",
    "nothing is quantised",
    "sequences are neither packed nor in pages",
    "sequences are not packed",
    "there are no pages",
    "arrays of jax have no strides",
    "no stages are returned",
]


class Found(NamedTuple):
    """One run of a target."""

    form: str
    mask: str
    report: Report


def targets(named: NamedTarget, *, backward: bool) -> Iterator[Target]:
    first, *others = named.formats
    for kind in named.masks:
        window = Window(3, 1, top_left=named.windows == "top-left")
        yield named.target(dtype=first, mask=window if kind == "window" else kind)
    if named.padded and not backward:
        yield named.target(dtype=first, padded=named.padded)
    for form in others:
        yield named.target(dtype=form)


def cell(found: list[Found]) -> str:
    """What is said of one format."""
    if not found:
        return ""
    if not any(one.report.answered for one in found):
        return "never answers"
    worst = max(one.report.worst_ratio for one in found)
    failed = sorted({failure.flag for one in found for failure in one.report.failures})
    if failed:
        return f"{worst:.2g}: fails {', '.join(failed)}"
    if all(not one.report.ok for one in found):
        return "says nothing"
    return f"{worst:.2f}"


def not_run(named: NamedTarget, found: list[Found]) -> str:
    """Entries that no run could run, those with one reason together."""
    runs = [dict(one.report.not_run) for one in found]
    flags: dict[str, list[str]] = {}
    for flag in runs[0]:
        if all(flag in each for each in runs):
            reasons = [each[flag] for each in runs if not each[flag].startswith("the mask is")]
            reason = reasons[0] if reasons else f"masks are {', '.join(named.masks)}"
            if reason not in UNDECLARED:
                flags.setdefault(reason, []).append(flag)
    return "; ".join(f"{', '.join(each)}: {reason}" for reason, each in flags.items())


def failures(name: str, found: list[Found]) -> Iterator[str]:
    for one in found:
        for failure in one.report.failures:
            yield f"* {name}, {one.form}, mask {one.mask}, `{failure.flag}`: {failure.message}"
        if one.report.unbounded:
            share = f"{one.report.unbounded} of {one.report.elements} numbers"
            yield f"* {name}, {one.form}, mask {one.mask}: {share} have no bound"


def main() -> None:
    backward, chosen = "--backward" in sys.argv, [a for a in sys.argv[1:] if a != "--backward"]
    sys.stdout.write(f"| target | package | {' | '.join(FORMATS)} | not run |\n|{'---|' * 7}\n")
    notes = []
    for named in NAMED:
        if chosen and named.name not in chosen:
            continue
        if backward and named.call.get("arrays") not in DIFFERENTIABLE:
            continue
        try:
            examples = EXAMPLES.get(named.package, 2)
            found = [
                Found(
                    t.inputs.name,
                    "padded" if t.padded else t.kind,
                    run(named.backward(t) if backward else t, examples=examples),
                )
                for t in targets(named, backward=backward)
            ]
        except InputError as error:
            notes.append(f"* not run at all: {error}")
            continue
        cells = [cell([one for one in found if one.form == form]) for form in FORMATS]
        row = (f"`{named.name}`", f"{named.package} {named.version}", *cells, not_run(named, found))
        sys.stdout.write(f"| {' | '.join(row)} |\n")
        sys.stdout.flush()
        notes += failures(named.name, found)
    sys.stdout.write("\n" + "\n".join(notes) + "\n")


if __name__ == "__main__":
    main()
