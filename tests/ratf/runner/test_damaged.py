"""Damaged files of a run are named, set aside and made again; the results are the same."""

import json
import logging
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hosted import Hosted
from planted_judges import DEMO
from small_suite import characters, small

from ratf.results.folder import logs, set_damaged_logs_aside
from ratf.results.results import Results
from ratf.runner.run import run


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flipped(content: bytes) -> bytes:
    """One bit changed: of a log, in the first member's checksum; a few bits of what is packed say nothing."""
    made = bytearray(content)
    made[content.index(b"PK\x01\x02") + 16 if content.startswith(b"PK") else len(content) // 2] ^= 1
    return bytes(made)


DAMAGES: dict[str, Callable[[bytes], bytes]] = {"cut": cut, "flipped": flipped}


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


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A small log of two questions, alone in its folder."""
    from inspect_ai import Task, eval
    from inspect_ai.dataset import Sample
    from inspect_ai.solver import Generate, Solver, TaskState, solver

    @solver
    def nothing() -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            return state

        return solve

    samples = [Sample(input="Is it slow?", id="i-q001"), Sample(input="Is it deep?", id="i-q002")]
    task = Task(dataset=samples, name="one", solver=nothing())
    (made,) = eval(task, model="mockllm/model", log_dir=str(tmp_path / "logs"), display="none")
    return Path(made.location.removeprefix("file://"))


def test_a_log_is_set_aside_for_a_single_wrong_byte(log: Path, caplog: pytest.LogCaptureFixture) -> None:
    set_damaged_logs_aside(log.parent)
    assert log.is_file(), "nothing is wrong with it"
    content = flipped(log.read_bytes())
    log.write_bytes(content)
    set_damaged_logs_aside(log.parent)
    assert not log.exists() and log.with_name(f"{log.name}.damaged").read_bytes() == content
    assert str(log) in caplog.text


def test_no_wrong_bit_of_a_log_that_is_not_noticed_changes_what_is_read(log: Path) -> None:
    from inspect_ai.log import read_eval_log

    def read() -> tuple[str, list[list[tuple[str, int]]]]:
        whole = read_eval_log(str(log)).model_dump_json(exclude={"etag"})
        return whole, [one.samples for one in logs(log.parent)]

    content, wanted, noticed = log.read_bytes(), read(), 0
    directory, lot = content.index(b"PK\x01\x02"), random.Random(13)
    every = [(at, bit) for at in range(directory, len(content)) for bit in range(8)]
    every += [(at, lot.randrange(8)) for at in range(directory)]
    for at, bit in lot.sample(every, 400):
        log.write_bytes(content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :])
        set_damaged_logs_aside(log.parent)
        if log.exists():
            assert read() == wanted, f"bit {bit} of byte {at}"
        else:
            noticed += 1
    assert noticed > 200


@pytest.mark.parametrize("length", ["name", "extra", "comment"])
def test_a_member_that_a_wrong_length_hides_is_missed(log: Path, length: str) -> None:
    content = log.read_bytes()
    at = content.index(b"PK\x01\x02", content.index(b"PK\x01\x02") + 1)  # the first question's
    following = content.index(b"PK\x01\x02", at + 1)
    further = content.index(b"PK\x01\x02", following + 1) - following
    field = at + {"name": 28, "extra": 30, "comment": 32}[length]
    told = int.from_bytes(content[field : field + 2], "little") + further
    log.write_bytes(content[:field] + told.to_bytes(2, "little") + content[field + 2 :])
    set_damaged_logs_aside(log.parent)
    assert not log.exists()
