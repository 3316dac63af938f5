"""Tables for papers: the page's numbers in LaTeX, Markdown, CSV and Parquet, and no text that is more than text."""

import csv
import io
import shutil
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hostile import HOSTILE
from invented import invented
from typer.testing import CliRunner

from ratf.cli import app
from ratf.pages.printed import Table, escaped, files, latex, markdown
from ratf.pages.redact import redacted
from ratf.reporting.papers.tables import tables
from ratf.results.comparable import run_digest
from ratf.results.results import save

NAMES = ("means", "comparisons", "effects", "skill", "exams")


def test_each_table_comes_in_four_forms() -> None:
    made = files(tables(invented(6)))
    assert set(made) == {f"{name}.{form}" for name in NAMES for form in ("tex", "md", "csv", "parquet")}
    assert made == files(tables(invented(6))), "the same results, the same bytes"


def test_numbers_have_person_model_seed_and_run() -> None:
    run = invented(6)
    made = files(tables(run))
    for name in NAMES:
        rows = list(csv.DictReader(io.StringIO(made[f"{name}.csv"].decode())))
        assert rows and {(r["person"], r["seed"], r["run"]) for r in rows} == {("marrack", "7", run_digest(run)[:12])}
    means = list(csv.DictReader(io.StringIO(made["means.csv"].decode())))
    assert len(means) == len(run.arms) * len(run.metrics) and {r["model"] for r in means} == {"local/b"}
    (one,) = [r for r in means if (r["arm"], r["metric"]) == ("raft", "style_identity")]
    assert float(one["mean"]) == run.arms["raft"].metrics["style_identity"].mean
    pairs = list(csv.DictReader(io.StringIO(made["comparisons.csv"].decode())))
    assert len(pairs) == len(run.comparisons) and pairs[0]["model_a"] == pairs[0]["model_b"] == "local/b"


def test_parquet_has_numbers_as_numbers(tmp_path: Path) -> None:
    (tmp_path / "c.parquet").write_bytes(files(tables(invented(6)))["comparisons.parquet"])
    table = pq.read_table(tmp_path / "c.parquet")
    kinds = {name: str(table.schema.field(name).type) for name in ("difference", "questions", "admitted", "a")}
    assert kinds == {"difference": "double", "questions": "int64", "admitted": "bool", "a": "string"}


def test_a_redacted_table_names_the_whole_run(tmp_path: Path) -> None:
    save(invented(6), tmp_path / "results.json")
    outcome = CliRunner().invoke(app, ["report", str(tmp_path), "--format", "tables", "--redact"])
    assert outcome.exit_code == 0, outcome.output
    assert run_digest(redacted(invented(6))) != run_digest(invented(6))
    assert f",{run_digest(invented(6))[:12]}," in (tmp_path / "tables" / "means.csv").read_text("utf-8")


def hostile() -> Table:
    names = [
        "\\input{/etc/passwd}",
        "a & b % c",
        "$x_1^2$ ~ #3",
        "[1ex]",
        "*",
        "--- <|> \"'`",
        HOSTILE[:300],
        "{",
        "=1+1",
    ]
    rows = [[n, (n, n)] for n in names]
    return Table("hostile", HOSTILE[:200], ["\\\\ &", "[h]"], rows, {"a": "string"}, [[n] for n in names], "100 % \\")


def test_no_command_comes_out_of_a_name() -> None:
    assert escaped("\\input{x}") == "\\textbackslash{}input\\{x\\}"
    assert escaped("a&b%c_d#$^~") == "a\\&b\\%c\\_d\\#\\$\\textasciicircum{}\\textasciitilde{}"
    assert escaped("−0.34 ≥ [x") == "\\ensuremath{-}0.34 \\ensuremath{\\geq} {[}x"
    made = latex(hostile())
    assert "\x07" not in made and "\u202e" not in made and made.count(" & ") == 10
    assert markdown(hostile()).count("\n|") == 11
    assert "\n'=1+1\n" in files([hostile()])["hostile.csv"].decode()


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex on this machine")
def test_latex_reads_them(tmp_path: Path) -> None:
    for name, content in files([*tables(invented(6)), hostile()]).items():
        # pdflatex knows no letters beyond its fonts', which is not about what the table lets through
        (tmp_path / name).write_bytes(
            content.decode("utf-8", "replace").encode("ascii", "ignore") if name == "hostile.tex" else content
        )
    inputs = "\n".join(f"\\input{{{name}}}" for name in (*NAMES, "hostile"))
    head = "\\documentclass{article}\\usepackage{booktabs,textcomp}\\usepackage[T1]{fontenc}\\begin{document}"
    (tmp_path / "paper.tex").write_text(f"{head}\n{inputs}\n\\end{{document}}\n", "utf-8")
    run = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, done.stdout[-2000:]
