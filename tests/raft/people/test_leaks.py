import dataclasses
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from raft.cli import app
from raft.people.leaks import MIN_WORDS, alike, answers, blind, covered, older, repeated, stored, twins, words, writings
from raft.people.person import exchanges, load_documents, load_interviews
from raft.types import Chunk, Document, Exchange, Interview, Turn, Vectors

SAID = (
    "We moved the old weir in the spring because the eels could not get past it and nobody had asked the eels, "
    "which is how most of the river's troubles begin if you look at them for long enough."
)
OTHER = " ".join(f"word{i}" for i in range(40))


def exchange(
    answer: str, interview: str = "i", number: int = 1, day: str = "2020-06-01", question: str = "Why?"
) -> Exchange:
    return Exchange(interview, number, date.fromisoformat(day), question, answer)


def document(text: str, day: str | None = "2019-01-01", name: str = "d") -> Document:
    return Document(name, "T", date.fromisoformat(day) if day else None, "s", text)


def interview(name: str, *turns: tuple[str, str], day: str = "2020-06-01") -> Interview:
    return Interview(name, "T", date.fromisoformat(day), "s", tuple(Turn("A", role, text) for role, text in turns))  # type: ignore[arg-type]


def test_a_copied_answer_is_found_whole_whatever_its_dress() -> None:
    dressed = "Intro. " + SAID.upper().replace("'", "’").replace(",", " – ") + " The end."
    (found,) = covered([exchange(SAID)], writings([document(OTHER, name="a"), document(dressed, name="b")]))
    assert (found.coverage, found.document, found.kind, found.later) == (1.0, "b", "writing", False)
    assert found.longest_run == found.words == len(words(SAID))


def test_coverage_grows_with_what_was_copied_and_the_worst_comes_first() -> None:
    own = OTHER.split()
    mixed = [exchange(" ".join([*own[: 10 * n], *SAID.split()[10 * n : 40]]), number=n) for n in range(1, 4)]
    found = covered(mixed, writings([document(OTHER)]), at_least=0.0)
    assert [a.question for a in found] == [3, 2, 1]
    assert [a.longest_run for a in found] == [30, 20, 10]


def test_coverage_is_over_all_sources_and_names_the_one_that_shares_most() -> None:
    said = SAID.split()
    halves = [document(" ".join(said[:14]), name="small"), document(" ".join(said[10:]), name="large")]
    (found,) = covered([exchange(SAID)], writings(halves))
    assert found.document == "large" and found.longest_run == len(said) - 10 and found.coverage > 0.85


def test_short_answers_are_left_alone() -> None:
    short = " ".join(SAID.split()[: MIN_WORDS - 1])
    assert covered([exchange(short)], writings([document(SAID)])) == []


def test_what_is_not_older_than_the_interview_is_marked_and_can_be_left_out() -> None:
    asked = [exchange(SAID, day="2020-06-01")]
    for day, later in (("2020-05-31", False), ("2020-06-01", True), ("2021-01-01", True), (None, False)):
        sources = writings([document(SAID, day)])
        assert [a.later for a in covered(asked, sources)] == [later]
        assert len(covered(asked, sources, may=older)) == (0 if later else 1)


def test_an_answer_is_not_a_leak_of_its_own_interview() -> None:
    pair = [exchange(SAID, number=1), exchange(SAID, number=2)]
    assert covered(pair, answers(pair)) == [] == repeated(pair)


def test_the_same_answer_in_two_interviews_is_told_once() -> None:
    pair = [exchange(SAID, "old", day="2019-01-01"), exchange(SAID, "new")]
    (found,) = repeated(pair)
    assert (found.interview, found.document, found.kind) == ("new", "old-q001", "answer")


def test_a_sign_off_is_no_leak() -> None:
    bye = "So thank you all for listening to the river hour, and until next time."
    pair = [exchange(bye, "old", day="2019-01-01"), exchange(f"That I cannot say for certain yet, sorry. {bye}", "new")]
    assert repeated(pair) == [] == covered(pair[1:], answers(pair[:1]))
    assert len(covered(pair[1:], writings([document(bye)]))) == 1


def test_an_interview_published_twice_is_found_under_its_other_name() -> None:
    one = interview("one", ("interviewer", "So why was it that you moved the weir at all?"), ("target", SAID))
    other = dataclasses.replace(
        one, interview_id="syndicated", title="U", turns=(Turn("B", "other", OTHER), *one.turns)
    )
    third = interview("third", ("interviewer", "Why?"), ("target", OTHER[:-9]))
    (found, *rest) = twins([one, third, other])
    assert {found.one, found.other} == {"one", "syndicated"} and found.coverage == 1.0
    assert {(t.one, t.other) for t in rest} == {("third", "syndicated")}
    assert twins([one, third]) == []


def passage(text: str, day: str | None = "2019-01-01") -> Chunk:
    return Chunk("c", "d", "t", "s", date.fromisoformat(day) if day else None, 0, len(text), text)


