"""The records of a leaderboard, which say where the systems of finished runs stand, and how a system gets its class."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from ratf.pages.text import minus
from ratf.results.record import Record

LINES = tuple(i / 12 for i in range(13))
"""The frozen lines between classes, on the scale of skill: 0 is the floor, 1 the ceiling. No system moves them.

Finer lines tell more systems apart and err more; thirds of a quarter are where marks still have names that people know.
"""


CLASSES = ("F", *(f"{letter}{sign}" for letter in "EDCB" for sign in ("-", "", "+")), "A")
"""The classes from under the floor (F), over three a quarter (E-, E, E+ … B+), to the ceiling (A), where it is open."""


ABOVE = "no class: it scores above the person's own answers, and that does not make it a better replica"
"""Why a system has a skill score and no class."""


class Standing(Record):
    """One system on one metric. On the scale `skill` 0 is the floor and 1 the ceiling; on `mean` it is the metric's own."""

    system: str
    metric: str
    scale: str
    score: float | None
    low: float | None
    high: float | None
    placed: str = ""
    """Its class, or the classes that its interval leaves open; empty where it has no skill score."""
    reason: str = ""
    """Why there is no skill score."""
    mean: float | None
    n: int
    interviews: int
    unscored: int
    errors: int
    words: float | None
    """The mean length of its answers in words."""
    admitted: bool | None
    """Whether the metric passed its exam; None where it sat none."""
    auc: float | None = None
    auc_low: float | None = None
    why_not: str = ""
    runs: list[str]
    """The ids of the runs that the row is made of."""
    disagree: bool = False
    """Whether two of its runs have intervals without overlap; the row's interval then reaches over all of theirs."""
    verified: int = 0
    """The number of the runs that somebody has worked out again on this metric."""
    not_counted: list[str]
    """The ids of the system's runs that nobody has verified, where others are."""
    alike: int = 0
    """The number of the runs that gave the same answers and scores as another of them, and so count once with it."""
    answers: str = ""
    """A digest of one run's answers; empty in a row of a board."""
    top: float | None = None
    """The end of the metric's scale, where it has one."""


class Adapter(Record):
    """What a tuned system answered with: `digest` names what made it, `weights` the weights themselves, if known.

    `asked` is the digest that the run asked for; another was given where somebody changed files.
    """

    asked: str
    digest: str
    weights: str = ""


class Nearer(Record):
    """Two systems of one run of which one is nearer to the person on a metric, by the paired difference of the same questions."""

    metric: str
    system: str
    than: str


class Ran(Record):
    """A run on the leaderboard. `id` is the digest of its results."""

    id: str
    suite: str
    digest: str
    person: str
    finished: str
    seed: Any
    board: str
    verified: bool
    results: str
    usd: float | None
    tokens: int | None
    """What the run cost in US$ and in tokens, all its systems together: nobody knows each one's share."""
    kept: bool = False
    """Whether all its replies were kept from an earlier start or a recording, so that no cost was counted."""
    adapters: dict[str, Adapter]
    """The adapters by system, of those systems that were tuned on the machine of the run."""
    standings: list[Standing]
    pairs: list[Nearer] = []
    """The pairs of its systems that its paired differences separate."""


class System(Record):
    """A model with an arm's recipe and settings, whatever the seed."""

    id: str
    arm: str
    words: str
    model: str
    settings: dict[str, Any]


class Table(Record):
    """The systems on one metric, by class and then by score, those whose runs disagree last; the order claims nothing."""

    metric: str
    words: str
    family: str
    axis: str
    better: str
    rows: list[Standing]


class Board(Record):
    """Runs that measured the same thing, and so may stand in one table."""

    id: str
    person: str
    suites: list[str]
    floor: list[str]
    """Names of the impostors whose real answers are the floor."""
    measured: dict[str, Any]
    tables: list[Table]


class Overall(Record):
    """Systems over the same persons: means of their scores there, with intervals over persons."""

    protocol: str
    persons: list[str]
    table: Table


class Leaderboard(Record):
    """Everything that the site says."""

    format: str = "ratf leaderboard 1"
    lines: tuple[float, ...] = LINES
    boards: list[Board]
    overall: list[Overall]
    systems: dict[str, System]
    persons: dict[str, str]
    runs: list[Ran]
    differences: list[str]
    """Why there is more than one board."""


def placed(low: float | None, high: float | None) -> str:
    """The classes that an interval leaves open, as `C+`, or `B to D-` from the best to the worst; empty without one.

    A system is above a line when its whole interval is, and below likewise. So it depends on nobody else, and two
    systems come into classes without overlap only when a line is shown to lie between them. There is none, either, for
    an interval that is wholly above the ceiling: whoever is more like the person than the person is no better replica.
    """
    if low is None or high is None or low > LINES[-1]:
        return ""
    worst, best = sum(line < low for line in LINES), sum(line <= high for line in LINES)
    return CLASSES[best] if best == worst else f"{CLASSES[best]} to {CLASSES[worst]}"


