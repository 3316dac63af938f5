"""The phases of `ratf run`: prepare, tune, answer, score, report. Each goes on where it was, or is skipped if done."""

import dataclasses
import io
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from raft.errors import DataError, RaftError
from raft.files import read_made, set_aside, write_made
from raft.lock import waiting
from raft.models.weights import cache_folder
from raft.progress import Progress, silent
from ratf.agents.given.controls import everybody
from ratf.models.budget import GIVE_UP_AFTER, NO_LIMITS, Limits, Meter, keeping, must_have_prices, watched
from ratf.models.prices import NO_PRICES, Prices, load_prices
from ratf.models.recorded.replay import mark, recorded, replayed, session, unrecorded
from ratf.pages.templates import made_from_these
from ratf.reporting import files as report_files
from ratf.reporting.changes import against
from ratf.results.folder import newest_logs, noted, one_at_a_time, set_damaged_logs_aside
from ratf.results.results import Leaks, Results, load, save
from ratf.runner.leaks import look, look_in_store, refuse
from ratf.scores.logs import first_answers, score
from ratf.suite.arms import WRITTEN
from ratf.suite.study import Study, being_run, logs_folder, open_study


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
        results = None if again else finished(study, judge_anyway)
        if results is not None:
            if results.leaks and results.leaks.found:
                refuse(results.leaks, allow_leaks)
            if made_from_these(study.folder / "report.html"):
                return Outcome(results, study, "nothing")
            write_report(results, study.folder)
            return Outcome(results, study, "page")
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
                _private(study.folder)
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


class Phases:
    """The seconds that each phase took, over all starts of the same study; what a kill cut short is not in it."""

    def __init__(self, study: Study) -> None:
        self._path, self._digest = study.folder / "times.json", study.digest
        self.seconds: dict[str, float] = read_made(self._path, self._digest) or {}

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Add what is done in here to phase `name`, also when it ends in an error."""
        start = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + time.monotonic() - start, 1)
            write_made(self._path, self._digest, self.seconds)


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
    must_have_prices(study, limits, prices)
    from ratf.agents.own import must_answer
    from ratf.models.known import must_be_known
    from ratf.models.reply_cache import sealed_replies

    if not (listening := session()) or not listening.replaying:
        must_be_known(study, to_run=True)
    leaks = look(study)
    refuse(leaks, allow_leaks)
    _private(study.folder)
    must_answer(study)
    phases = Phases(study)
    spent = sum(phases.seconds.values())
    meter = Meter(study, limits, prices, spent, give_up_after=give_up_after, tell=tell)
    # replies of models are kept for good under the user's cache
    cache = Path(os.environ.setdefault("INSPECT_CACHE_DIR", str(cache_folder() / "replies")))
    _private(cache)
    with keeping(meter, study.folder), sealed_replies(tell):
        return _run(study, progress, leaks, allow_leaks, judge_anyway, phases, meter)


def _private(folder: Path) -> None:
    """Make a folder that only its owner may read; one that is there keeps the rights that it has."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


def _run(
    study: Study,
    progress: Progress,
    leaks: Leaks,
    allow_leaks: bool,
    judge_anyway: bool,
    phases: Phases,
    meter: Meter,
) -> Results:
    checked = watched(progress, meter)
    from ratf.agents import hindsight
    from ratf.agents.training import model_of
    from ratf.models import hooks  # noqa: F401  (what it registers counts every reply)
    from ratf.runner.collect import collect
    from ratf.runner.contamination import panel

    with phases.timed("prepare"), meter.doing("rephraser"):
        leaks = _prepare(study, leaks, allow_leaks, checked)
    with phases.timed("tune"):
        for arm in study.suite.arms:
            model_of(study, arm, checked)
    with phases.timed("answer"):
        answer(study, progress)
        meter.check()  # a refused answer is an error of its sample, not of the evaluation
    with phases.timed("score"), meter.doing("grading"):
        logs, admission = score(study, checked, judge_anyway)
    retrieval = None
    if hindsight.wanted(study):
        with phases.timed("hindsight"):
            retrieval = hindsight.measure(study, checked)
    contamination = None
    if study.suite.contamination:
        with phases.timed("contamination"), meter.doing("contamination"):
            contamination = panel(study, first_answers(logs), checked)
    meter.check()
    finish = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    times = {"finished": finish, "seconds": phases.seconds, "total": round(sum(phases.seconds.values()), 1)}
    found = {"leaks": leaks, "retrieval": retrieval, "contamination": contamination, "budget": meter.spent()}
    with progress("working out the results", 1, "steps") as advance:
        results = mark(collect(study, logs, admission, times).model_copy(update=found))
        save(results, study.folder / "results.json")
        write_report(results, study.folder)
        advance(1)
    return results


def _prepare(study: Study, leaks: Leaks, allow_leaks: bool, progress: Progress) -> Leaks:
    """Make memories and the controls' answers; the leaks are returned with those that only the memory store shows."""
    from ratf.agents.given.controls import given_answers
    from ratf.agents.memories import memories, memories_shown

    if study.suite.recalls:
        memories(study, progress)
        leaks = look_in_store(study, leaks, progress)
        refuse(leaks, allow_leaks)
    for shown in sorted({study.suite.shown(a) for a in study.suite.all_arms}):
        memories_shown(study, shown, progress)
    given_answers(study, progress)
    return leaks


def answer(study: Study, progress: Progress) -> None:
    """One Inspect `eval_set` over arms and controls; what is already answered in the logs is not asked again."""
    from inspect_ai import eval_set

    from ratf._registry import interview
    from ratf.models.hooks import counting
    from ratf.scores.scorers import scored_at_once

    set_damaged_logs_aside(logs_folder(study))
    names = everybody(study)
    samples, asked = study.suite.answers.samples, len(study.held_out)
    waited_for = _waited_for(study)
    showing = progress("answering", asked * sum(map(study.suite.times, waited_for)), "answers")
    # Inspect greets on stdout, where only the verdict belongs
    with redirect_stdout(io.StringIO()), showing as advance, counting(advance, waited_for):
        with being_run(study):
            tasks = [interview(suite=study.suite.name, arm=name, digest=study.digest) for name in names]
        eval_set(
            tasks,
            log_dir=str(logs_folder(study)),
            log_dir_allow_dirty=True,  # older studies' logs stay; they are told apart by their digest
            score=scored_at_once(study),
            display="none",
            continue_on_fail=True,
            retry_attempts=2,
            retry_wait=1,
            retry_cleanup=False,
            max_tasks=1,
            max_samples=samples * asked,
            # what a kill loses of answers that were there before is read again in a moment
            log_buffer=1 if waited_for else asked,
            log_realtime=False,
            log_level="error",
        )


def _waited_for(study: Study) -> list[str]:
    """The arms and controls whose answers take time: those that a model or code gives, and that are not there yet.

    The controls' answers are there already, and would make what is left look several times as long.
    """
    there = newest_logs(logs_folder(study), study.digest)
    own = [arm.name for arm in study.suite.own if not arm.given]
    written = [name for name in WRITTEN if name in study.suite.controls]
    names = [*study.suite.arms, *own, *written]
    return [name for name in names if name not in there or there[name].status != "success"]


def write_report(results: Results, folder: Path) -> Path:
    """Write `report.html` and, where there are many questions, their pages: from the results and the last verdict on them."""
    return report_files.write_report(results, folder / "report.html", against(results, folder))


def describe_times(times: dict[str, Any]) -> str:
    """The phases' times in a line, as `prepare 12 s, tune 90 s, …`."""
    return ", ".join(f"{name} {seconds:.0f} s" for name, seconds in times["seconds"].items())
