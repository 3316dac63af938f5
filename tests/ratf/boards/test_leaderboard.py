"""Which runs stand together, how systems are put in classes, and how often the board errs."""

from itertools import combinations
from typing import Any

import pytest
from boards import planted
from hypothesis import given, settings
from hypothesis import strategies as st

from ratf.boards.entry import slug, systems_of
from ratf.boards.leaderboard import leaderboard
from ratf.boards.standing import LINES, Leaderboard, Standing, apart, placed, span
from ratf.results.comparable import run_digest
from ratf.results.results import Results, Spent

ARMS = {"raft": 0.6, "baseline": 0.1}


def rows(board: Leaderboard) -> dict[tuple[str, str, str], Standing]:
    return {(b.id, t.metric, r.system): r for b in board.boards for t in b.tables for r in t.rows}


def within(told: str, skill: float) -> bool:
    """Whether one of the classes that are told holds a true skill; a skill on a line is in both classes beside it.

    Above the ceiling there is no class, which holds no skill."""
    if not told:
        return False
    worst, best = span(told)
    lowest, highest = sum(line < skill for line in LINES), sum(line <= skill for line in LINES)
    return worst <= highest and lowest <= best


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [(0.34, 0.41, "D"), (0.2, 0.6, "C to E+"), (-0.4, -0.1, "F"), (1.1, 1.4, ""), (0.95, 1.4, "A to B+"), (-0.1, 1.2, "A to F"),
     (0.25, 0.5, "C- to E+"), (0.92, 0.99, "B+"), (0.01, 0.02, "E-"), (None, None, "")],
)  # fmt: skip
def test_a_class_is_what_an_interval_leaves_open(low: float | None, high: float | None, told: str) -> None:
    assert placed(low, high) == told


def test_systems_are_apart_only_where_their_classes_have_none_in_common() -> None:
    assert apart("B", "D") and apart("D to E+", "A to C-") and apart("A to C-", "D+") and apart("B+", "B")
    assert not apart("B to D-", "D") and not apart("C", "C") and not apart("A to F", "B") and not apart("", "A")


def halved(row: Standing) -> tuple[float, float]:
    assert row.low is not None and row.high is not None
    quarter = (row.high - row.low) / 4
    return row.low + quarter, row.high - quarter


@pytest.mark.parametrize("skills", [(0.1, 0.375, 0.625, 0.9), (0.0, 0.25, 0.5, 0.75)])
def test_equally_good_systems_are_told_apart_within_the_stated_error(skills: tuple[float, ...]) -> None:
    """Twelve systems in four true classes, 200 boards; once with every class exactly on a line, the worst case.

    The same boards with intervals half as wide err too often: the simulation would see a board that claims too much.
    """
    truth = {f"s{i:02d}": skills[i // 3] for i in range(12)}
    wrong = missed = boards = found = pairs = different = bold = 0
    for seed in range(200):
        made = leaderboard([planted(truth, seed=seed, world=1000 + seed)])
        rows = {made.systems[r.system].arm: r for r in made.boards[0].tables[0].rows}
        told = {s: r.placed for s, r in rows.items()}
        half = {s: placed(*halved(r)) for s, r in rows.items()}
        bold += any(apart(half[a], half[b]) for a, b in combinations(truth, 2) if truth[a] == truth[b])
        missed += sum(not within(told[s], truth[s]) for s in truth)
        alike = [apart(told[a], told[b]) for a, b in combinations(truth, 2) if truth[a] == truth[b]]
        wrong, pairs, boards = wrong + sum(alike), pairs + len(alike), boards + any(alike)
        different += sum(truth[a] != truth[b] for a, b in combinations(truth, 2))
        found += sum(apart(told[a], told[b]) for a, b in combinations(truth, 2) if truth[a] != truth[b])
    assert wrong / pairs <= 0.001 and boards / 200 <= 0.05 < bold / 200
    assert missed / (200 * 12) <= 0.05
    assert found / different > 0.4


@settings(max_examples=25, deadline=None)
@given(
    skills=st.lists(st.floats(-0.5, 1.5), min_size=1, max_size=5),
    more=st.lists(st.floats(-3, 3), min_size=1, max_size=3),
    seed=st.integers(0, 2**20),
)
def test_more_systems_move_nobodys_score_or_class(skills: list[float], more: list[float], seed: int) -> None:
    before = [
        planted({"raft": s}, seed=seed + i, model=f"local/m{i}", person="ab"[i % 2]) for i, s in enumerate(skills)
    ]
    added = [planted({"raft": s, "rag_only": s}, seed=seed + 99 + i, model=f"local/n{i}") for i, s in enumerate(more)]
    added += [planted({"raft": more[0]}, seed=seed + 55, model="local/n0", person=p) for p in "abc"]
    old, new = leaderboard(before), leaderboard([*added, *before])
    assert rows(old).items() <= rows(new).items()
    overall = [(tuple(o.persons), r) for o in old.overall for r in o.table.rows]
    assert all(one in [(tuple(o.persons), r) for o in new.overall for r in o.table.rows] for one in overall)


def test_order_and_repetition_of_runs_change_nothing() -> None:
    runs = [planted(ARMS, seed=s, model=f"local/m{s % 2}") for s in range(4)]
    assert leaderboard(runs) == leaderboard([*reversed(runs), runs[0]])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"data_digest": "other"}, "the data's digest was"),
        ({"prompts_digest": "other"}, "the prompts' digest was"),
        (
            {"settings": {"models": {"base": "local/b", "embedder": "local/e", "grader": "openai/other"}}},
            "the judge was",
        ),
        ({"settings": {"split": {"questions": 9}}}, "split.questions was"),
        ({"settings": {"answers": {"history": "free_running"}}}, "answers.history was"),
        ({"settings": {"a_setting_of_tomorrow": 1}}, "a_setting_of_tomorrow was null and is 1"),
        ({"environment": {"ratf": "9"}}, "version of ratf was"),
        ({"metrics": ("style_identity", "rouge_l")}, "other metrics (rouge_l)"),
    ],
)
def test_what_did_not_measure_the_same_is_on_another_board(change: dict[str, object], said: str) -> None:
    made = leaderboard([planted(ARMS), planted(ARMS, **change)])  # type: ignore[arg-type]
    assert len(made.boards) == 2 and len(made.differences) == 1
    words = {said, said.replace("null and is 1", "1 and is null")}
    assert any(w in made.differences[0] for w in words)


