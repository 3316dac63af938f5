import dataclasses
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raft.errors import DataError, RaftError
from raft.types import Exchange
from ratf.content import content
from ratf.suite.study import Study, _thin, being_run, current_study, open_study

EditLine = Callable[[Path, int, dict[str, object] | str], None]
SHORT = [
    {"speaker": "A", "role": "interviewer", "text": "Why?"},
    {"speaker": "B", "role": "target", "text": "Because."},
]


def problem(suite: Path) -> str:
    """What is said to be wrong with the suite's data."""
    with pytest.raises(DataError) as refused:
        open_study(str(suite))
    return str(refused.value)


@pytest.fixture(scope="module")
def demo() -> Study:
    return open_study("demo")


def test_the_newest_interviews_are_held_out_whole(demo: Study) -> None:
    newest = [i.interview_id for i in demo.person.interviews[-6:]]
    assert list(dict.fromkeys(e.interview_id for e in demo.held_out)) == newest


def test_what_is_learnt_is_strictly_older_than_the_first_held_out_day(demo: Study) -> None:
    assert demo.cut == min(e.date for e in demo.held_out if e.date)
    assert all(e.date and demo.cut and e.date < demo.cut for e in [*demo.earlier, *demo.training])


def test_no_held_out_interview_is_learnt_from(demo: Study) -> None:
    held = {e.interview_id for e in demo.held_out}
    assert held.isdisjoint(e.interview_id for e in [*demo.earlier, *demo.training])


def test_an_interview_on_the_first_held_out_day_is_neither_asked_nor_learnt_from(
    tiny: Path, edit_line: EditLine
) -> None:
    day = str(open_study(str(tiny)).cut)
    edit_line(tiny.parent / "marrack" / "interviews.jsonl", 4, {"date": day, "interview_id": "a-same-day"})
    study = open_study(str(tiny))
    assert str(study.cut) == day
    assert "a-same-day" not in {e.interview_id for e in [*study.held_out, *study.earlier]}


def test_an_interview_that_cannot_be_dated_is_never_asked(tiny: Path, edit_line: EditLine) -> None:
    edit_line(tiny.parent / "marrack" / "interviews.jsonl", 6, {"date": None, "interview_id": "undated"})
    tiny.write_text(tiny.read_text("utf-8") + "allow_undated: true\n", "utf-8")
    study = open_study(str(tiny))
    assert "undated" not in {e.interview_id for e in study.held_out}
    assert "undated" in {e.interview_id for e in study.earlier}


def test_training_takes_the_newest_of_the_earlier_exchanges(tiny: Path) -> None:
    study = open_study(str(tiny))
    assert len(study.training) == 8
    assert study.training == study.earlier[-8:]


def test_what_was_said_before_is_of_the_same_interview_and_earlier_in_it(demo: Study) -> None:
    for exchange in demo.person.exchanges:
        told = demo.before[exchange.exchange_id]
        assert all(e.interview_id == exchange.interview_id and e.number < exchange.number for e in told)
        assert len(told) == exchange.number - 1


def exchanges(sizes: list[int]) -> list[Exchange]:
    """Interviews of those sizes."""
    day = date(2020, 1, 1)
    return [
        Exchange(f"i{i:02d}", n, day + timedelta(days=i), "Q?", "A.")
        for i, size in enumerate(sizes)
        for n in range(size)
    ]


@given(st.lists(st.integers(1, 12), min_size=1, max_size=12), st.integers(1, 60))
def test_thinned_questions_are_as_many_as_wanted_in_order_and_always_the_same(sizes: list[int], wanted: int) -> None:
    everything = exchanges(sizes)
    kept = _thin(everything, wanted)
    assert len(kept) == min(wanted, len(everything))
    assert kept == sorted(set(kept), key=everything.index)
    assert kept == _thin(list(everything), wanted)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=12), st.integers(1, 60))
