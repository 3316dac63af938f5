"""Arms whose answers are in files: planted agents through a whole run, and what is refused."""

import json
import re
from pathlib import Path

import pytest
from commands import Command
from places import REPOSITORY

from raft.errors import DataError
from ratf.agents.given.degenerate import YES, parrot
from ratf.edits.log import lot
from ratf.edits.rewording import reworded_sentences
from ratf.edits.rules import Rules, rules_for
from ratf.reporting.top.licences import licences, particular
from ratf.results.results import Results, load
from ratf.suite.arms import EXAM_ONLY
from ratf.suite.study import Study, open_study

SUITE = """\
name: planted
person: marrack
impostors: [pell]
split: {held_out_interviews: 6, questions: 36}
arms: [{name: twin, answers: twin.jsonl}, {name: sayer, answers: sayer.jsonl}, {name: repeater, answers: repeater.jsonl}]
controls: [real, same_near, impostor_near]
metrics: [rouge_2, sentence_coverage]
primary: {metric: sentence_coverage, better: twin, than: sayer}
contamination: false
"""


def lines(answers: dict[str, str]) -> str:
    return "".join(json.dumps({"id": q, "answer": a}) + "\n" for q, a in answers.items())


def planted(folder: Path) -> Path:
    """A suite of three planted agents on the demo's people: one says what the person says in other words."""
    demo = open_study("demo")
    rules = rules_for(e.answer for e in demo.earlier)
    assert isinstance(rules, Rules)
    said = {
        e.exchange_id: " ".join(t for t, _ in reworded_sentences(e.answer, rules, lot("planted", e.exchange_id)))
        for e in demo.held_out
    }
    agents = {
        "twin": said,
        "sayer": dict.fromkeys(said, YES),
        "repeater": dict(parrot(demo.held_out, demo.earlier)),
    }
    left_out = demo.held_out[0].exchange_id
    del agents["repeater"][left_out]
    folder.mkdir(parents=True, exist_ok=True)
    for name, answers in agents.items():
        (folder / f"{name}.jsonl").write_text(lines(answers), "utf-8")
    (folder / "planted.yaml").write_text(SUITE, "utf-8")
    return folder / "planted.yaml"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Results:
    from ratf.runner.run import carry_out

    suite = planted(tmp_path_factory.mktemp("planted"))
    study = open_study(str(suite), REPOSITORY / "benchmarks", suite.parent / "run")
    carry_out(study)
    return load(study.folder / "results.json")


@pytest.mark.slow
def test_who_says_the_same_in_other_words_is_told_from_who_says_nothing(run: Results) -> None:
    assert {(e.metric, e.axis, e.admitted) for e in run.exam} == {
        ("rouge_2", "coverage", True),
        ("sentence_coverage", "coverage", True),
    }
    assert run.verdict == "PASS" and run.sentence.startswith("twin beats sayer")
    for metric in ("rouge_2", "sentence_coverage"):
        cells = {arm: run.arms[arm].metrics[metric] for arm in ("twin", "sayer", "repeater", "impostor_near")}
        floor = cells["impostor_near"].high
        assert floor is not None and cells["twin"].low is not None and cells["twin"].low > floor
        assert cells["sayer"].high is not None and cells["sayer"].high <= floor
        # an earlier answer shares the person's turns of phrase with the real one, and no more
        assert cells["repeater"].high is not None and cells["repeater"].high < cells["twin"].low / 2


@pytest.mark.slow
def test_coverage_is_no_licence_for_agreement_and_has_no_ceiling(run: Results) -> None:
    for licence in licences(run):
        assert "the same claims are made" in licence.may and "says the opposite" in licence.may_not
    assert run.skill == []
    assert [metric for metric, _ in particular(run)] == ["rouge_2", "sentence_coverage"]


@pytest.mark.slow
def test_what_is_made_for_the_exam_is_told_with_examples_and_is_no_control(run: Results) -> None:
    assert run.made and {m.control for m in run.made.controls} >= {"half_reworded", "claims_25", "own_topic"}
    assert all(m.edits and m.questions for m in run.made.controls) and not run.made.reason
    assert not {*EXAM_ONLY} & {*run.arms} and not any({*EXAM_ONLY} & {*q.answers} for q in run.questions)


