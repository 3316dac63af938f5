"""Language models run on this machine by transformers, in bf16 where the hardware has it, in batches by length."""

import ctypes
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from raft.models.digests import must_be_whole
from raft.models.engine import attention
from raft.models.engine.kv_cache import cache_for
from raft.models.engine.sampling import Sampler, Sampling, stream
from raft.models.tokens import without
from raft.models.weights import adapter_folder, quiet, whole
from raft.progress import Progress, silent
from raft.types import Message

BATCH_ROWS = 48
"""The greatest number of conversations in a batch.

Conversations are split into batches of equal size, because a small batch takes nearly as long as a full one.
"""


MERGE_BELOW_PARAMETERS = 1_000_000_000
"""The number of parameters below which an adapter is merged into its base.

An unmerged adapter halved the speed of a small model; a large base is left unmerged.
"""


@dataclass(frozen=True)
class Generated:
    """An answer of a model. `stopped` is whether it ended by itself, not at its greatest length.

    `logprobs` has a row for each token: the likeliest tokens at its place, with their log probabilities in nats.
    """

    text: str
    input_tokens: int
    output_tokens: int
    stopped: bool
    logprobs: list[list[tuple[str, float]]] = field(default_factory=list)


def best_dtype() -> torch.dtype:
    """Return bf16 where the hardware multiplies it natively, else f32, which is faster elsewhere."""
    if torch.cuda.is_available() and torch.cuda.is_bf16_supported():
        return torch.bfloat16
    native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if native else torch.float32


def device() -> str:
    """Return the device that models run on: `cuda` where there is a GPU, else `cpu`."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def return_freed_memory() -> None:
    """Have glibc return freed memory to the system: tensors of many sizes leave unused gaps in its heap."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # the C library is not glibc
            ctypes.CDLL("libc.so.6").malloc_trim(0)


AS_WRITTEN: Literal["auto"] = "auto"
"""The type of a model whose weights are read in the type in which they are on disk."""


def load_base(name: str, dtype: torch.dtype | Literal["auto"], progress: Progress = silent) -> tuple[Any, Any]:
    """Return the tokenizer and the model of an embedded model, fetched when needed, or of a model's folder.

    Raises RaftError where there is no such model, or where it cannot be fetched.
    """
    folder = whole(name, progress)
    with quiet():
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, padding_side="left")
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, local_files_only=True)
    return tokenizer, model


def render(tokenizer: Any, messages: Sequence[Message]) -> str:
    """Return a conversation as a model reads it, up to where its answer begins; no text can end its own message."""
    said = [{"role": m["role"], "content": harmless(tokenizer, m["content"])} for m in messages]
    return str(tokenizer.apply_chat_template(said, tokenize=False, add_generation_prompt=True))


def harmless(tokenizer: Any, text: str) -> str:
    """Return `text` with a space inside every mark, such as `<|im_end|>`, that would be a command to the model."""
    return without(tokenizer.get_added_vocab(), text)


class LocalModel:
    """A language model on this machine, named `<model>` or `<model>+<adapter digest>`.

    Its weights are read by the first call that needs them.
    """

    def __init__(self, name: str, progress: Progress = silent) -> None:
        self.name = name
        self._progress = progress
        self._loaded: tuple[Any, Any] | None = None

    def generate(self, conversations: Sequence[Sequence[Message]], sampling: Sequence[Sampling]) -> list[Generated]:
        """Return the next message of each conversation, in their order."""
        answers = dict(self.stream(conversations, sampling))
        return [answers[i] for i in range(len(conversations))]

    def stream(
        self, conversations: Sequence[Sequence[Message]], sampling: Sequence[Sampling]
    ) -> Iterator[tuple[int, Generated]]:
        """Yield each conversation's index and next message, a batch at a time, shortest first.

        Conversations of similar length share a batch. Each draws from its own seeded random stream, so the other
        conversations of its batch change its answer only by rounding.
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
        """Return the conversation as the model reads it, up to where its answer begins."""
        tokenizer, _ = self.loaded()
        return render(tokenizer, messages)

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of `text`."""
        tokenizer, _ = self.loaded()
        return len(tokenizer(text, add_special_tokens=False).input_ids)

    def loaded(self) -> tuple[Any, Any]:
        """Return the tokenizer and the model, which the first call reads."""
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
        """Generate token by token until `sampler` has finished every row; return the prompts' lengths in tokens.

        Rows that are finished leave the batch.
        """
        tokenizer, model = self.loaded()
        read = tokenizer(prompts, add_special_tokens=False).input_ids
        shared = shared_start(read)
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
    must_be_whole(folder, "delete the folder, and it is tuned again")
    tokenizer, model = load_base(base, AS_WRITTEN, progress)
    with quiet():
        tuned = PeftModel.from_pretrained(model, folder)
        if model.num_parameters() < MERGE_BELOW_PARAMETERS:
            tuned = _merged(tuned)
    return tokenizer, _settle(tuned)


def _merged(tuned: Any) -> Any:
    """Return the base with the adapter in its weights, merged in f32: bf16 would round most of a small update away.

    Each layer is merged by itself, so that only one at a time is in f32.
    """
    from peft.tuners.tuners_utils import BaseTunerLayer

    for module in tuned.modules():
        if isinstance(module, BaseTunerLayer):
            module.get_base_layer().float()
            module.merge()
            module.get_base_layer().to(best_dtype())
    return tuned.merge_and_unload()


def _settle(model: Any) -> Any:
    if device() == "cpu":
        attention.use_for(model)
    return model.to(best_dtype()).to(device()).eval()


def shared_start(read: Sequence[Sequence[int]]) -> int:
    """Return how many tokens all rows begin with in common, such as the persona's, which are then read once.

    At least one token of each row is not counted, because the model must read one to generate the next.
    """
    first, last = min(map(list, read)), max(map(list, read))
    same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return min(same, min(map(len, read)) - 1)
