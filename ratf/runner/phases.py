"""The phases of a run: prepare, tune, answer, score. Each is a function on the run's folder, and goes on where it was.

`ratf run` carries them out one after another. Of one run several processes may carry out different ones at a time, as a
phase needs what the earlier ones have left in the folder and nothing else.
"""

import io
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from raft.files import read_made, write_made
from raft.lock import locked, waiting
from raft.models.weights import cache_folder
from raft.progress import Progress, silent
from ratf.agents.given.controls import everybody
from ratf.models.budget import GIVE_UP_AFTER, NO_LIMITS, Limits, Meter, keeping, must_have_prices, watched
from ratf.models.prices import Prices
from ratf.models.recorded.replay import mark, session
from ratf.reporting import files as report_files
from ratf.reporting.changes import against
from ratf.results.folder import newest_logs, set_damaged_logs_aside
from ratf.results.results import Leaks, Results, Retrieval, save
from ratf.runner.leaks import look, look_in_store, refuse
from ratf.scores.logs import first_answers, score
from ratf.suite.arms import ARMS, WRITTEN
from ratf.suite.study import Study, being_run, logs_folder


@dataclass(frozen=True)
class How:
    """What holds for one start of a run, as the arguments of `ratf.run` say it."""

    progress: Progress = silent
    allow_leaks: bool = False
    judge_anyway: bool = False
    limits: Limits = NO_LIMITS
    prices: Prices = field(default_factory=dict)
    tell: Callable[[str], None] = lambda line: None
    give_up_after: float = GIVE_UP_AFTER


class Times:
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
            took = time.monotonic() - start
            # another process may have added to it since
            with waiting(), locked(self._path.with_name(".times.lock"), f"{self._path}"):
                self.seconds = read_made(self._path, self._digest) or {}
                self.seconds[name] = round(self.seconds.get(name, 0.0) + took, 1)
                write_made(self._path, self._digest, self.seconds)


@dataclass(frozen=True)
class AtWork:
    """A study that is being carried out: its meter counts, its times are kept, and its folder is there."""

    study: Study
    how: How
    meter: Meter
    times: Times

    @property
    def checked(self) -> Progress:
        """A progress that stops the run between two steps where a limit was passed."""
        return watched(self.how.progress, self.meter)


def must_run(study: Study, how: How) -> None:
    """Raises RaftError, before anything is made, where a price or a model that the study needs is not there."""
    must_have_prices(study, how.limits, how.prices)
    from ratf.models.known import must_be_known

    if not (listening := session()) or not listening.replaying:
        must_be_known(study, to_run=True)


def looked(study: Study, how: How) -> Leaks:
    """What leaks, as far as the data show it. Raises RaftError where something does and is not allowed to."""
    leaks = look(study)
    refuse(leaks, how.allow_leaks)
    return leaks


@contextmanager
def at_work(study: Study, how: How) -> Iterator[AtWork]:
    """Make the study's folder and count all that is asked inside the `with` block. Raises what `keeping` raises."""
    from ratf.agents.own import must_answer
    from ratf.models import hooks  # noqa: F401  (what it registers counts every reply)
    from ratf.models.reply_cache import sealed_replies

    private(study.folder)
    must_answer(study)
    times = Times(study)
    spent = sum(times.seconds.values())
    meter = Meter(study, how.limits, how.prices, spent, give_up_after=how.give_up_after, tell=how.tell)
    # replies of models are kept for good under the user's cache
    cache = Path(os.environ.setdefault("INSPECT_CACHE_DIR", str(cache_folder() / "replies")))
    private(cache)
    with keeping(meter, study.folder), sealed_replies(how.tell):
        yield AtWork(study, how, meter, times)