def test_every_interview_keeps_its_share_of_the_questions(sizes: list[int], wanted: int) -> None:
    everything = exchanges(sizes)
    kept = [e.interview_id for e in _thin(everything, wanted)]
    for i, size in enumerate(sizes):
        share = size * len(kept) / len(everything)
        assert abs(kept.count(f"i{i:02d}") - share) < 1 + 1e-9


def test_without_a_number_every_question_is_asked() -> None:
    assert _thin(exchanges([3, 4]), None) == exchanges([3, 4])


def test_the_digest_is_the_same_in_another_place(tiny: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny.parent, tmp_path / "elsewhere")
    moved = open_study(str(tmp_path / "elsewhere" / "tiny.yaml"), out=str(tmp_path / "out"))
    assert moved.digest == open_study(str(tiny)).digest


@pytest.mark.parametrize("person", ["marrack", "pell"])
@pytest.mark.parametrize("name", ["person.yaml", "interviews.jsonl", "writings.jsonl"])
def test_any_byte_of_data_changes_the_digest(tiny: Path, person: str, name: str) -> None:
    before = open_study(str(tiny)).digest
    file = tiny.parent / person / name
    file.write_bytes(file.read_bytes().replace(b" a ", b" o ", 1))
    assert open_study(str(tiny)).digest != before


@pytest.mark.parametrize(
    "change",
    [
        ("seed: 3", "seed: 4"),
        ("questions: 4", "questions: 5"),
        ("k: 2", "k: 3"),
        ("rank: 4", "rank: 8"),
        ("max_tokens: 12", "max_tokens: 13"),
        ("name: tiny", "name: tiny\ncontrols: [real]"),
        ("name: tiny", "name: tiny\nmetrics: [style_identity]"),
    ],
)
def test_any_setting_changes_the_digest(tiny: Path, change: tuple[str, str]) -> None:
    before = open_study(str(tiny)).digest
    tiny.write_text(tiny.read_text("utf-8").replace(*change), "utf-8")
    assert open_study(str(tiny)).digest != before


def test_how_the_suite_is_written_does_not_change_the_digest(tiny: Path) -> None:
    before = open_study(str(tiny)).digest
    tiny.write_text("# a remark\n" + tiny.read_text("utf-8") + "allow_undated: false\n", "utf-8")
    assert open_study(str(tiny)).digest == before


def test_a_task_finds_the_study_that_is_being_run_and_no_other(tiny: Path) -> None:
    study = open_study(str(tiny))
    with being_run(study):
        assert current_study(study.digest) is study
        with pytest.raises(RaftError, match="'nothing' is not being run"):
            current_study("nothing")
    with pytest.raises(RaftError, match="is not being run"):
        current_study(study.digest)


def test_what_is_made_of_a_study_is_made_once_and_outlives_the_process(tiny: Path, tmp_path: Path) -> None:
    study = open_study(str(tiny), out=str(tmp_path / "out"))
    makings: list[int] = []

    def make() -> list[int]:
        makings.append(len(makings))
        return list(makings)

    assert study.made("thing", make) == [0] == study.made("thing", make)
    again = open_study(str(tiny), out=str(tmp_path / "out"))
    assert again.made("thing", make) == [0]
    assert again.made("thing", make, "2") == [0, 1], "another version of the maker makes it again"


def test_what_a_study_holds_is_not_in_its_copy(tiny: Path) -> None:
    study = open_study(str(tiny))
    first = study.held("thing", object)
    assert study.held("thing", object) is first
    assert dataclasses.replace(study).held("thing", object) is not first


def test_too_few_interviews_are_refused_with_both_numbers(tiny: Path) -> None:
    tiny.write_text(tiny.read_text("utf-8").replace("held_out_interviews: 2", "held_out_interviews: 6"), "utf-8")
    assert "held_out_interviews is 6, but marrack has 6 dated interviews" in problem(tiny)


