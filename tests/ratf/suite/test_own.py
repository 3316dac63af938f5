"""Arms of the user's own as a suite names them: what is refused, and in which words."""

from pathlib import Path

import pytest

from raft.errors import DataError
from ratf.gate.policy import read_rule
from ratf.suite.own import OwnArm, solver_file
from ratf.suite.study import Study, open_study


def of(tiny: Path, arms: str, more: str = "") -> Study:
    suite = tiny.with_name("other.yaml")
    suite.write_text(f"{tiny.read_text('utf-8')}arms: {arms}\n{more}", "utf-8")
    return open_study(str(suite))


@pytest.mark.parametrize(
    ("arm", "told"),
    [
        ("{name: a, model: openai/x, answers: a.jsonl}", "arm 'a' has model and answers; write one of model, solver, answers, log"),
        ("{name: a}", "arm 'a' has none of them; write one of model, solver, answers, log"),
        ("{name: a, modle: openai/x}", "arm 'a' has none of them"),
        ("{name: a, model: openai/x, temprature: 1}", "is not a known key; the keys are: name, model"),
        ("{name: a, model: gpt-x}", "'gpt-x' is not a model; write provider/model"),
        ("{name: raft, model: openai/x}", "'raft' is the name of a recipe or a control"),
        ("{name: real, model: openai/x}", "'real' is the name of a recipe or a control"),
        ("{name: claims_50, model: openai/x}", "'claims_50' is the name of a recipe or a control"),
        ("{name: a b, model: openai/x}", "should match pattern"),
        ("{name: a, solver: nowhere.py@clone}", "nowhere.py is no file"),
        ("{name: a, solver: marrack}", None),
        ("{name: a, answers: marrack}", "marrack is no file; `ratf questions SUITE` prints the questions to answer"),
        ("{name: a, log: nowhere.eval}", "nowhere.eval is no file"),
        ("{name: a, log: tiny.yaml}", "tiny.yaml is no log of Inspect's"),
        ("{name: a, answers: tiny.yaml, memories: own}", "memories of arm 'a' is for model or solver, and it has answers"),
        ("{name: a, model: openai/x, args: {b: 1}}", "args of arm 'a' is for solver, and it has model"),
        ("{name: a, model: openai/x, seconds: 1}", "seconds of arm 'a' is for solver, and it has model"),
        ("{name: a, solver: ratf/x, args: {since: 2020-01-01}}", "arms.a.args.since"),
        ("{name: a, model: openai/x, memories: shuffled}", "should be 'none' or 'own'"),
        ("{name: a, model: openai/x}, {name: a, model: openai/y}", "a is there twice among the arms"),
    ],
)  # fmt: skip
def test_an_entry_that_does_not_fit_is_refused(tiny: Path, arm: str, told: str | None) -> None:
    if told is None:  # a registered name, which only Inspect knows
        assert of(tiny, f"[baseline, raft, {arm}]").suite.own[0].file == ""
        return
    with pytest.raises(DataError) as refused:
        of(tiny, f"[baseline, raft, {arm}]")
    assert told in str(refused.value)


def test_what_is_wrong_with_an_arm_is_told_by_its_name_and_line(tiny: Path) -> None:
    with pytest.raises(DataError) as refused:
        of(tiny, "\n- {name: fine, model: openai/x}\n- baseline\n- raff\n- {name: bot, model: openai/x, args: {b: 1}}")
    first = tiny.with_name("other.yaml").read_text("utf-8").splitlines().index("arms: ") + 2
    recipe, bot = refused.value.problems
    assert f":{first + 2}: arms[2]: no arm is called 'raff'" in recipe
    assert f":{first + 3}: arms.bot: args of arm 'bot' is for solver" in bot


def test_memories_that_are_made_while_answering_are_refused(tiny: Path) -> None:
    late = "{history: free_running, context_tokens: 256, max_words: 40, max_tokens: 12}"
    tiny.write_text(tiny.read_text("utf-8").replace("{context_tokens: 256, max_words: 40, max_tokens: 12}", late)
                    .replace("memories: {k: 2}", "memories: {k: 2, rephraser: openai/x}"), "utf-8")  # fmt: skip
    with pytest.raises(DataError, match="memories: own of a are made before anybody answers"):
        of(tiny, "[baseline, raft, {name: a, model: openai/x, memories: own}]")
    assert of(tiny, "[baseline, raft, {name: a, model: openai/x}]").suite.shown("a") == "none"


def test_what_is_known_of_an_arm_is_told_and_the_rest_is_not_known() -> None:
    bot = OwnArm.model_validate({"name": "my-bot", "model": "openai/x", "memories": "own"})
    assert bot.words == "openai/x, asked without a persona prompt, with the person's memories"
    assert bot.facts["training"] == "not known" and not bot.given
    solver = OwnArm.model_validate({"name": "s", "solver": "a/b.py@c", "sha256": "d"})
    assert solver.facts == {"training": "not known", "prompts": "not known", "sha256": "d"}
    assert [solver_file(s) for s in ("a/b.py@c", "b.py", "ratf/thing", "a@b/thing")] == ["a/b.py", "b.py", "", ""]


def test_a_rule_can_say_the_name_of_such_an_arm() -> None:
    rule = read_rule("my-bot better than last-year on rouge_l", "critical")
    assert rule and (rule.arm, rule.other) == ("my-bot", "last-year")


def test_answers_to_other_questions_are_refused(tiny: Path) -> None:
    arms, file = "[baseline, raft, {name: a, answers: a.jsonl}]", tiny.with_name("a.jsonl")
    study = open_study(str(tiny))
    first = study.held_out[0].exchange_id
    file.write_text(f'{{"id": "{first}", "answer": "Yes.", "digest": "{study.questions_digest}"}}\n', "utf-8")
    assert of(tiny, arms).answered == {"a": {first: "Yes."}}, "an arm more changes nothing in what is asked"
    file.write_text(f'{{"id": "{first}", "answer": "Yes.", "digest": "0123"}}\n', "utf-8")
    with pytest.raises(DataError, match=r"a\.jsonl:1: a answers other questions, those with the digest '0123'"):
        of(tiny, arms)
