from pathlib import Path

import pytest

from raft.errors import DataError
from raft.types import Exchange
from ratf.scores.scorers import MEASURES
from ratf.suite.arms import ARMS, CEILING, CONTRASTS, CONTROLS, FLOOR, NAMED, STRANGER, WRITTEN
from ratf.suite.metrics import METRICS
from ratf.suite.study import _thin, open_study
from ratf.suite.suite import find_suite, load_suite


def test_tables_fit_together() -> None:
    assert {a for pair in CONTRASTS for a in pair} <= ARMS.keys()
    assert {FLOOR, CEILING} <= CONTROLS.keys()
    assert MEASURES.keys() == METRICS.keys()


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("seed: 3", "seeds: 3", 9, "the keys are: name, person"),
        ("k: 2", "kk: 2", 5, "the keys are: k, chunk_tokens"),
        ("seed: 3", "arms: [baseline, rag]", 9, "no arm is called 'rag'; there are: baseline, rag_only"),
        ("seed: 3", "arms: [baseline, raft+own]", 9, "finetune_own, finetune_shuffled, finetune_impostor, raft_none"),
        ("seed: 3", "grid: half", 9, "'named' or 'full'"),
        ("seed: 3", "grid: full\narms: [raft, baseline]", 1, "grid: full is all 12 arms; leave arms out"),
        ("seed: 3", "metrics: [bleu]", 9, "no metric is called 'bleu'; there are: rouge_1"),
        ("seed: 3", "controls: [twin]", 9, "no control is called 'twin'; there are: real"),
        (
            "{grader: local/smollm2-135m-instruct}",
            "{base: local/gpt-9}",
            8,
            "no embedded chat model is called 'gpt-9'; there are: smollm2-135m-instruct",
        ),
        ("models: {grader: local/smollm2-135m-instruct}", "", 1, "models.grader must name"),
        ("impostors: [pell]", "impostors: [marrack]", 1, "cannot be an impostor"),
        ("impostors: [pell]", "impostors: [pell]\nstrangers: [pell]", 1, "cannot be a stranger as well"),
        ("seed: 3", "controls: [real, stranger_near]", 1, "strangers must name whose answers they are"),
        ("seed: 3", "controls: [paraphrase]", 1, "models.paraphraser must name a chat model"),
        ("seed: 3", "exam: {bar: 0.4}", 9, "greater than or equal to 0.5"),
        ("impostors: [pell]", "impostors: [pell, pell]", 3, "pell is there twice"),
        ("seed: 3", "arms: [raft, baseline, raft]", 9, "raft is there twice"),
        ("seed: 3", "primary: {better: raft, than: raft}", 1, "with itself"),
        ("seed: 3", "people: {pel: {name: P, introduction: You are P.}}", 1, "pel, who is not in the suite"),
        ("seed: 3", "seed: 3\nseed: 4", 10, "'seed' is there twice, first in line 9"),
        ("k: 2", "k: 2, rephraser: clever", 5, "no rephraser is called 'clever'"),
        ("k: 2", "k: 2, rephraser: local/all-minilm-l6-v2", 5, "no embedded chat model is called 'all-minilm-l6-v2'"),
        ("{grader:", "{embedder: local/smollm2-135m-instruct, grader:", 8, "no embedded embedder model is called"),
        ("{grader:", "{base: local/all-minilm-l6-v2, grader:", 8, "no embedded chat model is called"),
        ("{grader:", "{base: local/smollm2-135m-instruct+0123456789ab, grader:", 8, "no adapter '0123456789ab'"),
    ],
)
def test_a_bad_suite_is_told_with_its_line(tiny: Path, old: str, new: str, line: int, says: str) -> None:
    tiny.write_text(tiny.read_text().replace(old, new))
    with pytest.raises(DataError) as error:
        load_suite(tiny)
    assert any(p.startswith(f"{tiny}:{line}: ") and says in p for p in error.value.problems), error.value.problems


def test_a_suite_that_is_not_utf8_is_told(tiny: Path) -> None:
    tiny.write_bytes(b"name: \xff\n")
    with pytest.raises(DataError, match="not UTF-8 at byte 6"):
        load_suite(tiny)


@pytest.mark.parametrize(("person", "kept", "says"), [("pell", 1, "the impostors have 1"), ("marrack", 3, "only one")])
def test_style_needs_two_interviews_of_each_side(tiny: Path, person: str, kept: int, says: str) -> None:
    file = tiny.parent / person / "interviews.jsonl"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:kept]))
    with pytest.raises(DataError, match=says):
        open_study(str(tiny))


