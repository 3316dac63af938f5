"""The scorer table: every metric's family and axis, what it says, and which way is better."""

from dataclasses import dataclass, replace
from typing import Literal

from ratf.suite.arms import DIRECTION, OFF_TOPIC, SAYS_NOTHING, STRANGER

Family = Literal["lexical", "semantic", "style", "judge", "length", "copying", "own"]
RubricAxis = Literal["topic", "coverage", "agreement", "voice"]
"""What a score speaks about: the thing that is talked about, the claims that are made, which way they go, how it sounds."""


Axis = RubricAxis | Literal["facts"]
"""`facts` is a part of agreement, numbers, dates and names alone; so what speaks about it says nothing of agreement."""


AxisBefore = Literal["content", "style", "identity"]
AXES_BEFORE: dict[str, RubricAxis] = {"content": "coverage", "style": "voice", "identity": "voice"}
"""What older rubrics and results called the axes, and which is meant."""


WITHOUT_CEILING = ("topic", "coverage", "agreement", "facts")
"""Axes on which no answer of the person to another question is a ceiling, so that a metric of them gives no skill score."""


def axis_meant(word: str) -> str:
    """The axis of that name, or the one that is meant by what it was called before."""
    return AXES_BEFORE.get(word, word)


Reads = Literal["texts", "embedder", "people", "judge", "inference", "code"]


@dataclass(frozen=True)
class Metric:
    """What a score means. `better` is None where neither way is better; what has no `axis` sits no exam.

    This is the meaning of a metric's name. A judge's axis and words are its rubric's; `Suite.facts` has them filled in.
    """

    family: Family
    words: str
    better: Literal["higher", "lower"] | None
    top: float | None = None
    axis: Axis | None = None
    """What it is for: the verdict and whether it counts as admitted go by its exam on this axis."""
    also: tuple[Axis, ...] = ()
    """Axes that it is examined on as well."""
    reads_real: bool = True
    """Whether it compares with the real answer; then the real answer itself proves nothing in its exam."""
    reads: Reads = "texts"
    """What a score is worked out from: the answer and the real ones alone, or also the suite's embedder, the people's
    earlier words, a judge's replies, the user's own model of inference, or whatever the user's own code reads."""
    exact: bool = True
    """Whether every machine gives the same six digits; what a model stands behind differs a little between machines."""
    criterion: str = ""
    """Which of a judge's criteria it is, as `recall`; empty for a judge's one grade, and for what is no judge's."""
    unmasked: str = ""
    """The same judge's metric with people's names shown, where this one is of the pass without them."""

    rubric: str = ""
    """The digest of its judge's rubric, where the suite has filled it in."""

    @property
    def judged(self) -> bool:
        """Whether a judge gives it."""
        return self.family == "judge"


TOPIC: tuple[Axis, ...] = ("topic",)
METRICS = {
    "rouge_1": Metric("lexical", "ROUGE-1 F: shared words", "higher", 1, "coverage", TOPIC),
    "rouge_2": Metric("lexical", "ROUGE-2 F: shared pairs of words", "higher", 1, "coverage", TOPIC),
    "rouge_l": Metric("lexical", "ROUGE-L F: longest common word sequence", "higher", 1, "coverage", TOPIC),
    "embedding_cosine": Metric(
        "semantic",
        "cosine of the two answers' embeddings",
        "higher",
        1,
        "coverage",
        TOPIC,
        reads="embedder",
        exact=False,
    ),
    "embedding_rank": Metric(
        "semantic",
        "1 / rank of the true answer among all held-out answers",
        "higher",
        1,
        "coverage",
        TOPIC,
        reads="embedder",
        exact=False,
    ),
    "bertscore": Metric(
        "semantic",
        "BERTScore F on the embedded encoder",
        "higher",
        1,
        "coverage",
        TOPIC,
        reads="embedder",
        exact=False,
    ),
    "sentence_coverage": Metric(
        "semantic",
        "how much of the real answer it covers beyond the question, sentence by sentence, less what it covers of other real answers",
        "higher",
        1,
        "coverage",
        TOPIC,
        reads="embedder",
        exact=False,
    ),
    "facts": Metric(
        "semantic",
        "share of the real answer's numbers, dates and names that the answer has in its nearest sentence",
        "higher",
        1,
        "facts",
        reads="embedder",
        exact=False,
    ),
    "nli": Metric(
        "semantic",
        "how far the sentences of each answer follow from the other answer, less how far they contradict it, by models.nli",
        "higher",
        1,
        "agreement",
        reads="inference",
        exact=False,
    ),
    "style_identity": Metric(
        "style",
        "how much more it sounds like the person than like anybody else, by grammar and small words",
        "higher",
        1,
        "voice",
        reads_real=False,
        reads="people",
        exact=False,
    ),
    "surprise": Metric(
        "style",
        "how far the likelihood of its first words is from the person's usual one, in spreads",
        "lower",
        reads="people",
        exact=False,
    ),
    "length_ratio": Metric("length", "words in the answer / words in the real one", None),
    "copying": Metric(
        "copying", "share of 8-word runs found in memories, writings or earlier answers", None, 1, reads="people"
    ),
}
"""Judges are not listed: each rubric names its own metrics, as `judge_stance` or `judge_content_recall`."""


