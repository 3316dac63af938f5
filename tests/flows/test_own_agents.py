"""Agents of the user's own through a whole run: the agent of 15 lines as a solver, as a file of answers, and as a log."""

import io
import json
import runpy
import shutil
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from hosted import Hosted
from places import REPOSITORY
from small_suite import characters, small

from ratf.boards.leaderboard import leaderboard
from ratf.boards.site import site
from ratf.gate.gate import check
from ratf.reporting.markdown import markdown
from ratf.reporting.page import render
from ratf.results.results import Results
from ratf.review.scores import suite_of
from ratf.runner.plan import plan
from ratf.runner.run import carry_out
from ratf.suite.study import Study

MARRACK = str(REPOSITORY / "benchmarks" / "marrack")
SOLVER = {"name": "clone", "solver": "agents/clone.py@clone", "args": {"person": MARRACK}}
FILE = {"name": "clone-file", "answers": "clone.jsonl", "provenance": "clone.py on a laptop, 2026-10-01"}
LOG = {"name": "shipped", "log": "logs/clone.eval"}
MODEL = {"name": "my-bot", "model": "planted/agent", "memories": "own"}


def suite(tmp_path: Path, out: str, *arms: object, **more: object) -> Study:
    primary = {"metric": "rouge_l", "better": "clone", "than": "baseline"}
    settings = {
        "metrics": ["rouge_l", "copying"],
        "contamination": False,
        "primary": primary,
        "split": {"held_out_interviews": 6, "questions": 6},
    }
    return small(tmp_path, out, **{**settings, "arms": ["baseline", SOLVER, *arms], **more})


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What only exams read is left out."""
    for module in ("ratf.runner.phases", "ratf.scores.logs"):
        monkeypatch.setattr(f"{module}.everybody", lambda study: [*study.suite.all_arms, *study.suite.controls])


@pytest.fixture
def runs(
    tmp_path: Path, cache: Path, hosted: Hosted, quick: None, monkeypatch: pytest.MonkeyPatch
) -> tuple[Study, Results, Results]:
    """First the solver alone, then beside its answers in a file and in the log of the first run, and beside a model."""
    characters(tmp_path)
    (tmp_path / "agents").mkdir()
    shutil.copy(REPOSITORY / "docs" / "clone.py", tmp_path / "agents")
    first = suite(tmp_path, "first")
    alone = carry_out(first)
    # ratf questions suite.yaml | python agents/clone.py marrack > clone.jsonl
    rows = [json.dumps({**row, "digest": first.questions_digest}) + "\n" for row in first.questions()]
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(rows)))
    monkeypatch.setattr("sys.argv", ["clone.py", MARRACK])
    with (tmp_path / "clone.jsonl").open("w", encoding="utf-8") as file, redirect_stdout(file):
        runpy.run_path(str(tmp_path / "agents" / "clone.py"), run_name="__main__")
    (tmp_path / "logs").mkdir()
    log = next(p for p in (first.folder / "logs").glob("*.eval") if _arm(p) == "clone")
    shutil.copy(log, tmp_path / "logs" / "clone.eval")
    study = suite(tmp_path, "second", FILE, LOG, MODEL)
    return study, alone, carry_out(study)


def _arm(path: Path) -> str:
    from inspect_ai.log import read_eval_log

    return str((read_eval_log(str(path), header_only=True).eval.metadata or {})["arm"])


def test_an_agent_of_15_lines_is_the_same_as_solver_as_file_and_as_log(
    runs: tuple[Study, Results, Results], tmp_path: Path
) -> None:
    study, alone, run = runs
    ways = ("clone", "clone-file", "shipped")
    for way in ways[1:]:
        assert run.arms[way].metrics == run.arms["clone"].metrics == alone.arms["clone"].metrics
        assert all(q.answers[way].text == q.answers["clone"].text for q in run.questions)
    assert all(q.answers["clone"].text for q in run.questions) and not run.arms["clone"].errors
    assert {("clone", "baseline"), ("shipped", "baseline"), ("clone", "my-bot")} <= {
        (c.a, c.b) for c in run.comparisons
    }
    # what was recalled is in the prompt of the model, and no persona is
    first = run.questions[0].answers["my-bot"]
    assert first.memories and study.person.exchanges[0].answer[:20] in first.text, "it was told what it remembers"
    board = leaderboard([run])
    rows = {board.systems[s.system].arm: s for s in board.runs[0].standings if s.metric == "rouge_l"}
    assert {rows[w].score for w in ways} == {rows["clone"].score}
    assert len(leaderboard([run, alone]).boards) == 1, "agents of one's own change nothing in what is measured"
    assert board.systems[rows["clone-file"].system].model == "not known"
    assert board.systems[rows["my-bot"].system].model == "planted/agent"
    told = site(board)[f"systems/{rows['clone-file'].system}.html"].decode()
    assert "training <b>not known</b>" in told and "clone.py on a laptop" in told
    (work := tmp_path / "work").mkdir()
    assert suite_of(run, work).digest_with(run.data_digest) == run.digest, "a bundle is verified without the files"
    said_what_is_not_known(study, run)


def said_what_is_not_known(study: Study, run: Results) -> None:
    page, short = render(run), markdown(run, check(run))
    log = run.arms["shipped"].about
    assert log["answers"] == "6 of 6 questions" and log["task"].endswith("arm clone") and len(log["sha256"]) == 64
    assert log["training"] == log["prompts"] == "not known" and log["date"].startswith("20")
    assert run.arms["clone-file"].about["provenance, as told"] == "clone.py on a laptop, 2026-10-01"
    for text in (page, short):
        assert "clone-file is answers from clone.jsonl" in text and "training: not known" in text
        assert "0 of its 6 answers repeat 80 % or more of a real answer" in text
    unchecked = "not what clone, clone-file, shipped, my-bot learnt and remembers, which is not known"
    assert run.leaks and unchecked in run.leaks.checked
    assert "not known for clone, clone-file, shipped, my-bot" in page


def test_the_plan_counts_what_is_asked_here(tmp_path: Path) -> None:
    (tmp_path / "agents").mkdir()
    shutil.copy(REPOSITORY / "docs" / "clone.py", tmp_path / "agents")
    (tmp_path / "clone.jsonl").write_text("", "utf-8")
    study = suite(tmp_path, "run", FILE, MODEL)
    asks = {a.who: a for a in plan(study).asks if a.role == "answers"}
    assert asks.keys() == {"baseline", "clone", "my-bot"} and asks["clone"].usd is None
    assert asks["my-bot"].calls == asks["clone"].calls == 6 and asks["my-bot"].model == "planted/agent"
