"""Voice as a study scores it: first whether it is an answer at all, then how much it sounds like the person."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from raft.errors import RaftError
from raft.models.kept import kept
from raft.models.weights import weights_digest
from raft.types import Exchange, Message
from ratf.models.recorded.recordings import digest_of
from ratf.models.recorded.replay import recorded_value
from ratf.results.exams import Placebo, VoiceFacts
from ratf.results.shapes import Given
from ratf.scores import measures
from ratf.scores.style.answers import (
    FEWEST,
    REASONS,
    Facts,
    Norms,
    Range,
    Reason,
    norms,
    on_topic,
    pairs,
    pieced,
    reason,
    refused,
    repeated,
    words,
)
from ratf.scores.style.voice import LEAST, Said, Voice, blocks, placebo
from ratf.suite.study import Study

VOICE, SURPRISE = "style_identity", "surprise"
READER = "smollm2-135m-instruct"
"""Reads how fluent a text is: the same model in every study, whatever answers there."""


FIRST_WORDS, READ_WORDS = 25, 100
"""So many words of an answer are read at first, and so many where these leave a doubt, which takes a second of one core."""


LOW = 0.1
"""What has less voice than that wins nothing with it, so a doubt about its fluency is left open."""


NORM_TOPIC, NORM_FLUENCY = 60, 24
"""So many of the person's earlier answers say what is usual, evenly spaced; of real ones as many say what a check costs."""


NOT_CHECKED = Norms(topic=None, fluency=None)
UNREAD = f"of what is given in the exam only up to {NORM_FLUENCY} real answers are read for it, and what has a voice"
NO_NORMS = f"fewer than {FEWEST} earlier answers of {LEAST} or more words, or all alike: what is usual is not known"
NO_READER = f"{READER}, which reads for it, is not at hand"
Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Answered:
    """An answer of an arm or control. `interview` is where it was really given; `checked`, whether it has to show that
    it is an answer, as whatever a machine said and what was made up for the exam must; people's own answers are ones.
    `made_up`: for the exam."""

    question: str
    text: str
    interview: str | None = None
    checked: bool = True
    memories: tuple[str, ...] = ()
    epoch: int = 1
    made_up: bool = False

    @property
    def key(self) -> tuple[str, str, str | None]:
        """By which its score is looked up, within its arm or control."""
        return self.question, self.text, self.interview


def answered(question: str, text: str, about: Mapping[str, Any], epoch: int = 1) -> Answered:
    """The answer of a sample; `about` is the sample's metadata."""
    given = Given(**about["given"]) if about.get("given") else None
    memories = tuple(m["text"] for m in about.get("memories", []))
    interview, real = (given.interview, given.as_answer) if given else (None, False)
    return Answered(question, text, interview, not real, memories, epoch, made_up=given is not None and not real)


@dataclass(frozen=True)
class Judged:
    """Of either measure the score of an answer, or in words why it has none."""

    voice: float | str
    surprise: float | str


def warm_voice(study: Study, arm: Sequence[Answered]) -> None:
    """Judge the answers of one arm or control. Those of another come after they were looked up: a text may be said to
    one question in the one, and to all of them in the other."""
    _judged(study).update(zip([a.key for a in arm], _judge(study, arm), strict=True))


def judged(study: Study, answer: Answered) -> Judged:
    """How an answer was judged. Raises RaftError where it was not judged before."""
    if answer.key not in _judged(study):
        raise RaftError(
            "voice was asked for what was not judged before; call ratf.scores.style.speaking.warm_voice first"
        )
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


def _judged(study: Study) -> dict[tuple[str, str, str | None], Judged]:
    return study.held("voice judged", dict)


