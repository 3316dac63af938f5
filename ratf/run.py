"""`ratf run`: prepare, tune, answer, score, report. Each phase goes on where it was, and is skipped when it is done."""

import io
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raft.errors import RaftError
from raft.files import read_made, write_made
from raft.progress import Progress
from raft.weights import cache_folder
from ratf import report_files
from ratf.arms import ARMS
from ratf.budget import NO_LIMITS, Limits, Meter, current, keeping, must_have_prices, watched
from ratf.leaks import look, look_in_store, refuse
from ratf.page_baseline import against
from ratf.prices import NO_PRICES, Prices
from ratf.replay import mark
from ratf.results import Leaks, Results, load, save
from ratf.study import Study
from ratf.worth import Exam

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog

    from ratf.judge_exam import Admission
    from ratf.judging.scorers import Answers


class Phases:
    """How long each phase took, in seconds, over all starts of the same study; what a kill cut short is not in it."""

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
    """The results of a run of exactly this study, when there are any; with every judge's grades, if asked for."""
    try:
        results = load(study.folder / "results.json")
    except RaftError:
        return None
    refused = any(e.judge is not None and not e.judge.grades for e in results.exam)
    return None if results.digest != study.digest or (judge_anyway and refused) else results


def run(
    study: Study,
    progress: Progress,
    allow_leaks: bool = False,
    judge_anyway: bool = False,
    limits: Limits = NO_LIMITS,
    prices: Prices = NO_PRICES,
) -> Results:
    """Carry a study out, as far as it is not done yet, and write its results and its page.

    Raises RaftError, before anything is tuned or answered, where held-out text leaks and `allow_leaks` is not set; and
    OverBudget, with no results written, where a limit is reached.
    """
    must_have_prices(study, limits, prices)
    phases = Phases(study)
    meter = Meter(study, limits, prices, sum(phases.seconds.values()))
    with keeping(meter, study.folder):
        return _run(study, progress, allow_leaks, judge_anyway, phases, meter)


def _run(
    study: Study, progress: Progress, allow_leaks: bool, judge_anyway: bool, phases: Phases, meter: Meter
) -> Results:
    checked = watched(progress, meter)
    # replies of models are kept for good under the user's cache, where nobody else's pickles get in
    os.environ.setdefault("INSPECT_CACHE_DIR", str(cache_folder() / "replies"))
    leaks = look(study)
    refuse(leaks, allow_leaks)
    from ratf import (
        hindsight,
        hooks,  # noqa: F401  (what it registers counts every reply)
    )
    from ratf.collect import collect
    from ratf.contamination import panel
    from ratf.tune import model_of

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
            contamination = panel(study, _texts(logs), checked)
    meter.check()
    finish = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    times = {"finished": finish, "seconds": phases.seconds, "total": round(sum(phases.seconds.values()), 1)}
    found = {"leaks": leaks, "retrieval": retrieval, "contamination": contamination, "budget": meter.spent()}
    results = mark(collect(study, logs, admission, times).model_copy(update=found))
    save(results, study.folder / "results.json")
    write_report(results, study.folder)
    return results


def _prepare(study: Study, leaks: Leaks, allow_leaks: bool, progress: Progress) -> Leaks:
    """Memories and the controls' answers; and the leaks that only the memory store shows."""
    from ratf.prepare import given_answers, memories
    from ratf.swapped import memories_shown

    if any(ARMS[a].recalls for a in study.suite.arms):
        memories(study, progress)
        leaks = look_in_store(study, leaks)
        refuse(leaks, allow_leaks)
    for shown in sorted({ARMS[a].memories for a in study.suite.arms}):
        memories_shown(study, shown, progress)
    given_answers(study, progress)
    return leaks


def answer(study: Study, progress: Progress) -> None:
    """One Inspect `eval_set` over arms and controls; what is already answered in the logs is not asked again."""
    from inspect_ai import eval_set

    from ratf._registry import interview
    from ratf.hooks import counting

    names = everybody(study)
    showing = progress("answering", len(names) * len(study.held_out), "answers")
    # Inspect greets on stdout, where only the verdict belongs
    with redirect_stdout(io.StringIO()), showing as advance, counting(advance):
        eval_set(
            [interview(suite=study.suite.name, arm=name, digest=study.digest) for name in names],
            log_dir=str(logs_folder(study)),
            log_dir_allow_dirty=True,  # older studies' logs stay; they are told apart by their digest
            score=False,
            display="none",
            continue_on_fail=True,
            retry_attempts=2,
            retry_wait=1,
            retry_cleanup=False,
            max_tasks=1,
            max_samples=len(study.held_out),
            log_buffer=1,
            log_realtime=False,
            log_level="error",
        )


