"""Works a bundle's scores and statistics out again for `ratf verify`, and names what does not match."""

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from raft.errors import RaftError
from raft.models.kept import made_anew
from raft.release import release
from ratf.results.bundle import Bundle
from ratf.results.comparable import run_digest
from ratf.results.results import Results, Scored
from ratf.review.record import Check, Verification, same
from ratf.review.scores import recomputed, suite_of
from ratf.review.statistics import doses_of, not_recomputed, statistics
from ratf.statistics.samples import spread
from ratf.suite.arms import ARMS
from ratf.suite.metrics import METRICS, axis_meant, is_judged

if TYPE_CHECKING:
    from ratf.suite.suite import Suite


SHOWN = 5
"""The greatest number of differences that a check names; the rest is counted."""


def verify(
    bundle: Bundle, path: Path, work: Path, data: Path | None = None, tell: Callable[[Check], None] = lambda check: None
) -> Verification:
    """Check a bundle. `work` is an empty folder for what is made on the way; `data` the people's folders, if at hand.

    `tell` is called with each check as soon as it is made, those that take no time first.
    """
    results = bundle.results
    checks = []
    with made_anew():
        for check in _checks(bundle, work, data):
            tell(check)
            checks.append(check)
    return Verification(
        ratf=release(),
        bundle=hashlib.sha256(path.read_bytes()).hexdigest(),
        results=run_digest(results),
        speaking=list(dict.fromkeys([*results.primary_metrics, *(e.metric for e in results.exam if e.admitted)])),
        checks=checks,
    )


def _checks(bundle: Bundle, work: Path, data: Path | None) -> Iterator[Check]:
    yield from _files(bundle)
    yield from _samples(bundle)
    try:
        if strange := _strange(bundle.results):
            raise ValueError(f"no metric is called {', '.join(strange)}")
        suite = suite_of(bundle.results, work)
    except (RaftError, ValueError) as error:
        told = f"not a suite of this version: {' '.join(str(error).split())[:300]}"
        yield Check(what="digest of the suite", outcome="differs", told=told)
        return
    yield from _digests(bundle.results, suite)
    doses = doses_of(bundle.samples)
    for what, found in statistics(bundle.results, doses):
        yield _check(what, found)
    for what, why in not_recomputed(bundle.results, doses):
        yield Check(what=what, outcome="not recomputed", told=why)
    yield from recomputed(bundle, suite, work, data)


def _check(what: str, differences: Sequence[str], fine: str = "worked out again, the same") -> Check:
    if not differences:
        return Check(what=what, outcome="matches", told=fine)
    more = f" and {len(differences) - SHOWN} more" if len(differences) > SHOWN else ""
    return Check(what=what, outcome="differs", told="; ".join(differences[:SHOWN]) + more)


def _files(bundle: Bundle) -> Iterator[Check]:
    found = [f"{name} is not the file that was packed" for name in bundle.changed]
    yield _check("files", found, "their sha256 are the manifest's")


def _digests(results: Results, suite: "Suite") -> Iterator[Check]:
    """The suite's digest is over its settings, its rubrics and the data's digest, so none can be changed alone."""
    from ratf.suite.rubric import of_metric

    digest = suite.digest_with(results.data_digest)
    wrong = [f"settings and data give {digest}, the results say {results.digest}"] if digest != results.digest else []
    yield _check("digest of the suite", wrong, f"{digest}, from its settings and the data's digest")
    for name, about in results.metrics.items():
        if name in METRICS and (about["better"], axis_meant(str(about.get("axis") or METRICS[name].axis))) != (
            METRICS[name].better,
            str(METRICS[name].axis),
        ):
            yield _check(f"meaning of {name}", ["it is for another axis here, or the other way is better"])
        if own := suite.own_metric(name):
            told = [about.get(key) for key in ("axis", "better", "top", "code", "sha256")]
            other = told != [own.axis, own.better, own.top, own.code, own.sha256]
            yield _check(
                f"code of {name}", ["the suite declares another"] if other else [], f"{own.code}, {own.sha256[:12]}"
            )
        if is_judged(name):
            was, rubric = about.get("rubric"), of_metric(name, suite.rubrics)[0].digest
            yield _check(f"rubric of {name}", [f"it was {was}, here it is {rubric}"] if was != rubric else [], rubric)


