"""Fine-tuning data and the benchmark. Some tests are named for a defect of the original that they would have caught."""

import json
import re
import shutil
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from raft.errors import DataError, RaftError
from raft.people.person import About, load_person
from raft.people.split import split
from raft.tuning import datasets
from raft.tuning.datasets import Wanted, make_openai, make_records, write_suite
from raft.tuning.openai_format import check
from raft.tuning.records import Shares, TuningRecord, read_records, records, samples, size
from raft.types import Exchange, Memory, Vectors
from ratf.suite.study import open_study

ABOUT = About(name="Ada", introduction="You keep bees.")


class WordEmbedder:
    """Hashes words into 64 places: near texts share words."""

    def __init__(self, *_: object) -> None:
        return

    def embed(self, texts: Sequence[str], *_: object) -> Vectors:
        rows = np.full((len(texts), 64), 1e-3, dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text.casefold()):
                row[sum(word.encode()) % 64] += 1
        unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit


@pytest.fixture
def marrack(tiny: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six interviews of the demo's person, with somebody beside her, and a quick embedder."""
    monkeypatch.setattr("raft.models.embedders.LocalEmbedder", WordEmbedder)
    return tiny.parent / "marrack"


def quietly(_: str) -> None:
    return


def made(folder: Path, kind: Any = "finetune", **wanted: Any) -> list[TuningRecord]:
    make_records(folder, kind, Wanted(**wanted), quietly)
    return read_records(folder / "work" / f"{kind}.jsonl")


def edit(path: Path, change: Callable[[list[dict[str, Any]]], None]) -> None:
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    change(rows)
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), "utf-8")


def words(text: str) -> int:
    return len(text.split())


def memory(name: str, day: str) -> Memory:
    return Memory(f"I remember {name}.", name, "d", "T", "s", day, 0.5)


def exchange(interview: str, number: int, day: str) -> Exchange:
    return Exchange(interview, number, date.fromisoformat(day), f"{interview} question {number}?", "word " * 30)


MANY = [exchange(f"i{i}", n, f"20{10 + i}-01-01") for i in range(5) for n in range(1, 9)]
REMEMBERED = {e.exchange_id: (memory(e.exchange_id, f"{int(str(e.date)[:4]) - 1}-06-01"),) for e in MANY}


def test_nothing_of_the_benchmark_day_or_later_is_trained_on(marrack: Path) -> None:
    """The original trained on an interview seven weeks younger than its benchmark."""

    def same_day(rows: list[dict[str, Any]]) -> None:
        rows[3]["date"] = rows[4]["date"]  # of the newest two, one more of that very day

    edit(marrack / "interviews.jsonl", same_day)
    asked = made(marrack, "benchmark", held_out=2)
    learnt = made(marrack)
    assert max(r.date for r in learnt) < min(r.date for r in asked)
    assert not {r.interview_id for r in learnt} & {r.interview_id for r in asked}
    manifest = json.loads((marrack / "work" / "finetune.manifest.json").read_text())
    assert manifest["generic"]["left_out"][f"dated {asked[0].date} (the first held-out interview) or later"] == 7


def test_questions_that_begin_alike_stay_two(marrack: Path) -> None:
    """The original's ids were the url and a question's first 20 characters: one overwrote the other."""

    def alike(rows: list[dict[str, Any]]) -> None:
        for n, turn in enumerate(t for t in rows[0]["turns"] if t["role"] == "interviewer"):
            turn["text"] = f"Let me ask you again, for the {n}th time, about the river."

    edit(marrack / "interviews.jsonl", alike)
    first = [r for r in made(marrack) if r.interview_id == "marrack-2010-09"]
    assert len({r.question for r in first}) == len(first) == 7


def test_memories_are_writings_older_than_their_interview_and_never_questions(marrack: Path) -> None:
    """The original kept questions in the store and let the benchmark remember without a date."""
    documents = {d.doc_id: d for d in load_person(marrack).documents}
    everything = [*made(marrack, "benchmark"), *made(marrack, shares=Shares(other=0.5))]
    assert any(r.memories for r in everything) and any(r.other_memories for r in everything)
    for r in everything:
        for m in [*r.memories, *r.other_memories]:
            assert m.date < r.date and m.date == str(documents[m.doc_id].date)
            assert all(sentence in documents[m.doc_id].text for sentence in m.text.split(". ")[:1])


