import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from places import TESTS

from raft.errors import RaftError
from raft.models.tokens import token_counter
from raft.models.weights import adapter_folder, adapters_folder, model_folder, weights_digest
from raft.tuning.lora import LoraSettings, LoraTuner, adapter_digest
from raft.types import TrainingSample


def sample(n: int, text: str) -> TrainingSample:
    return TrainingSample(f"e{n}", ({"role": "user", "content": f"Question {n}?"},), text)


TRAINING = [sample(n, f"The river rises {n} times and then some.") for n in range(12)]
ALIKE = [sample(n, f"The river rises {n} times.") for n in range(20, 23)]
UNLIKE = [sample(n, "Zebra quartz jukebox!") for n in range(3)]
SETTINGS = LoraSettings(rank=2, alpha=4, batch=2, epochs=3, learning_rate=0.01, evaluations=2, patience=2)

TOP = SETTINGS.model_copy(update={"layers": 1, "patience": 9})


def tuned(base: Path, settings: LoraSettings = SETTINGS, validation: list[TrainingSample] = ALIKE) -> Path:
    name = LoraTuner(settings).tune(TRAINING, str(base), validation)
    return adapter_folder(name.rpartition("+")[2])


def facts(folder: Path) -> dict[str, list[list[float]]]:
    found: dict[str, list[list[float]]] = json.loads((folder / "training.json").read_text())
    return found


KILLED = """
import os, signal, sys
from contextlib import contextmanager
sys.path[:0] = {tests!r}
import raft.tuning.lora
from test_lora import *
raft.tuning.lora.CHECKPOINT_SECONDS = -1
steps = 0
@contextmanager
def deadly(what, total, unit):
    def advance(n):
        global steps
        steps += n
        if steps == 11:
            os.kill(os.getpid(), signal.SIGKILL)
    yield advance
LoraTuner(SETTINGS, deadly).tune(TRAINING, {base!r}, ALIKE)
"""


