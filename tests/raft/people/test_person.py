from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from raft.errors import DataError
from raft.people.doubts import doubts
from raft.people.person import About, exchanges, introduce, load_about, load_person
from raft.types import Interview, Turn
from ratf.suite.study import open_study

ABOUT = About(name="A", introduction="You are A.")


def problems(folder: Path, **more: bool) -> list[str]:
    with pytest.raises(DataError) as error:
        load_person(folder, **more)
    return error.value.problems


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("{broken", "not JSON"),
        ({"turns": None}, "turns: is missing"),
        ({"interview_id": None}, "interview_id: is missing"),
        ({"turns": [{"speaker": "x", "role": "host", "text": "y"}]}, "'interviewer', 'target' or 'other'"),
        ({"date": "last spring"}, "write it as YYYY-MM-DD"),
        ({"date": None}, "date is missing"),
        ({"turns": [{"speaker": "x", "role": "target", "text": "  "}]}, "turns[0].text: is empty"),
        ({"interview_id": "marrack-2010-09"}, "taken by line 1"),
    ],
)
def test_bad_lines_are_named(tiny: Path, edit_line: Callable[..., None], change: object, says: str) -> None:
    file = tiny.parent / "marrack" / "interviews.jsonl"
    edit_line(file, 2, change)
    (problem,) = problems(file.parent)
    assert problem.startswith(f"{file}:2: ")
    assert says in problem


def test_all_problems_of_all_files_are_listed(tiny: Path, edit_line: Callable[..., None]) -> None:
    folder = tiny.parent / "marrack"
    edit_line(folder / "interviews.jsonl", 1, "nonsense")
    edit_line(folder / "interviews.jsonl", 3, {"date": "soon", "title": None})
    edit_line(folder / "writings.jsonl", 2, {"text": ""})
    (folder / "person.yaml").write_text("name: X\nnickname: Y\n")
    found = "\n".join(problems(folder))
    for expected in ("interviews.jsonl:1", "interviews.jsonl:3: title", "interviews.jsonl:3: date", "writings.jsonl:2"):
        assert expected in found
    assert "introduction: is missing" in found and "nickname: is not a known key" in found


def test_a_question_has_its_topic_or_its_interviews(tiny: Path, edit_line: Callable[..., None]) -> None:
    folder = tiny.parent / "marrack"
    turns = [
        {"speaker": "q", "role": "interviewer", "text": text, **more} if role == "q" else
        {"speaker": "a", "role": "target", "text": "word " * 30}
        for text, more in (("Why?", {"topic": " weirs\nand dams "}), ("How?", {}))
        for role in "qa"
    ]  # fmt: skip
    edit_line(folder / "interviews.jsonl", 1, {"turns": turns, "topic": "rivers"})
    person = load_person(folder)
    assert [e.topic for e in exchanges(person.interviews[0])] == ["weirs and dams", "rivers"]
    assert not any(e.topic for e in exchanges(person.interviews[1]))


def test_not_utf8_and_missing_files(tiny: Path) -> None:
    folder = tiny.parent / "marrack"
    (folder / "interviews.jsonl").write_bytes(b'{"a": "\xff"}\n')
    (folder / "person.yaml").unlink()
    found = "\n".join(problems(folder))
    assert "interviews.jsonl:1: not UTF-8" in found and "person.yaml: missing" in found
    (folder / "interviews.jsonl").unlink()
    assert "interviews.jsonl: missing" in "\n".join(problems(folder))


def test_somebody_without_writings_can_be_an_impostor(tiny: Path) -> None:
    (tiny.parent / "pell" / "writings.jsonl").unlink()
    impostor = load_person(tiny.parent / "pell")
    assert impostor.documents == () and "enough for an impostor" in "".join(doubts(impostor))
    assert open_study(tiny).impostors == [impostor]


