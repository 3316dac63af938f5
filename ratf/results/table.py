"""All scores of a run as one long table, in CSV and in Parquet."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ratf.results.comparable import run_digest
from ratf.results.results import Question, Results

COLUMNS = (
    "suite", "person", "interview", "question", "arm", "kind", "metric", "family", "value", "unscored", "model", "seed", "run",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def rows(results: Results, run: str = "") -> Iterator[tuple[str | float | None, ...]]:
    """The rows of the table, one a score, with the values of `COLUMNS`. `unscored` says why a value is missing.

    `run` is what `run_id` says of the whole run, where `results` are only what may be shown of it.
    """
    run = run or run_id(results)
    for question in results.questions:
        yield from rows_of(results, question, run)


def rows_of(results: Results, question: Question, run: str) -> Iterator[tuple[str | float | None, ...]]:
    """The rows of one question, with the values of `COLUMNS`; `run` names the run."""
    where = (results.suite["name"], results.person.get("key", ""), question.interview_id, question.id)
    seed = seed_of(results)
    for arm, answer in question.answers.items():
        of = results.arms.get(arm)
        kind, model = (of.kind, of.model) if of else ("", "")
        for metric, score in answer.scores.items():
            family = results.metrics.get(metric, {}).get("family", "")
            why = score.why if score.value is None else ""
            yield (*where, arm, kind, metric, family, score.value, why, model, seed, run)


def run_id(results: Results) -> str:
    """The name of a run in tables and on leaderboards: the start of the digest of its results."""
    return run_digest(results)[:12]


def seed_of(results: Results) -> str:
    """The run's seed as text; empty where it has none."""
    seed = results.suite.get("seed")
    return "" if seed is None else str(seed)


def to_csv(results: Results, run: str = "") -> str:
    """The table as CSV. Text is written by `cell`, so that no spreadsheet runs it as a formula."""
    return csv_of(COLUMNS, rows(results, run))


def csv_of(columns: Sequence[str], values: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV, with the names of their columns first."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([cell(value) for value in row] for row in values)
    return file.getvalue()


def cell(value: Any) -> Any:
    """A value for CSV: text that begins like a formula gets an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def to_parquet(results: Results, run: str = "") -> bytes:
    """The table as a Parquet file, with numbers as float64 and text as it is."""
    return parquet_of({name: "double" if name == "value" else "string" for name in COLUMNS}, rows(results, run))


def parquet_of(columns: Mapping[str, str], values: Iterable[Sequence[Any]]) -> bytes:
    """Rows as a Parquet file. `columns` maps each name to Arrow's name of its type, as `double` or `string`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    found = list(zip(*values, strict=True)) or [()] * len(columns)
    arrays = [
        pa.array(column, type=pa.type_for_alias(kind)) for column, kind in zip(found, columns.values(), strict=True)
    ]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(arrays, names=list(columns)), sink, compression="zstd")
    return bytes(sink.getvalue())
