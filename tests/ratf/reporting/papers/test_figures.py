"""Figures for papers: every plot of a run and of a sweep, drawn alike each time, whatever names are in it."""

import re
import sys
import zlib
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hostile import HOSTILE
from invented import invented
from sweeps import SEVEN, ahead, done, planted
from typer.testing import CliRunner

from ratf.cli import app
from ratf.pages.figures import LONGEST, Row, Rows, drawn, words
from ratf.reporting.history import past
from ratf.reporting.papers.figures import figures
from ratf.results.results import Results, save
from ratf.sweep.collect import join

pytest.importorskip("matplotlib", reason="figures are drawn by matplotlib, of the extra `figures`")
RUNNER = CliRunner()


def saved(folder: Path, *days: int) -> list[Results]:
    runs = [invented(6, day=day) for day in days]
    for day, run in zip(days, runs, strict=True):
        save(run, folder / f"day-{day}" / "results.json")
    return runs


def test_each_plot_of_the_page_is_a_figure(tmp_path: Path) -> None:
    (_, run) = saved(tmp_path, 1, 2)
    runs = past(run, tmp_path / "day-2", [tmp_path / "day-1"])
    made = list(figures(run, runs))
    passed = ["style_identity", "embedding_cosine", "rouge_l"]
    assert [f.name for f in made] == [
        *(f"arms-{m}" for m in passed),
        "attribution-style_identity",
        "training",
        *(f"history-{m}" for m in passed),
    ]
    first = made[0]
    assert isinstance(first, Rows) and [r.name for r in first.rows][-1] == "impostor_near (floor)"
    assert [r.kind for r in first.rows if r.name == "raft"] == ["ahead"]
    assert [said for _, said in first.marks] == ["floor", "ceiling"]


def test_a_metric_that_decides_and_failed_its_exam_says_so() -> None:
    run = invented(6)
    exam = [e.model_copy(update={"admitted": False}) for e in run.exam]
    (first, *_) = figures(run.model_copy(update={"exam": exam}))
    assert first.title.startswith("Voice (not admitted in its exam)")


def test_svg_stands_alone_and_has_its_letters_as_paths(tmp_path: Path) -> None:
    (run,) = saved(tmp_path, 1)
    made = drawn(list(figures(run))[3:5], "svg")
    assert set(made) == {"attribution-style_identity.svg", "training.svg"}
    for content in made.values():
        text = content.decode()
        ElementTree.fromstring(text)
        assert not re.search(r"<text|font-family|<script|<image|url\(http|href=\"(?!#)", text)
    assert made == drawn(list(figures(run))[3:5], "svg"), "the same figure, the same bytes"


def test_pdf_has_its_fonts_inside() -> None:
    (content,) = drawn(list(figures(invented(2)))[:1], "pdf").values()
    streams = [
        zlib.decompress(s) for s in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL) if s[:1] == b"x"
    ]
    whole = content + b"".join(streams)
    assert b"/FontFile2" in whole and b"/Type3" not in whole and b"CreationDate" not in whole
    assert content == next(iter(drawn(list(figures(invented(2)))[:1], "pdf").values()))


def test_names_stay_text_and_lead_nowhere() -> None:
    names = ["$\\frac{1}{2}$", "a & <b>", "../../out", HOSTILE, "\u6e05"]
    rows = [Row(name, 50, 40, 60, name) for name in names]
    told: list[str] = []
    made = drawn([Rows(name, name, rows, [(0, "0")]) for name in ("../../out", "out", "..")], "svg", told.append)
    assert set(made) == {"out.svg", "out-2.svg", "figure.svg"}
    for content in made.values():
        ElementTree.fromstring(content)
        assert "\u202e" not in content.decode() and b"<b>" not in content
    assert len(told) == 1 and "lacks" in told[0] and "\u6e05" in told[0]
    assert len(words(HOSTILE)) == LONGEST


def test_what_is_no_letter_makes_no_broken_file() -> None:
    strange = "a\ufffe\x00\ud800b"
    rows = Rows(strange, strange, [Row(strange, 50, 40, 60, strange)], [(0, strange)], words=strange)
    for file in drawn([rows], "svg").values():
        ElementTree.fromstring(file)


def test_without_matplotlib_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(tmp_path, 1)
    monkeypatch.setitem(sys.modules, "matplotlib.style", None)
    outcome = RUNNER.invoke(app, ["report", str(tmp_path / "day-1"), "--format", "svg"])
    assert outcome.exit_code == 2 and "ratf-eval[figures]" in outcome.output
    assert not (tmp_path / "day-1" / "figures").exists()


def test_the_command_writes_a_folder_of_figures(tmp_path: Path) -> None:
    save(invented(2, metrics=("style_identity", "judge_stance")), tmp_path / "day-1" / "results.json")
    outcome = RUNNER.invoke(
        app, ["report", str(tmp_path / "day-1"), "--format", "pdf", "--out", str(tmp_path / "figs")]
    )
    assert outcome.exit_code == 0, outcome.output
    assert sorted(map(str, (tmp_path / "figs").iterdir())) == sorted(outcome.stdout.split())
    assert all(f.read_bytes().startswith(b"%PDF") for f in (tmp_path / "figs").iterdir())
    other = RUNNER.invoke(
        app, ["report", str(tmp_path / "day-1"), "--format", "md", "--history", str(tmp_path / "day-1")]
    )
    assert other.exit_code == 2 and "drawn on the page and as figures" in other.output


def test_a_sweep_has_a_figure_of_its_people_and_tables(tmp_path: Path) -> None:
    made = planted(tmp_path, SEVEN[:3], ahead(), {"memories.k": [1, 3]})
    join(made, done(made))
    outcome = RUNNER.invoke(app, ["report", str(made.folder), "--format", "svg"])
    assert outcome.exit_code == 0, outcome.output
    assert sorted(f.name for f in (made.folder / "figures").iterdir()) == [
        "memories.k-rouge_l.svg",
        "people-rouge_l.svg",
    ]
    outcome = RUNNER.invoke(app, ["report", str(made.folder), "--format", "tables"])
    told = (made.folder / "tables" / "people.md").read_text("utf-8")
    assert outcome.exit_code == 0 and told.count("Shared word order") == 3
    assert "clustered by 12 interviews" in (made.folder / "tables" / "means.md").read_text("utf-8")
