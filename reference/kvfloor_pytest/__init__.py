"""The part of kvfloor's pytest plugin that every run of pytest imports: options, and nothing else.

What runs the suite is `kvfloor.conformance.plugin`, which is imported if a target is named.
"""

from __future__ import annotations

import os
from importlib import import_module

import pytest

__all__ = ["pytest_addoption", "pytest_configure"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the suite."""
    group = parser.getgroup("kvfloor", "conformance of attention (kvfloor)")
    group.addoption(
        "--kvfloor",
        metavar="MODULE:TARGET",
        help="a kvfloor.conformance.Target; else KVFLOOR_TARGET, or kvfloor_target in the ini file",
    )
    group.addoption(
        "--kvfloor-expected",
        metavar="FILE",
        help="flags that are expected to fail, one a line with a reason; or kvfloor_expected",
    )
    parser.addini("kvfloor_target", "MODULE:TARGET to be examined", default="")
    parser.addini("kvfloor_expected", "file of flags that are expected to fail", default="")


def pytest_configure(config: pytest.Config) -> None:
    """Load the suite if there is a target."""
    target = (
        config.getoption("--kvfloor")
        or os.environ.get("KVFLOOR_TARGET")
        or config.getini("kvfloor_target")
    )
    if target:
        suite = import_module("kvfloor.conformance.plugin")
        expected = config.getoption("--kvfloor-expected") or config.getini("kvfloor_expected")
        config.pluginmanager.register(
            suite.Suite(config, target, expected or None), "kvfloor-suite"
        )
