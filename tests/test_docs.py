"""README and docs: commands, examples and links do what they say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kvfloor_proofs.claims import SLUGS, load

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]

OPTIONAL = ("kvpress",)  # packages of examples that are not among the requirements of the tests


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)


def test_readme_opens_with_two_one_line_commands() -> None:
    first, second = blocks(ROOT / "README.md", "sh")[:2]
    assert first.count("\n") == second.count("\n") == 1
    assert first.endswith("kvfloor verify\n")
    assert second.endswith("pytest -n auto\n")


def test_readme_counts_the_kernel_theorems() -> None:
    proved = [slug for slug in SLUGS if load(slug).theorems]
    assert len(proved) == len(SLUGS) == 40
    assert "All forty claims have theorems" in (ROOT / "README.md").read_text()
    assert "`40 of 40 verdicts established`" in (ROOT / "docs" / "tour-theorist.md").read_text()


def test_ci_runs_the_second_command() -> None:
    script = ROOT / ".ci" / "readme_command.py"
    done = subprocess.run(
        [sys.executable, str(script), "2"], capture_output=True, text=True, check=True
    )
    assert done.stdout == blocks(ROOT / "README.md", "sh")[1].rstrip("\n")
    assert 'readme_command.py 2)"' in (ROOT / ".ci" / "run").read_text()


def test_ci_runs_what_the_second_command_leaves_out() -> None:
    commands = (ROOT / ".ci" / "run").read_text().splitlines()
    long = "HYPOTHESIS_PROFILE=ci .venv/bin/pytest -n auto -m long"
    assert commands[-2:] == [long, ".ci/versions"]
    assert "`-m long`" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("slug", SLUGS)
def test_labels_and_sources_are_explained(slug: str) -> None:
    """A row of definitions.md names the claim by each of its own labels."""
    rows = (ROOT / "docs" / "definitions.md").read_text().splitlines()
    own = [row.split("|")[1] for row in rows if f"[`{slug}`](claims/{slug}.md)" in row]
    source = load(slug).source
    assert {label for cell in own for label in re.findall(r"\b[A-Z]\d\b", cell)} & {
        *re.findall(r"\b[A-Z]\d\b", source)
    }
    sources = (ROOT / "docs" / "notation.md").read_text().partition("## Sources")[2]
    for key in re.findall(r"\b[A-Z]{2,3}\d*\b", source):
        assert f"| {key} |" in sources


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_relative_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", ["README.md", "docs/certificates.md"])
def test_examples_and_commands_run_in_order(page: str, tmp_path: Path) -> None:
    """The Python blocks run as one script; the console block then prints what it shows."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    env = os.environ | {"PATH": path}
    script = "\n".join(blocks(ROOT / page, "python"))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=tmp_path, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for command, shown in commands(ROOT / page):
        assert output(command, tmp_path) == shown


def test_readme_is_a_few_screens() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 150


def commands(page: Path) -> list[tuple[str, str]]:
    """The commands of the console blocks, each with what it is said to print."""
    session = "".join(blocks(page, "console"))
    return re.findall(r"^\$ (.*)\n((?:[^$].*\n)*)", session, re.MULTILINE)


def output(command: str, folder: Path) -> str:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    done = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout


def test_audit_example_runs(tmp_path: Path) -> None:
    """The module is audited by the first command, which prints the text block among others."""
    page = ROOT / "docs" / "audit.md"
    (module,), (finding,) = blocks(page, "python"), blocks(page, "text")
    (tmp_path / "mine.py").write_text(module)
    (audit, _), *checks, (sweep, _) = commands(page)
    printed = output(audit, tmp_path)
    assert finding in printed
    assert "violates" in printed
    assert "place" in printed
    files = {file.name for file in tmp_path.glob("*.*")}
    assert files >= {"mine.py", "result.json", "violation.json", "violation-2.json", "picture.png"}
    for command, shown in checks:
        assert output(command, tmp_path) == shown
    assert output(sweep, tmp_path).count(" refuted ") == 6
    assert len((tmp_path / "rows.jsonl").read_text().splitlines()) == 6


def test_tour_for_caches_runs(tmp_path: Path) -> None:
    page = ROOT / "docs" / "tour-cache.md"
    (module,) = blocks(page, "python")
    (tmp_path / "halved.py").write_text(module)
    (audit, _), (check, shown) = commands(page)
    printed = output(audit, tmp_path)
    assert "violates" in printed
    assert "halved:Halved, n=64, d=16: violation: it answers" in printed
    assert "graded-values: token " in printed
    assert output(check, tmp_path) == shown


@pytest.mark.long
def test_tour_for_kernels_runs(tmp_path: Path) -> None:
    page = ROOT / "docs" / "tour-kernel.md"
    module, oracle = blocks(page, "python")
    line, printed = blocks(page, "text")
    done = subprocess.run(
        [sys.executable, "-c", oracle], capture_output=True, text=True, check=True
    )
    assert done.stdout == printed
    (tmp_path / "mine.py").write_text(module)
    ((command, _),) = commands(page)
    said = output(command, tmp_path)
    assert f"\n{line}" in said
    assert "\nfails 6 entries: " in said
    fixed = module.replace("np.exp(logits)", "np.exp(logits - logits.max((-1, -2), keepdims=True))")
    fixed = fixed.replace("np.log(total)", "np.log(total) + logits.max((-1, -2))")
    (tmp_path / "mine.py").write_text(fixed)
    assert "passes" in output(command, tmp_path)


EXAMPLES = [
    page
    for page in PAGES[1:]
    if "print(" in "".join(blocks(page, "python")) and page.stem != "tour-kernel"
]


@pytest.mark.parametrize("page", EXAMPLES, ids=lambda p: p.stem)
def test_examples_of_a_page_print_what_it_says(page: Path, tmp_path: Path) -> None:
    """The Python blocks run as one script; each line that it prints is quoted on the page."""
    script = "\n".join(blocks(page, "python"))
    for package in OPTIONAL:
        if re.search(rf"^(import|from) {package}\b", script, re.MULTILINE):
            pytest.importorskip(package)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
    for line in done.stdout.splitlines():
        assert line in page.read_text()
