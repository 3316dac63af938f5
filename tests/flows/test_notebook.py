"""The notebook of `docs/`, executed from its first cell to its last by a Jupyter kernel."""

import shutil
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from places import REPOSITORY
from planted import make

import ratf
from ratf.results.results import save

NOTEBOOK = REPOSITORY / "docs" / "notebook.ipynb"
UNTUNED = """\
arms: [baseline, rag_only]
controls: [real, same_near, impostor_near]
metrics: [rouge_l, judge_stance]
primary: {metric: rouge_l, better: rag_only, than: baseline}
exam: {comparisons: 8}
"""


def executed(suite: Path, folder: Path) -> list[Any]:
    """Its cells after a run in that folder, with another suite than the demo. Raises what a cell raised."""
    book = nbformat.read(NOTEBOOK, as_version=4)
    first = next(cell for cell in book.cells if cell.cell_type == "code")
    assert 'suite = "demo"' in first.source
    first.source = first.source.replace('"demo"', repr(str(suite)))
    NotebookClient(book, timeout=1800, resources={"metadata": {"path": str(folder)}}).execute()
    return [cell for cell in book.cells if cell.cell_type == "code"]


def shown(cells: list[Any], kind: str) -> list[str]:
    """What the cells show in one form, as `text/html`."""
    return [o["data"][kind] for cell in cells for o in cell.outputs if kind in o.get("data", {})]


def test_it_is_shipped_without_outputs() -> None:
    book = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(book)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert code and all(cell.outputs == [] and cell.execution_count is None for cell in code)


def test_it_runs_on_a_finished_run(tiny: Path, tmp_path: Path) -> None:
    study = ratf.open_study(tiny)
    noise = np.random.default_rng(0).normal(0, 0.05, (2, 8))
    scores = {
        arm: {"style_identity": level + noise[i]} for i, (arm, level) in enumerate((("raft", 0.7), ("baseline", 0.3)))
    }
    results = make(scores, [f"i{n}" for n in range(4) for _ in range(2)], digest=study.digest)
    save(results, tmp_path / "runs" / "tiny" / "results.json")
    cells = executed(tiny, tmp_path)
    plot, table = (next(page for page in shown(cells, "text/html") if mark in page) for mark in ("<svg", "p_holm"))
    assert plot.count("<circle") == 2 and "INCONCLUSIVE" in plot and "raft" in table
    plain = "".join(shown(cells, "text/plain"))
    assert "report.html" in plain and "<Study tiny: marrack" in plain
    assert not [e.answer for e in study.person.exchanges if e.answer[:60] in plain], "a repr shows what the person said"


@pytest.mark.slow
def test_it_carries_a_run_out_inside_the_kernel(tiny_at_once: Path, light_cache: Path, tmp_path: Path) -> None:
    tiny_at_once.write_text(tiny_at_once.read_text("utf-8") + UNTUNED, "utf-8")
    cells = executed(tiny_at_once, tmp_path)
    assert any("('ran', " in text for text in shown(cells, "text/plain"))
    assert any(page.count("<circle") >= 4 for page in shown(cells, "text/html"))
    shutil.rmtree(tmp_path / "runs" / "tiny" / "logs")
    again = executed(tiny_at_once, tmp_path)
    assert any("('nothing', " in text for text in shown(again, "text/plain"))
