"""The scorer table: every metric's family, what it says, and which way is better."""

from dataclasses import dataclass
from typing import Literal

Family = Literal["lexical", "semantic", "style", "judge", "length", "copying"]


@dataclass(frozen=True)
class Metric:
    """What a score means. `better` is None where neither way is better."""

    family: Family
    words: str
    better: Literal["higher", "lower"] | None
    top: float | None = None


METRICS = {
    "rouge_1": Metric("lexical", "ROUGE-1 F: shared words", "higher", 1),
    "rouge_2": Metric("lexical", "ROUGE-2 F: shared pairs of words", "higher", 1),
    "rouge_l": Metric("lexical", "ROUGE-L F: longest common word sequence", "higher", 1),
    "embedding_cosine": Metric("semantic", "cosine of the two answers' embeddings", "higher", 1),
    "embedding_rank": Metric("semantic", "1 / rank of the true answer among all held-out answers", "higher", 1),
    "bertscore": Metric("semantic", "BERTScore F on the embedded encoder", "higher", 1),
    "style_identity": Metric("style", "probability that the person is speaking, by character n-grams", "higher", 1),
    "length_ratio": Metric("length", "words in the answer / words in the real one", None),
    "copying": Metric("copying", "share of 8-word runs found in memories, writings or earlier answers", None, 1),
}
"""Judges are not listed: each rubric in `ratf/judges/` is a metric `judge_<name>` of the judge family."""

JUDGE = Metric("judge", "the judge's grade", "higher", 1)


def metric(name: str) -> Metric:
    """What the metric of that name means."""
    return JUDGE if name.startswith("judge_") else METRICS[name]