def _judge(study: Study, arm: Sequence[Answered]) -> list[Judged]:
    facts = _facts_of(study, arm)
    whys = [reason(f, _norms_if(study, f)) for f in facts]
    voices = _voices(study, arm, [why is None for why in whys])
    heard = {i for i, voice in enumerate(voices) if not isinstance(voice, str) and voice >= LOW}
    read = [
        i
        for i, a in enumerate(arm)
        if (a.checked and whys[i] is None and (i in heard or not a.made_up)) or _is_real_read(study, a)
    ]
    first = dict(zip(read, _fluency(study, [arm[i].text for i in read], FIRST_WORDS), strict=True))
    doubted = [i for i in read if arm[i].checked and i in heard]
    for i, value in _doubts(study, doubted, {i: arm[i].text for i in doubted}, first).items():
        whys[i] = whys[i] or reason(replace(facts[i], fluency=value), _norms(study))
    told = [REASONS[why] if why else None for why in whys]
    # what is not fluent is surprising, and is said to be
    unread = [None if i in first else told[i] for i in range(len(arm))]
    return [
        Judged(why or voice, _surprise(study, first.get(i), unread[i]))
        for i, (why, voice) in enumerate(zip(told, voices, strict=True))
    ]


def _voices(study: Study, arm: Sequence[Answered], wanted: Sequence[bool]) -> list[float | str]:
    """The verifier's score of each answer that is wanted; without a verifier, why."""
    voice = verifier(study) if VOICE in study.suite.metrics else "not among the metrics"
    rows = [i for i, is_wanted in enumerate(wanted) if is_wanted]
    found: list[float | str] = [voice if isinstance(voice, str) else ""] * len(arm)
    if not isinstance(voice, str):
        scores = voice.scores([(arm[i].text, arm[i].interview) for i in rows])
        for i, score in zip(rows, scores, strict=True):
            found[i] = REASONS["too short"] if score is None else score
    return found


def _facts_of(study: Study, arm: Sequence[Answered]) -> list[Facts]:
    """What all checks but that of fluency look at; topics are looked at only of what is left by the rest."""
    asked: dict[int, dict[str, str]] = {}
    for a in arm:
        asked.setdefault(a.epoch, {})[a.question] = a.text
    again = {epoch: repeated(texts) for epoch, texts in asked.items()}
    facts = [Facts(words(a.text)) for a in arm]
    for i, a in enumerate(arm):
        if a.checked:
            facts[i] = replace(
                facts[i],
                copied=measures.copied(study, a.text, (*a.memories, measures.asked(study, a.question))),
                repeated=again[a.epoch][a.question],
                pieced=pieced(a.text, _known_pairs(study)),
            )
    rows = [i for i, a in enumerate(arm) if a.checked and reason(facts[i], NOT_CHECKED) is None]
    for i, topic in zip(rows, _topics(study, [(arm[i].question, arm[i].text) for i in rows]), strict=True):
        facts[i] = replace(facts[i], topic=topic)
    return facts


def _known_pairs(study: Study) -> frozenset[tuple[str, str]]:
    return study.held("known pairs", lambda: frozenset(pair for e in study.earlier for pair in pairs(e.answer)))


def _surprise(study: Study, first: float | None, unread: str | None) -> float | str:
    """How many spreads an answer's first words are from the person's usual ones; or why nobody can say."""
    if unread:
        return unread
    if "not fluent" in _without(study):
        return NO_READER
    usual = _usual_start(study)
    if isinstance(usual, str):
        return usual
    return UNREAD if first is None else usual.surprise(first)


def _usual_start(study: Study) -> Range | str:
    usual = _norms(study).first
    if usual is not None:
        return usual
    known = sum(words(e.answer) >= LEAST for e in study.earlier) >= FEWEST
    return NO_READER if known and not _has_reader(study) else NO_NORMS


def _is_real_read(study: Study, answer: Answered) -> bool:
    """Whether it is one of the real answers that are read, to say what the check of fluency costs."""
    real = study.held("real that are read", lambda: {e.exchange_id: e.answer for e in _real_read(study)})
    return real.get(answer.question) == answer.text


def _real_read(study: Study) -> list[Exchange]:
    return _thinned([e for e in study.held_out if words(e.answer) >= LEAST], NORM_FLUENCY)


def _norms_if(study: Study, facts: Facts) -> Norms:
    """The person's norms, which nothing is spent on before an answer is looked at for its topic."""
    return NOT_CHECKED if facts.topic is None else _norms(study)


