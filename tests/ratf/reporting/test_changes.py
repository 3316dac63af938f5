"""What a page says about a reference run: planted drops and gains, other settings, and baselines that are gone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from planted import make
from typer.testing import CliRunner

from raft.errors import RaftError
from ratf.cli import app
from ratf.gate.gate import check, save_check
from ratf.reporting.changes import Change, against, changed
from ratf.reporting.page import render
from ratf.results.results import Results, Tuned, save
from ratf.results.snapshot import load_baseline, save_baseline, snapshot

INTERVIEWS = [f"i{g}" for g in range(6) for _ in range(5)]


def run(change: float = 0.0, hurt: int | None = None, interviews: list[str] = INTERVIEWS, **settings: Any) -> Results:
    """raft's style changed by `change`, its copying too; one question hurt by 0.3."""
    base = np.random.default_rng(0).uniform(0.4, 0.6, len(interviews))
    style = base + 0.2 + change + np.random.default_rng(1).normal(0, 0.01, len(base)) * bool(change)
    if hurt is not None:
        style[hurt] -= 0.3
    arms = {"raft": {"style_identity": style, "copying": style}, "baseline": {"style_identity": base, "copying": base}}
    return make(arms, interviews, settings)


def compared(now: Results, then: Results) -> Change:
    before = snapshot(then)
    return changed(now, before, check(now, before, against="then"))


def test_a_gain_a_drop_and_no_change_are_told_apart() -> None:
    for change, reads, more in ((0.1, "better", "more"), (-0.1, "worse", "less"), (0.0, "the same", "the same")):
        found = compared(run(change), run())
        row = found.deltas["style_identity"]["raft"]
        assert row.found.mean == pytest.approx(change, abs=0.02) and row.reads == reads
        assert found.deltas["copying"]["raft"].reads == more, "neither way is better"
        assert found.deltas["style_identity"]["baseline"].reads == "the same"
        assert (len(found.fell), len(found.rose), found.same) == {"better": (0, 30, 0), "worse": (30, 0, 0)}.get(
            reads, (0, 0, 30)
        )


def test_the_question_that_broke_stands_first_and_is_linked() -> None:
    now = run(hurt=12)
    found = compared(now, run())
    assert [m.question for m in found.fell] == ["i2-q012"] and found.fell[0].was - found.fell[0].now == pytest.approx(
        0.3
    )
    page = render(now, found)
    assert '<a href="#q-i2-q012">' in page and 'id="q-i2-q012"' in page
    assert "raft got worse on 1 questions, better on 0, and stayed on 29" in page


def test_settings_that_differ_are_listed_with_both_values() -> None:
    found = compared(run(seed=2, memories={"k": 3}), run(seed=1, memories={"k": 5}))
    assert found.settings == [("seed", "1", "2"), ("memories.k", "5", "3")]
    assert compared(run(), run(extra=True)).settings == [("extra", "True", "not there")]
    assert compared(run(), run()).settings == []


def test_an_adapter_that_differs_is_named_where_both_runs_know_theirs(tmp_path: Path) -> None:
    def tuned(digest: str, weights: str = "") -> Results:
        made = Tuned(arm="raft", digest=digest, weights=weights, samples=9, losses=[])
        return run().model_copy(update={"tuned": [made]})

    assert compared(tuned("a1"), tuned("b2")).settings == [("adapter of raft", "b2", "a1")]
    assert compared(tuned("a1", "f0"), tuned("a1", "e9")).settings == [
        ("adapter of raft", "a1, weights e9", "a1, weights f0")
    ]
    assert compared(tuned("a1"), run()).settings == [] == compared(tuned("a1"), tuned("a1")).settings
    save_baseline(tuned("b2", "e9"), tmp_path / "baseline.json")
    assert load_baseline(tmp_path / "baseline.json").adapters == {"raft": "b2, weights e9"}


def test_other_data_are_not_compared_question_by_question() -> None:
    now, then = run(), run(0.1).model_copy(update={"data_digest": "other"})
    found = compared(now, then)
    assert (
        found.deltas == {}
        and found.fell == []
        and found.same == 0
        and ("data (digest)", "other", "dd") in found.settings
    )
    page = render(now, found)
    assert "different data" in page and "This run less the reference run" not in page


def test_a_metric_that_is_measured_otherwise_has_no_difference() -> None:
    then = run(0.1)
    metrics = {**then.metrics, "copying": {**then.metrics["copying"], "top": 9}}
    assert list(compared(run(), then.model_copy(update={"metrics": metrics})).deltas) == ["style_identity"]


def test_questions_of_one_run_only_are_named() -> None:
    now = run(interviews=[*INTERVIEWS, "i6"])
    page = render(now, compared(now, run()))
    assert "1 questions are in this run only: i6-q030." in page


def test_the_verdict_of_ratf_check_is_used_while_it_is_about_these_results(tmp_path: Path) -> None:
    now, then = run(-0.1), run()
    (tmp_path / "run").mkdir()
    save(now, tmp_path / "run" / "results.json")
    save_baseline(then, tmp_path / "then.json")
    assert against(now, tmp_path / "run") is None
    save_check(check(now, snapshot(then), against=str(tmp_path / "then.json")), tmp_path / "run")
    found = against(now, tmp_path / "run")
    assert found is not None and found.checked.verdict == "REGRESSION" and len(found.fell) == 30
    assert against(run(0.1), tmp_path / "run") is None, "a verdict on other results is not this run's"
    (tmp_path / "then.json").unlink()
    found = against(now, tmp_path / "run")
    assert found is not None and found.checked.verdict == "REGRESSION" and not found.deltas
    page = render(now, found)
    assert "not at hand any more" in page and "REGRESSION" in page
    with pytest.raises(RaftError, match="no such baseline"):
        against(now, tmp_path / "run", tmp_path / "then.json")


def test_the_command_compares_with_the_baseline_it_is_given(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    save(run(-0.1), tmp_path / "run" / "results.json")
    save_baseline(run(), tmp_path / "then.json")
    runner = CliRunner()
    assert runner.invoke(app, ["report", str(tmp_path / "run")]).exit_code == 0
    assert "No reference run was named" in (tmp_path / "run" / "report.html").read_text("utf-8")
    told = ["--baseline", str(tmp_path / "then.json")]
    assert runner.invoke(app, ["report", str(tmp_path / "run"), *told]).exit_code == 0
    page = (tmp_path / "run" / "report.html").read_text("utf-8")
    assert "▼ worse" in page and "REGRESSION" in page
    assert "REGRESSION" in runner.invoke(app, ["report", str(tmp_path / "run"), *told, "--format", "md"]).stdout
    assert runner.invoke(app, ["report", str(tmp_path / "run"), "--baseline", "nowhere"]).exit_code == 2


def test_hostile_text_in_a_baseline_stays_text() -> None:
    then = run(x="<script>alert(1)</script>\u202e")
    found = changed(run(), snapshot(then), check(run(), snapshot(then), against="<img src=x>"))
    page = render(run(), found)
    assert "<script>alert" not in page and "<img" not in page and "\u202e" not in page
