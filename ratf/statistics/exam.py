"""The exam of a metric or judge: whether it tells this person from others, from its scores of the controls."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

import numpy as np

from ratf.results.exams import Dose, Exam, Order
from ratf.statistics.estimates import CONFIDENCE, Estimate, clustered_mean
from ratf.statistics.skill import skill
from ratf.suite.arms import CEILING, DOSES, FLOOR, STRANGER
from ratf.suite.metrics import Ladder

Rungs = Mapping[str, Mapping[str, float | None]]
"""The scores by control and question; None where an answer could not be scored."""


ASSUMED_ICC = 0.2
"""The intraclass correlation that questions of one interview are assumed to have where they all came out alike."""


NEARLY = 0.05
"""So much of the way from the floor to the person's own answers still counts as the floor, where the floor's interval is
narrower. A metric that is never in doubt has a floor of no width: voice gives the demo's impostor .0001 [.0000, .0003], and
would be refused for a salted answer at .001. What is above both is refused."""


TAKEN_IN = 0.25
"""Above this mean skill of strangers, voice would not tell the person from somebody new."""


TOLD = 2
"""So many orders that are not shown are named in a reason; the page lists all."""


MOST_UNSCORED = 0.10
"""The greatest share of exam answers that a metric may leave unscored and still be admitted."""


@dataclass(frozen=True)
class Auc:
    """The chance that the higher side scores above the lower one on the same question, ties counting half."""

    auc: float
    low: float | None
    high: float | None
    n: int
    clusters: int


def paired_auc(scores: Rungs, higher: Iterable[str], lower: Iterable[str], cluster: Mapping[str, str]) -> Auc | None:
    """The AUC of `higher` over `lower` controls, compared question by question; None without a question with both.

    A question's value is the share of (higher, lower) pairs in order; the AUC is their mean. Its interval is the
    cluster-robust t interval of `clustered_means` on the logit scale, where it holds its level near 0 and 1, and
    reaches at least as far as n_eff perfect questions would let it (Clopper & Pearson 1934: (α/2)^(1/n_eff), n_eff
    by the usual design effect at an assumed intraclass correlation), because a perfect exam has no spread to go by.
    `low` and `high` are None with fewer than two interviews.
    """
    up, down = ([of for c in side if (of := scores.get(c))] for side in (higher, lower))
    wins: dict[str, float] = {}
    for question in cluster if up and down else ():  # a ladder has many controls, and a run few of them
        a = [s for of in up if (s := of.get(question)) is not None]
        b = [s for of in down if (s := of.get(question)) is not None]
        if a and b:
            wins[question] = fmean((x > y) + (x == y) / 2 for x in a for y in b)
    clusters = [cluster[q] for q in wins]
    found = clustered_mean(list(wins.values()), clusters)
    return None if found is None else auc_of(found, clusters)


def auc_of(found: Estimate, clusters: Sequence[str]) -> Auc:
    """The AUC from the clustered mean of the questions' shares of pairs in order; see `paired_auc`."""
    if found.low is None or found.high is None:
        return Auc(found.mean, None, None, found.n, found.clusters)
    cap = _best_case(clusters)
    low, high = _by_logit(found.mean, (found.high - found.low) / 2)
    return Auc(found.mean, min(low, cap), max(high, 1 - cap), found.n, found.clusters)


def _by_logit(mean: float, half: float) -> tuple[float, float]:
    """The interval mean ± half, taken to the logit scale by the delta method and back."""
    if not 0 < mean < 1:
        return mean, mean
    centre, reach = np.log(mean / (1 - mean)), half / (mean * (1 - mean))
    low, high = 1 / (1 + np.exp(-np.clip([centre - reach, centre + reach], -500, 500)))
    return float(low), float(high)


def _best_case(clusters: Sequence[str]) -> float:
    """The lower end of the interval that a perfect exam with as many questions in the same clusters would have."""
    _, sizes = np.unique(clusters, return_counts=True)
    n = int(sizes.sum())
    effective = n / (1 + (float((sizes**2).sum()) / n - 1) * ASSUMED_ICC)
    return float(((1 - CONFIDENCE) / 2) ** (1 / effective))


