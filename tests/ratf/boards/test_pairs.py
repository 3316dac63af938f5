"""The board says what the runs' reports say: who is nearer by paired differences, and why a table or a class is not there."""

import pytest
from boards import planted
from invented import invented, other_judge

from ratf.boards.leaderboard import leaderboard
from ratf.boards.pairs import ahead, by_pairs, no_overall, told_apart
from ratf.boards.site import site
from ratf.boards.standing import ends, number
from ratf.pages.text import beyond
from ratf.results.results import Results

CLOSE = {"raft": 0.62, "rag_only": 0.55, "baseline": 0.1}


def separated(run: Results, a: str, b: str, shift: float) -> Results:
    """The same run with the paired difference of two arms as wide as it was, around another middle."""
    found = [
        c.model_copy(update={"difference": shift, "low": shift - 0.02, "high": shift + 0.02})
        if (c.a, c.b) == (a, b)
        else c
        for c in run.comparisons
    ]
    assert found != run.comparisons
    return run.model_copy(update={"comparisons": found})


def test_an_arm_that_a_report_sees_ahead_is_alone_the_nearest() -> None:
    apart = leaderboard([separated(planted(CLOSE), "raft", "rag_only", 0.05)])
    open_ = leaderboard([separated(planted(CLOSE), "raft", "rag_only", 0.01)])
    (near, far) = (board.boards[0].tables[0] for board in (apart, open_))
    assert [(r.system, r.placed) for r in near.rows] == [(r.system, r.placed) for r in far.rows]
    assert ahead(near, apart) == (
        "Nearest to the person: raft. Paired differences on the same questions show it, where classes overlap."
    )
    assert ahead(far, open_) in (
        "Nearest to the person, not told apart: raft and rag_only.",
        "Nearest to the person, not told apart: rag_only and raft.",
    )
    assert "paired differences on the same questions tell 1 more" in told_apart(near, apart)
    assert "paired" not in told_apart(far, open_)
    assert "Nearest to the person: raft." in site(apart)["index.html"].decode()


@pytest.mark.parametrize("shift", [-0.05, 0.0, 0.05])
def test_board_and_report_read_every_pair_alike(shift: float) -> None:
    run = separated(planted(CLOSE), "raft", "rag_only", shift)
    board = leaderboard([run])
    table = board.boards[0].tables[0]
    arm = {s.id: s.arm for s in board.systems.values()}
    told = {(arm[a], arm[b]) for a, b in by_pairs(table, board)}
    mine = [c for c in run.comparisons if c.metric == table.metric and {c.a, c.b} <= set(CLOSE)]
    reads = {(c.a, c.b) if beyond(c) == "more" else (c.b, c.a) for c in mine if beyond(c) in ("more", "less")}
    assert told == reads


def test_where_lower_is_better_the_lower_arm_is_nearer() -> None:
    run = separated(planted(CLOSE), "raft", "rag_only", 0.05)
    facts = {m: {**about, "better": "lower"} for m, about in run.metrics.items()}
    board = leaderboard([run.model_copy(update={"metrics": facts})])
    arm = {s.id: s.arm for s in board.systems.values()}
    assert ("rag_only", "raft") in {(arm[a], arm[b]) for a, b in by_pairs(board.boards[0].tables[0], board)}


def test_runs_that_say_different_things_separate_nothing() -> None:
    one, other = (separated(planted(CLOSE, seed), "raft", "rag_only", shift) for seed, shift in ((1, 0.05), (2, -0.05)))
    for several, found in (([one, other], False), ([one], True)):
        board = leaderboard(several)
        arm = {s.id: s.arm for s in board.systems.values()}
        pairs = {frozenset((arm[a], arm[b])) for a, b in by_pairs(board.boards[0].tables[0], board)}
        assert (frozenset(("raft", "rag_only")) in pairs) == found


def test_two_persons_give_no_classes_but_a_sentence() -> None:
    people = [planted(CLOSE, i, person=person) for i, person in enumerate(("marrack", "pell", "rudge"))]
    two, three = leaderboard(people[:2]), leaderboard(people)
    (over,) = two.overall
    assert {(r.placed, r.low, r.high) for r in over.table.rows} == {("", None, None)}
    assert told_apart(over.table, two, over.persons) == (
        "No classes here: Marrack and Pell are too few to say how the systems do on others. The table of each person has classes."
    )
    page = site(two)["index.html"].decode()
    assert "Marrack and Pell are too few" in page and "too few" not in site(three)["index.html"].decode()
    assert any(r.low is not None for o in three.overall for r in o.table.rows)


def test_a_table_over_persons_that_is_missing_says_why() -> None:
    other = planted({"ours": 0.5}, 1, person="pell")
    apart = leaderboard([planted({"raft": 0.5}), other])
    assert no_overall(apart) == "There is no table over the persons, because no system was run on two of them."
    judged = leaderboard([invented(2), other_judge(invented(2, "pell"))])
    assert no_overall(judged) == "There is no table over the persons, because their runs were not measured alike."
    assert no_overall(judged) in site(judged)["index.html"].decode()
    (said,) = judged.differences
    assert (
        "is a table of its own, because not all was measured as on board" in said and "the judge was openai/g" in said
    )
    assert no_overall(leaderboard([planted({"raft": 0.5})])) == ""


def test_an_interval_of_means_does_not_end_where_no_score_can_be() -> None:
    run = invented(2)
    cell = run.arms["raft"].metrics["judge_stance"].model_copy(update={"mean": 0.99, "low": 0.953, "high": 1.027})
    raft = run.arms["raft"].model_copy(update={"metrics": {**run.arms["raft"].metrics, "judge_stance": cell}})
    page = site(leaderboard([run.model_copy(update={"arms": {**run.arms, "raft": raft}})]))["index.html"].decode()
    assert "≥ 0.95" in page and "1.03" not in page


def test_no_zero_of_a_board_is_below_zero() -> None:
    (row, *_) = leaderboard([planted(CLOSE)]).boards[0].tables[0].rows
    near = row.model_copy(update={"score": -0.001, "low": -0.14, "high": -0.0004})
    assert (number(near), ends(near)) == ("0.00", "−0.14 to 0.00")
