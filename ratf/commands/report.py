"""`ratf report`."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from raft.commands.errors import reported_errors
from raft.errors import RaftError
from ratf.commands.sharing.options import Data, Public, Redact
from ratf.commands.sharing.papers import note, put_all

if TYPE_CHECKING:
    from ratf.gate.gate import Checked
    from ratf.pages.figures import Format as Kind
    from ratf.results.results import Results


@dataclass(frozen=True)
class Finished:
    """A finished run, as a format is made of it. Verdicts are those on the whole run."""

    whole: "Results"
    results: "Results"
    """What of it may be shown."""
    run: Path
    baseline: Path | None
    history: list[Path]


# what makes a format is imported when it is asked for
def _md(of: Finished) -> str:
    from ratf.reporting.markdown import markdown

    return markdown(of.results, _checked(of.whole, of.run, of.baseline))


def _junit(of: Finished) -> str:
    from ratf.reporting.junit import junit

    return junit(_checked(of.whole, of.run, of.baseline))


def _json(of: Finished) -> str:
    from ratf.results.results import dumps

    return dumps(of.results)


def _csv(of: Finished) -> str:
    from ratf.results.table import run_id, to_csv

    return to_csv(of.results, run_id(of.whole))


def _parquet(of: Finished) -> bytes:
    from ratf.results.table import run_id, to_parquet

    return to_parquet(of.results, run_id(of.whole))


def _schema(of: Finished) -> str:
    from ratf.results.results import schema

    return schema()


def _svg(of: Finished) -> dict[str, bytes]:
    return _figures(of, "svg")


def _pdf(of: Finished) -> dict[str, bytes]:
    return _figures(of, "pdf")


def _figures(of: Finished, kind: "Kind") -> dict[str, bytes]:
    from ratf.pages.figures import drawn
    from ratf.reporting.history import past
    from ratf.reporting.papers.figures import figures

    runs = past(of.whole, of.run, of.history) if of.history else []
    return drawn(figures(of.results, runs), kind, note)


def _tables(of: Finished) -> dict[str, bytes]:
    from ratf.pages.printed import files
    from ratf.reporting.papers.tables import tables
    from ratf.results.table import run_id

    return files(tables(of.results, run_id(of.whole)))


Made = str | bytes | dict[str, bytes]
FORMATS: dict[str, Callable[[Finished], Made]] = {
    "md": _md,
    "junit": _junit,
    "json": _json,
    "csv": _csv,
    "parquet": _parquet,
    "schema": _schema,
    "svg": _svg,
    "pdf": _pdf,
    "tables": _tables,
}
"""What a finished run can be written as, beside the page: text goes to stdout, bytes to `scores.<format>`, several files
to a folder."""


FOLDERS = {"svg": "figures", "pdf": "figures", "tables": "tables"}
"""The folder in the run's for the formats that are several files."""

Format = StrEnum("Format", [(name, name) for name in ("html", *FORMATS)])  # type: ignore[misc]
PAGE = Format("html")


def report(
    run: Annotated[str, typer.Argument(help="A finished run's folder, such as runs/demo, or its address in a store.")],
    format: Annotated[
        Format,
        typer.Option(
            help="csv, parquet: all scores. svg, pdf: each plot as a figure for papers, in RUN/figures. tables: in RUN/tables, "
            "as LaTeX, Markdown, CSV and Parquet. schema: the JSON Schema of json."
        ),
    ] = PAGE,
    baseline: Annotated[
        Path | None,
        typer.Option(
            "--reference",
            "--baseline",
            help="Compare with this run, or file of `ratf baseline save`; by default with that of `ratf check`.",
        ),
    ] = None,
    history: Annotated[
        list[Path] | None,
        typer.Option(
            help="Another run of the person, or its bundle: page and figures draw scores over time. Can be repeated."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The file to write, or the folder of figures or tables; by default in the run's folder, text on stdout."
        ),
    ] = None,
    redact: Redact = False,
    public: Public = False,
    data: Data = None,
) -> None:
    """Write a finished run's report again, in any format. No model is asked. Markdown and JUnit have the verdict of `ratf check`.

    With --redact the page is report.redacted.html, beside the run's own.

    Example: ratf report runs/demo --format md
    """
    with reported_errors():
        from ratf.sweep.records import is_sweep_run
        from ratf.sweep.store import here

        place = here(run)
        if is_sweep_run(place):
            _of_sweep(place, format, out, bool(baseline or history or redact or public))
            return
        if format == PAGE:
            from ratf.reporting.files import report as write

            page = write(place, out, baseline=baseline, history=history or [], redact=redact, public=public, data=data)
            typer.echo(str(page))
            return
        if history and format.value not in ("svg", "pdf"):
            raise RaftError("--history is drawn on the page and as figures; leave it out with another --format")
        from ratf.pages.redact import shown
        from ratf.results.folder import open_run

        folder = place if place.is_dir() else place.parent
        kind = "redacted." if redact else ""
        whole = open_run(place)
        of = Finished(whole, shown(whole, redact, public, data), place, baseline, history or [])
        _put(FORMATS[format](of), folder, format, out, kind)


def _put(made: Made, folder: Path, format: Format, out: Path | None, kind: str = "") -> None:
    """Write what was made to `out`, or to its place in the run's folder, and say where; text without `out` to stdout."""
    from raft.files import write_whole

    if isinstance(made, dict):
        if not made:
            raise RaftError("there is nothing to show: no metric has scored an answer")
        put_all(made, out or folder / FOLDERS[format.value])
        return
    path = out or (folder / f"scores.{kind}{format.value}" if isinstance(made, bytes) else None)
    if path is None:
        typer.echo(made, nl=False)
    else:
        write_whole(path, made)
        typer.echo(str(path))


def _of_sweep(run: Path, format: Format, out: Path | None, more: bool) -> None:
    """A sweep's page, its Markdown, or the formats that are made of the results of all its people together."""
    if more:
        raise RaftError(
            "--baseline, --history, --redact and --public are for the runs of a sweep, which lie in its folder cells/; "
            "`ratf check` compares a whole sweep with another"
        )
    from ratf.results.folder import open_run
    from ratf.sweep.collect import rendered
    from ratf.sweep.page import markdown
    from ratf.sweep.records import load

    if format == PAGE and not out:
        typer.echo(str(rendered(run)))
        return
    if format.value in ("csv", "parquet") and not out:
        raise RaftError(f"{run / 'scores'} has every score in Parquet already, one file for each person and setting")
    if format == PAGE:
        made: Made = rendered(run).read_text("utf-8")
    elif format.value == "md":
        made = markdown(load(run))
    elif format.value in FOLDERS:
        made = _sweep_files(run, format)
    else:
        whole = open_run(run)
        made = FORMATS[format](Finished(whole, whole, run, None, []))
    _put(made, run, format, out)


def _sweep_files(run: Path, format: Format) -> dict[str, bytes]:
    from ratf.pages.figures import drawn
    from ratf.pages.printed import files
    from ratf.results.folder import open_run
    from ratf.sweep.page import figures, tables
    from ratf.sweep.records import load

    sweep, whole = load(run), open_run(run) if (run / "results.json").is_file() else None
    if format.value == "tables":
        return files(tables(sweep, whole))
    return drawn(figures(sweep, whole), "svg" if format.value == "svg" else "pdf", note)


def _checked(results: "Results", run: Path, baseline: Path | None) -> "Checked":
    """The verdict on a run, against `baseline` where one is given."""
    from ratf.gate.gate import check, last_check

    return check(results, baseline) if baseline else last_check(results, run)
