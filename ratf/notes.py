"""What a reader should know before believing anything."""

from ratf.arms import ARMS
from ratf.prepare import passages
from ratf.statistics import FEW_CLUSTERS
from ratf.study import Study


def notes(study: Study) -> list[str]:
    """What a reader should know before believing anything."""
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
    if any(ARMS[arm].memories == "own" for arm in study.suite.arms):
        counts = ", ".join(f"{n} {reason}" for reason, n in passages(study).items())
        found.append(f"Recalled passages, and what became of them: {counts or 'none'}.")
    grader = study.suite.models.grader
    if grader and grader.partition("+")[0] == study.suite.models.base:
        found.append(f"The grader {grader} is the agents' own base model.")
    return found
