"""A run's statistics worked out again from its scores alone."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ratf.results.bundle import Sample
from ratf.results.exams import Exam
from ratf.results.record import Record
from ratf.results.results import Results, Scored
from ratf.scores.content_exam import CONTENT_LADDERS, examine_content
from ratf.scores.qualify import without_refused
from ratf.statistics.attribution import attribution
from ratf.statistics.contrasts import Scores, contrasts
from ratf.statistics.decision import decide
from ratf.statistics.estimates import clustered_mean
from ratf.statistics.exam import dose_response
from ratf.statistics.judges.votes import MARGIN, judging
from ratf.statistics.skill import skill
from ratf.statistics.verdict import not_measured
from ratf.suite.arms import CEILING, EXAM_ONLY, FLOOR, MADE
from ratf.suite.metrics import LADDERS, METRICS, axis_meant, is_judged, is_own
from ratf.suite.own_metrics import facts_in

MeansByArm = Mapping[str, Mapping[str, Mapping[str, float | None]]]


def statistics(results: Results, doses: MeansByArm) -> Iterator[tuple[str, list[str]]]:
    """Each group of statistics by name, with what of it the scores do not give. `doses`: see `doses_of`."""
    scores = scores_of(results)
    cluster = {q.id: q.interview_id for q in results.questions}
    yield "statistics: means and intervals", _means(results, scores, cluster)
    yield "statistics: comparisons", _contrasts(results, scores, cluster)
    if results.attribution is not None:
        yield "statistics: attribution", _attribution(results, scores, cluster)
    whole = not _poor_left_out(results)
    if whole:
        yield "statistics: exams", _exams(results, scores, cluster, doses)
    yield "statistics: skill", _skills(results, scores, cluster)
    yield "statistics: verdict", _verdict(results, scores, cluster)
    if results.judging:
        yield "statistics: judges' grades put together", _judging(results, scores, cluster)
    if doses and whole:
        yield "statistics: dose responses", _doses(results, scores, cluster, doses)


def not_recomputed(results: Results, doses: MeansByArm) -> Iterator[tuple[str, str]]:
    """The parts of the results that are taken as told, not worked out again, each with the reason."""
    if results.judging and any(e.judge for e in results.exam):
        yield (
            "exams of judges",
            "they sat on comparisons of their own, which are not in the bundle; only the bar was looked at",
        )
        yield (
            "judging: planned, saved and the exam's calls",
            "they are counts of what was asked, not of what was graded",
        )
    if not doses and any(e.dose for e in results.exam):
        yield "statistics: dose responses", "the bundle has no answers of the doses"
    if not any(m in doses for m in MADE) and any(
        e.axis in CONTENT_LADDERS and (e.metric in METRICS or is_own(e.metric)) for e in results.exam
    ):
        yield "exams on topic, coverage and agreement", "the bundle has no answers that were made of the real ones"
    if _poor_left_out(results):
        yield "statistics: exams", "questions that match poorly were left out, and the bundle has no similarities"
    for what in ("contamination", "retrieval", "leaks", "tuned", "budget"):
        if getattr(results, what):
            yield what, "it was measured with models, data or services that are not in the bundle"


def _poor_left_out(results: Results) -> bool:
    """Whether questions whose nearest ones match poorly are in no exam: the bundle has no similarities to tell which."""
    return bool(results.suite.get("exam", {}).get("leave_out_poor"))


def doses_of(samples: Sequence[Sample] | None) -> MeansByArm:
    """The scores by dose or made control, metric and question id, from the logs: the results do not have them."""
    found: dict[str, dict[str, dict[str, float | None]]] = {}
    for s in samples or []:
        if s.arm in EXAM_ONLY and s.epoch == 1:
            for name, score in s.scores.items():
                fine = not s.error and isinstance(score.value, int | float) and math.isfinite(score.value)
                found.setdefault(s.arm, {}).setdefault(name, {})[s.question] = float(score.value) if fine else None
    return found


def scores_of(results: Results) -> Scores:
    """The scores of a run by arm, metric and question id."""
    found: dict[str, dict[str, dict[str, Scored]]] = {}
    for question in results.questions:
        for arm, answer in question.answers.items():
            for name, score in answer.scores.items():
                found.setdefault(arm, {}).setdefault(name, {})[question.id] = score
    return found


def _numbers(scores: Scores, arm: str, name: str) -> dict[str, float]:
    return {q: s.value for q, s in scores.get(arm, {}).get(name, {}).items() if s.value is not None}


def _unequal(what: str, told: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    """The fields of a record that are not what was found."""
    from ratf.review.record import same

    for key, value in found.items():
        if not same(told.get(key), value):
            yield f"{what}: {key} is {_short(told.get(key))}, the scores give {_short(value)}"


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)[:80]


def _means(results: Results, scores: Scores, cluster: Mapping[str, str]) -> list[str]:
    found: list[str] = []
    if results.held_out["questions"] != (there := len(results.questions)):
        found.append(f"{results.held_out['questions']} questions are said to be held out, and {there} are there")
    for arm, result in results.arms.items():
        for name, cell in result.metrics.items():
            numbers = _numbers(scores, arm, name)
            e = clustered_mean(list(numbers.values()), [cluster[q] for q in numbers])
            ends = {"mean": e.mean, "low": e.low, "high": e.high} if e else {"mean": None, "low": None, "high": None}
            counts = {
                "n": len(numbers),
                "interviews": e.clusters if e else 0,
                "unscored": len(results.questions) - len(numbers),
            }
            found += _unequal(f"{name} of {arm}", cell.model_dump(), {**ends, **counts})
    return found


def _contrasts(results: Results, scores: Scores, cluster: Mapping[str, str]) -> list[str]:
    pairs = list(dict.fromkeys((c.a, c.b) for c in results.comparisons))
    told = {(c.metric, c.a, c.b): c for c in results.comparisons}
    arms = {arm: of for arm, of in scores.items() if any(arm in pair for pair in pairs)}
    made = {(c.metric, c.a, c.b): c for c in contrasts(arms, pairs, cluster)} if pairs else {}
    found = [f"{m}: {a} − {b} is on one side only" for m, a, b in sorted(told.keys() ^ made.keys())]
    for key in sorted(told.keys() & made.keys()):
        found += _unequal(f"{key[0]}: {key[1]} − {key[2]}", told[key].model_dump(), made[key].model_dump())
    return found


def _attribution(results: Results, scores: Scores, cluster: Mapping[str, str]) -> list[str]:
    told = {(e.metric, e.name): e for e in results.attribution.effects} if results.attribution else {}
    made = attribution(scores, cluster)
    found_again = {(e.metric, e.name): e for e in made.effects} if made else {}
    found = [f"{m}: effect {key} is on one side only" for m, key in sorted(told.keys() ^ found_again.keys())]
    if made and results.attribution and made.words != results.attribution.words:
        found.append("the words on what the arms can separate are not what these arms give")
    for name, key in sorted(told.keys() & found_again.keys()):
        found += _unequal(f"{name}: effect {key}", told[name, key].model_dump(), found_again[name, key].model_dump())
    return found


def _exams(results: Results, scores: Scores, cluster: Mapping[str, str], doses: MeansByArm) -> list[str]:
    settings = results.suite.get("exam", {})
    found: list[str] = []
    controls = {arm for arm, result in results.arms.items() if result.kind == "control"}
    scores = without_refused(scores, results.made.paraphrases if results.made else None)
    for exam in (*results.exam, *results.more_exams):
        if exam.metric not in results.metrics or exam.axis not in {**LADDERS, **CONTENT_LADDERS}:
            found.append(f"{exam.metric}: no such metric, or no such axis as {exam.axis}")
            continue
        if is_judged(exam.metric):
            found += _judge(exam)
            continue
        facts = facts_in(results.suite, exam.metric)
        if axis_meant(exam.axis) not in (facts.axis, *facts.also):
            found.append(f"exam of {exam.metric}: it is about {facts.axis}, not about {exam.axis}")
        if exam.axis in CONTENT_LADDERS and not any(m in doses for m in MADE):
            if doses and exam.admitted:
                found.append(f"exam of {exam.metric}: admitted for {exam.axis} with nothing made of the real answers")
            continue  # `not_recomputed` says so
        rungs = {
            c: {q: s.value for q, s in scores[c][exam.metric].items()}
            for c in scores
            if c in controls and exam.metric in scores[c]
        }
        rungs |= {c: dict(of[exam.metric]) for c, of in doses.items() if c in MADE and exam.metric in of}
        made = examine_content(
            exam.metric, exam.axis, rungs, cluster, settings.get("bar", exam.bar), facts.reads_real, facts.better == "lower"
        ).model_dump(exclude={"dose", "judge"})  # fmt: skip
        found += _unequal(f"exam of {exam.metric}", exam.model_dump(), made)
    return found


def _judging(results: Results, scores: Scores, cluster: Mapping[str, str]) -> list[str]:
    """The differences from the votes: forced choices, strengths, agreement, masking, grading's calls and tokens."""
    told = results.judging
    assert told is not None
    margin = results.suite.get("exam", {}).get("margin", MARGIN)
    made = judging(scores, cluster, results.exam, {}, told.anyway, results.suite.get("seed", 0), margin)
    found: list[str] = []
    for part in ("forced_choice", "pairwise", "agreement", "masked"):
        found += _unequal(
            f"judging: {part}", {part: _dumped(getattr(told, part))}, {part: _dumped(getattr(made, part))}
        )
    graded = {key: value for key, value in made.spent.items() if key.startswith("grading")}
    return found + list(_unequal("judging: spent", told.spent, graded))


