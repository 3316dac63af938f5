"""Language models that run here: transformers, bf16 where the processor has it, answers in length-sorted batches."""

import hashlib
import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LogitsProcessor, LogitsProcessorList
from transformers.utils import logging as transformers_logging

from raft.adapters import adapter_folder
from raft.progress import Progress, silent
from raft.types import Message
from raft.weights import fetch

BATCH_ROWS = 16
MERGE_BELOW_PARAMETERS = 1_000_000_000
"""An unmerged adapter halved the speed of a small model; a large base is better shared between adapters."""


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen. Temperature 0 takes the likeliest; the penalties are OpenAI's."""

    max_tokens: int = 256
    temperature: float = 1.0
    top_p: float = 1.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    seed: int | None = None
    top_logprobs: int = 0


@dataclass(frozen=True)
class Generated:
    """An answer. `logprobs` has a row for each token: its likeliest tokens with their log probabilities."""

    text: str
    input_tokens: int
    output_tokens: int
    stopped: bool
    logprobs: list[list[tuple[str, float]]] = field(default_factory=list)


@contextmanager
def quiet() -> Iterator[None]:
    """Without transformers' own progress bars and hints, some of which know no other switch than stderr."""
    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        with redirect_stderr(io.StringIO()), warnings.catch_warnings(action="ignore"):
            yield
    finally:
        transformers_logging.set_verbosity(verbosity)


def best_dtype() -> torch.dtype:
    """bf16 where the hardware multiplies it natively; elsewhere it would be slower than f32."""
    if torch.cuda.is_available() and torch.cuda.is_bf16_supported():
        return torch.bfloat16
    native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if native else torch.float32


