"""What a run changed against a baseline run: for the page, from both runs' scores and the verdict of `ratf check`."""

from dataclasses import dataclass, field
from pathlib import Path

from raft.errors import RaftError
from ratf.gate.gate import Checked, check, kept_check
from ratf.results.comparable import how_measured, settings_changed
from ratf.results.results import Results
from ratf.results.snapshot import Snapshot, load_baseline, snapshot
from ratf.statistics.estimates import Estimate, paired_difference

SHOWN = 5
"""Questions shown that fell most, and that rose most."""


@dataclass(frozen=True)
class MeanChange:
    """What an arm's mean on a metric changed, paired by question: this run less the baseline run."""

    found: Estimate
    reads: str


@dataclass(frozen=True)
class Moved:
    """A question whose score changed, by its id: of thousands no text is kept."""

    question: str
    was: float
    now: float


@dataclass(frozen=True)
class Change:
    """Everything that changed. `unread` says why the baseline's scores are not there, where they are not."""

    against: str
    checked: Checked
    unread: str = ""
    incomparable: str = ""
    """Why no differences are shown, where none are."""
    arm: str = ""
    metric: str = ""
    """What `moved` is about: the arm and the metric of the suite's primary comparison."""
    deltas: dict[str, dict[str, MeanChange]] = field(default_factory=dict)
    """By metric and arm."""
    fell: list[Moved] = field(default_factory=list)
    rose: list[Moved] = field(default_factory=list)
    """All that did, the largest change first."""
    same: int = 0
    settings: list[tuple[str, str, str]] = field(default_factory=list)
    """(key, was, is)"""


def against(results: Results, folder: Path, baseline: Path | None = None) -> Change | None:
    """The change against `baseline`, or else against that of the run's check.json; None without either.

    Raises RaftError where `baseline` is none. One that only check.json names may be gone: that is told.
    """
    kept = kept_check(results, folder)
    if baseline is not None:
        then = load_baseline(baseline)
        named = str(baseline)
        return changed(results, then, kept if kept and kept.against == named else check(results, then, against=named))
    if kept is None or not kept.against:
        return None
    try:
        return changed(results, load_baseline(Path(kept.against)), kept)
    except RaftError as error:
        return Change(kept.against, kept, unread=str(error))


def changed(results: Results, then: Snapshot, checked: Checked) -> Change:
    """Compare a run with a baseline's scores, question by question."""
    now = snapshot(results)
    arm, metric = results.suite["primary"]["better"], results.suite["primary"]["metric"]
    fell, rose, same = _moved(results, now, then, arm, metric)
    other_data = now.data_digest != then.data_digest
    return Change(
        against=checked.against,
        checked=checked,
        incomparable="the two runs had different data, so question by question nothing can be compared"
        if other_data
        else "",
        arm=arm,
        metric=metric,
        deltas={} if other_data else _deltas(now, then),
        fell=[] if other_data else fell,
        rose=[] if other_data else rose,
        same=0 if other_data else same,
        settings=settings_changed(now, then),
    )


def words_of(change: Change, results: Results) -> dict[str, str]:
    """The questions that the page names, by id, as the results that are shown have them."""
    named = {m.question for m in (*change.fell[:SHOWN], *change.rose[:SHOWN])}
    return {q.id: q.question for q in results.questions if q.id in named} if named else {}


def _deltas(now: Snapshot, then: Snapshot) -> dict[str, dict[str, MeanChange]]:
    made: dict[str, dict[str, MeanChange]] = {}
    for metric, facts in now.metrics.items():
        if how_measured(facts) != how_measured(then.metrics.get(metric, {})):
            continue
        for arm in now.scores:
            found = paired_difference(now.of(arm, metric), then.of(arm, metric), now.interviews)
            if found:
                made.setdefault(metric, {})[arm] = MeanChange(found, _reads(found, facts.get("better")))
    return made


def _reads(found: Estimate, better: str | None) -> str:
    """What the interval says, in a word."""
    if found.low is None or found.high is None:
        return "no interval"
    if found.low <= 0 <= found.high:
        return "the same" if found.low == found.high == 0 else "not separable"
    if better is None:
        return "more" if found.low > 0 else "less"
    return "better" if (found.low > 0) == (better == "higher") else "worse"


def _moved(
    results: Results, now: Snapshot, then: Snapshot, arm: str, metric: str
) -> tuple[list[Moved], list[Moved], int]:
    sign = -1 if results.metrics[metric]["better"] == "lower" else 1
    ours, theirs = now.of(arm, metric), then.of(arm, metric)
    both = [Moved(q, theirs[q], ours[q]) for q in now.interviews if q in ours and q in theirs]
    gain = {m.question: round(sign * (m.now - m.was), 4) for m in both}  # baseline files are rounded
    both.sort(key=lambda m: (-abs(gain[m.question]), m.question))
    fell, rose = ([m for m in both if gain[m.question] * way > 0] for way in (-1, 1))
    return fell, rose, len(both) - len(fell) - len(rose)
