"""Phase five, first half: the logs of a run become one `Results`."""

import hashlib
import json
import math
from collections import Counter
from typing import Any

from inspect_ai.log import EvalLog, EvalSample

from raft.prompts import EarlierExchange, conversation
from raft.types import Memory
from ratf.agents.earlier import provenance
from ratf.agents.training import tuned
from ratf.gate.gate import why_not_measured
from ratf.judges.counts import plan, with_savings
from ratf.models.faults import in_short, kinds
from ratf.models.states import state_of
from ratf.results.results import Answer, ArmResult, Contrast, Question, Results, Rights, Scored, State
from ratf.results.shapes import Given
from ratf.runner.environment import environment
from ratf.runner.notes import notes, own_notes
from ratf.scores.logs import first_answers
from ratf.scores.paraphrases import checked
from ratf.scores.qualify import exams, made_of, match_of, more_exams, skills, style_facts, why_not, with_strangers
from ratf.scores.repeated import repeats_of
from ratf.scores.scorers import metrics_of
from ratf.scores.style.speaking import voice_facts
from ratf.statistics.attribution import attribution
from ratf.statistics.contrasts import Scores, contrasts
from ratf.statistics.decision import decide
from ratf.statistics.estimates import units
from ratf.statistics.judges.judge_exam import Admission
from ratf.statistics.judges.votes import judging
from ratf.statistics.samples import averaged, cell_of, spread
from ratf.statistics.verdict import not_measured
from ratf.suite.arms import ARMS, CONTRASTS, CONTROLS, EXAM_ONLY
from ratf.suite.metrics import is_judged
from ratf.suite.study import Study


def collect(study: Study, logs: dict[str, EvalLog], admission: Admission, times: dict[str, Any]) -> Results:
    """All that the logs say, with statistics. `logs` has one log an arm; a missing arm is told, never skipped."""
    answered = {arm: _by_question(log) for arm, log in logs.items()}
    # an answer given several times is shown once: the one that went wrong, where one did
    samples = {arm: {q: max(s, key=lambda x: x.error is not None) for q, s in a.items()} for arm, a in answered.items()}
    every = {
        arm: {
            m: {q: [_scored(s, m, admission) for s in several] for q, several in a.items()}
            for m in metrics_of(study, arm)
        }
        for arm, a in answered.items()
    }
    scores: Scores = {
        arm: {m: {q: averaged(several) for q, several in s.items()} for m, s in of_arm.items()}
        for arm, of_arm in every.items()
    }
    sources = {arm: _given(of_arm) for arm, of_arm in samples.items() if arm not in study.suite.all_arms}
    judged = with_savings(study, admission)
    said = {q: s.output.completion for q, s in samples.get("paraphrase", {}).items() if s.error is None}
    paraphrases = checked(study, said)
    examined = exams(study, scores, sources, judged, paraphrases)
    contrasts = _contrasts(study, scores)
    further = more_exams(study, scores, sources, paraphrases)
    facts = {m: _metric_facts(study, m) for m in study.suite.metrics}
    results = Results(
        suite=study.suite.model_dump(mode="json"),
        digest=study.digest,
        data_digest=study.data_digest,
        person={"key": study.person.key, **study.person.about.model_dump(mode="json")},
        impostors={p.key: p.about.name for p in study.impostors},
        strangers={p.key: p.about.name for p in study.strangers},
        rights={
            p.key: Rights(licence=p.about.licence, consent=p.about.consent)
            for p in (study.person, *study.impostors, *study.strangers)
        },
        fictional=study.person.about.fictional,
        held_out=_held_out(study),
        training=_training(study),
        metrics=facts,
        arms={
            arm: _arm(study, arm, logs[arm], samples[arm], every[arm], sources.get(arm, {}))
            for arm in logs
            if arm not in EXAM_ONLY
        },
        contrasts=contrasts,
        verdict="NOT MEASURED",
        sentence="",
        tuned=tuned(study, {arm: log.eval.model for arm, log in logs.items() if arm in ARMS}),
        attribution=attribution(scores, _clusters(study)),
        notes=[*notes(study, judged), *own_notes(study, first_answers(logs))],
        questions=[_question(study, number, samples, scores, sources) for number in range(len(study.held_out))],
        environment=environment(study.path),
        times=times,
        prompts_digest=_prompts_digest(study),
        exam=examined,
        more_exams=further,
        repeats=repeats_of(study, scores, examined),
        made=made_of(study, paraphrases, judged),
        skill=skills(study, scores, examined),
        voice=with_strangers(study, voice_facts(study), scores),
        style=style_facts(study, {arm: [s.output.completion for s in of.values()] for arm, of in samples.items()}),
        judging=judging(
            scores, _clusters(study), judged, plan(study), admission.anyway, study.suite.seed, study.suite.exam.margin
        )
        if study.suite.rubrics
        else None,
    )
    pair = (study.suite.primary.better, study.suite.primary.than)
    of = {c.metric: c for c in contrasts if (c.a, c.b) == pair}
    primary = {name: of.get(name) for name in study.suite.primary.metrics}
    general = why_not_measured(results)
    trouble = {name: [*general, *([excluded] if (excluded := why_not(examined, name)) else [])] for name in primary}
    made = decide(primary, pair, facts, scores, _clusters(study), trouble, not_measured([*examined, *further]))
    told = {"verdict": made.verdict, "sentence": made.sentence, "axes": made.axes, "second_looks": made.looks}
    return results.model_copy(update=told)


