import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratf.results.exams import Exam
from ratf.statistics.exam import dose_response, examine, paired_auc
from ratf.suite.metrics import LADDERS

Rungs = dict[str, dict[str, float | None]]
CONTENT, PERSON = LADDERS["coverage"], LADDERS["voice"]


def interviews(groups: int, each: int) -> dict[str, str]:
    return {f"{g}-{i}": f"interview {g}" for g in range(groups) for i in range(each)}


def rungs(cluster: dict[str, str], seed: int = 0, icc: float = 0.2, **means: float) -> Rungs:
    """Normal scores around the mean of each control, alike within an interview."""
    draw = np.random.default_rng(seed)
    found: Rungs = {}
    for control, mean in means.items():
        shift = {g: draw.normal(0, icc**0.5) for g in sorted(set(cluster.values()))}
        found[control] = {q: mean + shift[g] + draw.normal(0, (1 - icc) ** 0.5) for q, g in cluster.items()}
    return found


def person(scores: Rungs, cluster: dict[str, str], bar: float = 0.6) -> Exam:
    return examine("m", "identity", PERSON, scores, cluster, bar, reads_real=False)


SEPARATE = {
    "real": 4.0,
    "same_near": 4.0,
    "same_far": 4.0,
    "impostor_near": 0.0,
    "impostor_far": 0.0,
    "boilerplate": 0.1,
}

score = st.one_of(st.none(), st.integers(-3, 3).map(float))
table = st.lists(st.tuples(st.sampled_from("abcd"), score, score, score), min_size=1, max_size=25)


def parts(rows: list[tuple[str, float | None, float | None, float | None]]) -> tuple[Rungs, dict[str, str]]:
    scores: Rungs = {c: {str(i): row[n + 1] for i, row in enumerate(rows)} for n, c in enumerate("xyz")}  # type: ignore[misc]
    return scores, {str(i): row[0] for i, row in enumerate(rows)}


@settings(deadline=None)
@given(table)
def test_sides_swapped_give_one_minus_the_auc(rows: list[tuple[str, float | None, float | None, float | None]]) -> None:
    scores, cluster = parts(rows)
    there, back = paired_auc(scores, "xy", "z", cluster), paired_auc(scores, "z", "xy", cluster)
    assert (there is None) == (back is None)
    if there and back:
        assert there.auc == pytest.approx(1 - back.auc)
        if there.low is not None and there.high is not None and back.low is not None and back.high is not None:
            assert (there.low, there.high) == pytest.approx((1 - back.high, 1 - back.low), abs=1e-6)
            assert 0 <= there.low <= there.auc <= there.high <= 1


@settings(deadline=None)
@given(table, st.randoms())
def test_the_order_of_questions_does_not_matter(
    rows: list[tuple[str, float | None, float | None, float | None]], random: object
) -> None:
    scores, cluster = parts(rows)
    keys = list(cluster)
    random.shuffle(keys)  # type: ignore[attr-defined]
    turned = {c: {q: of[q] for q in keys} for c, of in scores.items()}
    assert paired_auc(turned, "xy", "z", {q: cluster[q] for q in keys}) == paired_auc(scores, "xy", "z", cluster)


@settings(deadline=None)
@given(table)
def test_only_the_order_of_scores_counts(rows: list[tuple[str, float | None, float | None, float | None]]) -> None:
    scores, cluster = parts(rows)
    bent = {c: {q: None if s is None else s**3 + 7 for q, s in of.items()} for c, of in scores.items()}
    assert paired_auc(bent, "xy", "z", cluster) == paired_auc(scores, "xy", "z", cluster)


def test_auc_by_hand() -> None:
    scores: Rungs = {"x": {"1": 2.0, "2": 1.0, "3": 5.0}, "z": {"1": 1.0, "2": 1.0, "3": None}}
    found = paired_auc(scores, "x", "z", {"1": "a", "2": "b", "3": "b"})
    assert found is not None and (found.auc, found.n, found.clusters) == (0.75, 2, 2)


@pytest.mark.parametrize(("groups", "each", "admitted"), [(2, 2, False), (2, 10, False), (6, 6, True), (11, 5, True)])
def test_a_perfect_exam_is_as_good_as_its_number_of_questions(groups: int, each: int, admitted: bool) -> None:
    cluster = interviews(groups, each)
    scores = {c: dict.fromkeys(cluster, m) for c, m in SEPARATE.items()}
    entry = person(scores, cluster)
    assert entry.auc == 1.0 and entry.low is not None and entry.low < 1
    assert entry.admitted is admitted


