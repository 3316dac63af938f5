"""Rubrics, the prompts made of them, the replies read strictly, and the judges as Inspect scorers."""

import json
import math
from pathlib import Path
from typing import Any

import planted_judges as planted
import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalLog
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessageAssistant,
    Logprob,
    Logprobs,
    Model,
    ModelOutput,
    ModelUsage,
    TopLogprob,
)
from inspect_ai.scorer import Score

from raft.errors import DataError
from ratf.judges.asking import config
from ratf.judges.replies import Reading, how_to_reply, read
from ratf.judges.scorers import Cases, judging
from ratf.judges.texts import JudgeCase, JudgePrompt, fill, harmless, mask
from ratf.suite.metrics import metric
from ratf.suite.rubric import CRITERIA, RUBRICS, Rubric, metric_names, of_metric, read_rubric, shipped
from ratf.suite.study import open_study
from ratf.suite.suite import load_suite

STANCE = shipped()["stance"]
CASE = JudgeCase(
    key="q1",
    question="Do fish ladders work, Tove?",
    real="No. Fish ladders fail wherever the water is warm.",
    answer="Fish ladders fail where it is warm, says Marrack.",
    rival="They work well enough.",
    examples=("I would take the dam out.", "Let the river decide."),
    candidates={"Tove Marrack": ("Take it out.",), "Conrad Pell": ("Build it higher.",), "Ann Ito": ("It depends.",)},
)


def reply(text: str, *top: tuple[str, float]) -> ModelOutput:
    """A model's reply; with `top`, the likeliest first tokens and their probabilities."""
    tokens = [TopLogprob(token=token, logprob=math.log(p)) for token, p in top]
    logprobs = Logprobs(content=[Logprob(token=text, logprob=0.0, top_logprobs=tokens)]) if top else None
    choice = ChatCompletionChoice(message=ChatMessageAssistant(content=text), logprobs=logprobs)
    return ModelOutput(model="scripted", choices=[choice], usage=ModelUsage())


def reading(name: str, output: ModelOutput, case: JudgeCase = CASE, flipped: bool = False) -> Reading:
    rubric = shipped()[name]
    return read(rubric, case, fill(rubric, case, flipped).meaning, output)


def letter(name: str, meaning: str, flipped: bool = False) -> str:
    return next(k for k, v in fill(shipped()[name], CASE, flipped).meaning.items() if v == meaning)


def test_the_shipped_judges_cover_every_form_and_axis() -> None:
    assert {r.form for r in shipped().values()} == set(CRITERIA)
    assert {r.axis for r in shipped().values()} == {"coverage", "agreement", "voice"}


