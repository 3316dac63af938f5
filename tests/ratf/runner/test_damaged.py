"""Damaged files of a run are named, set aside and made again; the results are the same."""

import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from hosted import Hosted
from planted_judges import DEMO
from small_suite import characters, small

from ratf.results.folder import set_damaged_logs_aside
from ratf.results.results import Results
from ratf.runner.run import run

DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda content: content[: len(content) // 2],
    "flipped": lambda content: content[: len(content) // 2] + bytes([content[len(content) // 2] ^ 1]) + content[len(content) // 2 + 1 :],
}  # fmt: skip


def same(a: Results, b: Results) -> bool:
    """Whether two runs say the same; times and what was spent are their own."""
    left, right = (json.loads(r.model_dump_json(exclude={"times", "budget", "environment"})) for r in (a, b))
    return bool(left == right)


@pytest.mark.slow
def test_damaged_state_is_named_set_aside_and_made_again(
    tmp_path: Path, cache: Path, hosted: Hosted, caplog: pytest.LogCaptureFixture
) -> None:
    characters(tmp_path)
    small(tmp_path, split={"held_out_interviews": 6, "questions": 6}, contamination=False)
    out = tmp_path / "run"

    def again() -> Results:
        return run(tmp_path / "suite.yaml", DEMO.parent, out, allow_leaks=True).results

    first = again()
    for name, damage in DAMAGES.items():
        caplog.clear()
        state = [p for p in sorted(out.glob("*.json")) if p.name != "progress.json"] + sorted(out.glob("logs/*.eval"))
        assert {"times.json", "memories.json", "controls.json", "judges.json", "results.json"} <= {
            p.name for p in state
        }
        if name == "flipped":  # the results are no state that has a digest of its own
            (out / "results.json").unlink()
            state.remove(out / "results.json")
        for path in state:
            path.write_bytes(damage(path.read_bytes()))
        with caplog.at_level(logging.WARNING):
            assert same(again(), first), name
        said = [r.getMessage() for r in caplog.records if "set aside" in r.getMessage()]
        silent = [p.name for p in state if not any(line.startswith(str(p)) for line in said)]
        assert silent == [], (name, silent)
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            assert same(again(), first)
        assert not [r for r in caplog.records if "set aside" in r.getMessage()], "said once, not at every start"


def test_a_log_is_set_aside_for_a_single_wrong_byte(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    from inspect_ai import Task, eval
    from inspect_ai.dataset import Sample
    from inspect_ai.solver import Generate, Solver, TaskState, solver

    @solver
    def nothing() -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            return state

        return solve

    task = Task(dataset=[Sample(input="Is it slow?")], name="one", solver=nothing())
    (log,) = eval(task, model="mockllm/model", log_dir=str(tmp_path), display="none")
    path = Path(log.location.removeprefix("file://"))
    set_damaged_logs_aside(tmp_path)
    assert path.is_file(), "nothing is wrong with it"
    content = bytearray(path.read_bytes())
    content[content.index(b"samples/") + 200] ^= 1
    path.write_bytes(bytes(content))
    set_damaged_logs_aside(tmp_path)
    assert not path.exists() and path.with_name(f"{path.name}.damaged").read_bytes() == content
    assert str(path) in caplog.text
