"""Every press of kvpress and every cache of Transformers, audited inside a model: a table.

``python tests/benchmarks/bench_in_model.py [ROWS]`` prints it as docs/adapters.md has it; rows that
are in the file ROWS already, as JSON lines, are not run again.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import kvpress
import transformers

from kvfloor.adapters import audit_in_model

__all__ = ["NEEDS", "SHAPE", "audited", "entries", "table"]

SHAPE: dict[str, Any] = {"n": 256, "d": 32, "layers": 2, "heads": 2, "query_heads": 4}
WINDOW = 64
LONGEST = 90  # letters of what a row tells
# Presses that do not run without what is downloaded, or without the text of the tokens.
NEEDS = {
    "BasePress": "has no `compress` of its own",
    "ScorerPress": "has no `score` of its own",
    "DuoAttentionPress": "downloads which heads look back",
    "ExpectedAttentionStatsPress": "downloads statistics of a model",
    "FastKVzipPress": "downloads gates of a model",
    "KVzapPress": "downloads a model that scores",
    "QFilterPress": "downloads filters of a model",
}


def entries() -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Yield name, compressor and changes of the shape."""
    half = {"compression_ratio": 0.5}
    knorm = kvpress.KnormPress(**half)
    snap = kvpress.SnapKVPress(**half)
    singly = {"base_press": kvpress.KnormPress(), "compression_interval": 32}
    wrapped: dict[str, dict[str, Any]] = {
        "AdaKVPress": {"press": snap},
        "BlockPress": {"press": knorm},
        "CAMPress": singly | {"target_size": 64},
        "ChunkKVPress": {"press": knorm},
        "ChunkPress": {"press": knorm},
        "ComposedPress": {"presses": [knorm, kvpress.ThinKPress(0.5)]},
        "CompressionRatioDecodingPress": singly,
        "CriticalAdaKVPress": {"press": snap},
        "CriticalKVPress": {"press": snap},
        "DMSPress": {"press": knorm, "threshold": 0.5},
        "DecodingPress": singly | {"target_size": 64},
        "EntropyGatedChunkKVPress": {"press": knorm},
        "KeyRerotationPress": {"press": knorm},
        "MergingPress": {"press": knorm},
        "PerLayerCompressionPress": {"press": knorm, "compression_ratios": [0.5, 0.25]},
        "PrefillDecodingPress": {
            "prefilling_press": knorm,
            "decoding_press": kvpress.DecodingPress(**singly, target_size=64),
        },
        "LUKVPress": {"press": snap},
        "ThinKPress": {"key_channel_compression_ratio": 0.5},
        "SimLayerKVPress": {"lazy_threshold": 0.5},
    }  # fmt: skip
    for name in sorted(x for x in kvpress.__all__ if x.endswith("Press") and x not in NEEDS):
        options = wrapped.get(name, half)
        changes = {"attention": "eager"} if name == "ObservedAttentionPress" else {}
        yield f"kvpress:{name}", partial(getattr(kvpress, name), **options), changes
    quantised = {"axis_key": 0, "axis_value": 0, "q_group_size": 32}
    yield "transformers:DynamicCache", "transformers:DynamicCache", {}
    yield "transformers:DynamicCache, window", "transformers:DynamicCache", {"window": WINDOW}
    yield "transformers:StaticCache", "transformers:StaticCache", {}
    yield "transformers:StaticCache, window", "transformers:StaticCache", {"window": WINDOW}
    for backend, bits in (("quanto", 4), ("quanto", 2), ("hqq", 4), ("hqq", 1)):
        made = partial(transformers.QuantizedCache, backend, nbits=bits, **quantised)
        yield f"transformers:QuantizedCache, {backend}, {bits} bits", made, {}
    offloaded = partial(transformers.DynamicCache, offloading=True)
    yield "transformers:DynamicCache, offloaded", offloaded, {}


def audited(file: Path) -> list[dict[str, Any]]:
    """Return a row for each entry, taken from the file or appended to it."""
    lines = file.read_text().splitlines() if file.exists() else []
    done = {row["name"]: row for row in map(json.loads, lines)}
    for name, compressor, changes in entries():
        if name not in done:
            found = audit_in_model(compressor, **SHAPE | changes)
            done[name] = {"name": name} | found.to_json()
            with file.open("a") as stream:
                stream.write(json.dumps(done[name]) + "\n")
    return list(done.values())


def table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the lines of the table."""
    yield "| compressor | verdict | bits held over the floor | bits back | answers off, of 128 |"
    yield "|---|---|---|---|---|"
    yield from map(table_line, rows)
    for name, reason in NEEDS.items():
        yield f"| `kvpress:{name}` | not run | | | {reason} |"


def table_line(row: dict[str, Any]) -> str:
    """Return a row of the table."""
    asked, bits = row["asked"], row["held"].get("bits")
    share = f"{bits / row['floor_bits']:.1f}" if bits else ""
    back = f"{100 * (1 - row['wrong'] / asked):.1f} %" if asked else ""
    told = row["findings"][0]["reason"] if row["findings"] else ""
    outside = sorted({name.rsplit(".", 1)[-1] for name in row["outside"]})
    kept = f"beside the cache: {', '.join(outside)}" if outside else ""
    looks = ", ".join(f"{count} {loss}" for loss, count in row["losses"].items())
    found = kept if row["verdict"] == "misbehaves" else looks or kept
    if row["verdict"] == "not-served":
        found = shortened(told.splitlines()[-1])
    return f"| `{row['name']}` | `{row['verdict']}` | {share} | {back} | {found} |"


def shortened(text: str) -> str:
    """Return the first words of a text."""
    return text if len(text) <= LONGEST else text[: text.rindex(" ", 0, LONGEST)] + " …"


if __name__ == "__main__":
    found = audited(Path(sys.argv[1] if len(sys.argv) > 1 else "in-model.jsonl"))
    versions = ", ".join(f"{name} {number}" for name, number in found[0]["versions"].items())
    sys.stdout.write("\n".join((versions, "", *table(found))) + "\n")