@pytest.mark.parametrize("field", ["version", "words", "system", "prompt", "choices", "max_words", "min_mass", "axis"])
def test_any_field_changes_the_digest_and_the_key_of_kept_grades(field: str) -> None:
    old = getattr(STANCE, field)
    new = {**old, "Maybe": 0.5} if isinstance(old, dict) else "style" if field == "axis" else old * 2
    changed = STANCE.model_copy(update={field: new})
    asked = JudgePrompt("", "", {"Yes": "Yes"})
    assert changed.digest != STANCE.digest
    assert config(changed, asked, "word").cache != config(STANCE, asked, "word").cache
    assert config(STANCE, asked, "word").cache != config(STANCE, asked, "word", repeat=1).cache


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"prompt": "{question}"}, "must have {answer}"),
        ({"prompt": "{answer} {secret}"}, "{secret}"),
        ({"choices": {"Yes": 1, "No": 0.5}}, "both ends"),
        ({"choices": {"Yes": 5, "No": 0}}, "0 to 1"),
        ({"form": "pairwise"}, "must have"),
        ({"name": "kind_recall"}, "criterion"),
        ({"colour": "red"}, "colour"),
        ({"name": "other"}, "its name is 'other'"),
    ],
)
def test_a_bad_rubric_is_refused_with_its_file(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    path = tmp_path / "stance.yaml"
    path.write_text(json.dumps(json.loads(STANCE.model_dump_json()) | change), "utf-8")
    with pytest.raises(DataError) as error:
        read_rubric(path)
    assert str(path) in error.value.problems[0] and says in " ".join(error.value.problems)


def test_every_metric_of_a_judge_leads_back_to_it() -> None:
    names = metric_names(shipped())
    for short, metrics in names.items():
        for name in metrics:
            rubric, criterion, masked = of_metric(name, shipped())
            assert short == f"judge_{rubric.name}{'_masked' if masked else ''}" and criterion in CRITERIA[rubric.form]
    assert metric("judge_content_contradiction_masked").better == "lower"
    assert metric("judge_identity_brier").better == "lower"
    assert metric("judge_forced_choice_chosen").better is None
    assert metric("judge_content_recall").better == metric("judge_stance").better == "higher"


def test_recall_never_comes_without_contradiction(tiny: Path) -> None:
    tiny.write_text(tiny.read_text() + "metrics: [style_identity, judge_content_recall]\n")
    assert load_suite(tiny).metrics == ["style_identity", "judge_content_recall", "judge_content_contradiction"]


def test_a_judge_of_ones_own_is_one_file(tiny: Path) -> None:
    """As CONTRIBUTING shows it: a YAML in `judges/` beside the suite, and its name among the metrics."""
    folder = tiny.parent / "judges"
    folder.mkdir()
    (folder / "warmth.yaml").write_text(
        "name: warmth\nversion: 1\nform: grade\naxis: style\nwords: is it as warm?\nsystem: You compare tones.\n"
        'prompt: "{real}\\n{answer}\\nAre they equally warm?\\n"\nchoices: {"Yes": 1, "Rather": 0.5, "No": 0}\n'
    )
    tiny.write_text(tiny.read_text() + "metrics: [style_identity, judge_warmth]\n")
    suite = load_suite(tiny)
    assert suite.rubrics["warmth"].choices["Rather"] == 0.5
    before = open_study(str(tiny)).digest
    (folder / "warmth.yaml").write_text((folder / "warmth.yaml").read_text().replace("equally", "just as"))
    assert open_study(str(tiny)).digest != before, "a changed judge would not be asked again"
    (folder / "warmth.yaml").unlink()
    with pytest.raises(DataError, match="no metric is called 'judge_warmth'"):
        load_suite(tiny)


def test_rubrics_are_not_written_into_a_suite(tiny: Path) -> None:
    tiny.write_text(tiny.read_text() + "rubrics: {stance: {name: stance}}\n")
    with pytest.raises(DataError, match="judges/"):
        load_suite(tiny)


@pytest.mark.parametrize("name", [n for n, r in shipped().items() if r.form != "claims"])
def test_the_other_order_shows_the_same_the_other_way_round(name: str) -> None:
    one, two = (fill(shipped()[name], CASE, flipped) for flipped in (False, True))
    assert set(one.meaning.values()) == set(two.meaning.values())
    if shipped()[name].form in ("grade", "identity"):
        assert list(one.meaning.values()) == list(two.meaning.values())[::-1]
    else:
        assert one.meaning["A"] == two.meaning["B"] and one.prompt != two.prompt


def test_the_order_does_not_depend_on_which_of_two_is_asked_about() -> None:
    rubric = shipped()["pairwise"]
    turned = JudgeCase("q1", CASE.question, CASE.real, CASE.rival, CASE.answer)
    assert fill(rubric, CASE).prompt == fill(rubric, turned).prompt, "the same comparison would be paid for twice"


def test_no_arm_and_no_order_is_named_to_the_judge() -> None:
    prompts = [fill(r, CASE).prompt + fill(r, CASE).system for r in shipped().values()]
    assert not [p for p in prompts if any(w in p for w in ("rag_only", "finetune", "baseline", "agent", "replica"))]


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Tove Marrack said so.", "(name) said so."),
        ("Marrack's dam, MARRACK, tove!", "(name)'s dam, (name), (name)!"),
        ("A marracker in Tovestad.", "A marracker in Tovestad."),
    ],
)
def test_names_are_masked_whole_and_in_parts(text: str, masked: str) -> None:
    assert mask(text, ["Tove Marrack"]) == masked


def test_a_masked_pass_names_nobody() -> None:
    hidden = JudgeCase(**{**CASE.__dict__, "names": tuple(CASE.candidates)})
    for rubric in shipped().values():
        prompt = fill(rubric, hidden).prompt
        assert "Marrack" not in prompt and "Tove" not in prompt and "Pell" not in prompt


@pytest.mark.parametrize("text", ["{question} {real} {0} {answer.__class__} {{", "%s ${real} {{ real }}"])
def test_template_fields_in_any_of_the_texts_stay_text(text: str) -> None:
    for texts in ((text, "a", "b"), ("a", text, "b"), ("a", "b", text)):
        assert f"\n{harmless(text)}\n" in fill(STANCE, JudgeCase("k", *texts)).prompt


def test_both_answers_are_cut_alike() -> None:
    long = " ".join(f"This is sentence number {n} of a long one." for n in range(30))
    prompt = fill(STANCE, JudgeCase("k", "Why?", long, long)).prompt
    texts = dict(planted.FENCE.findall(prompt))
    assert texts["answer"] == texts["real answer"] and len(texts["answer"].split()) <= STANCE.max_words


