"""Certificates proved in Coq: what is exported, and that both checkers say the same."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest

from commands import ran
from compare_checkers import compared
from kvfloor import check, floor_of
from kvfloor.certificates import Document, canonical
from kvfloor_proofs.cli import cli
from kvfloor_proofs.kernel import certified, sources
from kvfloor_proofs.kernel.coq import missing
from kvfloor_proofs.kernel.proving import Certified
from kvfloor_proofs.kernel.vernacular import UnspeakableError, exported
from once import once
from subtle_damage import bases, damaged, sealed

FILES = Path(__file__).parents[2] / "certificates"


def stored(name: str, **changes: Any) -> Document:
    document: Document = json.loads((FILES / "ok" / f"{name}.json").read_text())
    return document | changes


# --- what is exported ----------------------------------------------------------------------


def test_an_instance_in_numbers() -> None:
    found = exported(stored("instance-order-1"))
    assert found.numbers == {
        "certificate": "Instance\n  [[[1; (1#2)]; [2; (1#2)]]]\n  [[[(3#2); 0]; [(-1#4); (1#2)]]]\n"
        "  [(1#4); (-1)] 0"
    }
    terms = (
        "certificate (1#16) (1#64) (3#2) 0 "
        "(9522045547400057251#18446744073709551616) (2380511386850014313#4611686018427387904)"
    )
    assert found.accepts == f"accepts_bounded_violation {terms}"
    assert found.holds == f"violates_bounded {terms}"
    assert found.meaning == "0 is not (1/16, 1/64)-accurate, with B = 3/2"


def test_a_family_is_written_out() -> None:
    """Two tokens of order 2 and one of zeros; the values of the first bits, and the others."""
    document = stored("orthonormal-no-bits")
    assert document["instances"] == ["11", "00"]
    found = exported(document)
    keys = "[[[1; 0]; [0; 1]; [0; 0]]; [[1; 1]; [1; 1]; [0; 0]]]"
    zeros, ones = "[[0]; [0]; [0]]", "[[1]; [1]; [0]]"
    C = document["family"]["multiplier"]
    assert found.numbers == {
        "certificate": f"Instance\n  {keys}\n  [{ones}; {ones}]\n  [{C}; 0] 0",
        "others": f"[{zeros}; {ones}]",
    }
    ends = " ".join(
        f"({Fraction(x).numerator}#{Fraction(x).denominator})" if Fraction(x) else "0"
        for output in document["outputs"]
        for x in output.values()
    )
    assert found.holds == f"collides certificate others 0 0 {ends}"


def test_a_violation_of_a_family_has_no_bound() -> None:
    found = exported(stored("violation-sign-weak"))
    assert found.holds.startswith("violates certificate (1#2) (1#8) 0 (")


def test_a_trace() -> None:
    document = stored("floor-order-2")
    document["symbols"][0]["token"] = 2
    found = exported(document)
    assert found.numbers == {
        "certificate": "Trace\n  [[[4; 0]; [0; 4]; [1; 1]]; [[1; 1]; [(1#2); 1]]] 0\n"
        "  [[1; (-1#2)]; [(-1); (3#2)]]\n"
        "  [[[0; 1; 2]; [0; 1]]; [[0; 1; 2]; [0; 1]]]%nat\n"
        "  (1#2) 2\n  [2; 1]%nat [0; 1]%nat [13; 19]%Z"
    }
    assert found.accepts == "accepts_randomized_floor certificate 0 (1#40) (1#10) false 1 7"
    assert found.holds == "forces_randomized certificate 0 (1#40) (1#10) 1 7"
    in_turn = exported(stored("floor-order-1"))
    assert in_turn.accepts == "accepts_floor certificate (1#50) (1#64) true 2 23"
    assert in_turn.holds == "forces certificate (1#50) (1#64) 2 23"
    at_once = exported(stored("floor-order-1", rule="at once"))
    assert at_once.accepts == "accepts_floor certificate (1#50) (1#64) false 2 23"
    assert exported(stored("floor-exact")).holds == "forces certificate (1#50) 0 2 59"


def masked(mask: list[list[bool]]) -> Document:
    """A floor of one query that sees some pairs of three tokens and two."""
    keys = [[[4, 0], [0, 4], [1, 1]], [[1, 1], [0.5, 1]]]
    found = floor_of(keys, [[1, -0.5]], alpha="1/40", mask=[mask]).certificate
    assert found is not None
    return found


SCATTERED = [[True, True], [True, False], [False, True]]


def test_a_query_sees_tokens_of_each_slot() -> None:
    document = masked([[True, False], [False, False], [True, False]])
    assert "\n  [[[0; 2]; [0]]]%nat\n" in exported(document).numbers["certificate"]


def test_what_no_theorem_speaks_of() -> None:
    with pytest.raises(UnspeakableError, match="sees other tuples than all of some tokens"):
        exported(masked(SCATTERED))
    document = stored("floor-order-2", guarantee={"eta": "0", "alpha": "1/40", "delta": "2/3"})
    with pytest.raises(UnspeakableError, match="δ = 2/3 is over 1/2"):
        exported(document)
    document = stored("floor-order-2", guarantee={"eta": "0", "alpha": "0", "delta": "1/1000000"})
    with pytest.raises(UnspeakableError, match="δ = 1/1000000 has a denominator over 65536"):
        exported(document)


def test_without_coq_there_is_one_error(tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": str(tmp_path)}
    done = ran("check", "--verified", str(FILES / "ok" / "instance-order-1.json"), env=environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "Coq, Coquelicot and Flocq are needed: apt-get install make coq" in done.stderr


# --- what Coq says -------------------------------------------------------------------------


@pytest.fixture
def coq(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The checker's theories, compiled once for all tests."""
    if missing() and os.environ.get("KVFLOOR_KERNEL") != "required":
        pytest.skip(missing())
    folder = request.getfixturevalue("tmp_path_factory").getbasetemp()
    shared = folder.parent if hasattr(request.config, "workerinput") else folder
    monkeypatch.setenv("XDG_CACHE_HOME", str(shared / "cache"))
    once(request, "checker", lambda: certified([], sources()))
    yield
    kept = [path.name for path in (shared / "cache" / "kvfloor").iterdir()]
    assert len([name for name in kept if name.startswith("coq-")]) == 1


