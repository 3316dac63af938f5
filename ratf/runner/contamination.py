"""Does the base model know the held-out answers already? Three signs, each with its interval, and never more than they show."""

import datetime
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from inspect_ai.model import GenerateConfig, get_model
from inspect_ai.util import collect

from raft.models.waiting import result_of
from raft.progress import Progress, silent
from raft.prompts import fenced
from raft.text import count_words, words_between
from raft.types import Exchange, Message
from ratf.agents.questions import prompt
from ratf.agents.roles import ANSWER_CACHE, answer_config
from ratf.judges.texts import mask
from ratf.models.chat import chat_messages, recorded_model
from ratf.results.exams import Contamination, Sign
from ratf.runner.calls import LEAST_WORDS, NEXT_WORDS, SHOWN_WORDS
from ratf.scores.measures import text_measures
from ratf.statistics.estimates import Estimate, clustered_mean, holm
from ratf.suite.arms import FLOOR
from ratf.suite.study import Study

MARGIN = 0.05
"""A sign is absent when its interval lies below this, in points of its score."""


LEVEL = 0.05
BASELINE = "baseline"
Texts = Mapping[str, Mapping[str, str]]
"""Texts by arm, control or kind of reply, then by question id."""


def panel(study: Study, answers: Texts, progress: Progress = silent) -> Contamination:
    """The signs of one run; the base model's replies are made once a study.

    Continuation: with the person, the interview and the question told, does the model go on more like the real answer
    than from the first words alone (Golchin & Surdeanu 2023, arXiv 2308.08493)? Name: are the bare model's answers
    nearer to the real ones than when the person's name is hidden (arXiv 2603.03915)? Cutoff: is its lead over another
    person's answers larger before the model's knowledge ends than after?
    """
    said = replies(study, progress)
    with progress("comparing what the base model knows", 1, "steps") as advance:
        signs = [_continuation(study, said), _name(study, said, answers), _cutoff(study, answers)]
        advance(1)
    found = concluded(study.suite.models.base, signs)
    if not (own := ", ".join(arm.name for arm in study.suite.own)):
        return found
    return found.model_copy(update={"sentence": f"{found.sentence}; what {own} knows was not asked"})


def replies(study: Study, progress: Progress = silent) -> Texts:
    """The base model's replies that the signs are read from: kind of reply → question → text. Made once a study."""
    return study.made("contamination", lambda: _ask(study, progress))


def concluded(base: str, signs: Sequence[Sign]) -> Contamination:
    """One word for all signs, with Holm's correction, because any of several may come up by chance."""
    adjusted = holm([s.p for s in signs])
    shown = [s for s, p in zip(signs, adjusted, strict=True) if p is not None and p < LEVEL and (s.difference or 0) > 0]
    measured = [s for s in signs if s.low is not None]
    if shown:
        told = "; ".join(f"{s.name} {s.difference:+.3f} [{s.low:.3f}, {s.high:.3f}]" for s in shown)
        return Contamination(
            says="looks memorised", sentence=f"{base} seems to know these answers: {told}", signs=[*signs]
        )
    if measured and all(s.says == "no sign" for s in measured):
        names = " and ".join(s.name for s in measured)
        return Contamination(
            says="no sign", sentence=f"no sign that {base} knows these answers, by {names}", signs=[*signs]
        )
    return Contamination(
        says="can't tell", sentence=f"whether {base} knows these answers cannot be told", signs=[*signs]
    )


def continuation(study: Study, exchange: Exchange, guided: bool) -> tuple[Message, ...]:
    """The prompt to go on with an answer's first words; where `guided`, it tells who said them, where and to what."""
    first = fenced("beginning", words_between(exchange.answer, 0, SHOWN_WORDS))
    if not guided:
        return (
            {
                "role": "user",
                "content": f"{first}\nContinue this text from where it breaks off. Reply with the text alone.",
            },
        )
    interview = next(i for i in study.person.interviews if i.interview_id == exchange.interview_id)
    about = f"{study.person.about.name} said this in {interview.title} ({exchange.date}), when asked:"
    asked = fenced("question", exchange.question)
    order = "Continue it exactly as it really went on. Reply with the text alone."
    return ({"role": "user", "content": f"{about}\n{asked}\n{first}\n{order}"},)


def unnamed(study: Study, exchange: Exchange) -> tuple[Message, ...]:
    """The bare model's prompt with the person's name hidden wherever it stands."""
    names = [study.person.about.name]
    return tuple({"role": m["role"], "content": mask(m["content"], names)} for m in prompt(study, exchange, {}))


def _ask(study: Study, progress: Progress) -> dict[str, dict[str, str]]:
    long = [e for e in study.held_out if count_words(e.answer) >= LEAST_WORDS]
    short = GenerateConfig(temperature=0, max_tokens=2 * NEXT_WORDS, frequency_penalty=0.3)
    todo = [(kind, e, continuation(study, e, kind == "guided"), short) for kind in ("guided", "general") for e in long]
    todo += [("unnamed", e, unnamed(study, e), answer_config(study)) for e in study.held_out]
    with progress("asking what the base model knows", len(todo), "replies") as advance:
        texts = result_of(_replies(study.suite.models.base, [(m, c) for _, _, m, c in todo], advance))
    found: dict[str, dict[str, str]] = {"guided": {}, "general": {}, "unnamed": {}}
    for (kind, exchange, _, _), text in zip(todo, texts, strict=True):
        found[kind][exchange.exchange_id] = text
    return found