def span(told: str) -> tuple[int, int]:
    """The worst and the best of the classes that `placed` told, as places in CLASSES."""
    best, _, worst = told.partition(" to ")
    return CLASSES.index(worst or best), CLASSES.index(best)


def apart(a: str, b: str) -> bool:
    """Whether the board says that two systems differ: their classes have none in common."""
    if not a or not b:
        return False
    (a_worst, a_best), (b_worst, b_best) = span(a), span(b)
    return a_best < b_worst or b_best < a_worst


def row_of(several: Sequence[Standing]) -> Standing:
    """A system's row on a board: of its verified runs where there are some, else of all.

    So nobody moves a verified row by sending a bad run of the same system. Runs with the same answers and scores are
    one measurement and count once: sending one again does not draw the row to it.
    """
    checked = [s for s in several if s.verified]
    of = checked or several
    different = {(s.answers, s.scale, s.score, s.low, s.high, s.mean): s for s in reversed(of)}
    row = pooled([s for s in of if s in different.values()])
    return row.model_copy(
        update={
            "runs": [r for s in of for r in s.runs],
            "verified": len(checked),
            "not_counted": [r for s in several if s not in of for r in s.runs],
            "alike": len(of) - len(different),
            "answers": "",
        }
    )


def pooled(several: Sequence[Standing]) -> Standing:
    """One row for a system that was run several times: the mean of the scores, and of the ends of the intervals.

    A mean of intervals' ends is never too narrow: runs that differ by the seed alone spread less when averaged. So
    running again until a lucky seed comes does not help. Runs that differ by more than their intervals allow are not
    one thing measured again: the row then leaves open all that any of them does.
    """
    if len(several) == 1:
        return several[0]
    skilled = all(s.scale == "skill" for s in several)
    first = several[0]

    def mean(of: Callable[[Standing], float | None]) -> float | None:
        numbers = [v for s in several if (v := of(s)) is not None]
        return fmean(numbers) if len(numbers) == len(several) else None

    same = skilled or all(s.scale == "mean" for s in several)
    score, low, high = (mean(lambda s, e=e: getattr(s, e)) for e in ("score", "low", "high"))  # type: ignore[misc]
    lows, highs = [s.low for s in several if s.low is not None], [s.high for s in several if s.high is not None]
    disagree = same and len(lows) == len(several) == len(highs) and max(lows) > min(highs)
    if disagree:
        low, high = min(lows), max(highs)
    return first.model_copy(
        update={
            "scale": "skill" if skilled else "mean",
            "score": score if same else mean(lambda s: s.mean),
            "low": low if same else None,
            "high": high if same else None,
            "placed": placed(low, high) if skilled else "",
            "reason": "" if skilled else next(s.reason for s in several if s.scale == "mean"),
            "mean": mean(lambda s: s.mean),
            "n": min(s.n for s in several),
            "interviews": min(s.interviews for s in several),
            "unscored": sum(s.unscored for s in several),
            "errors": sum(s.errors for s in several),
            "words": mean(lambda s: s.words),
            "admitted": None if any(s.admitted is None for s in several) else all(s.admitted for s in several),
            "why_not": next((s.why_not for s in several if s.why_not), ""),
            "runs": [r for s in several for r in s.runs],
            "verified": sum(s.verified for s in several),
            "disagree": disagree,
            "not_counted": [r for s in several for r in s.not_counted],
            "alike": sum(s.alike for s in several),
        }
    )


def table(name: str, about: Mapping[str, Any], rows: Iterable[Standing]) -> Table:
    """A metric's table, in order of the class shown at least, then of the one open at best, then of the score.

    A system whose runs disagree comes after the others with classes: it has no one place among them.
    """
    better = str(about.get("better"))

    def order(row: Standing) -> tuple[Any, ...]:
        worst, best = span(row.placed) if row.placed else (-1, -1)
        up = 1 if better == "higher" or row.scale == "skill" else -1
        score = float("-inf") if row.score is None else row.score * up
        return (not row.placed, row.disagree, -worst, -best, -score, row.system)

    axis = str(about.get("axis") or about["family"])
    words, family = str(about["words"]), str(about["family"])
    return Table(metric=name, words=words, family=family, axis=axis, better=better, rows=sorted(rows, key=order))


def number(row: Standing) -> str:
    """A row's score with two decimals, or `n/a`."""
    return "n/a" if row.score is None else minus(f"{row.score:.2f}")


def ends(row: Standing) -> str:
    """A row's interval, or `no interval`. A mean's that reaches beyond the metric's scale is `≥ 0.98`: no score can be there."""
    if row.low is None or row.high is None:
        return "no interval"
    if row.scale == "mean" and row.top is not None and row.high > row.top:
        return f"≥ {minus(f'{row.low:.2f}')}"
    return minus(f"{row.low:.2f} to {row.high:.2f}")