def test_a_person_without_writings_cannot_remember(tiny: Path) -> None:
    (tiny.parent / "marrack" / "writings.jsonl").unlink()
    with pytest.raises(DataError, match=r"no writings, so nothing can be remembered.*rag_only, raft"):
        open_study(tiny)
    tiny.write_text(
        tiny.read_text("utf-8") + "arms: [baseline, finetune_only]\nprimary: {better: finetune_only}\n", "utf-8"
    )
    assert open_study(tiny).person.documents == ()


def test_undated_text_needs_permission(tiny: Path, edit_line: Callable[..., None]) -> None:
    folder = tiny.parent / "marrack"
    edit_line(folder / "writings.jsonl", 1, {"date": None})
    assert "allow_undated" in problems(folder)[0]
    assert load_person(folder, allow_undated=True).documents[0].date is None


def test_an_exchange_is_a_question_answered_at_once() -> None:
    turns = [
        Turn("a", "target", "opening"),
        Turn("q", "interviewer", "one?"),
        Turn("m", "other", "wait"),
        Turn("q", "interviewer", "two?"),
        Turn("a", "target", "yes"),
        Turn("a", "target", "and another thing"),
    ]
    found = list(exchanges(Interview("i", "", date(2020, 1, 1), "", tuple(turns))))
    assert [(e.exchange_id, e.question, e.answer) for e in found] == [("i-q001", "two?", "yes")]


def test_real_data_has_the_documented_counts(shared: Path) -> None:
    powell = load_person(shared / "powell", ABOUT)
    assert (len(powell.interviews), len(powell.exchanges)) == (35, 794)
    assert len(load_person(shared / "bernanke", ABOUT).exchanges) == 262


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=5))
def test_no_file_crashes_the_reader(tmp_path: Path, lines: list[bytes]) -> None:
    (tmp_path / "interviews.jsonl").write_bytes(b"\n".join(lines))
    (tmp_path / "writings.jsonl").write_bytes(b"")
    try:
        load_person(tmp_path, ABOUT)
    except DataError as error:
        assert all(str(tmp_path) in p for p in error.problems)


def test_a_byte_order_mark_is_no_problem_and_half_a_character_is(tiny: Path, edit_line: Callable[..., None]) -> None:
    folder = tiny.parent / "marrack"
    file = folder / "writings.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert len(load_person(folder).documents) == 3
    edit_line(folder / "interviews.jsonl", 1, '{"interview_id": "a\\ud800", "title": ""}')
    assert "interviews.jsonl:1: " in problems(folder)[0]


def test_a_day_to_come_is_refused_in_yaml_as_well(tmp_path: Path) -> None:
    (tmp_path / "person.yaml").write_text("name: Mara Linden\nintroduction: A keeper.\nknowledge_cutoff: 9999-12-31\n")
    with pytest.raises(DataError, match=r"person.yaml:3: knowledge_cutoff: 9999-12-31 is in the future"):
        load_about(tmp_path)


@pytest.mark.parametrize("name", ["Jane Doe", "Jane: a #1 'Doe'", "李明", "Jane " * 60])
def test_a_new_person_yaml_asks_for_what_its_owner_must_say(tmp_path: Path, name: str) -> None:
    name = name.strip()
    assert introduce(tmp_path, name) == About(name=name, introduction="You are being interviewed.")
    lines = (tmp_path / "person.yaml").read_text("utf-8").splitlines()
    for key in ("name", "introduction", "licence", "consent"):
        at = next(n for n, line in enumerate(lines) if line.startswith(f"{key}:"))
        assert lines[at - 1].startswith("# ")
    assert {f"# {key}:" for key in ("knowledge_cutoff", "fictional")} <= {line[: line.find(":") + 1] for line in lines}
    # what may be left out holds as it is written there, without its sign
    optional = [
        line[2:] if ": " in line and line.startswith("# ") and " " not in line[2:].split(":")[0] else line
        for line in lines
    ]
    (tmp_path / "person.yaml").write_text("\n".join(optional), "utf-8")
    assert load_about(tmp_path).fictional and load_about(tmp_path).knowledge_cutoff