async def _replies(
    base: str, todo: Sequence[tuple[Sequence[Message], GenerateConfig]], advance: Callable[[int], None]
) -> list[str]:
    model = get_model(recorded_model(base, "contamination"))

    async def one(messages: Sequence[Message], config: GenerateConfig) -> str:
        said = await model.generate(chat_messages(messages), config=config, cache=ANSWER_CACHE)
        advance(1)
        return said.completion.strip()

    return await collect(*(one(messages, config) for messages, config in todo))


def _continuation(study: Study, replies: Texts) -> Sign:
    words = "Given how an answer begins, does it go on more as the person really did when it is told who speaks? ROUGE-L, told less not told"
    real = {e.exchange_id: words_between(e.answer, SHOWN_WORDS, SHOWN_WORDS + NEXT_WORDS) for e in study.held_out}
    both = sorted(q for q in replies["guided"] if replies["guided"][q] and replies["general"].get(q))

    def overlap(kind: str) -> list[float]:
        cut = [words_between(replies[kind][q], 0, NEXT_WORDS) for q in both]
        return [r["rougeL"] for r in text_measures(study).rouges(list(zip(cut, (real[q] for q in both), strict=True)))]

    return _sign(study, "continuation", words, both, overlap("guided"), overlap("general"))


def _name(study: Study, replies: Texts, answers: Texts) -> Sign:
    words = "Are its answers nearer to the real ones when the person is named than when the name is hidden? Embedding cosine, named less hidden"
    if BASELINE not in answers:
        return Sign(name="name", words=words, says="can't tell", reason="the run has no baseline arm")
    both = [q for q, text in sorted(replies["unnamed"].items()) if text and answers[BASELINE].get(q)]
    named = _near(study, {q: answers[BASELINE][q] for q in both})
    hidden = _near(study, {q: replies["unnamed"][q] for q in both})
    return _sign(study, "name", words, both, [named[q] for q in both], [hidden[q] for q in both])


def _cutoff(study: Study, answers: Texts) -> Sign:
    words = "Is it further ahead of another person's answers before its knowledge ends than after? Embedding cosine, before less after"
    cutoff = study.suite.models.knowledge_cutoff
    if cutoff is None or not {BASELINE, FLOOR} <= answers.keys():
        why = "models.knowledge_cutoff is not known" if cutoff is None else f"the run lacks {BASELINE} or {FLOOR}"
        return Sign(name="cutoff", words=words, says="can't tell", reason=why)
    both = {q: t for q, t in answers[BASELINE].items() if t and answers[FLOOR].get(q)}
    mine, other = _near(study, both), _near(study, {q: answers[FLOOR][q] for q in both})
    return cutoff_sign(study.held_out, {q: mine[q] - other[q] for q in both}, cutoff, words)


def cutoff_sign(held_out: Sequence[Exchange], lead: Mapping[str, float], cutoff: datetime.date, words: str) -> Sign:
    """Welch's t test between the interviews before and after `cutoff`, on each interview's mean lead."""
    from scipy import stats

    sides: tuple[dict[str, list[float]], dict[str, list[float]]] = ({}, {})
    for e in held_out:
        if e.date and e.exchange_id in lead:
            sides[e.date > cutoff].setdefault(e.interview_id, []).append(lead[e.exchange_id])
    before, after = ([float(np.mean(x)) for x in side.values()] for side in sides)
    if min(len(before), len(after)) < 2:
        why = f"{len(before)} interviews before {cutoff} and {len(after)} after; two of each are needed"
        return Sign(name="cutoff", words=words, says="can't tell", reason=why)
    test = stats.ttest_ind(before, after, equal_var=False)
    ends = test.confidence_interval(0.95)
    found = Estimate(
        float(np.mean(before) - np.mean(after)), float(ends.low), float(ends.high), float(test.pvalue), None,
        sum(len(x) for side in sides for x in side.values()), len(before) + len(after),
    )  # fmt: skip
    return sign_of("cutoff", words, found)


def _near(study: Study, texts: Mapping[str, str]) -> dict[str, float]:
    real = {e.exchange_id: e.answer for e in study.held_out}
    look = text_measures(study).vectors
    pairs = zip(texts, look(list(texts.values())), look([real[q] for q in texts]), strict=True)
    return {q: float(a @ b) for q, a, b in pairs}


def _sign(
    study: Study, name: str, words: str, questions: Sequence[str], more: Sequence[float], less: Sequence[float]
) -> Sign:
    interview = {e.exchange_id: e.interview_id for e in study.held_out}
    return sign_of(name, words, clustered_mean(np.subtract(more, less), [interview[q] for q in questions]))


def sign_of(name: str, words: str, found: Estimate | None) -> Sign:
    """The sign that a difference gives: its interval is above 0, below MARGIN, or neither."""
    if found is None or found.low is None or found.high is None:
        return Sign(name=name, words=words, says="can't tell", reason="too few answers or interviews for an interval")
    says = "looks memorised" if found.low > 0 else "no sign" if found.high < MARGIN else "can't tell"
    return Sign(
        name=name,
        words=words,
        says=says,
        difference=found.mean,
        low=found.low,
        high=found.high,
        p=found.p,
        n=found.n,
        interviews=found.clusters,
    )
