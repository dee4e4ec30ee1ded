"""Certificates that Coq checks: its kernel accepts a theorem of what each of them says."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from kvfloor.certificates import Document
from kvfloor_proofs.kernel.coq import KernelError, axioms_beyond, said_by
from kvfloor_proofs.kernel.vernacular import Exported, UnspeakableError, batch, exported, theory

__all__ = ["Certified", "accepted_by_checker", "certified"]

CERTIFICATION = "kvfloor_proofs.kernel.certification"
REFUSED = 'The term "eq_refl" has type "true = true" while'  # and the checker computes false
VERDICT = re.compile(r"\s*= (true|false)\s*: bool\s*")


class Certified(NamedTuple):
    """Whether Coq's kernel accepted a theorem of what a certificate says; that, or why not.

    `proved` is None if Coq came to no verdict: it ran out of memory, or said what it should not.
    """

    proved: bool | None
    said: str


def certified(documents: Sequence[Document], folder: Path) -> list[Certified]:
    """Have Coq check certificates.

    Parameters
    ----------
    documents : sequence of Document
        Certificates that `kvfloor.certificates.check` accepts.
    folder : Path
        Of the theories, as `sources` gives it. A clean copy is compiled: half a minute or so.

    Raises
    ------
    KernelError
        If Coq is missing, or rejects the theories.
    """
    found = [_exported(document) for document in documents]
    theories = [theory(certificate) for certificate in found if isinstance(certificate, Exported)]
    said = iter(_said(theories, folder))
    return [
        Certified(False, one) if isinstance(one, str) else _verdict(one, *next(said))
        for one in found
    ]


def accepted_by_checker(certificates: Sequence[Exported], folder: Path) -> list[bool]:
    """Return whether Coq's checker, which is proved, accepts each certificate.

    Raises
    ------
    KernelError
        If Coq is missing, or says anything else.
    """
    if not certificates:
        return []
    ((code, said),) = _said([batch(certificates)], folder)
    if code or not re.fullmatch(f"({VERDICT.pattern})*", said):
        raise KernelError(f"Coq says of certificates {said[:200]!r}")
    return [word == "true" for word in VERDICT.findall(said)]


def _exported(document: Document) -> Exported | str:
    try:
        return exported(document)
    except UnspeakableError as error:
        return f"no theorem of Coq's speaks of it: {error}"


def _said(theories: Sequence[str], folder: Path) -> list[tuple[int, str]]:
    """Exit status and output of Coq for each theory."""
    with tempfile.TemporaryDirectory() as temporary:
        for number, text in enumerate(theories):
            Path(temporary, f"certificate{number:06}.v").write_text(text, encoding="utf-8")
        said = json.loads(said_by(CERTIFICATION, folder, Path(temporary)))
    return [(code, text) for code, text in said]


def _verdict(certificate: Exported, code: int, said: str) -> Certified:
    if code and REFUSED in said:
        return Certified(False, "Coq's checker refuses it")
    if code < 0:
        return Certified(None, f"signal {-code} ended Coq")
    if code or (axioms := axioms_beyond(said.rstrip())) is None:
        words = " ".join(said[max(0, said.find("Error")) :].split())
        return Certified(None, f"Coq ended with {code} and said {words[:200]!r}")
    if axioms:
        return Certified(None, f"the theorem rests on {', '.join(axioms)}")
    return Certified(True, certificate.meaning)
