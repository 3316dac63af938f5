"""The history on a run's page: order, names, breaks and their reasons, and runs that cannot be drawn."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from boards import planted
from invented import METRICS, invented
from typer.testing import CliRunner

from raft.errors import RaftError
from ratf.cli import app
from ratf.reporting.history import Past, drawn, past
from ratf.reporting.page import render
from ratf.results.bundle import write_bundle
from ratf.results.results import Results, save
from ratf.results.snapshot import save_baseline


def run(day: int = 1, **changes: Any) -> Results:
    finished = {"finished": f"2026-03-{day:02d} 09:00 UTC", "seconds": {}, "total": 1.0}
    return planted({"baseline": 0.2, "raft": 0.5 + day / 100}, seed=day, times=finished, **changes)


def kept(results: Results, folder: Path) -> Path:
    save(results, folder / "results.json")
    return folder


def over(tmp_path: Path, *others: Results, now: Results | None = None) -> tuple[Results, list[Past]]:
    """A run with these before it; the others' folders are called 0, 1, …"""
    now = now or run(9)
    paths = [kept(results, tmp_path / str(i)) for i, results in enumerate(others)]
    return now, past(now, kept(now, tmp_path / "now"), paths)


def breaks(now: Results, runs: list[Past]) -> list[str]:
    chart = drawn(now, runs)[0]
    told = [row["breaks"].partition(": ")[2] for row in chart["rows"]]
    drawn_ones = [[p["breaks"].partition(": ")[2] for p in panel["points"]] for panel in chart["panels"]]
    assert all(points == told for points in drawn_ones), "the table and every panel say the same"
    return told


def test_runs_stand_by_date_each_once_whatever_the_order(tmp_path: Path) -> None:
    now, runs = over(tmp_path, run(12), run(3), run(9), run(3))
    assert [(p.name, p.now) for p in runs] == [("1", False), ("this run", True), ("0", False)]
    chart = drawn(now, runs)[0]
    assert [panel["arm"] for panel in chart["panels"]] == ["baseline", "raft"]
    assert [p["x"] for p in chart["panels"][1]["points"]] == [6, 50, 94]
    heights = [p["y"] for p in chart["panels"][1]["points"]]
    assert all(0 < p["high"] < p["y"] < p["low"] < 100 for panel in chart["panels"] for p in panel["points"])
    means = [row["cells"][1].mean for row in chart["rows"]]
    assert sorted(range(3), key=lambda i: means[i]) == sorted(range(3), key=lambda i: -heights[i]), "up is more"


def test_runs_of_one_day_and_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    now, *others = (run(2, model=f"local/{i}", world=i) for i in range(3))
    paths = [kept(one, tmp_path / where / "run") for one, where in zip(others, "ab", strict=True)]
    runs = past(now, kept(now, tmp_path / "c" / "run"), [paths[0], paths[1] / "results.json"])
    assert [p.name for p in runs] == ["this run", "a/run", "b/run"]
    page = render(now, runs=runs)
    assert "2 · a/run" in page and "3 · b/run" in page and "1 · <b>this run</b>" in page


def test_the_line_breaks_with_its_reason_where_something_else_was_measured(tmp_path: Path) -> None:
    models = {"base": "local/b", "embedder": "local/e", "grader": "openai/new"}
    other = run(2, settings={"models": models})
    now, runs = over(
        tmp_path, run(1), other, run(3, data_digest="other"), run(4, prompts_digest="q", data_digest="other")
    )
    judge, data, prompts = "the judge", "the data's digest", "the prompts' digest"
    assert breaks(now, runs) == ["", judge, f"{data}, {judge}", prompts, f"{data}, {prompts}"]
    panel = drawn(now, runs)[0]["panels"][0]
    assert len(panel["points"]) == 5 and panel["segments"] == [], "no line crosses a break"
    page = render(now, runs=runs)
    assert f"‖ not comparable from here on, another measure: {judge}</em>" in page and "with 4 breaks" in page


def test_a_system_that_changed_and_metrics_that_came_are_no_break(tmp_path: Path) -> None:
    more = run(1, metrics=("style_identity", "rouge_l"))
    now, runs = over(tmp_path, more, run(2, settings={"training": {"epochs": 3}}), run(3, model="local/other"))
    assert breaks(now, runs) == ["", "", "", ""]
    assert len(drawn(now, runs)[0]["panels"][0]["segments"]) == 1


