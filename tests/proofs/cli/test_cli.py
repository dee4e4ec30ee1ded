"""The command line: exit statuses, one-line errors, JSON."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

import kvfloor
from commands import ran
from kvfloor.caches import HashedCache
from limits import HANG, ended

CLI = (sys.executable, "-m", "kvfloor_proofs.cli")


def complaint(*arguments: str, cwd: Path | None = None) -> str:
    """Run a bad command; return its one line on standard error."""
    done = ran(*arguments, cwd=cwd)
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
        (("verify", "--html", "no/such/folder/r.html"), "--html: expected a file in a folder"),
        (("verify", "--html", "-", "--json", "-"), "--html: expected a file, as --json is"),
        (("verify", "--frobnicate"), "--frobnicate"),
        (("check",), "FILE"),
        (("frobnicate",), "frobnicate"),
        (("check", "x.json", "--set", "bits=3"), "--set: expected --cache with it"),
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

    done = ran("check", str(good))
    assert done.returncode == 0
    assert "unchecked: that both instances lead to the state" in done.stdout
    done = ran("check", str(good), "--cache", "kvfloor.caches:HashedCache")
    assert done.returncode == 0
    assert done.stdout.startswith(f"{good}: ok: unchecked: that the cache does the same every time")
    done = ran("check", str(good), "--cache", "kvfloor.caches:ExactCache")
    assert done.returncode == 1
    assert "invalid: cache.name" in done.stdout
    done = ran("check", str(bad), str(good))
    assert done.returncode == 1
    assert "invalid: digest" in done.stdout
    done = ran("check", str(broken), str(bad), str(good))
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
    path.write_text(sealed(certificate, "kvfloor.caches.hashed:HashedCache", "mine:Broken"))
    done = ran("check", "c.json", "--cache", "mine:Broken", cwd=tmp_path)
    assert done.returncode == 1
    assert "invalid: replay: append() or state() raised RuntimeError: no room" in done.stdout


def test_verify_writes_the_promised_json(tmp_path: Path) -> None:
    target = tmp_path / "result.json"
    done = ran("verify", "index-deterministic", "--examples", "3", "--json", str(target))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("index-deterministic: holds - ")
    document = json.loads(target.read_text())
    assert document["ok"] is True
    (claim,) = document["claims"]
    assert set(claim) == {
        "slug", "title", "source", "verdict", "derivation", "property", "constants",
        "certificates", "seconds",
    }  # fmt: skip
    assert claim["derivation"]["ok"]
    assert claim["derivation"]["steps"] > 0
    assert claim["property"] == {"ok": True, "examples": 6}  # two properties
    assert list(tmp_path.iterdir()) == [target]


def test_json_to_standard_output_is_json_alone() -> None:
    done = ran("verify", "index-deterministic", "--examples", "2", "--json", "-")
    assert json.loads(done.stdout)["ok"] is True
    assert "index-deterministic" in done.stderr


def test_html_is_a_whole_page_and_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    done = ran("verify", "keys", "--examples", "1", "--seed", "4", "--html", str(target))
    assert done.returncode == 0, done.stderr
    page = target.read_text()
    assert page.startswith("<!DOCTYPE html>\n")
    assert page.endswith("</html>\n")
    assert "kvfloor verify --examples 1 --seed 4 --html FILE" in page
    assert list(tmp_path.iterdir()) == [target]


def test_html_to_standard_output_is_the_page_alone() -> None:
    done = ran("verify", "keys", "--examples", "1", "--html", "-")
    assert done.stdout.startswith("<!DOCTYPE html>\n")
    assert done.stdout.endswith("</html>\n")
    assert done.stderr.startswith("keys: holds")


@pytest.mark.parametrize("library", ["matplotlib", "jinja2"])
def test_html_without_its_libraries_is_one_line_before_the_work(
    tmp_path: Path, library: str
) -> None:
    missing = f"raise ModuleNotFoundError('none', name={library!r})\n"
    (tmp_path / f"{library}.py").write_text(missing)
    arguments = ("verify", "--examples", "100000", "--html", str(tmp_path / "r.html"))
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = ran(*arguments, env=os.environ | {"PYTHONPATH": path})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "kvfloor: --html: expected the extra of kvfloor named report "
        f"(pip install 'kvfloor[report]'), got no module {library}\n"
    )
    assert not (tmp_path / "r.html").exists()


def test_help_names_every_command() -> None:
    done = ran("--help")
    assert done.returncode == 0
    assert "verify" in done.stdout
    assert "check" in done.stdout


# --- what fresh eyes found -----------------------------------------------------------------


def test_json_goes_through_links_and_to_devices(tmp_path: Path) -> None:
    target, link, pipe = (tmp_path / name for name in ("target.json", "link.json", "pipe"))
    target.write_text("old")
    link.symlink_to(target)
    assert ran("verify", "keys", "--examples", "1", "--json", str(link)).returncode == 0
    assert link.is_symlink()
    assert json.loads(target.read_text())["ok"] is True
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE, text=True) as reader:
        assert ran("verify", "keys", "--examples", "1", "--json", str(pipe)).returncode == 0
        assert json.loads(reader.communicate(timeout=HANG)[0])["ok"] is True
    assert pipe.is_fifo()


@pytest.mark.parametrize("file", ["", "."])
def test_json_to_a_folder_is_refused_before_the_work(file: str) -> None:
    assert "--json: expected a file" in complaint("verify", "--examples", "100000", "--json", file)


def test_an_endless_file_is_malformed() -> None:
    done = ran("check", "/dev/zero")
    assert (done.returncode, done.stdout) == (
        2,
        "/dev/zero: malformed: longer than 16000000 characters\n",
    )


@pytest.mark.parametrize("code", ["import sys; sys.exit(0)", "def", "raise RuntimeError('x')"])
def test_a_module_that_fails_is_bad_usage(tmp_path: Path, code: str) -> None:
    (tmp_path / "mine.py").write_text(code)
    assert "expected MODULE:FACTORY" in complaint(
        "check", "x.json", "--cache", "mine:F", cwd=tmp_path
    )


def test_a_cache_that_exits_is_invalid(tmp_path: Path, certificate: str) -> None:
    (tmp_path / "mine.py").write_text(
        "import sys\nclass Exits:\n    def __init__(self, **shape):\n        sys.exit(0)\n"
    )
    (tmp_path / "c.json").write_text(
        sealed(certificate, "kvfloor.caches.hashed:HashedCache", "mine:Exits")
    )
    done = ran("check", "c.json", "--cache", "mine:Exits", cwd=tmp_path)
    assert done.returncode == 1
    assert "append() or state() raised SystemExit: 0" in done.stdout


def sealed(certificate: str, old: str, new: str) -> str:
    document = json.loads(certificate.replace(old, new))
    document["digest"] = kvfloor.certificates.digest(document)
    return json.dumps(document)


def test_nothing_in_a_certificate_can_forge_a_line(tmp_path: Path, certificate: str) -> None:
    path = tmp_path / "c.json"
    forged = "x\\nother.json: ok \\u001b[31m \\ud800"
    path.write_text(sealed(certificate, "kvfloor.caches.hashed:HashedCache", forged))
    done = ran("check", str(path), "--cache", "kvfloor.caches:HashedCache")
    assert done.returncode == 1
    assert done.stdout.count("\n") == 1
    assert "\x1b" not in done.stdout


def test_no_arguments_is_help() -> None:
    done = ran()
    assert done.returncode == 0
    assert done.stdout == ran("--help").stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_a_run_and_its_workers(number: signal.Signals) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # else ignored in the background
    command = [*CLI, "verify", "--examples", "100000", "--jobs", "2"]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while len(workers := children.read_text().split()) < 2 or not all(map(works, workers)):
            assert process.poll() is None
            time.sleep(0.05)
        ends = [os.pidfd_open(int(worker)) for worker in workers]
        process.send_signal(number)
        assert process.wait(timeout=HANG) == 128 + number
        for end in ends:
            assert ended(end)
            os.close(end)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def works(pid: str) -> bool:
    """Whether a process has used a fifth of a second of a processor: it is past its start."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12]) >= os.sysconf("SC_CLK_TCK") / 5
