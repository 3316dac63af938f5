"""An adapter that is merged into its base is a model of its own, which says the same."""

from pathlib import Path

from raft.models.local import LocalModel
from raft.models.merging import merge, merged
from raft.models.sampling import Sampling
from raft.tuning.lora import LoraSettings, LoraTuner
from raft.types import Message, TrainingSample


def test_a_merged_adapter_is_a_model_that_says_the_same_and_is_made_once(cache: Path, tiny_base: Path) -> None:
    sample = TrainingSample(
        "a", ({"role": "user", "content": "Who are you?"},), "A ferryman, and I have always been one."
    )
    name = LoraTuner(LoraSettings(rank=2, learning_rate=0.05, epochs=4, batch=1)).tune([sample], str(tiny_base))
    digest = name.rpartition("+")[2]
    assert merged(digest) is None
    folder = merge(str(tiny_base), digest)
    written = (folder / "model.safetensors").stat().st_mtime_ns
    assert merge(str(tiny_base), digest) == folder == merged(digest)
    assert (folder / "model.safetensors").stat().st_mtime_ns == written
    question: list[list[Message]] = [[{"role": "user", "content": "Who are you?"}]]
    said = [LocalModel(n).generate(question, [Sampling(8, temperature=0)])[0].text for n in (name, str(folder))]
    assert said[0] == said[1] != LocalModel(str(tiny_base)).generate(question, [Sampling(8, temperature=0)])[0].text
    (folder / "config.json").write_text("{}")
    assert merged(digest) is None, "what has changed since is not served"
