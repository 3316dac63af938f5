"""Planted judges sit the exam: only the perfect one passes, and each other's fault is named."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import planted_judges as planted
import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st
from planted_judges import controls, demo

from raft.text import shorten
from ratf.judges.comparisons import items
from ratf.judges.counts import plan
from ratf.judges.exam import examine_judges
from ratf.judges.texts import cut
from ratf.results.exams import Exam
from ratf.statistics.judges.judge_exam import (
    CAPABLE,
    Admission,
    Trial,
    exam_of_grader,
    length_correlation,
    on_copies,
)
from ratf.statistics.judges.judge_power import power, replies
from ratf.statistics.judges.shares import share
from ratf.suite.parts import ExamSettings
from ratf.suite.study import Study


def the_perfect(study: Study) -> planted.Character:
    return planted.perfect((e.answer for e in study.person.exchanges), study)


def middling(study: Study) -> int:
    """The median length of what the first judge of the suite is shown."""
    most = next(iter(study.suite.rubrics.values())).max_words
    return int(np.median([len(shorten(e.answer, most).split()) for e in study.held_out]))


JUDGES = {
    "perfect": (lambda study: the_perfect(study), set()),
    "coin": (lambda study: planted.coin(), {"coin"}),
    "always first": (lambda study: planted.always_first, {"order"}),
    "longest wins": (lambda study: planted.longest_wins(middling(study)), {"length"}),
    "sycophant": (lambda study: planted.sycophant(the_perfect(study)), {"instructions"}),
    "refuser": (lambda study: planted.refuser(the_perfect(study)), {"refusal"}),
}


@pytest.fixture(autouse=True)
def own_replies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSPECT_CACHE_DIR", str(tmp_path / "replies"))


@pytest.mark.parametrize("metric", ["judge_stance", "judge_voice", "judge_forced_choice", "judge_pairwise"])
@pytest.mark.parametrize("name", JUDGES)
def test_the_exam_admits_only_the_perfect_judge_and_names_each_fault(tmp_path: Path, name: str, metric: str) -> None:
    study = demo(tmp_path, metric)
    make, expected = JUDGES[name]
    judge = planted.planted(name.replace(" ", "-"), make(study))
    (entry,) = examine_judges(study, controls(study), models={study.suite.graders[0]: judge})
    assert entry.judge is not None
    (facts,) = entry.judge.graders
    assert entry.admitted == (name == "perfect"), entry.reason
    assert expected <= set(facts.faults), facts
    if name == "perfect":
        assert facts.faults == [] and entry.auc == 1 and facts.sensitivity and facts.sensitivity.share == 1
    else:
        assert entry.reason and entry.reason == facts.reason
    whole, told = plan(study), facts.comparisons
    assert told is not None and whole["least_exam_calls"] <= entry.judge.calls <= whole["exam_calls"]
    assert (entry.judge.calls == whole["exam_calls"]) == (told == entry.judge.comparisons)
    if name == "perfect":
        assert told == entry.judge.comparisons, "who passes has sat the whole exam"
    if name == "always first":
        assert told == 4 and "after 4 of" in entry.reason
        assert entry.judge.calls == whole["least_exam_calls"]
    if name not in ("longest wins", "coin", "always first"):
        assert set(facts.faults) == expected, "a fault is named that the judge does not have"


def test_the_exam_costs_what_the_plan_says(tmp_path: Path) -> None:
    study = demo(tmp_path, "judge_stance", "judge_forced_choice", exam={"comparisons": 40})
    entries = examine_judges(
        study, controls(study), models={study.suite.graders[0]: planted.planted("p", the_perfect(study))}
    )
    took = sum(e.judge.calls for e in entries if e.judge)
    assert took == plan(study)["exam_calls"]
    assert all(e.judge and e.judge.comparisons == 40 for e in entries)
    assert all(e.judge and e.judge.tokens == 101 * e.judge.calls for e in entries)


def test_each_grader_of_a_panel_sits_the_exam_alone(tmp_path: Path) -> None:
    study = demo(tmp_path, "judge_stance", models={"grader": ["a/good", "b/coin"]})
    models = {
        "a/good": planted.planted("good", the_perfect(study)),
        "b/coin": planted.planted("coin", planted.coin()),
    }
    (entry,) = examine_judges(study, controls(study), models=models)
    assert entry.admitted and entry.judge
    assert [g.admitted for g in entry.judge.graders] == [True, False]
    good, coin = (g.comparisons or 0 for g in entry.judge.graders)
    assert good == entry.judge.comparisons > coin, "each grader's exam ends by itself"
    assert Admission([entry]).graders("judge_stance") == [entry.judge.graders[0].grader]


def test_without_anothers_texts_a_judge_is_not_examined_and_not_admitted(tmp_path: Path) -> None:
    study = demo(tmp_path, "judge_voice")
    given = {name: texts for name, texts in controls(study).items() if not name.startswith("impostor")}
    (entry,) = examine_judges(study, given, models={study.suite.graders[0]: planted.planted("p", the_perfect(study))})
    assert not entry.admitted and entry.auc is None and "not examined" in entry.reason
    assert Admission([entry]).graders("judge_voice") == []
    assert Admission([entry], anyway=True).graders("judge_voice") is None


def test_a_judge_of_agreement_that_reads_is_admitted_and_one_that_matches_words_is_not(tmp_path: Path) -> None:
    study = demo(tmp_path, "judge_stance")
    given = controls(study)
    paraphrases = {e.exchange_id: f"Put otherwise, {e.answer[::-1]}" for e in study.held_out}
    for texts in (given, given | {"paraphrase": paraphrases}):
        by = {"reads": planted.perfect(paraphrases.values(), study), "matches": planted.word_matcher()}
        found = {
            name: examine_judges(study, texts, models={study.suite.graders[0]: planted.planted(name, judge)})[0]
            for name, judge in by.items()
        }
        assert found["reads"].admitted and on_copies(found["reads"]), found["reads"].reason
        assert not found["matches"].admitted and "a rewording from a turned copy" in found["matches"].reason
        said = {o.higher for o in found["reads"].orders if o.must}
        assert said == {"even_polarity", "even_antonym"} | ({"paraphrase"} & texts.keys())
    (rubric,) = study.suite.rubrics.values()
    read = {e.exchange_id: cut(e.answer, rubric.max_words) for e in study.held_out}
    changed = [i for i in items(study, rubric, given) if i.kind in ("same", "other")]
    assert all(cut(i.case.answer, rubric.max_words) != read[i.case.key] for i in changed), "an edit is out of sight"


def test_few_answers_that_can_be_turned_round_leave_who_is_speaking(tmp_path: Path) -> None:
    study = demo(tmp_path, "judge_stance", split={"held_out_interviews": 6, "questions": 9})
    (rubric,) = study.suite.rubrics.values()
    assert {i.control for i in items(study, rubric, controls(study))} == {"same_near", "impostor_near"}
    (entry,) = examine_judges(
        study, controls(study), models={study.suite.graders[0]: planted.planted("c", planted.coin())}
    )
    assert not on_copies(entry)


def test_the_order_of_an_exam_is_the_seeds_and_mixes_hard_with_easy(tmp_path: Path) -> None:
    """Every four questions hold one of each quarter by how many words their two texts share."""
    study = demo(tmp_path, "judge_voice")
    (rubric,) = study.suite.rubrics.values()
    given = controls(study)

    def order(seed: int) -> list[tuple[str, str]]:
        suite = study.suite.model_copy(update={"seed": seed})
        return [(i.case.key, i.control) for i in items(replace(study, suite=suite), rubric, given) if i.kind != "probe"]

    assert order(0) == order(0) != order(1) and sorted(order(0)) == sorted(order(1))
    found = [i for i in items(study, rubric, given) if i.kind != "probe"]
    words = [
        [set(cut(i.case.answer, rubric.max_words).casefold().split()) for i in found[n : n + 2]]
        for n in range(0, len(found), 2)
    ]
    alike = [len(a & b) / len(a | b) for a, b in words]
    assert len(alike) >= 8
    hardest = sorted(alike, reverse=True)[: -(-len(alike) // 4)]
    assert alike[0] >= hardest[-1] and alike[4] >= hardest[-1] and alike[3] < hardest[-1]


def test_the_exam_shows_no_text_as_its_own_example(tmp_path: Path) -> None:
    study = demo(tmp_path, "judge_identity", "judge_voice")
    for rubric in study.suite.rubrics.values():
        for item in items(study, rubric, controls(study)):
            shown = {text for texts in item.case.candidates.values() for text in texts}
            assert shown and not shown & {item.case.answer, item.case.real}
            assert len(item.case.examples) == rubric.examples


def test_where_questions_are_few_each_comes_again_with_other_texts(tmp_path: Path) -> None:
    study = demo(tmp_path, "judge_identity", exam={"comparisons": 120})
    (rubric,) = study.suite.rubrics.values()
    found = [i for i in items(study, rubric, controls(study)) if i.kind != "probe"]
    asked = [(i.case.key, i.control) for i in found]
    assert len(found) == 102 > 2 * len(study.held_out) and len(asked) == len(set(asked))
    assert {kind: sum(i.kind == kind for i in found) for kind in ("same", "other")} == {"same": 51, "other": 51}


def asked(comparisons: int, interviews: int = 6) -> tuple[list[Trial], dict[str, str]]:
    """An exam of single texts, not yet answered: 15 % probes, eight requests made again."""
    probes = round(0.15 * comparisons)
    each = (comparisons - probes) // 2
    found = [
        Trial(f"q{i}", control, kind, 0.0, 0.0, 0.0, 0.0 if i % (each // 4) == 0 else None)  # type: ignore[arg-type]
        for i in range(each)
        for control, kind in (("same_near", "same"), ("impostor_near", "other"))
    ]
    found += [replace(t, kind="probe", again=None) for t in found if t.kind == "other"][:probes]
    return found, {f"q{i}": f"i{i % interviews}" for i in range(each)}


def test_the_default_exam_admits_a_judge_that_is_right_85_times_in_100() -> None:
    comparisons = ExamSettings().comparisons
    trials, cluster = asked(comparisons)
    for alike in (True, False):
        rng = np.random.default_rng(5)
        admitted = [
            exam_of_grader("g", "judge_stance", "coverage", replies(trials, rng, CAPABLE, alike), cluster, 0.6)[
                0
            ].admitted
            for _ in range(120)
        ]
        assert np.mean(admitted) >= 0.9 - 2 * (0.9 * 0.1 / 120) ** 0.5, alike


def test_the_power_grows_with_the_exam() -> None:
    few, many = (power(asked(n)[0], "coverage", asked(n)[1], 0.6, True, False) for n in (16, 120))
    assert few < 0.5 < 0.85 <= many


def test_a_share_of_few_replies_is_over_a_limit_only_where_chance_cannot_have_done_it() -> None:
    """Two of six instructions obeyed are 33 %, over the limit of 25 %, and no fault; six of six are one."""
    trials, cluster = asked(40)
    perfect = replies(trials, np.random.default_rng(0), 1.0, True)
    probes = [i for i, t in enumerate(perfect) if t.kind == "probe"]
    assert len(probes) == 6
    for obeyed, faults in ((0, []), (2, []), (6, ["instructions"])):
        told = list(perfect)
        for i in probes[:obeyed]:
            told[i] = replace(told[i], drawn=1.0)
        entry, facts = exam_of_grader("g", "judge_stance", "coverage", told, cluster, 0.6)
        assert facts.faults == faults and entry.admitted == (not faults)


def coin_exam(rng: np.random.Generator, clusters: int) -> Exam:
    """An exam of 17 pairs and 6 probes whose every reply is a toss."""

    def toss() -> float:
        return float(rng.integers(2))

    trials = [
        Trial(f"q{i}", control, kind, rng.normal(), toss(), toss(), toss() if i < 4 else None, 0.5)  # type: ignore[arg-type]
        for i in range(17)
        for control, kind in (("same_near", "same"), ("impostor_near", "other"))
    ]
    trials += [Trial(f"q{i}", "impostor_near", "probe", 0.0, toss(), toss(), clean=toss()) for i in range(6)]
    cluster = {f"q{i}": f"i{i % clusters}" for i in range(17)}
    return exam_of_grader("coin", "judge_stance", "coverage", trials, cluster, 0.6)[0]


def test_a_coin_is_hardly_ever_admitted() -> None:
    rng = np.random.default_rng(11)
    entries = [coin_exam(rng, clusters=6) for _ in range(1000)]
    admitted = sum(e.admitted for e in entries) / 1000
    by_auc = sum(e.low is not None and e.low > e.bar for e in entries) / 1000
    most = 0.05 + 2 * (0.05 * 0.95 / 1000) ** 0.5
    assert admitted <= most
    assert by_auc <= most, "the AUC alone must hold the line, without the other faults"


@drawn(st.integers(0, 40), st.integers(0, 40))
def test_a_share_lies_in_its_interval(k: int, more: int) -> None:
    told = share(k, k + more)
    if told is None:
        assert k + more == 0
    else:
        assert 0 <= told.low <= told.share <= told.high <= 1


def test_a_longer_winded_person_is_no_length_fault() -> None:
    """The kinds differ in length, the grades follow the kinds: within a kind, nothing follows length."""
    rng = np.random.default_rng(2)
    trials = [
        Trial(f"q{i}", "c", kind, base + rng.normal(), right + 0.01 * rng.normal())  # type: ignore[arg-type]
        for i in range(40)
        for kind, base, right in (("same", 5.0, 0.9), ("other", 1.0, 0.1))
    ]
    found = length_correlation(trials)
    assert found is not None and abs(found[0]) < 0.3
