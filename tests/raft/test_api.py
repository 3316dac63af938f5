"""`open_person`, `remember`, `ask` and `tune`, as a notebook calls them."""

from datetime import date
from pathlib import Path

import pytest
from hosted import Hosted

import raft
from raft.errors import DataError, RaftError
from raft.tuning.jobs import tuned_model

QUESTION = "Do beavers help against floods?"


def test_memories_are_older_than_the_day_of_the_question(tiny: Path, cache: Path) -> None:
    person = raft.open_person(tiny.parent / "marrack")
    assert (person.key, person.folder) == ("marrack", tiny.parent / "marrack") and len(repr(person)) < 100
    found = raft.remember(person, QUESTION, k=3)
    assert found and all(m.text and m.similarity > 0 for m in found) and len(found) <= 3
    newest = min(m.date for m in found)
    assert all(m.date < newest for m in raft.remember(person, QUESTION, on=newest))
    assert raft.remember(str(person.folder), QUESTION, on=date(1900, 1, 1)) == ()
    with pytest.raises(RaftError, match="'soon' is not a date; write it as YYYY-MM-DD"):
        raft.remember(person, QUESTION, on="soon")


def test_a_person_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        raft.open_person(tmp_path / "nobody")


def test_an_answer_comes_with_the_memories_that_were_shown(tiny: Path, cache: Path, hosted: Hosted) -> None:
    folder = tiny.parent / "marrack"
    hosted.replies = lambda messages: "They do, and nobody pays them."
    reply = raft.ask(folder, QUESTION, model="openai/gpt-x")
    assert str(reply) == reply.text == "They do, and nobody pays them."
    asked = hosted.asked[-1][-1]["content"]
    assert asked.startswith(QUESTION) and reply.memories == raft.remember(folder, QUESTION)
    assert reply.memories and all(" ".join(m.text.split()) in asked for m in reply.memories)


@pytest.mark.slow
def test_tuning_makes_its_data_and_names_the_model(tiny: Path, cache: Path, tiny_base: Path) -> None:
    folder, base = tiny.parent / "marrack", f"local/{tiny_base}"
    told: list[str] = []
    assert raft.tune(folder, base, context=512, rank=2, dry_run=True, say=told.append) is None
    assert (folder / "work" / "finetune.jsonl").is_file() and any(line.startswith("training: ") for line in told)
    name = raft.tune(folder, base, context=512, rank=2)
    assert name is not None and name.startswith(f"{base}+") and name == tuned_model(folder)
    with pytest.raises(RaftError, match="name a model as local/"):
        raft.tune(folder, "gpt-x")
