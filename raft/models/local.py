"""Language models that run here: transformers, bf16 where the processor has it, answers in length-sorted batches."""

import ctypes
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from raft.models import attention
from raft.models.kv_cache import cache_for
from raft.models.sampling import Sampler, Sampling, stream
from raft.models.weights import adapter_folder, model_folder, quiet
from raft.progress import Progress, silent
from raft.types import Message

BATCH_ROWS = 48
"""At most; what is asked is split into batches of equal size, because a small one takes nearly as long as a full one."""


MERGE_BELOW_PARAMETERS = 1_000_000_000
"""An unmerged adapter halved the speed of a small model; a large base is better shared between adapters."""


@dataclass(frozen=True)
class Generated:
    """An answer. `logprobs` has a row for each token: its likeliest tokens with their log probabilities."""

    text: str
    input_tokens: int
    output_tokens: int
    stopped: bool
    logprobs: list[list[tuple[str, float]]] = field(default_factory=list)


def best_dtype() -> torch.dtype:
    """bf16 where the hardware multiplies it natively; elsewhere it would be slower than f32."""
    if torch.cuda.is_available() and torch.cuda.is_bf16_supported():
        return torch.bfloat16
    native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if native else torch.float32


def device() -> str:
    """The GPU where there is one."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def return_freed_memory() -> None:
    """Let glibc give freed pages back: tensors of ever other sizes leave holes in its heap."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL("libc.so.6").malloc_trim(0)


def load_base(name: str, dtype: torch.dtype, progress: Progress = silent) -> tuple[Any, Any]:
    """The tokenizer and the weights of an embedded model, fetched when needed, or of the folder of another."""
    folder = model_folder(name, progress)
    with quiet():
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, padding_side="left")
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, local_files_only=True)
    return tokenizer, model


def render(tokenizer: Any, messages: Sequence[Message]) -> str:
    """A conversation as a model reads it, up to where its answer begins; no text in it can end its own message."""
    said = [{"role": m["role"], "content": harmless(tokenizer, m["content"])} for m in messages]
    return str(tokenizer.apply_chat_template(said, tokenize=False, add_generation_prompt=True))


def harmless(tokenizer: Any, text: str) -> str:
    """`text` with a space inside every mark, such as `<|im_end|>`, that would be a command to the model."""
    for mark in tokenizer.get_added_vocab():
        text = text.replace(mark, f"{mark[:1]} {mark[1:]}")
    return text


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
        tokenizer, _ = self.loaded()
        prompts = [self.render(messages) for messages in conversations]
        lengths = [len(ids) for ids in tokenizer(prompts, add_special_tokens=False).input_ids] if prompts else []
        order = sorted(range(len(prompts)), key=lambda i: (sampling[i].max_tokens, lengths[i], prompts[i]))
        size = -(-len(order) // max(1, -(-len(order) // BATCH_ROWS)))
        for start in range(0, len(order), max(1, size)):
            rows = order[start : start + size]
            yield from zip(rows, self._batch([prompts[i] for i in rows], [sampling[i] for i in rows]), strict=True)

    def render(self, messages: Sequence[Message]) -> str:
        """The conversation as the model reads it, up to where its answer begins."""
        tokenizer, _ = self.loaded()
        return render(tokenizer, messages)

    def count_tokens(self, text: str) -> int:
        """How many tokens `text` has."""
        tokenizer, _ = self.loaded()
        return len(tokenizer(text, add_special_tokens=False).input_ids)

    def loaded(self) -> tuple[Any, Any]:
        """The tokenizer and the weights."""
        if self._loaded is None:
            self._loaded = _load(self.name, self._progress)
        return self._loaded

    def _batch(self, prompts: list[str], sampling: list[Sampling]) -> list[Generated]:
        tokenizer, _ = self.loaded()
        sampler = Sampler(sampling, [stream(s.seed, p) for s, p in zip(sampling, prompts, strict=True)])
        with torch.inference_mode():
            read = self._decode(prompts, sampler)
        return_freed_memory()
        answers = []
        for row, ids in enumerate(sampler.said):
            stopped = ids[-1] == tokenizer.eos_token_id
            top = [[(tokenizer.decode([token]), p) for token, p in step] for step in sampler.top[row]]
            text = tokenizer.decode(ids[:-1] if stopped else ids, skip_special_tokens=True).strip()
            answers.append(Generated(text, read[row], len(ids), stopped, top))
        return answers

    def _decode(self, prompts: list[str], sampler: Sampler) -> list[int]:
        """Let `sampler` say one token after the other; rows that are done leave the batch. Returns the prompts' lengths."""
        tokenizer, model = self.loaded()
        read = tokenizer(prompts, add_special_tokens=False).input_ids
        shared = _shared(read)
        cache = cache_for(model.config, max(map(len, read)) + sampler.longest)
        if shared:
            model(input_ids=torch.tensor([read[0][:shared]], device=model.device), cache=cache, logits_to_keep=1)
            cache.batch_repeat_interleave(len(prompts))
        rest = tokenizer.pad({"input_ids": [row[shared:] for row in read]}, return_tensors="pt").to(model.device)
        ids = rest.input_ids
        mask = torch.cat([ids.new_ones(len(prompts), shared), rest.attention_mask], dim=-1)
        places = (mask.cumsum(-1) - 1).clamp(min=0)[:, shared:]
        rows = list(range(len(prompts)))
        while rows:
            logits = model(
                input_ids=ids, attention_mask=mask, position_ids=places, cache=cache, logits_to_keep=1
            ).logits[:, -1]
            tokens = sampler.say(rows, logits.float().cpu())
            going = [i for i, row in enumerate(rows) if not sampler.done(row, tokenizer.eos_token_id)]
            if len(going) < len(rows):
                cache.batch_select_indices(torch.tensor(going, dtype=torch.long, device=model.device))
                mask, places, tokens, rows = (
                    mask[going],
                    places[going],
                    [tokens[i] for i in going],
                    [rows[i] for i in going],
                )
            ids = torch.tensor(tokens, device=model.device).unsqueeze(-1)
            mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=-1)
            places = places[:, -1:] + 1
        return [len(row) for row in read]


def _load(name: str, progress: Progress) -> tuple[Any, Any]:
    base, _, adapter = name.partition("+")
    if not adapter:
        tokenizer, model = load_base(base, best_dtype(), progress)
        return tokenizer, _settle(model)
    from peft import PeftModel

    folder = adapter_folder(adapter)
    # merged in f32: bf16 would round most of a small update away
    tokenizer, model = load_base(base, torch.float32, progress)
    with quiet():
        tuned = PeftModel.from_pretrained(model, folder)
    if model.num_parameters() < MERGE_BELOW_PARAMETERS:
        tuned = tuned.merge_and_unload()
    return tokenizer, _settle(tuned)


def _settle(model: Any) -> Any:
    if device() == "cpu":
        attention.use_for(model)
    return model.to(best_dtype()).to(device()).eval()


def _shared(read: Sequence[Sequence[int]]) -> int:
    """How many tokens all rows begin with, such as the persona's: they are read once. Each keeps one of its own."""
    first, last = min(map(list, read)), max(map(list, read))
    same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return min(same, min(map(len, read)) - 1)