def examine(
    metric: str,
    axis: str,
    ladder: Ladder,
    scores: Rungs,
    cluster: Mapping[str, str],
    bar: float,
    reads_real: bool = True,
    lower_is_better: bool = False,
) -> Exam:
    """The exam of one metric or judge. `cluster` gives the interview of every question that counts.

    Admitted: the AUC's lower end lies above `bar`, no must-order is shown the other way round, those between the person's
    own answers and a degenerate control are shown, no degenerate control reaches the floor (`_reached`), strangers are not
    taken for the person (`_taken_in`), and no more than a tenth of the exam was left unscored. Whatever could not be examined is not admitted.
    """
    turned = {c: {q: _turn(s, lower_is_better) for q, s in of.items()} for c, of in scores.items()}
    positives = [c for c in ladder.positives if c in turned and not (c == "real" and reads_real)]
    negatives = [c for c in ladder.negatives if c in turned]
    found = paired_auc(turned, positives, negatives, cluster)
    asked = [turned[c][q] for c in (*positives, *negatives) for q in cluster if q in turned[c]]
    unscored = sum(s is None for s in asked)
    orders = _orders(ladder, _at_the_bottom(turned, ladder), cluster, reads_real)
    reached = _reached(ladder, turned, cluster, positives, -1 if lower_is_better else 1)
    if any(STRANGER in pair for pair in ladder.must):
        reached += _taken_in(metric, turned, cluster)
    reason, admitted = _decide(found, orders, positives, negatives, unscored, len(asked), bar, reached)
    return Exam(
        metric=metric,
        axis=axis,
        auc=found.auc if found else None,
        low=found.low if found else None,
        high=found.high if found else None,
        admitted=admitted,
        reason=reason,
        bar=bar,
        n=found.n if found else 0,
        interviews=found.clusters if found else 0,
        unscored=unscored,
        orders=orders,
        dose=dose_response(turned, cluster, lower_is_better),
    )


def _turn(score: float | None, lower_is_better: bool) -> float | None:
    return score if score is None or not lower_is_better else -score


def _at_the_bottom(scores: Rungs, ladder: Ladder) -> Rungs:
    """What a degenerate control has no score for is below everything, where it has any: what is refused wins nothing."""

    def lowered(of: Mapping[str, float | None]) -> Mapping[str, float | None]:
        return {q: float("-inf") if s is None else s for q, s in of.items()}

    some = {c for c in ladder.degenerate if any(s is not None for s in scores.get(c, {}).values())}
    return {c: lowered(of) if c in some else of for c, of in scores.items()}


def _orders(ladder: Ladder, scores: Rungs, cluster: Mapping[str, str], reads_real: bool) -> list[Order]:
    orders = []
    for must, pairs in ((True, ladder.must), (False, ladder.may)):
        for higher, lower in pairs:
            found = paired_auc(scores, [higher], [lower], cluster)
            if found is None or (reads_real and "real" in (higher, lower)):
                continue
            shows: Literal["holds", "not shown", "violated"] = "not shown"
            if found.low is not None and found.high is not None:
                shows = "holds" if found.low > 0.5 else "violated" if found.high < 0.5 else "not shown"
            orders.append(
                Order(
                    higher=higher,
                    lower=lower,
                    must=must,
                    auc=found.auc,
                    low=found.low,
                    high=found.high,
                    shows=shows,
                    must_show=ladder.must_show(higher, lower),
                )
            )
    return orders


def _decide(
    found: Auc | None,
    orders: Sequence[Order],
    positives: Sequence[str],
    negatives: Sequence[str],
    unscored: int,
    asked: int,
    bar: float,
    reached: Sequence[str] = (),
) -> tuple[str, bool]:
    """The reason in words, and whether the metric is admitted."""
    if not positives or not negatives:
        missing = "the person's own answers" if not positives else "another person's answers"
        return f"not examined: the suite's controls have none of {missing} that this axis needs", False
    if found is None:
        return "not examined: no question has scores on both sides", False
    if found.low is None:
        return "not examined: a single interview gives no interval", False
    faults = [
        f"it puts {o.lower} above {o.higher} (AUC {o.auc:.2f}, at most {o.high:.2f})"
        for o in orders
        if o.must and o.shows == "violated"
    ]
    short = [o for o in orders if o.must_show and o.shows == "not shown"]
    faults += [f"it is not shown to put {o.higher} above {o.lower} (AUC {_interval(o)})" for o in short[:TOLD]]
    if len(short) > TOLD:
        faults.append(f"{len(short) - TOLD} more such orders are not shown")
    faults += reached
    if found.low <= bar:
        faults.insert(0, f"the AUC's lower end {found.low:.2f} is not above the bar of {bar:g}")
    if unscored > MOST_UNSCORED * asked:
        faults.append(f"{unscored} of {asked} exam answers could not be scored")
    if faults:
        return "; ".join(faults), False
    must = [o for o in orders if o.must]
    held = sum(o.shows == "holds" for o in must)
    return f"the lower end {found.low:.2f} is above the bar of {bar:g}; {held} of {len(must)} orders hold", True


