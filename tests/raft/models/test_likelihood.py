import math
from pathlib import Path

import pytest
import torch

from raft.models.likelihood import BATCH_TOKENS, _batches, log_likelihoods, shared_start
from raft.models.local import LocalModel
from raft.types import Message

ANSWERS = [
    "The river is blue.",
    "Purple of river the elbow.",
    "Yes.",
    "We let the meadow flood, and it kept the town dry. " * 6,
]


def asked(question: str) -> list[Message]:
    return [{"role": "system", "content": "You keep a river."}, {"role": "user", "content": question}]


@pytest.fixture(scope="module")
def model(models: Path) -> LocalModel:
    return LocalModel("smollm2-135m-instruct")


def by_hand(model: LocalModel, messages: list[Message], answer: str) -> float:
    """The textbook way: one row, every logit."""
    tokenizer, network = model.loaded()
    prompt = tokenizer(model.render(messages), add_special_tokens=False).input_ids
    said = tokenizer(answer, add_special_tokens=False).input_ids
    with torch.inference_mode():
        logits = network(torch.tensor([prompt + said])).logits[0].float()
    p = torch.log_softmax(logits, dim=-1)
    return sum(float(p[len(prompt) + i - 1, token]) for i, token in enumerate(said)) / len(said)


def test_batches_say_what_one_row_at_a_time_says(model: LocalModel) -> None:
    conversations = [asked("What colour is the river? " * n) for n in (1, 2, 9, 1)]
    found = log_likelihoods(model, conversations, ANSWERS)
    expected = [by_hand(model, c, a) for c, a in zip(conversations, ANSWERS, strict=True)]
    assert found == pytest.approx(expected, abs=0.1)  # bf16 rounds differently in batches, and on each machine
    assert all(p < 0 for p in found)


def test_sense_is_likelier_than_nonsense(model: LocalModel) -> None:
    sense, nonsense = log_likelihoods(model, [asked("What colour is the river?")] * 2, ANSWERS[:2])
    assert sense > nonsense + 1


def test_the_same_input_gives_the_same_numbers(model: LocalModel) -> None:
    conversations = [asked("Why?")] * len(ANSWERS)
    assert log_likelihoods(model, conversations, ANSWERS) == log_likelihoods(model, conversations, ANSWERS)


def test_an_empty_answer_is_no_number(model: LocalModel) -> None:
    with pytest.raises(ValueError, match="empty answer"):
        log_likelihoods(model, [asked("Why?")], [""])
    assert log_likelihoods(model, [], []) == []


def test_batches_hold_every_row_once_and_stay_small() -> None:
    lengths = [5000, 10, 900, 10, 700, 1, 3000, 250]
    batches = _batches(lengths)
    assert sorted(i for b in batches for i in b) == list(range(len(lengths)))
    assert all(len(b) == 1 or len(b) * max(lengths[i] for i in b) <= BATCH_TOKENS for b in batches)
    assert len(batches) <= math.ceil(len(lengths) * 0.7)


def test_only_what_all_prompts_begin_with_is_shared() -> None:
    assert shared_start([[1, 2, 3, 4], [1, 2, 9]]) == 2
    assert shared_start([[1, 2], [1, 2, 3]]) == 1, "every row keeps a token of its own"
    assert shared_start([[5], [1]]) == 0