def test_another_persons_board_needs_no_reason_but_its_other_settings() -> None:
    other: dict[str, Any] = {"person": "pell", "impostors": ["marrack"]}
    assert leaderboard([planted(ARMS), planted(ARMS, person="pell", settings=other)]).differences == []
    made = leaderboard([planted(ARMS), planted(ARMS, person="pell", settings={**other, "split": {"questions": 9}})])
    (said,) = made.differences
    assert "split.questions was" in said and "person was" not in said and "impostors" not in said


def test_models_training_memories_and_seeds_share_a_board() -> None:
    settings = {"training": {"rank": 8}, "memories": {"k": 5}, "answers": {"temperature": 0.1}}
    made = leaderboard([planted(ARMS), planted(ARMS, seed=3, model="openai/x"), planted(ARMS, settings=settings)])
    assert len(made.boards) == 1 and made.differences == []


def test_settings_that_an_arm_does_not_use_do_not_tell_it_from_another() -> None:
    made = leaderboard([planted(ARMS), planted(ARMS, seed=1, settings={"training": {"rank": 8}})])
    assert sorted(s.arm for s in made.systems.values()) == ["baseline", "raft", "raft"]
    (row,) = (r for r in made.boards[0].tables[0].rows if made.systems[r.system].arm == "baseline")
    assert len(row.runs) == 2


def test_how_often_a_system_was_asked_makes_no_other_system() -> None:
    made = leaderboard([planted(ARMS), planted(ARMS, seed=1, settings={"answers": {"samples": 3}})])
    assert sorted(s.arm for s in made.systems.values()) == ["baseline", "raft"]


def test_runs_of_one_system_are_one_row_and_a_lucky_seed_does_not_help() -> None:
    runs = [planted({"raft": 0.5}, seed=s) for s in range(3)]
    (row,) = leaderboard(runs).boards[0].tables[0].rows
    alone = [leaderboard([r]).boards[0].tables[0].rows[0] for r in runs]
    assert row.score == pytest.approx(sum(a.score or 0 for a in alone) / 3)
    assert row.low is not None and row.high is not None
    assert row.high - row.low == pytest.approx(sum((a.high or 0) - (a.low or 0) for a in alone) / 3)
    assert row.placed == placed(row.low, row.high) and len(row.runs) == 3


def test_runs_that_disagree_leave_open_what_any_of_them_does() -> None:
    good, bad = planted({"raft": 0.95}, seed=1), planted({"raft": 0.05}, seed=2)
    (row,) = leaderboard([good, bad]).boards[0].tables[0].rows
    alone = [leaderboard([r]).boards[0].tables[0].rows[0] for r in (good, bad)]
    assert row.disagree and not any(a.disagree for a in alone)
    assert (row.low, row.high) == (alone[1].low, alone[0].high) and row.placed == placed(row.low, row.high)


def test_a_metric_that_failed_its_exam_gives_means_and_no_class() -> None:
    table = leaderboard([planted(ARMS, admitted=())]).boards[0].tables[0]
    assert {(r.scale, r.placed, r.admitted, r.reason) for r in table.rows} == {
        ("mean", "", False, "the metric is not admitted")
    }
    assert table.rows[0].score == table.rows[0].mean and table.rows[0].why_not


