"""The notes that a reader of a run should know before believing anything."""

from collections.abc import Sequence

from ratf.agents.memories import passages, swap_note
from ratf.results.exams import Exam
from ratf.statistics.estimates import FEW_CLUSTERS
from ratf.statistics.votes import judge_note
from ratf.suite.arms import ARMS
from ratf.suite.study import Study


def notes(study: Study, judges: Sequence[Exam] = ()) -> list[str]:
    """The notes on a run for its reader, as sentences. `judges` are the entries of their exams."""
    found: list[str] = []
    interviews = len({e.interview_id for e in study.held_out})
    if 1 < interviews < FEW_CLUSTERS:
        found.append(f"Only {interviews} interviews are held out: intervals from fewer than {FEW_CLUSTERS} are shaky.")
    undated = sum(i.date is None for i in study.person.interviews) + sum(d.date is None for d in study.person.documents)
    if undated:
        found.append(f"{undated} undated records were allowed: they cannot be shown to be older than the questions.")
    if study.suite.answers.history == "teacher_forced":
        found.append(
            "Earlier questions of the same interview are shown with the person's real answers (teacher-forced)."
        )
    if study.suite.answers.history == "free_running":
        found.append("Earlier questions of the same interview are shown with the agent's own answers (free-running).")
    if study.suite.answers.samples > 1:
        found.append(
            f"Every arm answered each question {study.suite.answers.samples} times, controls once: a question counts once, "
            "with the mean of its answers' scores, and the first answer is shown."
        )
    if any(ARMS[arm].recalls for arm in study.suite.arms):
        counts = ", ".join(f"{n} {reason}" for reason, n in passages(study).items())
        found.append(f"Recalled passages, and what became of them: {counts or 'none'}.")
    if any(ARMS[arm].memories == "shuffled" for arm in study.suite.arms):
        found.append(swap_note(study))
    found += [judge_note(entry) for entry in judges if not entry.admitted]
    alone = [g for g in study.suite.graders if g.partition("+")[0] == study.suite.models.base]
    found += [f"The grader {g} is the agents' own base model." for g in alone]
    return found
