"""Are the answers right? A catalogue of instances for caches of any size, judged exactly."""

from kvfloor.audit.accuracy.catalogue import CATALOGUE, FAMILIES, Entry
from kvfloor.audit.accuracy.domains import SERVES
from kvfloor.audit.accuracy.draft import MOST_LOGIT, Draft
from kvfloor.audit.accuracy.examine import Bench, Entered, Failure, examine
from kvfloor.audit.accuracy.findings import Reported, contrast, reported
from kvfloor.audit.accuracy.instance import Instance, Miss, TrueOutput, token_of
from kvfloor.audit.accuracy.sizes import lengths_at, named_sizes, sizes_at
from kvfloor.audit.accuracy.traces import read_trace

__all__ = [
    "CATALOGUE",
    "FAMILIES",
    "MOST_LOGIT",
    "SERVES",
    "Bench",
    "Draft",
    "Entered",
    "Entry",
    "Failure",
    "Instance",
    "Miss",
    "Reported",
    "TrueOutput",
    "contrast",
    "examine",
    "lengths_at",
    "named_sizes",
    "read_trace",
    "reported",
    "sizes_at",
    "token_of",
]