@pytest.mark.slow
def test_killed_and_resumed_gives_the_same_bytes(
    tiny_base: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = KILLED.format(tests=[str(Path(__file__).parent), str(TESTS / "support")], base=str(tiny_base))
    run = subprocess.run([sys.executable, "-c", program], env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert run.returncode == -9
    (aside,) = adapters_folder().glob(".*")
    assert (aside / "checkpoint.pt").is_file()
    resumed = tuned(tiny_base)
    assert not aside.exists()
    monkeypatch.setenv("RATF_CACHE", str(tmp_path / "other"))
    whole = tuned(tiny_base)
    assert whole != resumed and whole.name == resumed.name
    for name in ("adapter_model.safetensors", "training.json", "adapter_config.json"):
        assert (whole / name).read_bytes() == (resumed / name).read_bytes(), name
    assert len(facts(whole)["losses"]) > 11, "it was killed before its end"


def test_tuning_stops_when_the_watched_loss_rises_and_keeps_the_lowest(tiny_base: Path, cache: Path) -> None:
    steep = SETTINGS.model_copy(update={"learning_rate": 0.1, "epochs": 8})
    folder = tuned(tiny_base, steep, UNLIKE)
    watched = [tuple(v) for v in facts(folder)["validation"]]
    losses = [loss for _, loss in watched]
    lowest = losses.index(min(losses))
    assert len(facts(folder)["losses"]) < 6 * 8, "it stopped early"
    assert len(losses) == lowest + 1 + steep.patience
    # the weights are those of the lowest: tuning that ends there has the same
    assert [step for step, _ in watched] == [3 * (i + 1) for i in range(len(watched))]
    import torch
    from peft import PeftModel

    from raft.models.local import best_dtype, load_base
    from raft.tuning.layers import answer_tokens, tokens_of

    tokenizer, model = load_base(str(tiny_base), best_dtype())
    model = PeftModel.from_pretrained(model, folder).eval()
    said, total = [tokens_of(tokenizer, s) for s in UNLIKE], 0.0
    with torch.inference_mode():
        for ids, prompt in said:
            logits = model(input_ids=torch.tensor([ids])).logits[0, prompt - 1 : -1].float()
            total += float(torch.nn.functional.cross_entropy(logits, torch.tensor(ids[prompt:]), reduction="sum"))
    assert total / answer_tokens(said) == pytest.approx(min(losses), abs=2e-3)


def test_without_validation_nothing_is_watched_and_the_name_is_as_ever(tiny_base: Path, cache: Path) -> None:
    folder = tuned(tiny_base, validation=[])
    assert facts(folder)["validation"] == [] and len(facts(folder)["losses"]) == 18
    other = SETTINGS.model_copy(update={"patience": 7})
    base = str(tiny_base)
    assert adapter_digest(TRAINING, base, SETTINGS) == adapter_digest(TRAINING, base, other)
    assert adapter_digest(TRAINING, base, SETTINGS, ALIKE) != adapter_digest(TRAINING, base, other, ALIKE)


def test_a_base_by_path_is_known_by_its_content(tiny_base: Path, tmp_path: Path) -> None:
    assert model_folder(str(tiny_base)) == tiny_base and token_counter(str(tiny_base))("a b c") == 3
    before = weights_digest(str(tiny_base))
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", str(tiny_base), str(copy)], check=True)
    assert weights_digest(str(copy)) == before
    config = json.loads((copy / "config.json").read_text()) | {"rms_norm_eps": 1e-5}
    (copy / "config.json").write_text(json.dumps(config))
    assert weights_digest(str(copy)) != before


def test_a_model_that_is_not_there_is_never_looked_for_on_a_hub(tmp_path: Path) -> None:
    with pytest.raises(RaftError, match=r"org/model: no model there.*\n.*hubs are never asked.*hf download"):
        model_folder("org/model")


def test_a_flipped_byte_of_an_adapter_is_told_and_it_is_tuned_again(
    tiny_base: Path, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from raft.models.local import LocalModel

    folder = tuned(tiny_base)
    weights = folder / "adapter_model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(RaftError, match=r"adapter_model\.safetensors: not as it was written, so it is not used"):
        LocalModel(f"{tiny_base}+{folder.name}").loaded()
    assert tuned(tiny_base) == folder and weights.read_bytes() == whole
    assert "adapter_model.safetensors is not as it was written" in caplog.text
    LocalModel(f"{tiny_base}+{folder.name}").loaded()


def test_a_damaged_checkpoint_is_set_aside(tiny_base: Path, cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    aside = adapters_folder() / f".{adapter_digest(TRAINING, str(tiny_base), SETTINGS, ALIKE)}"
    aside.mkdir(parents=True)
    (aside / "checkpoint.pt").write_bytes(b"PK no checkpoint")
    assert len(facts(tuned(tiny_base))["losses"]) == 18
    assert "checkpoint.pt: damaged (" in caplog.text


def test_frozen_layers_are_read_once_and_change_nothing(
    tiny_base: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tuning of the top layer over three epochs: the layer under it sees each sample once, and the weights are the same."""
    from transformers.models.llama.modeling_llama import LlamaDecoderLayer

    passed: list[int] = []
    forward = LlamaDecoderLayer.forward

    def counted(self: object, *args: object, **kwargs: object) -> object:
        passed.append(self.self_attn.layer_idx)  # type: ignore[attr-defined]
        return forward(self, *args, **kwargs)

    monkeypatch.setattr(LlamaDecoderLayer, "forward", counted)
    kept = tuned(tiny_base, TOP)
    # each sample once, and one of them thrice to see that the halves give what the whole gives
    assert passed.count(0) == len(TRAINING) + len(ALIKE) + 2
    assert passed.count(1) == 3 * len(TRAINING) + 6 * len(ALIKE) + 2
    monkeypatch.setattr("raft.tuning.layers.KEPT_BYTES", 0)
    passed.clear()
    monkeypatch.setenv("RATF_CACHE", str(cache / "other"))
    again = tuned(tiny_base, TOP)
    assert passed.count(0) == passed.count(1), "nothing was kept"
    assert (kept / "adapter_model.safetensors").read_bytes() == (again / "adapter_model.safetensors").read_bytes()


@pytest.mark.parametrize("settings", [SETTINGS, TOP], ids=["all layers", "top layer"])
def test_long_samples_pass_the_layers_twice_and_change_nothing(
    settings: LoraSettings, tiny_base: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers.models.llama.modeling_llama import LlamaMLP

    passed: list[object] = []
    forward = LlamaMLP.forward

    def counted(self: object, *args: object) -> object:
        passed.append(self)
        return forward(self, *args)

    monkeypatch.setattr(LlamaMLP, "forward", counted)
    found = []
    for long in (10**9, 0):
        monkeypatch.setattr("raft.tuning.layers.LONG", long)
        monkeypatch.setenv("RATF_CACHE", str(cache / f"{long}"))
        passed.clear()
        adapter = tuned(tiny_base, settings, [])
        found.append((len(passed), (adapter / "adapter_model.safetensors").read_bytes()))
    (once, weights), (twice, slim) = found
    assert twice == once + settings.epochs * len(TRAINING) * (settings.layers or 2)
    assert slim == weights


def test_a_model_whose_halves_are_not_the_whole_is_read_whole(
    tiny_base: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers.models.llama.modeling_llama import LlamaModel

    forward = LlamaModel.forward

    def scaled(self: object, *args: object, **kwargs: object) -> object:
        """As in families that scale what the layers are given, wherever it is from."""
        if kwargs.get("inputs_embeds") is not None:
            kwargs["inputs_embeds"] = kwargs["inputs_embeds"] * 4  # type: ignore[operator]
        return forward(self, *args, **kwargs)

    whole = tuned(tiny_base, TOP)
    monkeypatch.setattr(LlamaModel, "forward", scaled)
    monkeypatch.setenv("RATF_CACHE", str(cache / "other"))
    assert facts(tuned(tiny_base, TOP))["losses"] == facts(whole)["losses"]