def _by_question(log: EvalLog) -> dict[str, list[EvalSample]]:
    """Each question's answers, in the order of their epochs."""
    found: dict[str, list[EvalSample]] = {}
    for sample in sorted(log.samples or [], key=lambda s: s.epoch):
        found.setdefault(str(sample.id), []).append(sample)
    return found


def _scored(sample: EvalSample, name: str, admission: Admission) -> Scored:
    score = (sample.scores or {}).get(name)
    if sample.error is not None:
        return Scored(value=None, why=f"error: {in_short(sample.error.message)}")
    if score is None:
        failed = is_judged(name) and admission.graders(name) == []
        return Scored(value=None, why=admission.why_not(name) if failed else "not scored")
    value = score.as_float()
    why = str(score.explanation or score.reason or "") if is_judged(name) or not math.isfinite(value) else ""
    about = score.metadata or {}
    return Scored(
        value=value if math.isfinite(value) else None,
        why=why,
        votes=about.get("votes", []),
        against=about.get("against", {}),
    )


def _state(sample: EvalSample) -> State:
    return "error" if sample.error is not None else state_of(sample.output, sample.metadata)[0]


def _given(samples: dict[str, EvalSample]) -> dict[str, Given]:
    """Where each answer of a given control is from."""
    return {question: Given(**s.metadata["given"]) for question, s in samples.items() if "given" in s.metadata}


def _clusters(study: Study) -> dict[str, str]:
    """The independent unit of each question."""
    found = units([study.person.key] * len(study.held_out), [e.interview_id for e in study.held_out])
    return {e.exchange_id: unit for e, unit in zip(study.held_out, found, strict=True)}


def _arm(
    study: Study,
    arm: str,
    log: EvalLog,
    samples: dict[str, EvalSample],
    every: dict[str, dict[str, list[Scored]]],
    sources: dict[str, Given],
) -> ArmResult:
    cluster = _clusters(study)
    cells = {
        name: cell_of(
            {q: averaged(several) for q, several in by_question.items()},
            cluster,
            variance=spread(list(by_question.values())),
            answers=min(map(len, by_question.values()), default=1),
        )
        for name, by_question in every.items()
    }
    control, own = arm in CONTROLS, study.suite.own_arm(arm)
    told = provenance(study, own) if own else {}
    return ArmResult(
        kind="control" if control else "arm",
        words=CONTROLS[arm].words if control else own.words if own else ARMS[arm].words,
        model="" if sources else log.eval.model if not own or own.model else told.get("model", "not known"),
        about={**own.facts, **told} if own else {},
        errors=sum(s.error is not None for s in samples.values()),
        states=dict(Counter(_state(s) for s in samples.values())),
        kinds_of_errors=kinds(s.error.message for s in samples.values() if s.error is not None),
        metrics=cells,
        match=match_of(study, sources) if arm.endswith("_near") else None,
    )


