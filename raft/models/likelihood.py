"""The likelihood of a given answer is computed by a local model."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from transformers import DynamicCache

from raft.models.cores import return_freed_memory
from raft.models.local import LocalModel, at_a_time
from raft.progress import Progress, silent
from raft.types import Message

BATCH_TOKENS = 3072
"""The greatest number of tokens of a batch, padding included. A larger batch is no faster on a CPU."""

AT_ONCE = 256
"""The number of tokens whose logits are there at the same time: those of a whole batch would take a gigabyte."""


def log_likelihoods(
    model: LocalModel,
    conversations: Sequence[Sequence[Message]],
    answers: Sequence[str],
    progress: Progress = silent,
) -> list[float]:
    """Return the mean log probability, in nats a token, of each answer as the next message of its conversation.

    The mean is over the answer's own tokens, without the end mark. Raises ValueError for an answer without a token.
    """
    tokenizer, network = model.loaded()
    rows = []
    for messages, answer in zip(conversations, answers, strict=True):
        prompt = tokenizer(model.render(messages), add_special_tokens=False).input_ids
        said = tokenizer(answer, add_special_tokens=False).input_ids
        if not said:
            raise ValueError("an empty answer has no likelihood")
        rows.append(([*prompt, *said], len(prompt)))
    found = [0.0] * len(rows)
    with progress("reading real answers", len(rows), "answers") as advance:
        batches = _batches([len(ids) for ids, _ in rows])
        means = at_a_time(network)(partial(_means, network), [[rows[i] for i in batch] for batch in batches])
        for batch, values in zip(batches, means, strict=True):
            for row, value in zip(batch, values, strict=True):
                found[row] = value
            advance(len(batch))
    return_freed_memory()
    return found


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Return batches of row numbers, rows of similar length together, each within `BATCH_TOKENS` or of a single row."""
    batches: list[list[int]] = []
    for row in sorted(range(len(lengths)), key=lambda i: (lengths[i], i)):
        if batches and (len(batches[-1]) + 1) * lengths[row] <= BATCH_TOKENS:
            batches[-1].append(row)
        else:
            batches.append([row])
    return batches


def _means(network: Any, rows: Sequence[tuple[list[int], int]]) -> list[float]:
    """Return the mean log probability of each row's answer, in nats a token.

    A row is its tokens and the number of them that are its prompt. Padding stands after the text, where no token of the
    text attends to it, so it needs no mask. Logits are computed for the answers' tokens alone, and what all prompts
    begin with is read once.
    """
    inner = network.get_base_model() if hasattr(network, "peft_config") else network
    # the last token of a prompt stays with its row, because the answer's first token is read off it
    shared = max(0, min(shared_start([ids for ids, _ in rows]), min(prompt for _, prompt in rows) - 1))
    shared = shared if len(rows) > 1 else 0
    start = rows[0][0][:shared]
    rows = [(ids[shared:], prompt - shared) for ids, prompt in rows]
    width = max(len(ids) for ids, _ in rows)
    ids = torch.zeros((len(rows), width), dtype=torch.long)
    answer = torch.zeros((len(rows), width), dtype=torch.bool)
    for row, (tokens, prompt) in enumerate(rows):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        answer[row, prompt : len(tokens)] = True
    ids, answer = ids.to(network.device), answer.to(network.device)
    decoder, cache = inner.get_decoder(), None
    said = answer[:, 1:]
    with torch.inference_mode():
        if start:
            cache = DynamicCache(config=network.config)
            decoder(input_ids=torch.tensor([start], device=network.device), cache=cache, use_cache=True)
            cache.batch_repeat_interleave(len(rows))
        hidden = decoder(input_ids=ids, cache=cache, use_cache=cache is not None).last_hidden_state[:, :-1]
        head, told = inner.get_output_embeddings(), ids[:, 1:][said]
        parts = zip(hidden[said].split(AT_ONCE), told.split(AT_ONCE), strict=True)
        losses = torch.cat([torch.nn.functional.cross_entropy(head(a).float(), b, reduction="none") for a, b in parts])
    return [-float(part.mean()) for part in losses.split(said.sum(1).tolist())]


def shared_start(read: Sequence[Sequence[int]]) -> int:
    """Return how many tokens all rows begin with in common, such as the persona's, which are then read once.

    At least one token of each row is not counted, because the model must read one to generate the next.
    """
    first, last = min(map(list, read)), max(map(list, read))
    same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return min(same, min(map(len, read)) - 1)