def test_memories_do_not_depend_on_the_answers(marrack: Path) -> None:
    before = {r.exchange_id: r.memories for r in made(marrack)}

    def other_answers(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            for turn in row["turns"]:
                if turn["role"] == "target":
                    turn["text"] = "Something else altogether, " + "and on and on " * 10

    edit(marrack / "interviews.jsonl", other_answers)
    after = made(marrack)
    assert {r.exchange_id: r.memories for r in after} == before and after[0].answer.startswith("Something else")


def test_made_twice_is_made_once(marrack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    for kind in ("finetune", "benchmark"):
        make_records(marrack, kind, Wanted(), said.append)  # type: ignore[arg-type]
        make_openai(marrack, kind, 4096, said.append)  # type: ignore[arg-type]
    before = {p: p.read_bytes() for p in (marrack / "work").iterdir()}
    monkeypatch.setattr(datasets, "_memories", None)  # would fail if it were called
    said.clear()
    for kind in ("finetune", "benchmark"):
        make_records(marrack, kind, Wanted(), said.append)  # type: ignore[arg-type]
        make_openai(marrack, kind, 4096, said.append)  # type: ignore[arg-type]
    assert len(said) == 4 and all("nothing to do" in s for s in said)
    assert {p: p.read_bytes() for p in (marrack / "work").iterdir()} == before


def test_made_again_elsewhere_is_the_same_bytes(marrack: Path, tmp_path: Path) -> None:
    shutil.copytree(marrack, tmp_path / "copy" / "marrack")
    for folder in (marrack, tmp_path / "copy" / "marrack"):
        made(folder, shares=Shares(none=0.2, other=0.2))
        make_openai(folder, "finetune", 4096, quietly)
    for path in (marrack / "work").iterdir():
        assert path.read_bytes() == (tmp_path / "copy" / "marrack" / "work" / path.name).read_bytes(), path.name


def test_a_file_changed_by_hand_is_kept(marrack: Path) -> None:
    made(marrack)
    path = marrack / "work" / "finetune.jsonl"
    edit(path, lambda rows: rows[0].update(answer="As I would have liked to say."))
    with pytest.raises(RaftError, match="changed by hand"):
        make_records(marrack, "finetune", Wanted(), quietly)
    make_openai(marrack, "finetune", 4096, quietly)
    assert "As I would have liked to say." in (marrack / "work" / "finetune.openai.jsonl").read_text("utf-8")
    edit(path, lambda rows: (rows[0].update(answer=" "), rows[1].update(split="exam"), rows[2].update(history=["x"])))
    with pytest.raises(DataError) as told:
        make_openai(marrack, "finetune", 4096, quietly)
    assert "finetune.jsonl:1: answer: is empty" in str(told.value) and "jsonl:2: split: " in str(told.value)


def test_another_split_must_not_let_tuning_see_the_benchmark(marrack: Path) -> None:
    made(marrack, held_out=2)
    with pytest.raises(RaftError, match=r"marrack-2013-03 would be both learnt.*\n.*raft ft:gen .* --held-out 3"):
        made(marrack, "benchmark", held_out=3)
    made(marrack, held_out=3)
    assert len({r.interview_id for r in made(marrack, "benchmark")}) == 3, "as many as ft:gen left out"
    with pytest.raises(RaftError, match=r"learnt.*\n.*raft bench:setup"):
        made(marrack, held_out=1)


def test_openai_files_are_valid_and_learn_each_answer_once(marrack: Path) -> None:
    chosen = made(marrack)
    make_openai(marrack, "finetune", 2048, quietly)
    content = (marrack / "work" / "finetune.openai.jsonl").read_bytes()
    assert check(content, "f", "gpt-4o-mini").problems == []
    examples = [json.loads(line)["messages"] for line in content.decode().splitlines()]
    learnt = [m["content"] for e in examples for m in e if m["role"] == "assistant" and m.get("weight", 1)]
    assert learnt == [r.answer for r in chosen if r.split == "training"]


def test_the_benchmark_keeps_the_answer_apart(marrack: Path) -> None:
    asked = made(marrack, "benchmark")
    make_openai(marrack, "benchmark", 4096, quietly)
    rows = [json.loads(s) for s in (marrack / "work" / "benchmark.openai.jsonl").read_text("utf-8").splitlines()]
    for row, record in zip(rows, asked, strict=True):
        assert row["reference"] == record.answer and row["messages"][-1]["content"].startswith(record.question)
        assert not any(record.answer in m["content"] for m in row["messages"])
    edit(marrack / "work" / "benchmark.jsonl", lambda records: [r.update(answer="short") for r in records[-1:]])
    make_openai(marrack, "benchmark", 4096, quietly)
    last = json.loads((marrack / "work" / "benchmark.openai.jsonl").read_text("utf-8").splitlines()[-1])
    assert last["messages"] == rows[-1]["messages"], "the answer's length does not shape its prompt"


def test_the_suite_asks_the_same_questions(marrack: Path, tmp_path: Path) -> None:
    """The original's bench:setup built a file that nothing scored."""
    asked = made(marrack, "benchmark", held_out=2)
    write_suite(marrack, quietly)
    study = open_study(str(marrack / "work" / "suite.yaml"), str(marrack.parent), str(tmp_path / "run"))
    assert [e.exchange_id for e in study.held_out] == [r.exchange_id for r in asked]
    learnt = made(marrack, validation=0)
    assert [e.exchange_id for e in study.earlier] == [r.exchange_id for r in learnt]


def test_one_other_person_is_told_to_be_too_few(marrack: Path) -> None:
    made(marrack, "benchmark", held_out=2)
    told: list[str] = []
    write_suite(marrack, told.append)
    assert "is the only other person here" in " ".join(told)
    shutil.copytree(next(p for p in marrack.parent.iterdir() if p.is_dir() and p != marrack), marrack.parent / "third")
    told.clear()
    write_suite(marrack, told.append)
    assert told and "the only other person" not in " ".join(told)


def test_parts_are_whole_interviews_and_the_newest_watch(marrack: Path) -> None:
    found = split(load_person(marrack), 2, 1)
    days = [[e.date for e in part] for part in (found.training, found.validation, found.held_out)]
    assert max(days[0]) < min(days[1]) <= max(days[1]) < min(days[2])  # type: ignore[type-var]
    assert [len({e.interview_id for e in p}) for p in (found.training, found.validation, found.held_out)] == [3, 1, 2]
    with pytest.raises(RaftError, match="at least one must be left to learn from"):
        split(load_person(marrack), 6)
    with pytest.raises(RaftError, match="at least one must be left to learn from"):
        split(load_person(marrack), 5, 1)


def test_shares_are_exact_and_distractors_are_older_and_from_elsewhere() -> None:
    rows = records({"training": MANY[:32], "validation": MANY[32:]}, REMEMBERED, Shares(none=0.25, other=0.25), 3)
    learnt = [r for r in rows if r.split == "training"]
    assert sum(r.shown == "none" for r in learnt) == 8 and all(r.shown == "own" for r in rows[32:])
    others = [r for r in learnt if r.shown == "other"]
    assert others and all(
        m.date < r.date and not m.chunk_id.startswith(f"{r.interview_id}-") for r in others for m in r.other_memories
    )
    again = records({"training": MANY[:32][::-1]}, REMEMBERED, Shares(none=0.25), 3)
    assert {r.exchange_id for r in again if r.shown == "none"} == {r.exchange_id for r in learnt if r.shown == "none"}


@pytest.mark.parametrize("context", [90, 150, 260, 5000])
def test_history_is_packed_newest_first_in_whole_tuples(context: int) -> None:
    rows = records({"training": MANY}, REMEMBERED, Shares(), 0)
    made, too_long = samples(ABOUT, rows, rows, context, 700, words)
    assert not too_long and len(made) == len(MANY)
    for sample, row in zip(made, rows, strict=True):
        assert size(sample.prompt, words) + words(sample.answer) + 6 <= context
        told = [m["content"].split("?")[0] + "?" for m in sample.prompt[1:-1] if m["role"] == "user"]
        before = [f"{row.interview_id} question {n}?" for n in range(1, len(row.history) + 1)]
        assert told == before[len(before) - len(told) :]
        assert sum("I remember" in m["content"] for m in sample.prompt) == len(told) + 1, "with their memories"
        if context == 5000:
            assert told == before
    assert samples(ABOUT, rows[:1], rows, 60, 700, words) == ([], [rows[0].exchange_id])


def test_what_a_sample_shows() -> None:
    rows = records({"training": MANY[:8]}, REMEMBERED, Shares(none=1.0), 0)
    made, _ = samples(ABOUT, rows, rows, 5000, 700, words)
    assert made[-1].prompt[-1]["content"] == rows[-1].question, "none for its own question"
    assert "I remember" in made[-1].prompt[1]["content"], "the history is as it was"
