"""Memories of another question and of another person: never the question's own, never from the future."""

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import REPOSITORY

import ratf.agents.memories
from raft.types import Exchange, Memory, Vectors
from ratf.agents.memories import donors, fits, memories_shown, shuffled
from ratf.agents.questions import questions
from ratf.suite.arms import ARMS
from ratf.suite.study import Study, open_study

DAY = date(2020, 1, 1)
Asked = list[tuple[Exchange, tuple[Memory, ...]]]


def memory(name: str, day: str) -> Memory:
    return Memory(name, f"{name}@0", name, "T", "s", day, 0.5)


@st.composite
def asked(draw: st.DrawFn) -> Asked:
    """Interviews of some questions each, and what each question remembers: all of it older than its interview."""
    found: Asked = []
    for i, size in enumerate(draw(st.lists(st.integers(1, 4), min_size=1, max_size=6))):
        day = DAY + timedelta(days=10 * i)
        for n in range(1, size + 1):
            ages = draw(st.lists(st.integers(1, 60), max_size=3))
            dated = [(day - timedelta(days=age)).isoformat() for age in ages]
            own = [memory(f"{i}-{n}-{m}", draw(st.sampled_from([d, d, "undated"]))) for m, d in enumerate(dated)]
            found.append((Exchange(f"i{i}", n, day, "Q?", "A."), tuple(own)))
    return found


def world(asked: Asked, seed: int, held_out: slice = slice(None)) -> tuple[Any, dict[str, tuple[Memory, ...]]]:
    exchanges = [e for e, _ in asked]
    before = {e.exchange_id: tuple(o for o in exchanges if o.interview_id == e.interview_id and o.number < e.number)
              for e in exchanges}  # fmt: skip
    suite = SimpleNamespace(seed=seed, answers=SimpleNamespace(history="teacher_forced"))
    study = SimpleNamespace(held_out=exchanges[held_out], before=before, suite=suite)
    return study, {e.exchange_id: memories for e, memories in asked}


@settings(deadline=None)
@given(asked(), st.integers(0, 9))
def test_everybody_gives_to_one_other(asked: Asked, seed: int) -> None:
    exchanges, mine = [e for e, _ in asked], {e.exchange_id: m for e, m in asked}
    chosen = donors(exchanges, mine, seed)
    assert chosen == donors(exchanges, mine, seed)
    if len(asked) == 1:
        assert chosen == [None]
    else:
        assert sorted(d for d in chosen if d is not None) == list(range(len(asked)))
        assert all(i != donor for i, donor in enumerate(chosen))


@settings(deadline=None)
@given(asked(), st.integers(0, 9))
def test_no_memory_is_the_questions_own_or_as_late_as_its_interview(asked: Asked, seed: int) -> None:
    study, mine = world(asked, seed, slice(0, None, 2))
    found = shuffled(study, mine)
    day = {e.exchange_id: str(e.date) for e, _ in asked}
    assert found.keys() == {k for e in study.held_out for k in (e.exchange_id, *(b.exchange_id for b in study.before[e.exchange_id]))}  # fmt: skip
    for key, given_ in found.items():
        assert not set(given_) & set(mine[key])
        assert all(m.date == "undated" or m.date < day[key] for m in given_)


@settings(deadline=None)
@given(asked(), st.integers(0, 9))
def test_another_interview_gives_where_that_is_possible(asked: Asked, seed: int) -> None:
    exchanges = [e for e, _ in asked]
    mine = {e.exchange_id: (memory(e.exchange_id, "2019-01-01"),) for e in exchanges}
    chosen = [exchanges[d] for d in donors(exchanges, mine, seed) if d is not None]
    sizes = Counter(e.interview_id for e in exchanges)
    inside = sum(e.interview_id == d.interview_id for e, d in zip(exchanges, chosen, strict=False))
    if len(exchanges) > 1:
        assert inside == max(0, 2 * max(sizes.values()) - len(exchanges))
        study, _ = world(asked, seed)
        given_ = Counter(m for found in shuffled(study, mine).values() for m in found)
        assert given_ == Counter(m for found in mine.values() for m in found), "all in all the memories are the same"


