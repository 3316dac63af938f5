"""One function runs a suite: what it did, what it tells, and what it refuses."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hosted import Hosted
from planted_judges import DEMO
from small_suite import characters, small

from raft.errors import RaftError
from ratf.models.budget import Limits, OverBudget
from ratf.results.results import dumps
from ratf.runner.run import Outcome, run


@pytest.fixture
def again(tmp_path: Path, cache: Path, hosted: Hosted) -> Any:
    """Calls `run` on a small suite of planted models; keyword arguments are its own."""
    characters(tmp_path)
    small(tmp_path, metrics=["rouge_l"], primary={"metric": "rouge_l", "better": "rag_only", "than": "baseline"},
          split={"held_out_interviews": 6, "questions": 6}, answers={"samples": 2}, contamination=False)  # fmt: skip

    def call(out: str | None = "run", **how: Any) -> Outcome:
        where = tmp_path / out if out else None
        return run(tmp_path / "suite.yaml", DEMO.parent, where, allow_leaks=True, **how)

    return call


@pytest.mark.slow
def test_a_run_is_made_once_and_then_taken_up(again: Any, tmp_path: Path) -> None:
    told: list[str] = []
    entered: list[Path] = []

    class Entered:
        def __init__(self, folder: Path) -> None:
            entered.append(folder)

        def __enter__(self) -> None:
            entered.append(Path("in"))

        def __exit__(self, *_: object) -> None:
            entered.append(Path("out"))

    with pytest.raises(OverBudget, match=r"of 1 tokens spent"):
        again(limits=Limits(tokens=1))
    first = again(tell=told.append, within=Entered)
    assert (first.did, first.folder) == ("ran", tmp_path / "run")
    assert entered == [tmp_path / "run", Path("in"), Path("out")]
    assert "6 held-out questions since" in told[0] and told[-1].startswith("took ")
    told.clear()
    second = again(tell=told.append)
    assert (second.did, second.results, told) == ("nothing", first.results, [])
    said = heavy_for_the_command(tmp_path, "run")
    assert "nothing to do" in said[0] and said[-1] == "[]"
    (tmp_path / "run" / "report.html").unlink()
    assert again().did == "page" and (tmp_path / "run" / "report.html").is_file()
    with pytest.raises(RaftError, match=r"holds a run that was not recorded"):
        again(record=tmp_path / "recording")


def heavy_for_the_command(folder: Path, out: str) -> list[str]:
    """The lines that `ratf run` says, and a last one with what it has imported that takes a second or more."""
    code = (
        "import sys, ratf.cli\ntry: ratf.cli.app()\n"
        "finally: print([m for m in ('torch', 'inspect_ai', 'chromadb', 'transformers', 'scipy') if m in sys.modules])"
    )
    given = ["run", str(folder / "suite.yaml"), "--data", str(DEMO.parent), "--out", str(folder / out), "--allow-leaks"]
    return subprocess.run([sys.executable, "-c", code, *given], capture_output=True, text=True).stdout.splitlines()


@pytest.mark.slow
def test_a_recorded_run_is_replayed_beside_it(again: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = again(None, record="recording")
    assert first.did == "ran" and first.folder == Path("runs") / first.study.suite.name
    assert again(None, record="recording").did == "nothing"
    told: list[str] = []
    other = again(None, replay="recording", tell=told.append)
    assert other.did == "replayed" and other.folder == first.folder.with_name(f"{first.folder.name}-replay")
    assert any(line.startswith("replayed: no model was asked; ") for line in told)
    same = {"times": {}, "budget": None, "replayed": ""}
    assert dumps(other.results.model_copy(update=same)) == dumps(first.results.model_copy(update=same))


def test_recording_and_replaying_at_once_is_refused_before_anything_is_read() -> None:
    with pytest.raises(RaftError, match="--record keeps what models reply, and --replay asks none; give one of them"):
        run("no such suite", record="a", replay="b")


@pytest.mark.slow
def test_two_runs_in_a_folder_do_not_both_pay(again: Any, tmp_path: Path) -> None:
    entered: list[str] = []

    def tell(line: str) -> None:
        if not entered:  # the first line is told before anything is asked
            entered.append(line)
            with pytest.raises(RaftError, match=rf"a run's folder, is in use by process {os.getpid()} on .*--wait"):
                again()

    first = again(tell=tell)
    assert entered and first.did == "ran"
    assert again(wait=True).did == "nothing"
