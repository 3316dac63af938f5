"""The embedded encoder turns texts into vectors on this machine."""

from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

from raft.models.cores import evenly, return_freed_memory
from raft.models.kept import kept
from raft.models.local import at_a_time, device
from raft.models.weights import quiet, weights_digest, whole
from raft.progress import Progress, silent
from raft.types import Vectors

BATCH_ROWS = 32
LEAST_KEPT = 8
"""The fewest texts whose vectors are kept in the user's cache: fewer take less time than a file is worth."""
MAX_TOKENS = 256
"""The number of tokens after which a text is cut: the encoder was trained on texts up to this length."""


class LocalEmbedder:
    """An `Embedder` by an encoder on this machine; `name` is an embedded model.

    A text's vector is the mean of its tokens' vectors, normalised (Reimers & Gurevych 2019, arXiv 1908.10084).
    """

    def __init__(self, name: str, progress: Progress = silent, keep: bool = True) -> None:
        """With `keep`, the vectors of many texts are kept in the user's cache."""
        self.name = name
        self._progress, self._keep = progress, keep

    @cached_property
    def made_by(self) -> list[str]:
        """What the vectors depend on beside the texts: the weights, and the kind of device."""
        return ["2", self.name, weights_digest(self.name), device()]

    @cached_property
    def _parts(self) -> tuple[Any, Any]:
        folder = whole(self.name, self._progress)
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model = AutoModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
        return tokenizer, model.to(device()).eval()

    def embed(self, texts: Sequence[str], progress: Progress = silent) -> Vectors:
        """Return the texts' vectors, in their order: float32 of shape (len(texts), 384), rows of unit length."""
        if not texts:
            return np.zeros((0, 384), dtype=np.float32)
        unique = sorted(set(texts), key=lambda text: (len(text), text))
        if self._keep and len(unique) >= LEAST_KEPT:
            made = kept("vectors", [*self.made_by, unique], lambda: {"vectors": self._embedded(unique, progress)})
            vectors: Vectors = made["vectors"]
        else:
            vectors = self._embedded(unique, progress)
        place = {text: row for row, text in enumerate(unique)}
        found: Vectors = vectors[[place[text] for text in texts]]
        return found

    def _embedded(self, unique: Sequence[str], progress: Progress) -> Vectors:
        rows = []
        with progress("embedding", len(unique), "texts") as advance:
            for pooled, _, _ in self._passes(unique):
                rows.append(pooled)
                advance(len(pooled))
        return np.concatenate(rows)

    def embed_tokens(self, texts: Sequence[str]) -> tuple[Vectors, list[Vectors]]:
        """Return the texts' vectors as `embed` does, and the vectors of each text's n tokens, of shape (n, 384).

        Both come from the same pass. The tokens include the marks at both ends of a text.
        """
        order = sorted(range(len(texts)), key=lambda i: (len(texts[i]), texts[i]))
        rows, tokens = (
            np.zeros((len(texts), 384), dtype=np.float32),
            [np.zeros((0, 384), dtype=np.float32)] * len(texts),
        )
        place = iter(order)
        for pooled, hidden, mask in self._passes([texts[i] for i in order]):
            for vector, of_tokens, length, i in zip(pooled, hidden, mask.sum(1), place, strict=False):
                rows[i], tokens[i] = vector, of_tokens[: int(length)]
        return rows, tokens

    def _passes(self, texts: Sequence[str]) -> Iterator[tuple[Vectors, Vectors, Any]]:
        """Yield the text vectors (rows, 384), token vectors (rows, tokens, 384) and mask (rows, tokens) of each batch."""
        tokenizer, model = self._parts
        # a tokenizer that is told to pad cannot be asked by two threads at a time
        batches = [
            tokenizer(list(part), return_tensors="pt", padding=True, truncation=True, max_length=MAX_TOKENS)
            for part in evenly(texts, BATCH_ROWS)
        ]
        yield from at_a_time(model)(partial(_pass, model), batches)
        return_freed_memory()


def _pass(model: Any, inputs: Any) -> tuple[Vectors, Vectors, Any]:
    inputs = inputs.to(model.device)
    with torch.inference_mode():
        hidden = model(**inputs).last_hidden_state
    mask = inputs.attention_mask.unsqueeze(-1)
    pooled = (hidden * mask).sum(1) / mask.sum(1)
    unit: Vectors = torch.nn.functional.normalize(pooled, dim=-1).cpu().numpy().astype(np.float32)
    return unit, hidden.cpu().numpy(), inputs.attention_mask.cpu().numpy()
