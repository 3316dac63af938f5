import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ratf.results import EXIT_CODES, Contrast
from ratf.statistics import clustered_auc, clustered_mean, holm, paired_difference
from ratf.verdict import judge_contrast

finite = st.floats(-100, 100, allow_nan=False, width=32)
table = st.lists(st.tuples(st.sampled_from("abcd"), finite, finite), min_size=2, max_size=30)


@settings(deadline=None)
@given(table)
def test_a_difference_turned_round_is_its_negative(rows: list[tuple[str, float, float]]) -> None:
    a = {str(i): x for i, (_, x, _) in enumerate(rows)}
    b = {str(i): y for i, (_, _, y) in enumerate(rows)}
    cluster = {str(i): c for i, (c, _, _) in enumerate(rows)}
    there, back = paired_difference(a, b, cluster), paired_difference(b, a, cluster)
    assert there is not None and back is not None
    assert there.mean == pytest.approx(-back.mean, abs=1e-9)
    if there.low is not None and back.high is not None:
        assert there.low == pytest.approx(-back.high, abs=1e-6)


@settings(deadline=None)
@given(table, st.randoms())
def test_the_order_of_questions_does_not_matter(rows: list[tuple[str, float, float]], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one = clustered_mean([x for _, x, _ in rows], [c for c, _, _ in rows])
    assert one == clustered_mean([x for _, x, _ in shuffled], [c for c, _, _ in shuffled])


def test_equal_interviews_give_the_t_interval_of_their_means() -> None:
    values = np.random.default_rng(1).normal(size=(5, 4))
    found = clustered_mean(values.ravel(), [g for g in "abcde" for _ in range(4)])
    known = stats.ttest_1samp(values.mean(axis=1), 0)
    assert found is not None
    assert (found.low, found.high) == pytest.approx(tuple(known.confidence_interval(0.95)))
    assert found.p == pytest.approx(known.pvalue)


def test_one_interview_has_no_interval_and_nothing_has_no_mean() -> None:
    one = clustered_mean([1.0, 2.0], ["a", "a"])
    assert one is not None and (one.mean, one.low, one.p, one.detectable, one.clusters) == (1.5, None, None, None, 1)
    assert clustered_mean([], []) is None
    with pytest.raises(ValueError, match="unscored"):
        clustered_mean([float("nan")], ["a"])


def test_intervals_cover_what_they_say() -> None:
    """95 % intervals over 6 interviews of 10 questions at an intraclass correlation of .2, no true difference."""
    random, covered, rounds = np.random.default_rng(0), 0, 1000
    clusters = [str(g) for g in range(6) for _ in range(10)]
    for _ in range(rounds):
        x = np.repeat(random.normal(0, 0.2**0.5, 6), 10) + random.normal(0, 0.8**0.5, 60)
        found = clustered_mean(x, clusters)
        assert found is not None and found.low is not None and found.high is not None
        covered += found.low <= 0 <= found.high
    assert abs(covered / rounds - 0.95) < 2 * (0.05 * 0.95 / rounds) ** 0.5 + 0.005


def test_holm_by_hand() -> None:
    assert holm([0.01, None, 0.04, 0.03]) == [pytest.approx(0.03), None, pytest.approx(0.06), pytest.approx(0.06)]


def contrast(low: float | None, high: float | None, difference: float | None = 0.1) -> Contrast:
    return Contrast(
        metric="m", family="style", a="raft", b="baseline", difference=difference, low=low, high=high, p=0.1, p_holm=0.1,
        smallest_detectable=0.2, n_questions=9, n_interviews=3,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("found", "lower", "trouble", "verdict", "code"),
    [
        (contrast(0.05, 0.2), False, [], "PASS", 0),
        (contrast(-0.2, -0.05), False, [], "REGRESSION", 1),
        (contrast(0.05, 0.2), True, [], "REGRESSION", 1),
        (contrast(-0.1, 0.2), False, [], "INCONCLUSIVE", 2),
        (contrast(0.05, 0.2), False, ["raft answered 0 of 9 questions"], "NOT MEASURED", 2),
        (contrast(None, None), False, [], "NOT MEASURED", 2),
        (contrast(None, None, None), False, [], "NOT MEASURED", 2),
        (None, False, [], "NOT MEASURED", 2),
    ],
)
def test_verdicts(found: Contrast | None, lower: bool, trouble: list[str], verdict: str, code: int) -> None:
    word, sentence = judge_contrast(found, lower, trouble)
    assert word == verdict and EXIT_CODES[word] == code and sentence


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans(), st.sampled_from("abcd")), max_size=40))
def test_the_auc_is_the_share_of_pairs_in_order(items: list[tuple[int, bool, str]]) -> None:
    scores, labels, clusters = [float(s) for s, _, _ in items], [p for _, p, _ in items], [c for _, _, c in items]
    found = clustered_auc(scores, labels, clusters)
    if len(set(labels)) < 2:
        assert found is None
        return
    from sklearn.metrics import roc_auc_score

    assert found is not None and found.mean == pytest.approx(roc_auc_score(labels, scores))
    assert (found.low is None) == (len(set(clusters)) < 2)
    if found.low is not None and found.high is not None:
        assert 0 <= found.low <= found.mean + 1e-9 and found.mean - 1e-9 <= found.high <= 1
    turned = clustered_auc([-s for s in scores], labels, clusters)
    assert turned is not None and turned.mean == pytest.approx(1 - found.mean)


def test_the_aucs_interval_holds_the_truth_though_interviews_differ() -> None:
    """Scores share a part within an interview: an interval over items would hold the truth far less often."""
    random, held = np.random.default_rng(5), 0
    clusters = [str(g) for g in range(10) for _ in range(12)]
    for _ in range(400):
        labels = random.random(120) < np.repeat(random.beta(2, 2, 10), 12)
        scores = np.repeat(random.normal(size=10), 12) + random.normal(size=120)  # tells nothing: the truth is 0.5
        found = clustered_auc(scores.tolist(), labels.tolist(), clusters)
        held += (
            found is not None and found.low is not None and found.high is not None and found.low <= 0.5 <= found.high
        )
    assert 0.90 <= held / 400 <= 0.99
