import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai_server import OpenAIServer

from raft.errors import RaftError
from raft.models.weights import adapter_folder, adapters_folder
from raft.text import count_words
from raft.types import TrainingSample
from ratf.agents import training as tune
from ratf.suite.study import Study, open_study


@pytest.fixture
def opened(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Opened":
    return Opened(tiny, tmp_path, monkeypatch)


class Opened:
    """Opens the tiny suite with some lines changed; samples are plain, because memories are not the point here."""

    def __init__(self, suite: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.suite, self.out = suite, out
        monkeypatch.setattr(tune, "samples", self._samples)

    def __call__(self, training: str, base: str = "local/smollm2-135m-instruct") -> Study:
        lines = self.suite.read_text().splitlines()
        lines = [f"training: {{rank: 2, batch: 2, {training}}}" if s.startswith("training:") else s for s in lines]
        lines = [f"models: {{base: {base}, grader: {base}}}" if s.startswith("models:") else s for s in lines]
        self.suite.write_text("\n".join(lines).replace("training_exchanges: 8", "training_exchanges: 14") + "\n")
        return open_study(str(self.suite), out=str(self.out / "run"))

    @staticmethod
    def _samples(study: Study, *_: object) -> list[TrainingSample]:
        return [
            TrainingSample(e.exchange_id, ({"role": "user", "content": e.question},), e.answer) for e in study.training
        ]


def test_validation_is_watched_and_never_learnt(opened: Opened, cache: Path, tiny_base: Path) -> None:
    study = opened("validation_interviews: 1, evaluations: 2", f"local/{tiny_base}")
    folder = adapter_folder(tune.model_of(study, "finetune_only").rpartition("+")[2])
    learnt = [json.loads(line)["exchange_id"] for line in (folder / "samples.jsonl").read_text().splitlines()]
    newest = study.training[-1].interview_id
    assert learnt == [e.exchange_id for e in study.training if e.interview_id != newest] and learnt
    facts = json.loads((folder / "training.json").read_text())
    assert len(facts["validation"]) >= 2 and facts["losses"]
    with pytest.raises(RaftError, match="at least one must be learnt"):
        tune.model_of(opened("validation_interviews: 9"), "raft")


def test_weights_that_were_swapped_have_another_digest(opened: Opened, cache: Path) -> None:
    study, folder = opened("epochs: 1"), adapters_folder() / "abc"
    folder.mkdir(parents=True)
    facts = {"digest": "abc", "samples": 1, "losses": [2.0], "validation": []}
    (folder / "training.json").write_text(json.dumps(facts))

    def weights() -> str:
        (told,) = tune.tuned(study, {"raft": "local/b+abc", "baseline": "local/b"})
        assert told.digest == "abc"
        return told.weights

    assert weights() == "", "none, and no guess"
    (folder / "adapter_model.safetensors").write_bytes(b"its own")
    assert weights() == hashlib.sha256(b"its own").hexdigest()[:12]
    (folder / "adapter_model.safetensors").write_bytes(b"another's")
    assert weights() == hashlib.sha256(b"another's").hexdigest()[:12]


def test_a_hosted_base_is_tuned_by_its_service_once(
    opened: Opened, openai_server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("raft.tuning.openai_tuner.pauses", lambda: iter(lambda: 0.01, 0))
    study = opened("epochs: 2", "openai/gpt-4o-mini")
    name = tune.model_of(study, "finetune_only")
    assert name.startswith("openai/ft:gpt-4o-mini:") and tune.model_of(study, "finetune_only") == name
    (job,) = openai_server.jobs.values()
    assert job.hyperparameters.n_epochs == 2


def test_a_long_text_is_cut_at_a_word_and_says_how_much_is_missing() -> None:
    assert tune.cut("one  two\nthree four", 2) == "one  two … (2 more words)"
    assert tune.cut("one\ntwo", 2) == "one\ntwo"


@given(st.text(), st.integers(1, 5))
def test_what_is_kept_is_the_start_of_the_text(text: str, most: int) -> None:
    kept, _, more = tune.cut(text, most).partition(" … (")
    if more and text != tune.cut(text, most):
        assert text.startswith(kept) and count_words(kept) == most
        assert more.startswith(f"{count_words(text) - most} ")
    else:
        assert tune.cut(text, most) == text