USUAL = [name for name, facts in METRICS.items() if facts.reads != "inference"]
"""Those of a suite that names none: what needs a model of the user's own has to be named."""


_GRADE = Metric("judge", "the judge's grade", "higher", 1, reads="judge", exact=False)
JUDGED: dict[str, Metric] = {
    "": _GRADE,
    "recall": _GRADE,
    "contradiction": replace(_GRADE, words="share of the real answer's claims that are contradicted", better="lower"),
    "top1": _GRADE,
    "brier": replace(_GRADE, words="Brier score of who is speaking: 0 is certain and right", better="lower", top=2),
    "chosen": replace(_GRADE, words="how often it is taken for the real answer (target 50 %)", better=None),
    "won": _GRADE,
}
"""What a judge's metric means, by its criterion; axis and words are the rubric's."""


_JUDGE, _MASKED = "judge_", "_masked"


def judge_metric(rubric: str, criterion: str = "", masked: bool = False) -> str:
    """The name of a judge's metric: `judge_content_recall`, or `judge_content_recall_masked` without people's names."""
    return f"{_JUDGE}{rubric}{'_' if criterion else ''}{criterion}{_MASKED if masked else ''}"


def is_judged(name: str) -> bool:
    """Whether the name is that of a judge's metric, known here or not."""
    return name.startswith(_JUDGE)


OWN = "own_"
"""What the names of metrics begin with that are the user's own code: `own_warmth`."""


def is_own(name: str) -> bool:
    """Whether the name is that of a metric of the user's own."""
    return name.startswith(OWN)


RESERVED = (_MASKED, *(f"_{criterion}" for criterion in JUDGED if criterion))
"""How no rubric's name may end: its metrics' names would be read otherwise."""


@dataclass(frozen=True)
class Ladder:
    """What a metric of an axis must be able to tell, in names of controls."""

    positives: tuple[str, ...]
    negatives: tuple[str, ...]
    must: tuple[tuple[str, str], ...]
    """(higher, lower): shown the other way round, the metric is not admitted."""
    may: tuple[tuple[str, str], ...]
    """(higher, lower): expected and told, but a model's answer may have its merits."""
    degenerate: tuple[str, ...] = ()
    """Controls that nobody would take for the person: a must-order that puts a positive above one has to be shown."""

    def must_show(self, higher: str, lower: str) -> bool:
        """Whether that order refuses the metric already where it is not shown, not only where it is the other way round."""
        return (higher, lower) in self.must and higher in self.positives and lower in self.degenerate


