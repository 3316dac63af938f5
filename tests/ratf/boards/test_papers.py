"""A leaderboard's figures and tables: its pages' places and numbers, one file for each part, whatever a person is called."""

import io
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from boards import planted
from typer.testing import CliRunner

from ratf.boards.leaderboard import leaderboard
from ratf.boards.papers import figures, tables
from ratf.boards.plots import bar_of
from ratf.boards.site import NUMBERS, to_csv
from ratf.boards.standing import Leaderboard
from ratf.cli import app
from ratf.pages.figures import Panels, Rows, drawn
from ratf.pages.printed import files
from ratf.results.results import Results, save

SKILLS = {"baseline": 0.05, "raft": 0.8}


def on(day: int) -> dict[str, object]:
    return {"finished": f"2026-03-0{day} 09:00 UTC", "seconds": {}, "total": 60.0}


def runs() -> list[Results]:
    """Two people; one has a second run, and a third with another judge."""
    judged = {"models": {"base": "local/b", "embedder": "local/e", "grader": "openai/new"}}
    return [
        planted(SKILLS, 1, times=on(1)),
        planted(SKILLS, 2, times=on(2)),
        planted(SKILLS, 3, settings=judged, times=on(3)),
        planted(SKILLS, 4, person="pell", times=on(1)),
    ]


@pytest.fixture(scope="module")
def board() -> Leaderboard:
    return leaderboard(runs())


def test_each_plot_of_the_pages_is_a_figure(board: Leaderboard) -> None:
    made = {f.name: f for f in figures(board)}
    second = board.boards[1]
    assert second.person == board.boards[0].person == "marrack"
    expected = ["standings-marrack", f"standings-marrack-{second.id}", "standings-pell", "standings-persons"]
    names = [n for n in made if n.startswith("standings")]
    assert names == [f"{name}-style_identity" for name in expected]
    first, (table, *_) = made[names[0]], board.boards[0].tables
    assert isinstance(first, Rows) and [m for _, m in first.marks] == ["floor", "ceiling"]
    bars = [bar for row in table.rows if (bar := bar_of(row, table))]
    assert [(r.at, r.low, r.high) for r in first.rows] == [(*b["dots"], b["low"], b["high"]) for b in bars]
    assert table.rows[0].placed and first.rows[0].told.endswith(f", {table.rows[0].placed}")
    assert second.id in made[names[1]].title
    over = [f for name, f in made.items() if name.startswith("history-marrack")]
    assert len(over) == 2 and all(isinstance(f, Panels) and len(f.panels[0].breaks) == 1 for f in over)
    assert not any(name.startswith("history-pell") for name in made), "one run is no history"


def test_tables_have_every_number_of_the_site_and_their_own_files(board: Leaderboard) -> None:
    made = files(tables(board))
    assert len(made) == 4 * 4, "four parts, and none in the place of another"
    rows = [line for name in made if name.endswith(".csv") for line in made[name].decode().splitlines()[1:]]
    assert sorted(rows) == sorted(to_csv(board).splitlines()[1:])
    read = pq.read_table(io.BytesIO(made["standings-persons.parquet"]))
    assert read.column_names == list(NUMBERS) and set(read["over"].to_pylist()) == {"persons"}
    best = board.boards[0].tables[0].rows[0]
    assert f"| raft | {best.score:.2f} {best.placed} (" in made["standings-marrack.md"].decode()


def test_no_path_comes_out_of_a_persons_name(tmp_path: Path) -> None:
    hostile = leaderboard([planted(SKILLS, 1, person="../../up"), planted(SKILLS, 1, person="persons")])
    made = {**files(tables(hostile)), **drawn(figures(hostile), "svg")}
    assert len(made) == 3 * 5 and all(Path(name).name == name for name in made)


def test_the_command_writes_them_and_no_site(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="figures are drawn by matplotlib, of the extra `figures`")
    save(runs()[0], tmp_path / "run" / "results.json")
    for kind, name in (("pdf", "standings-marrack-style_identity.pdf"), ("tables", "standings-marrack.tex")):
        command = ["leaderboard", str(tmp_path / "run"), "--out", str(tmp_path / kind), "--format", kind]
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 0 and str(tmp_path / kind / name) in done.output.replace("\n", "")
        assert (tmp_path / kind / name).is_file() and not (tmp_path / kind / "index.html").exists()
    refused = CliRunner().invoke(app, [*command, "--redact"])
    assert refused.exit_code == 2 and "for the reports of the site" in refused.output
