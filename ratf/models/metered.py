"""Hosted embedders and tuners that tell the run's meter what they take. `ratf/models/hooks.py` counts chat models."""

import hashlib
import os
from collections.abc import Sequence

from raft.models.kept import kept
from raft.text import estimated_tokens
from raft.tuning.openai_format import check, openai_jsonl
from raft.types import Embedder, TrainingSample, Tuner, Vectors
from ratf.models.budget import Meter, current
from ratf.models.prices import price_of, training_price


class MeteredEmbedder:
    """An embedder whose texts are counted, at four characters a token, and refused once a limit is reached."""

    def __init__(self, name: str, encoder: Embedder) -> None:
        self._name, self._encoder = name, encoder

    def embed(self, texts: Sequence[str]) -> Vectors:
        """The vectors of the texts, as the embedder gives them, or gave them before. Raises OverBudget once a limit is reached."""
        counting = current()
        if counting is None or not texts:
            return self._encoder.embed(texts)
        if counting.reached():
            raise counting.refuse()
        asked = ["1", self._name, os.environ.get("OPENAI_BASE_URL", ""), list(texts)]
        # apart from what is made here, which costs nothing to make again
        return kept("bought", asked, lambda: {"vectors": self._paid(counting, texts)})["vectors"]

    def _paid(self, counting: Meter, texts: Sequence[str]) -> Vectors:
        found = self._encoder.embed(texts)
        tokens = sum(map(estimated_tokens, texts))
        price = price_of(self._name, counting.prices)
        with counting.doing("embedding"):
            counting.add(self._name, tokens, price.of(tokens, 0) if price else None)
        return found


class MeteredTuner:
    """A tuner whose job is counted once, before it is made, because a job must be paid even if the run is killed."""

    def __init__(self, model: str, tuner: Tuner, epochs: int) -> None:
        self._model, self._tuner, self._epochs = model, tuner, epochs

    def tune(self, samples: Sequence[TrainingSample], base: str, validation: Sequence[TrainingSample] = ()) -> str:
        """The name of the tuned model, as the tuner gives it. Raises OverBudget where the job would exceed a limit."""
        counting, data = current(), openai_jsonl(samples).encode()
        key = hashlib.sha256(data).hexdigest()[:16]
        if counting is not None and not counting.knows(key):
            tokens, price = check(data, "training").tokens * self._epochs, training_price(self._model, counting.prices)
            usd = None if price is None else tokens * price / 1e6
            counting.reserve(f"fine-tuning {self._model}", tokens, usd)
            with counting.doing("tuning"):
                counting.add(self._model, tokens, usd, key)
        return self._tuner.tune(samples, base, validation)
