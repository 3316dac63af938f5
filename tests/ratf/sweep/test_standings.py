"""The leaderboard of a sweep is read from its data set, and says what it says of the runs themselves."""

from pathlib import Path

import pandas as pd
import pytest
from sweeps import SEVEN, ahead, done, planted

import ratf
from ratf.boards.leaderboard import leaderboard
from ratf.results.results import load, save
from ratf.sweep.collect import join
from ratf.sweep.dataset import entries


def test_a_board_of_a_sweep_reads_no_run_and_says_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = planted(tmp_path, SEVEN[:3], ahead(), {"memories.k": [1, 3]})
    join(made, done(made))
    several = [load(made.cell_folder(cell) / "results.json") for cell in made.cells]
    whole = leaderboard(several)
    checked = {whole.runs[0].results: ["rouge_l"]}

    def refuse(*_: object) -> None:
        raise AssertionError("a run was read")

    with monkeypatch.context() as patched:
        patched.setattr("ratf.results.loading.load", refuse)
        assert ratf.leaderboard([made.folder]).model_dump_json() == whole.model_dump_json()
    found = [entry for _, entry in entries([made.folder]) if entry]
    assert leaderboard(found, checked).model_dump_json() == leaderboard(several, checked).model_dump_json()
    assert sum(run.verified for run in leaderboard(found, checked).runs) == 1


def test_a_run_that_was_made_again_since_is_read_itself(tmp_path: Path) -> None:
    made = planted(tmp_path, SEVEN[:2], ahead())
    join(made, done(made))
    path = made.cell_folder(made.cells[0]) / "results.json"
    save(
        load(path).model_copy(update={"times": {"finished": "2031-01-01 00:00 UTC", "seconds": {}, "total": 0.0}}), path
    )
    assert [entry is None for _, entry in entries([made.folder])] == [True, False]
    assert any(run.finished.startswith("2031") for run in ratf.leaderboard([made.folder]).runs)


def test_the_standings_are_a_table_that_pandas_reads_whole(tmp_path: Path) -> None:
    made = planted(tmp_path, SEVEN[:2], ahead())
    join(made, done(made))
    table = pd.read_parquet(made.folder / "standings")
    assert sorted(table.person.unique()) == sorted(SEVEN[:2])
    assert {"suite", "setting", "arm", "system", "metric", "score", "low", "high", "placed"} <= set(table.columns)
    assert set(table.arm) == {"baseline", "rag_only"}
