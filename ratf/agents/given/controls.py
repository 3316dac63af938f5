"""Controls: answers that are given, so that every score has something to be read against."""

import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property, partial
from typing import Any, Literal, TypedDict
from weakref import WeakKeyDictionary

import numpy as np

from raft.people.person import Person
from raft.progress import Progress, silent
from raft.text import count_words, joined, words_between
from raft.text import parts as sentence_parts
from raft.types import Embedder, Exchange, Vectors
from ratf.agents.given import degenerate
from ratf.agents.given.evidence import words_for
from ratf.edits.made import made_controls
from ratf.edits.rules import NotExamined, rules_for
from ratf.edits.sentences import sentences
from ratf.models.chat import embedder
from ratf.results.shapes import Given
from ratf.suite.arms import DIRECTION, DOSES, FACTS, GIVEN, MADE, PARTS, turned
from ratf.suite.study import Study


class Log(TypedDict):
    """What was made of the real answers: control → held-out question → the fields of an `Edited`."""

    reason: str
    made: dict[str, dict[str, dict[str, Any]]]


MOST_SENTENCES = 600
"""So many of the person's earlier sentences, evenly spaced, are looked at for commonplaces."""


Side = Literal["same", "impostor", "stranger"]
"""The person, the others that are learnt from, or those whom nothing has learnt from."""


GivenAnswers = dict[str, Given]
"""held-out question → the control's answer to it"""


