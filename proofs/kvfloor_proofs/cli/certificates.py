"""Certificates of findings: written into a folder, one a file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from kvfloor.audit import Finding
from kvfloor_proofs.cli.files import write

__all__ = ["write_certificates"]


def write_certificates(findings: Iterable[Finding], folder: str | None) -> None:
    """Write the certificates that there are, if a folder is named; make it if there is none."""
    named = Counter[str]()
    for finding in findings:
        if folder is None or finding.certificate is None:
            continue
        Path(folder).mkdir(exist_ok=True)
        named[finding.kind] += 1
        count = named[finding.kind]
        name = finding.kind if count == 1 else f"{finding.kind}-{count}"
        text = json.dumps(finding.certificate, indent=2) + "\n"
        write(str(Path(folder) / f"{name}.json"), text)