def test_the_grade_is_the_choices_expected_value_from_token_probabilities() -> None:
    found = reading("stance", reply("No", ("Yes", 0.3), (" yes", 0.15), ("NO", 0.15), ("Perhaps", 0.4)))
    assert found.values == {"": pytest.approx(0.45 / 0.6)} and "Yes 0.450" in found.why
    parts = reading("voice", reply("Part", ("Part", 0.5), ("No", 0.3), ("Par", 0.1), ("P", 0.1)))
    assert parts.values == {"": pytest.approx(0.5 * 0.6 / 0.9)}


@pytest.mark.parametrize(
    ("said", "grade"),
    [("Yes", 1), ("no", 0), (" NO. \n", 0), ('{"choice": "Yes"}', 1), ('```json\n{"choice": "No"}\n```', 0)],
)
def test_without_probabilities_the_reply_is_the_grade(said: str, grade: float) -> None:
    assert reading("stance", reply(said)).values == {"": grade}


@pytest.mark.parametrize(
    "said",
    [
        "",
        "Yes and no",
        "1",
        "The answer says: Yes",
        '{"choice": "Maybe"}',
        '{"choice": "Yes", "score": 1}',
        '["Yes"]',
        "null",
    ],
)
def test_a_reply_that_is_no_choice_is_no_grade_and_is_shown(said: str) -> None:
    found = reading("stance", reply(said))
    assert found.values is None and repr(said) in found.why


@drawn(
    st.text(max_size=80)
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=8), lambda x: st.lists(x) | st.dictionaries(st.text(max_size=8), x)
    ).map(json.dumps)
)
def test_whatever_is_replied_is_a_grade_of_the_scale_or_none(said: str) -> None:
    for name in shipped():
        found = reading(name, reply(said))
        assert found.values is None or all(0 <= v <= 2 for v in found.values.values())


def test_choices_that_hold_too_little_probability_give_no_grade() -> None:
    assert reading("stance", reply("Well", ("Well", 0.96), ("Yes", 0.03), ("No", 0.01))).values is None


def test_who_is_speaking_gives_top_1_and_brier() -> None:
    person, pell, ito = (letter("identity", n) for n in CASE.candidates)
    sure = reading("identity", reply("x", (person, 0.8), (pell, 0.2)))
    assert sure.values == {"top1": 1.0, "brier": pytest.approx(0.2**2 + 0.2**2)}
    said = reading("identity", reply(json.dumps({person: 25, pell: 50, ito: 25})))
    assert said.values == {"top1": 0.0, "brier": pytest.approx(0.75**2 + 0.5**2 + 0.25**2)}
    tie = reading("identity", reply(json.dumps({person: 50, pell: 50, ito: 0})))
    assert tie.values and tie.values["top1"] == 0, "a tie names nobody"
    for wrong in ({person: 50, pell: 50}, {person: 0, pell: 0, ito: 0}, {person: 101, pell: 0, ito: 0}):
        assert reading("identity", reply(json.dumps(wrong))).values is None


@pytest.mark.parametrize("flipped", [False, True])
def test_choosing_between_two_is_read_by_what_the_letters_stand_for(flipped: bool) -> None:
    mine = letter("forced_choice", "answer", flipped)
    assert reading("forced_choice", reply(mine), flipped=flipped).values == {"chosen": 1}
    assert reading("pairwise", reply("Tie"), flipped=flipped).values == {"won": 0.5}


def claims(*rows: tuple[str, str, str]) -> ModelOutput:
    keys = ("real_quote", "status", "answer_quote")
    return reply(json.dumps({"claims": [{"claim": "c", **dict(zip(keys, row, strict=True))} for row in rows]}))


def test_claims_count_with_evidence_that_is_really_there() -> None:
    good = ("fish ladders  FAIL", "recalled", "Fish ladders fail")
    assert reading("content", claims(good)).values == {"recall": 1, "contradiction": 0}
    against = ("wherever the water is warm", "contradicted", "where it is warm")
    assert reading("content", claims(good, against)).values == {"recall": 0.5, "contradiction": 0.5}
    made_up = ("wherever the water is warm", "recalled", "whenever the water boils")
    found = reading("content", claims(good, made_up))
    assert found.values == {"recall": 0.5, "contradiction": 0} and "1 without evidence" in found.why
    not_a_claim = ("the moon is cheese", "recalled", "Fish ladders fail")
    assert reading("content", claims(good, not_a_claim)).values == {"recall": 1, "contradiction": 0}
    assert reading("content", claims(not_a_claim)).values is None
    empty_quote = ("fish ladders fail", "recalled", "")
    assert reading("content", claims(empty_quote)).values == {"recall": 0, "contradiction": 0}


