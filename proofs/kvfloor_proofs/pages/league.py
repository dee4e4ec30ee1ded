"""The page docs/league.md, and the same rows as CSV: what `kvfloor league` writes."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from fractions import Fraction
from io import StringIO
from typing import Any

from kvfloor.audit import LEFT_OUT, Result, Terms, matches

__all__ = ["in_order", "league_csv", "league_page"]

COLUMNS = (
    "cache", "options", "bits a token", "back", "efficiency", "L", "wrong", "worst error",
    "mean error",
)  # fmt: skip

HEAD = """\
# The league

Every cache that ships, at up to four budgets, on the same seeded instances: n = {n} tokens, keys
and values of {d} numbers, order 1, answers to within α = {alpha}. It is made by one command, which
goes on where it was interrupted:

```sh
kvfloor league docs -n {n} -d {d} --alpha {alpha}
```

*Bits a token* is the largest state, measured, over n. *Back* is how many of them are certified to
come back, as in [efficiency](efficiency.md): {instances} instances of the family `dense`, with the
L of which most comes back on another instance. *Wrong* is the share of their symbols that answers
do not reveal. Errors are the distances of answers from the true outputs in these instances, whose
values are in [0, 1].

![Bits kept against bits that come back: no cache is above the diagonal](league.png)

A drawing of {n} × {d} dots, stored as the values of an instance of `binary-values` and read back
dot by dot, by the query for each token. Dots that come back wrong are orange:

![A key of dots, as each cache gives it back at each budget](league-drawings.png)

"""
TAIL = """
Left out: {left_out}.

What to read from it, and what not:

* These are hard instances: random values under keys that are told apart easily. A cache that drops
  tokens loses what they held, whatever a model would ask.
* Caches for one family, `FloorCache` and `WindowCache`, keep nothing of keys, which are public
  there. So they come near to the line.
* `ExactCache` and `TwoCache` take only numbers that float64 holds, `PackedCache` whole ones. So
  they are measured with fewer levels than others.
* The drawing is not random: its rank is low, which suits `LowRankCache`.
* More levels at a smaller α would give more back from fine formats, and nothing more from coarse
  ones.

The rows are in [league.jsonl](league.jsonl) and [league.csv](league.csv).
"""


def in_order(results: Sequence[Result], terms: Terms) -> list[Result]:
    """Return results in the order of the entrants."""
    keys = [match.key for match in matches(terms)]
    return sorted(results, key=lambda result: keys.index(result.task))


def _row(result: Result) -> list[str]:
    """Return the cells of a result; what bounds something is rounded down."""
    names = [result.task["cache"], result.task["options"]]
    found: dict[str, Any] | None = result.efficiency
    if found is None:
        return [*names, *["–"] * 6, result.reason]
    back = Fraction(found["retrieved"])
    return [
        *names,
        f"{found['bits'] / found['n']:.1f}",
        f"{float(back / found['n'] * 10 // 1 / 10):.1f}",
        f"{float(back / found['bits'] * 1000 // 1 / 1000):.3f}",
        str(found["levels"]),
        f"{found['wrong'] / found['symbols']:.3f}",
        f"{result.worst_error:.1g}",
        f"{result.mean_error:.1g}",
    ]


def league_page(results: Sequence[Result], terms: Terms) -> str:
    """Return the page, results in the order given."""
    lines = [COLUMNS, ["---"] * 2 + ["--:"] * 7, *map(_row, results)]
    table = "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
    left_out = ", ".join(f"`{name}` ({reason})" for name, reason in LEFT_OUT.items())
    head = HEAD.format(n=terms.n, d=terms.d, alpha=terms.alpha, instances=terms.instances)
    return head + table + TAIL.format(left_out=left_out)


def league_csv(results: Sequence[Result]) -> str:
    """Return the table as CSV."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(map(_row, results))
    return text.getvalue()
