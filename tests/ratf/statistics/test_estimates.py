import importlib.util
import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import REPOSITORY
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as sm_mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import DescrStatsW

from ratf.results.results import EXIT_CODES, Contrast, Scored
from ratf.statistics.contrasts import contrasts
from ratf.statistics.estimates import (
    clustered_auc,
    clustered_mean,
    clustered_means,
    equivalence,
    exact_tests,
    holm,
    mcnemar,
    non_inferiority,
    paired_difference,
    paired_differences,
    sign_flips,
    units,
)
from ratf.statistics.verdict import judge_contrast
from ratf.suite.arms import CONTRASTS

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


def cr2_by_matrices(x: Any, design: Any, contrast: Any, clusters: list[str], working: Any) -> tuple[float, float]:
    """Variance and degrees of freedom of a contrast of least squares, as Pustejovsky & Tipton (2018) write them.

    The adjustment takes the questions as independent and alike; `working` are the variances that the degrees assume.
    """
    bread = np.linalg.inv(design.T @ design)
    left = np.eye(len(x)) - design @ bread @ design.T
    residuals = left @ x
    variance, vectors = 0.0, []
    for g in sorted(set(clusters)):
        at = np.flatnonzero(np.array(clusters) == g)
        values, basis = np.linalg.eigh(left[np.ix_(at, at)])
        roots = np.array([v**-0.5 if v > 1e-9 else 0.0 for v in values])
        weights = (basis * roots) @ basis.T @ design[at] @ bread @ contrast
        variance += float(weights @ residuals[at]) ** 2
        vectors.append(left[:, at] @ weights)
    v = np.array(vectors).T
    products = v.T @ (working[:, None] * v)
    return variance, float(np.trace(products) ** 2 / (products**2).sum())


uneven = st.lists(st.integers(1, 25), min_size=2, max_size=9)