def everybody(study: Study) -> list[str]:
    """The arms, the controls, and the doses of the exam."""
    from ratf.controls import given_names

    return list(dict.fromkeys([*study.suite.arms, *study.suite.controls, *given_names(study)]))


def logs_folder(study: Study) -> Path:
    """Where a run's Inspect logs are."""
    return study.folder / "logs"


def score(study: Study, progress: Progress, judge_anyway: bool = False) -> "tuple[dict[str, EvalLog], Admission]":
    """The newest log of each arm, each with all scores of the suite, and which judges were let at them.

    Only missing scores are computed. A judge that failed its exam is not paid to grade, unless `judge_anyway`.
    """
    from inspect_ai.log import list_eval_logs, read_eval_log

    logs: dict[str, EvalLog] = {}
    for info in list_eval_logs(str(logs_folder(study)), descending=False):
        header = read_eval_log(info, header_only=True)
        about = header.eval.metadata or {}
        if header.status == "success" and about.get("digest") == study.digest:
            logs[str(about["arm"])] = header
    order = [a for a in everybody(study) if a in logs]
    read = {arm: read_eval_log(logs[arm].location) for arm in order}
    answers = _texts(read)
    admission = examined(study, answers, progress, judge_anyway)
    with progress("scoring", len(order), "arms") as advance:
        for arm in order:
            rivals = {a: answers[a] for a in study.suite.arms if a in answers and a != arm}
            read[arm] = _scored(study, arm, read[arm], rivals, admission)
            advance(1)
    return read, admission


def _texts(logs: "dict[str, EvalLog]") -> "Answers":
    return {arm: {str(s.id): s.output.completion for s in log.samples or []} for arm, log in logs.items()}


def examined(study: Study, answers: "Answers", progress: Progress, judge_anyway: bool = False) -> "Admission":
    """The judges' exam, sat once a study: the controls' texts are in `answers`. No judge grades before it."""
    from ratf.judge_exam import Admission
    from ratf.judging.exam import examine_judges

    path = study.folder / "judges.json"
    made = read_made(path, study.digest)
    if made is None:
        controls = {c: answers[c] for c in study.suite.controls if c in answers}
        counting = current()
        with counting.doing("exam") if counting else nullcontext():
            made = [entry.model_dump() for entry in examine_judges(study, controls, progress)]
        write_made(path, study.digest, made)
    return Admission([Exam.model_validate(entry) for entry in made], judge_anyway)


def _scored(study: Study, arm: str, log: "EvalLog", rivals: "Answers", admission: "Admission") -> "EvalLog":
    from inspect_ai import score as inspect_score
    from inspect_ai.log import write_eval_log

    from ratf.measures import warm
    from ratf.scorers import given_interview, metrics_of, scorers
    from ratf.settings import grader_roles

    samples = log.samples or []
    done = set.intersection(*(set(s.scores or {}) for s in samples)) if samples else set()
    missing = set(metrics_of(study, arm)) - done
    missing -= {m for m in missing if m.startswith("judge_") and admission.graders(m) == []}
    if not samples or not missing:
        return log
    answers = [(s.output.completion.strip(), str(s.target), given_interview(s.metadata)) for s in samples]
    warm(study, answers, sorted(missing))
    scored = inspect_score(
        log,
        scorers(study, missing, rivals, admission),
        model="none/none",
        model_roles=grader_roles(study, arm),
        action="append",
        display="none",
    )
    location = Path(log.location.removeprefix("file://"))
    aside = location.parent.parent / f".{location.name}"
    write_eval_log(scored, str(aside), format="eval")
    aside.replace(location)
    return scored


def write_report(results: Results, folder: Path) -> Path:
    """Write `report.html` and, where there are many questions, their pages: from the results and the last verdict on them."""
    return report_files.write_report(results, folder / "report.html", against(results, folder))


def describe_times(times: dict[str, Any]) -> str:
    """`prepare 12 s, tune 90 s, …`"""
    return ", ".join(f"{name} {seconds:.0f} s" for name, seconds in times["seconds"].items())
