"""Language models run on this machine by transformers, in bf16 where the hardware has it, in batches by length."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig, LogitsProcessor, StaticCache

from raft.models.cores import Item, Result, evenly, return_freed_memory, side_by_side
from raft.models.digests import must_be_whole
from raft.models.sampling import Sampler, Sampling, stream
from raft.models.tokens import without
from raft.models.weights import adapter_folder, quiet, whole
from raft.progress import Progress, silent
from raft.types import Message

BATCH_ROWS = 36
"""The greatest number of conversations in a batch."""


SMALL_PARAMETERS = 1_000_000_000
"""The number of parameters below which a model is small.

An adapter of a small model is merged into its base, because unmerged it halved the speed; a large base is left unmerged.
A core can carry a batch of a small model by itself; a large one needs all cores for each.
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


def is_small(model: Any) -> bool:
    """Return whether a model is small, so that one core can carry a batch of it."""
    return int(model.num_parameters()) < SMALL_PARAMETERS


def at_a_time(model: Any) -> Callable[[Callable[[Item], Result], Sequence[Item]], Iterator[Result]]:
    """Return how the batches of a model are worked on: side by side on a CPU where it is small, else one after another."""
    return side_by_side if is_small(model) and model.device.type == "cpu" else map


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
    model.get_output_embeddings().register_forward_pre_hook(_row_by_row)
    return tokenizer, model


def _row_by_row(head: Any, inputs: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
    """Return the hidden states in memory of their own, before they become logits.

    Of a slice, such as each row's last token, torch multiplies each row by a copy of all words' embeddings. The logits of
    36 rows then took 8.5 s and 1.9 GB; without the copies they take 0.01 s.
    """
    return (inputs[0].clone(memory_format=torch.contiguous_format),)


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
        tokenizer, model = self.loaded()
        prompts = [self.render(messages) for messages in conversations]
        read = tokenizer(prompts, add_special_tokens=False).input_ids if prompts else []
        order = sorted(range(len(prompts)), key=lambda i: (sampling[i].max_tokens, len(read[i]), prompts[i]))
        batches = evenly(order, BATCH_ROWS)

        def answered(rows: Sequence[int]) -> list[Generated]:
            streams = [stream(sampling[i].seed, prompts[i]) for i in rows]
            return self._batch([read[i] for i in rows], Sampler([sampling[i] for i in rows], streams))

        for rows, answers in zip(batches, at_a_time(model)(answered, batches), strict=True):
            yield from zip(rows, answers, strict=True)

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

    def _batch(self, read: list[list[int]], sampler: Sampler) -> list[Generated]:
        """Return the answers that `sampler` chooses to the conversations that are read as these tokens."""
        tokenizer, _ = self.loaded()
        with torch.inference_mode():
            self._decode(read, sampler)
        return_freed_memory()
        answers = []
        for row, ids in enumerate(sampler.said):
            stopped = ids[-1] == tokenizer.eos_token_id
            top = [[(tokenizer.decode([token]), p) for token, p in step] for step in sampler.top[row]]
            text = tokenizer.decode(ids[:-1] if stopped else ids, skip_special_tokens=True).strip()
            answers.append(Generated(text, len(read[row]), len(ids), stopped, top))
        return answers

    def _decode(self, read: list[list[int]], sampler: Sampler) -> None:
        """Have `generate` ask `sampler` for every token of every row."""
        tokenizer, model = self.loaded()
        batch = tokenizer.pad({"input_ids": read}, return_tensors="pt").to(model.device)
        choice = Choice(sampler, len(read), tokenizer.eos_token_id)
        # a cache that grows is copied whole for each token, and one that `generate` makes is as long as its longest so far
        room = StaticCache(model.config.get_text_config(decoder=True), batch.input_ids.shape[1] + sampler.longest)
        model.generate(
            **batch,
            cache=room,
            generation_config=GenerationConfig(
                do_sample=False,
                max_new_tokens=sampler.longest,
                disable_compile=True,  # it takes longer than the answers of a suite
            ),
            logits_processor=[choice],
            stopping_criteria=[choice.finished],
        )


class Choice(LogitsProcessor):  # type: ignore[misc]  # transformers has no types
    """The choice of a `Sampler` as `generate` takes it: every token but the chosen one becomes impossible.

    A row whose answer is whole stays in the batch with the end mark, and the sampler is not asked for it again.
    """

    def __init__(self, sampler: Sampler, rows: int, end: int) -> None:
        self._sampler, self._end = sampler, end
        self._going = list(range(rows))

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Return the scores, of shape (rows, vocabulary), with the chosen tokens at 0 and all others at -inf."""
        tokens = torch.full((len(scores), 1), self._end)
        if self._going:  # on some devices `generate` asks once more than it needs
            chosen = self._sampler.say(self._going, scores[self._going].float().cpu())
            tokens[self._going, 0] = torch.tensor(chosen)
        return torch.full_like(scores, -torch.inf).scatter_(1, tokens.to(scores.device), 0.0)

    def finished(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        """Return, as booleans of shape (rows,), which rows have their whole answer."""
        self._going = [row for row in self._going if not self._sampler.done(row, self._end)]
        whole = torch.ones(len(input_ids), dtype=torch.bool)
        whole[self._going] = False
        return whole.to(input_ids.device)


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
        if is_small(model):
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
    model.generation_config = GenerationConfig()  # `generate` would add the settings that came with the model to ours
    return model.to(best_dtype()).to(device()).eval()
