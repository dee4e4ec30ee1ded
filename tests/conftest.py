"""Hypothesis profiles, chosen by HYPOTHESIS_PROFILE: quick (the default), ci, thorough."""

from __future__ import annotations

import os

from hypothesis import settings

base = settings(deadline=None, derandomize=True, database=None, print_blob=False)
settings.register_profile("quick", base, max_examples=60)
settings.register_profile("ci", base, max_examples=200)
settings.register_profile("thorough", base, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
