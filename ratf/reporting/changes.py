"""The changes of a run against a reference run, for the page: from both runs' scores and the verdict of `ratf check`."""

from dataclasses import dataclass, field
from pathlib import Path

from raft.errors import RaftError
from ratf.gate.gate import Checked, check, kept_check
from ratf.results.comparable import how_measured, settings_changed
from ratf.results.results import Results
from ratf.results.snapshot import Snapshot, load_baseline, snapshot
from ratf.statistics.estimates import Estimate, paired_difference

SHOWN = 5
"""The number of questions shown that fell most, and of those shown that rose most."""


@dataclass(frozen=True)
class MeanChange:
    """The change of an arm's mean on a metric, paired by question: this run less the reference run."""

    found: Estimate
    reads: str


@dataclass(frozen=True)
class Moved:
    """A question whose score changed, by its id; no text is kept, because there may be thousands of questions."""

    question: str
    was: float
    now: float


@dataclass(frozen=True)
class Change:
    """Everything that changed against a reference run; `unread` says why that run could not be read, if so."""

    against: str
    checked: Checked
    unread: str = ""
    incomparable: str = ""
    """Why no differences are shown, where none are."""
    arm: str = ""
    metric: str = ""
    """The arm and the metric of the suite's primary comparison, which `fell`, `rose` and `same` are about."""
    deltas: dict[str, dict[str, MeanChange]] = field(default_factory=dict)
    """The changes of means by metric, then by arm."""
    fell: list[Moved] = field(default_factory=list)
    rose: list[Moved] = field(default_factory=list)
    """All questions that fell, and all that rose, the largest change first."""
    same: int = 0
    settings: list[tuple[str, str, str]] = field(default_factory=list)
    """The settings that differ, as (key, the reference run's value, this run's value)."""


def against(results: Results, folder: Path, baseline: Path | None = None) -> Change | None:
    """The change against `baseline`, or else against that of the run's check.json; None without either.

    Raises RaftError where `baseline` is no baseline. One that only check.json names may be gone: `unread` then says so.
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
    """The texts of the questions that the page names, by id, from the results that are shown."""
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
    """What an interval says of a change, in a word or two, as `better` or `not separable`."""
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
