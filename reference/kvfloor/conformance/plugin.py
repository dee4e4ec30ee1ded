"""The suite as pytest items: one for each entry of the catalogue; what cannot run is skipped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from kvfloor.conformance.catalogue import (
    FAMILIES,
    Entry,
    as_entry,
    catalogue_of,
    entries_for,
)
from kvfloor.conformance.loading import load
from kvfloor.conformance.runner import run
from kvfloor.conformance.size import Size
from kvfloor.conformance.target import Target
from kvfloor.conformance.targets import find_named
from kvfloor.errors import InputError

__all__ = ["EntryItem", "Suite", "read_expected"]


class Suite:
    """The plugin that adds the items.

    Parameters
    ----------
    config : pytest.Config
    spec : str
        ``MODULE:TARGET``.
    expected : str, optional
        A file of entries that are expected to fail.
    """

    def __init__(self, config: pytest.Config, spec: str, expected: str | None) -> None:
        config.addinivalue_line("markers", "kvfloor: conformance of attention")
        for family in FAMILIES:
            config.addinivalue_line("markers", f"kvfloor_{family}: entries of that family")
        try:
            self.target = _target(spec)
            self.expected = {} if expected is None else read_expected(config.rootpath / expected)
            _check_flags(self.target, self.expected)
        except (InputError, OSError) as error:
            raise pytest.UsageError(str(error)) from None
        self.name = spec.partition(":")[2]

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, items: list[pytest.Item]
    ) -> None:
        """Add an item for each entry, before any are deselected."""
        for entry in catalogue_of(self.target):
            item = EntryItem.from_parent(
                session, name=f"{self.name}[{entry.flag}]", entry=entry, target=self.target
            )
            item.add_marker("kvfloor")
            item.add_marker(f"kvfloor_{entry.family}")
            if entry.flag in self.expected:
                item.add_marker(pytest.mark.xfail(reason=self.expected[entry.flag], strict=True))
            items.append(item)


class EntryItem(pytest.Item):
    """One entry of the catalogue."""

    def __init__(self, *, entry: Entry, target: Target, **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type]
        self.entry = entry
        self.target = target

    def runtest(self) -> None:
        """Run the entry; the message of a failure is the report's."""
        reason = self.entry.unless(self.target)
        if reason:
            pytest.skip(reason)
        if self.target.fit(Size(1, 1, 1, 1, (2,) * self.target.order, 1, 1)).tuples == 1:
            pytest.fail("no case has more than one tuple, or part", pytrace=False)
        report = run(self.target, flags=[self.entry.flag])
        self.user_properties += [(each.flag, each.found) for each in report.repeated]
        if report.not_run:
            pytest.skip(report.not_run[0].reason)
        if report.failures or report.unbounded == report.elements:
            pytest.fail(str(report), pytrace=False)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where it stands in reports."""
        return self.path, None, f"kvfloor: {self.name}"


def _target(spec: str) -> Target:
    named = find_named(spec)
    if named is not None:
        return named.target()
    found = load(spec, "--kvfloor")
    if not isinstance(found, Target):
        expected = "a kvfloor.conformance.Target"
        raise InputError("--kvfloor", expected, f"a {type(found).__name__}")
    return replace(found, source=f"{spec}.function")


def _check_flags(target: Target, expected: Iterable[str]) -> None:
    """Refuse flags that do not apply to a target."""
    applicable = [entry.flag for entry in entries_for(target)]
    for flag in expected:
        if flag not in applicable:
            raise InputError("--kvfloor-expected", "flags that apply to the target", repr(flag))


def read_expected(path: Path) -> dict[str, str]:
    """Read a file of expected failures: a flag and a reason on each line; # begins a comment.

    Raises
    ------
    InputError
        If a flag is unknown, or has no reason.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(path.name, "text in UTF-8", str(error)) from None
    expected = {}
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition("#")[0].split(maxsplit=1)
        if not words:
            continue
        if len(words) == 1:
            raise InputError(f"{path.name}:{number}", "a flag and a reason", repr(line.strip()))
        expected[as_entry(words[0]).flag] = words[1].strip()
    return expected
