"""Texts to vectors, by the embedded encoder."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

from raft.models.local import device
from raft.models.weights import fetch, quiet
from raft.progress import Progress, silent
from raft.types import Vectors

BATCH_ROWS = 32
MAX_TOKENS = 256
"""What the encoder was trained on; longer texts are cut there."""


class LocalEmbedder:
    """Mean-pooled, normalised token vectors (Reimers & Gurevych 2019, arXiv 1908.10084)."""

    def __init__(self, name: str, progress: Progress = silent) -> None:
        self.name = name
        self._progress = progress

    @cached_property
    def _parts(self) -> tuple[Any, Any]:
        folder = fetch(self.name, self._progress)
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model = AutoModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
        return tokenizer, model.to(device()).eval()

    def embed(self, texts: Sequence[str], progress: Progress = silent) -> Vectors:
        """float32 of shape (len(texts), 384), rows of unit length."""
        if not texts:
            return np.zeros((0, 384), dtype=np.float32)
        unique = sorted(set(texts), key=lambda text: (len(text), text))
        rows = []
        with progress("embedding", len(unique), "texts") as advance:
            for start in range(0, len(unique), BATCH_ROWS):
                batch = unique[start : start + BATCH_ROWS]
                rows.append(self._batch(batch))
                advance(len(batch))
        vectors = np.concatenate(rows)
        place = {text: row for row, text in enumerate(unique)}
        found: Vectors = vectors[[place[text] for text in texts]]
        return found

    def embed_tokens(self, texts: Sequence[str]) -> tuple[Vectors, list[Vectors]]:
        """What `embed` gives, and the vectors (n, 384) of each text's tokens, marks at both ends included, of the same pass."""
        order = sorted(range(len(texts)), key=lambda i: (len(texts[i]), texts[i]))
        rows, tokens = (
            np.zeros((len(texts), 384), dtype=np.float32),
            [np.zeros((0, 384), dtype=np.float32)] * len(texts),
        )
        for start in range(0, len(order), BATCH_ROWS):
            batch = order[start : start + BATCH_ROWS]
            pooled, hidden, mask = self._pass([texts[i] for i in batch])
            rows[batch] = pooled
            for row, i in enumerate(batch):
                tokens[i] = hidden[row, : int(mask[row].sum())]
        return rows, tokens

    def _batch(self, texts: list[str]) -> Vectors:
        return self._pass(texts)[0]

    def _pass(self, texts: list[str]) -> tuple[Vectors, Vectors, Any]:
        """Unit vectors, token vectors and the mask of a batch."""
        tokenizer, model = self._parts
        inputs = tokenizer(texts, return_tensors="pt", padding=True, truncation=True, max_length=MAX_TOKENS).to(
            model.device
        )
        with torch.inference_mode():
            hidden = model(**inputs).last_hidden_state
        mask = inputs.attention_mask.unsqueeze(-1)
        pooled = (hidden * mask).sum(1) / mask.sum(1)
        unit: Vectors = torch.nn.functional.normalize(pooled, dim=-1).cpu().numpy().astype(np.float32)
        return unit, hidden.cpu().numpy(), inputs.attention_mask.cpu().numpy()
