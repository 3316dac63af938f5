"""The verdict on the declared comparison, and other numbers of a run as words."""

from collections.abc import Sequence

from raft.text import number_of
from ratf.results.exams import Exam, Order
from ratf.results.results import Contrast, Verdict
from ratf.statistics.estimates import CONFIDENCE
from ratf.suite.metrics import axis_meant


def decimals(half_width: float | None) -> int:
    """The number of decimals, 1 to 3, that shows two significant digits of an interval's half-width; 3 without one."""
    if not half_width or half_width <= 0:
        return 3
    return next((digits for digits in (1, 2) if half_width >= 10 ** (1 - digits)), 3)


def signed(difference: float, low: float | None, high: float | None) -> str:
    """A difference and its interval as text: `+0.14 [0.09, 0.19]`, or `+0.140 [no interval]` with one interview."""
    if low is None or high is None:
        return f"{not_below_zero(difference, 3):+.3f} [no interval]"
    digits = max(2, decimals((high - low) / 2))
    least, middle, most = (not_below_zero(number, digits) for number in (low, difference, high))
    return f"{middle:+.{digits}f} [{least:.{digits}f}, {most:.{digits}f}]"


def not_below_zero(number: float, digits: int) -> float:
    """The number as it is, or 0 where so many `digits` would show a zero below zero, as `-0.000`."""
    return number if round(number, digits) else 0.0


def judge_contrast(
    contrast: Contrast | None, lower_is_better: bool, trouble: Sequence[str], level: float = 1 - CONFIDENCE
) -> tuple[Verdict, str]:
    """The verdict on a contrast, and the sentence that says it.

    PASS and REGRESSION need an interval on one side of 0 and a p of at most `level`. With any `trouble` (missing arms,
    errors) the verdict is NOT MEASURED.
    """
    if trouble:
        return "NOT MEASURED", "; ".join(trouble)
    if contrast is None or contrast.difference is None:
        return "NOT MEASURED", "no question was scored for both arms of the primary comparison"
    told = f"{signed(contrast.difference, contrast.low, contrast.high)} on {contrast.metric}"
    base = f"{number_of(contrast.n_questions, 'paired question')} in {number_of(contrast.n_interviews, 'interview')}"
    if contrast.low is None or contrast.high is None:
        return "NOT MEASURED", f"{contrast.a} − {contrast.b}: {told}, {base}; a single interview gives no interval"
    low, high = (-contrast.high, -contrast.low) if lower_is_better else (contrast.low, contrast.high)
    shown = contrast.p is None or contrast.p <= level  # a few coarse scores can leave an interval of width 0
    if shown and low > 0:
        return "PASS", f"{contrast.a} beats {contrast.b}: {told}, {base}"
    if shown and high < 0:
        return "REGRESSION", f"{contrast.a} is worse than {contrast.b}: {told}, {base}"
    see = f"{contrast.smallest_detectable:.2g}" if contrast.smallest_detectable is not None else "unknown"
    return (
        "INCONCLUSIVE",
        f"{contrast.a} and {contrast.b} are not separable: {told}, {base}; smallest difference this suite can see: {see}",
    )


def exam_lines(exams: Sequence[Exam]) -> list[str]:
    """The exams as lines of text, one a metric: metric, axis, AUC, and `admitted` or why not."""
    rows = [(e.metric, e.axis, auc(e), "admitted" if e.admitted else f"not admitted: {e.reason}") for e in exams]
    widths = [max(len(row[column]) for row in rows) for column in range(3)] if rows else []
    return ["  ".join([*(text.ljust(w) for text, w in zip(row, widths, strict=False)), row[3]]) for row in rows]


def auc(exam: Exam | Order) -> str:
    """The AUC of an exam as text: `0.98 [0.95, 0.99]`, `0.98 [no interval]`, or `none`."""
    if exam.auc is None:
        return "none"
    if exam.low is None or exam.high is None:
        return f"{exam.auc:.2f} [no interval]"
    return f"{exam.auc:.2f} [{exam.low:.2f}, {exam.high:.2f}]"


OF_AXIS = {
    "coverage": "What it says",
    "topic": "What it is about",
    "agreement": "Whether it agrees",
    "voice": "How it sounds",
}
"""The headings of the axes in a verdict's sentence."""


_SILENT = {"coverage": "what is said", "agreement": "whether it agrees with the person", "voice": "how it sounds"}


def not_measured(exams: Sequence[Exam]) -> str:
    """A sentence on the axes that no metric was admitted for; empty where there is none, or where no exam was sat."""
    admitted = {axis_meant(e.axis) for e in exams if e.admitted}
    silent = [words for axis, words in _SILENT.items() if axis not in admitted]
    return f"Not measured: {', '.join(silent)}" if exams and silent else ""
