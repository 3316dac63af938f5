"""What the cells of a sweep say together: over people or interviews, who counts, who stands out, what each factor did."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sweeps import SEVEN, ahead, done, planted

import ratf
from raft.errors import RaftError
from ratf.gate.gate import check
from ratf.results.folder import open_run
from ratf.statistics.estimates import Estimate, clustered_mean
from ratf.sweep.collect import join, rendered
from ratf.sweep.page import markdown
from ratf.sweep.people import spread_of, standing_out
from ratf.sweep.records import FactorRow, SweepResults, load


def test_from_six_people_on_intervals_are_over_people(tmp_path: Path) -> None:
    sweep = planted(tmp_path, SEVEN, ahead())
    found = join(sweep, done(sweep))
    assert (found.over, found.verdict) == ("people", "PASS") and "over 7 people" in found.sentence
    whole = open_run(sweep.folder)
    contrast = next(c for c in whole.comparisons if (c.a, c.b) == ("rag_only", "baseline"))
    assert (contrast.n_questions, contrast.n_interviews) == (56, 7)
    # by another way: the t interval of the people's means, as everybody was asked alike
    frames = pd.concat(ratf.load(sweep.cell_folder(c)).scores() for c in sweep.cells)
    wide = frames.pivot_table(index=["person", "question"], columns="arm", values="value")
    means = (wide["rag_only"] - wide["baseline"]).groupby("person").mean()
    low, high = stats.t.interval(0.95, 6, means.mean(), stats.sem(means))
    assert contrast.difference == pytest.approx(means.mean()) and contrast.low == pytest.approx(low)
    assert contrast.high == pytest.approx(high)
    assert check(sweep.folder).verdict == "PASS", "the gate reads the whole as any run"


def test_under_six_they_are_over_interviews_and_the_page_says_so(tmp_path: Path) -> None:
    sweep = planted(tmp_path, SEVEN[:3], ahead())
    found = join(sweep, done(sweep))
    contrast = next(c for c in open_run(sweep.folder).comparisons if (c.a, c.b) == ("rag_only", "baseline"))
    assert found.over == "interviews" and contrast.n_interviews == 12
    page = (sweep.folder / "report.html").read_text("utf-8")
    assert "over the interviews of 3 people, because there are fewer than 6 people" in page
    for key in SEVEN[:3]:
        assert f'<a href="cells/{key}/report.html">{key.title()}</a>' in page


def test_results_of_another_start_are_not_joined(tmp_path: Path) -> None:
    sweep = planted(tmp_path, SEVEN, ahead())
    ended = done(sweep)
    ended["bea"] = replace(ended["bea"], digest="of another suite")
    found = join(sweep, ended)
    assert found.verdict == "NOT MEASURED" and "bea: its results are those of another start" in found.sentence
    assert not (sweep.folder / "results.json").exists()


def test_who_is_not_admitted_does_not_count_and_is_named(tmp_path: Path) -> None:
    sweep = planted(tmp_path, SEVEN, ahead(), refused=["bea"])
    found = join(sweep, done(sweep))
    assert (found.over, found.verdict) == ("people", "PASS")
    assert "over 6 people" in found.sentence and "not counted: Bea, rouge_l is not admitted on them" in found.sentence
    assert [r.person for r in found.rows if not r.counted] == ["bea"]
    few = planted(tmp_path, SEVEN, ahead(), refused=SEVEN[:4])
    found = join(few, done(few))
    assert found.verdict == "NOT MEASURED" and "rouge_l is admitted on 3 of 7 people only" in found.sentence
    assert check(few.folder).verdict == "NOT MEASURED"
    nobody = planted(tmp_path, SEVEN, ahead(), refused=SEVEN)
    assert join(nobody, done(nobody)).verdict == "NOT MEASURED"
    with pytest.raises(RaftError, match="nobody counts"):
        open_run(nobody.folder)


def test_a_failed_cell_makes_the_whole_not_measured_and_is_named(tmp_path: Path) -> None:
    sweep = planted(tmp_path, SEVEN, ahead())
    join(sweep, done(sweep))
    found = join(sweep, done(sweep, {"cyd": "no such\nmodel <b>"}))
    assert found.verdict == "NOT MEASURED" and "1 cell failed: cyd: no such model <b>" in found.sentence
    assert found.exit_code == 2 and found.rows, "what is there is shown"
    page = (sweep.folder / "report.html").read_text("utf-8")
    assert "What failed" in page and "no such\nmodel &lt;b&gt;" in page and "<b>;" not in page
    with pytest.raises(RaftError, match="cyd"):
        check(sweep.folder)
    with pytest.raises(RaftError, match="cyd"):
        ratf.leaderboard([sweep.folder])
    assert join(sweep, done(sweep)).verdict == "PASS" and check(sweep.folder).verdict == "PASS", (
        "run again, all is well"
    )


def test_errors_of_one_person_keep_the_whole_from_being_measured(tmp_path: Path) -> None:
    def silent(person: str, setting: dict[str, Any], arm: str, question: int) -> float:
        return float("nan") if (person, arm) == ("dot", "rag_only") else ahead()(person, setting, arm, question)

    sweep = planted(tmp_path, SEVEN, silent)
    found = join(sweep, done(sweep))
    assert found.verdict == "NOT MEASURED" and "dot: 8 of 8 answers of rag_only could not be scored" in found.sentence


def test_who_stands_out_is_named(tmp_path: Path) -> None:
    sweep = planted(tmp_path, SEVEN, ahead(out="eve"))
    found = join(sweep, done(sweep))
    assert [r.person for r in found.rows if r.stands_out is not None and r.stands_out <= 0.05] == ["eve"]
    assert found.spread[0].sd is not None and found.spread[0].sd > 0.1 and "people differ" in markdown(found)
    page = (sweep.folder / "report.html").read_text("utf-8")
    assert re.search(r">Eve</a> stands out on", page)


def test_standing_out_errs_as_often_as_it_may() -> None:
    random = np.random.default_rng(3)
    wrong = [
        min(p for p in standing_out(random.normal(0, 1, 8).tolist()) if p is not None) <= 0.05 for _ in range(1000)
    ]
    assert sum(wrong) <= 50 + 2 * (1000 * 0.05 * 0.95) ** 0.5
    assert standing_out([0.1, 0.2, 0.3]) == [None] * 3
    assert standing_out([0.1, 0.1, 0.1, 0.1]) == [1.0] * 4 and (standing_out([0.1, 0.1, 0.1, 0.9])[3] or 0) < 1e-9


def test_the_spread_between_people_is_found(tmp_path: Path) -> None:
    random = np.random.default_rng(5)

    def estimates(between: float) -> list[Estimate]:
        found = (
            clustered_mean(random.normal(random.normal(0.2, between), 0.1, 40), [str(i // 4) for i in range(40)])
            for _ in range(40)
        )
        return [e for e in found if e]

    assert spread_of("m", estimates(0.2)).sd == pytest.approx(0.2, abs=0.06)
    none = spread_of("m", estimates(0.0))
    assert none.sd is not None and none.sd < 0.02 and none.p is not None and none.p > 0.001
    assert spread_of("m", estimates(0.0)[:2]).sd is None


@pytest.fixture
def crossed(tmp_path: Path) -> tuple[Path, SweepResults]:
    sweep = planted(tmp_path, SEVEN, ahead(), {"memories.k": [1, 3, 5], "seed": [1, 2]})
    return sweep.folder, join(sweep, done(sweep))


def test_each_factor_is_compared_with_its_reference_question_by_question(crossed: tuple[Path, SweepResults]) -> None:
    folder, found = crossed
    row = _effect(found, 3, "rag_only")
    assert row.difference == pytest.approx(0.05, abs=1e-6) and row.questions == 56 and not row.note
    assert row.low is not None and row.low > 0 and row.p_holm is not None and row.p_holm < 0.001
    same = _effect(found, 5, "rag_only")
    assert same.difference == 0 and same.p == 1.0, "the planted scores are the same"
    assert _effect(found, 3, "baseline").difference == 0
    assert {s.arm for s in found.seeds} == {"baseline", "rag_only"} and all(
        s.seeds == 2 and s.sd > 0 for s in found.seeds
    )
    best = found.best[0]
    assert best.setting == {"memories.k": 3} and not best.not_separable and "better than every other" in best.words
    assert found.verdict == "PASS" and "each score is the mean over 2 seeds" in " ".join(found.notes).lower()
    page = (folder / "report.html").read_text("utf-8")
    assert 'href="cells/ada/k-1_seed-1/report.html"' in page and page == rendered(folder).read_text("utf-8")
    assert load(folder) == found and len(markdown(found).splitlines()) <= 60


def _effect(found: SweepResults, value: object, arm: str) -> FactorRow:
    return next(r for r in found.effects if (r.factor, r.value, r.arm) == ("memories.k", value, arm))


def test_what_no_exam_admits_is_shown_and_decides_nothing(tmp_path: Path) -> None:
    sweep = planted(tmp_path, SEVEN[:2], ahead(), {"memories.k": [1, 3]}, refused=SEVEN[:2])
    found = join(sweep, done(sweep))
    assert found.verdict == "NOT MEASURED" and not found.best and "nothing follows" in found.notes[0]
    assert _effect(found, 3, "rag_only").difference == pytest.approx(0.05, abs=1e-6)
    assert "nothing follows from them" in (sweep.folder / "report.html").read_text("utf-8")


def test_a_setting_that_is_no_better_is_not_called_the_best(tmp_path: Path) -> None:
    sweep = planted(tmp_path, SEVEN[:6], ahead(), {"memories.k": [1, 5]})
    best = join(sweep, done(sweep)).best[0]
    assert len(best.not_separable) == 1 and best.words.startswith("not separable from any other setting")


def test_a_factor_that_changes_the_measure_is_told(tmp_path: Path) -> None:
    sweep = planted(tmp_path, SEVEN[:6], ahead(), {"models.embedder": ["openai/words", "openai/other"]})
    found = join(sweep, done(sweep))
    assert {r.note for r in found.effects} == {"measured otherwise: models.embedder"}
    assert "measured otherwise: models.embedder" in (sweep.folder / "report.html").read_text("utf-8")


def test_all_scores_are_one_data_set(crossed: tuple[Path, SweepResults]) -> None:
    folder, _ = crossed
    frame = pd.read_parquet(folder / "scores")
    assert (
        set(frame["person"]) == set(SEVEN)
        and set(frame["memories.k"]) == {"1", "3", "5"}
        and len(frame) == 7 * 6 * 8 * 3
    )
    mean = frame[(frame.arm == "rag_only") & (frame["memories.k"] == "3")].groupby("person", observed=True).value.mean()
    expected = ratf.load(folder / "cells/ada/k-3_seed-1").scores().query("arm == 'rag_only'").value
    assert mean["ada"] == pytest.approx(
        (expected.mean() + ratf.load(folder / "cells/ada/k-3_seed-2").scores().query("arm == 'rag_only'").value.mean())
        / 2
    )


def test_a_board_takes_the_runs_of_a_sweep(crossed: tuple[Path, SweepResults]) -> None:
    folder, _ = crossed
    board = ratf.leaderboard([folder])
    assert len(board.runs) == 42 and set(board.persons) == set(SEVEN)
    assert any(len(o.persons) == 7 for o in board.overall), "over people, with intervals over people"
    alone = ratf.leaderboard([folder / "cells" / c.name for c in load(folder).cells])
    assert board == alone


def test_a_baseline_sweep_is_compared_as_a_whole(tmp_path: Path) -> None:
    before = planted(tmp_path / "before", SEVEN, ahead(0.2))
    join(before, done(before))
    worse = planted(tmp_path / "now", SEVEN, ahead(0.05))
    join(worse, done(worse))
    told = check(worse.folder, baseline=before.folder)
    assert told.verdict == "REGRESSION" and "−" not in told.sentence, told.sentence
    assert check(before.folder, baseline=before.folder).verdict != "REGRESSION"
