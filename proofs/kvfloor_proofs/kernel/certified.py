"""Certificates that Coq checks: its kernel accepts a theorem of what each of them says."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from kvfloor.certificates import Document
from kvfloor_proofs.kernel.coq import KernelError, axioms_beyond, said_by
from kvfloor_proofs.kernel.vernacular import Exported, batch, exported, theory

__all__ = ["accepted_by_checker", "certified"]

CERTIFICATION = "kvfloor_proofs.kernel.certification"
REFUSED = 'Unable to unify "true" with "false"'  # what the checker computes is not what it should
VERDICT = re.compile(r"\s*= (true|false)\s*: bool\s*")


def certified(documents: Sequence[Document], folder: Path) -> list[str | None]:
    """Return for each certificate what Coq's kernel accepted a proof of; None if it refused.

    Parameters
    ----------
    documents : sequence of Document
        Certificates that `kvfloor.certificates.check` accepts.
    folder : Path
        Of the theories, as `sources` gives it. A clean copy is compiled: seconds.

    Raises
    ------
    KernelError
        If Coq is missing, or says anything else.
    """
    certificates = [exported(document) for document in documents]
    said = _said([theory(certificate) for certificate in certificates], folder)
    return [
        _meaning(certificate, *outcome)
        for certificate, outcome in zip(certificates, said, strict=True)
    ]


def accepted_by_checker(certificates: Sequence[Exported], folder: Path) -> list[bool]:
    """Return whether Coq's checker, which is proved, accepts each certificate.

    Raises
    ------
    KernelError
        If Coq is missing, or says anything else.
    """
    ((code, said),) = _said([batch(certificates)], folder)
    if code or not re.fullmatch(f"({VERDICT.pattern})*", said):
        raise KernelError(f"Coq says of certificates {said[:200]!r}")
    return [word == "true" for word in VERDICT.findall(said)]


def _said(theories: Sequence[str], folder: Path) -> list[tuple[int, str]]:
    """Exit status and output of Coq for each theory."""
    with tempfile.TemporaryDirectory() as temporary:
        for number, text in enumerate(theories):
            Path(temporary, f"certificate{number:06}.v").write_text(text, encoding="utf-8")
        said = json.loads(said_by(CERTIFICATION, folder, Path(temporary)))
    return [(code, text) for code, text in said]


def _meaning(certificate: Exported, code: int, said: str) -> str | None:
    if code and REFUSED in said:
        return None
    if code or (axioms := axioms_beyond(said.rstrip())) is None:
        raise KernelError(f"Coq says of a certificate {' '.join(said.split())[:200]!r}")
    if axioms:
        raise KernelError(f"a certificate's theorem rests on {', '.join(axioms)}")
    return certificate.meaning