def test_an_unknown_suite_lists_those_there_are() -> None:
    with pytest.raises(DataError, match="demo, fed-chairs"):
        find_suite("nope")


def test_whole_newest_interviews_are_held_out() -> None:
    study = open_study("demo")
    held = {e.interview_id for e in study.held_out}
    assert len(held) == 6
    assert held.isdisjoint(e.interview_id for e in study.earlier)
    assert study.cut is not None and all(e.date and e.date < study.cut for e in study.earlier)
    assert all(e.date and e.date >= study.cut for e in study.held_out)


def test_the_demo_is_as_large_as_it_says() -> None:
    study = open_study("demo")
    for person, interviews, documents, words in ((study.person, 14, 12, 350), (study.impostors[0], 10, 8, 300)):
        assert len(person.interviews) >= interviews and len(person.documents) >= documents
        assert min(len(d.text.split()) for d in person.documents) >= words
        assert len(person.exchanges) >= 6 * interviews


def test_real_suite(shared: Path) -> None:
    study = open_study("fed-chairs", str(shared))
    assert len(study.held_out) == 60 and len(study.training) >= 150
    assert len({e.interview_id for e in study.held_out}) == 11


def test_questions_are_thinned_evenly() -> None:
    everything = [Exchange(f"i{n // 10}", n % 10, None, "", "") for n in range(60)]
    thin = _thin(everything, 12)
    assert thin == _thin(everything, 12) and len(thin) == 12
    assert all(sum(e.interview_id == f"i{g}" for e in thin) == 2 for g in range(6))


def test_the_digest_is_of_the_content(tiny: Path, tmp_path: Path) -> None:
    import shutil

    digest = open_study(str(tiny)).digest
    moved = tmp_path / "elsewhere"
    shutil.copytree(tiny.parent, moved)
    assert open_study(str(moved / "tiny.yaml")).digest == digest
    with (moved / "pell" / "writings.jsonl").open("a") as file:
        file.write("\n")
    assert open_study(str(moved / "tiny.yaml")).digest != digest


def test_a_bound_paraphraser_adds_the_paraphrase(tiny: Path) -> None:
    given = [name for name in CONTROLS if name not in (*WRITTEN, STRANGER)]
    assert load_suite(tiny).controls == given
    tiny.write_text(tiny.read_text().replace("{grader:", "{paraphraser: openai/gpt-5, grader:"))
    assert load_suite(tiny).controls == [*given, "paraphrase"]
    tiny.write_text(tiny.read_text() + "controls: [real]\n")
    assert load_suite(tiny).controls == ["real"]


def test_a_bare_yes_among_the_controls_is_the_yes_sayer(tiny: Path) -> None:
    """YAML reads it as true."""
    tiny.write_text(tiny.read_text() + "controls: [real, yes]\n")
    assert load_suite(tiny).controls == ["real", "yes"]


def test_the_grid_is_short_for_its_arms_and_leaves_other_suites_as_they_were(tiny: Path) -> None:
    text = tiny.read_text()
    named = load_suite(tiny)
    assert named.arms == NAMED and "grid" not in named.model_dump_json()
    tiny.write_text(f"{text}grid: named\n")
    assert load_suite(tiny) == named
    tiny.write_text(f"{text}grid: full\n")
    full = load_suite(tiny)
    assert full.arms == list(ARMS)
    tiny.write_text(f"{text}arms: [{', '.join(ARMS)}]\n")
    assert load_suite(tiny).model_dump_json() == full.model_dump_json()


def test_arms_of_the_grid_can_be_named_by_themselves(tiny: Path) -> None:
    tiny.write_text(f"{tiny.read_text()}arms: [raft, raft_shuffled, baseline]\n")
    assert load_suite(tiny).arms == ["raft", "raft_shuffled", "baseline"]


def test_impostors_without_writings_cannot_be_remembered(tiny: Path) -> None:
    (tiny.parent / "pell" / "writings.jsonl").write_text("")
    open_study(str(tiny))
    tiny.write_text(f"{tiny.read_text()}grid: full\n")
    with pytest.raises(DataError, match="no impostor has writings, so no arm can remember them: pell"):
        open_study(str(tiny))


def test_what_is_remembered_only_when_asked_cannot_be_shuffled(tiny: Path) -> None:
    text = tiny.read_text().replace("answers: {", "answers: {history: free_running, ") + "grid: full\n"
    tiny.write_text(text)
    assert load_suite(tiny).answers.history == "free_running"
    tiny.write_text(text.replace("k: 2", "k: 2, rephraser: openai/gpt-5"))
    with pytest.raises(DataError, match="shuffled memories are those of another question, made before anybody answers"):
        load_suite(tiny)