def _reached(
    ladder: Ladder, scores: Rungs, cluster: Mapping[str, str], positives: Sequence[str], sign: int
) -> list[str]:
    """In words, each degenerate control that reaches the floor: its mean is above the upper end of the floor's interval,
    and more than NEARLY of the way from there to the person's own answers, as a good metric's floor has hardly a width.

    The floor is the best of the ladder's negatives: for content that is the person herself on the topic, as everything in her
    own words shares some of them. A question that a control has no score for counts as if the control were at the floor's
    mean; a control without any score reaches nothing.
    """
    of = [numbers for c in ladder.negatives if (numbers := _numbers(scores.get(c, {}), cluster))]
    floor = max(of, key=lambda numbers: fmean(numbers.values()), default={})
    found = clustered_mean(list(floor.values()), [cluster[q] for q in floor])
    own = [s for c in positives for s in _numbers(scores[c], cluster).values()]
    if found is None or found.high is None or not own:
        return []
    top = max(found.high, found.mean + NEARLY * (fmean(own) - found.mean))
    faults = []
    for control in ladder.degenerate:
        there = _numbers(scores.get(control, {}), cluster)
        asked = sum(q in cluster for q in scores.get(control, {}))
        if there and (mean := (sum(there.values()) + (asked - len(there)) * found.mean) / asked) > top:
            least = "least" if sign < 0 else "most"
            digits = 2 if f"{mean:.2f}" != f"{top:.2f}" else 4
            told = f"{sign * mean:.{digits}f} on average, where {sign * top:.{digits}f} is the {least}"
            faults.append(f"{control}, which says nothing, reaches the floor ({told})")
    return faults


def _taken_in(metric: str, scores: Rungs, cluster: Mapping[str, str]) -> list[str]:
    """In words, that strangers are taken for the person: their mean skill is above TAKEN_IN."""
    theirs, floor, own = (_numbers(scores.get(c, {}), cluster) for c in (STRANGER, FLOOR, CEILING))
    told = skill(metric, STRANGER, theirs, floor, own, cluster)
    if told is None or told.skill is None or told.skill <= TAKEN_IN:
        return []
    return [
        f"strangers, whom nothing was learnt from, have a skill of {told.skill:.2f} and are not told apart (at most "
        f"{TAKEN_IN:g}): add people who talk like the person to the impostors"
    ]


def _numbers(of: Mapping[str, float | None], cluster: Mapping[str, str]) -> dict[str, float]:
    return {q: s for q, s in of.items() if s is not None and q in cluster}


def _interval(o: Order) -> str:
    ends = "no interval" if o.low is None or o.high is None else f"{o.low:.2f}, {o.high:.2f}"
    return f"{o.auc:.2f} [{ends}]"


def dose_response(scores: Rungs, cluster: Mapping[str, str], lower_is_better: bool = False) -> Dose | None:
    """How the score falls from the real answer to the impostor's, over the questions scored at every share of `DOSES`.

    None where there is no such question.
    """
    steps = {"real": 0.0, **DOSES, FLOOR: 1.0}
    rows: dict[str, list[float]] = {}
    known = [scores.get(c, {}) for c in steps]
    for question in cluster if all(known) else ():
        row = [s for of in known if (s := of.get(question)) is not None]
        if len(row) == len(steps):
            rows[question] = row
    if not rows:
        return None
    table, shares = np.array([rows[q] for q in sorted(rows)]), np.array(list(steps.values()))
    centred = shares - shares.mean()
    found = clustered_mean(table @ centred / (centred @ centred), [cluster[q] for q in sorted(rows)])
    assert found is not None
    means = table.mean(axis=0)
    sign = -1 if lower_is_better else 1
    ends = (found.low, found.high)
    low, high = ends if not lower_is_better else (_negative(ends[1]), _negative(ends[0]))
    return Dose(
        shares=shares.tolist(),
        means=(sign * means).tolist(),
        monotone=bool((np.diff(means) < 0).all()),
        slope=sign * found.mean,
        low=low,
        high=high,
        n=len(rows),
    )


def _negative(number: float | None) -> float | None:
    return None if number is None else -number
