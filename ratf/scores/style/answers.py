"""Before voice: is it an answer at all? Length, copying, sameness, chains, topic and fluency, each with a name and a price."""

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ratf.scores.style.voice import LEAST, masked
from ratf.statistics.style import tokens

Reason = Literal[
    "empty", "too short", "copied", "same for other questions", "pieced together", "off topic", "not fluent"
]
REASONS: dict[Reason, str] = {
    "empty": "no answer",
    "too short": f"fewer than {LEAST} words",
    "copied": "half or more of it is taken word for word from what was learnt, or from the question",
    "same for other questions": "half or more of it is said to other questions as well, but for the words of the topic",
    "pieced together": "nearly every pair of neighbouring words in it stands in the person's earlier answers",
    "off topic": "less like its own question than nearly all of the person's answers are",
    "not fluent": "a reader of English finds it less likely than any text that a person speaks",
}
"""In the order of the checks: an answer is refused for the first that it fails."""


COPIED = 0.5
RUN = 8
PIECED = 0.96
"""So many of an answer's pairs of neighbouring words, said before, are more than a person repeats: of 7 people's real
answers, .945 at most (jfk, after 172,000 words), chains of their words at least .97."""


MOST_REFUSED = 0.05
"""A check that refuses more of the person's real answers is too dear."""


FEWEST = 20
"""With fewer answers of the person's own, where they lie is not known, and the check is not made."""


FENCE = 3.0
"""So many spreads below the middle an answer is not fluent: of normal numbers, 1 in 700."""


Array = NDArray[np.float64]


@dataclass(frozen=True)
class Range:
    """Where the person's own answers lie: the middle, and the spread (the standard deviation of a normal with as wide a
    middle half)."""

    centre: float
    spread: float

    def surprise(self, value: float) -> float:
        """How many spreads `value` is from the middle, on either side; 0 is the most usual answer."""
        return abs(value - self.centre) / self.spread


@dataclass(frozen=True)
class Norms:
    """What is asked of an answer, by the person's own earlier answers. None: too few of them, so not asked."""

    topic: float | None
    """The least share of other questions that an answer must be less like than its own."""
    fluency: Range | None
    """Of log probabilities, in nats a token."""
    first: Range | None = None
    """The same of an answer's first words alone, which wander more."""


@dataclass(frozen=True)
class Facts:
    """What the checks look at. None: not known, so not checked; no check is passed or failed by what is not known."""

    words: int
    copied: float | None = None
    repeated: float | None = None
    pieced: float | None = None
    topic: float | None = None
    fluency: float | None = None


def norms(topic: Sequence[float], fluency: Sequence[float], first: Sequence[float] = ()) -> Norms:
    """From the person's earlier answers: `topic` as `on_topic` gives it, the others in mean log probability a token."""
    for name, values in (("topic", topic), ("fluency", fluency), ("first", first)):
        if not np.isfinite(np.asarray(values, dtype=float)).all():
            raise ValueError(f"{name} of an earlier answer is not a number")
    return Norms(
        # half of what may be refused: later interviews are a little further off than earlier ones
        topic=float(np.quantile(topic, MOST_REFUSED / 2)) if len(topic) >= FEWEST else None,
        fluency=usual(fluency),
        first=usual(first),
    )


def usual(values: Sequence[float]) -> Range | None:
    """The range of the person's own numbers; None where they are too few or do not differ."""
    if len(values) < FEWEST:
        return None
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    spread = float(high - low) / 1.349
    return Range(float(middle), spread) if spread > 0 else None


def reason(facts: Facts, norms: Norms) -> Reason | None:
    """Why this is no answer to be judged by its voice; None where nothing speaks against it."""
    if not facts.words:
        return "empty"
    if facts.words < LEAST:
        return "too short"
    if facts.copied is not None and facts.copied >= COPIED:
        return "copied"
    if facts.repeated is not None and facts.repeated >= COPIED:
        return "same for other questions"
    if facts.pieced is not None and facts.pieced >= PIECED:
        return "pieced together"
    if facts.topic is not None and norms.topic is not None and facts.topic < norms.topic:
        return "off topic"
    if facts.fluency is not None and norms.fluency is not None and not _fluent(facts.fluency, norms.fluency):
        return "not fluent"
    return None


