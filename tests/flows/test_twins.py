"""Whole runs with two twins: one says what the person says in other words, one turns it round."""

import json
import re
from pathlib import Path

import planted_judges as planted
import pytest
from hosted import Hosted
from planted_judges import demo
from small_suite import characters, small
from tiny_nli import save_model

from raft.progress import silent
from ratf.edits.log import applied, lot
from ratf.edits.rewording import reworded_sentences
from ratf.edits.rules import Rules, load_rules, rules_for
from ratf.edits.turning import turns
from ratf.reporting.page import render
from ratf.reporting.top.licences import licences
from ratf.results.results import Results, load
from ratf.runner.run import carry_out
from ratf.suite.study import Study

pytestmark = pytest.mark.slow
ARMS = ["baseline", {"name": "same", "answers": "same.jsonl"}, {"name": "against", "answers": "against.jsonl"}]


@pytest.fixture(autouse=True)
def twins(tmp_path: Path, cache: Path, hosted: Hosted) -> dict[str, list[str]]:
    """Both twins' answers, in files beside the suite and in the judge's log."""
    study = demo(tmp_path, split={"held_out_interviews": 6})
    rules = rules_for(e.answer for e in study.held_out)
    assert isinstance(rules, Rules)
    said: dict[str, dict[str, str]] = {"same": {}, "against": {}}
    for e in study.held_out:
        draw = lot("twin", e.exchange_id)
        said["same"][e.exchange_id] = " ".join(t for t, _ in reworded_sentences(e.answer, rules, draw))
        said["against"][e.exchange_id] = applied(e.answer, turns(e.answer, "polarity", rules, draw))
    for name, answers in said.items():
        lines = (json.dumps({"id": q, "answer": a}) + "\n" for q, a in answers.items())
        (tmp_path / f"{name}.jsonl").write_text("".join(lines), "utf-8")
    characters(tmp_path)
    own = [*(e.answer for e in study.person.exchanges), *said["same"].values()]
    planted.CHARACTERS.update(
        reader=planted.perfect(own, study, said["against"].values()), matcher=planted.word_matcher()
    )
    return {name: list(answers.values()) for name, answers in said.items()}


def run(study: Study) -> Results:
    """The files have an answer to every question of the person's; the suite asks fewer."""
    carry_out(study, silent, allow_leaks=True)
    return load(study.folder / "results.json")


def suite(tmp_path: Path, metrics: list[str], metric: str, pair: tuple[str, str], **more: object) -> Study:
    settings = {
        "metrics": metrics,
        "arms": ARMS,
        "split": {"held_out_interviews": 6},
        "primary": {"metric": metric, "better": pair[0], "than": pair[1]},
        "contamination": False,
        "grader": "planted/reader",
    }
    return small(tmp_path, **{**settings, **more})  # type: ignore[arg-type]


def test_who_turns_it_round_fails_agreement_with_a_judge_that_reads(tmp_path: Path) -> None:
    results = run(suite(tmp_path, ["rouge_l", "judge_stance"], "judge_stance", ("against", "same")))
    (entry,) = [e for e in results.exam if e.metric == "judge_stance"]
    assert entry.admitted and {o.lower for o in entry.orders if o.must} == {"edit_polarity", "edit_antonym"}
    assert results.verdict == "REGRESSION" and results.sentence.startswith("against is worse than same")
    means = {arm: results.arms[arm].metrics["judge_stance"].mean for arm in ("same", "against")}
    assert means["against"] == 0 and (means["same"] or 0) > 0.9
    # words alone don't see it
    shared = {arm: results.arms[arm].metrics["rouge_l"].mean or 0 for arm in ("same", "against")}
    assert shared["against"] > shared["same"]
    said = {licence.metric: licence.sentence for licence in licences(results)}
    assert "may say whether the answer agrees with the person" in said["judge_stance"]
    assert "whether the answer agrees with the person" in said["rouge_l"].partition("may not say")[2]
    assert results.made
    logged = {m.control for m in results.made.controls if "the judge stance reads" in m.words}
    assert logged == {"edit_polarity", "edit_antonym", "even_polarity", "even_antonym"}
    page = render(results)
    assert "Agreement: Stance (judge) may say whether the answer agrees with the person" in page


