"""`raft leaks --fix` moves out what leaks, loses nothing, and leaves the rest as it is."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from raft.cli import app
from raft.people.additions import add_documents, add_interviews
from raft.people.leaks import MIN_WORDS, words
from raft.people.person import exchanges, load_documents, load_interviews

Record = dict[str, Any]


def records(path: Path) -> list[Record]:
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]


def write(path: Path, found: list[Record]) -> None:
    path.write_text("".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in found), "utf-8")


def leaks(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["leaks", *map(str, arguments)])


@pytest.fixture
def marrack(tiny: Path) -> Path:
    return tiny.parent / "marrack"


def test_a_writing_with_an_answer_in_it_is_moved_and_fetch_does_not_bring_it_back(marrack: Path) -> None:
    before = (marrack / "writings.jsonl").read_bytes()
    answer = next(exchanges(load_interviews(marrack)[-1])).answer
    copied = {"doc_id": "copy", "title": "T", "date": "2001-01-01", "source": "s", "text": f"I said it:\u2028{answer}"}
    write(marrack / "writings.jsonl", [*records(marrack / "writings.jsonl"), copied])
    again = next(d for d in load_documents(marrack) if d.doc_id == "copy")
    assert leaks(marrack).exit_code == 1

    done = leaks(marrack, "--fix")
    assert done.exit_code == 0 and "clean:" in done.stdout, done.output
    assert "writing copy: the answer to" in done.stderr and "question 1 stands in it" in done.stderr
    assert (marrack / "writings.jsonl").read_bytes() == before
    assert records(marrack / "leaks" / "writings.jsonl") == [copied]
    assert add_documents(marrack, [again]) == 0
    assert leaks(marrack, "--fix").exit_code == 0 and records(marrack / "leaks" / "writings.jsonl") == [copied]


def test_the_later_of_two_interviews_that_are_one_is_moved(marrack: Path) -> None:
    before = (marrack / "interviews.jsonl").read_bytes()
    twin = {**records(marrack / "interviews.jsonl")[0], "interview_id": "twin", "date": "2025-12-31"}
    write(marrack / "interviews.jsonl", [twin, *records(marrack / "interviews.jsonl")])
    again = load_interviews(marrack)[-1]

    done = leaks(marrack, "--fix")
    assert done.exit_code == 0 and "interview twin: the same as" in done.stderr, done.output
    assert (marrack / "interviews.jsonl").read_bytes() == before
    assert records(marrack / "leaks" / "interviews.jsonl") == [twin] and add_interviews(marrack, [again]) == 0


def test_a_repeated_answer_is_moved_with_all_that_was_asked_and_said_at_that_stretch(marrack: Path) -> None:
    found = records(marrack / "interviews.jsonl")
    early, late = found[0]["turns"], found[-1]["turns"]
    long = next(n for n, t in enumerate(early) if t["role"] == "target" and len(words(t["text"])) >= MIN_WORDS)
    place = next(n for n, t in enumerate(late) if t["role"] == "target" and n > 2)
    more = {"speaker": "x", "role": "interviewer", "text": "You there, first?"}
    rest = {"speaker": "y", "role": "target", "text": "And one more thing, which belongs to it."}
    late[place - 1 : place + 1] = [more, late[place - 1], {**late[place], "text": early[long]["text"]}, rest]
    write(marrack / "interviews.jsonl", found)
    stretch = late[place - 1 : place + 3]
    asked_before = [e.question for e in exchanges(load_interviews(marrack)[-1])]

    done = leaks(marrack, "--fix")
    assert done.exit_code == 0 and "its answer also stands in" in done.stderr, done.output
    (taken,) = records(marrack / "leaks" / "exchanges.jsonl")
    assert taken["turns"] == stretch and taken["interview_id"] == found[-1]["interview_id"]
    kept = [e.question for e in exchanges(load_interviews(marrack)[-1])]
    assert kept == [q for q in asked_before if q != stretch[1]["text"]]
    assert records(marrack / "interviews.jsonl")[:-1] == found[:-1]


def test_an_interview_of_which_nothing_is_left_is_moved_whole(marrack: Path) -> None:
    found = records(marrack / "interviews.jsonl")
    said = [f"word{n}" for n in range(40)]
    apart = [*said[:16], *(f"other{n}" for n in range(24))]
    one, two = (
        {
            **found[0],
            "interview_id": name,
            "date": f"2025-12-{day}",
            "turns": [{**found[0]["turns"][0], "text": f"{name}?"}, {**found[0]["turns"][1], "text": " ".join(words)}],
        }
        for name, day, words in (("one", 30, said), ("two", 31, apart))
    )
    assert [one["turns"][n]["role"] for n in (0, 1)] == ["interviewer", "target"]
    write(marrack / "interviews.jsonl", [*found, one, two])

    done = leaks(marrack, "--fix")
    assert done.exit_code == 0 and "two question 1: its answer also stands in" in done.stderr, done.output
    assert records(marrack / "leaks" / "interviews.jsonl") == [two]
    assert records(marrack / "interviews.jsonl") == [*found, one]


def test_what_is_clean_is_not_touched(marrack: Path) -> None:
    done = leaks(marrack, "--fix", "--json")
    assert done.exit_code == 0 and json.loads(done.stdout)["moved"] == [] and not (marrack / "leaks").exists()
