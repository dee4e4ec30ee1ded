"""What Coq says of theories of certificates, in a process that cleans up however its parent ends.

``python -m kvfloor_proofs.kernel.certification FOLDER THEORIES PARENT`` compiles what the checker
needs, then each theory of a folder, in the order of their names; it prints a JSON list of exit
statuses and of what Coq said. With exit status 1 it prints what ``make`` complains about.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

from kvfloor_proofs.kernel.compilation import end_when_left, ran
from kvfloor_proofs.kernel.coq import copy_theories

__all__: list[str] = []


def main(folder: str, theories: str, parent: str) -> NoReturn:
    """Compile and print; end early, and leave nothing, if the parent does or sends SIGTERM."""
    end_when_left(int(parent))
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary, "coq")
        copy_theories(Path(folder), copy)
        code, said = ran(("make", "checker", f"PYTHON={sys.executable}"), copy)
        if code:
            sys.stdout.write(said)
            sys.exit(1)
        call = ("coqc", "-R", str(copy), "KVFloor")
        found = [
            ran((*call, "-o", str(copy / f"{theory.stem}.vo"), str(theory)), copy)
            for theory in sorted(Path(theories).glob("*.v"))
        ]
    sys.stdout.write(json.dumps(found))
    sys.exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
