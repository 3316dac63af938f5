"""A snapshot of a run as a baseline for later runs: its scores and what they depend on, without anybody's words."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from raft.errors import RaftError
from raft.files import write_whole
from raft.formats.json_file import parse_model, read_bytes
from ratf.results.lazy import load_lazily
from ratf.results.record import Record
from ratf.results.results import ArmResult, Results

DIGITS = 4
NOT_SAID = ("empty", "no answer", "refused", "cut off", "error", "not scored")
"""How reasons begin that tell of no answer at all; every other reason of a metric of voice tells of what was said."""


class Snapshot(Record):
    """A run's scores by arm, question and metric, and what they depend on. A missing score is None."""

    format: Literal["ratf baseline 1"] = "ratf baseline 1"
    suite: dict[str, Any]
    data_digest: str
    prompts_digest: str
    metrics: dict[str, dict[str, Any]]
    adapters: dict[str, str] = Field(default_factory=dict)
    """What made each tuned arm's adapter, and what its weights are, as digests."""
    noise: dict[str, dict[str, float]] = Field(default_factory=dict)
    """arm → metric → the variance of one question's score by chance, where questions were answered several times."""
    no_voice: dict[str, dict[str, int]] = Field(default_factory=dict)
    """arm → metric of voice → the number of its answers that are no answer to be judged by their voice: too short, copied,
    off the topic, … That is a finding about the arm, and no gap in the measurement."""
    interviews: dict[str, str]
    """The id of the interview of each question."""
    scores: dict[str, dict[str, dict[str, float | None]]]

    def of(self, arm: str, metric: str) -> dict[str, float]:
        """The scores of an arm on a metric, by question, without the missing ones."""
        rows = self.scores.get(arm, {})
        return {q: v for q, row in rows.items() if (v := row.get(metric)) is not None}


def snapshot(results: Results) -> Snapshot:
    """The snapshot of a run, with the scores of its arms. Controls are left out, because their answers are given."""
    interviews: dict[str, str] = {}
    scores: dict[str, Any] = {arm: {} for arm, result in results.arms.items() if result.kind == "arm"}
    for question in results.questions:
        interviews[question.id] = question.interview_id
        for arm in scores.keys() & question.answers.keys():
            scores[arm][question.id] = {m: s.value for m, s in question.answers[arm].scores.items()}
    return Snapshot(
        suite=results.suite,
        data_digest=results.data_digest,
        prompts_digest=results.prompts_digest,
        metrics=results.metrics,
        adapters={t.arm: f"{t.digest}{f', weights {t.weights}' if t.weights else ''}" for t in results.tuned},
        noise={arm: noise for arm in scores if (noise := _noise(results.arms[arm]))},
        no_voice={arm: counts for arm in scores if (counts := _no_voice(results, arm))},
        interviews=interviews,
        scores=scores,
    )


def _no_voice(results: Results, arm: str) -> dict[str, int]:
    voices = [m for m, facts in results.metrics.items() if facts.get("axis") == "voice" and facts["family"] != "judge"]
    said = {
        m: [s for q in results.questions if arm in q.answers and (s := q.answers[arm].scores.get(m))] for m in voices
    }
    counts = {m: sum(s.value is None and not s.why.startswith(NOT_SAID) for s in of) for m, of in said.items()}
    return {m: n for m, n in counts.items() if n}


def _noise(arm: ArmResult) -> dict[str, float]:
    """metric → the variance between answers to one question, over how many of them each score is the mean of."""
    return {
        name: sample / cell.answers
        for name, cell in arm.metrics.items()
        if cell.answers > 1 and (sample := cell.variance.get("sample")) is not None
    }


def save_baseline(results: Results, path: Path) -> None:
    """Write a baseline file: sorted, rounded to 4 decimals, one answer a line, so that a change is a small diff."""
    made = snapshot(results)
    about = made.model_dump(mode="json", exclude={"scores", "interviews", "noise", "no_voice"})
    lines = [f" {json.dumps(key)}: {_dumps(about[key])}," for key in ("format", "data_digest", "prompts_digest")]
    lines += [f' "suite": {{\n{_rows(about["suite"])}\n }},', f' "metrics": {{\n{_rows(about["metrics"])}\n }},']
    if made.adapters:
        lines.append(f' "adapters": {{\n{_rows(made.adapters)}\n }},')
    if made.noise:
        lines.append(f' "noise": {{\n{_rows(made.noise)}\n }},')
    if made.no_voice:
        lines.append(f' "no_voice": {{\n{_rows(made.no_voice)}\n }},')
    lines.append(f' "interviews": {{\n{_rows(made.interviews)}\n }},')
    arms = [f"  {json.dumps(arm)}: {{\n{_rows(_rounded(rows))}\n  }}" for arm, rows in sorted(made.scores.items())]
    lines.append(' "scores": {\n' + ",\n".join(arms) + "\n }")
    write_whole(path, "{\n" + "\n".join(lines) + "\n}\n")


def load_baseline(path: Path) -> Snapshot:
    """A baseline from a run's folder, its results.json, or a file of `ratf baseline save`.

    Raises RaftError where there is none, or where it is of another version.
    """
    file = path / "results.json" if path.is_dir() else path
    if not file.is_file():
        raise RaftError(f"{path}: no such baseline; give a finished run's folder or a file of `ratf baseline save`")
    with file.open("rb") as opened:
        start = opened.read(200)
    if b'"ratf baseline' not in start:
        return snapshot(load_lazily(file))
    return parse_model(read_bytes(file), Snapshot, f"{path}: not a baseline of this version")


def _rounded(rows: Mapping[str, Mapping[str, float | None]]) -> dict[str, dict[str, float | None]]:
    return {q: {m: None if v is None else round(v, DIGITS) for m, v in row.items()} for q, row in rows.items()}


def _rows(table: Mapping[str, Any]) -> str:
    return ",\n".join(f"   {json.dumps(key)}: {_dumps(value)}" for key, value in sorted(table.items()))


def _dumps(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
