"""Voice as a study scores it: first whether it is an answer at all, then how much it sounds like the person."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from raft.errors import RaftError
from raft.types import Exchange, Message
from ratf.agents.controls import Given
from ratf.models.recordings import digest_of
from ratf.models.replay import recorded_value
from ratf.results.exams import Placebo, VoiceFacts
from ratf.scores import measures
from ratf.scores.answers import REASONS, Facts, Norms, Reason, norms, on_topic, reason, refused, repeated, words
from ratf.scores.voice import LEAST, Said, Voice, blocks, placebo
from ratf.suite.study import Study

VOICE = "style_identity"
READER = "smollm2-135m-instruct"
"""Reads how fluent a text is: the same model in every study, whatever answers there."""


READ_WORDS, GLANCE_WORDS = 100, 25
"""So many words of a text are read for its fluency, which costs up to a second of one core; first so many, a glance."""


SURE = 1.0
"""What is so many nats a token above the person's usual at a glance, as machines are, is read no further."""


NORM_TOPIC, NORM_FLUENCY = 60, 24
"""So many of the person's earlier answers say what is usual, evenly spaced; of real ones as many say what a check costs."""


NOT_CHECKED = Norms(topic=None, fluency=None)
Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Answered:
    """An answer of an arm or control. `interview` is where it was really given; `checked`, whether it has to show that
    it is an answer, as whatever a machine said and what was made up for the exam must; people's own answers are ones."""

    question: str
    text: str
    interview: str | None = None
    checked: bool = True
    memories: tuple[str, ...] = ()
    epoch: int = 1

    @property
    def key(self) -> tuple[str, str, str | None]:
        """By which its score is looked up, within its arm or control."""
        return self.question, self.text, self.interview


def answered(question: str, text: str, about: Mapping[str, Any], epoch: int = 1) -> Answered:
    """The answer of a sample; `about` is the sample's metadata."""
    given = Given(**about["given"]) if about.get("given") else None
    memories = tuple(m["text"] for m in about.get("memories", []))
    interview, real = (given.interview, given.as_answer) if given else (None, False)
    return Answered(question, text, interview, not real, memories, epoch)


def warm_voice(study: Study, arm: Sequence[Answered]) -> None:
    """Judge the answers of one arm or control. Those of another come after they were looked up: a text may be said to
    one question in the one, and to all of them in the other."""
    _judged(study).update(zip([a.key for a in arm], _judge(study, arm), strict=True))


def voice_of(study: Study, answer: Answered) -> float | str:
    """The score of an answer, or in words why it has none. Raises RaftError where it was not judged before."""
    if answer.key not in _judged(study):
        raise RaftError("voice was asked for what was not judged before; call ratf.scores.speaking.warm_voice first")
    return _judged(study)[answer.key]


def leave_out(study: Study, checks: Iterable[Reason]) -> None:
    """Let these of the checks "off topic" and "not fluent", which need models, not be made with this study."""
    study.held("voice without", lambda: frozenset(checks))


def verifier(study: Study) -> Voice | str:
    """The person's verifier, learnt once a study from what was said before the first held-out interview; or why there is
    none. What interviewers asked is one more speaker."""

    def learn() -> Voice | str:
        of = [(study.person.key, study.earlier), *((p.key, list(p.exchanges)) for p in study.impostors)]
        said = [Said(e.answer, f"{key}/{e.interview_id}", key) for key, es in of for e in es]
        said += blocks((e.question, f"{key}/{e.interview_id}") for key, es in of for e in es)
        try:
            return Voice(said, study.person.key, study.suite.seed)
        except ValueError as error:
            return str(error)

    return study.held("verifier", learn)


def voice_facts(study: Study) -> VoiceFacts | None:
    """What the checks refuse of the real answers, and what the interviewers' questions alone tell; None without voice."""
    if VOICE not in study.suite.metrics:
        return None
    made = study.made("voice", lambda: _facts(study).model_dump())
    return VoiceFacts.model_validate(made)


def _judged(study: Study) -> dict[tuple[str, str, str | None], float | str]:
    return study.held("voice judged", dict)


def _judge(study: Study, arm: Sequence[Answered]) -> list[float | str]:
    whys = _refusals(study, arm)
    left = [i for i, why in enumerate(whys) if why is None]
    voice = verifier(study)
    if isinstance(voice, str):
        return [why or voice for why in whys]
    scores = voice.scores([(arm[i].text, arm[i].interview) for i in left])
    found: list[float | str] = [why or "" for why in whys]
    for i, score in zip(left, scores, strict=True):
        found[i] = REASONS["too short"] if score is None else score
    return found


def _refusals(study: Study, arm: Sequence[Answered]) -> list[str | None]:
    """Why an answer is none, by the first check that it fails; dear checks are made of what is left."""
    asked: dict[int, dict[str, str]] = {}
    for a in arm:
        asked.setdefault(a.epoch, {})[a.question] = a.text
    again = {epoch: repeated(texts) for epoch, texts in asked.items()}
    facts = [Facts(words(a.text)) for a in arm]
    for i, a in enumerate(arm):
        if a.checked:
            copied = measures.copied(study, a.text, a.memories)
            facts[i] = replace(facts[i], copied=copied, repeated=again[a.epoch][a.question])

    def left() -> list[int]:
        return [i for i, a in enumerate(arm) if a.checked and reason(facts[i], _norms_if(study, facts[i])) is None]

    rows = left()
    for i, topic in zip(rows, _topics(study, [(arm[i].question, arm[i].text) for i in rows]), strict=True):
        facts[i] = replace(facts[i], topic=topic)
    rows = left()
    for i, value in zip(rows, _fluency_of(study, [arm[i].text for i in rows]), strict=True):
        facts[i] = replace(facts[i], fluency=value)
    whys = [reason(f, _norms_if(study, f)) for f in facts]
    return [REASONS[why] if why else None for why in whys]