def test_interviews_all_of_one_day_leave_nothing_to_learn_from(tiny: Path, edit_line: EditLine) -> None:
    for number in range(1, 7):
        edit_line(tiny.parent / "marrack" / "interviews.jsonl", number, {"date": "2020-02-02"})
    assert "no interview of marrack is older than the first held-out one of 2020-02-02" in problem(tiny)


def test_missing_folders_are_named_with_those_that_are_there(tiny: Path) -> None:
    tiny.write_text(tiny.read_text("utf-8").replace("[pell]", "[pell, nobody, noone]"), "utf-8")
    said = problem(tiny)
    for key in ("nobody", "noone"):
        assert (
            f"the impostor '{key}' has no folder in {tiny.parent}; in there: marrack, pell. --data names another"
            in said
        )


def test_an_impostor_without_a_usable_exchange_is_refused(tiny: Path, edit_line: EditLine) -> None:
    for number in range(1, 5):
        edit_line(tiny.parent / "pell" / "interviews.jsonl", number, {"turns": SHORT})
    assert "pell/interviews.jsonl: no usable exchange, so pell cannot be an impostor" in problem(tiny)


def with_a_stranger(tiny: Path) -> Path:
    shutil.copytree(content("benchmarks", "rudge"), tiny.parent / "rudge")
    tiny.write_text(tiny.read_text("utf-8").replace("[pell]", "[pell]\nstrangers: [rudge]"), "utf-8")
    return tiny


def test_strangers_are_there_and_nothing_is_learnt_from_them(tiny: Path) -> None:
    before = open_study(tiny)
    study = open_study(with_a_stranger(tiny))
    assert [p.key for p in study.strangers] == ["rudge"] and [p.key for p in study.impostors] == ["pell"]
    assert [e.answer for e in study.earlier] == [e.answer for e in before.earlier]
    assert study.suite.controls == [*before.suite.controls, "stranger_near"] and before.strangers == []
    digest = study.digest
    with (tiny.parent / "rudge" / "writings.jsonl").open("a") as file:
        file.write("\n")
    assert open_study(tiny).digest != digest, "the data of everybody in a suite are part of what a run is"


def test_a_stranger_who_is_not_there_or_never_answers_is_told(tiny: Path, edit_line: EditLine) -> None:
    file = with_a_stranger(tiny).parent / "rudge" / "interviews.jsonl"
    for number in range(1, 7):
        edit_line(file, number, {"turns": SHORT})
    assert "rudge/interviews.jsonl: no usable exchange, so rudge cannot be a stranger" in problem(tiny)
    shutil.rmtree(file.parent)
    assert "the stranger 'rudge' has no folder in" in problem(tiny)


def test_everything_wrong_with_everybody_is_told_at_once(tiny: Path, edit_line: EditLine) -> None:
    edit_line(tiny.parent / "marrack" / "interviews.jsonl", 2, {"date": "someday"})
    edit_line(tiny.parent / "pell" / "writings.jsonl", 1, "{")
    said = problem(tiny)
    assert "marrack/interviews.jsonl:2: date: " in said
    assert "pell/writings.jsonl:1: not JSON" in said


def test_the_demo_has_people_enough_to_talk_about(demo: Study) -> None:
    for person, interviews, writings in ((demo.person, 14, 12), (demo.impostors[0], 10, 8)):
        answered = [sum(e.interview_id == i.interview_id for e in person.exchanges) for i in person.interviews]
        assert sum(n >= 6 for n in answered) >= interviews
        assert sum(len(d.text.split()) >= 350 for d in person.documents) >= writings
    assert len({e.interview_id for e in demo.held_out}) >= 6


def test_the_fed_chairs_suite_asks_60_questions_of_11_interviews(shared: Path) -> None:
    study = open_study("fed-chairs", str(shared))
    assert len(study.held_out) == 60
    assert len({e.interview_id for e in study.held_out}) == 11
    assert len(study.training) >= 150
