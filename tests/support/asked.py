"""Runs with invented questions and answers of the length of real ones, for tests of the page that shows them."""

import random
from typing import Any

from planted import make

from ratf.results.exams import Evidence, StyleFacts
from ratf.results.results import Answer, Question, Results, Scored

ARMS = ("baseline", "rag_only", "finetune_only", "raft")
METRICS = ("style_identity", "embedding_cosine", "rouge_l", "rouge_1", "length_ratio")
WORDS = [
    "river",
    "weir",
    "otter",
    "really",
    "bank",
    "flood",
    "think",
    "beaver",
    "meadow",
    "silt",
    "water",
    "spring",
    "because",
    "perhaps",
    "we",
    "you",
    "stone",
]


def said(chance: random.Random, words: int) -> str:
    return " ".join(chance.choices(WORDS, k=words)).capitalize() + "."


def asked(n: int, seed: int = 0, length: float = 1.0, **changes: Any) -> Results:
    """A run of n questions in interviews of five; `length` 1 is that of press conferences."""
    chance = random.Random(seed)
    names = [*ARMS, "same_near", "impostor_near"]
    interviews = [f"talk-{i // 5}" for i in range(n)]
    made = make({a: {m: [chance.random() for _ in range(n)] for m in METRICS} for a in names}, interviews)
    questions = [_with_texts(q, i, chance, length) for i, q in enumerate(made.questions)]
    evidence = [
        Evidence(kind="word", text="really", weight=4.0, person=0.4, others=0.1),
        Evidence(kind="word", text="perhaps", weight=-3.0, person=0.1, others=0.3),
        Evidence(kind="n-gram", text="we t", weight=2.0, person=0.3, others=0.1),
    ]
    return made.model_copy(
        update={"questions": questions, "style": StyleFacts(evidence=evidence, delta=[], budget=0), **changes}
    )


def _with_texts(question: Question, at: int, chance: random.Random, length: float) -> Question:
    def text(words: float) -> str:
        return said(chance, max(3, round(words * length)))

    memories = [
        {"text": text(45), "title": f"On floods {k}", "date": f"2011-0{k + 1}-01", "source": f"https://tove.test/{k}"}
        for k in range(3)
    ]
    answers = {
        arm: Answer(
            text=text(110 if arm in ARMS else 250),
            memories=memories if arm in ("rag_only", "raft") else [],
            source="" if arm in ARMS else f"pell, talk-x-q{at:03d} (questions alike by 0.61): And the weir?",
            scores=answer.scores,
        )
        for arm, answer in question.answers.items()
    }
    date = f"20{10 + at // 200:02d}-{1 + at % 12:02d}-03"
    about = {"interview": f"Talk {at // 5}", "date": date, "question": f"{at}: {text(65)}", "real": text(260)}
    return question.model_copy(update={**about, "answers": answers})


def scored(question: Question, arm: str, metric: str, **changes: Any) -> Question:
    """The question with another score."""
    answer = question.answers[arm]
    score = Scored(**{**answer.scores.get(metric, Scored(value=None)).model_dump(), **changes})
    changed = answer.model_copy(update={"scores": {**answer.scores, metric: score}})
    return question.model_copy(update={"answers": {**question.answers, arm: changed}})