def private(folder: Path) -> None:
    """Make a folder that only its owner may read; one that is there keeps the rights that it has."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


def prepare(at: AtWork, leaks: Leaks) -> Leaks:
    """Make memories and the controls' answers; the leaks are returned with those that only the memory store shows."""
    from ratf.agents.given.controls import given_answers
    from ratf.agents.memories import memories, memories_shown

    study, progress = at.study, at.checked
    with at.times.timed("prepare"), at.meter.doing("rephraser"):
        study.made("looked", leaks.model_dump)
        if study.suite.recalls:
            memories(study, progress)
            leaks = _all_leaks(study, leaks, progress)
            refuse(leaks, at.how.allow_leaks)
        for shown in sorted({study.suite.shown(a) for a in study.suite.all_arms}):
            memories_shown(study, shown, progress)
        given_answers(study, progress)
    stop_servers_here()  # a rephraser's server, or an earlier cell's, would leave no room on the GPU to tune
    return leaks


def stop_servers_here() -> None:
    """Stop the servers of models that this process has started, if any."""
    if served := sys.modules.get("ratf.models.served"):  # nothing is imported for it
        served.stop_servers()


def _all_leaks(study: Study, leaks: Leaks, progress: Progress) -> Leaks:
    # with a copy, so that what it embeds is not there for the scores: they say the same in a process of their own
    return look_in_store(replace(study), leaks, progress) if study.suite.recalls else leaks


def tune(at: AtWork, arms: Sequence[str] | None = None) -> None:
    """Tune the models of the recipes, or of those in `arms`, as far as they are not there."""
    from ratf.agents.training import model_of

    with at.times.timed("tune"):
        for arm in at.study.suite.arms if arms is None else arms:
            model_of(at.study, arm, at.checked)


def answer(at: AtWork, names: Sequence[str] | None = None, place: str = "") -> None:
    """Let all arms and controls answer, or those in `names`, with their logs in the folder `place` among the logs.

    Raises OverBudget where a limit was reached: a refused answer is an error of its sample, not of the evaluation.
    """
    with at.times.timed("answer"):
        answers(at.study, at.how.progress, names, place)
        at.meter.check()


def answers(study: Study, progress: Progress, names: Sequence[str] | None = None, place: str = "") -> None:
    """One Inspect `eval_set` over arms and controls; what is already answered in the logs is not asked again.

    It keeps an account of all logs in its folder, so that two at a time need folders of their own. Answers that exist
    already need no evaluation, and their logs are written at once.
    """
    from ratf.runner.given import write_given

    folder = logs_folder(study) / place
    if place and names:
        _take_over(logs_folder(study), folder, names)
    set_damaged_logs_aside(folder)
    names, exist = everybody(study) if names is None else names, given_of(study)
    asked = [name for name in names if name not in exist]
    lacking = _lacking(study, folder, names)
    waited_for = [name for name in asked if name in lacking]
    showing = progress("answering", len(study.held_out) * sum(map(study.suite.times, waited_for)), "answers")
    # Inspect greets on stdout, where only the verdict belongs
    with redirect_stdout(io.StringIO()), showing as advance:
        for name in lacking:
            if name in exist:
                write_given(study, name, folder)
        if asked:
            _ask(study, asked, folder, waited_for, advance)


def _ask(
    study: Study, asked: Sequence[str], folder: Path, waited_for: Sequence[str], advance: Callable[[int], None]
) -> None:
    """Let arms and controls answer whose answers a model or code gives; `advance` is told of those that are waited for."""
    from inspect_ai import eval_set

    from ratf._registry import interview
    from ratf.models.hooks import counting, looked_up_once
    from ratf.scores.scorers import scored_at_once

    samples, questions = study.suite.answers.samples, len(study.held_out)
    with counting(advance, waited_for), looked_up_once():
        with being_run(study):
            tasks = [interview(suite=study.suite.name, arm=name, digest=study.digest) for name in asked]
        eval_set(
            tasks,
            log_dir=str(folder),
            log_dir_allow_dirty=True,  # given answers' and older studies' logs stay; the latter are told apart by their digest
            score=scored_at_once(study),
            display="none",
            continue_on_fail=True,
            retry_attempts=2,
            retry_wait=1,
            retry_cleanup=False,
            max_tasks=1,
            max_samples=samples * questions,
            # what a kill loses of answers that were there before is read again in a moment
            log_buffer=1 if waited_for else questions,
            log_realtime=False,
            ctl_server=False,  # nobody steers a run from outside
            log_level="error",
        )


