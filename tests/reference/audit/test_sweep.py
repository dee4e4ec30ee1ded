"""Sweeps: every task once, on any executor, taken up where they were left; and their picture."""

from __future__ import annotations

import builtins
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import cheats
from kvfloor import InputError, Row, Task, audit, draw, sweep
from kvfloor.audit import picture as picture_module
from kvfloor.audit import take_up
from kvfloor.caches import ExactCache, HashedCache, configure

TASKS = [
    Task(factory, n, 2) for factory in (ExactCache, cheats.Empty, cheats.NotANumber) for n in (2, 3)
]
VERDICTS = ["within-guarantee"] * 2 + ["refuted"] * 2 + ["misbehaves"] * 2


def verdicts(rows: list[Row], tasks: list[Task] = TASKS) -> list[str]:
    """Of the tasks, in their order."""
    found = {json.dumps(row.task): row.audit["verdict"] for row in rows}
    assert len(found) == len(rows) == len(tasks)
    return [found[json.dumps(task.key)] for task in tasks]


def test_processes_by_default(tmp_path: Path) -> None:
    rows = list(sweep(TASKS, output=tmp_path / "rows.jsonl", workers=2))
    assert verdicts(rows) == VERDICTS
    lines = (tmp_path / "rows.jsonl").read_bytes().splitlines(keepends=True)
    assert lines == [row.line() for row in rows]
    assert [Row.of(line) for line in lines] == rows
    first = next(row for row in rows if row.task == TASKS[0].key)
    assert first.audit | {"seconds": 0} == audit(ExactCache, n=2, d=2).to_json() | {"seconds": 0}
    assert first.recovered == 1


def test_no_audit_starts_if_a_shape_is_wrong(tmp_path: Path) -> None:
    tasks = [Task(ExactCache, 2, 2), Task(ExactCache, 5, 2)]
    with pytest.raises(InputError, match=r"^d: expected at least 3 for 5"):
        list(sweep(tasks, output=tmp_path / "rows.jsonl", workers=1))
    assert not (tmp_path / "rows.jsonl").exists()


def test_threads_will_do() -> None:
    with ThreadPoolExecutor(2) as executor:
        assert verdicts(list(sweep(TASKS[:4], executor=executor)), TASKS[:4]) == VERDICTS[:4]


