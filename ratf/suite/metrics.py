"""The scorer table: every metric's family and axis, what it says, and which way is better."""

from dataclasses import dataclass
from typing import Literal

from ratf.suite.arms import SAYS_NOTHING

Family = Literal["lexical", "semantic", "style", "judge", "length", "copying"]
Axis = Literal["content", "style", "identity"]


@dataclass(frozen=True)
class Metric:
    """What a score means. `better` is None where neither way is better; what has no `axis` sits no exam."""

    family: Family
    words: str
    better: Literal["higher", "lower"] | None
    top: float | None = None
    axis: Axis | None = None
    reads_real: bool = True
    """Whether it compares with the real answer; then the real answer itself proves nothing in its exam."""


METRICS = {
    "rouge_1": Metric("lexical", "ROUGE-1 F: shared words", "higher", 1, "content"),
    "rouge_2": Metric("lexical", "ROUGE-2 F: shared pairs of words", "higher", 1, "content"),
    "rouge_l": Metric("lexical", "ROUGE-L F: longest common word sequence", "higher", 1, "content"),
    "embedding_cosine": Metric("semantic", "cosine of the two answers' embeddings", "higher", 1, "content"),
    "embedding_rank": Metric(
        "semantic", "1 / rank of the true answer among all held-out answers", "higher", 1, "content"
    ),
    "bertscore": Metric("semantic", "BERTScore F on the embedded encoder", "higher", 1, "content"),
    "style_identity": Metric(
        "style",
        "probability that the person is speaking, by character n-grams and function words",
        "higher",
        1,
        "identity",
        reads_real=False,
    ),
    "length_ratio": Metric("length", "words in the answer / words in the real one", None),
    "copying": Metric("copying", "share of 8-word runs found in memories, writings or earlier answers", None, 1),
}
"""Judges are not listed: each rubric names its own metrics, as `judge_stance` or `judge_content_recall`."""


JUDGED: dict[str, Metric] = {
    "_contradiction": Metric("judge", "share of the real answer's claims that are contradicted", "lower", 1),
    "_brier": Metric("judge", "Brier score of who is speaking: 0 is certain and right", "lower", 2),
    "_chosen": Metric("judge", "how often it is taken for the real answer (target 50 %)", None, 1),
    "": Metric("judge", "the judge's grade", "higher", 1),
}
"""What a judge's metric means, by the end of its name; axis and words are the rubric's."""


@dataclass(frozen=True)
class Ladder:
    """What a metric of an axis must be able to tell, in names of controls."""

    positives: tuple[str, ...]
    negatives: tuple[str, ...]
    must: tuple[tuple[str, str], ...]
    """(higher, lower): shown the other way round, the metric is not admitted."""
    may: tuple[tuple[str, str], ...]
    """(higher, lower): expected and told, but a model's answer may have its merits."""


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
)
_PERSON = Ladder(
    positives=("real", "same_near", "same_far"),
    negatives=("impostor_near", "impostor_far"),
    must=_each(("real", "same_near", "same_far"), ("impostor_near", "impostor_far", *SAYS_NOTHING)),
    may=_each(("real", "same_near", "same_far"), ("paraphrase", "generic")),
)
LADDERS: dict[str, Ladder] = {"content": _CONTENT, "style": _PERSON, "identity": _PERSON}
"""The order that an axis demands of the controls."""


def metric(name: str) -> Metric:
    """What the metric of that name means."""
    if not name.startswith("judge_"):
        return METRICS[name]
    return next(m for end, m in JUDGED.items() if name.removesuffix("_masked").endswith(end))


TITLES = {
    "rouge_1": "Shared words",
    "rouge_2": "Shared word pairs",
    "rouge_l": "Shared word order",
    "embedding_cosine": "Topic likeness",
    "embedding_rank": "Rank of the right answer",
    "bertscore": "Likeness word by word",
    "style_identity": "Voice",
    "length_ratio": "Length",
    "copying": "Copying",
}
"""What the pages call the metrics; their own names stand beside them."""


GLOSSARY = {
    "rouge_1": "Of the single words in the answer and the real one, how many they share (F: the harmonic mean of both "
    "directions). 1 is all, 0 none. Two people at the same table share many words.",
    "rouge_2": "The same with pairs of neighbouring words.",
    "rouge_l": "The same with the longest sequence of words that both have in that order.",
    "embedding_cosine": "How alike two answers are to a sentence encoder: 1 is the same direction, 0 unrelated. It reads "
    "mostly the topic, and the topic is in the question.",
    "embedding_rank": "The real answers to all held-out questions are lined up by likeness to the arm's answer; 1 divided by the "
    "place of the right one.",
    "bertscore": "Each word is matched with the nearest in the other answer, by what it means there. Even unlike texts score high: only "
    "differences say something.",
    "style_identity": "The probability that this person speaks and not one of the others, by letters and small words. It knows nothing of "
    "the content: nonsense in the right voice scores high.",
    "length_ratio": "Words in the answer divided by words in the real one. Neither way is better.",
    "copying": "Share of the answer's runs of eight words that stand in memories, writings or earlier answers.",
}


def title(metric: str) -> str:
    """What the pages call a metric: `Voice`, `Content recall (judge)`."""
    if metric in TITLES:
        return TITLES[metric]
    words = metric.removeprefix("judge_").replace("_", " ")
    return words[:1].upper() + words[1:] + (" (judge)" if metric.startswith("judge_") else "")
