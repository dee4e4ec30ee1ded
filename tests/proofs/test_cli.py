"""The command line: exit statuses, one-line errors, JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import kvfloor
from kvfloor.caches import HashedCache

CLI = (sys.executable, "-m", "kvfloor_proofs.cli")


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CLI, *arguments], cwd=cwd, capture_output=True, text=True, check=False, timeout=120
    )


def complaint(*arguments: str, cwd: Path | None = None) -> str:
    """Run a bad command; return its one line on standard error."""
    done = run(*arguments, cwd=cwd)
    assert done.returncode == 2, done
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def certificate() -> str:
    family = kvfloor.BinaryValues(kvfloor.binary_keys(4), d_v=3)
    collision = kvfloor.pigeonhole(HashedCache, family)
    assert collision is not None
    return json.dumps(collision.certificate)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("verify", "five-cache"), "slug: expected one of softmax-concentration"),
        (("verify", "--examples", "0"), "examples: expected a whole number >= 1, got 0"),
        (("verify", "--jobs", "0"), "jobs: expected a whole number >= 1, got 0"),
        (("verify", "--seed", "-1"), "seed: expected a whole number >= 0, got -1"),
        (("verify", "--examples", "many"), "'many' is not a valid integer"),
        (("verify", "--json", "no/such/folder/r.json"), "no/such/folder"),
        (("verify", "--frobnicate"), "--frobnicate"),
        (("check",), "FILE"),
        (("frobnicate",), "frobnicate"),
        (("check", "x.json", "--cache", "nothing"), "expected MODULE:FACTORY, got 'nothing'"),
        (("check", "x.json", "--cache", "no_such_module:F"), "no_such_module"),
        (("check", "x.json", "--cache", "kvfloor:NoSuchFactory"), "NoSuchFactory"),
    ],
)
def test_bad_usage_is_one_line_and_status_2(arguments: tuple[str, ...], part: str) -> None:
    assert part in complaint(*arguments)


def test_an_unreadable_file_is_one_line_and_status_2(tmp_path: Path) -> None:
    assert "cannot be read" in complaint("check", str(tmp_path / "missing.json"))
    assert "cannot be read" in complaint("check", str(tmp_path))


def test_check_statuses(tmp_path: Path, certificate: str) -> None:
    good, bad, broken = (tmp_path / name for name in ("good.json", "bad.json", "broken.json"))
    good.write_text(certificate)
    bad.write_text(certificate.replace('"seed": 0', '"seed": 1'))
    broken.write_text(certificate[:-5])

    done = run("check", str(good))
    assert done.returncode == 0
    assert "unchecked: that both instances lead to the state" in done.stdout
    done = run("check", str(good), "--cache", "kvfloor.caches:HashedCache")
    assert (done.returncode, done.stdout) == (0, f"{good}: ok\n")
    done = run("check", str(good), "--cache", "kvfloor.caches:ExactCache")
    assert done.returncode == 1
    assert "invalid: cache.name" in done.stdout
    done = run("check", str(bad), str(good))
    assert done.returncode == 1
    assert "invalid: digest" in done.stdout
    done = run("check", str(broken), str(bad), str(good))
    assert done.returncode == 2
    assert [line.split(": ")[1] for line in done.stdout.splitlines()] == [
        "malformed",
        "invalid",
        "ok",
    ]


def test_a_cache_is_found_in_the_working_directory(tmp_path: Path, certificate: str) -> None:
    (tmp_path / "mine.py").write_text(
        "from kvfloor.caches import HashedCache\n"
        "class Broken(HashedCache):\n"
        "    def append(self, keys, values):\n"
        "        raise RuntimeError('no room')\n"
    )
    path = tmp_path / "c.json"
    path.write_text(certificate.replace("kvfloor.caches.hashed:HashedCache", "mine:Broken"))
    document = json.loads(path.read_text())
    document["digest"] = kvfloor.certificate.digest(document)
    path.write_text(json.dumps(document))
    done = run("check", "c.json", "--cache", "mine:Broken", cwd=tmp_path)
    assert done.returncode == 1
    assert "invalid: replay of instances[0]: the cache failed: no room" in done.stdout


def test_verify_writes_the_promised_json(tmp_path: Path) -> None:
    target = tmp_path / "result.json"
    done = run("verify", "index-deterministic", "--examples", "3", "--json", str(target))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("index-deterministic: holds - ")
    document = json.loads(target.read_text())
    assert document["ok"] is True
    (claim,) = document["claims"]
    assert set(claim) == {
        "slug", "title", "source", "verdict", "derivation", "property", "certificates", "seconds",
    }  # fmt: skip
    assert claim["derivation"]["ok"]
    assert claim["derivation"]["steps"] > 0
    assert claim["property"] == {"ok": True, "examples": 6}  # two properties
    assert list(tmp_path.iterdir()) == [target]


def test_json_to_standard_output_is_json_alone() -> None:
    done = run("verify", "index-deterministic", "--examples", "2", "--json", "-")
    assert json.loads(done.stdout)["ok"] is True
    assert "index-deterministic" in done.stderr


def test_help_names_every_command() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert "verify" in done.stdout
    assert "check" in done.stdout
