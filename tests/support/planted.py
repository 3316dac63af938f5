"""Runs that never were, for tests of what reads runs."""

from typing import Any

from ratf.results.exams import Exam
from ratf.results.results import Answer, ArmResult, Cell, Question, Results, Scored
from ratf.statistics.attribution import attribution
from ratf.statistics.contrasts import contrasts
from ratf.statistics.estimates import clustered_mean
from ratf.suite.arms import CONTRASTS, CONTROLS
from ratf.suite.metrics import metric

Scores = dict[str, dict[str, Any]]


def make(scores: Scores, interviews: list[str], settings: dict[str, Any] | None = None, **changes: Any) -> Results:
    """Results of a run that never was, from scores by arm and metric; NaN is a score that is missing.

    Arms of CONTROLS become controls. Keyword arguments replace parts of the results; `settings` adds to the suite's.
    """
    metrics = list(next(iter(scores.values())))
    ids = [f"{interview}-q{n:03d}" for n, interview in enumerate(interviews)]
    cluster = dict(zip(ids, interviews, strict=True))
    scored = {
        arm: {
            m: {
                q: Scored(value=None, why="parse") if v != v else Scored(value=float(v))
                for q, v in zip(ids, x, strict=True)
            }
            for m, x in of_arm.items()
        }
        for arm, of_arm in scores.items()
    }

    def cell(of_metric: dict[str, Scored]) -> Cell:
        numbers = {q: s.value for q, s in of_metric.items() if s.value is not None}
        e = clustered_mean(list(numbers.values()), [cluster[q] for q in numbers])
        ends = (e.mean, e.low, e.high, e.clusters) if e else (None, None, None, 0)
        return Cell(
            mean=ends[0],
            low=ends[1],
            high=ends[2],
            n=len(numbers),
            interviews=ends[3],
            unscored=len(ids) - len(numbers),
        )

    arms = {
        arm: ArmResult(
            kind="control" if arm in CONTROLS else "arm", words=arm, model="m", errors=0,
            metrics={m: cell(s) for m, s in of_arm.items()},
        )
        for arm, of_arm in scored.items()
    }  # fmt: skip
    questions = [
        Question(
            id=q, interview_id=cluster[q], interview=cluster[q], date="2020-01-01", question="Why?", real="Because.",
            answers={
                arm: Answer(text="So.", memories=[], source="", scores={m: s[q] for m, s in of_arm.items()})
                for arm, of_arm in scored.items()
            },
        )
        for q in ids
    ]  # fmt: skip
    suite = {
        "name": "planted",
        "seed": 0,
        "arms": [arm for arm in scores if arm not in CONTROLS],
        "metrics": metrics,
        "models": {"base": "local/b", "grader": "openai/g"},
        "primary": {"metric": metrics[0], "better": "raft", "than": "baseline"},
    }
    parts: dict[str, Any] = {
        "suite": {**suite, **(settings or {})},
        "digest": "d",
        "data_digest": "dd",
        "prompts_digest": "p",
        "person": {"key": "marrack", "name": "Tove Marrack"},
        "impostors": {"pell": "Conrad Pell"},
        "fictional": True,
        "held_out": {"questions": len(ids), "from": "2020-01-01", "interviews": []},
        "training": {"exchanges": 8, "earlier_exchanges": 8, "documents": 3, "left_out": {}},
        "metrics": {m: {"family": metric(m).family, "words": m, "better": metric(m).better, "top": 1} for m in metrics},
        "arms": arms,
        "contrasts": contrasts(scored, CONTRASTS, cluster),
        "attribution": attribution(scored, cluster),
        "verdict": "INCONCLUSIVE",
        "sentence": "made",
        "tuned": [],
        "notes": [],
        "questions": questions,
        "environment": {"ratf": "0"},
        "times": {"finished": "2026-01-01 00:00 UTC", "seconds": {}, "total": 60.0},
        "exam": [
            Exam(
                metric=m,
                axis="identity",
                auc=0.9,
                low=0.8,
                high=1,
                admitted=True,
                reason="",
                bar=0.6,
                n=9,
                interviews=6,
                unscored=0,
            )
            for m in metrics
        ],
    }
    return Results(**{**parts, **changes})
