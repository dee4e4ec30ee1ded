"""What Coq says of theories of certificates, in a process that cleans up however its parent ends.

``python -m kvfloor_proofs.kernel.certification FOLDER THEORIES PARENT`` has Coq read each theory of
a folder, in the order of their names; it prints a JSON list of exit statuses and of what Coq said.
What the checker needs is compiled first, once for each version of theories and of Coq, into the
user's cache. With exit status 1 it prints what ``make`` complains about.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from kvfloor_proofs.kernel.compilation import end_when_left, ran
from kvfloor_proofs.kernel.coq import copy_theories

__all__ = ["compiled_checker"]


def compiled_checker(folder: Path, cache: Path) -> Path:
    """Return a folder with the checker's theories, compiled, below another one.

    Parameters
    ----------
    folder : Path
        Of the theories.
    cache : Path
        Where compiled ones are kept, by a digest of all theories and of Coq's version.
    """
    with tempfile.TemporaryDirectory(dir=cache, prefix="compiling-") as temporary:
        copy = Path(temporary, "coq")
        copy_theories(folder, copy)
        kept = cache / f"coq-{_digest(copy)}"
        if not kept.is_dir():
            code, said = ran(("make", "checker", f"PYTHON={sys.executable}"), copy)
            if code:
                sys.stdout.write(said)
                sys.exit(1)
            with suppress(OSError):  # another process was faster
                copy.rename(kept)
    return kept


def _digest(theories: Path) -> str:
    """Of every file of a clean copy, and of what would compile it."""
    _, version = ran(("coqc", "--version"), theories)
    digest = hashlib.sha256(version.encode())
    for file in sorted(path for path in theories.rglob("*") if path.is_file()):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(theories).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:32]


def main(folder: str, theories: str, parent: str) -> NoReturn:
    """Compile and print; end early, and leave nothing, if the parent does or sends SIGTERM."""
    end_when_left(int(parent))
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    cache = home / "kvfloor"
    with tempfile.TemporaryDirectory() as temporary:
        try:
            cache.mkdir(parents=True, exist_ok=True)
        except OSError:  # nothing can be kept
            cache = Path(temporary)
        compiled = compiled_checker(Path(folder), cache)
        call = ("coqc", "-R", str(compiled), "KVFloor")
        found = [
            ran((*call, "-o", str(Path(temporary, f"{theory.stem}.vo")), str(theory)), compiled)
            for theory in sorted(Path(theories).glob("*.v"))
        ]
    sys.stdout.write(json.dumps(found))
    sys.exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