@pytest.mark.parametrize(("groups", "each"), [(5, 6), (6, 6), (11, 6), (20, 5)])
@pytest.mark.parametrize("auc", [0.5, 0.75, 0.9])
def test_the_interval_holds_its_level(groups: int, each: int, auc: float) -> None:
    from scipy.stats import norm

    cluster, rounds, missed = interviews(groups, each), 300, 0
    for seed in range(rounds):
        scores = rungs(cluster, seed, x=float(norm.ppf(auc)) * 2**0.5, z=0.0)
        found = paired_auc(scores, "x", "z", cluster)
        assert found is not None and found.low is not None
        missed += found.low > auc
    assert missed / rounds < 0.025 + 3 * (0.025 * 0.975 / rounds) ** 0.5


@pytest.mark.parametrize("questions", [(6, 6), (11, 5)])
def test_a_coin_is_hardly_ever_admitted(questions: tuple[int, int]) -> None:
    """At most 5 % of 1,000 simulated exams, two standard errors allowed; also for a coin that knows the interview."""
    cluster, admitted = interviews(*questions), 0
    for seed in range(1000):
        scores = rungs(
            cluster, seed, icc=0.3 * (seed % 2), **dict.fromkeys(("real", "same_near", "impostor_near"), 0.0)
        )
        admitted += person(scores, cluster).admitted
    assert admitted / 1000 <= 0.05 + 2 * (0.05 * 0.95 / 1000) ** 0.5


def test_a_metric_exactly_at_the_bar_is_admitted_as_rarely() -> None:
    from scipy.stats import norm

    cluster, at = interviews(8, 6), float(norm.ppf(0.6)) * 2**0.5
    admitted = sum(
        person(rungs(cluster, seed, real=at, same_near=at, impostor_near=0.0), cluster).admitted for seed in range(400)
    )
    assert admitted / 400 <= 0.05 + 2 * (0.05 * 0.95 / 400) ** 0.5


def test_what_tells_the_person_is_admitted_with_its_reason() -> None:
    cluster = interviews(6, 6)
    entry = person(rungs(cluster, **SEPARATE), cluster)
    assert entry.admitted and entry.auc is not None and entry.auc > 0.95
    assert (entry.n, entry.interviews, entry.unscored) == (36, 6, 0)
    assert "above the bar of 0.6" in entry.reason and "9 of 9 orders hold" in entry.reason


def test_a_violated_order_is_not_admitted_however_good_the_auc() -> None:
    cluster = interviews(6, 6)
    entry = person(rungs(cluster, **{**SEPARATE, "nonanswer": 9.0}), cluster)
    assert entry.auc is not None and entry.auc > 0.95 and not entry.admitted
    assert "it puts nonanswer above real" in entry.reason


@pytest.mark.parametrize("control", ["boilerplate", "nonanswer"])
def test_what_says_nothing_must_be_shown_to_be_below_the_person(control: str) -> None:
    cluster = interviews(6, 6)
    entry = person(rungs(cluster, **{**SEPARATE, control: 4.0}), cluster)
    assert entry.auc is not None and entry.auc > 0.95 and not entry.admitted
    assert f"it is not shown to put real above {control} (AUC 0." in entry.reason
    assert {o.must_show for o in entry.orders if o.lower == control} == {True}


@pytest.mark.parametrize("lower_is_better", [False, True])
def test_what_says_nothing_may_not_reach_the_floor(lower_is_better: bool) -> None:
    """Above all others' answers, though under the person's own: a voice that a trick raises is none."""
    cluster, sign = interviews(6, 6), -1 if lower_is_better else 1

    def sat(mean: float, scored: float = 1) -> Exam:
        scores = rungs(cluster, **{**SEPARATE, "babble": mean})
        unscored = list(cluster)[round(scored * len(cluster)) :]
        scores["babble"].update(dict.fromkeys(unscored))
        turned = {c: {q: s and s * sign for q, s in of.items()} for c, of in scores.items()}
        return examine("m", "identity", PERSON, turned, cluster, 0.6, False, lower_is_better)

    assert "babble, which says nothing, reaches the floor (" in sat(2.0).reason and not sat(2.0).admitted
    assert sat(-1.0).admitted
    assert sat(4.0, scored=0).admitted and sat(4.0, scored=0.03).admitted, "what is refused reaches nothing"


@pytest.mark.parametrize(("way", "admitted"), [(0.04, True), (0.06, False), (0.12, False)])
def test_a_floor_of_no_width_leaves_little_room(way: float, admitted: bool) -> None:
    cluster = interviews(6, 6)
    draw = np.random.default_rng(1)
    flat = {"real": 1.0, "same_near": 1.0, "same_far": 1.0, "impostor_near": 0.0, "impostor_far": 0.0, "babble": way}
    scores = {c: {q: x + 0.001 * draw.random() for q in cluster} for c, x in flat.items()}
    entry = person(scores, cluster)
    assert entry.admitted == admitted, entry.reason
    assert ("babble, which says nothing, reaches the floor (" in entry.reason) != admitted