@pytest.mark.parametrize(
    ("question", "text", "day", "there"),
    [
        ("Why did you move the old weir last spring?", "Q: Why did you move the old weir last spring? A: …", "2019-01-01", True),
        ("Why did you move the old weir last spring?", "Why did you move the old weir last spring?", None, True),
        ("Why did you move the old weir last spring?", "Why did you move the old weir last spring?", "2020-06-01", False),
        ("Why did you move the old weir last spring?", "I moved the weir last spring.", "2019-01-01", False),
        ("And the eels?", "And the eels?", "2019-01-01", True),
        ("And the eels?", "And the eels? They went.", "2019-01-01", False),
    ],
)  # fmt: skip
def test_questions_in_the_store(question: str, text: str, day: str | None, there: bool) -> None:
    found = stored([exchange(SAID, question=question)], [passage(OTHER), passage(text, day)])
    assert bool(found) == there


def directions(texts: Sequence[str]) -> Vectors:
    """Texts that begin with We point one way, all others another."""
    return np.array([[1, 0] if t.startswith("We") else [0, 1] for t in texts], dtype=np.float32)


def test_the_same_in_other_words_is_found_by_embeddings() -> None:
    asked = [exchange(SAID), exchange(OTHER, number=2)]
    (found,) = alike(asked, writings([document("We shifted that barrier.", name="para")]), directions)
    assert (found.question, found.document, found.cosine) == (1, "para", 1.0)
    assert alike(asked, [], directions) == []


def test_embeddings_that_tell_nothing_apart_find_nothing_alike() -> None:
    asked = [exchange(f"We {OTHER}", number=n) for n in range(3)]
    assert blind(asked, directions) == 1.0
    mixed = [*asked, *(exchange(f"I {OTHER}", number=n) for n in range(4, 7))]
    assert blind(mixed, directions) is None and blind(asked[:1], directions) is None


@given(st.text(), st.text())
def test_any_text_can_be_looked_at(said: str, written: str) -> None:
    for a in covered([exchange(f"{said} {OTHER}")], writings([document(written)]), at_least=0.0):
        assert 0 < a.coverage <= 1 and a.longest_run <= a.words
    whole = covered([exchange(f"{OTHER} {said}")], writings([document(f"{written} {OTHER} {said}")]))
    assert [a.coverage for a in whole] == [1.0]


@pytest.mark.parametrize(
    ("person", "leaks", "looked_at"),
    [("sjors", 32, 1811), ("powell", 0, 800), ("bernanke", 0, 263), ("yellen", 0, 295), ("jfk", 0, 1451)],
)
def test_real_people(shared: Path, person: str, leaks: int, looked_at: int) -> None:
    run = CliRunner().invoke(app, ["leaks", str(shared / person), "--json"])
    said = json.loads(run.stdout)
    assert len(said["answers"]) == leaks and said["checked"] == looked_at
    assert all(a["coverage"] >= 0.2 and a["document"] and a["question"] >= 1 for a in said["answers"])
    assert said["repeated"] == said["twins"] == [] and said["clean"] is (leaks == 0)
    assert run.exit_code == (1 if leaks else 0)


def test_shared_runs_of_13_words_on_real_people(shared: Path) -> None:
    """The counts that were found independently: 68 answers of sjors, 4 of powell, 1 of yellen."""
    for person, count in (("sjors", 68), ("powell", 4), ("yellen", 1)):
        asked = [e for i in load_interviews(shared / person) for e in exchanges(i)]
        found = covered(asked, writings(load_documents(shared / person)), at_least=0.0)
        assert sum(a.longest_run >= 13 for a in found) == count


def plant(tiny: Path, line: int, **keys: str) -> Path:
    """A writing of the tiny suite's person that holds an answer of its newest interview."""
    folder = tiny.parent / "marrack"
    newest = load_interviews(folder)[-1]
    answer = max((e.answer for e in exchanges(newest)), key=len)
    rows = [json.loads(text) for text in (folder / "writings.jsonl").read_text("utf-8").splitlines()]
    rows[line] |= {"text": rows[line]["text"] + "\n\n" + answer, **keys}
    (folder / "writings.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), "utf-8")
    return folder


def test_the_command_says_clean_or_not_and_needs_no_person_yaml(tiny: Path) -> None:
    folder = tiny.parent / "marrack"
    (folder / "person.yaml").unlink()
    run = CliRunner().invoke(app, ["leaks", str(folder)])
    assert run.exit_code == 0 and "clean: " in run.stdout
    plant(tiny, 0)
    run = CliRunner().invoke(app, ["leaks", str(folder), "--held-out", "1"])
    assert run.exit_code == 1 and "not clean: 1 answers" in run.stdout and "1.00" in run.stdout


def test_undated_records_are_allowed_and_told(tiny: Path) -> None:
    folder = plant(tiny, 1, date="")
    text = (folder / "writings.jsonl").read_text("utf-8").replace('"date": ""', '"date": null')
    (folder / "writings.jsonl").write_text(text, "utf-8")
    run = CliRunner().invoke(app, ["leaks", str(folder)])
    assert run.exit_code == 1 and "1 records have no date" in run.stdout and "(undated)" in run.stdout


def test_bad_input_is_neither_clean_nor_a_leak(tiny: Path, tmp_path: Path) -> None:
    for arguments in ([str(tmp_path / "nobody")], [str(tiny.parent / "marrack"), "--held-out", "6"]):
        run = CliRunner().invoke(app, ["leaks", *arguments])
        assert run.exit_code == 2 and run.stdout == ""
