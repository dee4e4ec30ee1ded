"""`kvfloor floor`: floors with their claims, shapes from configurations, one line for bad input."""

from __future__ import annotations

import json
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest

from commands import ran
from kvfloor import check

ISSUE = "-n 131072 -d 128 --layers 32 --kv-heads 8 --alpha 1/256"
SHOWN = """\
32 x 8 key-value heads, d=128, d_v=128: 131072 tokens
  key-levels: 59189794048 bits, 8455684864 symbols of 128 levels
  value-levels: 30064771072 bits, 4294967296 symbols of 128 levels
  four-cache: 4294967296 bits, 4294967296 symbols of 2 levels
best: 59189794048 bits, 7.4 GB (key-levels)
float16 cache: 137438953472 bits, 17.2 GB
ratio: 0.4307
"""
GEMMA = {
    "model_type": "gemma2", "hidden_size": 3584, "num_hidden_layers": 42,
    "num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 256, "sliding_window": 4096,
}  # fmt: skip


def run(folder: Path, command: str) -> CompletedProcess[str]:
    return ran("floor", *command.split(), cwd=folder)


def test_every_floor_the_best_and_what_is_stored(tmp_path: Path) -> None:
    done = run(tmp_path, ISSUE)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", SHOWN)


def test_pictures_of_shapes_and_of_traces(tmp_path: Path) -> None:
    np.savez(tmp_path / "trace.npz", keys=4 * np.eye(4), queries=4 * np.eye(4))
    for given in ("-n 64 -d 8 --alpha 1/16", "trace.npz --alpha 1/16"):
        done = run(tmp_path, f"{given} --plot floor.png")
        assert (done.returncode, done.stderr) == (0, "")
        assert (tmp_path / "floor.png").read_bytes().startswith(b"\x89PNG")
        (tmp_path / "floor.png").unlink()
    done = run(tmp_path, "-n 64 -d 8 --plot no/floor.png")
    assert done.returncode == 2
    assert done.stderr.startswith("kvfloor: --plot: expected a file in a folder that exists")


def test_keys_alone_of_a_trace(tmp_path: Path) -> None:
    pytest.importorskip("scipy")
    np.savez(tmp_path / "trace.npz", keys=np.eye(4), slots=np.ones((2, 4, 4)))
    done = run(tmp_path, "trace.npz --norm 20 --scale 1 --alpha 1/64 --json r.json")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads((tmp_path / "r.json").read_text())
    assert (document["norm"], document["asked"], len(document["symbols"])) == ("20", 4, 4)
    for told, reason in (
        ("--norm 20 --queries keys", "--norm: expected none beside --queries, got 20"),
        ("--norm 20 --keys slots", "--norm: expected keys of one slot, got 2 slots"),
        ("", "trace: expected"),
    ):
        done = run(tmp_path, f"trace.npz --alpha 1/64 {told}")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"kvfloor: {reason}")


def test_layers_of_two_kinds_from_a_configuration(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(GEMMA))
    done = run(tmp_path, "-n 8192 --config config.json --rho 100 --delta 1/10 --json r.json")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "21 x 8 key-value heads, d=256, d_v=256, window 4096: 4096 tokens"
    assert lines[3] == "21 x 8 key-value heads, d=256, d_v=256: 8192 tokens"
    document = json.loads((tmp_path / "r.json").read_text())
    assert (document["rho"], document["delta"], document["n"]) == ("100", "1/10", 8192)
    windowed, full = document["parts"]
    assert (windowed["window"], windowed["tokens"], full["window"]) == (4096, 4096, None)
    assert document["float16"] == 16 * 21 * 8 * 512 * (4096 + 8192)
    best = [max(floor["bits"] for floor in part["floors"]) for part in document["parts"]]
    assert document["best"] == sum(best) - 1
    assert document["ratio"] == document["best"] / document["float16"]
    assert lines[-1] == f"ratio: {document['ratio']:.4f}"