@pytest.mark.slow
def test_such_an_arm_stands_beside_the_others(run: Results, tmp_path: Path) -> None:
    repeater, first = run.arms["repeater"], run.questions[0]
    assert (repeater.kind, repeater.words, repeater.metrics["rouge_2"].unscored) == (
        "arm",
        "answers from repeater.jsonl",
        1,
    )
    assert first.answers["repeater"].scores["rouge_2"].why == "empty: the file of answers has none to this question"
    assert {("twin", "repeater"), ("repeater", "sayer")} <= {(c.a, c.b) for c in run.comparisons}
    assert run.second_looks[-1].arm == "repeater"


@pytest.mark.slow
def test_the_page_says_what_each_metric_may_say(run: Results) -> None:
    from ratf.reporting.page import render

    page = render(run)
    assert "whether the same claims are made" in page and "answers from twin.jsonl" in page
    assert re.search(r"<details><summary>Answers made by rule for the exams", page)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"id": "nobody-q1", "answer": "x"}\n', "not asked: line 1: 'nobody-q1'"),
        ("[]\n", "agent.jsonl:1: write"),
        ('{"id": "Q", "answer": 3}\n', "agent.jsonl:1: write"),
        (
            '{"id": "Q", "answer": "x"}\n{"id": "Q", "answer": "y"}\n',
            "agent.jsonl:2: 'Q' is answered twice".replace("Q", "{}"),
        ),
        ('{"id": "Q", "answer": "' + 20_001 * "x" + '"}\n', "more than 20,000 characters"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(tiny: Path, content: str, told: str) -> None:
    asked = [e.exchange_id for e in open_study(str(tiny)).held_out]
    (tiny.parent / "agent.jsonl").write_text(content.replace("Q", asked[0]), "utf-8")
    with pytest.raises(DataError) as refused:
        of(tiny, "[baseline, raft, {name: agent, answers: agent.jsonl}]")
    assert told.format(asked[0]) in str(refused.value)


def of(tiny: Path, arms: str) -> Study:
    suite = tiny.with_name("other.yaml")
    suite.write_text(tiny.read_text("utf-8") + f"arms: {arms}\n", "utf-8")
    return open_study(str(suite))


@pytest.mark.parametrize(
    ("arms", "told"),
    [
        ("[baseline, raft, {name: agent, answers: nowhere.jsonl}]", "is no file"),
        ("[baseline, raft, {name: rag_only, answers: tiny.yaml}]", "is the name of a recipe or a control"),
        ("[baseline, raft, {name: a, answers: tiny.yaml}, {name: a, answers: tiny.yaml}]", "a is there twice"),
        ("[]", "name one or more"),
    ],
)
def test_arms_that_do_not_fit_are_refused(tiny: Path, arms: str, told: str) -> None:
    with pytest.raises(DataError, match=told):
        of(tiny, arms)


def test_other_answers_make_another_study(tiny: Path) -> None:
    arms, file = "[baseline, raft, {name: agent, answers: agent.jsonl}]", tiny.parent / "agent.jsonl"
    file.write_text("", "utf-8")
    before = of(tiny, arms)
    question = before.held_out[0].exchange_id
    file.write_text(lines({question: "Yes."}), "utf-8")
    after = of(tiny, arms)
    assert after.digest != before.digest and after.answered == {"agent": {question: "Yes."}}
    assert "own" not in open_study(str(tiny)).suite.model_dump(), "a suite without such arms keeps its digest"


def test_the_questions_are_printed_without_the_answers(ratf: Command, tiny: Path) -> None:
    done = ratf("questions", tiny)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    held_out = open_study(str(tiny)).held_out
    assert [(r["id"], r["question"]) for r in rows] == [(e.exchange_id, e.question) for e in held_out]
    assert {tuple(r) for r in rows} == {("id", "question", "interview_id", "date", "history", "digest")}
    assert not any(e.answer[:40] in done.stdout for e in held_out)