def device() -> str:
    """The GPU where there is one."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def load_base(name: str, dtype: torch.dtype, progress: Progress = silent) -> tuple[Any, Any]:
    """The tokenizer and the weights of an embedded model, fetched when needed."""
    folder = fetch(name, progress)
    with quiet():
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, padding_side="left")
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, local_files_only=True)
    return tokenizer, model


class LocalModel:
    """`<model>` or `<model>+<adapter digest>`. Weights are read by the first call that needs them."""

    def __init__(self, name: str, progress: Progress = silent) -> None:
        self.name = name
        self._progress = progress
        self._loaded: tuple[Any, Any] | None = None

    def generate(self, conversations: Sequence[Sequence[Message]], sampling: Sequence[Sampling]) -> list[Generated]:
        """The next message of each conversation, in their order."""
        answers = dict(self.stream(conversations, sampling))
        return [answers[i] for i in range(len(conversations))]

    def stream(
        self, conversations: Sequence[Sequence[Message]], sampling: Sequence[Sampling]
    ) -> Iterator[tuple[int, Generated]]:
        """Each conversation's index and next message, a batch at a time, shortest first.

        Conversations of similar length share a batch. Each draws from its own seeded stream, so what a
        conversation's neighbours are changes its answer only as far as rounding does.
        """
        tokenizer, _ = self._model()
        prompts = [self.render(messages) for messages in conversations]
        lengths = [len(ids) for ids in tokenizer(prompts, add_special_tokens=False).input_ids] if prompts else []
        order = sorted(range(len(prompts)), key=lambda i: (sampling[i].max_tokens, lengths[i], prompts[i]))
        for start in range(0, len(order), BATCH_ROWS):
            rows = order[start : start + BATCH_ROWS]
            yield from zip(rows, self._batch([prompts[i] for i in rows], [sampling[i] for i in rows]), strict=True)

    def render(self, messages: Sequence[Message]) -> str:
        """The conversation as the model reads it, up to where its answer begins."""
        tokenizer, _ = self._model()
        return str(tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=True))

    def count_tokens(self, text: str) -> int:
        """How many tokens `text` has."""
        tokenizer, _ = self._model()
        return len(tokenizer(text, add_special_tokens=False).input_ids)

    def _model(self) -> tuple[Any, Any]:
        if self._loaded is None:
            self._loaded = _load(self.name, self._progress)
        return self._loaded

    def _batch(self, prompts: list[str], sampling: list[Sampling]) -> list[Generated]:
        tokenizer, model = self._model()
        inputs = tokenizer(prompts, return_tensors="pt", padding=True, add_special_tokens=False).to(model.device)
        width = inputs.input_ids.shape[1]
        sampler = Sampler(sampling, [_seed(s.seed, p) for s, p in zip(sampling, prompts, strict=True)], width)
        with torch.inference_mode():
            output = model.generate(
                **inputs,
                do_sample=False,
                max_new_tokens=max(s.max_tokens for s in sampling),
                pad_token_id=tokenizer.pad_token_id,
                logits_processor=LogitsProcessorList([sampler]),
            )
        end = tokenizer.eos_token_id
        answers = []
        for row, ids in enumerate(output[:, width:].tolist()):
            ids = ids[: sampling[row].max_tokens]
            stopped = end in ids
            ids = ids[: ids.index(end)] if stopped else ids
            answers.append(
                Generated(
                    text=tokenizer.decode(ids, skip_special_tokens=True).strip(),
                    input_tokens=int(inputs.attention_mask[row].sum()),
                    output_tokens=len(ids) + stopped,
                    stopped=stopped,
                    logprobs=[
                        [(tokenizer.decode([token]), logprob) for token, logprob in step[row]]
                        for step in sampler.top[: len(ids) + stopped]
                    ]
                    if sampling[row].top_logprobs
                    else [],
                )
            )
        return answers


def _load(name: str, progress: Progress) -> tuple[Any, Any]:
    base, _, adapter = name.partition("+")
    if not adapter:
        tokenizer, model = load_base(base, best_dtype(), progress)
        return tokenizer, model.to(device()).eval()
    from peft import PeftModel

    folder = adapter_folder(adapter)
    # merged in f32: bf16 would round most of a small update away
    tokenizer, model = load_base(base, torch.float32, progress)
    with quiet():
        tuned = PeftModel.from_pretrained(model, folder)
    if model.num_parameters() < MERGE_BELOW_PARAMETERS:
        tuned = tuned.merge_and_unload()
    return tokenizer, tuned.to(best_dtype()).to(device()).eval()


def _seed(seed: int | None, prompt: str) -> np.random.Generator:
    """A stream of its own for each prompt, so that answers do not depend on the order of the requests."""
    if seed is None:
        return np.random.default_rng()
    return np.random.default_rng(int.from_bytes(hashlib.sha256(f"{seed}\n{prompt}".encode()).digest()[:8], "big"))


class Sampler(LogitsProcessor):  # type: ignore[misc]
    """Chooses each row's next token by that row's own settings and random stream.

    Temperature, then nucleus (Holtzman et al. 2020, arXiv 1904.09751), then one uniform draw a row.
    """

    CANDIDATES = 256

    def __init__(self, sampling: Sequence[Sampling], streams: Sequence[np.random.Generator], prompt_tokens: int) -> None:
        self.sampling = sampling
        self.streams = streams
        self.prompt_tokens = prompt_tokens
        self.top: list[list[list[tuple[int, float]]]] = []

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Scores in which every row has one possible token."""
        logits = scores.float()
        self._remember(logits)
        chosen = torch.full_like(logits, -torch.inf)
        said = input_ids[:, self.prompt_tokens :]
        for row, settings in enumerate(self.sampling):
            chosen[row, self._choose(logits[row], said[row], settings, self.streams[row])] = 0.0
        return chosen

    def _remember(self, logits: torch.Tensor) -> None:
        wanted = max(s.top_logprobs for s in self.sampling)
        if wanted:
            values, tokens = torch.log_softmax(logits, dim=-1).topk(wanted)
            pairs = zip(tokens.tolist(), values.tolist(), strict=True)
            self.top.append([list(zip(t, v, strict=True)) for t, v in pairs])

    def _choose(self, logits: torch.Tensor, said: torch.Tensor, s: Sampling, stream: np.random.Generator) -> int:
        if s.frequency_penalty or s.presence_penalty:
            tokens, counts = said.unique(return_counts=True)
            logits = logits.index_put((tokens,), logits[tokens] - s.frequency_penalty * counts - s.presence_penalty)
        if s.temperature == 0:
            return int(logits.argmax())
        logits = logits / s.temperature
        total = torch.logsumexp(logits, dim=-1)
        size = min(self.CANDIDATES, len(logits))
        values, tokens = logits.topk(size)
        mass = torch.exp(values - total).cumsum(-1)
        if float(mass[-1]) < s.top_p:  # the nucleus is wider than the candidates: look at every token
            values, tokens = logits.sort(descending=True)
            mass = torch.exp(values - total).cumsum(-1)
        nucleus = min(int(torch.searchsorted(mass, s.top_p)) + 1, len(mass))
        draw = stream.random() * float(mass[nucleus - 1])
        return int(tokens[min(int(torch.searchsorted(mass[:nucleus], draw)), nucleus - 1)])
