"""What the judges' votes in a run's scores add up to, and what they took."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ratf.arms import CONTROLS
from ratf.preferences import agreement, forced_choice, strengths
from ratf.results import Scored
from ratf.statistics import paired_difference
from ratf.worth import Agreement, Exam, ForcedChoice, Judging, Masked, Strength

Scores = Mapping[str, Mapping[str, Mapping[str, Scored]]]
"""arm → metric → question → score"""


def judging(
    scores: Scores,
    cluster: Mapping[str, str],
    entries: Sequence[Exam],
    planned: Mapping[str, int],
    anyway: bool,
    seed: int,
    margin: float,
) -> Judging:
    """Everything about the judges that is not an arm's mean. Only what was admitted, or graded anyway, has votes."""
    sat = {(e.judge.rubric, e.metric.endswith("_masked")): e.judge for e in entries if e.judge}
    exam = {"calls": sum(j.calls for j in sat.values()), "tokens": sum(j.tokens for j in sat.values())}
    asked = {vote["prompt"]: vote["tokens"] for vote in _votes(scores) if vote["prompt"]}
    return Judging(
        planned=dict(planned),
        spent={
            "exam_calls": exam["calls"],
            "exam_tokens": exam["tokens"],
            "grading_calls": len(asked),
            "grading_tokens": sum(asked.values()),
        },
        saved={
            "calls": sum(j.saved_calls for j in sat.values()),
            "tokens": sum(j.saved_tokens for j in sat.values()),
        },
        anyway=anyway,
        agreement=_agreements(scores),
        forced_choice=_forced(scores, cluster, margin),
        pairwise=_pairwise(scores, cluster, seed),
        masked=_masked(scores, cluster),
    )


def _votes(scores: Scores) -> Iterator[dict[str, Any]]:
    for metrics in scores.values():
        for of_metric in metrics.values():
            for scored in of_metric.values():
                yield from scored.votes


def _judged(scores: Scores) -> list[str]:
    return sorted({m for metrics in scores.values() for m in metrics if m.startswith("judge_")})


def _agreements(scores: Scores) -> list[Agreement]:
    found = []
    for name in _judged(scores):
        votes: dict[str, dict[str, float]] = {}
        for arm, metrics in scores.items():
            for question, scored in metrics.get(name, {}).items():
                seen: Counter[tuple[str, str]] = Counter()
                for vote in scored.votes:
                    key = vote["grader"], vote["order"]
                    where = f"{arm}\0{question}\0{vote['order']}\0{seen[key]}"  # one for each rival of a pairwise judge
                    seen[key] += 1
                    if vote["value"] is not None:
                        votes.setdefault(vote["grader"], {})[where] = vote["value"]
        told = agreement(name, votes)
        if told is not None:
            found.append(told)
    return found


def _numbers(of_metric: Mapping[str, Scored]) -> dict[str, float]:
    return {q: s.value for q, s in of_metric.items() if s.value is not None}


def _forced(scores: Scores, cluster: Mapping[str, str], margin: float) -> list[ForcedChoice]:
    names = [n for n in _judged(scores) if n.removesuffix("_masked").endswith("_chosen")]
    return [
        forced_choice(arm, numbers, cluster, margin).model_copy(update={"metric": name})
        for name in names
        for arm, metrics in scores.items()
        if (numbers := _numbers(metrics.get(name, {})))
    ]


def _pairwise(scores: Scores, cluster: Mapping[str, str], seed: int) -> list[Strength]:
    found = []
    for name in (n for n in _judged(scores) if n.removesuffix("_masked").endswith("_won")):
        games = [
            (arm, rival, share, cluster[question])
            for arm, metrics in scores.items()
            for question, scored in metrics.get(name, {}).items()
            for rival, share in scored.against.items()
            if arm < rival  # both arms' logs have the same comparison
        ]
        found += [s.model_copy(update={"metric": name}) for s in strengths(games, seed)]
    return found


def _masked(scores: Scores, cluster: Mapping[str, str]) -> list[Masked]:
    found = []
    for name in (n for n in _judged(scores) if n.endswith("_masked")):
        plain = name.removesuffix("_masked")
        for arm, metrics in scores.items():
            told = paired_difference(_numbers(metrics.get(plain, {})), _numbers(metrics.get(name, {})), dict(cluster))
            if told is not None and arm not in CONTROLS:
                found.append(
                    Masked(metric=plain, arm=arm, difference=told.mean, low=told.low, high=told.high, n=told.n)
                )
    return found


def judge_note(entry: Exam) -> str:
    """What became of a judge that failed, in a sentence."""
    judge = entry.judge
    told = "it graded nevertheless" if judge and judge.grades else "it graded nothing"
    if judge and judge.saved_calls:
        told += f", which saved {judge.saved_calls} calls and about {judge.saved_tokens} tokens"
    return f"{entry.metric} did not pass its exam, and {told}: {entry.reason}."
