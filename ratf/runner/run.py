"""`ratf run`: a run from its suite to its page. It goes on where it was, or finds that there is nothing to do."""

import dataclasses
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from raft.errors import DataError, RaftError
from raft.files import set_aside
from raft.lock import waiting
from raft.progress import Progress, silent
from ratf.models.budget import GIVE_UP_AFTER, NO_LIMITS, Limits
from ratf.models.prices import NO_PRICES, Prices, load_prices
from ratf.models.recorded.replay import recorded, replayed, unrecorded
from ratf.pages.templates import made_from_these
from ratf.results.folder import noted, one_at_a_time
from ratf.results.results import Results, load
from ratf.runner.leaks import refuse
from ratf.runner.phases import (
    How,
    answer,
    at_work,
    describe_times,
    finish,
    looked,
    must_run,
    prepare,
    private,
    stop_servers_here,
    tune,
    write_report,
)
from ratf.suite.study import Study, open_study


@dataclass(frozen=True)
class Outcome:
    """What became of a call of `run`: the results, the study that they are of, and what was done for them.

    `did` is "ran" where a model may have been asked, "replayed" where all replies are a recording's, "page" where the
    results were there and only the page was written again, and "nothing" where the page was there as well.
    """

    results: Results
    study: Study
    did: Literal["ran", "replayed", "page", "nothing"]

    @property
    def folder(self) -> Path:
        """The folder that keeps the run."""
        return self.study.folder

    def _repr_html_(self) -> str:
        return self.results._repr_html_()


def run(
    suite: str | Path | Study,
    data: str | Path | None = None,
    out: str | Path | None = None,
    *,
    record: str | Path | None = None,
    replay: str | Path | None = None,
    limits: Limits = NO_LIMITS,
    prices: Prices | str | Path = NO_PRICES,
    allow_leaks: bool = False,
    judge_anyway: bool = False,
    progress: Progress = silent,
    tell: Callable[[str], None] = lambda line: None,
    wait: bool = False,
    within: Callable[[Path], AbstractContextManager[Any]] = one_at_a_time,
    give_up_after: float = GIVE_UP_AFTER,
) -> Outcome:
    """Run a suite, go on with a run that was stopped, or take up one that is finished.

    `suite` is a YAML file, the name of a suite that comes along, or a study, which has the other two; `data` the folder with the people's folders, by default
    the suite's own; `out` the run's folder, by default `runs/<suite>`, and `runs/<suite>-replay` for a replay. `record`
    keeps every reply of a model in a folder, `replay` takes all of them from there. `prices` are those that `limits` in
    US$ needs, or their file. `tell` is called with each line about what is done. With `wait`, the run waits where another
    process is at work in the folder, or tunes the same adapter; else RaftError says which. `within` makes a context from
    the run's folder, which is entered before anything in it is looked at; by default it is that lock.

    Raises RaftError for bad input and, before anything is tuned or answered, where held-out text leaks and `allow_leaks`
    is not set; OverBudget, with no results written, where a limit is reached; and GaveUp, likewise, after `give_up_after`
    minutes without one reply of a service.
    """
    if record and replay:
        raise RaftError("--record keeps what models reply, and --replay asks none; give one of them")
    study = (
        suite
        if isinstance(suite, Study)
        else open_study(str(suite), str(data) if data else None, str(out) if out else None)
    )
    if replay and not out:
        study = dataclasses.replace(study, folder=study.folder.with_name(f"{study.folder.name}-replay"))
    with waiting(wait), within(study.folder):
        # a replay is always made: it is asked for to see whether the recording still has every reply
        again = replay or (record and unrecorded(study, Path(record)))
        there = None if again else taken_up(study, judge_anyway, allow_leaks)
        if there is not None:
            return there
        _describe(study, tell)
        known = load_prices(Path(prices)) if isinstance(prices, str | Path) else prices

        def whole(study: Study) -> Results:
            watched = noted(progress, study.folder)
            return carry_out(study, watched, allow_leaks, judge_anyway, limits, known, tell, give_up_after)

        if replay:
            results = replayed(study, Path(replay), whole)
            tell(f"replayed: no model was asked; {results.replayed}")
        else:
            if record:
                private(study.folder)
            results = recorded(study, Path(record), whole) if record else whole(study)
        tell(f"took {results.times['total']:.0f} s ({describe_times(results.times)})")
        return Outcome(results, study, "replayed" if replay else "ran")


def _describe(study: Study, tell: Callable[[str], None]) -> None:
    """Tell what is about to be asked, before anything is."""
    about = study.person.about.name
    tell(f"{study.suite.name}: {about}, {len(study.held_out)} held-out questions since {study.cut}")
    if study.suite.rubrics:
        from ratf.judges.counts import describe_plan

        tell(describe_plan(study))


def taken_up(study: Study, judge_anyway: bool = False, allow_leaks: bool = False) -> Outcome | None:
    """A run that is finished, with its page written again where that is needed; None where something is to be done.

    Raises RaftError where its results have leaks that are not allowed.
    """
    results = finished(study, judge_anyway)
    if results is None:
        return None
    if results.leaks and results.leaks.found:
        refuse(results.leaks, allow_leaks)
    if made_from_these(study.folder / "report.html"):
        return Outcome(results, study, "nothing")
    write_report(results, study.folder)
    return Outcome(results, study, "page")


def finished(study: Study, judge_anyway: bool = False) -> Results | None:
    """The results of a run of exactly this study, when there are any without errors; with every judge's grades, if asked for."""
    path = study.folder / "results.json"
    if not path.is_file():
        return None
    try:
        results = load(path)
    except DataError as error:
        set_aside(path, str(error).removeprefix(f"{path}: "))
        return None
    refused = any(e.judge is not None and not e.judge.grades for e in results.exam)
    # what ended in an error was not answered, and is asked again
    failed = any(arm.errors for arm in results.arms.values())
    return None if results.digest != study.digest or failed or (judge_anyway and refused) else results


def carry_out(
    study: Study,
    progress: Progress = silent,
    allow_leaks: bool = False,
    judge_anyway: bool = False,
    limits: Limits = NO_LIMITS,
    prices: Prices = NO_PRICES,
    tell: Callable[[str], None] = lambda line: None,
    give_up_after: float = GIVE_UP_AFTER,
) -> Results:
    """Carry a study out, as far as it is not done yet, and write its results and its page.

    Raises RaftError, before anything is tuned or answered, where held-out text leaks and `allow_leaks` is not set; and
    OverBudget or GaveUp, with no results written, where a limit is reached or a service does not reply.
    """
    how = How(progress, allow_leaks, judge_anyway, limits, prices, tell, give_up_after)
    must_run(study, how)
    leaks = looked(study, how)
    try:
        with at_work(study, how) as at:
            leaks = prepare(at, leaks)
            tune(at)
            answer(at)
            return finish(at, leaks)
    finally:
        stop_servers_here()
