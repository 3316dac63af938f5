"""Parts of the held-out questions, by what can be seen of them: they show where an agent works and where it does not.

Parts are looked at, never tested: with so many of them some stand out by chance. A part of few questions or interviews
has a mean and no interval.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from raft.text import count_words
from ratf.pages.text import interview_name
from ratf.results.results import Question, Results
from ratf.statistics.estimates import Estimate, clustered_mean, paired_difference

FEW_QUESTIONS, FEW_INTERVIEWS = 8, 3
"""The fewest questions and the fewest interviews of a part that has an interval."""


FORMS = ("what", "how", "why", "yes or no", "other form", "no question mark")
_ASKS = dict.fromkeys(("what", "which", "who", "whom", "whose", "where", "when"), "what") | {"how": "how", "why": "why"}
_AUXILIARY = frozenset(
    [
        "am",
        "is",
        "are",
        "was",
        "were",
        "do",
        "does",
        "did",
        "have",
        "has",
        "had",
        "can",
        "could",
        "will",
        "would",
        "shall",
        "should",
        "may",
        "might",
        "must",
        "isn't",
        "aren't",
        "wasn't",
        "weren't",
        "don't",
        "doesn't",
        "didn't",
        "haven't",
        "hasn't",
        "hadn't",
        "can't",
        "couldn't",
        "won't",
        "wouldn't",
        "shouldn't",
    ]
)
_SUBJECT = frozenset(
    [
        "i",
        "you",
        "he",
        "she",
        "it",
        "we",
        "they",
        "there",
        "this",
        "that",
        "these",
        "those",
        "the",
        "a",
        "an",
        "your",
        "their",
        "our",
        "his",
        "her",
        "its",
        "any",
    ]
)
_PREPOSITIONS = ("to", "in", "at", "on", "for", "by", "of", "from", "with")
_TYPED = str.maketrans({"’": "'", "？": "?", "؟": "?", "՞": "?", "፧": "?"})
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")


@dataclass(frozen=True)
class Slice:
    """A part of the questions: each arm's mean in it, and the paired difference of the suite's primary comparison."""

    name: str
    n: int
    interviews: int
    arms: dict[str, Estimate | None]
    difference: Estimate | None

    @property
    def small(self) -> bool:
        """Whether the part is too small for an interval."""
        return self.n < FEW_QUESTIONS or self.interviews < FEW_INTERVIEWS


ScoresByArm = dict[str, dict[str, float]]
"""Scores by arm, then by question id."""


def slices(results: Results, metric: str) -> list[tuple[str, list[Slice]]]:
    """The parts by each dimension, in the dimension's order. Every question is in one part of each."""
    interview: dict[str, str] = {}
    scores: ScoresByArm = {arm: {} for arm, about in results.arms.items() if about.kind == "arm"}
    for q in results.questions:  # one pass only: the questions of a large run are read from its file each time
        interview[q.id] = q.interview_id
        for arm, of_arm in scores.items():
            score = q.answers[arm].scores.get(metric) if arm in q.answers else None
            if score is not None and score.value is not None:
                of_arm[q.id] = score.value
    named = [(title, name_of(results.questions)) for title, name_of in DIMENSIONS.items()]
    return [(title, _parts(results, scores, interview, names)) for title, names in named if names]


def form_of(question: str) -> str:
    """One of FORMS, by the English words of the last sentence that ends with a question mark.

    Of that sentence the first clause counts that begins as a question does, with a question word or an auxiliary; where
    none does, the first question word in it, or auxiliary before a subject.
    """
    before, mark, _ = question.translate(_TYPED).lower().rpartition("?")
    if not mark:
        return "no question mark"
    asked = re.split(r"[.?!]", before)[-1]
    clauses = [_WORD.findall(part) for part in re.split(r"[,;:—–]|\b(?:and|so|but|or|well|then)\b", asked)]
    for words in clauses:
        at = words[1:] if words[:1] and words[0] in _PREPOSITIONS else words
        if at and at[0] in _ASKS:
            return _ASKS[at[0]]
        if words and words[0] in _AUXILIARY:
            return "yes or no"
    flat = [word for words in clauses for word in words]
    for i, word in enumerate(flat):
        if word in _ASKS:
            return _ASKS[word]
        if word in _AUXILIARY and flat[i + 1 : i + 2] and flat[i + 1] in _SUBJECT:
            return "yes or no"
    return "other form"


def thirds(words: Mapping[str, int]) -> dict[str, str]:
    """Each key's third by its number of words; equal numbers stay together, so there may be fewer than three."""
    ordered = sorted(words.values())
    low, high = (ordered[-(-len(ordered) * k // 3) - 1] for k in (1, 2)) if ordered else (0, 0)
    parts = {f"up to {low} words": low, f"{low + 1} to {high} words": high}
    over = f"over {high} words"
    return {key: next((name for name, end in parts.items() if n <= end), over) for key, n in words.items()}


def _interviews(questions: Sequence[Question]) -> dict[str, str]:
    rows = sorted((q.date or "", q.id, interview_name(q.interview, q.date)) for q in questions)
    return {id: name for _, id, name in rows}


def _topics(questions: Sequence[Question]) -> dict[str, str]:
    """Each question's topic, the most frequent topic first; empty where the data have no topics."""
    named = {q.id: q.topic for q in questions}
    often = Counter(named.values())
    if not any(named.values()):
        return {}
    ordered = sorted(named.items(), key=lambda pair: (not pair[1], -often[pair[1]], pair[1]))
    return {key: topic or "no topic" for key, topic in ordered}


def _forms(questions: Sequence[Question]) -> dict[str, str]:
    return dict(sorted(((q.id, form_of(q.question)) for q in questions), key=lambda pair: FORMS.index(pair[1])))


def _by_length(text: Callable[[Question], str]) -> Callable[[Sequence[Question]], dict[str, str]]:
    def name_of(questions: Sequence[Question]) -> dict[str, str]:
        words = {q.id: count_words(text(q)) for q in questions}
        return thirds(dict(sorted(words.items(), key=lambda pair: pair[1])))

    return name_of


DIMENSIONS: dict[str, Callable[[Sequence[Question]], dict[str, str]]] = {
    "Topic": _topics,
    "How it is asked": _forms,
    "Length of the question": _by_length(lambda q: q.question),
    "Length of the real answer": _by_length(lambda q: q.real),
    "Interview": _interviews,
}
"""The ways to part the questions by title: each names every question's part, in the order shown, or none."""


def _parts(results: Results, scores: ScoresByArm, interview: dict[str, str], names: Mapping[str, str]) -> list[Slice]:
    primary = results.suite["primary"]
    made = []
    for name in dict.fromkeys(names.values()):
        within = [q for q, part in names.items() if part == name]
        of = {arm: {q: v for q in within if (v := values.get(q)) is not None} for arm, values in scores.items()}
        better, than = (of.get(primary[side], {}) for side in ("better", "than"))
        part = Slice(
            name,
            len(within),
            len({interview[q] for q in within}),
            {arm: clustered_mean(list(v.values()), [interview[q] for q in v]) for arm, v in of.items()},
            paired_difference(better, than, interview),
        )
        made.append(_without_ends(part) if part.small else part)
    return made


def _without_ends(part: Slice) -> Slice:
    def bare(found: Estimate | None) -> Estimate | None:
        return found and replace(found, low=None, high=None, p=None, detectable=None, error=None)

    return replace(part, arms={a: bare(e) for a, e in part.arms.items()}, difference=bare(part.difference))
