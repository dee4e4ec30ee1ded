"""The page docs/league.md, and the same rows as CSV: what `kvfloor league` writes."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from fractions import Fraction
from io import StringIO
from pathlib import Path
from shlex import quote
from typing import Any

from kvfloor import floor_of
from kvfloor.audit import Entrant, Result, Terms, left_out, matches, trace_of

__all__ = ["in_order", "league_csv", "league_page"]

COLUMNS = (
    "cache", "options", "bits a token", "back", "efficiency", "L", "wrong", "worst error",
    "mean error",
)  # fmt: skip

HEAD = """\
# The league{title}

{who}, at up to four budgets, on the same seeded instances: n = {n} tokens, keys
and values of {d} numbers, order {order}, answers to within α = {alpha}. One command makes it, and
goes on where it was interrupted; with `--cache MODULE:FACTORY` yours plays as well:

```sh
{command}
```

*Bits a token* is the largest state, measured, over n. *Back* is how many of them are certified to
come back, as in [efficiency](efficiency.md): {instances} instances of the family `dense`, with the
L of which most comes back on another instance. *Wrong* is the share of their symbols that answers
do not reveal. Errors are the distances of answers from the true outputs in these instances, whose
values are in [0, 1].

![Bits kept against bits that come back: no cache is above the diagonal]({name}.png)

Bits against the worst error, and the [largest floor](claims/best-floor.md) at each accuracy α. In
the grey no cache is that accurate on all inputs: one that is there, on these, is less so on others.

![Bits kept against worst error, with what the floor asks for at that accuracy]({name}-errors.png)

"""
DRAWING = """\
A drawing of {n} × {d} dots, stored as the values of an instance of `binary-values` and read back
dot by dot, by the query for each token. Dots that come back wrong are orange:

![A key of dots, as each cache gives it back at each budget]({name}-drawings.png)

"""
TRACE = """\
The last two columns are of the trace [{trace}]({trace}), {tokens} tokens: keys, values and
{queries} queries of a model with random weights. Errors are in units of its largest value. Its keys
and queries force {bits} bits a token on every cache that answers them to within α times the largest
value, by [given keys](traces.md): {told} of its tokens can be told apart so well.

"""
TAIL = """
Left out: {left_out}.

What to read from it, and what not:

* These are hard instances: random values under keys that are told apart easily. A cache that drops
  tokens loses what they held, whatever a model would ask.
"""
AT_ORDER_1 = """\
* Caches for one family, `FloorCache` and `WindowCache`, keep nothing of keys, which are public
  there. So they come near to the line.
* The drawing is not random: its rank is low, which suits `LowRankCache`.
"""
ROWS = """\
* `ExactCache` and `TwoCache` take only numbers that float64 holds, `PackedCache` whole ones. So
  they are measured with fewer levels than others.
* More levels at a smaller α would give more back from fine formats, and nothing more from coarse
  ones.

