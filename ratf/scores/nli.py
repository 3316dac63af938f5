"""Agreement by natural language inference, sentence against sentence, with a cross-encoder that the user names.

Whole answers are too much for such a model; pairs of sentences are what it learnt (SummaC, Laban et al. 2022, arXiv
2111.09525: the best entailment over the premise's sentences, its mean over the hypothesis').
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from raft.models.kept import kept
from raft.progress import Progress, silent
from ratf.edits.alignment import Embed, Split, aligned
from ratf.edits.sentences import sentences
from ratf.suite.inference import read_inference

BATCH_ROWS = 32
NEAREST = 3
"""The number of the other side's sentences, the nearest ones, that each sentence is compared with."""


Labelled = tuple[float, float]
"""Probability of entailment and of contradiction; the latter is 0 where the model has no such label."""


Judge = Callable[[Sequence[tuple[str, str]]], Sequence[Labelled | None]]
"""(premise, hypothesis) to their labels; None where the pair is too long for the model. A `Lookup` keeps what was asked."""


@dataclass(frozen=True)
class Agreement:
    """`recall`: does the answer entail the real one's sentences; `precision`: does the real one entail the answer's.

    Each is a mean over sentences of the best entailment less the worst contradiction, from -1 to 1.
    """

    recall: float
    precision: float

    @property
    def score(self) -> float:
        """The mean of both sides."""
        return (self.recall + self.precision) / 2


class CrossEncoder:
    """A sequence-classification model in a folder. Nothing is fetched."""

    def __init__(self, name: str, progress: Progress = silent) -> None:
        self.name = name
        self._progress = progress

    @cached_property
    def _parts(self) -> tuple[Any, Any, int, int | None, int]:
        from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

        from raft.models.local import device
        from raft.models.weights import quiet

        folder, entails, contradicts = read_inference(self.name)
        with quiet():
            config = AutoConfig.from_pretrained(folder, local_files_only=True)
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model = AutoModelForSequenceClassification.from_pretrained(folder, local_files_only=True)
        longest = min(tokenizer.model_max_length, getattr(config, "max_position_embeddings", 512))
        return tokenizer, model.to(device()).float().eval(), entails, contradicts, longest

    @cached_property
    def _made_by(self) -> list[Any]:
        from raft.models.local import device
        from raft.models.weights import weights_digest

        folder, entails, contradicts = read_inference(self.name)
        return ["1", weights_digest(str(folder.resolve())), entails, contradicts, device()]

    def __call__(self, pairs: Sequence[tuple[str, str]]) -> list[Labelled | None]:
        """Each (premise, hypothesis): the probabilities of entailment and contradiction; None where it is too long.

        They are kept in the user's cache: the controls' answers are the same for each seed and setting.
        """

        def make() -> dict[str, NDArray[Any]]:
            nothing = (np.nan, np.nan)
            return {"labels": np.array([nothing if row is None else row for row in self._labelled(pairs)])}

        labels = kept("inferred", [*self._made_by, [list(pair) for pair in pairs]], make)["labels"].reshape(-1, 2)
        return [None if np.isnan(row).any() else (float(row[0]), float(row[1])) for row in labels]

    def _labelled(self, pairs: Sequence[tuple[str, str]]) -> list[Labelled | None]:
        import torch

        tokenizer, model, entails, contradicts, longest = self._parts
        lengths = [len(tokenizer(a, b)["input_ids"]) for a, b in pairs]
        order = sorted((i for i in range(len(pairs)) if lengths[i] <= longest), key=lambda i: (lengths[i], pairs[i]))
        found: list[Labelled | None] = [None] * len(pairs)
        with self._progress("comparing sentences", len(order), "pairs") as advance:
            for start in range(0, len(order), BATCH_ROWS):
                batch = order[start : start + BATCH_ROWS]
                inputs = tokenizer(
                    [pairs[i][0] for i in batch], [pairs[i][1] for i in batch], return_tensors="pt", padding=True
                )
                with torch.inference_mode():
                    chances = model(**inputs.to(model.device)).logits.softmax(-1).tolist()
                for i, row in zip(batch, chances, strict=True):
                    found[i] = (row[entails], row[contradicts] if contradicts is not None else 0.0)
                advance(len(batch))
        return found


def agreements(
    pairs: Sequence[tuple[str, str]],
    judge: Judge,
    embed: Embed,
    split: Split = sentences,
    nearest: int = NEAREST,
) -> list[Agreement | None]:
    """For each (answer, real answer), how far each side's sentences follow from the other's.

    A sentence is held against the `nearest` ones of the other side, by the embedder's cosine. None where a side has no
    sentence, or every pair of one sentence is too long for the model. Each distinct pair is asked once.
    """
    found = aligned(pairs, embed, split)
    asked = [() if a is None else (_near(a.real, a.said, a.cosines, nearest), _near(a.said, a.real, a.cosines.T, nearest))
             for a in found]  # fmt: skip
    distinct = list(dict.fromkeys(pair for sides in asked for side in sides for row in side for pair in row))
    labelled = dict(zip(distinct, judge(distinct), strict=True)) if distinct else {}
    return [_agreement(sides, labelled) if sides else None for sides in asked]


Side = list[list[tuple[str, str]]]


def _near(hypotheses: list[str], premises: list[str], cosines: NDArray[np.float32], nearest: int) -> Side:
    """For each hypothesis, (premise, hypothesis) of its nearest premises."""
    order = np.argsort(-np.round(cosines, 5), axis=1, kind="stable")[:, :nearest]
    return [[(premises[j], h) for j in row] for h, row in zip(hypotheses, order, strict=True)]


def _agreement(sides: Sequence[Side], labelled: Mapping[tuple[str, str], Labelled | None]) -> Agreement | None:
    means = []
    for side in sides:
        best = []
        for row in side:
            known = [found for pair in row if (found := labelled[pair]) is not None]
            if not known:
                return None
            best.append(max(e for e, _ in known) - max(c for _, c in known))
        means.append(float(np.mean(best)))
    return Agreement(*means)