def test_results_without_exam_and_skill_are_read_too() -> None:
    plain = planted(ARMS).model_copy(update={"exam": [], "skill": [], "budget": None})
    made = leaderboard([plain])
    (row, _) = made.boards[0].tables[0].rows
    assert (row.scale, row.placed, row.admitted, made.runs[0].usd) == ("mean", "", None, None)


def test_over_persons_the_interval_is_over_persons() -> None:
    runs = [planted(ARMS, seed=i, person=p, world=i) for i, p in enumerate("abc")]
    alone = planted({"rag_only": 0.5}, person="a", world=0)
    made = leaderboard([*runs, alone])
    (over,) = made.overall
    assert over.persons == ["a", "b", "c"] and len(over.table.rows) == 2
    row = over.table.rows[0]
    several = [r.score or 0 for b in made.boards for r in b.tables[0].rows if r.system == row.system]
    assert row.score == pytest.approx(sum(several) / 3) and row.n == 72
    import scipy.stats

    low, high = scipy.stats.t.interval(0.95, 2, row.score, scipy.stats.sem(several))
    assert (row.low, row.high) == (pytest.approx(low), pytest.approx(high))


def test_a_person_with_two_kinds_of_data_is_in_no_mean_over_persons() -> None:
    runs: list[Results] = [planted(ARMS, person=p) for p in "ab"]
    assert leaderboard(runs).overall
    assert not leaderboard([*runs, planted(ARMS, person="a", data_digest="other")]).overall


def test_verified_runs_are_marked_by_the_digest_of_their_results() -> None:
    run, other = planted(ARMS), planted(ARMS, seed=1)
    made = leaderboard([run, other], {run_digest(run): ["style_identity"]})
    assert [r.verified for r in made.runs] == [r.results == run_digest(run) for r in made.runs]
    assert {r.verified for r in made.boards[0].tables[0].rows} == {1}


def test_a_row_is_verified_only_where_its_own_metric_was_worked_out_and_a_judges_never() -> None:
    run = planted(ARMS, metrics=("style_identity", "rouge_l", "judge_stance"))
    made = leaderboard([run], {run_digest(run): ["style_identity", "judge_stance"]})
    told = {t.metric: {r.verified for r in t.rows} for t in made.boards[0].tables}
    assert told == {"style_identity": {1}, "rouge_l": {0}, "judge_stance": {0}} and made.runs[0].verified


def test_a_strangers_bad_run_is_beside_a_verified_row_and_moves_nothing() -> None:
    good, bad = planted({"raft": 0.9}, seed=1), planted({"raft": 0.0}, seed=2)
    verified = {run_digest(good): ["style_identity"]}
    (alone,) = leaderboard([good], verified).boards[0].tables[0].rows
    (row,) = leaderboard([good, bad], verified).boards[0].tables[0].rows
    assert row == alone.model_copy(update={"not_counted": [run_digest(bad)[:12]]}) and not row.disagree
    (row,) = leaderboard([good, bad]).boards[0].tables[0].rows
    assert row.disagree and row.not_counted == [] and len(row.runs) == 2


def test_the_same_answers_again_count_once() -> None:
    first, other = planted({"raft": 0.6}, seed=1), planted({"raft": 0.5}, seed=2)
    again = first.model_copy(update={"times": {"finished": "2027-01-01 09:00 UTC"}})
    (without,) = leaderboard([first, other]).boards[0].tables[0].rows
    (row,) = leaderboard([first, other, again]).boards[0].tables[0].rows
    assert (row.score, row.low, row.high, row.alike, len(row.runs)) == (without.score, without.low, without.high, 1, 3)


def test_replies_that_were_kept_are_no_cost() -> None:
    none = planted(ARMS).model_copy(update={"budget": Spent(usd=0.0, tokens=0, minutes=3.0)})
    local = planted(ARMS).model_copy(update={"budget": Spent(usd=0.0, tokens=9)})
    told = {(r.usd, r.tokens, r.kept) for r in leaderboard([none, local]).runs}
    assert told == {(None, None, True), (0.0, 9, False)}


def test_no_path_comes_out_of_a_name() -> None:
    assert slug("../../etc/passwd") == "etc-passwd" and slug("…") == "x"


def test_an_agent_whose_arguments_name_the_person_is_one_system_of_all_people() -> None:
    runs = [
        planted({"clone": 0.4}, person=person, settings={"own": [{"name": "clone", "solver": "c.py@c", "args": {"person": at}}]})
        for person, at in (("marrack", "../marrack"), ("pell", "../pell"), ("rudge", "../marrack"))
    ]  # fmt: skip
    marrack, pell, other = (systems_of(run)["clone"] for run in runs)
    assert marrack == pell and marrack.settings["agent.args.person"] == "../{person}"
    assert other.id != marrack.id, "an agent that answers with another person's words is another system"
