import pytest

from ratf.results.exams import Exam
from ratf.results.results import EXIT_CODES, Contrast, Verdict
from ratf.statistics.verdict import decimals, exam_lines, judge_contrast, signed


def contrast(difference: float | None, low: float | None = None, high: float | None = None) -> Contrast:
    """raft - baseline on the style metric."""
    return Contrast(
        metric="style_identity",
        family="style",
        a="raft",
        b="baseline",
        difference=difference,
        low=low,
        high=high,
        p=None,
        p_holm=None,
        smallest_detectable=None if low is None else 0.123,
        n_questions=36,
        n_interviews=6,
    )


@pytest.mark.parametrize(
    ("found", "verdict", "words", "code"),
    [
        (contrast(0.14, 0.09, 0.19), "PASS", "raft beats baseline: +0.140 [0.090, 0.190] on style_identity", 0),
        (contrast(-0.14, -0.19, -0.09), "REGRESSION", "raft is worse than baseline: -0.140 [-0.190, -0.090]", 1),
        (contrast(0.02, -0.03, 0.07), "INCONCLUSIVE", "not separable: +0.020 [-0.030, 0.070]", 2),
        (contrast(0.0, 0.0, 0.0), "INCONCLUSIVE", "not separable", 2),
    ],
)
def test_the_interval_decides(found: Contrast, verdict: Verdict, words: str, code: int) -> None:
    said, sentence = judge_contrast(found, lower_is_better=False, trouble=[])
    assert (said, EXIT_CODES[said]) == (verdict, code)
    assert words in sentence
    assert "36 paired questions in 6 interviews" in sentence


@pytest.mark.parametrize(
    ("found", "verdict"),
    [(contrast(0.14, 0.09, 0.19), "REGRESSION"), (contrast(-0.14, -0.19, -0.09), "PASS")],
)
def test_where_lower_is_better_the_verdict_turns_and_the_numbers_stay(found: Contrast, verdict: Verdict) -> None:
    said, sentence = judge_contrast(found, lower_is_better=True, trouble=[])
    assert said == verdict
    assert signed(found.difference or 0, found.low, found.high) in sentence


def test_an_inconclusive_verdict_says_what_could_have_been_seen() -> None:
    _, sentence = judge_contrast(contrast(0.02, -0.03, 0.07), lower_is_better=False, trouble=[])
    assert sentence.endswith("smallest difference this suite can see: 0.12")


@pytest.mark.parametrize("found", [None, contrast(0.14, 0.09, 0.19), contrast(-0.14, -0.19, -0.09)])
def test_with_trouble_nothing_was_measured_whatever_the_numbers_say(found: Contrast | None) -> None:
    said, sentence = judge_contrast(found, lower_is_better=False, trouble=["raft answered 3 of 36", "2 errors"])
    assert (said, sentence) == ("NOT MEASURED", "raft answered 3 of 36; 2 errors")
    assert EXIT_CODES[said] == 2


@pytest.mark.parametrize("found", [None, contrast(None)])
def test_without_a_common_question_nothing_was_measured(found: Contrast | None) -> None:
    said, sentence = judge_contrast(found, lower_is_better=False, trouble=[])
    assert (said, sentence) == ("NOT MEASURED", "no question was scored for both arms of the primary comparison")


def test_a_single_interview_measures_nothing_however_large_the_difference() -> None:
    said, sentence = judge_contrast(contrast(0.9), lower_is_better=False, trouble=[])
    assert said == "NOT MEASURED"
    assert "+0.900 [no interval]" in sentence
    assert sentence.endswith("a single interview gives no interval")


def test_only_a_pass_exits_with_0() -> None:
    assert [verdict for verdict, code in EXIT_CODES.items() if code == 0] == ["PASS"]


@pytest.mark.parametrize(
    ("half_width", "digits"),
    [(5.0, 1), (0.5, 2), (0.05, 3), (0.012, 3), (0.0, 3), (None, 3)],
)
def test_digits_follow_the_intervals_half_width(half_width: float | None, digits: int) -> None:
    assert decimals(half_width) == digits


def test_a_difference_is_written_with_its_sign_and_at_least_two_digits() -> None:
    assert signed(3.14159, 1.0, 5.0) == "+3.14 [1.00, 5.00]"
    assert signed(-0.0423, -0.08, -0.005) == "-0.042 [-0.080, -0.005]"


def entry(metric: str, auc: float | None, low: float | None, high: float | None, admitted: bool) -> Exam:
    return Exam(
        metric=metric, axis="content", auc=auc, low=low, high=high, admitted=admitted, reason="too low", bar=0.6, n=9,
        interviews=3, unscored=0,
    )  # fmt: skip


def test_the_exam_is_told_in_lines() -> None:
    assert exam_lines([]) == []
    assert exam_lines(
        [
            entry("rouge_l", 0.654, 0.5, 0.77, False),
            entry("m", 0.98, 0.9, 0.99, True),
            entry("one", 0.98, None, None, False),
            entry("none", None, None, None, False),
        ]
    ) == [
        "rouge_l  content  0.65 [0.50, 0.77]   not admitted: too low",
        "m        content  0.98 [0.90, 0.99]   admitted",
        "one      content  0.98 [no interval]  not admitted: too low",
        "none     content  none                not admitted: too low",
    ]
