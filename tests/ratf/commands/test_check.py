"""`ratf check`, `ratf baseline save` and `ratf report` as a user runs them."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from commands import Command
from junitparser import JUnitXml
from planted import make
from typer.testing import CliRunner

from raft.errors import RaftError
from ratf.cli import app
from ratf.results.results import save
from ratf.results.snapshot import load_baseline, save_baseline, snapshot

INTERVIEWS = [f"i{g}" for g in range(6) for _ in range(10)]


def a_run(folder: Path, drop: float = 0.0, seed: int = 0) -> Path:
    style, noise = np.linspace(0.3, 0.9, 60), np.random.default_rng(seed).normal(0, 0.05, 60)
    arms = {"raft": {"style_identity": style - drop + noise}, "baseline": {"style_identity": style - 0.3}}
    results = make(arms, INTERVIEWS, settings={"seed": seed})
    save(results, folder / "results.json")
    return folder


def test_a_baseline_is_kept_and_a_regression_against_it_exits_with_1(ratf: Command, tmp_path: Path) -> None:
    before, after = a_run(tmp_path / "before"), a_run(tmp_path / "after", 0.15, 1)
    kept = ratf("baseline", "save", before, "--to", tmp_path / "baseline.json")
    assert kept.returncode == 0 and kept.stdout == f"{tmp_path / 'baseline.json'}: 60 questions of 2 arms\n"
    github = {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"), "GITHUB_ACTIONS": "true"}
    found = ratf("check", after, "--baseline", tmp_path / "baseline.json", "--junit", tmp_path / "j.xml", **github)
    assert found.returncode == 1, found.stderr
    assert found.stdout.startswith("REGRESSION: raft is worse than the reference run: -0.1")
    assert "\n::error title=RATF%3A REGRESSION::raft is worse" in found.stdout
    assert (tmp_path / "summary.md").read_text("utf-8").startswith("## ✗ REGRESSION")
    assert JUnitXml.fromfile(str(tmp_path / "j.xml")).failures == 1
    md = ratf("report", after, "--format", "md")
    assert md.returncode == 0 and md.stdout == (tmp_path / "summary.md").read_text("utf-8")


def test_another_seed_is_no_regression(ratf: Command, tmp_path: Path) -> None:
    before, after = a_run(tmp_path / "before"), a_run(tmp_path / "after", 0, 1)
    found = ratf("check", after, "--baseline", before)
    assert found.returncode == 0
    assert found.stdout.startswith("PASS: raft shows no regression against the reference run: ")
    assert "::" not in found.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--baseline", "nowhere"], "nowhere: no such baseline"),
        (["--policy", "nowhere"], "nowhere: no such file"),
        (["--policy", "bad.yaml"], "bad.yaml:1: critical[0]: 'be good' is not a rule"),
        (["--baseline", "bad.yaml"], "not the results of a run"),
    ],
)
def test_bad_input_exits_with_2(ratf: Command, tmp_path: Path, arguments: list[str], says: str) -> None:
    (tmp_path / "bad.yaml").write_text("critical: [be good]\n", "utf-8")
    run = a_run(tmp_path / "run")
    found = ratf("check", run, *[tmp_path / a if not a.startswith("-") else a for a in arguments])
    assert (found.returncode, found.stdout) == (2, "") and says in found.stderr
    assert not (run / "check.json").exists()


def test_a_policy_that_says_a_key_twice_exits_with_2(ratf: Command, tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text("critical:\n  - leaks none\n  - errors 0\ncritical:\n  - errors 0\n", "utf-8")
    found = ratf("check", a_run(tmp_path / "run"), "--policy", policy)
    assert (found.returncode, found.stdout) == (2, "")
    assert "p.yaml:4: 'critical' is there twice, first in line 1; keep one" in found.stderr


def test_a_folder_without_a_run_exits_with_2(ratf: Command, tmp_path: Path) -> None:
    found = ratf("check", tmp_path)
    assert found.returncode == 2 and "results.json: no such file; `ratf run` writes it" in found.stderr


def test_a_run_is_written_again_in_every_format(tmp_path: Path) -> None:
    run = a_run(tmp_path / "run")

    def report(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["report", str(run), *arguments])

    for form in ("html", "md", "junit", "json", "csv", "parquet", "schema"):
        found = report("--format", form, "--out", str(tmp_path / form))
        assert found.exit_code == 0 and found.stdout == f"{tmp_path / form}\n" and (tmp_path / form).stat().st_size
    assert (tmp_path / "json").read_bytes() == (run / "results.json").read_bytes()
    assert json.loads((tmp_path / "schema").read_text("utf-8"))["title"] == "Results"
    assert report("--format", "csv").stdout == (tmp_path / "csv").read_text("utf-8")
    assert report().stdout == f"{run / 'report.html'}\n" and (run / "report.html").is_file()
    assert report("--format", "word").exit_code == 2


def test_a_baseline_file_is_sorted_rounded_and_without_texts(tmp_path: Path) -> None:
    x = np.random.default_rng(0).random(12)
    x[3] = np.nan
    results = make(
        {"raft": {"rouge_l": x, "bertscore": x}, "baseline": {"rouge_l": x, "bertscore": x}}, list("abcdef") * 2
    )
    save_baseline(results, tmp_path / "one.json")
    lines = (tmp_path / "one.json").read_text("utf-8").splitlines()
    assert sum('"bertscore": ' in line and '"rouge_l": ' in line for line in lines) == 2 * 12
    assert "Because" not in "".join(lines) and "Why" not in "".join(lines)
    kept, whole = load_baseline(tmp_path / "one.json"), snapshot(results)
    assert kept.model_copy(update={"scores": {}}) == whole.model_copy(update={"scores": {}})
    assert kept.of("raft", "rouge_l") == {q: round(v, 4) for q, v in whole.of("raft", "rouge_l").items()}
    reordered = results.model_copy(
        update={"questions": results.questions[::-1], "arms": dict(reversed(results.arms.items()))}
    )
    save_baseline(reordered, tmp_path / "two.json")
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    (tmp_path / "three.json").write_text((tmp_path / "one.json").read_text("utf-8")[:-30], "utf-8")
    with pytest.raises(RaftError, match="not a baseline of this version"):
        load_baseline(tmp_path / "three.json")


def test_reading_results_imports_nothing_that_produces_them() -> None:
    program = (
        "import sys, ratf.gate.gate, ratf.gate.rules, ratf.gate.policy, ratf.results.snapshot, ratf.reporting.markdown, ratf.reporting.junit, ratf.results.table\n"
        "heavy = ['inspect_ai', 'torch', 'transformers', 'chromadb', 'sklearn', 'pandas', 'statsmodels', 'scipy.stats',"
        " 'ratf.suite.study', 'ratf.runner.run', 'ratf.runner.collect']\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "[]\n"


def test_a_rule_may_call_the_reference_run_by_its_earlier_name(tmp_path: Path) -> None:
    before, after = a_run(tmp_path / "before"), a_run(tmp_path / "after", 0.15, 1)
    for name in ("baseline", "reference"):
        policy = tmp_path / f"{name}.yaml"
        policy.write_text(f"critical:\n  - raft not worse than the {name} run on style.identity\n", "utf-8")
        done = CliRunner().invoke(app, ["check", str(after), f"--{name}", str(before), "--policy", str(policy)])
        assert done.exit_code == 1 and done.stdout.startswith("REGRESSION: raft is worse than the reference run"), (
            done.output
        )
