"""Certificates of findings: written into a folder, one a file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import click

from kvfloor.audit import Finding
from kvfloor_proofs.cli.files import write

__all__ = ["check_folder", "write_certificates"]


def check_folder(folder: str | None) -> None:
    """Refuse a folder that there is not, before the work is done."""
    if folder is not None and not Path(folder).is_dir():
        raise click.UsageError(f"--certificates: expected a folder that exists, got {folder!r}")


def write_certificates(findings: Iterable[Finding], folder: str | None) -> None:
    """Write the certificates that there are, if there is a folder to write them into."""
    named = Counter[str]()
    for finding in findings:
        if folder is None or finding.certificate is None:
            continue
        named[finding.kind] += 1
        count = named[finding.kind]
        name = finding.kind if count == 1 else f"{finding.kind}-{count}"
        text = json.dumps(finding.certificate, indent=2) + "\n"
        write(str(Path(folder) / f"{name}.json"), text)
