"""Results that somebody made up or changed give no verdict that is not true, and say nothing in another's name."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from boards import planted
from pydantic import ValidationError
from typer.testing import CliRunner

import ratf.cli
from ratf.boards.leaderboard import leaderboard
from ratf.gate.gate import check
from ratf.gate.policy import load_policy
from ratf.results.results import Results, save

Raw = dict[str, Any]
SCORE = "style_identity"
RUN = planted({"raft": 0.5, "baseline": 0.5}).model_dump(mode="json")


def short(raw: Raw, arm: str = "raft", other: str = "baseline") -> None:
    """Leave every answer that does not win by far without a score, because of what the arm said."""
    for question in raw["questions"]:
        own, its = (question["answers"][name]["scores"] for name in (arm, other))
        if own[SCORE]["value"] < its[SCORE]["value"] + 0.05:
            own[SCORE] = {"value": None, "why": "too short: 2 words"}
    raw["metrics"][SCORE]["axis"] = "voice"


def answer(raw: Raw) -> Raw:
    found: Raw = raw["questions"][0]["answers"]["raft"]
    return found


def changed(change: Callable[[Raw], object]) -> Results:
    raw = copy.deepcopy(RUN)
    change(raw)
    return Results.model_validate(raw)


@pytest.mark.parametrize(
    "rule", ["better than baseline", "not worse than baseline by more than 0.05", "not worse than baseline"]
)
def test_answers_that_are_too_short_to_judge_gain_nothing(rule: str, tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(f"critical: [raft {rule} on style.identity]\ndeclares: 0.4\n")
    policy = load_policy(tmp_path / "policy.yaml")
    found = check(changed(short), policy=policy)
    assert found.verdict == "INCONCLUSIVE" and "left unscored at the floor (better by -0.2" in found.sentence
    without_floor = changed(lambda raw: (short(raw), _forget(raw, "impostor_near")))
    assert "the run has no score of impostor_near" in check(without_floor, policy=policy).sentence


def test_an_arm_may_have_a_hyphen_in_its_name_and_no_space() -> None:
    assert changed(lambda raw: raw["suite"]["primary"].update(better="my-bot")).suite["primary"]["better"] == "my-bot"
    with pytest.raises(ValidationError, match="pattern"):
        changed(lambda raw: raw["suite"]["primary"].update(better="my bot"))


def test_answers_without_a_voice_are_counted_where_the_unscored_are(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(
        "critical: [unscored at most 2 %, raft better than baseline on style.identity]\n"
    )
    rule, *_ = check(changed(short), policy=load_policy(tmp_path / "policy.yaml")).rules
    assert rule.verdict == "PASS" and "these have no voice to judge, and count at the floor" in rule.sentence


def _forget(raw: Raw, control: str) -> None:
    for question in raw["questions"]:
        question["answers"][control]["scores"][SCORE] = {"value": None, "why": "error: gone"}


def test_nor_do_they_against_the_baseline_run(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(
        "critical: [raft not worse than the reference run by more than 0.05 on style.identity]\n"
    )
    policy, before = load_policy(tmp_path / "policy.yaml"), Results.model_validate(RUN)
    shorter = changed(lambda raw: (short(raw), raw["metrics"][SCORE].pop("axis")))
    voiced = before.model_copy(update={"metrics": shorter.metrics})
    assert check(before, before, policy).verdict == "PASS"
    assert check(shorter, voiced, policy).verdict != "PASS"


def test_the_other_way_is_not_better_because_the_results_say_so() -> None:
    found = check(changed(lambda raw: raw["metrics"][SCORE].update(better="lower")))
    assert found.verdict == "NOT MEASURED" and "lower is better on style_identity, which it is not" in found.sentence


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda raw: raw["suite"]["primary"].update(better="raft better"), "primary.better: String should match"),
        (lambda raw: raw["suite"]["primary"].update(metric="charm"), "'charm', which is no metric of the run"),
        (lambda raw: raw["suite"].pop("primary"), "primary: is missing"),
        (lambda raw: raw["suite"]["models"].update(grader=5), "models.grader"),
        (lambda raw: raw["held_out"].update(questions="24"), "questions: Input should be a valid integer"),
        (lambda raw: raw["arms"].pop("raft"), "'raft', which is no arm of the run"),
        (lambda raw: raw["questions"].append(raw["questions"][0]), "questions has 'marrack-0-q000' twice"),
        (lambda raw: raw["contrasts"].insert(0, raw["contrasts"][0] | {"difference": 9.0}), "contrasts has"),
        (lambda raw: raw["exam"].append(raw["exam"][0] | {"admitted": False}), "exam has 'style_identity' twice"),
        (lambda raw: raw["questions"][0]["answers"]["raft"].update(state="error"), "arms.raft.errors is 0, and 1 of"),
        (lambda raw: answer(raw).update(memories=[{"title": "a"}]), "text: is missing"),
        (lambda raw: answer(raw)["scores"][SCORE].update(votes=[{}]), "grader: is missing"),
        (lambda raw: answer(raw)["scores"][SCORE].update(votes=[{"grader": "g", "value": "1"}]), "a valid number"),
        (lambda raw: raw["suite"].update(training={f"s{n}": n for n in range(30_000)}), "more than 10,000 settings"),
        (lambda raw: raw["suite"].update(training={"words": "x" * 2**21}), "or 1,048,576 characters in them"),
        (lambda raw: raw["arms"].update({f"a{n}": raw["arms"]["raft"] for n in range(400)}), "404 arms and 1 metrics"),
        (lambda raw: raw["metrics"].update({f"m{n}": raw["metrics"][SCORE] for n in range(200)}), "at most 100 arms"),
    ],
)
def test_parts_that_do_not_fit_are_refused(change: Callable[[Raw], object], says: str) -> None:
    with pytest.raises(ValidationError) as error:
        changed(change)
    assert says in str(error.value)


@pytest.mark.parametrize(
    "content",
    [
        {"questions": [{}] * 100_000},
        {"arms": {f"a{n}": {"metrics": {f"m{k}": {} for k in range(300)}} for n in range(300)}},
        {"held_out": {"interviews": [{}] * 100_000}},
        {"exam": [[]] * 100_000},
    ],
    ids=lambda content: next(iter(content)),
)
def test_only_the_first_of_many_wrong_items_is_looked_at(content: Raw) -> None:
    with pytest.raises(ValidationError) as error:
        Results.model_validate_json(json.dumps({**RUN, **content}), strict=True)
    assert error.value.error_count() < 30


def test_nothing_of_a_run_commands_the_terminal_or_ci(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    over = "\x1b[2J\x1b[HPASS: all rules hold\r\n::error::x\u202e\x9b2J"
    run = Results.model_validate(RUN).model_copy(update={"notes": [over]})
    save(
        run.model_copy(update={"budget": run.budget and run.budget.model_copy(update={"over": over})}),
        tmp_path / "results.json",
    )
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    said = CliRunner().invoke(ratf.cli.app, ["check", str(tmp_path)])
    assert said.exit_code == 2 and "\ufffd[2J\ufffd[HPASS" in said.stdout
    assert not {"\x1b", "\r", "\u202e", "\x9b"} & set(said.stdout) and "\n::error::x" not in said.stdout


def test_easier_real_answers_stand_on_a_board_of_their_own() -> None:
    honest = Results.model_validate(RUN)
    easier = changed(lambda raw: raw["questions"][0].update(real=raw["questions"][0]["answers"]["raft"]["text"]))
    board = leaderboard([honest, easier])
    assert len(board.boards) == 2 and "the digest of questions and real answers was" in board.differences[0]
    assert len(leaderboard([honest, planted({"raft": 0.9, "baseline": 0.5}, seed=3)]).boards) == 1
