"""A run with errors says so, is not final, and voids no more than what failed."""

from pathlib import Path

import pytest
import yaml
from faulty import KEY, Faulty, failed, fine
from planted_judges import DEMO
from typer.testing import CliRunner, Result

from ratf.cli import app
from ratf.gate.gate import check, why_not_measured
from ratf.gate.policy import load_policy
from ratf.models.faults import in_short, kinds
from ratf.results.folder import open_run
from ratf.suite.study import Study


def the_command(study: Study, tmp_path: Path, *options: str) -> Result:
    where = ["--data", str(DEMO.parent), "--out", str(study.folder)]
    return CliRunner().invoke(app, ["run", str(tmp_path / "suite.yaml"), *where, "--allow-leaks", *options])


def test_a_failed_run_says_why_and_the_next_start_asks_again(study: Study, faulty: Faulty, tmp_path: Path) -> None:
    faulty.act = lambda prompt: failed(401, f"Incorrect API key provided: {KEY}")
    told = "rag_only: 12 of 12 ended in an error: 401 Incorrect API key provided: (a key)"
    first = the_command(study, tmp_path)
    assert first.exit_code == 2 and first.stdout.startswith("NOT MEASURED") and told in first.stdout + first.stderr
    assert told in open_run(study.folder).sentence
    assert told in (study.folder / "report.html").read_text("utf-8")

    faulty.act = fine
    before = len(faulty.asked)
    second = the_command(study, tmp_path)
    assert len(faulty.asked) - before == 24 and "nothing to do" not in second.stdout
    results = open_run(study.folder)
    assert not any(arm.errors for arm in results.arms.values()) and "error" not in results.sentence
    third = the_command(study, tmp_path)
    assert "nothing to do" in third.stdout and len(faulty.asked) - before == 24


def test_one_failed_request_does_not_void_the_arm_and_a_policy_decides(
    study: Study, faulty: Faulty, tmp_path: Path
) -> None:
    hard = study.held_out[3].question[:40]
    faulty.act = lambda prompt: failed(400, "no good") if hard in prompt and "You remember" in prompt else fine(prompt)
    the_command(study, tmp_path)
    results = open_run(study.folder)
    arm = results.arms["rag_only"]
    assert (arm.errors, arm.metrics["rouge_l"].n, arm.kinds_of_errors) == (1, 11, {"400 no good": 1})
    assert results.verdict == "NOT MEASURED" and "rag_only: 1 of 12 ended in an error: 400 no good" in results.sentence
    assert "answered 0" not in results.sentence
    assert all(sentence in results.sentence for sentence in why_not_measured(results)), "one set of rules"
    assert check(results).verdict == "NOT MEASURED"
    policy = tmp_path / "policy.yaml"
    rules = ["errors at most 5 %", "unscored at most 20 % on rouge_l"]
    policy.write_text(yaml.safe_dump({"critical": rules}))
    assert check(results, policy=load_policy(policy)).verdict == "PASS"
    asked = len(faulty.asked)
    faulty.act = fine
    the_command(study, tmp_path)
    assert len(faulty.asked) == asked + 1, "what was answered is not paid again"
    again = open_run(study.folder)
    assert again.arms["rag_only"].metrics["rouge_l"].n == 12 and list(again.arms["rag_only"].metrics) == ["rouge_l"]


@pytest.mark.parametrize(
    ("message", "short"),
    [
        ("'{}\\n\\nBadRequestError(\\'Error code: 400 - no good\\')')", "400 no good"),
        ("AuthenticationError(\"Error code: 401 - {'error': {'message': 'No key', 'type': 'x'}}\")", "401 No key"),
        ("RuntimeError('over budget: 3')", "over budget: 3"),
        ("Connection error.", "Connection error."),
        ("", "an error without words"),
    ],
)
def test_errors_in_short(message: str, short: str) -> None:
    assert in_short(message) == short


def test_errors_of_a_kind_are_counted_together() -> None:
    said = ["request 12 of ab12cd34ef failed", "request 13 of 99aa00bb11 failed", "no connection"]
    assert kinds(said) == {said[0]: 2, "no connection": 1}