def _dumped(records: Sequence[Record]) -> list[Any]:
    """The records as dictionaries, in the order of metric and arm."""
    return sorted((record.model_dump() for record in records), key=lambda r: (r["metric"], r.get("arm", "")))


def _doses(results: Results, scores: Scores, cluster: Mapping[str, str], doses: MeansByArm) -> list[str]:
    """The differences in the metrics' dose responses; a judge's exam has no doses."""
    found: list[str] = []
    for exam in (e for e in results.exam if e.metric in METRICS or is_own(e.metric)):
        lower = facts_in(results.suite, exam.metric).better == "lower"
        ends = {c: {q: s.value for q, s in scores.get(c, {}).get(exam.metric, {}).items()} for c in ("real", FLOOR)}
        rungs = {**ends, **{d: of.get(exam.metric, {}) for d, of in doses.items()}}
        turned = {c: {q: s if s is None or not lower else -s for q, s in of.items()} for c, of in rungs.items()}
        # what is examined on turned copies has no dose response
        made = None if exam.axis in ("agreement", "facts") else dose_response(turned, cluster, lower)
        dumped = (exam.dose.model_dump() if exam.dose else None, made.model_dump() if made else None)
        found += _unequal(f"dose response of {exam.metric}", {"dose": dumped[0]}, {"dose": dumped[1]})
    return found


