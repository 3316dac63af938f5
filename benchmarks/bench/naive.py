"""Scorers as most people write them: one answer at a time, with the libraries' own calls."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from bert_score import BERTScorer
from rouge_score.rouge_scorer import RougeScorer

from raft.models.names import EMBEDDER, embedder


class Naive:
    """ROUGE, cosine and BERTScore of one answer after another, with the same encoder as ours."""

    def __init__(self, encoder: Path) -> None:
        self._rouge = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True)
        self._embedder = embedder(EMBEDDER)
        self._bert = BERTScorer(model_type=str(encoder), num_layers=6, device="cpu")

    def __call__(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Score each pair of an answer and the real answer."""
        for answer, real in pairs:
            self._rouge.score(real, answer)
            a, b = self._embedder.embed([answer])[0], self._embedder.embed([real])[0]
            float(np.dot(a, b))
            self._bert.score([answer], [real])
