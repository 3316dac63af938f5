"""Agents that say nothing, through a whole run from their files of answers: none passes, on either axis."""

import json
from pathlib import Path

import pytest
from places import REPOSITORY

from ratf.agents.given import degenerate
from ratf.agents.given.evidence import words_for
from ratf.boards.standing import placed, span
from ratf.edits.log import lot
from ratf.edits.rewording import reworded_sentences
from ratf.edits.rules import Rules, rules_for
from ratf.gate.gate import check
from ratf.gate.policy import Policy, read_rule
from ratf.results.results import Results, load
from ratf.suite.study import Study, open_study

ASKED = """\
name: planted
person: marrack
impostors: [pell, rudge]
split: {held_out_interviews: 6, questions: 24}
metrics: [rouge_l, sentence_coverage, style_identity]
contamination: false
"""
SUITE = f"""\
{ASKED}arms:
  - {{name: twin, answers: twin.jsonl}}
  - {{name: another, answers: another.jsonl}}
  - {{name: sayer, answers: sayer.jsonl}}
  - {{name: repeater, answers: repeater.jsonl}}
  - {{name: asker, answers: asker.jsonl}}
  - {{name: babbler, answers: babbler.jsonl}}
  - {{name: salter, answers: salter.jsonl}}
primary: {{metric: both, better: twin, than: another}}
"""
NOBODY = ("sayer", "repeater", "asker", "babbler", "salter")


def agents(demo: Study) -> dict[str, dict[str, str]]:
    """The person in other words, another person, and five that nobody would take for a replica."""
    rules = rules_for(e.answer for e in demo.earlier)
    assert isinstance(rules, Rules)
    theirs = [e.answer for e in demo.impostors[0].exchanges if len(e.answer.split()) > 50]
    another, elsewhere = (
        {e.exchange_id: theirs[(i + shift) % len(theirs)] for i, e in enumerate(demo.held_out)}
        for shift in (0, len(theirs) // 2)
    )
    return {
        "twin": {
            e.exchange_id: " ".join(t for t, _ in reworded_sentences(e.answer, rules, lot("planted", e.exchange_id)))
            for e in demo.held_out
        },
        "another": another,
        "sayer": dict.fromkeys(another, degenerate.YES),
        "repeater": dict(degenerate.parrot(demo.held_out, demo.earlier)),
        "asker": {q: " ".join([text] * 4) for q, text in degenerate.echo(demo.held_out).items()},
        "babbler": dict(degenerate.babble(demo.held_out, demo.earlier, 7)),
        "salter": dict(degenerate.salted(demo.held_out, elsewhere, words_for(demo), 7)),
    }


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Results:
    from ratf.runner.run import carry_out

    folder = tmp_path_factory.mktemp("planted")
    path = folder / "planted.yaml"
    path.write_text(ASKED, "utf-8")
    for name, answers in agents(open_study(str(path), REPOSITORY / "benchmarks")).items():
        lines = [json.dumps({"id": q, "answer": a}) + "\n" for q, a in answers.items()]
        (folder / f"{name}.jsonl").write_text("".join(lines), "utf-8")
    path.write_text(SUITE, "utf-8")
    study = open_study(str(path), REPOSITORY / "benchmarks", folder / "run")
    carry_out(study)
    return load(study.folder / "results.json")


@pytest.mark.slow
def test_the_person_in_other_words_passes(run: Results) -> None:
    assert run.verdict == "PASS", run.sentence
    assert [a.axis for a in run.axes] == ["coverage", "voice"] and run.axes[0].verdict == "PASS"
    assert run.axes[1].verdict in ("PASS", "INCONCLUSIVE"), "rules that reword spoil a voice, and do not make another's"
    assert run.sentence.startswith("What it says: twin beats another: ") and ". How it sounds: twin " in run.sentence
    assert run.sentence.endswith("Not measured: whether it agrees with the person")


@pytest.mark.slow
@pytest.mark.parametrize("agent", NOBODY)
def test_who_says_nothing_never_passes_nor_reaches_class_b(run: Results, agent: str) -> None:
    admitted = {e.metric: e.axis for e in run.exam if e.admitted}
    assert {"coverage", "voice"} <= set(admitted.values()), [e.reason for e in run.exam if not e.admitted]
    rule = read_rule(
        f"{agent} better than another on sentence.coverage or style.identity, worse on neither", "critical"
    )
    assert rule is not None
    checked = check(run, policy=Policy([rule]))
    assert checked.verdict != "PASS", checked.sentence
    for skill in run.skill:
        if skill.arm == agent and skill.low is not None:
            said = placed(skill.low, skill.high)
            assert skill.skill is not None and skill.skill <= 0.2, (skill.metric, skill.skill)
            assert not said or span(said)[1] < span("B-")[0], (skill.metric, said)
    floor = run.arms["impostor_near"].metrics
    for name in admitted:
        cell = run.arms[agent].metrics[name]
        assert cell.mean is None or (floor[name].high is not None and cell.mean <= floor[name].high + 0.05), name
