"""Scores added to the logs of a run: the judges' exam first, then what each log lacks."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raft.progress import Progress
from ratf.agents.given.controls import everybody
from ratf.models.budget import current
from ratf.models.states import state_of
from ratf.results.exams import Exam
from ratf.results.folder import newest_logs
from ratf.suite.arms import WRITTEN
from ratf.suite.metrics import is_judged
from ratf.suite.study import Study, logs_folder

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalSample

    from ratf.judges.scorers import AnswersByArm, Rivals
    from ratf.statistics.judges.judge_exam import Admission


def score(study: Study, progress: Progress, judge_anyway: bool = False) -> "tuple[dict[str, EvalLog], Admission]":
    """The newest log of each arm, with all scores of the suite, and which judges were admitted to grade them.

    Only missing scores are computed. A judge that failed its exam is not paid to grade, unless `judge_anyway`.
    """
    from inspect_ai.log import read_eval_log

    logs = newest_logs(logs_folder(study), study.digest)
    order = [a for a in everybody(study) if a in logs]
    read = {arm: read_eval_log(logs[arm].location) for arm in order}
    admission = examined(study, first_answers(read), progress, judge_anyway)
    rivals = {arm: {(str(s.id), s.epoch): _said(s) for s in read[arm].samples or []} for arm in order}
    with progress("scoring", len(order), "arms") as advance:
        for arm in order:
            others = {a: rivals[a] for a in study.suite.all_arms if a in rivals and a != arm}
            read[arm] = _scored(study, arm, read[arm], others, admission)
            advance(1)
    return read, admission


def first_answers(logs: "dict[str, EvalLog]") -> "AnswersByArm":
    """The first answer to each question, by arm or control, then by question id; not those that ended in an error."""
    return {
        arm: {str(s.id): _said(s) for s in log.samples or [] if s.epoch == 1 and s.error is None}
        for arm, log in logs.items()
    }


def _said(sample: "EvalSample") -> str:
    """What an arm answered; nothing where it refused to."""
    return "" if state_of(sample.output, sample.metadata)[1] else sample.output.completion


def examined(study: Study, answers: "AnswersByArm", progress: Progress, judge_anyway: bool = False) -> "Admission":
    """Which judges may grade, by their exam on the controls' texts in `answers`; it is held once a study.

    No judge reads a paraphrase that failed its check.
    """
    from ratf.judges.exam import examine_judges
    from ratf.scores.paraphrases import checked
    from ratf.statistics.judges.judge_exam import Admission

    def examine() -> list[dict[str, Any]]:
        controls = {c: dict(answers[c]) for c in study.suite.controls if c in answers}
        said = checked(study, controls.get("paraphrase", {})) if study.suite.rubrics else None
        for question in said.refused if said else ():
            del controls["paraphrase"][question]
        counting = current()
        with counting.doing("exam") if counting else nullcontext():
            return [entry.model_dump() for entry in examine_judges(study, controls, progress)]

    # what ended in an error is asked again by the next start, which holds another exam then
    written = [c for c in WRITTEN if c in answers and len(answers[c]) < len(study.held_out)]
    made = study.made("judges", examine, f"without all of {', '.join(written)}" if written else "")
    return Admission([Exam.model_validate(entry) for entry in made], judge_anyway)


def _scored(study: Study, arm: str, log: "EvalLog", rivals: "Rivals", admission: "Admission") -> "EvalLog":
    from inspect_ai import score as inspect_score
    from inspect_ai.log import write_eval_log

    from ratf.agents.roles import grader_roles
    from ratf.scores.coverage import Beside
    from ratf.scores.measures import asked, warm
    from ratf.scores.scorers import metrics_of, scorers
    from ratf.scores.style.speaking import SURPRISE, VOICE, answered, warm_voice

    samples = log.samples or []
    if study.suite.own_arm(arm):  # nobody who answered could read the real answers in them
        real = {e.exchange_id: e.answer for e in study.held_out}
        for sample in samples:
            sample.target = real[str(sample.id)]
    done = set.intersection(*(set(s.scores or {}) for s in samples)) if samples else set()
    missing = set(metrics_of(study, arm)) - done
    missing -= {m for m in missing if is_judged(m) and admission.graders(m) == []}
    if not samples or not missing:
        return log
    for sample in samples:  # an arm that was asked on has answers with scores and others without
        sample.scores = {name: s for name, s in (sample.scores or {}).items() if name not in missing}
    answers = [Beside(s.output.completion.strip(), str(s.target), asked(study, str(s.id))) for s in samples]
    warm(study, answers, sorted(missing))
    if {VOICE, SURPRISE} & missing:
        warm_voice(study, [answered(str(s.id), s.output.completion.strip(), s.metadata, s.epoch) for s in samples])
    scored = inspect_score(
        log,
        scorers(study, missing, rivals, admission),
        copy=False,
        model="none/none",
        model_roles=grader_roles(study, arm),
        action="append",
        display="none",
    )
    location = Path(log.location.removeprefix("file://"))
    aside = study.folder / f".{location.name}"
    write_eval_log(scored, str(aside), format="eval")
    aside.replace(location)
    return scored
