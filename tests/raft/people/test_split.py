"""How many interviews are held out where nobody says so, and what is said where they are too few."""

import json
from pathlib import Path

import pytest
from places import REPOSITORY

from raft.people.person import load_person
from raft.people.split import split, too_few, usual_held_out


@pytest.mark.parametrize(
    ("interviews", "held_out"), [(1, 1), (2, 1), (3, 1), (9, 4), (11, 5), (12, 6), (30, 6), (33, 7), (60, 12)]
)
def test_six_are_held_out_of_twelve_and_half_of_fewer(interviews: int, held_out: int) -> None:
    assert usual_held_out(interviews) == held_out


def of_so_many(tmp_path: Path, interviews: int) -> Path:
    source = REPOSITORY / "benchmarks" / "marrack"
    records = [json.loads(line) for line in (source / "interviews.jsonl").read_text("utf-8").splitlines()]
    folder = tmp_path / f"of-{interviews}"
    folder.mkdir()
    chosen = "".join(f"{json.dumps(record)}\n" for record in records[:interviews])
    (folder / "interviews.jsonl").write_text(chosen, "utf-8")
    (folder / "person.yaml").write_bytes((source / "person.yaml").read_bytes())
    return folder


def test_too_few_interviews_are_told_with_what_to_add(tmp_path: Path) -> None:
    person = load_person(of_so_many(tmp_path, 9))
    told = too_few(person, split(person))
    assert "9 dated interviews: 4 to ask about (28 questions), 5 to learn from" in told
    assert "Bring 3 more dated interviews, for 12 in all" in told


def test_one_held_out_interview_can_show_nothing(tmp_path: Path) -> None:
    person = load_person(of_so_many(tmp_path, 3))
    assert "no difference can be shown at all" in too_few(person, split(person))


def test_enough_interviews_need_no_word_and_few_of_many_can_be_mended(tmp_path: Path) -> None:
    person = load_person(of_so_many(tmp_path, 14))
    assert too_few(person, split(person)) == ""
    assert too_few(person, split(person, 2)).endswith("Hold out 6: --held-out 6.")
