import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from places import REPOSITORY
from planted_judges import demo

from ratf.agents.given.controls import READ_BY, wanted_made
from ratf.edits.made import KINDS, MADE
from ratf.edits.rules import NotExamined, rules_for
from ratf.scores.content_exam import CONTENT_LADDERS, LEAST_ITEMS, examine_agreement, examine_content, read_by
from ratf.suite import arms
from ratf.suite.arms import CONTROLS, FACTS

Scores = dict[str, dict[str, float | None]]
CLUSTER = {f"q{n}": f"interview {n % 11}" for n in range(60)}


@pytest.fixture(scope="module")
def content() -> ModuleType:
    spec = importlib.util.spec_from_file_location("content", REPOSITORY / "benchmarks" / "content.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def answers(content: ModuleType) -> Any:
    return content.pool()


@pytest.mark.parametrize(
    ("reader", "coverage", "agreement"),
    [
        ("perfect reader", (0.95, 1.0), (0.95, 1.0)),
        ("coin", (0.0, 0.1), (0.0, 0.1)),
        ("always yes", (0.0, 0.0), (0.0, 0.0)),
        ("ROUGE-1", (0.0, 1.0), (0.0, 0.0)),
    ],
)
def test_who_reads_is_admitted_and_who_matches_words_is_not_for_agreement(
    content: ModuleType, answers: Any, reader: str, coverage: tuple[float, float], agreement: tuple[float, float]
) -> None:
    exams = 40
    found = content.simulated(content.READERS[reader], answers, exams)
    assert coverage[0] <= found["coverage"] / exams <= coverage[1]
    assert agreement[0] <= found["agreement"] / exams <= agreement[1]


def scores(kinds: dict[str, float], questions: int = 60, paraphrase: float | None = 1.0) -> Scores:
    """`kinds`: what the metric gives to copies edited so; rewordings get the full mark."""
    asked = list(CLUSTER)[:questions]
    found: Scores = {f"edit_{kind}": dict.fromkeys(asked, mark) for kind, mark in kinds.items()}
    found |= {f"even_{kind}": dict.fromkeys(asked, 1.0) for kind in kinds}
    return found | ({"paraphrase": dict.fromkeys(asked, paraphrase)} if paraphrase is not None else {})


def test_the_worst_kind_of_edit_decides() -> None:
    good = examine_agreement("m", scores(dict.fromkeys(KINDS, 0.2)), CLUSTER, 0.6)
    assert good.admitted and good.auc == 1 and good.n == 60 and good.interviews == 11
    blind = examine_agreement("m", scores(dict.fromkeys(KINDS, 0.2) | {"number": 1.0}), CLUSTER, 0.6)
    assert not blind.admitted and blind.auc == 0.5 and "an edited number is not told from a paraphrase" in blind.reason


def test_facts_alone_are_examined_without_a_paraphraser_and_license_facts_alone() -> None:
    kinds = dict.fromkeys(FACTS, 0.2)
    given = scores({**kinds, "polarity": 1.0}, paraphrase=None) | {"reworded": dict.fromkeys(CLUSTER, 1.0)}
    found = examine_content("facts", "facts", given, CLUSTER, 0.6)
    assert found.admitted and found.axis == "facts" and "told from a rewording" in found.reason
    assert {o.lower for o in found.orders} == {f"edit_{kind}" for kind in FACTS}, "what is claimed is not its matter"
    assert not examine_content("facts", "agreement", given, CLUSTER, 0.6).admitted
    matches = given | {f"edit_{kind}": dict.fromkeys(CLUSTER, 1.0) for kind in FACTS}
    assert not examine_content("rouge_1", "facts", matches, CLUSTER, 0.6).admitted
    few = {c: dict(list(of.items())[: LEAST_ITEMS - 1]) for c, of in given.items()}
    assert "a number, date or name to change" in examine_content("facts", "facts", few, CLUSTER, 0.6).reason


def test_what_is_made_is_what_the_exams_read() -> None:
    assert set(arms.MADE) == set(MADE)
    for axis, made in READ_BY.items():
        assert read_by({axis}) & set(MADE) <= set(made)


def test_copies_are_turned_only_where_something_reads_them(tmp_path: Path) -> None:
    facts, rouge = (demo(tmp_path, metrics=["style_identity", metric]) for metric in ("facts", "rouge_l"))
    assert wanted_made(facts) >= {"edit_number", "even_fact"} and "edit_polarity" not in wanted_made(facts)
    assert wanted_made(rouge) == set(arms.PARTS)
    assert wanted_made(demo(tmp_path, "judge_stance")) == set(), "a judge's copies are no arms"


def test_a_metric_where_less_is_better_sits_the_same_exam() -> None:
    turned = {
        c: {q: -s if s is not None else None for q, s in of.items()} for c, of in scores({"polarity": 0.2}).items()
    }
    assert examine_agreement("m", turned, CLUSTER, 0.6, lower_is_better=True).admitted
    assert not examine_agreement("m", turned, CLUSTER, 0.6).admitted


def test_an_edit_that_is_put_above_an_even_rewording_refuses() -> None:
    given = scores({"polarity": 0.2})
    given["even_polarity"] = dict.fromkeys(CLUSTER, 0.1)
    found = examine_agreement("m", given, CLUSTER, 0.6)
    assert not found.admitted and "it puts edit_polarity above even_polarity" in found.reason


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (scores({"polarity": 0.2}, paraphrase=None), "no true paraphrases"),
        (scores({"polarity": 0.2}, questions=LEAST_ITEMS - 1), f"fewer than {LEAST_ITEMS} questions"),
        (scores({"number": 0.2, "name": 0.2}), f"fewer than {LEAST_ITEMS} questions"),
        ({"paraphrase": dict.fromkeys(CLUSTER, 1.0)}, "no copy of a real answer could be edited"),
    ],
    ids=["no paraphraser", "few questions", "facts alone", "no edits"],
)
def test_what_cannot_be_examined_is_not_admitted_and_says_why(given: Scores, reason: str) -> None:
    found = examine_agreement("m", given, CLUSTER, 0.6)
    assert not found.admitted and found.reason.startswith("not examined") and reason in found.reason


def test_kinds_with_few_questions_are_named_and_do_not_decide() -> None:
    given = scores({"polarity": 0.2}) | {"edit_date": dict.fromkeys(list(CLUSTER)[:10], 5.0)}
    found = examine_agreement("m", given, CLUSTER, 0.6)
    assert found.admitted and "not examined: antonym, number, name, date, fact" in found.reason


def test_a_language_without_edits_is_not_examined() -> None:
    rules = rules_for(["Der Fluss hat mir nie gehört."])
    assert isinstance(rules, NotExamined)
    found = examine_agreement("m", {}, CLUSTER, 0.6, no_edits=rules.reason)
    assert not found.admitted and found.reason == f"not examined: {rules.reason}"


def test_ladders_name_controls_that_there_are() -> None:
    there = {*CONTROLS, *MADE, "yes", "dont_know", "parrot", "repeat"}
    for ladder in CONTENT_LADDERS.values():
        named = {*ladder.positives, *ladder.negatives, *(c for pair in (*ladder.must, *ladder.may) for c in pair)}
        assert named <= there
