import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from raft.models.cores import evenly, side_by_side
from raft.models.local import LocalModel
from raft.models.sampling import Sampling
from raft.tuning.lora import LoraSettings, LoraTuner
from raft.types import Message, TrainingSample


@pytest.fixture
def cores() -> Iterator[None]:
    """Torch has as many threads afterwards as before."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_results_come_in_the_items_order_and_each_item_has_one_thread(cores: None) -> None:
    torch.set_num_threads(3)
    first_waits = threading.Event()

    def work(item: int) -> tuple[int, int]:
        if item == 0:
            assert first_waits.wait(20)
        first_waits.set()
        return item, torch.get_num_threads()

    assert list(side_by_side(work, range(5))) == [(item, 1) for item in range(5)]
    assert torch.get_num_threads() == 3


@given(st.integers(0, 300), st.integers(1, 40))
def test_batches_are_of_equal_size_and_lose_nothing(count: int, most: int) -> None:
    batches = evenly(range(count), most)
    assert [item for batch in batches for item in batch] == list(range(count))
    assert all(0 < len(batch) <= most for batch in batches)
    assert len({len(batch) for batch in batches[:-1]}) <= 1


def test_what_is_more_than_one_is_shared_by_two() -> None:
    assert [len(batch) for batch in evenly(range(36), 32)] == [18, 18]
    assert [len(batch) for batch in evenly(range(65), 32)] == [17, 17, 17, 14]


def test_an_error_is_raised_and_the_threads_are_as_before(cores: None) -> None:
    torch.set_num_threads(2)
    with pytest.raises(ZeroDivisionError):
        list(side_by_side(lambda item: 1 // item, [1, 0, 1]))
    assert torch.get_num_threads() == 2
    assert list(side_by_side(str, [])) == []


def test_answers_are_the_same_on_any_number_of_cores(cores: None, models: Path) -> None:
    model = LocalModel("smollm2-135m-instruct")
    questions = [[Message(role="user", content=f"What is a weir? {'Tell me more. ' * n}")] for n in range(6)]
    settings = [Sampling(12, temperature=0.7, top_p=0.9, seed=7)] * 6
    answers = []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        answers.append(model.generate(questions, settings))
    assert answers[0] == answers[1] == answers[2]


def test_an_adapter_is_the_same_on_any_number_of_cores(
    cores: None, tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = shutil.copytree(tiny_base, tmp_path / "base")
    config = json.loads((base / "config.json").read_text("utf-8"))
    (base / "config.json").write_text(json.dumps({**config, "attention_dropout": 0.0}), "utf-8")
    samples = [
        TrainingSample(f"e{n}", ({"role": "user", "content": f"Question {n}?"},), f"The river rises {n} times.")
        for n in range(9)
    ]
    settings = LoraSettings(rank=2, layers=1, batch=4, epochs=2, learning_rate=0.01)
    written = []
    for threads in (1, 3):
        torch.set_num_threads(threads)
        monkeypatch.setenv("RATF_CACHE", str(tmp_path / str(threads)))
        LoraTuner(settings).tune(samples[:6], str(base), samples[6:])
        (adapter,) = tmp_path.glob(f"{threads}/adapters/*/adapter_model.safetensors")
        written.append(adapter.read_bytes())
    assert written[0] == written[1]