def test_a_late_memory_goes_to_a_later_interview_rather_than_being_left_out() -> None:
    asked: Asked = [
        (Exchange("a", 1, date(2020, 1, 1), "Q", "A"), (memory("old", "2019-01-01"),)),
        (Exchange("a", 2, date(2020, 1, 1), "Q", "A"), (memory("older", "2018-01-01"),)),
        (Exchange("b", 1, date(2021, 1, 1), "Q", "A"), (memory("new", "2020-06-01"),)),
        (Exchange("c", 1, date(2022, 1, 1), "Q", "A"), (memory("newer", "2020-07-01"),)),
    ]
    for seed in range(20):
        study, mine = world(asked, seed)
        found = shuffled(study, mine)
        assert [m.text for key in ("b-q001", "c-q001") for m in found[key]] == ["newer", "new"]


def test_the_seed_chooses() -> None:
    exchanges = [Exchange(f"i{n}", 1, DAY, "Q", "A") for n in range(12)]
    assert len({tuple(donors(exchanges, {}, seed)) for seed in range(5)}) == 5


@pytest.mark.parametrize(
    ("day", "asked_on", "fit"),
    [("2019-12-31", DAY, True), ("2020-01-01", DAY, False), ("2019-12-31", None, False), ("undated", DAY, True)],
)
def test_the_same_day_is_not_older(day: str, asked_on: date | None, fit: bool) -> None:
    assert fits(memory("m", day), Exchange("i", 1, asked_on, "Q", "A"), {}) == fit


def test_a_passage_that_both_recall_goes_to_neither() -> None:
    both, one = memory("both", "2019-01-01"), memory("one", "2019-01-01")
    asked: Asked = [(Exchange(f"i{n}", 1, DAY, "Q", "A"), m) for n, m in enumerate([(both, one), (both,)])]
    study, mine = world(asked, 0)
    assert shuffled(study, mine) == {"i0-q001": (), "i1-q001": (one,)}


class Words:
    def embed(self, texts: Sequence[str]) -> Vectors:
        rows = np.full((len(texts), 64), 0.05, dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.casefold().split():
                row[sum(word.encode()) % 64] += 1
        unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit


@pytest.fixture
def small(tiny: Path, tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """The tiny suite with all of the impostor's writings."""
    monkeypatch.setattr(ratf.agents.memories, "embedder", lambda *_: Words())
    source = REPOSITORY / "benchmarks" / "pell" / "writings.jsonl"
    shutil.copy(source, tiny.parent / "pell")
    tiny.write_text(f"{tiny.read_text()}grid: full\n", "utf-8")
    return open_study(str(tiny), out=str(tmp_path / "run"))


def test_impostors_memories_are_theirs_and_older_than_the_interview(small: Study) -> None:
    found = memories_shown(small, "impostor")
    ids = {f"pell/{d.doc_id}" for d in small.impostors[0].documents}
    assert sum(map(len, found.values())) > 0 and not (small.folder / "memories.json").exists(), "only what is needed"
    for exchange in [*small.held_out, *(t for e in small.held_out for t in small.before[e.exchange_id])]:
        for m in found[exchange.exchange_id]:
            assert m.doc_id in ids and m.date < str(exchange.date)
    saved = (small.folder / "memories-impostor.json").read_bytes()
    assert memories_shown(small, "impostor") == found
    assert (small.folder / "memories-impostor.json").read_bytes() == saved


def test_each_arm_reads_its_own_kind_of_memories(small: Study) -> None:
    rows = {arm: {s.id: (s.metadata or {})["memories"] for s in questions(small, arm)} for arm in ARMS}
    for arm, recipe in ARMS.items():
        same = next(a for a, other in ARMS.items() if other.memories == recipe.memories)
        assert rows[arm] == rows[same]
    assert not any(rows["baseline"].values())
    own, other, theirs = (rows[a] for a in ("rag_only", "rag_shuffled", "rag_impostor"))
    pool = [json.dumps(m) for found in own.values() for m in found]
    assert any(other.values()) and all(json.dumps(m) in pool for found in other.values() for m in found)
    assert any(theirs.values()) and all(m["doc_id"].startswith("pell/") for found in theirs.values() for m in found)
    day = {e.exchange_id: str(e.date) for e in small.held_out}
    assert all(m["date"] < day[str(key)] for of in rows.values() for key, found in of.items() for m in found)