@pytest.mark.parametrize(("theirs", "admitted"), [(0.2, True), (0.3, False)])
def test_voice_that_takes_strangers_for_the_person_is_refused(theirs: float, admitted: bool) -> None:
    cluster = interviews(6, 6)
    draw = np.random.default_rng(1)
    flat = {"real": 1.0, "same_near": 1.0, "same_far": 1.0, "impostor_near": 0.0, "stranger_near": theirs}
    scores = {c: {q: x + 0.01 * draw.random() for q in cluster} for c, x in flat.items()}
    entry = examine("m", "voice", LADDERS["voice"], scores, cluster, 0.6, reads_real=False)
    assert entry.admitted == admitted and ("are not told apart (at most 0.25)" in entry.reason) != admitted


def test_within_the_floors_own_interval_is_no_reach() -> None:
    cluster = interviews(6, 6)
    floor = {q: 0.0 if int(i) % 2 else 0.4 for n, (q, i) in enumerate(cluster.items()) for i in [n // 6]}
    flat = {"real": 1.0, "same_near": 1.0, "same_far": 1.0, "impostor_far": 0.0, "babble": 0.2 + 0.8 * 0.12}
    scores = {**{c: dict.fromkeys(cluster, x) for c, x in flat.items()}, "impostor_near": floor}
    assert person(scores, cluster).admitted, "the floor's own interval reaches farther than that"


def test_an_order_of_people_that_is_merely_not_shown_is_no_failure() -> None:
    cluster = interviews(6, 6)
    scores = rungs(cluster, same_near=4.0, same_far=-4.0, impostor_near=0.0, impostor_far=4.0)
    entry = examine("m", "content", CONTENT, scores, cluster, 0.6)
    assert entry.admitted, entry.reason
    (order,) = [o for o in entry.orders if (o.higher, o.lower) == ("same_near", "impostor_far")]
    assert order.shows == "not shown" and order.must and not order.must_show


def test_a_models_own_answer_may_be_better() -> None:
    cluster = interviews(6, 6)
    scores = rungs(cluster, same_near=4.0, same_far=0.0, impostor_near=1.0, generic=9.0)
    entry = examine("m", "content", CONTENT, scores, cluster, 0.6)
    assert entry.admitted and any(o.shows == "violated" and o.lower == "generic" and not o.must for o in entry.orders)


def test_the_real_answer_proves_nothing_where_it_is_compared_with_itself() -> None:
    cluster = interviews(6, 6)
    scores = rungs(cluster, real=9.0, same_near=0.0, same_far=0.0, impostor_near=0.0)
    assert person(scores, cluster).admitted
    reading = examine("m", "style", PERSON, scores, cluster, 0.6, reads_real=True)
    assert not reading.admitted and all("real" not in (o.higher, o.lower) for o in reading.orders)


def test_where_lower_is_better_everything_turns() -> None:
    cluster = interviews(6, 6)
    scores = rungs(cluster, same_near=-4.0, same_far=0.0, impostor_near=-1.0)
    assert examine("m", "content", CONTENT, scores, cluster, 0.6, lower_is_better=True).admitted
    assert not examine("m", "content", CONTENT, scores, cluster, 0.6).admitted


@pytest.mark.parametrize(
    ("scores", "cluster", "says"),
    [
        ({}, interviews(6, 6), "none of the person's own answers"),
        (rungs(interviews(6, 6), real=4.0), interviews(6, 6), "none of another person's answers"),
        ({"real": dict.fromkeys(interviews(6, 6)), "impostor_near": {}}, interviews(6, 6), "no question has scores"),
        (rungs(interviews(1, 20), real=4.0, impostor_near=0.0), interviews(1, 20), "a single interview"),
        (rungs(interviews(6, 6), real=4.0, impostor_near=0.0), {}, "no question has scores"),
    ],
)
def test_what_cannot_be_examined_is_not_admitted(scores: Rungs, cluster: dict[str, str], says: str) -> None:
    entry = person(scores, cluster)
    assert not entry.admitted and entry.reason.startswith("not examined: ") and says in entry.reason
    assert entry.low is None


def test_what_leaves_a_third_unscored_is_not_admitted() -> None:
    cluster = interviews(6, 6)
    scores = rungs(cluster, **SEPARATE)
    for of in scores.values():
        of.update(dict.fromkeys(list(of)[::3]))
    entry = person(scores, cluster)
    assert not entry.admitted and "60 of 180 exam answers could not be scored" in entry.reason


def test_the_dose_shows_in_the_response() -> None:
    cluster = interviews(6, 6)
    falling = rungs(cluster, real=8.0, mix_25=6.0, mix_50=4.0, mix_75=2.0, impostor_near=0.0)
    dose = dose_response(falling, cluster)
    assert dose is not None and dose.monotone and dose.n == 36
    assert dose.low is not None and dose.high is not None and dose.low < -8.0 < dose.high < 0
    flat = dose_response(rungs(cluster, **dict.fromkeys(falling, 0.0)), cluster)
    assert flat is not None and flat.low is not None and flat.high is not None and flat.low < 0 < flat.high
    assert dose_response({**falling, "mix_50": {}}, cluster) is None
