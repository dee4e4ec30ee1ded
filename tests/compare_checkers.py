"""Whether the checker in Python and the one in Coq accept the same certificates.

``PYTHONPATH=tests python tests/compare_checkers.py MANY SEED`` damages so many and prints what
became of them; Coq reads a few hundred at a time.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from random import Random

from kvfloor import check
from kvfloor.certificates import InvalidError, MalformedError, parse
from kvfloor_proofs.kernel import sources
from kvfloor_proofs.kernel.proving import accepted_by_checker
from kvfloor_proofs.kernel.vernacular import Exported, UnspeakableError, exported
from subtle_damage import bases, damaged, sealed

__all__ = ["compared"]

BATCH = 250


def compared(texts: Iterable[str]) -> tuple[Counter[str], list[str]]:
    """Count what both say of certificates, and return those of which they do not say the same."""
    outcomes, differing, asked = Counter[str](), list[str](), dict[str, Exported]()
    for text in texts:
        read = _read(text)
        if isinstance(read, Exported):
            asked[text] = read
        elif read == "no theorem":
            outcomes[f"no theorem, Python: {check(text).status}"] += 1
        else:
            outcomes[read] += 1
            differing += [text] if check(text).status == "ok" else []
    for text, coq in zip(asked, accepted_by_checker([*asked.values()], sources()), strict=True):
        python = check(text).status == "ok"
        outcomes[f"{'accepted' if coq else 'refused'} by Coq"] += 1
        differing += [text] if coq != python else []
    return outcomes, differing


def _read(text: str) -> Exported | str:
    try:
        return exported(parse(text))
    except UnspeakableError:
        return "no theorem"
    except (InvalidError, MalformedError):
        return "refused where it is read"


def _damaged(seed: int) -> Iterator[str]:
    rng = Random(seed)
    while True:
        for document in bases(rng, 5):
            for copy in islice(damaged(document, rng), 5):
                yield sealed(copy)


def main(many: int, seed: int) -> None:
    texts, outcomes, differing = _damaged(seed), Counter[str](), list[str]()
    while (left := many - outcomes.total()) > 0:
        counts, found = compared(islice(texts, min(BATCH, left)))
        outcomes, differing = outcomes + counts, differing + found
        sys.stdout.write(f"{dict(outcomes)} differing: {len(differing)}\n")
        sys.stdout.flush()
    sys.stdout.writelines(f"{text}\n" for text in differing)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