def _norms_if(study: Study, facts: Facts) -> Norms:
    """The person's norms, which nothing is spent on before an answer is looked at for topic or fluency."""
    return NOT_CHECKED if facts.topic is None and facts.fluency is None else _norms(study)


def _norms(study: Study) -> Norms:
    def measure() -> dict[str, list[float]]:
        own = [e for e in study.earlier if words(e.answer) >= LEAST]
        topic = _on_own_topic(study, _thinned(own, NORM_TOPIC))
        fluency = _fluency(study, [e.answer for e in _thinned(own, NORM_FLUENCY)])
        return {"topic": topic, "fluency": [f for f in fluency if f is not None]}

    def made() -> Norms:
        # with a check left out they are not the study's whole norms, and are not kept
        found = measure() if _without(study) else study.made("norms", measure)
        return norms(found["topic"], found["fluency"])

    return study.held("norms", made)


def _on_own_topic(study: Study, exchanges: Sequence[Exchange]) -> list[float]:
    if len(exchanges) < 2 or "off topic" in _without(study):
        return []
    vectors = measures.text_measures(study).vectors
    asked = vectors([e.question for e in exchanges])
    return on_topic(vectors([e.answer for e in exchanges]), asked, range(len(exchanges)))


def _topics(study: Study, said: Sequence[tuple[str, str]]) -> list[float | None]:
    """For each (held-out question, answer) the share of the other held-out questions that the answer is less like."""
    if len(study.held_out) < 2 or not said or "off topic" in _without(study):
        return [None] * len(said)
    vectors = measures.text_measures(study).vectors
    row = {e.exchange_id: i for i, e in enumerate(study.held_out)}
    answers = vectors([text for _, text in said])
    return list(on_topic(answers, vectors([e.question for e in study.held_out]), [row[q] for q, _ in said]))


def _without(study: Study) -> frozenset[Reason]:
    return study.held("voice without", frozenset)


def _fluency_of(study: Study, texts: Sequence[str]) -> list[float | None]:
    """The fluency of each text, of its first words alone where these leave no doubt; None where nobody can say."""
    usual = _norms(study).fluency if texts and "not fluent" not in _without(study) else None
    if usual is None:
        return [None] * len(texts)
    found = _fluency(study, texts, GLANCE_WORDS)
    rest = [i for i, value in enumerate(found) if value is None or value < usual.centre + SURE]
    for i, value in zip(rest, _fluency(study, [texts[i] for i in rest]), strict=True):
        found[i] = value
    return found


def _fluency(study: Study, texts: Sequence[str], first: int = READ_WORDS) -> list[float | None]:
    """The mean log probability a token of each text's first words under the reader; None where there is no reader."""
    if not texts or "not fluent" in _without(study):
        return [None] * len(texts)
    begun = [" ".join(text.split()[:first]) for text in texts]

    def read() -> list[float]:
        from raft.models.likelihood import log_likelihoods
        from raft.models.local import LocalModel

        nothing: list[tuple[Message, ...]] = [({"role": "system", "content": ""},)] * len(begun)
        return log_likelihoods(study.held("fluency reader", lambda: LocalModel(READER)), nothing, begun)

    request = {"kind": "fluency", "model": READER, "texts": len(begun), "contents": digest_of(begun)}
    try:
        found: list[float | None] = recorded_value(request, "fluency", read)
    except ImportError:
        return [None] * len(begun)
    return found


def _facts(study: Study) -> VoiceFacts:
    person, key = study.person, study.person.key
    questions = {
        key: [(e.question, f"{key}/{e.interview_id}") for e in (*study.earlier, *study.held_out)],
        **{p.key: [(e.question, f"{p.key}/{e.interview_id}") for e in p.exchanges] for p in study.impostors},
    }
    found = placebo(questions, person.key, study.suite.seed)
    return VoiceFacts(
        refused=_price(study),
        placebo=found and Placebo(auc=found.mean, low=found.low, high=found.high, n=found.n, interviews=found.clusters),
    )


def _price(study: Study) -> dict[str, float]:
    """For each check the share of the real answers that it refuses."""
    real, asked = {e.exchange_id: e.answer for e in study.held_out}, study.held_out
    again = repeated(real)
    topics = _topics(study, list(real.items()))
    facts = [
        Facts(words(e.answer), measures.copied(study, e.answer, ()), again[e.exchange_id], topic)
        for e, topic in zip(asked, topics, strict=True)
    ]
    read = _thinned([e.answer for e in asked if words(e.answer) >= LEAST], NORM_FLUENCY)
    fluent = [Facts(LEAST, fluency=value) for value in _fluency_of(study, read)]
    of_all, of_read = refused(facts, _norms(study)), refused(fluent, _norms(study))
    return {str(check): (of_read if check == "not fluent" else of_all)[check] for check in REASONS}


def _thinned(rows: Sequence[Thing], wanted: int) -> list[Thing]:
    """`wanted` of the rows, evenly spaced; all of them where there are fewer."""
    if wanted >= len(rows):
        return list(rows)
    return [rows[(2 * i + 1) * len(rows) // (2 * wanted)] for i in range(wanted)]