def test_a_dask_cluster_will_do(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        rows = list(sweep(TASKS[:4], output=tmp_path / "r", executor=client.get_executor()))
    assert verdicts(rows, TASKS[:4]) == VERDICTS[:4]


class Refusing(ThreadPoolExecutor):
    """Runs nothing."""

    def submit(self, *arguments: Any, **options: Any) -> Any:
        raise AssertionError("this was known")


@pytest.mark.parametrize("torn", [b"", b'{"task": {"cac', b"\xff\xfe", b"[]\n", b"{}\n3\n"])
def test_an_interrupted_sweep_goes_on(tmp_path: Path, torn: bytes) -> None:
    output, tasks = tmp_path / "rows.jsonl", TASKS[1:3]
    with ThreadPoolExecutor(1) as executor:
        rows = sweep(tasks, output=output, executor=executor)
        first = next(rows)
        rows.close()  # type: ignore[attr-defined]
    output.write_bytes(first.line() + torn)  # what is left by a crash in the middle of a write
    with ThreadPoolExecutor(1) as executor:
        rest = list(sweep(tasks, output=output, executor=executor))
    assert rest[0] == first
    assert verdicts(rest, tasks) == VERDICTS[1:3]
    with Refusing(1) as executor:
        assert verdicts(list(sweep(tasks, output=output, executor=executor)), tasks)
    lines = output.read_bytes().splitlines()
    assert len([row for line in lines if Row.of(line)]) == 2  # nothing was run twice
    assert all(json.loads(line) is not None for line in lines)  # what is torn is gone


def test_a_row_that_is_whole_but_for_its_end_is_run_again(tmp_path: Path) -> None:
    output = tmp_path / "rows.jsonl"
    with ThreadPoolExecutor(1) as executor:
        (row,) = sweep(TASKS[:1], output=output, executor=executor)
        output.write_bytes(row.line()[:-1])  # all that there is, and torn
        assert take_up(output) == ([], len(row.line()) - 1)
        assert verdicts(list(sweep(TASKS[:1], output=output, executor=executor)), TASKS[:1])
    assert len(output.read_bytes().splitlines()) == 1


def test_an_audit_that_failed_is_run_again(tmp_path: Path) -> None:
    output = tmp_path / "rows.jsonl"
    with ThreadPoolExecutor(1) as executor:
        (row,) = sweep(TASKS[:1], output=output, executor=executor)
        failed = replace(row, audit=row.audit | {"verdict": "error"})
        output.write_bytes(failed.line())
        assert verdicts(list(sweep(TASKS[:1], output=output, executor=executor)), TASKS[:1])
    assert [json.loads(line)["audit"]["verdict"] for line in output.read_bytes().splitlines()] == [
        "error", "within-guarantee",
    ]  # fmt: skip


def test_other_terms_are_other_tasks(tmp_path: Path) -> None:
    one, other = (Task(cheats.Empty, 2, 2, 1, {"seed": seed}) for seed in (0, 1))
    assert one.key != other.key
    assert one.key == Task(cheats.Empty, 2, 2, 1, {"seed": 0}).key
    assert Task(configure(HashedCache, bits=3), 2, 2).key["cache"].endswith("HashedCache(bits=3)")
    output = tmp_path / "rows"
    with ThreadPoolExecutor(1) as executor:
        list(sweep([one], output=output, executor=executor))
        rows = list(sweep([one, other], output=output, executor=executor))
    assert [row.task for row in rows] == [one.key, other.key]


def test_what_no_sweep_has_written_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("dear diary\n")
    with pytest.raises(InputError, match="output: expected a new file, or one that a sweep"):
        list(sweep(TASKS, output=tmp_path / "notes.txt"))
    assert (tmp_path / "notes.txt").read_text() == "dear diary\n"


def test_a_wrong_task_is_an_error() -> None:
    with ThreadPoolExecutor(1) as executor, pytest.raises(InputError, match="n: expected"):
        list(sweep([Task(ExactCache, 0, 2)], executor=executor))


# --- the picture ---------------------------------------------------------------------------


def row(cache: str, bits: int | None, recovered: Fraction | None) -> Row:
    content = {
        "cache": cache,
        "n": 4,
        "bits": bits,
        "floor": "four-cache",
        "floor_bits": 8,
        "verdict": "violates",
    }
    return Row({}, content, recovered, None if recovered is None else 1 - recovered)


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_a_picture_is_drawn(tmp_path: Path, ending: str) -> None:
    rows = [
        row("a:B(bits=1)", 1, Fraction(1, 2)),
        row("a:B(bits=9)", 9, Fraction(1)),
        row("a:C", None, None),
    ]
    draw([*rows, audit(cheats.Empty, n=2, d=2)], tmp_path / f"picture.{ending}")
    assert (tmp_path / f"picture.{ending}").stat().st_size > 1000


def test_a_picture_says_what_the_rows_say(tmp_path: Path) -> None:
    rows = [row("a:B(bits=4)", 4, Fraction(1, 2)), row("a:B(bits=2)", 2, Fraction(1, 4))]
    draw(rows, tmp_path / "picture.svg")
    text = (tmp_path / "picture.svg").read_text()
    assert "<!-- a:B -->" in text
    points = [picture_module._point(one) for one in rows]
    assert [(p["bits"], p["floor"], p["recovered"], p["worst_error"]) for p in points] == [
        (1, 2, 0.5, 0.5),
        (0.5, 2, 0.25, 0.75),
    ]


def test_a_picture_of_nothing_and_of_no_format(tmp_path: Path) -> None:
    draw([], tmp_path / "nothing.png")
    with pytest.raises(InputError, match="file: expected the name of a picture"):
        draw([], tmp_path / "picture.txt")


def test_without_matplotlib_the_message_is_clear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"pip install 'kvfloor\[plot\]'"):
        draw([], tmp_path / "picture.png")