def test_how_to_reply_is_the_last_thing_that_a_judge_reads() -> None:
    for rubric in shipped().values():
        asked = fill(rubric, CASE)
        for manner in ("word", "json"):
            how = how_to_reply(rubric, list(asked.meaning), manner)  # type: ignore[arg-type]
            assert asked.messages(how)[-1]["content"].endswith(how)
            assert len(how.splitlines()) == 1


@pytest.fixture
def own_replies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Grades are kept in this test's own cache."""
    monkeypatch.setenv("INSPECT_CACHE_DIR", str(tmp_path / "replies"))


def says(name: str, text: str) -> Model:
    return planted.planted(name, lambda seen: text)


def judged(
    folder: Path,
    rubric: Rubric,
    graders: list[Model],
    agent: str = "Rarely.",
    cases: dict[str, JudgeCase] | None = None,
) -> EvalLog:
    """One question, answered with `agent` and judged by `graders`."""
    shown: Cases = lambda state, real: cases or {"": CASE}  # noqa: E731
    (log,) = eval(
        Task(
            dataset=[Sample(id="q1", input="Do they?", target="No.")],
            scorer=judging("judge_x", rubric, CRITERIA[rubric.form][0], shown),
        ),
        model=says("agent", agent),
        model_roles={"grader": graders} if graders else None,
        log_dir=str(folder / "logs"),
        display="none",
    )
    return log


def the_score(log: EvalLog) -> Score:
    assert log.status == "success", log.error
    assert log.samples
    return (log.samples[0].scores or {})["judge_x"]


def test_without_a_grader_the_model_under_test_does_not_grade_itself(tmp_path: Path, own_replies: None) -> None:
    log = judged(tmp_path, STANCE, [])
    assert log.status == "error" and log.error and "'grader' is required" in log.error.message


def test_a_panel_votes_and_every_vote_is_kept(tmp_path: Path, own_replies: None) -> None:
    panel = [says("a", '{"choice": "Yes"}'), says("b", '{"choice": "No"}'), says("c", "I'd rather not.")]
    score = the_score(judged(tmp_path, STANCE, panel))
    assert score.as_float() == 0.5 and score.metadata
    votes = score.metadata["votes"]
    assert [(v["grader"], v["value"]) for v in votes] == [("planted/a", 1), ("planted/b", 0), ("planted/c", None)]
    assert "I'd rather not." in votes[2]["why"] and score.metadata["rubric"] == STANCE.digest


def test_two_texts_are_shown_in_both_orders_and_a_place_lover_is_a_tie(tmp_path: Path, own_replies: None) -> None:
    grader = says("first", '{"choice": "A"}')
    score = the_score(judged(tmp_path, shipped()["pairwise"], [grader], cases={"rag_only": CASE}))
    assert score.as_float() == 0.5 and score.metadata
    assert [(v["order"], v["value"]) for v in score.metadata["votes"]] in (
        [("as drawn", 1), ("reversed", 0)],
        [("as drawn", 0), ("reversed", 1)],
    )
    assert score.metadata["against"] == {"rag_only": 0.5}


def test_texts_that_read_alike_are_not_paid_for(tmp_path: Path, own_replies: None) -> None:
    grader = says("g", '{"choice": "A"}')
    same = JudgeCase("q1", "Why?", "Because.", "Because.", "Because.\u200b")
    assert the_score(judged(tmp_path, shipped()["forced_choice"], [grader], cases={"": same})).as_float() == 0.5
    assert grader.api.asked == []  # type: ignore[attr-defined]


def test_a_reply_that_cannot_be_read_is_unscored_and_not_0(tmp_path: Path, own_replies: None) -> None:
    score = the_score(judged(tmp_path, STANCE, [says("g", "I cannot say.")]))
    assert math.isnan(score.as_float()) and score.reason == "parse"
    assert "'I cannot say.'" in (score.explanation or "")


@pytest.mark.parametrize("answer", ["  ", "\u200b\u202e\n"])
def test_an_answer_that_says_nothing_is_unscored_and_costs_no_grade(
    tmp_path: Path, own_replies: None, answer: str
) -> None:
    grader = says("g", '{"choice": "Yes"}')
    score = the_score(judged(tmp_path, STANCE, [grader], agent=answer))
    assert math.isnan(score.as_float()) and score.reason == "empty answer"
    assert grader.api.asked == []  # type: ignore[attr-defined]


def test_every_shipped_rubric_is_in_the_folder_that_says_so() -> None:
    assert {p.stem for p in RUBRICS.glob("*.yaml")} == set(shipped())
