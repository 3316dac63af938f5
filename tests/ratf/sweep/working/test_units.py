"""What the units of a cell are, and in which order they may be done; what phases need of a machine."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from sweeps import SETTINGS, person

from raft.errors import DataError, RaftError
from ratf.sweep.resources import Needs, needs, of_phase
from ratf.sweep.sweep import Cell, Sweep, open_sweep
from ratf.sweep.working.units import GIVEN, READ, Board, Ended, units_of, whole

PEOPLE = ["ada", "bea"]
ARMS = ["baseline", "finetune_only", "raft", "finetune_own"]


def opened(folder: Path, **more: Any) -> Sweep:
    for number, key in enumerate(PEOPLE):
        if not (folder / key).is_dir():
            person(folder, key, number, interviews=3, questions=1)
    path = folder / "several.yaml"
    primary = {"metric": "rouge_l", "better": "raft", "than": "baseline"}
    made = {**SETTINGS, "people": PEOPLE, "arms": ARMS, "primary": primary, **more}
    path.write_text(yaml.safe_dump(made, sort_keys=False), "utf-8")
    return open_sweep(path, out=folder / "run")


def needed(cell: Cell) -> dict[str, tuple[str, ...]]:
    return {unit.words: unit.needs for unit in units_of(cell)}


def test_each_arm_answers_by_itself_once_its_model_is_tuned(tmp_path: Path) -> None:
    found = needed(opened(tmp_path).cells[0])
    assert found == {
        "prepare": (),
        "tune finetune_only": ("prepare",),
        "tune raft": ("prepare",),
        "answer baseline": ("prepare",),
        "answer finetune_only": ("tune finetune_only",),
        "answer raft": ("tune raft",),
        "answer finetune_own": ("tune finetune_only",),
        f"answer {GIVEN}": ("prepare",),
        "score": tuple(f"answer {name}" for name in (*ARMS, GIVEN)),
    }
    cell = opened(tmp_path, contamination=True, models={**SETTINGS["models"], "base": "openai/m"}).cells[0]
    assert needed(cell)[f"answer {READ}"] == ("prepare",)
    assert needed(cell)["tune raft"] == ("prepare", "tune finetune_only"), "jobs of a service are kept in one file"


def test_a_unit_that_fails_stops_what_needs_it_and_nothing_else(tmp_path: Path) -> None:
    sweep = opened(tmp_path)
    over: list[str] = []
    board = Board(sweep.cells, lambda cell, ended: over.append(f"{cell.name}: {ended.said}"))
    done: list[str] = []
    while unit := board.take():
        failed = unit.name == "bea: tune raft"
        board.end(unit, Ended("s", error="no room" if failed else "", said="failed: no room" if failed else "PASS"))
        done.append(unit.name)
    assert not any(name in done for name in ("bea: answer raft", "bea: score"))
    assert {f"{c.name}: {u.words}" for c in sweep.cells for u in units_of(c)} - set(done) == {
        "bea: answer raft",
        "bea: score",
    }
    assert over == ["ada: PASS", "bea: failed: tune raft: no room"]
    ada, bea = map(board.of, sweep.cells)
    assert ada.finished and bea.error == "tune raft: no room"


def test_a_whole_cell_can_be_one_unit_which_says_itself_how_it_ended(tmp_path: Path) -> None:
    over: list[str] = []
    board = Board(opened(tmp_path).cells, lambda cell, ended: over.append(f"{cell.name}: {ended.said}"), whole)
    first, second = board.take(), board.take()
    assert first and second and board.take() is None and board.line() == "cell 0 of 2, 2 under way"
    board.end(first, Ended("s", error="tune raft: no room", said="failed: tune raft: no room"))
    board.end(second, Ended("s", said="PASS"))
    assert over == ["ada: failed: tune raft: no room", "bea: PASS"]
    assert board.of(first.cell).error == "tune raft: no room" and board.of(second.cell).finished


def test_who_takes_a_unit_stays_at_its_cell_and_helps_others_at_the_end(tmp_path: Path) -> None:
    board = Board(opened(tmp_path).cells)
    first, second = board.take(), board.take()
    assert first and second and [first.name, second.name] == ["ada: prepare", "bea: prepare"]
    assert board.take() is None and board.line() == (
        "prepare 0 of 2, 2 under way; tune 0 of 4; answer 0 of 10; score 0 of 2"
    )
    board.end(first, Ended("s"))
    third = board.take("ada")
    assert third and third.name == "ada: tune finetune_only"
    other = board.take("bea")
    assert other and other.name == "ada: tune raft", "nothing of bea's may be begun yet"
    board.again(other)
    same = board.take()
    assert same and same.name == "ada: tune raft", "a unit whose process was lost is there again"
    assert "tune 0 of 4, 2 under way on north" in board.line({third.name: "north", same.name: "north"})


def test_a_suite_says_what_each_phase_needs(tmp_path: Path) -> None:
    plain = opened(tmp_path)
    sweep = opened(tmp_path, resources={"tune": {"gpu": 1}, "score": {"cpu": 2}})
    assert sweep.digest == plain.digest, "where it is run is no part of what is run"
    each = needs("cpu=4")
    assert of_phase("tune", sweep.resources, each) == Needs(cpu=4, gpu=1)
    assert of_phase("score", sweep.resources, each) == Needs(cpu=2)
    assert of_phase("answer", sweep.resources, each) == each
    for wrong, told in (
        ({"tuning": {"gpu": 1}}, "tuning"),
        ({"tune": {"tpu": 1}}, "tpu"),
        ({"tune": {"gpu": -1}}, "gpu"),
    ):
        with pytest.raises(DataError, match=rf"several.yaml:\d+: resources.*{told}"):
            opened(tmp_path, resources=wrong)


def test_what_a_unit_needs_is_read_or_refused() -> None:
    assert needs("") == Needs(cpu=1, gpu=0) and needs("gpu=1") == Needs(gpu=1) and needs("cpu=2, gpu=0.5").gpu == 0.5
    for wrong in ("tpu=1", "gpu", "cpu=many", "gpu=-1"):
        with pytest.raises(RaftError, match="write cpu=N"):
            needs(wrong)
