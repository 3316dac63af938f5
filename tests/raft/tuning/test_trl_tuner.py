"""The tuner by TRL, where it is installed: its adapters are used as those of the own tuner."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from raft.errors import RaftError
from raft.models.weights import adapter_folder
from raft.tuning.tuners import tuner_kind
from raft.types import TrainingSample

SAMPLES = [
    TrainingSample(f"e{n}", ({"role": "user", "content": f"Question {n}?"},), f"The river rises {n} times.")
    for n in range(6)
]
SETTINGS = {"tuner": "trl", "rank": 2, "batch": 2, "epochs": 3, "learning_rate": 0.01, "evaluations": 1, "patience": 2}


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("raft.tuning.tuners.find_spec", lambda name: None)
    with pytest.raises(RaftError, match=r"the tuner trl needs trl and datasets: pip install 'ratf-eval\[local,trl\]'"):
        tuner_kind("local/x").make(SETTINGS, Path(), lambda *_: pytest.fail("nothing is shown"))


@contextmanager
def stopped_at_seven(what: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
    done = 0

    def advance(n: int) -> None:
        nonlocal done
        done += n
        if done == 7:
            raise RaftError("stopped")

    yield advance


def test_stopped_and_resumed_gives_the_same_adapter_which_the_model_takes(
    tiny_base: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("trl", reason="the extra ratf-eval[trl] is not installed")
    from raft.models.local import LocalModel
    from raft.progress import silent

    def tuned(progress: Any = silent) -> Path:
        tuner = tuner_kind("local/x").make(SETTINGS, tmp_path, progress)
        return adapter_folder(tuner.tune(SAMPLES, str(tiny_base), SAMPLES[:2]).rpartition("+")[2])

    with pytest.raises(RaftError, match="stopped"):
        tuned(stopped_at_seven)
    resumed = tuned()
    monkeypatch.setenv("RATF_CACHE", str(tmp_path / "other"))
    whole = tuned()
    assert whole.name == resumed.name
    for name in ("adapter_model.safetensors", "training.json"):
        assert (whole / name).read_bytes() == (resumed / name).read_bytes(), name
    facts = json.loads((whole / "training.json").read_text())
    assert len(facts["losses"]) == 9 and [step for step, _ in facts["validation"]] == [3, 6, 9]
    LocalModel(f"{tiny_base}+{whole.name}").loaded()
