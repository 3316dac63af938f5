"""How often a judge's exam admits whom it should: simulated judges sit the very comparisons that a real one sat."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from ratf.statistics.judges.judge_exam import CAPABLE, Trial, exam_of_grader
from ratf.statistics.judges.stopping import decided, looks
from ratf.suite.metrics import Axis

LEAST_POWER = 0.9
"""A judge that failed an exam of less power is told so: it may be the exam's fault."""


ROUNDS = 100
"""Simulated exams of each kind of error: the power is known to about ± 3 points where it is 0.9."""


def power(
    trials: Sequence[Trial], axis: Axis, cluster: Mapping[str, str], bar: float, reads_real: bool, counted: bool
) -> float:
    """The share of exams of these comparisons that admit a judge which is right in 85 % of its replies.

    Of two kinds of errors the smaller share is given: once a text that is judged wrongly is judged so in every order and
    repeat, and once every reply errs by itself. What was replied does not matter, only what was asked.
    """
    shape = tuple((t.question, t.control, t.kind, t.rival, t.reversed is not None, t.again is not None) for t in trials)
    interviews = tuple(sorted((q, cluster[q]) for q in {t.question for t in trials}))
    return _power(shape, axis, interviews, bar, reads_real, counted)


@cache
def _power(
    shape: tuple[tuple[str, str, str, str, bool, bool], ...],
    axis: Axis,
    interviews: tuple[tuple[str, str], ...],
    bar: float,
    reads_real: bool,
    counted: bool,
) -> float:
    asked = [
        Trial(q, control, kind, 0.0, 0.0, 0.0 if back else None, 0.0 if again else None, rival=rival)  # type: ignore[arg-type]
        for q, control, kind, rival, back, again in shape
    ]
    random, cluster = np.random.default_rng(0), dict(interviews)

    def passes(alike: bool) -> bool:
        given = replies(asked, random, CAPABLE, alike)
        if any(decided(given[:n], counted) for n in looks(len(given))[:-1]):
            return False
        return exam_of_grader("", "judge_stance", axis, given, cluster, bar, reads_real, counted)[0].admitted

    return float(min(np.mean([passes(alike) for _ in range(ROUNDS)]) for alike in (True, False)))


def replies(asked: Sequence[Trial], random: np.random.Generator, right: float, alike: bool) -> list[Trial]:
    """The comparisons as a judge answers them that is right in that share: `alike` in every order and repeat, or not."""

    def grade(trial: Trial, errs: bool) -> float:
        fails = errs if alike else bool(random.random() >= right)
        return float((trial.kind == "same") != fails)

    found = []
    for t in asked:
        errs = bool(random.random() >= right)
        drawn = grade(t, errs)
        back = None if t.reversed is None else grade(t, errs)
        again = None if t.again is None else grade(t, errs)
        clean = grade(t, errs) if t.kind == "probe" else None
        found.append(replace(t, length=float(random.normal()), drawn=drawn, reversed=back, again=again, clean=clean))
    return found