def _take_over(logs: Path, folder: Path, names: Sequence[str]) -> None:
    """Move the logs of these arms from among all logs, where a start in one process has left them, into their folder."""
    from ratf.results.folder import arm_of

    for path in sorted(logs.glob("*.eval")):
        if arm_of(path) in names:
            folder.mkdir(parents=True, exist_ok=True)
            path.rename(folder / path.name)


def _lacking(study: Study, folder: Path, names: Sequence[str]) -> list[str]:
    """The arms and controls among these that have no whole log in the folder yet."""
    there = newest_logs(folder, study.digest) if folder.is_dir() else {}
    return [n for n in names if n not in there or there[n].status != "success"]


def asked_of(study: Study) -> list[str]:
    """The arms and controls whose answers a model or code gives; all others' answers are there already."""
    own = [arm.name for arm in study.suite.own if not arm.given]
    return [*study.suite.arms, *own, *(name for name in WRITTEN if name in study.suite.controls)]


def given_of(study: Study) -> list[str]:
    """The arms and controls whose answers are there already."""
    asked = asked_of(study)
    return [name for name in everybody(study) if name not in asked]


def read(at: AtWork) -> Retrieval | None:
    """Let the base model read what the signs of contamination and the hindsight are worked out from, and return the latter."""
    from ratf.agents import hindsight
    from ratf.runner.contamination import replies

    found = None
    if hindsight.wanted(at.study):
        with at.times.timed("hindsight"):
            found = hindsight.measure(at.study, at.checked)
    if at.study.suite.contamination:
        with at.times.timed("contamination"), at.meter.doing("contamination"):
            replies(at.study, at.how.progress)  # stopped between two replies, it would lose those that are under way
            at.meter.check()
    return found


def finish(at: AtWork, leaks: Leaks | None = None) -> Results:
    """Score all answers, and write the results and the page. `leaks` are those that `prepare` returned."""
    from ratf.runner.collect import collect
    from ratf.runner.contamination import panel

    study, progress = at.study, at.checked
    with at.times.timed("score"), at.meter.doing("grading"):
        logs, admission = score(study, progress, at.how.judge_anyway)
    retrieval = read(at)
    contamination = panel(study, first_answers(logs), progress) if study.suite.contamination else None
    at.meter.check()
    if leaks is None:
        found = Leaks.model_validate(study.made("looked", lambda: looked(study, at.how).model_dump()))
        leaks = _all_leaks(study, found, progress)
        refuse(leaks, at.how.allow_leaks)
    seconds = at.times.seconds
    now = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    times = {"finished": now, "seconds": seconds, "total": round(sum(seconds.values()), 1)}
    more = {
        "leaks": leaks,
        "retrieval": retrieval,
        "contamination": contamination,
        "budget": at.meter.spent(),
    }
    with progress("working out the results", 1, "steps") as advance:
        results = mark(collect(study, logs, admission, times).model_copy(update=more))
        save(results, study.folder / "results.json")
        write_report(results, study.folder)
        advance(1)
    return results


def trainings(arms: Sequence[str]) -> dict[str, list[str]]:
    """The arms whose model is tuned, by the kind of training: arms of one kind share a model."""
    found: dict[str, list[str]] = {}
    for arm in arms:
        if ARMS[arm].training != "none":
            found.setdefault(ARMS[arm].training, []).append(arm)
    return found


def write_report(results: Results, folder: Path) -> Path:
    """Write `report.html` and, where there are many questions, their pages: from the results and the last verdict on them."""
    return report_files.write_report(results, folder / "report.html", against(results, folder))


def describe_times(times: dict[str, Any]) -> str:
    """The phases' times in a line, as `prepare 12 s, tune 90 s, …`."""
    return ", ".join(f"{name} {seconds:.0f} s" for name, seconds in times["seconds"].items())
