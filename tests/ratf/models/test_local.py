"""The `local/…` provider, as Inspect calls it."""

import asyncio
import weakref
from pathlib import Path

import pytest
from inspect_ai.model import ChatMessageUser, GenerateConfig, get_model
from inspect_ai.tool import ToolInfo

from raft.errors import RaftError
from raft.models.local import Generated
from raft.models.sampling import Sampling
from raft.types import Message
from ratf.models.local import Batcher, LocalAPI

NAME = "smollm2-135m-instruct"


def test_making_one_is_cheap_and_wrong_names_are_told(cache: Path) -> None:
    assert LocalAPI(NAME).max_connections() > 1000
    with pytest.raises(RaftError, match="no embedded model is called 'gpt-9'"):
        LocalAPI("gpt-9")
    with pytest.raises(RaftError, match="is an embedder"):
        LocalAPI("all-minilm-l6-v2")
    with pytest.raises(RaftError, match="no adapter 'abc'"):
        LocalAPI(f"{NAME}+abc")


def test_an_answer_has_its_usage_and_its_probabilities(models: Path) -> None:
    model = get_model(f"local/{NAME}", memoize=False)
    config = GenerateConfig(max_tokens=3, temperature=0, logprobs=True, top_logprobs=5)
    output = asyncio.run(model.generate("Reply Yes or No: is water wet?", config=config))
    assert output.usage is not None and 0 < output.usage.output_tokens <= 3
    assert output.usage.total_tokens == output.usage.input_tokens + output.usage.output_tokens
    logprobs = output.choices[0].logprobs
    assert logprobs is not None and len(logprobs.content[0].top_logprobs or []) == 5
    assert output.stop_reason in ("stop", "max_tokens")


def test_answers_of_an_earlier_version_are_not_taken_from_the_cache(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def ask(self: Batcher, model: str, messages: list[Message], sampling: Sampling) -> Generated:
        asked.append(messages[0]["content"])
        return Generated("Yes.", 1, 1, True)

    monkeypatch.setattr(Batcher, "ask", ask)

    def once() -> None:
        model = get_model(f"local/{NAME}", memoize=False)
        asyncio.run(model.generate("Is water wet?", cache=True))

    once()
    once()
    assert len(asked) == 1
    monkeypatch.setattr("ratf.models.local.ANSWERS", "another version")
    once()
    assert len(asked) == 2


def test_tools_are_refused(models: Path) -> None:
    with pytest.raises(RaftError, match="cannot call tools"):
        asyncio.run(
            LocalAPI(NAME).generate(
                [ChatMessageUser(content="x")], [ToolInfo(name="t", description="")], "auto", GenerateConfig()
            )
        )


def test_what_is_asked_together_is_answered_together(monkeypatch: pytest.MonkeyPatch) -> None:
    batches: list[int] = []

    class Counted:
        def __init__(self, name: str) -> None:
            self.name = name

        def stream(self, conversations: list[object], sampling: list[object]) -> list[tuple[int, Generated]]:
            batches.append(len(conversations))
            if self.name == "broken":
                raise RaftError("it broke")
            return [(i, Generated(f"{self.name} {i}", 1, 1, True)) for i in range(len(conversations))]

    monkeypatch.setattr("ratf.models.local.LocalModel", Counted)
    batcher = Batcher()

    async def ask(*models: str) -> list[object]:
        return await asyncio.gather(*(batcher.ask(m, [], Sampling()) for m in models), return_exceptions=True)

    answers = asyncio.run(ask(*["one"] * 5, *["two"] * 3))
    assert sorted(batches) == [3, 5]
    assert [a.text for a in answers if isinstance(a, Generated)][:5] == [f"one {i}" for i in range(5)]
    failed, fine = asyncio.run(ask("broken", "one"))
    assert isinstance(failed, RaftError) and isinstance(fine, Generated), "one model's trouble is not the other's"


def test_one_model_at_a_time_is_kept_however_many_arms_there_are(tiny_base: Path, cache: Path) -> None:
    """Six tuned arms take turns: each finds the models of the others gone, so their number does not count."""
    from raft.tuning.lora import LoraSettings, LoraTuner
    from raft.types import TrainingSample

    said = [TrainingSample("e", ({"role": "user", "content": "Who?"},), "The river.")]
    arms = [LoraTuner(LoraSettings(rank=2, seed=seed)).tune(said, str(tiny_base)) for seed in range(6)]
    batcher = Batcher()
    kept: list[weakref.ref[object]] = []

    async def ask(arm: str) -> Generated:
        return await batcher.ask(arm, [{"role": "user", "content": "Who?"}], Sampling(max_tokens=2))

    for arm in arms:
        asyncio.run(ask(arm))
        kept.append(weakref.ref(batcher.model(arm).loaded()[1]))
        assert [ref() is not None for ref in kept] == [False] * (len(kept) - 1) + [True]