def test_json_to_standard_output_is_all_there_is(tmp_path: Path) -> None:
    done = run(tmp_path, "-n 10 -d 9 --order 2 --json -")
    document = json.loads(done.stdout)
    claims = [floor["claim"] for floor in document["parts"][0]["floors"]]
    assert claims == ["key-levels", "value-levels", "value-floor", "four-cache"]
    assert document["float16"] == 2 * 16 * 10 * 18


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("-n 10", "-d: expected the entries of a key, or a --config"),
        ("-n 0 -d 1", "n: expected a whole number >= 1, got 0"),
        ("-n 10 -d 0", "d: expected a whole number >= 1, got 0"),
        ("-n 10 -d 4 --layers 0", "layers: expected a whole number >= 1, got 0"),
        ("-n 10 -d 4 --alpha 1/2", "guarantee: expected eta + 2*alpha < 1, or no margin tells"),
        ("-n 10 -d 4 --rho x", "rho: expected a finite real number, got 'x'"),
        ("-n 10 --config none.json", "config: expected a file that can be read, got No such file"),
        ("-n 10 --config bad.json", "config: expected a file of JSON, got"),
        ("-n 10 --config list.json", "config: expected a JSON object, got list"),
        ("-n 10 --config list.json --kv-heads 2", "--kv-heads: expected none beside --config"),
        ("-n 10 -d 4 --json no/r.json", "--json: expected a file in a folder that exists"),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, command: str, complaint: str) -> None:
    (tmp_path / "bad.json").write_bytes(b'{"num_hidden_layers": \xff')
    (tmp_path / "list.json").write_text("[1]")
    done = run(tmp_path, command)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done
    assert done.stderr.startswith(f"kvfloor: {complaint}")


TRACE = """\
6 tokens, 4 queries, d=2, d_v=3
  given-keys: 60 bits, 4 tokens read by 4 queries, successive, 32 to 32 levels
float16 cache: 480 bits
ratio: 0.1250
"""


def _trace(folder: Path) -> str:
    x = np.arange(6.0)
    keys = np.stack([2 * x, -x * x], axis=1).astype(np.float16)
    queries = 16 * np.stack([x, np.ones(6)], axis=1)[:4]
    named: dict[str, Any] = {"layer3.keys": keys, "layer3.queries": queries}
    np.savez(folder / "trace.npz", **named)
    return "trace.npz --keys layer3.keys --queries layer3.queries --d-v 3"


def test_what_a_trace_forces_with_a_certificate(tmp_path: Path) -> None:
    command = f"{_trace(tmp_path)} --alpha 1/64 --scale 1 --certificate c.json --json r.json"
    done = run(tmp_path, command)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", TRACE)
    document = json.loads((tmp_path / "r.json").read_text())
    assert (document["bits"], document["float16"], document["levels"]) == (60, 480, 2**16)
    assert sorted(symbol["token"] for symbol in document["symbols"]) == [0, 1, 2, 3]
    outcome = check((tmp_path / "c.json").read_bytes())
    assert outcome.status == "ok"
    certificate = json.loads((tmp_path / "c.json").read_text())
    assert (certificate["d_v"], certificate["bits"]) == (3, 60)


def test_a_trace_in_slots_and_one_that_forces_nothing(tmp_path: Path) -> None:
    keys = np.ones((2, 5, 3))
    np.savez(tmp_path / "t.npz", keys=keys, queries=np.ones((1, 3)))
    document = json.loads(run(tmp_path, "t.npz --alpha 1/4 --json -").stdout)
    assert (document["order"], document["bits"], document["symbols"]) == (2, 0, [])
    first, second, *_ = run(tmp_path, "t.npz --alpha 1/4").stdout.splitlines()
    assert first == "5 tokens in each of 2 slots, 1 queries, d=3, d_v=3"
    assert second == "  given-keys: 0 bits, these queries read no token from answers so inaccurate"
    done = run(tmp_path, "t.npz --alpha 1/4 --certificate c.json")
    assert "--certificate: expected a trace that forces a bit" in done.stderr
    assert done.returncode == 2
    assert not (tmp_path / "c.json").exists()


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("", "-n: expected the number of tokens, or a TRACE"),
        ("none.npz", "trace: expected a file .npz or .safetensors, got none.npz: No such file"),
        ("trace.npz", "no array 'keys' among layer3.keys, layer3.queries"),
        ("{} -n 4", "-n: expected none beside a TRACE, which has its own"),
        ("{} --kv-heads 4", "--kv-heads: expected none beside a TRACE, which has its own"),
        ("{} --order 2", "--order: expected none beside a TRACE, which has its own"),
        ("-n 4 -d 4 --scale 2", "--scale: expected a TRACE beside it"),
        ("-n 4 -d 4 --certificate c", "--certificate: expected a TRACE beside it"),
        ("{} --scale 0", "scale: expected a positive rational"),
        ("{} --alpha 1/2", "guarantee: expected eta + 2*alpha < 1, or no margin tells 0 from 1"),
        ("{} --certificate no/c.json", "--certificate: expected a file in a folder that exists"),
    ],
)
def test_what_is_wrong_with_a_trace_is_one_line(
    tmp_path: Path, command: str, complaint: str
) -> None:
    done = run(tmp_path, command.format(_trace(tmp_path)))
    assert (done.returncode, done.stdout) == (2, "")
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1
