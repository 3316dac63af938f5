"""The notes that a reader of a run should know before believing anything."""

from collections.abc import Iterator, Mapping, Sequence

from raft.people.leaks import Source, covered
from ratf.agents.earlier import provenance
from ratf.agents.memories import passages, swap_note
from ratf.results.exams import Exam
from ratf.statistics.estimates import FEW_CLUSTERS
from ratf.statistics.judges.votes import judge_note
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
    if study.suite.recalls:
        counts = ", ".join(f"{n} {reason}" for reason, n in passages(study).items())
        found.append(f"Recalled passages, and what became of them: {counts or 'none'}.")
    if any(ARMS[arm].memories == "shuffled" for arm in study.suite.arms):
        found.append(swap_note(study))
    found += [judge_note(entry) for entry in judges if not entry.admitted]
    found += [
        f"{own.name} is this suite's own metric {own.code} (sha256 {own.sha256[:12]}): `ratf verify` cannot work it out again."
        for own in study.suite.own_metrics
    ]
    alone = [g for g in study.suite.graders if g.partition("+")[0] == study.suite.models.base]
    found += [f"The grader {g} is the agents' own base model." for g in alone]
    return found


def own_notes(study: Study, answers: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """What is known of each agent of the user's own, and what no check could look at. `answers` are by arm and question."""
    for arm in study.suite.own:
        facts = {**arm.facts, **provenance(study, arm)}
        told = "; ".join(f"{key}: {value}" for key, value in facts.items())
        said = answers.get(arm.name, {})
        copied = sum(bool(_real(study, question, text)) for question, text in said.items())
        yield (
            f"{arm.name} is {arm.words}; {told}. Leaks and contamination were not checked for it, because its training, "
            f"memories and prompts cannot be read here. {copied} of its {len(said)} answers repeat 80 % or more of a real "
            f"answer{': it has read them' if copied else ''}."
        )
        if arm.solver and study.suite.answers.history == "teacher_forced":
            yield (
                f"{arm.name} can keep what it reads. So of the interview so far it is shown only the real answers whose "
                "questions are not asked here. The recipes are shown all of them."
            )


def _real(study: Study, question: str, text: str) -> bool:
    """Whether the words of a real answer, of 20 words or more, are in an answer to its question."""
    exchange = [e for e in study.held_out if e.exchange_id == question]
    return bool(covered(exchange, [Source(question, "writing", None, text)]))
