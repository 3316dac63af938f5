"""Exit codes that tell INCONCLUSIVE, NOT MEASURED and bad input apart, and verdicts that a pipeline lets pass."""

from pathlib import Path

import numpy as np
import pytest
from planted import make
from typer.testing import CliRunner

from ratf.cli import app
from ratf.commands.exit_codes import DISTINCT, USUAL, NotPass, exit_code
from ratf.results.results import Results, save

POLICY = "critical:\n  - raft {} on style.identity\n"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    style, noise = np.linspace(0.3, 0.9, 60), np.random.default_rng(0).normal(0, 0.05, 60)
    arms = {"raft": {"style_identity": style + noise}, "baseline": {"style_identity": style}}
    save(make(arms, [f"i{n % 6}" for n in range(60)]), tmp_path / "run" / "results.json")
    return tmp_path


def checked(folder: Path, rule: str, *options: str) -> tuple[int, str]:
    (folder / "policy.yaml").write_text(POLICY.format(rule), "utf-8")
    command = ["check", str(folder / "run"), "--policy", str(folder / "policy.yaml"), *options]
    done = CliRunner().invoke(app, command)
    return done.exit_code, done.stdout.partition(":")[0]


def test_verdicts_and_bad_input_share_a_code_unless_they_are_told_apart(run: Path) -> None:
    assert checked(run, "better than baseline") == (2, "INCONCLUSIVE")
    assert checked(run, "better than baseline", "--distinct-exit-codes") == (3, "INCONCLUSIVE")
    assert checked(run, "not worse than the reference run") == (2, "NOT MEASURED")
    assert checked(run, "not worse than the reference run", "--distinct-exit-codes") == (4, "NOT MEASURED")
    assert checked(run, "be good", "--distinct-exit-codes") == (2, "")


def test_a_verdict_can_be_let_pass_and_no_other_is(run: Path) -> None:
    assert checked(run, "better than baseline", "--exit-zero-on", "inconclusive") == (0, "INCONCLUSIVE")
    assert checked(run, "better than baseline", "--exit-zero-on", "not-measured") == (2, "INCONCLUSIVE")
    both = ("--exit-zero-on", "inconclusive", "--exit-zero-on", "not-measured")
    assert checked(run, "not worse than the reference run", *both) == (0, "NOT MEASURED")
    assert checked(run, "be good", *both) == (2, "")
    assert checked(run, "better than baseline", "--exit-zero-on", "everything")[0] == 2


def test_without_the_options_the_codes_are_those_of_the_results() -> None:
    for verdict, code in USUAL.items():
        made = Results.model_construct(verdict=verdict)
        assert exit_code(verdict, False, ()) == made.exit_code == code
    assert sorted(DISTINCT.values()) == [0, 1, 3, 4]
    assert {v.lower().replace(" ", "-") for v in USUAL if v != "PASS"} == set(NotPass)
