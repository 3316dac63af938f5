import json
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from raft.cli import app
from raft.errors import RaftError
from raft.memory.embedded import embed_writings
from raft.memory.recall import memories_of
from raft.types import Exchange, Message

HOSTED = "openai/chat"
POSTS = {
    "bees": ("2020-01-01", "My bees swarm in May, always before noon."),
    "geese": ("2021-01-01", "The geese return in March from the south."),
    "late": ("2024-01-01", "I sold the bees after the wet spring."),
}


@pytest.fixture
def ada(tmp_path: Path, models: Path) -> Path:
    folder = tmp_path / "ada"
    folder.mkdir()
    (folder / "person.yaml").write_text("name: Ada\nintroduction: You keep bees.\n")
    records = [
        {"doc_id": i, "title": i.title(), "date": day, "source": f"blog/{i}", "text": text}
        for i, (day, text) in POSTS.items()
    ]
    (folder / "writings.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
    return folder


@pytest.fixture
def embedded(ada: Path, hosted: Any) -> Path:
    embed_writings(ada, "openai/vectors")
    return ada


def passage(messages: Sequence[Message]) -> str:
    return re.search(r"⟦passage⟧\n(.*)\n⟦end", messages[-1]["content"])[1]  # type: ignore[index]


def careful(messages: list[Message]) -> str:
    """A rephraser that finds bees useful, makes evidence up about geese, and answers the person's questions."""
    if "JSON" not in messages[0]["content"]:
        return f"Answer {sum(m['role'] == 'user' for m in messages)}."
    text = passage(messages)
    useful = {"useful": True, "memory": f"I said: {text}", "evidence": "geese can sing" if "geese" in text else text}
    return json.dumps(useful if "sold" not in text else {"useful": False})


def raft(*arguments: object, typed: str | None = None) -> Any:
    return CliRunner().invoke(app, [str(a) for a in arguments], input=typed)


def test_memories_of_a_folder_come_from_its_store(embedded: Path, hosted: Any) -> None:
    hosted.replies = careful
    asked = [
        Exchange("i", n, day, "Do you keep bees?", "") for n, day in enumerate([date(2020, 1, 1), date(2025, 1, 1)])
    ]
    found = memories_of(embedded, asked, {}, HOSTED)
    assert found["i-q000"] == ()
    (memory,) = found["i-q001"]
    assert (memory.doc_id, memory.start, memory.end) == ("bees", 0, len(POSTS["bees"][1]))
    assert (memory.date, memory.source, memory.text) == ("2020-01-01", "blog/bees", f"I said: {POSTS['bees'][1]}")
    calls = len(hosted.asked)
    assert memories_of(embedded, asked, {}, HOSTED) == found and len(hosted.asked) == calls == 3


def test_one_failure_loses_no_other_reply(embedded: Path, hosted: Any) -> None:
    hosted.replies = lambda messages: None if "geese" in passage(messages) else careful(messages)
    asked = [Exchange("i", 1, date(2025, 1, 1), "Do you keep bees?", "")]
    with pytest.raises(RaftError, match=r"1 of 3 passages could not be rephrased.*answered 400"):
        memories_of(embedded, asked, {}, HOSTED)
    hosted.replies = careful
    hosted.asked.clear()
    assert memories_of(embedded, asked, {}, HOSTED)["i-q001"] and len(hosted.asked) == 1
    assert b"sk-secret" not in (embedded / "work" / "rephrased.jsonl").read_bytes()


def test_without_a_store_it_says_what_to_do(ada: Path) -> None:
    with pytest.raises(RaftError, match="not embedded yet; run: raft embed"):
        memories_of(ada, [], {})


def test_memories_are_shown_step_by_step(embedded: Path, hosted: Any) -> None:
    hosted.replies = careful
    run = raft("memories", embedded, "--question", "Do you keep bees?", "--on", "2025-01-01", "--rephraser", HOSTED)
    assert run.exit_code == 0, run.output
    assert "3 passages from before 2025-01-01" in run.stdout
    assert re.search(r"\d\.\d{3}  2020-01-01  Bees \(bees, characters 0-41\)", run.stdout)
    assert "useful: the passage says: My bees swarm" in run.stdout
    assert "refused: the passage does not say: geese can sing" in run.stdout
    assert "not useful: the rephraser says so" in run.stdout
    early = raft("memories", embedded, "--question", "Bees?", "--on", "2020-06-01", "--rephraser", HOSTED)
    assert "1 passages" in early.stdout and "2021" not in early.stdout
    assert raft("memories", embedded, "--question", "Bees?", "--on", "soon").exit_code == 2


def test_ask_answers_on_stdout_and_remembers_on_stderr(embedded: Path, hosted: Any) -> None:
    hosted.replies = careful
    run = raft("ask", embedded, "Do you keep bees?", "--model", HOSTED, "--rephraser", HOSTED, "--on", "2023-01-01")
    assert run.stdout == "Answer 1.\n", run.output
    assert "remembers (2020-01-01, Bees, blog/bees, characters 0-41): I said: My bees" in run.stderr
    assert "sold the bees" not in str(hosted.asked)


@pytest.mark.parametrize("end", ["\nafter the end?\n", ""])
def test_without_a_question_it_is_a_chat_with_its_own_history(embedded: Path, hosted: Any, end: str) -> None:
    hosted.replies = careful
    run = raft(
        "ask", embedded, "--model", HOSTED, "--rephraser", HOSTED, typed="Do you keep bees?\nSince when?\n" + end
    )
    assert run.stdout == "Answer 1.\nAnswer 2.\n", run.output
    assert "Answer 1." in str(hosted.asked[-1]), "the agent's own answer is what was said before"
    rephrased = [m for m in hosted.asked if "JSON" in m[0]["content"] and "Since when?" in m[1]["content"]]
    assert rephrased and all("Answer 1." in m[1]["content"] for m in rephrased)


def test_ask_without_a_store_makes_one_for_this_once(ada: Path, hosted: Any) -> None:
    run = raft("ask", ada, "When do your bees swarm?", "--model", HOSTED, "--on", "2023-01-01")
    assert run.stdout == "Yes.\n" and "My bees swarm in May" in run.stderr, run.output
    assert not (ada / "work").exists()