class Sources:
    """What the controls' answers to the held-out questions of a study are taken from."""

    def __init__(self, study: Study, embedder: Embedder) -> None:
        self.study, self._embedder = study, embedder
        self._candidates: dict[Side, list[tuple[Person, Exchange]]] = {
            "same": [(study.person, e) for e in study.earlier],
            "impostor": [(impostor, e) for impostor in study.impostors for e in impostor.exchanges],
            "stranger": [(stranger, e) for stranger in study.strangers for e in stranger.exchanges],
        }
        # kept with the study: the controls and the edits look at the same questions, one after the other
        of_embedder: WeakKeyDictionary[Embedder, dict[Side, Vectors]]
        of_embedder = study.held("cosines of questions", WeakKeyDictionary)
        self._cosines = of_embedder.setdefault(embedder, {})

    @cached_property
    def _questions(self) -> Vectors:
        return self._embedder.embed([e.question for e in self.study.held_out])

    def _alike(self, side: Side) -> Vectors:
        """Cosines of the held-out questions (rows) with the questions of a side (columns), embedded when first needed."""
        if side not in self._cosines:
            asked = self._embedder.embed([e.question for _, e in self._candidates[side]])
            self._cosines[side] = np.round(self._questions @ asked.T, 5)
        return self._cosines[side]

    def real(self) -> GivenAnswers:
        """The real answers."""
        return {e.exchange_id: _given(self.study.person, e, 1.0) for e in self.study.held_out}

    def near(self, side: Side) -> GivenAnswers:
        """The answer of the person (`same`), of another (`impostor`) or of a stranger to the most similar question."""
        return self._taken(side, self._alike(side).argmax(axis=1).tolist())

    def far(self, side: Side) -> GivenAnswers:
        """An answer to one of the less similar half of the questions, by lot.

        The least similar of all would be the same odd question every time.
        """
        order = np.argsort(self._alike(side), axis=1, kind="stable")
        half = max(1, order.shape[1] // 2)
        return self._taken(
            side, [int(r[self.lot("far", e) % half]) for e, r in zip(self.study.held_out, order, strict=True)]
        )

    def one_of(self, name: str, texts: Sequence[str]) -> GivenAnswers:
        """One of the texts for each question, by lot; nobody said them."""
        return {e.exchange_id: Given(text=texts[self.lot(name, e) % len(texts)]) for e in self.study.held_out}

    def made_up(self, texts: Mapping[str, str]) -> GivenAnswers:
        """Texts that nobody said, by question; where there is none, nothing is said."""
        return {e.exchange_id: Given(text=texts.get(e.exchange_id, "")) for e in self.study.held_out}

    def parrot(self) -> GivenAnswers:
        """One earlier answer of the person's to everything, with where it is from."""
        said = degenerate.parrot(self.study.held_out, self.study.earlier)
        source = {e.answer: e for e in self.study.earlier}
        return {key: _given(self.study.person, source[text], None) for key, text in said.items()}

    def commonplaces(self) -> GivenAnswers:
        """The person's earlier sentences that are nearest to all that was said, the same to everything."""
        said = list(dict.fromkeys(s for e in self.study.earlier for s in sentences(e.answer)))
        said = said[:: -(-len(said) // MOST_SENTENCES)]
        vectors = self._embedder.embed(said)
        return self.made_up(degenerate.commonplaces(self.study.held_out, said, np.clip(vectors @ vectors.T, 0, 1)))

    def salted(self) -> GivenAnswers:
        """The nearest answer of another person with words strewn in that speak for the person."""
        theirs = {key: given.text for key, given in self.near("impostor").items()}
        asked, seed = self.study.held_out, self.study.suite.seed
        return self.made_up(degenerate.salted(asked, theirs, words_for(self.study), seed))

    def edited(self) -> "Log":
        """What is made of the real answers by the rules of their language, with the log of the edits."""
        rules = rules_for([e.answer for e in (*self.study.earlier, *self.study.held_out)])
        if isinstance(rules, NotExamined):
            return {"reason": rules.reason, "made": {}}
        wanted, asked, own = wanted_made(self.study), self.study.held_out, self.study.earlier
        found = made_controls(asked, own, self._alike("same"), rules, self.study.suite.seed)
        kept = {n: {q: asdict(e) for q, e in found[n].items()} for n in MADE if n in wanted and n in found}
        return {"reason": "" if kept else "no real answer allows an edit", "made": kept}

    def mixed(self, share: float) -> GivenAnswers:
        """The real answer with `share` of its words in sentences of another's answer; it keeps the other's interview.

        The order of sentences does not depend on the share, so that a larger dose holds the smaller one.
        """
        others = self.near("impostor")
        return {
            e.exchange_id: other.model_copy(update={"text": mix(e.answer, other.text, share, self.lot("mix", e))})
            for e in self.study.held_out
            for other in [others[e.exchange_id]]
        }

    def lot(self, name: str, exchange: Exchange) -> int:
        """A large number that depends on the seed, the control and the question, and on nothing else."""
        text = f"{self.study.suite.seed}\0{name}\0{exchange.exchange_id}\0{exchange.question}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])

    def _taken(self, side: Side, which: Sequence[int]) -> GivenAnswers:
        candidates, alike = self._candidates[side], self._alike(side)
        return {
            exchange.exchange_id: _given(*candidates[w], float(alike[i, w]))
            for i, (exchange, w) in enumerate(zip(self.study.held_out, which, strict=True))
        }


def controls(study: Study, embedder: Embedder) -> dict[str, GivenAnswers]:
    """For each given control of the suite, and each dose where it can be mixed, the answer to each held-out question."""
    sources = Sources(study, embedder)
    return {name: MAKERS[name](sources) for name in given_names(study)}


def given_names(study: Study) -> list[str]:
    """The suite's controls that are given, and the doses between `real` and `impostor_near` where both are there."""
    wanted = study.suite.controls
    doses = DOSES if {"real", "impostor_near"} <= set(wanted) else ()
    return [name for name in (*wanted, *doses) if name in GIVEN]


READ_BY = {
    "topic": PARTS,
    "coverage": PARTS,
    "agreement": ("reworded", *turned(*DIRECTION, *FACTS)),
    "facts": ("reworded", *turned(*FACTS)),
}
"""What is made of the real answers for the exam on each axis."""


def wanted_made(study: Study) -> set[str]:
    """What is made of the real answers that a metric of the suite scores in its exam."""
    axes = {axis for m in study.suite.facts.values() if not m.judged for axis in (m.axis, *m.also)}
    return {name for axis in axes for name in READ_BY.get(str(axis), ())}


def wants_made(study: Study) -> str:
    """Why nothing is made of the real answers; empty where something is."""
    if "real" not in study.suite.controls:
        return "nothing is made of the real answers, because `real` is not among the controls"
    return "" if wanted_made(study) else "no metric is examined on topic, coverage or agreement"


def edit_log(study: Study, progress: Progress = silent) -> "Log":
    """What was made of the real answers for the exams, and why nothing was where that is so. Made once a study."""
    if why := wants_made(study):
        return {"reason": why, "made": {}}

    def make() -> Log:
        with progress("editing real answers for the exams", 1, "steps") as advance:
            made = Sources(study, embedder(study.suite.models.embedder, progress)).edited()
            advance(1)
        return made

    return study.made("edits", make, version="turned")


def _given(person: Person, exchange: Exchange, similarity: float | None) -> Given:
    return Given(
        text=exchange.answer,
        person=person.key,
        exchange_id=exchange.exchange_id,
        interview_id=exchange.interview_id,
        question=exchange.question,
        similarity=None if similarity is None else round(similarity, 5),
    )


def mix(mine: str, theirs: str, share: float, seed: int) -> str:
    """As many words as `mine` has (fewer where `theirs` is short), `share` of them theirs, whole sentences by lot."""
    words = count_words(mine)
    other = round(words * share)
    draw = random.Random(seed)
    parts = [_first_words(_shuffled(text, draw), n) for text, n in ((mine, words - other), (theirs, other))]
    return joined(_shuffled_list([*parts[0], *parts[1]], draw))


def _shuffled(text: str, draw: random.Random) -> list[str]:
    return _shuffled_list(sentence_parts(text), draw)


def _shuffled_list(sentences: list[str], draw: random.Random) -> list[str]:
    return draw.sample(sentences, len(sentences))


def _first_words(sentences: Sequence[str], words: int) -> list[str]:
    """Whole sentences, the last one cut, until there are so many words."""
    taken: list[str] = []
    for sentence in sentences:
        if words <= 0:
            break
        kept = words_between(sentence, 0, words)
        words -= count_words(kept)
        taken.append(kept)
    return taken


def given_answers(study: Study, progress: Progress = silent) -> dict[str, dict[str, Given]]:
    """The controls' answers, by control and exchange. Made once a study."""

    def make() -> dict[str, dict[str, dict[str, Any]]]:
        from ratf.models.chat import embedder

        with progress("finding the controls' answers", 1, "steps") as advance:
            found = controls(study, embedder(study.suite.models.embedder, progress))
            advance(1)
        return {name: {key: g.model_dump() for key, g in answers.items()} for name, answers in found.items()}

    made = study.made("controls", make)
    found = {name: {key: Given(**g) for key, g in answers.items()} for name, answers in made.items()}
    edited = edit_log(study, progress)["made"]
    return found | {
        name: {key: Given(text=e["text"]) for key, e in answers.items()} for name, answers in edited.items()
    }


def everybody(study: Study) -> list[str]:
    """The arms, the controls, and what only the exams of metrics read: the doses, and what is made of the real answers."""
    return list(
        dict.fromkeys([*study.suite.all_arms, *study.suite.controls, *given_names(study), *edit_log(study)["made"]])
    )


BOILERPLATE = (
    "Thank you for that question. I appreciate your interest, and I'm always happy to talk about it. It's an "
    "important topic, and I think that everyone should keep it in mind.",
    "That is a very good question. There are many aspects to consider, and different people will see it differently. "
    "I look forward to discussing it further at another time.",
    "I'm glad that you raised this. As I have said before, we take it seriously, and we will continue to do so in the "
    "future. Thank you again for asking.",
    "I'm afraid I can't comment on that at the moment. What I can say is that we are aware of it, and that we will "
    "share more when there is more to share.",
    "As a matter of principle I don't speculate about such things. Please refer to my earlier statements, which remain "
    "valid, and feel free to ask me something else.",
    "It depends. There are arguments on both sides, and each of them deserves to be heard. In the end, everyone has to "
    "find an answer of their own.",
)
"""Short and polite, fit for any question."""


NONANSWERS = (
    "Let me take a step back, because I think the context is what really matters here. When people ask me something like "
    "this, they usually have one part of the picture in mind, and that part is real; I wouldn't want to deny that. But "
    "there is a larger picture as well, and the two don't always point in the same direction. Over the years I have "
    "learnt to be patient with that. You look at what is in front of you, you listen to those who know more about one "
    "side of it, and you try to keep an open mind. Sometimes things turn out the way you expected, and sometimes they "
    "don't, and in both cases there is something to take away. So rather than give you a simple yes or no, which would "
    "be easy and probably wrong, I would say that we are on a path, that we have come some way along it, and that "
    "there is still some way to go. What I can promise is that we will keep looking at it with care, step by step, and "
    "that we will be open about what we find.",
    "There are a few things that I would like to say about that. The first is that it's natural to ask, and in your "
    "place I would ask the same thing. The second is that any honest answer has to start from what we know today, and "
    "what we know today is more than we knew a while ago, though less than we would like. And the third, which perhaps "
    "matters most, is that nobody does this alone: a great many people put in a great deal of work, mostly unseen, and "
    "they deserve credit for it. If you put those three together, you arrive at something like a balance. On the one "
    "hand there is every reason to be confident. On the other hand there is every reason to stay modest, because "
    "circumstances change, sometimes quickly, and what looks settled may not be. I have always tried to hold on to both "
    "of these thoughts at the same time, and I believe that it has served us well. Whether that will be enough, time "
    "will tell; it usually does.",
    "You know, I get asked this quite often, and each time I find that the question has become a little more "
    "interesting. It touches on so much at once: on where we come from, on where we are, and on where we might be going. "
    "If I had to put it in a nutshell, I would say that it is all about finding the right measure, and the right measure "
    "is never found once and for all. It has to be found again and again, by everyone who is concerned with it, in good "
    "faith and with the facts at hand. Some will want to go faster, some will want to go slower, and both have a point. "
    "What I would warn against is the idea that there is a single key that opens every door. There isn't. There is only "
    "the day-to-day business of weighing one thing against another, of making up one's mind, and of being ready to "
    "change it. That may sound less exciting than a bold promise, but I have come to think that it is the only way in "
    "which anything lasting is ever done.",
    "I would put it this way. Every situation has its own character, and this one is no exception. We went into it with "
    "certain expectations, as one does, and some of them were met, and others had to be revised. That is not a failure; "
    "that is how one learns. What has struck me most is how much depends on the small things: on the conversation that "
    "takes place at the right moment, on the detail that somebody notices, on the willingness to go over something one "
    "more time. It would be tempting to draw a grand conclusion from all that, but I'm wary of grand conclusions. They "
    "tend to age badly. What I would rather do is to stay with the matter itself, to look at it from several sides, and "
    "to ask at each point what follows and what doesn't. If we do that with some discipline, then I'm optimistic that "
    "we will end up in a good place, even if it isn't exactly the place that we had in mind when we set out, and even if "
    "it takes somewhat longer than any of us would have wished.",
)
"""Long, fluent, and about nothing."""


MAKERS: dict[str, Callable[[Sources], GivenAnswers]] = {
    "real": Sources.real,
    "same_near": lambda of: of.near("same"),
    "same_far": lambda of: of.far("same"),
    "impostor_near": lambda of: of.near("impostor"),
    "impostor_far": lambda of: of.far("impostor"),
    "stranger_near": lambda of: of.near("stranger"),
    "boilerplate": lambda of: of.one_of("boilerplate", BOILERPLATE),
    "nonanswer": lambda of: of.one_of("nonanswer", NONANSWERS),
    "yes": lambda of: of.made_up(degenerate.yes(of.study.held_out)),
    "dont_know": lambda of: of.made_up(degenerate.dont_know(of.study.held_out)),
    "echo": lambda of: of.made_up(degenerate.echo(of.study.held_out)),
    "parrot": Sources.parrot,
    "commonplaces": Sources.commonplaces,
    "babble": lambda of: of.made_up(degenerate.babble(of.study.held_out, of.study.earlier, of.study.suite.seed)),
    "evidence_words": lambda of: of.made_up(
        degenerate.evidence_words(of.study.held_out, words_for(of.study), of.study.suite.seed)
    ),
    "salted": Sources.salted,
    "empty": lambda of: of.one_of("empty", [""]),
    **{name: partial(Sources.mixed, share=share) for name, share in DOSES.items()},
}
"""How the answers of each given control are found."""
