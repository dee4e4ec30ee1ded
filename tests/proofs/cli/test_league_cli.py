"""`kvfloor league`: what it writes, from which it goes on, and bad usage."""

from __future__ import annotations

from pathlib import Path
from subprocess import CompletedProcess

import pytest

from commands import ran


def run(command: str, folder: Path) -> CompletedProcess[str]:
    return ran("league", *command.split(), cwd=folder)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("no/where", "FOLDER: expected a folder, or a new one in a folder that exists, got 'no/w"),
        ("new -n 1", "n: expected a whole number >= 2, got 1"),
        (". -n 1", "n: expected a whole number >= 2, got 1"),
        (". --html no/l.html", "--html: expected a file in a folder that exists, got 'no/l.html'"),
        (". --set bits=2", "--set: expected --cache with it"),
        (". --cache nowhere:Mine", "--cache: expected MODULE:FACTORY, but importing it raised"),
        (". --instances 0", "instances: expected a whole number >= 1, got 0"),
        (". --alpha 1/2", "guarantee: expected "),
        (". --trace nowhere.npz", "traces: expected a file .npz or .safetensors, got nowhere.npz"),
        (". -n 64 -d 5", "d: expected at least 6 for 64 different rows of signs, got 5"),
    ],
)
def test_bad_usage_is_one_line_and_nothing_is_written(
    command: str, said: str, tmp_path: Path
) -> None:
    done = run(command, tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"kvfloor: {said}")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_guest_plays_beside_those_that_ship(tmp_path: Path) -> None:
    guest = "--cache kvfloor.caches:HashedCache --set bits=2,4"
    command = f"made -n 4 -d 4 --instances 1 --only ExactCache {guest}"
    assert (done := run(command, tmp_path)).returncode == 0, done
    page = (tmp_path / "made" / "league.md").read_text()
    assert "\nOf the caches that ship 1, `kvfloor.caches:HashedCache`, at up to four" in page
    assert f" --only ExactCache {guest}\n" in page
    rows = [line.split(" | ")[:3] for line in page.splitlines() if line.startswith("| ")][2:]
    assert [(row[0][2:], row[1], row[2]) for row in rows] == [
        ("ExactCache", "", "512.0"),
        ("kvfloor.caches:HashedCache", "bits=2", "0.5"),
        ("kvfloor.caches:HashedCache", "bits=4", "1.0"),
    ]


@pytest.mark.long
def test_a_league_is_written_and_taken_up(tmp_path: Path) -> None:
    command, place = "made -n 4 -d 4 --instances 1 --html made.html", tmp_path / "made"
    assert (done := run(command, tmp_path)).returncode == 0, done
    pictures = {"league.png", "league-errors.png", "league-drawings.png"}
    names = {"league.md", "league.csv", "league.jsonl", *pictures}
    assert {file.name for file in place.iterdir()} == names
    assert (tmp_path / "made.html").read_text().count("data:image/png") == 3
    rows = place / "league.jsonl"
    whole, page = rows.read_bytes(), (place / "league.md").read_bytes()
    assert whole.count(b"\n") == 103
    rows.write_bytes(whole[: -len(whole.splitlines()[-1]) // 2])
    assert run(command, tmp_path).returncode == 0
    assert (place / "league.md").read_bytes() == page
    assert rows.read_bytes().count(b"\n") == 103