def _contrasts(study: Study, scores: Scores) -> list[Contrast]:
    primary = study.suite.primary
    others = [arm.name for arm in study.suite.own]
    beside = [pair for arm in others for pair in ((arm, primary.than), (primary.better, arm)) if len(set(pair)) > 1]
    pairs = list(dict.fromkeys([*CONTRASTS, (primary.better, primary.than), *beside]))
    return contrasts(scores, pairs, _clusters(study))


def _question(
    study: Study,
    number: int,
    samples: dict[str, dict[str, EvalSample]],
    scores: Scores,
    sources: dict[str, dict[str, Given]],
) -> Question:
    exchange = study.held_out[number]
    interview = next(i for i in study.person.interviews if i.interview_id == exchange.interview_id)
    key = exchange.exchange_id
    return Question(
        id=key,
        interview_id=exchange.interview_id,
        interview=interview.title,
        date=exchange.date.isoformat() if exchange.date else None,
        topic=exchange.topic,
        question=exchange.question,
        real=exchange.answer,
        answers={
            arm: Answer(
                text=of_arm[key].output.completion,
                memories=list(of_arm[key].metadata.get("memories", [])),
                source=_source(sources.get(arm, {}).get(key)),
                state=_state(of_arm[key]),
                scores={m: of[key] for m, of in scores[arm].items()},
            )
            for arm, of_arm in samples.items()
            if key in of_arm and arm not in EXAM_ONLY
        },
    )


def _source(given: Given | None) -> str:
    if given is None:
        return ""
    if given.similarity is None and given.exchange_id:
        return f"{given.person}, {given.exchange_id}, to every question alike: {given.question}"
    if given.similarity is None:
        return "said by nobody: written for the exam"
    return f"{given.person}, {given.exchange_id} (questions alike by {given.similarity:.2f}): {given.question}"


def _held_out(study: Study) -> dict[str, Any]:
    counts: dict[str, int] = {}
    for e in study.held_out:
        counts[e.interview_id] = counts.get(e.interview_id, 0) + 1
    titles = {i.interview_id: i for i in study.person.interviews}
    return {
        "questions": len(study.held_out),
        "from": study.cut.isoformat() if study.cut else None,
        "interviews": [
            {"id": key, "title": titles[key].title, "date": str(titles[key].date), "source": titles[key].source, "n": n}
            for key, n in counts.items()
        ],
    }


def _training(study: Study) -> dict[str, Any]:
    return {
        "exchanges": len(study.training),
        "earlier_exchanges": len(study.earlier),
        "documents": len(study.person.documents),
        "left_out": study.person.left_out,
    }


def _metric_facts(study: Study, name: str) -> dict[str, Any]:
    facts = study.suite.facts[name]
    about = {key: getattr(facts, key) for key in ("family", "words", "better", "top", "axis")}
    if own := study.suite.own_metric(name):
        return {**about, "code": own.code, "sha256": own.sha256}
    return {**about, "rubric": facts.rubric} if facts.judged else about


def _prompts_digest(study: Study) -> str:
    """Changes with any word that is put to an agent around its question, its memories and what was said before."""
    memory = Memory("memory", "chunk", "doc", "title", "source", "2000-01-01", 1.0)
    told = EarlierExchange("earlier question", (memory,), "earlier answer")
    said = conversation(study.person.about, "question", [memory], [told], 10_000, len)
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]