@settings(deadline=None, max_examples=40)
@given(uneven, st.integers(0, 2**20))
def test_unequal_interviews_give_cr2_and_its_degrees_of_freedom(sizes: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    clusters = [str(g) for g, size in enumerate(sizes) for _ in range(size)]
    x = random.normal(size=len(clusters)) + 3 * (np.array(clusters) == "0")
    found = clustered_mean(x, clusters)
    variance, freedom = cr2_by_matrices(x, np.ones((len(x), 1)), np.ones(1), clusters, np.ones(len(x)))
    assert found is not None and found.error is not None
    assert found.error**2 == pytest.approx(variance) and found.freedom == pytest.approx(freedom)
    assert found.low == pytest.approx(found.mean - stats.t.ppf(0.975, freedom) * variance**0.5)
    assert 1 - 1e-9 <= freedom <= len(sizes) - 1 + 1e-9


@settings(deadline=None, max_examples=40)
@given(uneven, st.integers(0, 2**20))
def test_the_auc_has_cr2_over_two_groups(sizes: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    clusters = [str(g) for g, size in enumerate(sizes) for _ in range(size)]
    labels, scores = random.random(len(clusters)) < 0.5, random.normal(size=len(clusters)).round(1)
    found = clustered_auc(list(scores), list(labels), clusters)
    if found is None or found.error is None:
        return
    wins = np.sign(scores[labels][:, None] - scores[~labels][None, :]) / 2 + 0.5
    placement = np.empty(len(scores))
    placement[labels], placement[~labels] = wins.mean(axis=1), wins.mean(axis=0)
    design = np.column_stack([labels, ~labels]).astype(float)
    working = np.where(labels, placement[labels].var(), placement[~labels].var())
    variance, freedom = cr2_by_matrices(placement, design, np.ones(2), clusters, working)
    assert found.error**2 == pytest.approx(variance, abs=1e-12)
    if working.any() and freedom == freedom:
        assert found.freedom == pytest.approx(freedom)


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


def test_a_row_is_worked_out_by_itself_to_the_last_digit() -> None:
    """Another row, however many, changes nothing of a row."""
    random = np.random.default_rng(3)
    table = np.where(random.random((30, 50)) < 0.1, np.nan, random.normal(size=(30, 50)))
    clusters = [f"i{n % 7}" for n in range(50)]
    together = clustered_means(table, clusters)
    assert together == [clustered_means(table[[i]], clusters)[0] for i in range(30)]
    assert clustered_means(table[:3], clusters) == together[:3]


def test_each_pair_has_the_exact_test_of_its_own_scores() -> None:
    """Binary scores among others, and a pair without any, get what they would get alone."""
    table = [[0.0, 1.0, 1.0, 0.0], [1.0, 1.0, 1.0, 1.0], [0.5, 0.1, 0.2, 0.9], [np.nan] * 4]
    binary, mixed, none = exact_tests(table, [(0, 1), (1, 2), (0, 3)], list("aabb"))
    assert binary == exact_tests(table[:2], [(0, 1)], list("aabb"))[0] and binary and binary.test == "McNemar"
    assert mixed and mixed.test == "sign-flip of 2 clusters" and none is None


@settings(deadline=None, max_examples=30)
@given(st.data())
def test_a_fifth_arm_changes_no_score_and_no_interval(data: st.DataObject) -> None:
    """Through the run's own table of comparisons; only Holm's p may move, and only where the arm is declared."""
    n = data.draw(st.integers(2, 20))
    cluster = {f"q{i:02d}": f"i{i % 4}" for i in range(n)}
    value = st.one_of(st.none(), finite)
    arms = {
        arm: {"style_identity": {q: Scored(value=data.draw(value)) for q in cluster}}
        for arm in ("raft", "baseline", "rag_only", "finetune_only", "fifth")
    }
    four = {arm: s for arm, s in arms.items() if arm != "fifth"}
    before = contrasts(four, CONTRASTS, cluster)
    assert contrasts(arms, CONTRASTS, cluster) == before
    declared = contrasts(arms, [*CONTRASTS, ("fifth", "baseline")], cluster)
    assert [c.model_copy(update={"p_holm": None}) for c in declared if c.a != "fifth"] == [
        c.model_copy(update={"p_holm": None}) for c in before
    ]
    assert all((c.p_holm or 1) >= (b.p_holm or 0) for c, b in zip(declared, before, strict=False))


def test_missing_scores_leave_pair_by_pair() -> None:
    table = [[1.0, 2.0, np.nan, 4.0], [0.5, np.nan, 1.0, 1.0], [np.nan] * 4]
    one, two, none = paired_differences(table, [(0, 1), (1, 0), (0, 2)], ["a", "a", "b", "b"])
    assert one is not None and two is not None and none is None
    assert (one.mean, one.n, one.clusters) == (1.75, 2, 2) and two.mean == -1.75
    assert one == paired_difference({"w": 1, "x": 2, "z": 4}, {"w": 0.5, "y": 1, "z": 1}, {"w": "a", "z": "b"})


def test_holm_agrees_with_statsmodels() -> None:
    random = np.random.default_rng(0)
    for size in range(1, 12):
        p = random.uniform(0, 0.2, size)
        assert holm(list(p)) == pytest.approx(list(multipletests(p, method="holm")[1]))


@pytest.mark.parametrize(("more", "less"), [(0, 0), (5, 0), (0, 6), (7, 3), (10, 10)])
def test_mcnemar_agrees_with_statsmodels(more: int, less: int) -> None:
    known = sm_mcnemar([[3, more], [less, 4]], exact=True).pvalue if more + less else 1.0
    assert mcnemar(more, less).p == pytest.approx(known)
    assert mcnemar(more, less).smallest == pytest.approx(min(1, 2 * 0.5 ** (more + less)))


def test_sign_flips_agree_with_scipy_and_say_what_they_can_reach() -> None:
    random = np.random.default_rng(5)
    differences = random.normal(0.3, 1, (4, 9))
    found = sign_flips(differences, list("abcdefghi"))
    for row, exact in zip(differences, found, strict=True):
        known = stats.permutation_test((row,), np.sum, permutation_type="samples", n_resamples=np.inf).pvalue
        assert exact is not None and exact.p == pytest.approx(known) and exact.smallest == 2 / 2**9
    (five,) = sign_flips([[1.0] * 10], [c for c in "abcde" for _ in range(2)])
    assert five is not None and five.p == five.smallest == 2 / 2**5, "flipped by interview, not by question"
    assert sign_flips([[1.0] * 15], [str(i) for i in range(15)]) == [None]


def test_scores_of_0_and_1_get_mcnemar_and_others_sign_flips() -> None:
    clusters = list("aabbcc")
    binary, other = [[1, 1, 1, 1, 1, 0], [0, 0, 0, 0, 0, 1]], [[1, 1, 1, 1, 1, 0.5], [0, 0, 0, 0, 0, 1]]
    assert [e.test for e in exact_tests(binary, [(0, 1)], clusters) if e] == ["McNemar"]
    assert [e.test for e in exact_tests(other, [(0, 1)], clusters) if e] == ["sign-flip of 3 clusters"]


def test_equivalence_agrees_with_statsmodels() -> None:
    x = np.random.default_rng(2).normal(0.02, 0.1, 40)
    found = clustered_mean(x, [str(i) for i in range(40)])
    assert found is not None
    for margin in (0.02, 0.05, 0.1):
        claim = equivalence(found, margin)
        known = DescrStatsW(x).ttost_mean(-margin, margin)[0]
        assert claim is not None and claim.p == pytest.approx(known, rel=1e-6) and claim.holds == (known <= 0.05)
        assert claim.holds == (-margin <= claim.low and claim.high is not None and claim.high <= margin)


def test_non_inferiority_is_the_lower_end_above_the_margin() -> None:
    found = clustered_mean([-0.02, 0.01, -0.03, 0.0, 0.02, -0.01, 0.01, -0.02], list("abcdefgh"))
    assert found is not None and found.low is not None
    for margin in (-found.low - 1e-6, -found.low + 1e-6):
        claim = non_inferiority(found, margin)
        assert claim is not None and (claim.margin, claim.high, claim.holds) == (margin, None, margin > -found.low)
    alone = clustered_mean([1.0, 2.0], ["a", "a"])
    assert alone is not None and non_inferiority(alone, 0.1) is None and equivalence(alone, 0.1) is None


def test_persons_are_the_units_where_there_are_several() -> None:
    assert units(["p", "p"], ["i", "j"]) == ["i", "j"] and units(["p", "q"], ["i", "j"]) == ["p", "q"]


def test_the_effect_is_in_points_first_and_standardised_second() -> None:
    found = clustered_mean([1.0, 2.0, 3.0, 4.0], list("abcd"))
    assert found is not None and found.sd is not None
    assert found.standardised == pytest.approx(2.5 / found.sd) and found.sd == pytest.approx(
        np.std([1, 2, 3, 4], ddof=1)
    )


def test_ten_thousand_questions_twelve_arms_twelve_metrics() -> None:
    """All 792 comparisons with their exact tests, in a process of its own: at most 2 s of work and 1 GB."""
    program = """
import time
from itertools import combinations
import numpy as np
from ratf.statistics.estimates import exact_tests, paired_differences
random = np.random.default_rng(0)
tables = random.random((12, 12, 10_000))
clusters = [f"i{i // 20}" for i in range(10_000)]
pairs = list(combinations(range(12), 2))
began = time.process_time()
found = [e for t in tables for e in (*paired_differences(t, pairs, clusters), *exact_tests(t, pairs, clusters))]
took = time.process_time() - began
# ru_maxrss would also have the peak of the process that started this one
print(len(found), took, int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) / 1e6)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    count, seconds, gigabytes = map(float, run.stdout.split())
    assert count == 2 * 12 * 66 and seconds <= 2 and gigabytes <= 1, run.stdout


@pytest.fixture(scope="module")
def aa() -> Any:
    """The script that made the tables of docs/statistics.md."""
    spec = importlib.util.spec_from_file_location("aa", REPOSITORY / "benchmarks" / "aa.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["aa"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("kind", ["normal", "skewed (log-normal)", "bounded, most near 1", "binary, half"])
@pytest.mark.parametrize(("sizes", "icc"), [((25, 4, 11, 2, 8), 0.3), ((1, 25, 3, 17, 9, 22, 5, 12), 0.1)])
def test_nothing_is_found_where_nothing_is(aa: Any, kind: str, sizes: tuple[int, ...], icc: float) -> None:
    """The table of docs/statistics.md in small: false failures and coverage with interviews of very different size."""
    cell = aa.simulate(aa.KINDS[kind], sizes, icc, 300, 1000, 1, 100)
    most = 0.025 + 3 * (0.025 * 0.975 / 300) ** 0.5
    assert cell.failed <= most and cell.failed_six <= most
    sampling = 2 * (0.05 * 0.95 / 1000) ** 0.5
    for held in (cell.null, cell.real, cell.auc):
        assert 0.93 - sampling <= held <= 0.98 + sampling, cell
    refused = math.isnan(cell.skill)  # most of them, as five interviews leave the distance of floor and ceiling unknown
    assert refused if kind != "normal" and len(sizes) == 5 else cell.skill >= 0.95 - 3 * (0.05 * 0.95 / 100) ** 0.5


def test_leaving_the_worst_answers_empty_seldom_passes(aa: Any) -> None:
    random = np.random.default_rng(0)
    passed = [aa._silent(random, 0.3, 1.0, floor) for floor in (-2.0, 0.5) for _ in range(60)]
    first, second = np.mean(passed, axis=0)
    assert first > 0.3, "left out, the empty answers would win"
    assert second <= 0.025 + 2 * (0.025 * 0.975 / 120) ** 0.5


def tables() -> dict[str, list[list[str]]]:
    """The rows of each table of the documentation's page that a script made."""
    page = (REPOSITORY / "docs" / "statistics.md").read_text("utf-8")
    found = {}
    for name in ("cells", "missing", "alarms", "judges"):
        text = page.partition(f"<!-- {name} -->")[2].partition(f"<!-- end of {name} -->")[0]
        found[name] = [[x.strip() for x in line.strip("|").split("|")] for line in text.splitlines()[3:]]
    return found


def percent(text: str) -> float:
    """The most of `94.1–95.2 %`, or the number of `3.5%`."""
    return float(text.strip("* %").partition("–")[2] or text.strip("* %"))


def test_the_page_of_the_documentation_keeps_what_it_promises(aa: Any) -> None:
    made = tables()
    assert len(made["cells"]) == len(aa.KINDS) * len(aa.sizes_of())
    assert all("**" not in cell for row in made["cells"] for cell in row[2:7]), "false failures, differences"
    two_errors = 100 * (0.025 + 2 * (0.025 * 0.975 / 1000) ** 0.5)
    assert len(made["missing"]) == 12 and all(percent(row[4]) <= two_errors for row in made["missing"])
    right = [row for row in made["judges"] if row[2].startswith("right in 85 %")]
    enough = [row for row in right if row[0] == "120"]
    assert len(enough) == 4 and all(min(percent(row[3]), percent(row[4])) >= 90 for row in enough)
    bad = [row for row in made["judges"] if row not in right]
    assert bad and all(percent(row[3]) <= 100 * (0.05 + 2 * (0.05 * 0.95 / 200) ** 0.5) for row in bad)


def contrast(low: float | None, high: float | None, difference: float | None = 0.1, p: float = 0.01) -> Contrast:
    return Contrast(
        metric="m", family="style", a="raft", b="baseline", difference=difference, low=low, high=high, p=p, p_holm=0.1,
        smallest_detectable=0.2, n_questions=9, n_interviews=3,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("found", "lower", "trouble", "verdict", "code"),
    [
        (contrast(0.05, 0.2), False, [], "PASS", 0),
        (contrast(-0.2, -0.05), False, [], "REGRESSION", 1),
        (contrast(0.05, 0.2), True, [], "REGRESSION", 1),
        (contrast(0.2, 0.2, 0.2, 0.5), False, [], "INCONCLUSIVE", 2),
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
