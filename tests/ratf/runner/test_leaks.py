"""Leaks inside a run: nothing is spent on a test that was given away."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Command

from raft.errors import RaftError
from raft.people.leaks import SHINGLE
from raft.people.person import exchanges, load_interviews
from raft.progress import silent
from raft.types import Chunk
from ratf.results.results import Leak, Leaks, Results, save
from ratf.runner import leaks, run
from ratf.scores.measures import Lookup, text_measures
from ratf.suite.study import Study, open_study


def change(tiny: Path, name: str, line: int, **keys: Any) -> None:
    """Set keys of a line of the tiny suite's person."""
    path = tiny.parent / "marrack" / name
    rows = [json.loads(text) for text in path.read_text("utf-8").splitlines()]
    rows[line] |= keys
    path.write_text("".join(json.dumps(r) + "\n" for r in rows), "utf-8")


def held_out_answer(tiny: Path) -> str:
    return max((e.answer for e in open_study(str(tiny)).held_out), key=len)


def opened(tiny: Path) -> Study:
    return open_study(str(tiny), out=str(tiny.parent / "out"))


def test_the_demo_is_clean() -> None:
    found = leaks.look(open_study("demo"))
    assert found.found == [] and "36 held-out answers against 14 writings" in found.checked


def test_the_fed_chairs_are_clean(shared: Path) -> None:
    assert leaks.look(open_study("fed-chairs", str(shared))).found == []


def test_an_answer_in_an_older_writing_is_a_leak_and_in_a_later_one_is_not(tiny: Path) -> None:
    answer = held_out_answer(tiny)
    change(tiny, "writings.jsonl", 0, text=f"As I always say: {answer}")
    (found,) = leaks.look(opened(tiny)).found
    assert found.kind == "answer" and found.amount == 1.0
    change(tiny, "writings.jsonl", 0, date="2026-01-01")
    assert leaks.look(opened(tiny)).found == []


def test_an_answer_that_was_given_before_is_a_leak(tiny: Path) -> None:
    answer = held_out_answer(tiny)
    first = json.loads((tiny.parent / "marrack" / "interviews.jsonl").read_text("utf-8").splitlines()[0])
    first["turns"][1]["text"] = answer
    change(tiny, "interviews.jsonl", 0, turns=first["turns"])
    assert {(f.kind, f.amount) for f in leaks.look(opened(tiny)).found} == {("answer", 1.0)}


def test_a_held_out_interview_under_another_name_is_a_leak(tiny: Path) -> None:
    held = load_interviews(tiny.parent / "marrack")[-1]
    turns = [{"speaker": t.speaker, "role": t.role, "text": t.text} for t in held.turns]
    change(tiny, "interviews.jsonl", 0, turns=turns)
    found = leaks.look(opened(tiny)).found
    assert found[0].kind == "interview" and found[0].held_out == held.interview_id and found[0].amount == 1.0
    assert sum(f.kind == "answer" for f in found) == len([e for e in exchanges(held) if e in opened(tiny).held_out])


def test_a_run_that_leaks_ends_before_anything_is_made(tiny: Path) -> None:
    change(tiny, "writings.jsonl", 0, text=held_out_answer(tiny))
    study = opened(tiny)
    with pytest.raises(RaftError, match=r"1 leak: (?s:.*)100 % of the answer marrack-(?s:.*)--allow-leaks"):
        run.carry_out(study, silent)
    assert not study.folder.exists()


class Store:
    """A store with one passage, which everything recalls."""

    def __init__(self, passage: Chunk) -> None:
        self.passage = passage

    def chunks(self) -> list[Chunk]:
        return [self.passage]

    def recall(self, vectors: Any, before: Any, k: int, alike: Any) -> list[list[tuple[Chunk, float]]]:
        return [[(self.passage, float(vector[0]))] for vector in vectors]


def test_questions_and_other_words_in_the_store_are_leaks(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = opened(tiny)
    asked = next(e for e in study.held_out if len(e.question.split()) >= SHINGLE)
    store = Store(Chunk("c1", "d", "T", "s", None, 0, 1, f"They asked me: {asked.question}"))
    monkeypatch.setattr("ratf.agents.memories.memory_store", lambda study: store)
    near = {e.answer: 0.5 + 0.45 * (e == asked) for e in study.held_out}
    texts = text_measures(study)
    texts.vectors = Lookup(lambda of: [np.array([near.get(t, 0), 0.1], dtype=np.float32) for t in of])
    found = leaks.look_in_store(study, Leaks(checked="", found=[]))
    assert [(f.kind, f.held_out) for f in found.found] == [
        ("question", asked.exchange_id),
        ("same meaning", asked.exchange_id),
    ]
    with pytest.raises(RaftError, match=r"stands to 100 % in passage c1(?s:.*)says the same as passage c1"):
        leaks.refuse(found, allowed=False)
    leaks.refuse(found, allowed=True)


def test_the_command_ends_with_2_and_leaves_nothing_behind(ratf: Command, tiny: Path) -> None:
    change(tiny, "writings.jsonl", 0, text=held_out_answer(tiny))
    done = ratf("run", tiny, "--out", tiny.parent / "out")
    assert done.returncode == 2 and "1 leak: " in done.stderr and "--allow-leaks" in done.stderr
    assert not (tiny.parent / "out").exists()


def test_a_finished_run_that_leaked_is_not_shown_without_saying_so_again(ratf: Command, tiny: Path) -> None:
    study = opened(tiny)
    leak = Leak(kind="answer", held_out="i-q001", found_in="d", amount=1.0, words="100 % of the answer i-q001")
    about = {"family": "style", "words": "w", "better": "higher", "top": 1}
    results = Results(
        suite=study.suite.model_dump(mode="json"), digest=study.digest, data_digest=study.data_digest,
        person={"key": "marrack", "name": "Tove Marrack"}, impostors={}, fictional=True,
        held_out={"questions": 0, "from": "2014-01-01", "interviews": []},
        training={"exchanges": 0, "earlier_exchanges": 0, "documents": 0, "left_out": {}},
        metrics=dict.fromkeys(study.suite.primary.metrics, about),
        arms={}, contrasts=[], verdict="PASS", sentence="raft beats baseline", tuned=[], notes=[], questions=[],
        leaks=Leaks(checked="all", found=[leak]), environment={"ratf": "0"},
        times={"finished": "2026-01-01", "seconds": {}, "total": 1.0},
    )  # fmt: skip
    save(results, study.folder / "results.json")
    refused = ratf("run", tiny, "--out", study.folder)
    assert refused.returncode == 2 and "100 % of the answer i-q001" in refused.stderr and refused.stdout == ""
    allowed = ratf("run", tiny, "--out", study.folder, "--allow-leaks")
    assert allowed.returncode == 0 and "PASS" in allowed.stdout
    assert "leaks allowed" in (study.folder / "report.html").read_text("utf-8")
