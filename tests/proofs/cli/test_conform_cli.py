"""`kvfloor conform` and `kvfloor vectors`: exit statuses, one-line errors, JSON."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from commands import ran
from kernels.wrong import SOURCE
from kernels.wrong_joined import JOINED
from kernels.wrong_packed import PACKED
from kernels.wrong_quantised import QUANTISED
from kernels.wrong_repeated import REPEATED
from limits import HANG

PAGE = (Path(__file__).parents[3] / "docs" / "conformance.md").read_text()
CLI = (sys.executable, "-m", "kvfloor_proofs.cli")
KERNELS = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}  # where these are found
FORMATS = ("--dtype", "float32", "--accumulate", "float32")
SMALL = ("--order", "2", "--tokens", "most=12", "--examples", "1")  # a run of few seconds
TINY = (
    *FORMATS, "--order", "1", "--tokens", "most=12", "--heads", "2", "--d", "4", "--d-v", "same",
    "--examples", "0",
)  # fmt: skip
TARGETS = """
def halved(q, K, V, *, scale, mask):
    return factored(q, K, V, scale=scale / 2, mask=mask)

def merge(outputs, logsumexps):
    top = logsumexps.max(axis=0)
    top = np.where(top == -np.inf, np.float32(0), top)
    weights = np.exp(logsumexps - top)
    output = (weights[..., None] * outputs.astype(np.float32)).sum(axis=0)
    return finish(output, weights.sum(axis=0), top, outputs.dtype)

def merge_mean(outputs, logsumexps):
    return merge(outputs, 0 * logsumexps)

from kernels.backward import materialised as pulled

def unmasked(*arrays, mask, **told):
    return pulled(*arrays, mask=None, **told)

from kvfloor.conformance import Backward, Domain, Merging, Target
backward = Backward(
    pulled, dtype="float32", accumulate="float32", domain=Domain(tokens="most=12", d=8)
)
merging = Merging(merge, dtype="float32", accumulate="float32", domain=Domain(tokens=2))
target = Target(
    factored, dtype="float32", accumulate="float32", order=1, domain=Domain(tokens="most=12")
)
"""


ENDLESS = """
import pathlib, time

def slow(q, K, V, *, scale, mask):
    pathlib.Path("called").touch()
    time.sleep(600)

def deaf(q, K, V, *, scale, mask):
    pathlib.Path("called").touch()
    while True:
        try:
            time.sleep(600)
        except BaseException:
            pass

def unsupported(q, K, V, *, scale, mask):
    raise RuntimeError("no such device")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(SOURCE + TARGETS + ENDLESS)
    return tmp_path


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return ran(*arguments, cwd=project, env=KERNELS)


def test_a_right_one_is_status_0(project: Path) -> None:
    done = run(project, "conform", "mine:factored", *FORMATS, *SMALL)
    assert (done.returncode, done.stderr) == (0, "")  # progress is for terminals
    assert done.stdout.startswith("passes: ")


def test_a_target_says_everything_itself(project: Path) -> None:
    done = run(project, "conform", "mine:target", "--examples", "0", "--json", "-")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["ok"] is True
    assert done.stderr.startswith("passes: ")


def test_a_wrong_one_is_status_1_and_json_says_why(project: Path) -> None:
    done = run(project, "conform", "mine:halved", *TINY, "--power", "--json", "r.json")
    assert done.returncode == 1
    assert "from mine import halved" in done.stdout
    assert done.stdout.splitlines()[-1].split()[0] == "least"
    document = json.loads((project / "r.json").read_text())
    assert 0 < document["power"]["scale"]["dropped"] < 1
    assert document["ok"] is False
    assert "scale" in {failure["flag"] for failure in document["failures"]}