def _each(higher: tuple[str, ...], lower: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((a, b) for a in higher for b in lower)


_CONTENT = Ladder(
    positives=("same_near", "paraphrase"),
    negatives=("impostor_near",),
    must=(
        ("paraphrase", "same_near"),
        *_each(("paraphrase", "same_near"), ("impostor_near", "impostor_far", "same_far", *SAYS_NOTHING)),
        ("impostor_near", "same_far"),
    ),
    may=(("same_near", "generic"), ("generic", "same_far")),
    degenerate=SAYS_NOTHING,
)
_PERSON = Ladder(
    positives=("real", "same_near", "same_far"),
    negatives=("impostor_near", "impostor_far"),
    must=_each(("real", "same_near", "same_far"), ("impostor_near", "impostor_far", STRANGER, *SAYS_NOTHING)),
    may=_each(("real", "same_near", "same_far"), ("paraphrase", "generic")),
    degenerate=SAYS_NOTHING,
)
_TOPIC = Ladder(
    positives=("same_near",),
    negatives=("same_far", "impostor_far"),
    must=_each(("same_near",), ("same_far", "impostor_far", *OFF_TOPIC)),
    may=(("impostor_near", "impostor_far"),),
    degenerate=OFF_TOPIC,
)
_REWORDED, _TURNED = (tuple(f"{how}_{kind}" for kind in DIRECTION) for how in ("even", "edit"))
TURNED_ROUND = Ladder(
    positives=("paraphrase", *_REWORDED),
    negatives=_TURNED,
    must=(*_each(("paraphrase",), _TURNED), *zip(_REWORDED, _TURNED, strict=True)),
    may=_each(("same_near",), ("impostor_near",)),
)
"""What a judge must put in order to speak about agreement: the real answer in other words above one that says the opposite,
with as many words changed. Who is speaking is asked beside it, and told as a result."""


LADDERS: dict[str, Ladder] = {
    "topic": _TOPIC,
    "coverage": _CONTENT,
    "agreement": _CONTENT,
    "voice": _PERSON,
    # before, nothing had to be shown above what says nothing
    "content": replace(_CONTENT, degenerate=()),
    "style": replace(_PERSON, degenerate=()),
    "identity": replace(_PERSON, degenerate=()),
}
"""The order that an axis demands of controls that somebody said, as voice and judges are examined on them, and metrics of
content were in older results. What is made of the real answers is in `ratf/scores/content_exam.py`."""


def metric(name: str) -> Metric:
    """What the metric of that name means. Raises KeyError for a name that is neither a judge's nor in the table.

    Of one of the user's own only the family is known here; the suite has the rest (`ratf.suite.own_metrics.facts_in`).
    """
    if is_own(name):
        return Metric("own", name, None, reads="code", exact=False)
    if not is_judged(name):
        return METRICS[name]
    unmasked = name.removesuffix(_MASKED)
    short = unmasked.removeprefix(_JUDGE)
    criterion = next((c for c in JUDGED if c and short.endswith(f"_{c}")), "")
    return replace(JUDGED[criterion], criterion=criterion, unmasked=unmasked if unmasked != name else "")


TITLES = {
    "rouge_1": "Shared words",
    "rouge_2": "Shared word pairs",
    "rouge_l": "Shared word order",
    "embedding_cosine": "Topic likeness",
    "embedding_rank": "Rank of the right answer",
    "bertscore": "Likeness word by word",
    "sentence_coverage": "Sentences covered",
    "facts": "Facts",
    "nli": "Entailment",
    "style_identity": "Voice",
    "surprise": "Surprise",
    "length_ratio": "Length",
    "copying": "Copying",
}
"""What the pages call the metrics; their own names stand beside them."""


GLOSSARY = {
    "rouge_1": "The share of single words that the answer and the real answer have in common (F: the harmonic mean of both "
    "directions). 1 is all, 0 is none. Two people who talk about the same thing share many words.",
    "rouge_2": "The same as Shared words, but with pairs of neighbouring words.",
    "rouge_l": "The same as Shared words, but with the longest sequence of words that both answers have in the same order.",
    "embedding_cosine": "How alike two answers are to a sentence encoder: 1 is the same direction, 0 is unrelated. It reads "
    "mostly the topic, and the question already gives the topic.",
    "embedding_rank": "The real answers to all held-out questions are sorted by likeness to the arm's answer. The score is 1 divided by "
    "the place of the right one.",
    "bertscore": "Each word is matched with the word of the other answer that is nearest in meaning. Even different texts score high, so "
    "only differences between scores mean something.",
    "sentence_coverage": "Each sentence of the real answer is compared with the nearest sentence of the answer, and the other way round. A "
    "sentence encoder measures how near they are, beyond what the question already says. What the answer covers in the same way of the "
    "person's real answers in other interviews is subtracted. So the repeated question, and any text given to every question, score 0. "
    "It cannot tell a sentence from its opposite.",
    "facts": "Each sentence of the real answer with a number, a date or a name is compared with the nearest sentence of the answer. The "
    "score is the share of these facts that the answer has as well. Contradicted facts (another number in their place) and missing facts "
    "are counted separately. If the real answer has no such fact, the answer is unscored. An answer with all facts right can still take "
    "the opposite position.",
    "nli": "A model of inference, which the suite names, reads each sentence together with the nearest sentences of the other answer. The "
    "score is how far the sentence follows from them, less how far they contradict it, in both directions. 1 is entailed throughout, −1 "
    "is contradicted throughout.",
    "style_identity": "How much more the answer sounds like this person than like the others, the interviewers or a stranger. It reads "
    "grammar and small words: 1 is the person, 0 is anybody else. It is not a probability, and it ignores the content. An answer that is too "
    "short, copied, the same for every question, off the topic or not fluent has no voice score.",
    "surprise": "A small language model reads the answer's first 25 words. The score says how many spreads their mean log probability is "
    "from the middle of the person's own answers, on either side. Nearly all people's answers are under 2. Machines speak more smoothly "
    "than people, and that counts as far off. The score describes and gives no verdict: other people are as near as the person.",
    "length_ratio": "Words in the answer divided by words in the real answer. Neither more nor less is better.",
    "copying": "The share of the answer's runs of eight words that also stand in memories, writings or earlier answers.",
}


def title(metric: str) -> str:
    """What the pages call a metric: `Voice`, `Content recall (judge)`."""
    if metric in TITLES:
        return TITLES[metric]
    words = metric.removeprefix(_JUDGE).removeprefix(OWN).replace("_", " ")
    return words[:1].upper() + words[1:] + (" (judge)" if is_judged(metric) else " (own)" if is_own(metric) else "")
