"""The judges' votes in a run's scores: agreement, forced choices, pairwise strengths, masking, and their cost."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ratf.results.exams import Agreement, Exam, ForcedChoice, Judging, Masked, Strength
from ratf.results.results import Scored
from ratf.statistics.contrasts import Scores
from ratf.statistics.estimates import CONFIDENCE, clustered_mean, paired_difference
from ratf.suite.arms import CONTROLS
from ratf.suite.metrics import is_judged, metric


def judging(
    scores: Scores,
    cluster: Mapping[str, str],
    entries: Sequence[Exam],
    planned: Mapping[str, int],
    anyway: bool,
    seed: int,
    margin: float,
) -> Judging:
    """The judges' results that are not an arm's mean. Only judges that were admitted, or graded anyway, have votes."""
    sat = {(e.judge.rubric, bool(metric(e.metric).unmasked)): e.judge for e in entries if e.judge}
    exam = {"calls": sum(j.calls for j in sat.values()), "tokens": sum(j.tokens for j in sat.values())}
    asked = {vote["prompt"]: vote.get("tokens", 0) for vote in _votes(scores) if vote.get("prompt")}
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
    return sorted({m for metrics in scores.values() for m in metrics if is_judged(m)})


def _agreements(scores: Scores) -> list[Agreement]:
    found = []
    for name in _judged(scores):
        votes: dict[str, dict[str, float]] = {}
        for arm, metrics in scores.items():
            for question, scored in metrics.get(name, {}).items():
                seen: Counter[tuple[str, str]] = Counter()
                for vote in scored.votes:
                    key = vote["grader"], vote.get("order", "")
                    where = f"{arm}\0{question}\0{key[1]}\0{seen[key]}"  # a pairwise judge has one a rival
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
    names = [n for n in _judged(scores) if metric(n).criterion == "chosen"]
    return [
        forced_choice(arm, numbers, cluster, margin).model_copy(update={"metric": name})
        for name in names
        for arm, metrics in scores.items()
        if (numbers := _numbers(metrics.get(name, {})))
    ]


def _pairwise(scores: Scores, cluster: Mapping[str, str], seed: int) -> list[Strength]:
    found = []
    for name in (n for n in _judged(scores) if metric(n).criterion == "won"):
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
    for name in (n for n in _judged(scores) if metric(n).unmasked):
        plain = metric(name).unmasked
        for arm, metrics in scores.items():
            told = paired_difference(_numbers(metrics.get(plain, {})), _numbers(metrics.get(name, {})), dict(cluster))
            if told is not None and arm not in CONTROLS:
                found.append(
                    Masked(metric=plain, arm=arm, difference=told.mean, low=told.low, high=told.high, n=told.n)
                )
    return found


def judge_note(entry: Exam) -> str:
    """A sentence on a judge that failed its exam: whether it graded all the same, and why it failed."""
    judge = entry.judge
    told = "it graded nevertheless" if judge and judge.grades else "it graded nothing"
    if judge and judge.saved_calls:
        told += f", which saved {judge.saved_calls} calls and about {judge.saved_tokens} tokens"
    return f"{entry.metric} did not pass its exam, and {told}: {entry.reason}."


MARGIN = 0.2
"""The default margin of equivalence: an arm that is chosen 30 % to 70 % of the time cannot be told apart."""


ROUNDS = 2000


def forced_choice(
    arm: str, chosen: Mapping[str, float], cluster: Mapping[str, str], margin: float = MARGIN
) -> ForcedChoice:
    """The forced choices between an arm's answers and the real ones.

    `chosen` gives, by question, the share of choices in which the arm's answer was taken for the real one.

    `equivalent`: the 90 % interval lies within 50 % ± margin (two one-sided t tests, Schuirmann 1987, clustered by
    interview). `caricature`: significantly above 50 %, more like the person than the
    person. `told apart`: significantly below. An equivalence that is also significantly off 50 % is told as the latter.
    """
    from scipy import stats

    found = clustered_mean(list(chosen.values()), [cluster[q] for q in chosen])
    if found is None or found.low is None or found.high is None or found.error is None or found.freedom is None:
        mean = found.mean if found else None
        return ForcedChoice(
            arm=arm, share=mean, low=None, high=None, n=len(chosen), margin=margin, power=None, says="not measured"
        )
    reach = float(stats.t.ppf(CONFIDENCE, found.freedom)) * found.error
    if found.low > 0.5:
        says = "caricature"
    elif found.high < 0.5:
        says = "told apart"
    else:
        within = found.mean - reach > 0.5 - margin and found.mean + reach < 0.5 + margin
        says = "equivalent" if within else "not separable"
    return ForcedChoice(
        arm=arm,
        share=found.mean,
        low=found.low,
        high=found.high,
        n=found.n,
        margin=margin,
        power=power_of_equivalence(found.error, found.freedom, margin),
        says=says,
    )


def power_of_equivalence(error: float, df: float, margin: float = MARGIN) -> float:
    """The chance to conclude equivalence when the true share is 50 %, at that standard error.

    2 P(T_df < margin / SE - t_{0.95, df}) - 1, the central t approximation; 0 where that is negative.
    """
    from scipy import stats

    if error <= 0:
        return 1.0
    return max(0.0, 2 * float(stats.t.cdf(margin / error - float(stats.t.ppf(CONFIDENCE, df)), df)) - 1)


def strengths(games: Sequence[tuple[str, str, float, str]], seed: int, rounds: int = ROUNDS) -> list[Strength]:
    """The Bradley–Terry strengths (log odds, mean 0) of arms, from games as (arm, rival, share won, interview).

    A share counts as that much of a win and the rest of a loss, so a tie is half of each. The intervals are percentiles
    over `rounds` resamplings of the interviews, None with one interview. Half a tie is added to every pair, so that the
    strength of an arm that never won stays finite.
    """
    arms = sorted({a for game in games for a in game[:2]})
    clusters = sorted({game[3] for game in games})
    wins = np.zeros((len(clusters), len(arms), len(arms)))
    for a, b, won, interview in games:
        g, i, j = clusters.index(interview), arms.index(a), arms.index(b)
        wins[g, i, j] += won
        wins[g, j, i] += 1 - won
    if not arms:
        return []
    centre = _bradley_terry(arms, wins.sum(axis=0))
    low = high = [None] * len(arms)
    if len(clusters) > 1:
        counts = np.random.default_rng(seed).multinomial(
            len(clusters), [1 / len(clusters)] * len(clusters), size=rounds
        )
        drawn = np.array([_bradley_terry(arms, np.tensordot(row, wins, axes=1)) for row in counts])
        low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0).tolist()
    table = wins.sum(axis=0)
    return [
        Strength(
            arm=arm,
            strength=float(centre[i]),
            low=low[i],
            high=high[i],
            won={other: round(float(table[i, j]), 3) for j, other in enumerate(arms) if j != i},
        )
        for i, arm in enumerate(arms)
    ]


def _bradley_terry(arms: list[str], wins: NDArray[np.float64]) -> NDArray[np.float64]:
    import evalica

    pairs = [(i, j) for i in range(len(arms)) for j in range(len(arms)) if i != j]
    scores = evalica.bradley_terry(
        [arms[i] for i, _ in pairs],
        [arms[j] for _, j in pairs],
        [evalica.Winner.X] * len(pairs),
        weights=[float(wins[i, j]) + 0.25 for i, j in pairs],
    ).scores
    logs = np.log([float(scores[arm]) for arm in arms])
    found: NDArray[np.float64] = logs - logs.mean()
    return found


def agreement(metric: str, votes: Mapping[str, Mapping[str, float]]) -> Agreement | None:
    """Krippendorff's alpha for interval data between graders, from the grades in `votes` by grader and graded item.

    None with one grader. Alpha itself is None where nothing was graded twice, or every grade is the same.
    """
    if len(votes) < 2:
        return None
    import evalica
    import pandas as pd

    table = pd.DataFrame(votes).T
    twice = int((table.notna().sum(axis=0) > 1).sum())
    numbers = {v for of in votes.values() for v in of.values()}
    alpha = None
    if twice and len(numbers) > 1:
        alpha = float(evalica.alpha(table, distance="interval").alpha)
        alpha = alpha if math.isfinite(alpha) else None
    return Agreement(metric=metric, graders=sorted(votes), alpha=alpha, n=twice)