def _norms(study: Study) -> Norms:
    def measure() -> dict[str, list[float]]:
        own = [e for e in study.earlier if words(e.answer) >= LEAST]
        read = [e.answer for e in _thinned(own, NORM_FLUENCY)]
        found: dict[str, Sequence[float | None]] = {
            "topic": _on_own_topic(study, _thinned(own, NORM_TOPIC)),
            "fluency": _fluency(study, read, READ_WORDS),
            "first": _fluency(study, read, FIRST_WORDS),
        }
        return {name: [value for value in values if value is not None] for name, values in found.items()}

    def made() -> Norms:
        # with a check left out they are not the study's whole norms, and are not kept
        found = measure() if _without(study) else study.made("norms", measure, "2")
        return norms(**found)

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


def _doubts(
    study: Study, rows: Sequence[int], texts: Mapping[int, str], first: Mapping[int, float | None]
) -> dict[int, float | None]:
    """The fluency of those that begin less fluently than the person usually does; the rest leave no doubt."""
    usual = _norms(study) if rows else NOT_CHECKED
    if usual.first is None or usual.fluency is None:
        return {}
    centre = usual.first.centre
    doubted = [i for i in rows if (value := first.get(i)) is not None and value < centre]
    return dict(zip(doubted, _fluency(study, [texts[i] for i in doubted], READ_WORDS), strict=True))


def _fluency(study: Study, texts: Sequence[str], first: int) -> list[float | None]:
    """The mean log probability a token of each text's first words under the reader; None where there is no reader.

    What was read before is not read again.
    """
    if not texts or "not fluent" in _without(study):
        return [None] * len(texts)
    begun = [" ".join(text.split()[:first]) for text in texts]
    known: dict[str, float] = study.held("read", dict)
    new = [text for text in dict.fromkeys(begun) if text not in known]

    def read() -> list[float]:
        from raft.models.likelihood import log_likelihoods
        from raft.models.local import device
        from ratf.models.local import batcher

        def log_probabilities() -> dict[str, Any]:
            nothing: list[tuple[Message, ...]] = [({"role": "system", "content": ""},)] * len(new)
            return {"read": np.array(log_likelihoods(batcher().model(READER), nothing, new))}

        made = kept("fluency", ["1", READER, weights_digest(READER), device(), new], log_probabilities)
        return [float(value) for value in made["read"]]

    def read_if_here() -> list[float]:
        try:
            return read()
        except ImportError:
            return []  # recorded as well: what was not read when it was recorded is not read in a replay

    request = {"kind": "fluency", "model": READER, "texts": len(new), "contents": digest_of(new)}
    values = recorded_value(request, "fluency", read_if_here) if new else []
    if new and not values:
        return [None] * len(texts)
    known.update(zip(new, values, strict=True))
    return [known[text] for text in begun]


def _has_reader(study: Study) -> bool:
    return bool(study.held("read", dict))


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
    again, known = repeated(real), _known_pairs(study)
    topics = _topics(study, list(real.items()))
    facts = [
        Facts(
            words(e.answer),
            measures.copied(study, e.answer, [e.question]),
            again[e.exchange_id],
            pieced(e.answer, known),
            topic,
        )
        for e, topic in zip(asked, topics, strict=True)
    ]
    read = dict(enumerate(e.answer for e in _real_read(study)))
    first = dict(zip(read, _fluency(study, list(read.values()), FIRST_WORDS), strict=True))
    fluent = [Facts(LEAST, fluency=value) for value in _doubts(study, list(read), read, first).values()]
    fluent += [Facts(LEAST)] * (len(read) - len(fluent))
    of_all, of_read = refused(facts, _norms(study)), refused(fluent, _norms(study))
    return {str(check): (of_read if check == "not fluent" else of_all)[check] for check in REASONS}


def _thinned(rows: Sequence[Thing], wanted: int) -> list[Thing]:
    """`wanted` of the rows, evenly spaced; all of them where there are fewer."""
    if wanted >= len(rows):
        return list(rows)
    return [rows[(2 * i + 1) * len(rows) // (2 * wanted)] for i in range(wanted)]
