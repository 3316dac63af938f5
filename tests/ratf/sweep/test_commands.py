"""The commands on a sweep, as a user types them, and its page in a browser."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from browser import axe, opened, overflow
from hosted import Hosted
from sweeps import SETTINGS, SEVEN, ahead, answer, done, person, planted, sweep
from typer.testing import CliRunner

from ratf.cli import app
from ratf.sweep.collect import join
from ratf.sweep.records import load

if TYPE_CHECKING:
    from playwright.sync_api import Browser

RUNNER = CliRunner()


def said(*words: object, code: int = 0) -> str:
    """What a command prints, which ends with this exit code."""
    outcome = RUNNER.invoke(app, [str(w) for w in words])
    assert outcome.exit_code == code, outcome.output
    return outcome.output


def test_a_failed_cell_is_run_again_alone(tmp_path: Path, cache: Path, hosted: Hosted) -> None:
    path = sweep(tmp_path, ["ada", "bea"])
    out = tmp_path / "run"
    answers = tmp_path / "answers" / "bea-good.jsonl"
    right = answers.read_text("utf-8")
    answers.write_text(right.replace('"id": "bea', '"id": "eve'), "utf-8")
    told = said("run", path, "--out", out, code=2)
    assert "NOT MEASURED: 1 cell failed: bea: prepare:" in told and "answers questions that are not asked" in told
    assert "ada: PASS" in told and (out / "cells/ada/report.html").is_file()
    assert "1 cell failed: bea" in said("check", out, code=2)
    answers.write_text(right, "utf-8")
    before = (out / "cells/ada/results.json").stat().st_mtime_ns
    told = said("run", path, "--out", out)
    assert "ada: PASS, nothing to do" in told and "PASS: good beats plain" in told
    assert (out / "cells/ada/results.json").stat().st_mtime_ns == before
    assert "nothing to do" in said("run", path, "--out", out)
    assert said("check", out).startswith("PASS: good beats plain")
    told = said("run", path, "--out", out, "--only", "person=bea")
    assert "1 of 1 cells are done, of 2 in all" in told


def test_no_cell_is_begun_where_one_cannot_run(tmp_path: Path, hosted: Hosted, monkeypatch: pytest.MonkeyPatch) -> None:
    models = {"embedder": "openai/words"}
    path = sweep(tmp_path, ["ada", "bea"], matrix={"models": [{**models, "base": b} for b in ("openai/m", "nobody/m")]})
    told = said("run", path, "--out", tmp_path / "run", code=2)
    assert "Inspect has no provider 'nobody'" in told and not (tmp_path / "run").exists() and hosted.embedded == []
    monkeypatch.delenv("OPENAI_API_KEY")
    path.write_text(path.read_text("utf-8").replace("nobody/m", "mockllm/m").replace("openai/m", "mockllm/n"), "utf-8")
    told = said("run", path, "--out", tmp_path / "run", code=2)
    assert "openai/words: OPENAI_API_KEY must be set in the environment" in told and not (tmp_path / "run").exists()


def test_plan_and_questions_take_it_whole(tmp_path: Path) -> None:
    path = sweep(
        tmp_path, SEVEN[:3], questions=2, interviews=4, split={"held_out_interviews": 2}, matrix={"seed": [1, 2]}
    )
    asked = [json.loads(line) for line in said("questions", path).splitlines()]
    assert [row["person"] for row in asked] == [p for p in SEVEN[:3] for _ in range(4)], "seeds ask nothing else"
    assert all("answer" not in row and row["digest"] for row in asked)
    told = said("plan", path)
    assert "6 cells; ada, bea, cyd" in told and "with intervals over interviews" in told and "0 calls" in told
    made = json.loads(said("plan", path, "--json"))
    assert made["cells"] == 6 and made["most"]["calls"] == 0 and made["uneven"] == []


def test_a_plan_says_whose_questions_are_fewer_than_the_suite_names(tmp_path: Path) -> None:
    split = {"held_out_interviews": 2, "questions": 5}
    path = sweep(tmp_path, SEVEN[:3], questions=2, interviews=4, split=split)
    row = next(line for line in said("plan", path).splitlines() if line.startswith("bea: "))
    assert "the 2 held-out interviews have 4 usable answers (2 and 2), fewer than the 5 questions" in row
    assert len(json.loads(said("plan", path, "--json"))["uneven"]) == 3


def test_a_plan_counts_once_what_cells_share(tmp_path: Path) -> None:
    for number, key in enumerate(("ada", "bea")):
        person(tmp_path, key, number, interviews=3, questions=2)
        row = {"doc_id": "d", "title": "T", "date": "2009-01-01", "source": "s", "text": answer(number, 9, 9)}
        (tmp_path / key / "writings.jsonl").write_text(json.dumps(row) + "\n", "utf-8")
    arms = {
        "arms": ["baseline", "rag_only"],
        "primary": {"metric": "rouge_l", "better": "rag_only", "than": "baseline"},
    }
    made = {**SETTINGS, **arms, "people": ["ada", "bea"], "split": {"held_out_interviews": 2}}
    path = tmp_path / "several.yaml"

    def planned(**more: object) -> dict[str, Any]:
        path.write_text(yaml.safe_dump({**made, **more}, sort_keys=False), "utf-8")
        found: dict[str, Any] = json.loads(said("plan", path, "--json"))
        return found

    alone = planned()
    assert (alone["least"]["calls"], alone["shared"]) == (2 * 2 * 4, 0)
    settings = planned(matrix={"memories.k": [1, 3]})
    assert settings["shared"] == 2 * 4, "the bare model is asked the same with other memories"
    assert settings["least"]["calls"] == 2 * alone["least"]["calls"] - 8
    assert "8 calls are those of an earlier cell" in said("plan", path)
    seeds = planned(matrix={"seed": [1, 2]})
    assert (seeds["least"]["calls"], seeds["shared"]) == (2 * alone["least"]["calls"], 0), "a seed has its own answers"


def test_what_is_for_many_is_refused_for_one_and_the_other_way_round(tmp_path: Path) -> None:
    path = sweep(tmp_path, ["ada", "bea"], questions=1, interviews=3, split={"held_out_interviews": 2})
    assert "--record and --replay are for one person" in said("run", path, "--replay", tmp_path, code=2)
    alone = {k: v for k, v in yaml.safe_load(path.read_text("utf-8")).items() if k != "people"}
    arms = [{**arm, "answers": arm["answers"].replace("{person}", "ada")} for arm in alone["arms"]]
    one = tmp_path / "one.yaml"
    one.write_text(yaml.safe_dump({**alone, "arms": arms, "person": "ada", "impostors": ["bea"]}), "utf-8")
    assert "is about one person with one setting" in said("run", one, "--workers", 2, code=2)


def test_report_writes_the_page_again_and_the_formats(tmp_path: Path) -> None:
    made = planted(tmp_path, SEVEN, ahead())
    join(made, done(made))
    page = made.folder / "report.html"
    before = page.read_bytes()
    page.unlink()
    assert str(page) in said("report", made.folder) and page.read_bytes() == before
    assert said("report", made.folder, "--format", "md").startswith("## ✓ PASS · planted")
    assert json.loads(said("report", made.folder, "--format", "json"))["held_out"]["questions"] == 56
    assert "scores has every score" in said("report", made.folder, "--format", "csv", code=2)
    assert "for the runs of a sweep" in said("report", made.folder, "--redact", code=2)
    told = said("check", made.folder)
    assert "56 paired questions of 7 people" in told and "interviews" not in told
    base = tmp_path / "baseline.json"
    said("baseline", "save", made.folder, "--to", base)
    assert said("check", made.folder, "--baseline", base).startswith("PASS: rag_only shows no regression")
    for command in ("bundle", "packet"):
        assert "is many runs; give one of them" in said(command, made.folder, "--out", tmp_path / command, code=2)
    told = said("leaderboard", made.folder, "--out", tmp_path / "site")
    assert "of 7 runs on 7 boards" in told and len(list((tmp_path / "site/runs").glob("*.html"))) == 7


@pytest.mark.parametrize(("width", "people"), [(1280, 7), (390, 7), (390, 3)])
def test_the_page_reads_well_in_both_schemes(width: int, people: int, tmp_path: Path, browser: "Browser") -> None:
    made = planted(tmp_path, SEVEN[-people:], ahead(out="eve"), {"memories.k": [1, 3], "seed": [1, 2]})
    join(made, done(made, {"gil/k-3_seed-2": "a service did not reply"}))
    page = made.folder / "report.html"
    for scheme in ("light", "dark"):
        with opened(browser, page, made.folder, width=width, color_scheme=scheme) as shown:
            assert overflow(shown) == []
            axe(shown)
    with opened(browser, page, made.folder, width=width, java_script_enabled=False) as shown:
        assert shown.locator("h1").inner_text().count("NOT MEASURED") == 1
        verdict = shown.locator("h1").bounding_box()
        assert verdict is not None and verdict["y"] + verdict["height"] < 800


def test_a_page_of_many_people_is_capped(tmp_path: Path) -> None:
    people = [f"p{n:02d}" for n in range(60)]
    made = planted(tmp_path, people, ahead(), questions=4)
    found = join(made, done(made))
    page = (made.folder / "report.html").read_text("utf-8")
    assert "20 more people" in page and "All 60 runs" in page and len(page) < 300_000
    assert load(made.folder) == found and len(found.rows) == 60
