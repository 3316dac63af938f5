"""All scores of a run as one long table, in CSV and in Parquet."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from ratf.results.results import Question, Results

COLUMNS = ("suite", "person", "interview", "question", "arm", "kind", "metric", "family", "value", "unscored")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def rows(results: Results) -> Iterator[tuple[str | float | None, ...]]:
    """The rows of the table, one a score, with the values of `COLUMNS`. `unscored` says why a value is missing."""
    for question in results.questions:
        yield from rows_of(results, question)


def rows_of(results: Results, question: Question) -> Iterator[tuple[str | float | None, ...]]:
    """The rows of one question, with the values of `COLUMNS`."""
    where = (results.suite["name"], results.person.get("key", ""), question.interview_id, question.id)
    for arm, answer in question.answers.items():
        kind = results.arms[arm].kind if arm in results.arms else ""
        for metric, score in answer.scores.items():
            family = results.metrics.get(metric, {}).get("family", "")
            yield (*where, arm, kind, metric, family, score.value, score.why if score.value is None else "")


def to_csv(results: Results) -> str:
    """The table as CSV. Text is written by `cell`, so that no spreadsheet runs it as a formula."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows(results):
        writer.writerow([cell(value) for value in row])
    return file.getvalue()


def cell(value: Any) -> Any:
    """A value for CSV: text that begins like a formula gets an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def to_parquet(results: Results) -> bytes:
    """The table as a Parquet file, with numbers as float64 and text as it is."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = [pa.float64() if name == "value" else pa.string() for name in COLUMNS]
    columns = list(zip(*rows(results), strict=True)) or [()] * len(COLUMNS)
    arrays = [pa.array(column, type=kind) for column, kind in zip(columns, kinds, strict=True)]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(arrays, names=list(COLUMNS)), sink, compression="zstd")
    return bytes(sink.getvalue())