def test_one_that_never_answers_was_not_examined(project: Path) -> None:
    done = run(project, "conform", "mine:unsupported", *TINY, "--json", "r.json")
    assert (done.returncode, done.stderr) == (2, "")
    assert done.stdout.startswith("error: it never answered, in ")
    assert done.stdout.rstrip().endswith("raised RuntimeError: no such device")
    assert done.stdout.count("\n") == 1
    assert json.loads((project / "r.json").read_text())["answered"] is False


@pytest.mark.parametrize("name", ["slow", pytest.param("deaf", marks=pytest.mark.long)])
def test_a_call_that_does_not_return_is_ended_and_not_blamed(project: Path, name: str) -> None:
    """The second lets nothing through; it takes five seconds to end it."""
    command = [*CLI, "conform", f"mine:{name}", *FORMATS, *SMALL]
    process = subprocess.Popen(command, cwd=project, env=KERNELS, stdout=subprocess.PIPE, text=True)
    while not (project / "called").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=HANG)
    assert (process.returncode, said) == (143, "")


def test_every_option_arrives(project: Path) -> None:
    done = run(
        project, "conform", "mine:skipping", *FORMATS, "--mask", "window,left=2/4,right=0",
        "--block", "4,4",
        "--order", "2", "--layout", "bhnd", "--scale", "0.5", "--returns", "output,logsumexp",
        "--weights", "float32", "--exp-ulps", "4", "--empty", "zero", "--grouped",
        "--arrays", "numpy", "--skips", "--d", "4,8", "--d-v", "same", "--tokens",
        "multiple=4,most=40", "--queries", "fewer", "--batch", "1,2", "--heads", "4", "--groups",
        "2",
        "--examples", "0", "--seed", "5",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "values are as wide as keys: wide-values" in done.stdout
    assert done.stdout.splitlines()[-5].split()[:3] == ["heads", "1", "4/2"]
    assert done.stdout.splitlines()[-1].split() == ["d_v", "2", "4", "8"]


def test_a_merge_is_examined(project: Path) -> None:
    options = ("--what", "merge", "--tokens", "2,3", "--d-v", "8", "--heads", "2", "--batch", "2")
    known = ("--exp-base", "e", "--logsumexp-base", "e", "--logsumexps", "float32")
    done = run(project, "conform", "mine:merge", *FORMATS, *options, *known, "--examples", "0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 parts are not served: one-part" in done.stdout
    assert done.stdout.splitlines()[-2].split() == ["parts", "2", "2", "3"]
    wrong = ("conform", "mine:merge_mean", *FORMATS, "--what", "merge", "--examples", "0")
    done = run(project, *wrong, *options)
    assert done.returncode == 1
    assert "target = Merging(merge_mean, " in done.stdout
    assert (
        run(project, "conform", "mine:merging", "--what", "merge", "--examples", "0").returncode
        == 0
    )


def left_out(text: str) -> set[str]:
    """The entries that a report says were not run."""
    lines = text.partition("\nnot run, ")[2].partition("\nvisited")[0].splitlines()[1:]
    return {flag for line in lines for flag in line.rpartition(": ")[2].split(", ")}


def test_a_backward_pass_is_examined(project: Path) -> None:
    what = ("--what", "backward", "--tokens", "most=6", "--heads", "2", "--d", "4", "--d-v", "4")
    told = ("--reads", "output,logsumexp", "--added", "float32", "--block", "4", "--grouped")
    fixed = ("--batch", "1", "--queries", "most=6", "--examples", "0")
    done = run(project, "conform", "mine:pulled", *FORMATS, *what, *told, *fixed)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "values are as wide as keys: gradient-widths" in done.stdout
    wrong = ("conform", "mine:unmasked", "--mask", "causal", *FORMATS, *what, *fixed)
    done = run(project, *wrong, "--reads", "none")
    assert done.returncode == 1
    assert "it comes from the p, as if there were no mask" in done.stdout
    assert "target = Backward(unmasked, " in done.stdout
    assert "reads=()" in done.stdout


def test_a_backward_pass_with_terms_is_examined(project: Path) -> None:
    """That of docs/backward.md."""
    page = (Path(__file__).parents[3] / "docs" / "backward.md").read_text()
    (block,) = (part for part in page.split("```") if "# capped_backward.py" in part)
    (project / "capped_backward.py").write_text(block.removeprefix("python"))
    (told,) = (part for part in page.split("```") if "capped_backward:backward" in part)
    command = told.replace("\\\n", " ").split()[2:]
    small = ("--tokens", "most=6", "--heads", "2", "--d", "4", "--d-v", "4", "--batch", "1")
    done = run(project, "conform", *command[1:], *small, "--queries", "most=6", "--examples", "0")
    assert done.returncode == 0, done.stdout + done.stderr
    for flag in ("gradient-sink", "gradient-capped", "gradient-bias-axes", "gradient-logsumexp"):
        assert flag not in left_out(done.stdout)  # else it says why it was not run
    assert "no alibi is declared: gradient-alibi" in done.stdout


def test_terms_are_declared(project: Path) -> None:
    (project / "joined.py").write_text(JOINED)
    terms = ("--sink", "--softcap", "20", "--bias", "alibi", "--order", "1", "--mask", "causal")
    small = ("--tokens", "most=12", "--heads", "2", "--d", "4", "--d-v", "same", "--examples", "0")
    done = run(project, "conform", "joined:at_once", *FORMATS, *terms, *small)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "bias-axes" in left_out(done.stdout)
    assert "alibi-corners" not in left_out(done.stdout)
    done = run(project, "conform", "mine:factored", *TINY, "--sink")
    assert done.returncode == 2
    assert "unexpected keyword argument 'sink'" in done.stdout


def test_repeatability_is_declared_and_told(project: Path) -> None:
    (project / "mine_split.py").write_text(REPEATED)
    told = (*TINY, "--splits", "1,3")
    done = run(
        project, "conform", "mine_split:split", *told, "--bitwise", "none", "--json", "r.json"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the same rows by other calls:\n  repeat: bitwise\n" in done.stdout
    document = json.loads((project / "r.json").read_text())
    assert {each["flag"]: each["found"] for each in document["repeated"]} == {
        "repeat": "bitwise", "row-alone": "bitwise", "row-moved": "bitwise",
        "splits": "within the bound",
    }  # fmt: skip
    done = run(project, "conform", "mine_split:split", *told, "--bitwise", "splits")
    assert done.returncode == 1
    assert "splits: 3 splits in place of 1 returned other numbers" in done.stdout
    assert "  splits: within the bound, where bitwise is declared\n" in done.stdout


def test_codes_are_declared(project: Path) -> None:
    (project / "repeated.py").write_text(REPEATED)
    (project / "mine_codes.py").write_text(QUANTISED.replace("from kernels import", "import"))
    told = ("mine_codes:numbers_first", *TINY, "--quantised")
    done = run(project, "conform", *told, "int8,per=block,block=4,rounded=float32,zero-point")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "poison" in left_out(done.stdout)
    assert "zero-points" not in left_out(done.stdout)
    done = run(project, "conform", *told, "int8,per=token", "--views", "offset")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "  there is a scale for each token: scale-blocks\n" in done.stdout
    assert "  strided arrays are not served: strided" in done.stdout
    assert "offset" not in left_out(done.stdout)


def test_sequences_are_packed_and_in_pages(project: Path) -> None:
    (project / "repeated.py").write_text(REPEATED)
    (project / "mine_pages.py").write_text(PACKED.replace("from kernels import", "import"))
    told = (*TINY, "--layout", "nhd")
    pages = ("mine_pages:packed_in_pages", *told, "--pages", "4", "--packed")
    done = run(project, "conform", *pages, "plain")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "  no sequence is empty, as nothing else is declared: empty-sequences\n" in done.stdout
    done = run(project, "conform", "mine_pages:packed", *told, "--packed", "empty,slack")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "  there are no pages: pages\n" in done.stdout
    assert "empty-sequences" not in left_out(done.stdout)


def test_a_mask_may_be_none(project: Path) -> None:
    done = run(project, "conform", "mine:factored", *TINY, "--mask", "none")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the mask is none: causal" in done.stdout


def test_a_domain_that_leaves_too_little_is_status_1(project: Path) -> None:
    done = run(project, "conform", "mine:factored", *TINY, "--tokens", "1")
    assert done.returncode == 1
    assert done.stdout.startswith("says nothing: ")


BAD_USAGE: tuple[tuple[tuple[str, ...], str], ...] = (
    (("conform",), "MODULE:FUNCTION"),
    (("conform", "mine:factored"), "--dtype: expected a format, such as float32, got none"),
    (("conform", "mine:factored", "--dtype", "float32"), "--accumulate: expected a format"),
    (("conform", "mine", *FORMATS), "target: expected MODULE:NAME, got 'mine'"),
    (("conform", "mine:nothing", *FORMATS), "target: expected MODULE:NAME"),
    (("conform", "mine:BLOCK", *FORMATS), "function: expected a callable, got 4"),
    (("conform", "mine:target", *FORMATS), "options: expected none"),
    (
        ("conform", "mine:factored", *FORMATS, "--mask", "window,3"),
        "mask: expected window,left",
    ),
    (("conform", "mine:factored", *FORMATS, "--mask", "window,left=x"), "mask.left: expected"),
    (("conform", "mine:factored", *FORMATS, "--mask", "window"), "has no end and hides nothing"),
    (("conform", "mine:factored", *FORMATS, "--mask", "window,top-left"), "has no end and"),
    (("conform", "mine:factored", *FORMATS, "--padded", "empty"), "padded: expected left, right"),
    (
        ("conform", "mine:factored", *FORMATS, "--tokens", "multiple"),
        "tokens: expected a whole",
    ),
    (("conform", "mine:factored", *FORMATS, "--d-v", "equal"), "d_v: expected a whole number"),
    (("conform", "mine:factored", *FORMATS, "--block", "0"), "block: expected"),
    (("conform", "mine:factored", *FORMATS, "--scale", "x"), "scale: expected"),
    (("conform", "mine:factored", *FORMATS, "--json", "no/such/r.json"), "no/such"),
    (("conform", "mine:factored", *FORMATS, "--seed", "-1"), "seed: expected"),
    (("conform", "mine:merging", "--what", "attention"), "--what: expected what the target"),
    (("conform", "mine:target", "--what", "merge"), "--what: expected what the target does"),
    (("conform", "mine:merge", *FORMATS, "--what", "sum"), "--what"),
    (("conform", "mine:merge", *FORMATS, "--exp-base", "2"), "--exp-base: expected none with"),
    (("conform", "mine:backward"), "--what: expected what the target does, got 'Target'"),
    (("conform", "mine:target", "--what", "backward"), "--what: expected what the target does"),
    (("conform", "mine:factored", *FORMATS, "--added", "float16"), "--added: expected none"),
    (
        ("conform", "mine:merge", *FORMATS, "--what", "merge", "--reads", "output"),
        "--reads: expected none without --what backward",
    ),
    (
        ("conform", "mine:pulled", *FORMATS, "--what", "backward", "--differentiable"),
        "arrays: expected torch or jax, as it is differentiable",
    ),
    (
        ("conform", "mine:merge", *FORMATS, "--what", "merge", "--mask", "causal"),
        "mask: expected None, as it merges",
    ),
    (("conform", "mine:factored", *FORMATS, "--bias", "alibi"), "bias: expected array, as"),
    (("conform", "mine:factored", *FORMATS, "--splits", "0"), "splits: expected a whole"),
    (("conform", "mine:factored", *FORMATS, "--bitwise", "rows"), "bitwise: expected one of"),
    (("conform", "mine:factored", *FORMATS, "--views", "all"), "views: expected one of"),
    (("conform", "mine:factored", *FORMATS, "--packed", "all"), "packed: expected some of"),
    (("conform", "mine:factored", *FORMATS, "--packed", "plain"), "layout: expected no b, as"),
    (
        ("conform", "mine:factored", *FORMATS, "--quantised", "int8,token"),
        "quantised: expected int8,per=token,block=16",
    ),
    (("conform", "mine:factored", *FORMATS, "--softcap", "-1"), "softcap: expected a positive"),
    (("vectors",), "--out"),
    (("vectors", "--out", "mine.py"), "mine.py"),
)
# Every command in one process, as most of the time is that of starting one.
ANSWERS = """
import contextlib, io, json, sys
from kvfloor_proofs.cli import main
answers = []
for arguments in json.loads(sys.argv[1]):
    sys.argv[1:] = arguments
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            answers.append((end.code, out.getvalue(), err.getvalue()))
print(json.dumps(answers))
"""


def test_bad_usage_is_one_line_and_status_2(project: Path) -> None:
    told = json.dumps([arguments for arguments, _ in BAD_USAGE])
    done = subprocess.run(
        [sys.executable, "-c", ANSWERS, told],
        cwd=project, env=KERNELS, capture_output=True, text=True, check=True, timeout=HANG,
    )  # fmt: skip
    for (arguments, part), answer in zip(BAD_USAGE, json.loads(done.stdout), strict=True):
        status, said, error = answer
        assert (status, said, error.count("\n")) == (2, "", 1), (arguments, answer)
        assert part in error, arguments


@pytest.mark.parametrize(
    ("arguments", "part"), [BAD_USAGE[0], BAD_USAGE[4]], ids=["usage", "target"]
)
def test_bad_usage_ends_the_process(project: Path, arguments: tuple[str, ...], part: str) -> None:
    done = run(project, *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done
    assert part in done.stderr


def block(language: str, number: int) -> str:
    return str(re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[number])


@pytest.mark.long
def test_the_page_on_gradients_does_what_it_says(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "backward.md").read_text()
    text, *_ = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "mine_backward.py").write_text(text)
    command = re.findall(r"```sh\n(.*?)\n", page)[0]
    done = run(tmp_path, *command.split()[1:], "--examples", "0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("passes: ")


@pytest.mark.long
def test_the_page_does_what_it_says(tmp_path: Path) -> None:
    """Its adapter passes by its command; its target and its line of configuration are a suite."""
    for name, text in (
        ("mine.py", block("python", 0)),
        ("targets.py", block("python", 1)),
        ("pytest.ini", block("ini", 0)),
    ):
        (tmp_path / name).write_text(text)
    (command,) = block("sh", 0).splitlines()
    done = run(tmp_path, *command.split()[1:], "--examples", "0")
    assert done.returncode == 0, done.stdout + done.stderr
    (command,) = block("sh", 1).splitlines()
    done = run(tmp_path, *command.split()[1:], "--examples", "0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "  values are as wide as keys: wide-values\n" in done.stdout
    (tmp_path / "merging.py").write_text(block("python", 2))
    (command,) = block("sh", 2).splitlines()
    done = run(tmp_path, *command.split()[1:], "--examples", "0")
    assert done.returncode == 0, done.stdout + done.stderr
    pytest_command = [sys.executable, "-m", "pytest", "-q", "-p", "kvfloor_pytest"]
    suite = subprocess.run(
        [*pytest_command, "-m", "kvfloor_instances"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=HANG,
    )  # fmt: skip
    assert (suite.returncode, "1 passed" in suite.stdout) == (0, True), suite.stdout


def test_vectors_are_written(project: Path) -> None:
    done = run(project, "vectors", "--out", "some/where")
    assert done.returncode == 0, done.stderr
    written = sorted((project / "some" / "where").iterdir())
    assert sorted(done.stdout.split()) == [str(path.relative_to(project)) for path in written]
    assert len(written) == 6
