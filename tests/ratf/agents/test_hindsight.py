import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from raft.memory.hindsight import gains, shuffled
from raft.models.local import LocalModel
from raft.people.person import About
from raft.types import Exchange, Memory
from ratf.agents import hindsight
from ratf.agents.memories import memories
from ratf.results.results import Retrieval
from ratf.suite.study import Study, open_study

ABOUT = About(name="Ada", introduction="You keep bees.")
FACTS = {
    "What is the name of your oldest hive?": "My oldest hive is called Brunhilde and it stands behind the chapel in Oberfeld.",
    "How much honey did you take last year?": "Four hundred and twelve kilos, and most of it was lime blossom from Kirchgasse.",
    "Who taught you to keep bees?": "A postman named Valentin Ruckstuhl, who kept skeps on the roof of the sorting office.",
}  # fmt: skip


def memory(text: str, chunk: str) -> Memory:
    return Memory(text, chunk, "d", "Notes", "s", "2019-01-01", 0.5)


def planted() -> list[tuple[Exchange, Memory]]:
    """Questions that nobody can answer without the memory, which says the answer in other words."""
    return [
        (Exchange(f"i{n}", 1, date(2020, 1, 1), question, answer), memory(f"Note to myself: {answer[0].lower()}{answer[1:]}", f"c{n}"))
        for n, (question, answer) in enumerate(FACTS.items())
    ]  # fmt: skip


@pytest.fixture(scope="module")
def reader(models: Path) -> LocalModel:
    return LocalModel("smollm2-135m-instruct")


def test_a_planted_memory_is_worth_more_than_a_shuffled_one(reader: LocalModel) -> None:
    pairs = planted()
    others = shuffled(pairs, seed=1)
    found = gains(reader, ABOUT, [*pairs, *others], 100)
    own, shuffle = found[:3], found[3:]
    assert all(gain > 1 for gain in own)
    assert all(gain > other + 1 for gain, other in zip(own, shuffle, strict=True))


def test_shuffled_memories_are_another_questions_and_drawn_by_lot() -> None:
    pairs = planted()
    pairs += [(pairs[0][0], memory("shared", "c1"))]  # question 0 recalls c0 and c1
    drawn = shuffled(pairs, seed=7)
    assert [e.exchange_id for e, _ in drawn] == [e.exchange_id for e, _ in pairs]
    assert {m.chunk_id for e, m in drawn if e.interview_id == "i0"} == {"c2"}
    assert all(m.chunk_id not in {x.chunk_id for f, x in pairs if f == e} for e, m in drawn)
    assert drawn == shuffled(pairs, seed=7)
    assert any(shuffled(pairs, seed=n) != drawn for n in range(20))
    assert shuffled(pairs[:1], seed=7) == []


def study_of(tiny: Path, folder: Path, **settings: object) -> Study:
    """The tiny suite with other settings of memories, in a run's folder of its own."""
    keys = json.dumps({"k": 2, "gate": 0.2, **settings})
    text = tiny.read_text("utf-8").replace("memories: {k: 2}", f"memories: {keys}")
    changed = tiny.with_name("changed.yaml")
    changed.write_text(text, "utf-8")
    return open_study(str(changed), out=str(folder))


def held_out_prompts(study: Study) -> bytes:
    from ratf.agents.questions import questions

    samples = [s for arm in ("rag_only", "raft") for s in questions(study, arm)]
    return json.dumps([[m.model_dump(exclude={"id"}) for m in s.input] for s in samples if isinstance(s.input, list)]).encode()  # fmt: skip


@pytest.mark.slow
def test_the_filter_touches_training_and_nothing_else(cache: Path, tiny: Path, tmp_path: Path) -> None:
    from ratf.agents.training import samples

    plain = study_of(tiny, tmp_path / "run")
    held_out = {e.exchange_id for e in plain.held_out}
    before, prompts, learnt = memories(plain), held_out_prompts(plain), samples(plain, "ft+mem")
    assert hindsight.for_training(plain) == before and hindsight.filtered(plain) is None
    kept = json.dumps({key: repr(before[key]) for key in held_out})

    filtering = study_of(tiny, tmp_path / "run", hindsight_filter=True)
    after, told = hindsight.for_training(filtering), hindsight.filtered(filtering)
    assert json.dumps({key: repr(memories(filtering)[key]) for key in held_out}) == kept and "Memory(" in kept
    assert held_out_prompts(filtering) == prompts
    assert {key: after[key] for key in held_out} == {key: before[key] for key in held_out}
    assert told and 0 < told.dropped == sum(len(before[key]) - len(after[key]) for key in before) < told.of
    assert all(set(after[key]) <= set(before[key]) for key in before)
    assert samples(filtering, "ft+mem") != learnt


@pytest.mark.slow
def test_the_measurement_covers_what_the_gate_refused_and_is_made_once(cache: Path, tiny: Path, tmp_path: Path) -> None:
    study = study_of(tiny, tmp_path / "run", hindsight=True, gate=0.3)
    before = repr(memories(study))
    found = hindsight.measure(study)
    assert found.passages == found.own.n + found.refused.n == 2 * found.questions == 8
    assert found.kept == sum(len(m) for k, m in memories(study).items() if k in {e.exchange_id for e in study.held_out})
    assert 0 < found.kept < found.passages and found.filtered is None
    assert found.difference.mean is not None and found.similarity_auc.n == found.passages
    assert repr(memories(study)) == before, "a measurement changed what is remembered"
    made = (study.folder / "hindsight.json").stat().st_mtime_ns
    assert hindsight.measure(study) == found
    assert (study.folder / "hindsight.json").stat().st_mtime_ns == made


def summary(rows: list[dict[str, object]], tiny: Path, tmp_path: Path) -> Retrieval:
    return hindsight._summary(study_of(tiny, tmp_path / "run"), rows)


def row(interview: int, kept: bool | None, gain: float, similarity: float = 0.5) -> dict[str, object]:
    return {"exchange": f"i{interview}-q001", "interview": f"i{interview}", "chunk": "c", "kept": kept, "gain": gain, "similarity": similarity}  # fmt: skip


def test_what_the_gate_is_told_to_be_worth(tiny: Path, tmp_path: Path) -> None:
    perfect = [row(i, kept, 0.1 if kept else -0.2) for i in range(5) for kept in (True, False)]
    lots = [row(i, None, 0.05) for i in range(5)]
    found = summary([*perfect, *lots], tiny, tmp_path)
    assert found.gate_auc.mean == 1.0 and found.useful == 5
    assert found.own.mean == pytest.approx(0.1) and found.refused.mean == pytest.approx(-0.2)
    assert found.difference.mean == pytest.approx(0.05) and found.difference.interviews == 5
    assert found.similarity_auc.mean == 0.5
    everything = [row(i, True, (-1) ** i * 0.1) for i in range(5)]
    assert summary(everything, tiny, tmp_path).gate_auc.mean is None, "a gate that refuses nothing is no classifier"


def test_who_filters_is_shown_it(tiny: Path, tmp_path: Path) -> None:
    assert not hindsight.wanted(study_of(tiny, tmp_path))
    for settings in ({"hindsight": True}, {"hindsight_filter": True}):
        study = study_of(tiny, tmp_path, **settings)
        assert hindsight.wanted(study)
        alone = study.suite.model_copy(update={"arms": ["baseline", "finetune_only"]})
        assert not hindsight.wanted(replace(study, suite=alone))
