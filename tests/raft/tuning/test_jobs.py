"""From a person's folder to a tuned model, by the commands."""

import json
from pathlib import Path

import pytest
from commands import Command

from raft.errors import RaftError
from raft.models.weights import adapter_folder
from raft.tuning.jobs import Tuning, keep, locked, state_file, tuned_model, tunings


@pytest.mark.slow
def test_from_interviews_to_a_tuned_model(raft: Command, tiny: Path, cache: Path, tiny_base: Path) -> None:
    folder = tiny.parent / "marrack"
    made = raft("ft:gen", folder, "--held-out", 2)
    assert made.returncode == 0 and "finetune.openai.jsonl: " in made.stdout, made.stderr
    options = ("--model", f"local/{tiny_base}", "--context", 400, "--epochs", 2, "--rank", 2, "--learning-rate", 0.01)
    run = raft("ft:run", folder, *options)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == tuned_model(folder) and run.stdout.startswith(f"local/{tiny_base}+")
    facts = json.loads((adapter_folder(run.stdout.strip().rpartition("+")[2]) / "training.json").read_text())
    assert facts["validation"] and facts["settings"]["rank"] == 2


def test_what_ft_run_needs_is_said(raft: Command, tiny: Path) -> None:
    folder = tiny.parent / "marrack"
    for arguments, says in [
        ((), "finetune.jsonl: missing; `raft ft:gen` makes it"),
        (("--model", "gpt-4o"), "name a model as local/… or openai/…"),
        (("--model", "local/org/model"), "hubs are never asked"),
        (("--model", "openai/gpt-4o"), "finetune.openai.jsonl: missing"),
        (("--context", 10**6), "reads at most 8192 tokens"),
    ]:
        run = raft("ft:run", folder, *arguments)
        assert (run.returncode, run.stdout) == (2, "") and says in run.stderr, run.stderr


def test_the_newest_model_is_the_one_asked_for_last(tmp_path: Path) -> None:
    path = state_file(tmp_path)
    assert tuned_model(tmp_path) is None
    keep(path, Tuning("local/a", "1", "local/a+1"))
    keep(path, Tuning("openai/b", "2", job="ftjob-1"))
    assert tuned_model(tmp_path) == "local/a+1", "a job under way is no model"
    keep(path, Tuning("openai/b", "2", "openai/ft:b"))
    assert tuned_model(tmp_path) == "openai/ft:b"
    keep(path, Tuning("local/a", "1", "local/a+1"))
    assert tuned_model(tmp_path) == "local/a+1" and len(tunings(path)) == 2
    path.write_text("{broken")
    with pytest.raises(RaftError, match="not a list of tunings"):
        tuned_model(tmp_path)


def test_one_at_a_time(tmp_path: Path) -> None:
    path = state_file(tmp_path)
    with (
        locked(path),
        pytest.raises(RaftError, match=r"where `raft ft:run` tunes, is in use by process \d+ on .* since 20"),
        locked(path),
    ):
        pass
    with locked(state_file(tmp_path)):
        pass