def refused(real: Sequence[Facts], norms: Norms) -> dict[Reason, float]:
    """For each check the share of real answers that it refuses, whatever the others say: the price of the check."""
    alone = {
        "empty": [f.words == 0 for f in real],
        "too short": [0 < f.words < LEAST for f in real],
        "copied": [reason(Facts(LEAST, copied=f.copied), norms) is not None for f in real],
        "same for other questions": [reason(Facts(LEAST, repeated=f.repeated), norms) is not None for f in real],
        "pieced together": [reason(Facts(LEAST, pieced=f.pieced), norms) is not None for f in real],
        "off topic": [reason(Facts(LEAST, topic=f.topic), norms) is not None for f in real],
        "not fluent": [reason(Facts(LEAST, fluency=f.fluency), norms) is not None for f in real],
    }
    return {name: float(np.mean(alone[name])) if real else 0.0 for name in REASONS}


def words(text: str) -> int:
    """How many words the checks count: marks alone are none."""
    return len(tokens(text))


def repeated(answers: Mapping[str, str]) -> dict[str, float | None]:
    """For each question the share of its answer's runs of 8 words that stand in an answer of the same arm to another.

    Words that carry a topic count as the same word, so that a form which is filled in anew for each question is one form.
    An answer shorter than a run counts as a single one. None for one without a word.
    """
    of = {question: [_form(run) for run in _runs(text)] for question, text in answers.items()}
    heard = Counter(run for runs in of.values() for run in set(runs))
    return {q: float(np.mean([heard[run] > 1 for run in runs])) if runs else None for q, runs in of.items()}


def pairs(text: str) -> list[tuple[str, str]]:
    """The pairs of neighbouring words, in their order."""
    return list(pairwise(tokens(text)))


def pieced(text: str, known: Set[tuple[str, str]]) -> float | None:
    """The share of the text's pairs of neighbouring words that are among `known`; None for fewer than two words.

    A chain drawn from what somebody said has all of them. Who speaks finds new ones in every other breath.
    """
    found = pairs(text)
    return float(np.mean([pair in known for pair in found])) if found else None


def on_topic(answers: ArrayLike, questions: ArrayLike, own: Sequence[int]) -> list[float]:
    """For each answer the share of other questions that are less like it than its own; ties count half.

    `answers` and `questions` hold unit vectors, a row each; `own` is the row of each answer's question. Raises
    ValueError with fewer than two questions.
    """
    similar = np.asarray(answers, dtype=float) @ np.asarray(questions, dtype=float).T
    if similar.ndim != 2 or similar.shape[1] < 2:
        raise ValueError("with fewer than two questions no answer can be nearer to its own than to another")
    mine = similar[np.arange(len(similar)), list(own)]
    beaten = (np.sign(np.round(mine[:, None] - similar, 6)) / 2 + 0.5).sum(axis=1) - 0.5
    return [float(x) for x in beaten / (similar.shape[1] - 1)]


def _fluent(value: float, own: Range) -> bool:
    return bool(np.isfinite(value)) and value >= own.centre - FENCE * own.spread


def _runs(text: str) -> list[tuple[str, ...]]:
    said = tokens(text)
    return [tuple(said[i : i + RUN]) for i in range(max(1, len(said) - RUN + 1))] if said else []


def _form(run: tuple[str, ...]) -> tuple[str, ...]:
    """The run without the words that carry a topic, as long as half of a full one is left to know it by."""
    form = tuple("~" if masked(word).startswith("~") else word for word in run)
    return form if sum(word != "~" for word in form) >= RUN / 2 else run