@pytest.mark.long
@pytest.mark.usefixtures("coq")
def test_both_checkers_say_the_same_of_the_stored_ones() -> None:
    """But for digests, and what is said of caches: of those Coq knows nothing."""
    texts = [file.read_text() for file in sorted(FILES.glob("*/*.json"))]
    outcomes, differing = compared(texts)
    reasons = {check(text).reason.split(":")[0] for text in differing}
    assert reasons == {"digest", "cache.state"}
    good = len(list((FILES / "ok").iterdir()))
    assert outcomes["accepted by Coq"] == good + len(differing)
    assert outcomes["refused by Coq"] >= 5


@pytest.mark.long
@pytest.mark.usefixtures("coq")
def test_both_checkers_say_the_same_of_damaged_ones() -> None:
    """`compare_checkers.py` has compared thousands."""
    rng = Random(5)
    texts = [sealed(copy) for one in bases(rng, 1) for copy in islice(damaged(one, rng), 3)]
    outcomes, differing = compared(texts)
    assert differing == []
    assert outcomes["accepted by Coq"] >= 5
    assert outcomes["refused by Coq"] >= 10


@pytest.mark.long
@pytest.mark.usefixtures("coq")
def test_the_command_says_what_is_proved(tmp_path: Path) -> None:
    good, floor = (str(FILES / "ok" / f"{kind}-order-1.json") for kind in ("instance", "floor"))
    bad = str(FILES / "invalid" / "instance-accurate.json")
    scattered = tmp_path / "scattered.json"
    scattered.write_text(canonical(masked(SCATTERED)))
    done = ran("check", "--verified", good, bad, floor, str(scattered))
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines() == [
        f"{good}: ok: proved in Coq: 0 is not (1/16, 1/64)-accurate, with B = 3/2: "
        "unchecked: that the cache gives this answer (replay it on the cache to check)",
        f"{bad}: invalid: answer: it is accurate",
        f"{floor}: ok: proved in Coq: caches with states of one length, (1/50, 1/64)-accurate "
        "for values on some levels in [0, 1], have at least 23 bits, which are enough: "
        "unchecked: that these are the keys and queries of a model",
        f"{scattered}: not proved: no theorem of Coq's speaks of it: "
        "a query sees other tuples than all of some tokens of each slot",
    ]
    page = (FILES.parents[1] / "docs" / "certificates.md").read_text()
    assert done.stdout.splitlines()[2].removeprefix(f"{FILES.parents[1]}/") in page


