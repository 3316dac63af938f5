"""What a run's scores are worth: the exams of its metrics, the arms' skill, and what the style verdict rests on."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from statistics import median
from typing import Any

from ratf.agents.given.controls import edit_log
from ratf.agents.given.evidence import evidence
from ratf.edits.made import MADE as MADE_WORDS
from ratf.edits.turned import turned_round
from ratf.results.exams import (
    Evidence,
    Exam,
    Made,
    MadeControl,
    MadeEdit,
    Paraphrases,
    Strangers,
    StyleFacts,
    VoiceFacts,
)
from ratf.results.results import Scored, Skill
from ratf.results.shapes import Given
from ratf.scores.content_exam import examine_content, ladder_of
from ratf.scores.style.delta import deltas
from ratf.scores.style.speaking import VOICE
from ratf.statistics.contrasts import Scores
from ratf.statistics.judges.judge_exam import on_copies
from ratf.statistics.skill import skill
from ratf.suite.arms import CEILING, EXAM_ONLY, FLOOR, SAYS_NOTHING, STRANGER
from ratf.suite.metrics import WITHOUT_CEILING, Axis, is_judged
from ratf.suite.study import Study

ControlSources = Mapping[str, Mapping[str, Given]]
"""given control → question → where its answer is from"""


MOST_EDITS, MOST_WORDS = 6, 24
"""Of the example of a made control, so many edits are kept, and of each side so many words."""


NO_DELTA = {"same_near", "same_far", "empty", *SAYS_NOTHING, *EXAM_ONLY}
"""What the person said before is what the others are measured against; the rest says the same few things over again."""


def exams(
    study: Study,
    scores: Scores,
    sources: ControlSources,
    judges: Iterable[Exam] = (),
    paraphrases: Paraphrases | None = None,
) -> list[Exam]:
    """One entry for each of the suite's metrics that has an axis; `judges` are the entries of those that sat before.

    Coverage and agreement are examined on what was made of the real answers; where nothing could be, they are not
    examined, and say why. Of the `paraphrases`, those that were refused are in no exam.
    """
    before = {entry.metric: entry for entry in judges}
    cluster, scores = _counting(study, sources), without_refused(scores, paraphrases)
    found = []
    for name, facts in study.suite.facts.items():
        if name in before:
            found.append(before[name])
            continue
        if facts.axis is None or facts.judged:
            continue
        found.append(_examined(study, scores, cluster, name, facts.axis))
    return found


def more_exams(
    study: Study, scores: Scores, sources: ControlSources, paraphrases: Paraphrases | None = None
) -> list[Exam]:
    """One entry for each further axis that a metric is examined on."""
    cluster, scores = _counting(study, sources), without_refused(scores, paraphrases)
    return [
        _examined(study, scores, cluster, name, axis)
        for name, facts in study.suite.facts.items()
        if not facts.judged
        for axis in facts.also
    ]


def without_refused(scores: Scores, paraphrases: Paraphrases | None) -> Scores:
    """The scores without those of paraphrases that failed their check."""
    if paraphrases is None or "paraphrase" not in scores:
        return scores
    kept = {m: {q: s for q, s in of.items() if q not in paraphrases.refused} for m, of in scores["paraphrase"].items()}
    return {**scores, "paraphrase": kept}


def _examined(study: Study, scores: Scores, cluster: Mapping[str, str], name: str, axis: Axis) -> Exam:
    facts = study.suite.facts[name]
    rungs = {
        control: {q: s.value for q, s in of[name].items()}
        for control, of in scores.items()
        if control not in study.suite.all_arms and name in of
    }
    bar, lower = study.suite.exam.bar, facts.better == "lower"
    entry = examine_content(name, axis, rungs, cluster, bar, facts.reads_real, lower)
    ladder = ladder_of(axis)
    why = _mute([scores[c][name] for c in (*ladder.positives, *ladder.negatives) if c in rungs])
    if entry.auc is None and why:
        entry = entry.model_copy(update={"reason": f"{entry.reason}: {why}"})
    log = edit_log(study) if axis in ("coverage", "agreement", "facts") else None
    if log is None or log["made"]:
        return entry
    return entry.model_copy(update={"admitted": False, "reason": f"not examined: {log['reason']}"})


def _mute(of: Iterable[Mapping[str, Scored]]) -> str:
    """Why nothing of what an axis is examined on could be scored, as most of it says; empty where something was."""
    scored = [s for by_question in of for s in by_question.values()]
    whys = Counter(s.why for s in scored if s.why)
    return whys.most_common(1)[0][0] if whys and all(s.value is None for s in scored) else ""


def made_of(study: Study, paraphrases: Paraphrases | None = None, judges: Iterable[Exam] = ()) -> Made:
    """What was made of the real answers for the exams: how many of each control, and one example.

    Also for `judges` that were examined on turned copies of what they read of an answer.
    """
    log = edit_log(study)
    of_judges = {e.judge.rubric for e in judges if e.judge and on_copies(e)}
    read = (
        study.made("turned", lambda: _turned(study, of_judges), version=",".join(sorted(of_judges)))
        if of_judges
        else {}
    )
    return Made(
        controls=[
            *(_made(name, made) for name, made in log["made"].items()),
            *(_made(name, made, rubric) for rubric, of in read.items() for name, made in of.items()),
        ],
        reason=log["reason"],
        paraphrases=paraphrases,
    )


def _turned(study: Study, judges: Collection[str]) -> dict[str, dict[str, dict[str, Any]]]:
    """judge → control → question → what was turned round of the part of the real answer that the judge reads"""
    return {
        name: {c: {q: asdict(e) for q, e in of.items()} for c, of in turned_round(study, rubric.max_words).items()}
        for name, rubric in study.suite.rubrics.items()
        if name in judges
    }


def _made(name: str, made: Mapping[str, Mapping[str, Any]], judge: str = "") -> MadeControl:
    """The example is the answer with the most kinds of edits; the first of those. `judge`: who reads it alone."""
    question = max(made, key=lambda q: len({e["kind"] for e in made[q]["edits"]}))
    edits = made[question]["edits"]
    first = list({e["kind"]: e for e in reversed(edits)}.values())[::-1]
    rest = [e for e in edits if e not in first]
    return MadeControl(
        control=name,
        words=f"{MADE_WORDS[name]}, in the part that the judge {judge} reads" if judge else MADE_WORDS[name],
        questions=len(made),
        example=question,
        edits=[
            MadeEdit(kind=e["kind"], before=_cut(e["before"]), after=_cut(e["after"]))
            for e in [*first, *rest][:MOST_EDITS]
        ],
        of=len(edits),
    )


def _cut(text: str) -> str:
    words = text.split()
    return " ".join(words[:MOST_WORDS]) + ("…" if len(words) > MOST_WORDS else "")


def why_not(exams: list[Exam], name: str) -> str | None:
    """Why a metric may not give the verdict; None where it may."""
    entry = next((e for e in exams if e.metric == name), None)
    if entry is None:
        return f"{name} sits no exam, so it cannot give a verdict"
    return None if entry.admitted else f"{name} is not admitted on this person: {entry.reason}"


def skills(study: Study, scores: Scores, exams: list[Exam]) -> list[Skill]:
    """The skill score of each arm on each admitted metric, over all questions that it shares with floor and ceiling.

    None for topic and coverage: what the person said to another question is no ceiling of what is to be said to this one.
    """
    if not {FLOOR, CEILING} <= scores.keys():
        return []
    cluster = {e.exchange_id: e.interview_id for e in study.held_out}

    found = [
        _skill(scores, e.metric, arm, cluster)
        for e in exams
        if e.admitted and (is_judged(e.metric) or e.axis not in WITHOUT_CEILING)
        for arm in scores
        if arm in study.suite.all_arms
    ]
    return [s for s in found if s is not None]


def with_strangers(study: Study, found: VoiceFacts | None, scores: Scores) -> VoiceFacts | None:
    """The same, with the mean skill of the strangers where the suite has some, and floor and ceiling to read it by."""
    if found is None or not {STRANGER, FLOOR, CEILING} <= scores.keys():
        return found
    cluster = {e.exchange_id: e.interview_id for e in study.held_out}
    told = _skill(scores, VOICE, STRANGER, cluster)
    if told is None:
        theirs = Strangers(skill=None, low=None, high=None, n=0, reason="no question has a score of theirs")
    else:
        theirs = Strangers(skill=told.skill, low=told.low, high=told.high, n=told.n, reason=told.reason)
    return found.model_copy(update={"strangers": theirs})


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


def _skill(scores: Scores, name: str, arm: str, cluster: Mapping[str, str]) -> Skill | None:
    arms, floor, ceiling = (_numbers(scores[c], name) for c in (arm, FLOOR, CEILING))
    return skill(name, arm, arms, floor, ceiling, cluster)


def _numbers(of: Mapping[str, Mapping[str, Scored]], name: str) -> dict[str, float]:
    return {q: s.value for q, s in of.get(name, {}).items() if s.value is not None}


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
