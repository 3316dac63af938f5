"""A report as files: one page, or with many questions a page that lists them and a folder of pages that show them."""

import csv
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from raft.errors import RaftError
from raft.files import write_whole
from ratf.pages.redact import shown
from ratf.pages.templates import template_digest
from ratf.reporting.changes import Change, against
from ratf.reporting.history import Past, past
from ratf.reporting.page import fell, page_environment, render
from ratf.reporting.questions import PER_PAGE, QuestionList, page_name, questions_shown
from ratf.results.lazy import load_lazily
from ratf.results.loading import load
from ratf.results.results import Question, Results
from ratf.results.table import COLUMNS, cell, rows_of, run_id

ONE_FILE, ONE_SIZE = 300, 20_000_000
"""The greatest number of questions on one page, and of their characters; where there are more, they get pages of their own."""


def report(
    run: Results | Path | str,
    out: Path | str | None = None,
    *,
    baseline: Path | str | None = None,
    history: Sequence[Path | str] = (),
    redact: bool = False,
    public: bool = False,
    data: Path | str | None = None,
) -> Path:
    """Write a finished run as a page, and return its path; nothing is run.

    `run` is its results, its folder, its `results.json` or a bundle; `out` is the page, by default `report.html` in the
    run's folder (`report.redacted.html` with `redact`). The page compares with the run or baseline file `baseline`, by default
    that of the last `ratf check`, and draws scores over the runs of `history`. With `redact` nobody's own words are on it;
    with `public` it is written only where licence and consent are stated, in the results or in the people's folders in `data`.

    Raises RaftError for runs that cannot be read, for results without `out`, and where nothing may be shown.
    """
    if isinstance(run, Results):
        if out is None:
            raise RaftError('results have no folder, so the page needs a place: report(results, "report.html")')
        whole, where = run, Path(out).parent
    else:
        whole, where = load(run, load_lazily), Path(run)
    folder = where if where.is_dir() else where.parent
    page = Path(out) if out else folder / f"report.{'redacted.' if redact else ''}html"
    results = shown(whole, redact, public, Path(data) if data else None)
    runs = past(whole, where, [Path(h) for h in history]) if history else []
    return write_report(results, page, against(whole, where, Path(baseline) if baseline else None), runs)


def write_report(results: Results, path: Path, change: Change | None = None, runs: Sequence[Past] = ()) -> Path:
    """Write the page, and where it takes more than one, their folder beside it: all of the set, or the old one stays.

    `change`: what there is to say about a reference run; `runs`: those of the history. Raises RaftError where the folder
    has files that no report has.
    """
    folder = path.with_name(f"{path.stem}-questions")
    if folder.exists() and not _ours(folder):
        raise RaftError(f"{folder} has files that no report has; move them, or write the report elsewhere with --out")
    if len(results.questions) <= ONE_FILE and sum(len(q.model_dump_json()) for q in results.questions) <= ONE_SIZE:
        write_whole(path, render(results, change, runs=runs))
        shutil.rmtree(folder, ignore_errors=True)
        return path
    aside, old = (path.with_name(f".{folder.name}.{kind}") for kind in ("part", "old"))
    for left in (aside, old):
        shutil.rmtree(left, ignore_errors=True)
    try:
        aside.mkdir(parents=True)
        every = questions_shown(results, fell(change), folder=folder.name, questions=[])
        _write_pages(every, aside, path.name)
        page = render(results, change, every, runs)
        if folder.exists():
            folder.rename(old)
        aside.rename(folder)
        write_whole(path, page)
    finally:
        if old.exists() and not folder.exists():
            old.rename(folder)
        for left in (aside, old):
            shutil.rmtree(left, ignore_errors=True)
    return path


def _ours(folder: Path) -> bool:
    return folder.is_dir() and all(re.fullmatch(r"\d{4,}\.html|scores\.csv", f.name) for f in folder.iterdir())


def _write_pages(every: QuestionList, folder: Path, summary: str) -> None:
    """The questions' pages and the table of all scores, with no more than one page's questions in memory."""
    template = page_environment().get_template("reporting/questions_page.html.j2")
    count = len(every.listed)
    last = (count - 1) // PER_PAGE
    run, digest = run_id(every.results), template_digest()
    with (folder / "scores.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for number, questions in enumerate(_pages(every.results)):
            first = number * PER_PAGE
            one = replace(
                every,
                listed=every.listed[first : first + PER_PAGE],
                questions=questions,
                folder="",
                summary=summary,
                before=_place(number - 1, count) if number else None,
                after=_place(number + 1, count) if number < last else None,
            )
            stream = template.stream(
                r=every.results,
                asked=one,
                here=_place(number, count)[0],
                count=count,
                primary=every.results.suite["primary"],
                template_digest=digest,
            )
            stream.dump(str(folder / page_name(number)), encoding="utf-8", errors="replace")
            table.writerows([cell(v) for v in row] for q in questions for row in rows_of(every.results, q, run))


def _place(number: int, count: int) -> tuple[str, str]:
    """The title of a page of questions, and its address."""
    first = number * PER_PAGE
    return f"Questions {first + 1:,} to {min(first + PER_PAGE, count):,}", page_name(number)


def _pages(results: Results) -> Iterator[list[Question]]:
    page: list[Question] = []
    for question in results.questions:
        page.append(question)
        if len(page) == PER_PAGE:
            yield page
            page = []
    if page:
        yield page