def _judge(exam: Exam) -> list[str]:
    """A judge sits its exam on comparisons of its own, which are not in the bundle: what can be seen is the bar.

    And whether a grader is said to have passed it: an exam that ended early, or that found a fault, admits nobody.
    """
    if not exam.admitted:
        return []
    what, found = f"exam of {exam.metric}", []
    if exam.low is None or exam.low <= exam.bar:
        found.append(f"{what}: admitted below the bar of {exam.bar:g}")
    if facts := exam.judge:
        passed = [g for g in facts.graders if g.admitted and g.low == exam.low]
        early = [g.grader for g in passed if g.comparisons not in (None, facts.comparisons)]
        found += [f"{what}: admitted, and no grader passed it with these numbers"] * (not passed)
        found += [f"{what}: {g} is admitted by an exam that ended early" for g in early]
        found += [f"{what}: {g.grader} is admitted with a fault, {', '.join(g.faults)}" for g in passed if g.faults]
    return found


def _skills(results: Results, scores: Scores, cluster: Mapping[str, str]) -> list[str]:
    found: list[str] = []
    admitted = {e.metric for e in results.exam if e.admitted}
    for told in results.skill:
        what = f"skill of {told.arm} on {told.metric}"
        if told.metric not in admitted:
            found.append(f"{what}: the metric is not admitted")
        own, floor, ceiling = (_numbers(scores, a, told.metric) for a in (told.arm, FLOOR, CEILING))
        made = skill(told.metric, told.arm, own, floor, ceiling, cluster)
        if made is None:
            found.append(f"{what}: no question has scores of arm, floor and ceiling")
        else:
            found += _unequal(what, told.model_dump(), made.model_dump())
    return found


def _verdict(results: Results, scores: Scores, cluster: Mapping[str, str]) -> list[str]:
    """NOT MEASURED claims nothing, of the whole or of an axis; every other verdict must be what the numbers give."""
    if results.verdict == "NOT MEASURED" and all(a.verdict == "NOT MEASURED" for a in results.axes):
        return []
    pair = (results.suite["primary"]["better"], results.suite["primary"]["than"])
    of = {c.metric: c for c in results.comparisons if (c.a, c.b) == pair}
    primary = {name: of.get(name) for name in results.primary_metrics}
    trouble = {a.metric: [a.sentence] for a in results.axes if a.verdict == "NOT MEASURED"}
    # results from before told no axes
    silent = not_measured([*results.exam, *results.more_exams]) if results.axes else ""
    made = decide(primary, pair, results.metrics, scores, cluster, trouble, silent)
    given = {a.metric: a for a in made.axes}
    found = [
        f"{a.verdict} on {a.metric}: the numbers give {given[a.metric].verdict}, {given[a.metric].sentence}"
        for a in results.axes
        if a.metric in given and a != given[a.metric]
    ]
    found += [f"{a.metric} is no axis of the primary comparison" for a in results.axes if a.metric not in given]
    if results.verdict == "NOT MEASURED":
        return found
    if made.verdict != results.verdict:
        found.append(f"the verdict is {results.verdict}, the numbers give {made.verdict}")
    if made.sentence != results.sentence:
        found.append(f"the sentence is not the one that the numbers give: {made.sentence}")
    told, looks = ({(x.metric, x.name): x for x in of_looks} for of_looks in (results.second_looks, made.looks))
    found += [f"the second look {' '.join(key)!r} is on one side only" for key in sorted(told.keys() ^ looks.keys())]
    for key in sorted(told.keys() & looks.keys()):
        found += _unequal(f"second look {' '.join(key)!r}", told[key].model_dump(), looks[key].model_dump())
    return found