@pytest.mark.long
@pytest.mark.usefixtures("coq")
def test_what_coq_refuses_is_not_proved() -> None:
    accurate = json.loads((FILES / "invalid" / "instance-accurate.json").read_text())
    assert certified([accurate], sources()) == [Certified(False, "Coq's checker refuses it")]


PROVED = "Closed under the global context\n"
FALSE = 'The term "eq_refl" has type "true = true" while it is expected to have type ...'


@pytest.fixture
def coq_says(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let Coq end with these statuses and words, a pair for each certificate."""

    def say(*said: tuple[int, str]) -> None:
        monkeypatch.setattr("kvfloor_proofs.kernel.proving.said_by", lambda *_: json.dumps(said))

    return say


@pytest.mark.parametrize(
    ("code", "text", "proved", "reason"),
    [
        (0, PROVED, True, "0 is not (1/16, 1/64)-accurate, with B = 3/2"),
        (1, f"Error:\n{FALSE}", False, "Coq's checker refuses it"),
        (0, "Axioms:\nhidden : False\n", None, "the theorem rests on hidden"),
        (0, "", None, "Coq ended with 0 and said ''"),
        (0, FALSE, None, f"Coq ended with 0 and said {FALSE!r}"),
        (0, f"something\n{PROVED}", None, f"Coq ended with 0 and said 'something {PROVED[:-1]}'"),
        (1, PROVED, None, f"Coq ended with 1 and said {PROVED[:-1]!r}"),
        (
            129, 'File "a", line 3:\nError: Out of memory.', None,
            "Coq ended with 129 and said 'Error: Out of memory.'",
        ),
        (-9, "", None, "signal 9 ended Coq"),
        (-9, PROVED, None, "signal 9 ended Coq"),
    ],
)  # fmt: skip
def test_nothing_else_that_coq_says_is_taken_for_a_verdict(
    coq_says: Callable[..., None], code: int, text: str, proved: bool | None, reason: str
) -> None:
    coq_says((code, text))
    assert certified([stored("instance-order-1")], sources()) == [Certified(proved, reason)]


def test_what_coq_fails_on_costs_no_other_file_its_verdict(
    coq_says: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    good, floor, order_2 = (
        str(FILES / "ok" / f"{name}.json")
        for name in ("instance-order-1", "floor-order-1", "floor-order-2")
    )
    arguments = ["check", "--verified", good, floor, order_2]
    refused = (1, f"Error:\n{FALSE}")
    coq_says((0, PROVED), (-9, ""), refused)
    assert cli.main(arguments, standalone_mode=False) == 2
    output, errors = capsys.readouterr()
    assert errors == f"{floor}: Coq failed: signal 9 ended Coq\n"
    first, second = output.splitlines()
    assert first.startswith(f"{good}: ok: proved in Coq: ")
    assert second == f"{order_2}: not proved: Coq's checker refuses it"
    coq_says((0, PROVED), (0, PROVED), refused)
    assert cli.main(arguments, standalone_mode=False) == 1