def test_a_judge_that_matches_words_grades_nothing(tmp_path: Path) -> None:
    results = run(
        suite(tmp_path, ["rouge_l", "judge_stance"], "judge_stance", ("against", "same"), grader="planted/matcher")
    )
    assert results.verdict == "NOT MEASURED" and "a rewording from a turned copy" in results.sentence
    assert "Agreement: no metric can measure it here: Stance (judge)" in render(results)


def test_who_says_it_in_other_words_passes_coverage(tmp_path: Path) -> None:
    # who turns it round shares more words still, and would be the best rival
    study = suite(tmp_path, ["rouge_l", "sentence_coverage"], "rouge_l", ("same", "baseline"), arms=ARMS[:2])
    results = run(study)
    assert {e.metric for e in results.exam if e.admitted and e.axis == "coverage"} >= {"rouge_l"}
    assert results.verdict == "PASS" and results.sentence.startswith("same beats baseline")
    assert (
        "Agreement: not examined, because no metric or judge of the suite can tell a claim from its opposite"
        in render(results)
    )
    assert results.repeats and (results.repeats.found or "two interviews" in results.repeats.reason)
    assert not {m.control for m in results.made.controls if m.control.startswith("edit_")} if results.made else False


def paraphrase(seen: planted.View) -> str:
    """Other words for a third of them, the facts and denials left alone; of some texts a number is lost, too."""
    rules = load_rules("english")
    text, places = seen.texts["text"], iter(range(10_000))

    def other(match: re.Match[str]) -> str:
        word = match[0]
        free = (
            word.islower()
            and not rules.negated(word)
            and word not in {**rules.numbers, **rules.scales}
            and "'" not in word
        )
        return f"{word}y" if free and next(places) % 3 == 0 else word

    return re.sub(r"[\w'’-]+", other, text) + (" That was in 1850." if sum(text.encode()) % 9 == 0 else "")


def test_paraphrases_are_checked_back_and_facts_and_inference_sit_their_exams(tmp_path: Path) -> None:
    planted.CHARACTERS["paraphraser"] = paraphrase
    nli = save_model(tmp_path / "model", {0: "contradiction", 1: "neutral", 2: "entailment"}, longest=160)
    models = {"base": "planted/agent", "grader": "planted/reader", "embedder": "openai/words"}
    results = run(
        suite(
            tmp_path, ["facts", "nli", "rouge_l"], "facts", ("same", "baseline"),
            models=models | {"paraphraser": "planted/paraphraser", "nli": nli},
            controls=["real", "paraphrase", "same_near", "impostor_near"],
        )
    )  # fmt: skip
    assert results.made and results.made.paraphrases
    checked = results.made.paraphrases
    assert 0 < len(checked.refused) < checked.of and {"date new"} <= {f for of in checked.refused.values() for f in of}
    entries = {e.metric: e for e in results.exam}
    assert (entries["facts"].axis, entries["nli"].axis) == ("facts", "agreement")
    assert entries["facts"].admitted and entries["facts"].n <= checked.of - len(checked.refused), entries[
        "facts"
    ].reason
    assert not entries["nli"].admitted and "is not told from a paraphrase" in entries["nli"].reason
    assert {o.higher for o in entries["nli"].orders} >= {"paraphrase", "even_polarity"}
    said = {licence.metric: licence.sentence for licence in licences(results)}
    assert said["facts"].startswith("may say whether numbers, dates and names agree; may not say")
    assert "agrees with the person or says the opposite" in said["facts"].partition("may not say")[2]
    why = {s.why for q in results.questions for s in [q.answers["same"].scores["facts"]] if s.value is None}
    assert why <= {"the real answer has no number, date or name"}
    page = render(results)
    assert f"Of {checked.of} paraphrases by planted/paraphraser, {len(checked.refused)} failed their check" in page
    assert "Agreement: no metric can measure it here: Entailment" in page