def _strange(results: Results) -> list[str]:
    """Metrics that this version, or the suite, knows nothing about."""
    known = {*METRICS, *results.suite.get("metrics", [])}
    named = {*results.metrics, *(e.metric for e in results.exam), *(c.metric for c in results.comparisons)}
    named |= {name for q in results.questions for a in q.answers.values() for name in a.scores}
    return sorted(named - known)


def _samples(bundle: Bundle) -> Iterator[Check]:
    """Answers and scores of the results against those of the logs; scores of several answers are averaged."""
    if bundle.samples is None:
        why = "the bundle holds no samples of the run's logs"
        yield Check(what="answers", outcome="not recomputed", told=why)
        if any(cell.variance for arm in bundle.results.arms.values() for cell in arm.metrics.values()):
            yield Check(what="statistics: spread of the answers to one question", outcome="not recomputed", told=why)
        return
    texts: dict[tuple[str, str], list[str]] = {}
    errors: Counter[str] = Counter()
    values: dict[tuple[str, str, str], list[float]] = {}
    for sample in bundle.samples:
        at = (sample.arm, sample.question)
        texts.setdefault(at, []).append(sample.answer)
        errors[sample.arm] += sample.error is not None
        for name, logged in sample.scores.items():
            fine = not sample.error and isinstance(logged.value, int | float)
            values.setdefault((*at, name), []).append(float(logged.value) if fine else math.nan)
    scores: list[str] = []
    wanted = bundle.results.suite.get("answers", {}).get("samples", 1)
    answers = [
        f"{arm}: {result.errors} errors, the log has {errors[arm]}"
        for arm, result in bundle.results.arms.items()
        if wanted == 1 and result.errors != errors[arm]
    ]
    for question in bundle.results.questions:
        for arm, answer in question.answers.items():
            if answer.text not in texts.get((arm, question.id), []):
                answers.append(f"{arm} on {question.id}: another answer than in the log")
            there = len(texts.get((arm, question.id), []))
            if arm in ARMS and there != wanted:
                answers.append(f"{arm} on {question.id}: {there} answers in the log, the suite asks for {wanted}")
            for name, score in answer.scores.items():
                several = values.get((arm, question.id, name), [math.nan])
                mean = sum(several) / len(several)
                if not same(score.value, None if math.isnan(mean) else mean):
                    scores.append(f"{name} of {arm} on {question.id}: {score.value}, the log says {mean:g}")
    yield _check("answers", answers, f"{len(texts)} are the logs'")
    yield _check("scores", scores, "all are the logs', the judges' with their words")
    if wanted > 1:
        yield _check("statistics: spread of the answers to one question", list(_spreads(bundle)))


def _spreads(bundle: Bundle) -> Iterator[str]:
    """The parts of the variance that are not what the logs' scores give."""
    logged: dict[tuple[str, str], dict[str, list[Scored]]] = {}
    for sample in bundle.samples or []:
        for name, score in sample.scores.items():
            fine = not sample.error and isinstance(score.value, int | float) and math.isfinite(score.value)
            one = Scored(value=float(score.value) if fine else None, votes=score.about.get("votes", []))
            logged.setdefault((sample.arm, name), {}).setdefault(sample.question, []).append(one)
    for arm, result in bundle.results.arms.items():
        for name, cell in result.metrics.items():
            found = spread(list(logged.get((arm, name), {}).values()))
            if not same(cell.variance, found):
                yield f"{name} of {arm}: the parts of the variance are {cell.variance}, the logs give {found}"
