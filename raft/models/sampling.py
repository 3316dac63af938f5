"""The next token of each row of a batch is chosen by the row's own settings and its own random stream."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class Sampling:
    """The settings by which the next token is chosen. Temperature 0 takes the likeliest; the penalties are OpenAI's.

    `top_logprobs` is how many of the likeliest tokens are recorded at each place. Without a `seed` the choice cannot be
    repeated.
    """

    max_tokens: int = 256
    temperature: float = 1.0
    top_p: float = 1.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    seed: int | None = None
    top_logprobs: int = 0


def stream(seed: int | None, prompt: str) -> np.random.Generator:
    """Return a prompt's own random stream, so that answers do not depend on the order of the requests."""
    if seed is None:
        return np.random.default_rng()
    return np.random.default_rng(int.from_bytes(hashlib.sha256(f"{seed}\n{prompt}".encode()).digest()[:8], "big"))


class Sampler:
    """A sampler chooses each row's next token by that row's own settings and random stream.

    Temperature is applied first, then the nucleus (Holtzman et al. 2020, arXiv 1904.09751), then one uniform draw is
    made for each row. `said` has the tokens of each row so far, `top` the likeliest tokens at each place.
    """

    CANDIDATES = 256

    @property
    def longest(self) -> int:
        """The greatest number of tokens that any row may have."""
        return max(s.max_tokens for s in self._sampling)

    def __init__(self, sampling: Sequence[Sampling], streams: Sequence[np.random.Generator]) -> None:
        self.said: list[list[int]] = [[] for _ in sampling]
        self.top: list[list[list[tuple[int, float]]]] = [[] for _ in sampling]
        self._sampling = sampling
        self._streams = streams

    def say(self, rows: Sequence[int], logits: torch.Tensor) -> list[int]:
        """Choose and return the next token of each of `rows`; `logits` is float32 of shape (len(rows), vocabulary).

        The penalties, as OpenAI's API reference defines them, are subtracted from `logits` in place.
        """
        self._remember(rows, logits)
        settings = [self._sampling[row] for row in rows]
        logits = self._penalised(rows, logits) / torch.tensor([[s.temperature or 1.0] for s in settings])
        total = torch.logsumexp(logits, dim=-1, keepdim=True)
        values, ids = logits.topk(min(self.CANDIDATES, logits.shape[-1]))
        mass = torch.exp(values - total).cumsum(-1)
        tokens = []
        for i, row in enumerate(rows):
            nucleus, held = ids[i], mass[i]
            if float(held[-1]) < settings[i].top_p:  # the nucleus reaches beyond the candidates
                values, nucleus = logits[i].sort(descending=True)
                held = torch.exp(values - total[i]).cumsum(-1)
            tokens.append(int(nucleus[0]) if settings[i].temperature == 0 else self._draw(row, nucleus, held))
            self.said[row].append(tokens[-1])
        return tokens

    def done(self, row: int, end: int) -> bool:
        """Return whether the row is finished: its last token is `end`, or it has its greatest number of tokens."""
        return self.said[row][-1] == end or len(self.said[row]) >= self._sampling[row].max_tokens

    def _draw(self, row: int, ids: torch.Tensor, held: torch.Tensor) -> int:
        last = min(int(torch.searchsorted(held, self._sampling[row].top_p)), len(held) - 1)
        draw = self._streams[row].random() * float(held[last])
        return int(ids[min(int(torch.searchsorted(held, draw)), last)])

    def _remember(self, rows: Sequence[int], logits: torch.Tensor) -> None:
        wanted = max(s.top_logprobs for s in self._sampling)
        if wanted:
            values, ids = torch.log_softmax(logits, dim=-1).topk(wanted)
            for row, t, v in zip(rows, ids.tolist(), values.tolist(), strict=True):
                self.top[row].append(list(zip(t, v, strict=True))[: self._sampling[row].top_logprobs])

    def _penalised(self, rows: Sequence[int], logits: torch.Tensor) -> torch.Tensor:
        for i, row in enumerate(rows):
            s = self._sampling[row]
            if self.said[row] and (s.frequency_penalty or s.presence_penalty):
                ids, counts = torch.tensor(self.said[row]).unique(return_counts=True)
                logits[i, ids] -= s.frequency_penalty * counts + s.presence_penalty
        return logits
