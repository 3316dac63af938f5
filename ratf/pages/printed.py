"""Tables for papers: in LaTeX for booktabs, in Markdown, and with every number in CSV and in Parquet."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from raft.text import plain
from ratf.pages.text import in_markdown
from ratf.results.table import csv_of, parquet_of

Cell = str | tuple[str, str]
"""A cell's text; or its number and, smaller, the number's interval."""


MOST_METRICS = 4
"""The greatest number of metrics side by side in a printed table; the files of numbers have all."""


_LATEX = {
    **{c: f"\\{c}" for c in "#$%&_{}"},
    "\\": "\\textbackslash{}", "^": "\\textasciicircum{}", "~": "\\textasciitilde{}", "<": "\\textless{}",
    ">": "\\textgreater{}", "|": "\\textbar{}", '"': "\\textquotedbl{}", "[": "{[}", "]": "{]}", "*": "{*}",
    "`": "\\textasciigrave{}", "'": "\\textquotesingle{}", "-": "{-}", "−": "\\ensuremath{-}", "≥": "\\ensuremath{\\geq}",
    "≤": "\\ensuremath{\\leq}", "–": "\\textendash{}", "—": "\\textemdash{}", "…": "\\ldots{}", "’": "\\textquoteright{}",
    "‘": "\\textquoteleft{}", "“": "\\textquotedblleft{}", "”": "\\textquotedblright{}", "\u00a0": "~",
}  # fmt: skip
"""What stands for a character in LaTeX: no command, comment, cell, optional argument or ligature comes out of a text."""


@dataclass(frozen=True)
class Table:
    """A table as it is printed, `head` and `rows`, and what it is made of: `values`, a row each with the `columns`.

    `columns` maps each name to its kind in Parquet: `string`, `double`, `int64` or `bool`.
    """

    name: str
    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    columns: Mapping[str, str]
    values: Sequence[Sequence[Any]]
    note: str = ""


def files(tables: Iterable[Table]) -> dict[str, bytes]:
    """The files of the tables by name, four of each. The same tables give the same bytes."""
    made: dict[str, bytes] = {}
    for table in tables:
        made[f"{table.name}.tex"] = latex(table).encode("utf-8", "replace")
        made[f"{table.name}.md"] = markdown(table).encode("utf-8", "replace")
        made[f"{table.name}.csv"] = csv_of(list(table.columns), table.values).encode("utf-8", "replace")
        made[f"{table.name}.parquet"] = parquet_of(table.columns, table.values)
    return made


def latex(table: Table) -> str:
    """The table for `\\input` into a document that loads booktabs and textcomp."""
    lines = [
        "% \\usepackage{booktabs, textcomp}; in pdflatex also \\usepackage[T1]{fontenc}",
        "\\begin{table}",
        "  \\centering\\small\\setlength{\\tabcolsep}{4pt}",
        f"  \\caption{{{escaped(table.caption)}}}",
        f"  \\label{{tab:{re.sub(r'[^a-z0-9]+', '-', table.name.lower())}}}",
        f"  \\begin{{tabular}}{{l{'r' * (len(table.head) - 1)}}}",
        "    \\toprule",
        f"    {' & '.join(map(escaped, table.head))} \\\\",
        "    \\midrule",
        *(f"    {' & '.join(map(_latex_cell, row))} \\\\" for row in table.rows),
        "    \\bottomrule",
        "  \\end{tabular}",
    ]
    if table.note:
        lines += ["", f"  \\par\\smallskip\\footnotesize {escaped(table.note)}"]
    return "\n".join([*lines, "\\end{table}"]) + "\n"


def _latex_cell(cell: Cell) -> str:
    if isinstance(cell, str):
        return escaped(cell)
    return f"\\begin{{tabular}}[t]{{@{{}}r@{{}}}}{escaped(cell[0])}\\\\[-3pt] \\scriptsize {escaped(cell[1])}\\end{{tabular}}"


def escaped(text: str) -> str:
    """Somebody's text in one line of LaTeX, as letters alone."""
    return "".join(_LATEX.get(c, c) for c in " ".join(plain(text).split()))


def markdown(table: Table) -> str:
    """The table in GitHub's Markdown, its caption above."""
    lines = [
        f"**{in_markdown(table.caption)}**",
        "",
        f"| {' | '.join(map(in_markdown, table.head))} |",
        f"|---|{'---:|' * (len(table.head) - 1)}",
        *(f"| {' | '.join(map(in_markdown, map(_in_one, row)))} |" for row in table.rows),
    ]
    return "\n".join([*lines, "", in_markdown(table.note)] if table.note else lines) + "\n"


def _in_one(cell: Cell) -> str:
    return cell if isinstance(cell, str) else f"{cell[0]} ({cell[1]})"
