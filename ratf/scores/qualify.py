"""What a run's scores are worth: the exams of its metrics, the arms' skill, and what the style verdict rests on."""

from collections import Counter
from collections.abc import Iterable, Mapping
from statistics import median

from ratf.agents.controls import Given
from ratf.agents.evidence import evidence
from ratf.results.exams import Evidence, Exam, StyleFacts
from ratf.results.results import Scored, Skill
from ratf.scores.delta import deltas
from ratf.scores.speaking import VOICE
from ratf.statistics.contrasts import Scores
from ratf.statistics.exam import examine
from ratf.statistics.skill import skill
from ratf.suite.arms import ARMS, CEILING, DOSES, FLOOR, SAYS_NOTHING
from ratf.suite.metrics import LADDERS
from ratf.suite.study import Study

ControlSources = Mapping[str, Mapping[str, Given]]
"""given control → question → where its answer is from"""


NO_DELTA = {"same_near", "same_far", "empty", *SAYS_NOTHING, *DOSES}
"""What the person said before is what the others are measured against; the rest says the same few things over again."""


def exams(study: Study, scores: Scores, sources: ControlSources, judges: Iterable[Exam] = ()) -> list[Exam]:
    """One entry for each of the suite's metrics that has an axis; `judges` are the entries of those that sat before."""
    before = {entry.metric: entry for entry in judges}
    cluster = _counting(study, sources)
    found = []
    for name, facts in study.suite.facts.items():
        if name in before:
            found.append(before[name])
            continue
        if facts.axis is None or facts.judged:
            continue
        rungs = {
            control: {q: s.value for q, s in of[name].items()}
            for control, of in scores.items()
            if control not in ARMS and name in of
        }
        entry = examine(
            name,
            facts.axis,
            LADDERS[facts.axis],
            rungs,
            cluster,
            study.suite.exam.bar,
            facts.reads_real,
            facts.better == "lower",
        )
        why = _mute([scores.get(c, {}).get(name, {}) for c in rungs])
        found.append(
            entry.model_copy(update={"reason": f"{entry.reason}: {why}"}) if entry.auc is None and why else entry
        )
    return found


def _mute(of: Iterable[Mapping[str, Scored]]) -> str:
    """Why nothing at all could be scored, as most answers say; empty where something was."""
    scored = [s for by_question in of for s in by_question.values()]
    whys = Counter(s.why for s in scored if s.why)
    return whys.most_common(1)[0][0] if whys and all(s.value is None for s in scored) else ""


def why_not(exams: list[Exam], name: str) -> str | None:
    """Why a metric may not give the verdict; None where it may."""
    entry = next((e for e in exams if e.metric == name), None)
    if entry is None:
        return f"{name} sits no exam, so it cannot give a verdict"
    return None if entry.admitted else f"{name} is not admitted on this person: {entry.reason}"


def skills(study: Study, scores: Scores, exams: list[Exam]) -> list[Skill]:
    """The skill score of each arm on each admitted metric, over all questions that it shares with floor and ceiling."""
    if not {FLOOR, CEILING} <= scores.keys():
        return []
    cluster = {e.exchange_id: e.interview_id for e in study.held_out}

    def numbers(arm: str, name: str) -> dict[str, float]:
        return {q: s.value for q, s in scores[arm].get(name, {}).items() if s.value is not None}

    found = [
        skill(e.metric, arm, numbers(arm, e.metric), numbers(FLOOR, e.metric), numbers(CEILING, e.metric), cluster)
        for e in exams
        if e.admitted
        for arm in scores
        if arm in ARMS
    ]
    return [s for s in found if s is not None]


def match_of(study: Study, given: Mapping[str, Given]) -> dict[str, float] | None:
    """How alike the questions of a control by nearest question are."""
    alike = [g.similarity for g in given.values() if g.similarity is not None]
    if not alike:
        return None
    poor = sum(s < study.suite.exam.poor_match for s in alike)
    return {"median": round(median(alike), 3), "lowest": min(alike), "poor": poor}


def style_facts(study: Study, texts: Mapping[str, list[str]]) -> StyleFacts | None:
    """The style verdict's evidence, and each arm's Delta. `texts`: everything that each arm and control said."""
    if VOICE not in study.suite.metrics:
        return None
    background = {
        person: list(interviews.values())
        for person, interviews in {
            study.person.key: _pooled((e.interview_id, e.answer) for e in study.earlier),
            **{p.key: _pooled((e.interview_id, e.answer) for e in p.exchanges) for p in study.impostors},
        }.items()
    }
    compared = {arm: said for arm, said in texts.items() if arm not in NO_DELTA}
    found, budget = deltas(compared, background, study.person.key, study.suite.seed)
    # kept, so that a later report learns nothing
    shown = study.made("style", lambda: [e.model_dump() for e in evidence(study)])
    return StyleFacts(evidence=[Evidence(**e) for e in shown], delta=found, budget=budget)


def _pooled(answers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """interview → everything that was answered in it"""
    pooled: dict[str, str] = {}
    for interview, answer in answers:
        pooled[interview] = f"{pooled.get(interview, '')} {answer}"
    return pooled


def _counting(study: Study, sources: ControlSources) -> dict[str, str]:
    """question → interview, without those whose nearest questions match poorly where the suite leaves them out."""
    settings = study.suite.exam

    def poor(question: str) -> bool:
        near = [sources[c][question].similarity for c in (FLOOR, CEILING) if question in sources.get(c, {})]
        return settings.leave_out_poor and any(s is not None and s < settings.poor_match for s in near)

    return {e.exchange_id: e.interview_id for e in study.held_out if not poor(e.exchange_id)}
