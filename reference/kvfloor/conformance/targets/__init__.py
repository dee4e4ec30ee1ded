"""Named targets: attention of known packages, found if they are installed."""

from kvfloor.conformance.targets.known import NAMED, find_named, named_target
from kvfloor.conformance.targets.named import Arithmetic, NamedTarget

__all__ = ["NAMED", "Arithmetic", "NamedTarget", "find_named", "named_target"]
