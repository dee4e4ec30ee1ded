"""Audit a compressor of your own: ``python audit_your_own.py``."""

import json
import sys
from pathlib import Path

import kvfloor
from kvfloor.caches import ExactCache


class Every(ExactCache):
    """Keeps every second token."""

    def append(self, keys, values):
        """Take a token, or not."""
        self.seen = getattr(self, "seen", 0) + 1
        if self.seen % 2:
            super().append(keys, values)


if __name__ == "__main__":
    # Processes of their own run the cache, so it is named by its module.
    sys.path.insert(0, str(Path(__file__).parent))
    audit = kvfloor.audit("audit_your_own:Every", n=32, d=8, order=1)
    print(audit.verdict, f"with {audit.bits} bits, where {audit.floor.bits} are the floor")
    for k, finding in enumerate(audit.findings):
        print(finding.reason)
        Path(f"{finding.kind}-{k}.json").write_text(json.dumps(finding.certificate))