def test_the_primary_and_what_passed_its_exam_is_drawn(tmp_path: Path) -> None:
    names = ("style_identity", "rouge_l", "embedding_cosine")
    now = run(9, metrics=names, admitted=("embedding_cosine",))
    _, runs = over(tmp_path, run(2, metrics=names), now=now)
    assert [chart["metric"] for chart in drawn(now, runs)] == ["style_identity", "embedding_cosine"]
    page = render(now, runs=runs)
    assert re.search(r"<h3>Voice <small>style_identity, not admitted", page)


def test_an_arm_that_a_run_lacks_leaves_a_gap(tmp_path: Path) -> None:
    old = run(2)
    asked = [
        q.model_copy(update={"answers": {n: a for n, a in q.answers.items() if n != "baseline"}}) for q in old.questions
    ]
    left: dict[str, Any] = {"arms": {n: a for n, a in old.arms.items() if n != "baseline"}, "questions": asked}
    left["skill"] = [s for s in old.skill if s.arm != "baseline"]
    old = old.model_copy(update={**left, "comparisons": [c for c in old.comparisons if "baseline" not in (c.a, c.b)]})
    now, runs = over(tmp_path, old)
    chart = drawn(now, runs)[0]
    assert [len(panel["points"]) for panel in chart["panels"]] == [1, 2] and chart["rows"][0]["cells"][0] is None
    assert "<td>–</td>" in render(now, runs=runs)


def test_every_run_that_cannot_be_drawn_is_named(tmp_path: Path) -> None:
    mine, theirs = kept(run(9), tmp_path / "mine"), kept(run(2, person="pell"), tmp_path / "theirs")
    (tmp_path / "broken.json").write_text("{}")
    save_baseline(run(1), tmp_path / "scores.json")
    named = [theirs, tmp_path / "nowhere", tmp_path / "broken.json", tmp_path / "scores.json"]
    with pytest.raises(RaftError) as error:
        past(run(9), mine, [kept(run(3), tmp_path / "good"), *named])
    assert all(f"\n  {path}" in str(error.value) for path in named) and "/good" not in str(error.value)
    assert "a run of pell, and this is one of marrack" in str(error.value)
    told = CliRunner().invoke(app, ["report", str(mine), "--history", str(theirs)])
    assert told.exit_code == 2 and not (mine / "report.html").exists()


def test_the_command_draws_runs_and_bundles(tmp_path: Path) -> None:
    mine, old = kept(invented(2, day=3), tmp_path / "mine"), kept(invented(2, day=1), tmp_path / "old")
    write_bundle(kept(invented(2, day=2), tmp_path / "b"), invented(2, day=2), None, tmp_path / "x.ratf.zip")
    runner, page = CliRunner(), mine / "report.html"
    assert runner.invoke(app, ["report", str(mine)]).exit_code == 0
    assert "ratf report RUN --history" in page.read_text("utf-8") and "class=past" not in page.read_text("utf-8")
    history = ["--history", str(tmp_path / "x.ratf.zip"), "--history", str(old)]
    assert runner.invoke(app, ["report", str(mine), *history, "--redact"]).exit_code == 0
    text = (mine / "report.redacted.html").read_text("utf-8")
    assert text.index("1 · old") < text.index("2 · x.ratf.zip") < text.index("3 · <b>this run</b>")
    refused = runner.invoke(app, ["report", str(mine), *history, "--format", "md"])
    assert refused.exit_code == 2 and "leave it out" in refused.stderr


def test_a_name_is_text_and_the_same_runs_give_the_same_bytes(tmp_path: Path) -> None:
    now = invented(2, day=3, metrics=METRICS[:1])
    mine, other = kept(now, tmp_path / "now"), kept(invented(2, day=1, metrics=METRICS[:1]), tmp_path / "<img src=x>")
    pages = [render(now, runs=past(now, mine, [other])) for _ in range(2)]
    assert "<img" not in pages[0] and "&lt;img src=x&gt;" in pages[0] and pages[0] == pages[1]
    assert json.loads(pages[0].split('id="results">')[1].split("</script>")[0])["verdict"] == now.verdict