The rows are in [{name}.jsonl]({name}.jsonl) and [{name}.csv]({name}.csv); with `--html FILE` the
command makes one page of all this, whose table is sorted by a click on the name of a column.
"""


def in_order(
    results: Sequence[Result], terms: Terms, guests: Sequence[Entrant] = ()
) -> list[Result]:
    """Return results in the order of the entrants."""
    keys = [match.key for match in matches(terms, guests=guests)]
    return sorted(results, key=lambda result: keys.index(result.task))


def _row(result: Result) -> list[str]:
    """Return the cells of a result; what bounds something is rounded down."""
    names = [result.task["cache"], result.task["options"]]
    found: dict[str, Any] | None = result.efficiency
    trace = _traced(result) if result.task["trace"] else []
    if found is None:
        return [*names, *["–"] * 6, result.reason, *trace]
    back = Fraction(found["retrieved"])
    share = back / found["bits"] if found["bits"] else Fraction(0)  # of no bits none come back
    return [
        *names,
        f"{found['bits'] / found['n']:.1f}",
        f"{float(back / found['n'] * 10 // 1 / 10):.1f}",
        f"{float(share * 1000 // 1 / 1000):.3f}",
        str(found["levels"]),
        f"{found['wrong'] / found['symbols']:.3f}",
        f"{result.worst_error:.1g}",
        f"{result.mean_error:.1g}",
        *trace,
    ]


def _cell(text: str) -> str:
    """A cell of a table in Markdown: what an error says may hold a bar."""
    return text.replace("|", "\\|")


def _traced(result: Result) -> list[str]:
    """The cells of the trace."""
    if result.trace is None or "refused" in result.trace:
        return ["–"] * 2
    return [f"{result.trace[name]:.1g}" for name in ("worst", "mean")]


def _columns(terms: Terms) -> tuple[str, ...]:
    return COLUMNS + (("trace, worst", "trace, mean") if terms.trace else ())


def league_page(
    results: Sequence[Result],
    terms: Terms,
    name: str,
    only: Sequence[str] = (),
    guests: Sequence[Entrant] = (),
) -> str:
    """Return the page, results in the order given.

    Parameters
    ----------
    results : sequence of Result
    terms : Terms
    name : str
        Of its files.
    only : sequence of str
        Caches that played, if not all did.
    guests : sequence of Entrant
        That played beside them.
    """
    columns = _columns(terms)
    lines = [columns, ["---"] * 2 + ["--:"] * (len(columns) - 2), *map(_row, results)]
    table = "".join(f"| {' | '.join(map(_cell, cells))} |\n" for cells in lines)
    first = terms.order == 1
    head = HEAD, *[DRAWING] * first, *[TRACE] * bool(terms.trace)
    tail = TAIL, *[AT_ORDER_1] * first, ROWS
    known = _known(terms, name, only, guests)
    above, below = ("".join(part.format(**known) for part in parts) for parts in (head, tail))
    return above + table + below


def _known(
    terms: Terms, name: str, only: Sequence[str], guests: Sequence[Entrant]
) -> dict[str, Any]:
    """What the page says of the terms."""
    command = f"kvfloor league docs -n {terms.n} -d {terms.d} --alpha {terms.alpha}"
    of_trace: dict[str, Any] = {}
    if terms.instances != Terms().instances:
        command += f" --instances {terms.instances}"
    if terms.order != 1:
        command += f" --order {terms.order}"
    if terms.trace:
        file = Path(terms.trace).name
        command += f" --trace docs/{file}"
        of_trace = {"trace": file} | _forced(terms)
    if name != "league":
        command += f" --name {name}"
    command += "".join(f" --only {quote(cache)}" for cache in only) + _of_guests(guests)
    who = f"Of the caches that ship {len(only)}" if only else "Every cache that ships"
    who += "".join(f", `{cache}`" for cache in dict.fromkeys(one.cache for one in guests))
    title = "" if name == "league" else f": n = {terms.n}, order {terms.order}"
    return {
        **{"n": terms.n, "d": terms.d, "alpha": terms.alpha, "order": terms.order},
        "who": who,
        **{"instances": terms.instances, "title": title, "command": command, "name": name},
        "left_out": ", ".join(f"`{who}` ({why})" for who, why in left_out(terms.order).items()),
        **of_trace,
    }


def _of_guests(guests: Sequence[Entrant]) -> str:
    """The options of the command that name them, and what is set."""
    values = dict[str, dict[str, None]]()
    for option in (option for one in guests for option in one.options.split(", ") if option):
        name, _, value = option.partition("=")
        values.setdefault(name, {})[value] = None
    caches = dict.fromkeys(f" --cache {quote(one.cache)}" for one in guests)
    return "".join((*caches, *(f" --set {k}={quote(','.join(v))}" for k, v in values.items())))


def _forced(terms: Terms) -> dict[str, Any]:
    """What the trace's keys and queries force (H4 `given-keys`)."""
    instance = trace_of(terms)
    keys, _ = instance.slots
    floor = floor_of(keys, instance.queries, alpha=terms.alpha, d_v=terms.d, scale=1)
    count = len(instance.tokens)
    bits = f"{floor.bits / count:.1f}"
    told = len(floor.tokens)
    return {"tokens": count, "queries": len(instance.queries), "bits": bits, "told": told}


def league_csv(results: Sequence[Result], terms: Terms) -> str:
    """Return the table as CSV."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_columns(terms))
    writer.writerows(map(_row, results))
    return text.getvalue()
