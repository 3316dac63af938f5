"""Judges as Inspect scorers: one scalar each, since dict-valued scores of two judges would collide by key."""

from collections.abc import Callable, Mapping, Sequence

from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import TaskState

from ratf.judges.asking import Replies, ask_panel, bound_graders, pooled
from ratf.judges.texts import JudgeCase, case_of, harmless
from ratf.models.states import state_of
from ratf.suite.rubric import Rubric, of_metric
from ratf.suite.study import Study

Cases = Callable[[TaskState, str], dict[str, JudgeCase]]
"""A function from (the sample, its real answer) to the cases to judge: one, unnamed, or one by each other arm."""


AnswersByArm = Mapping[str, Mapping[str, str]]
"""Answers by arm, then by question id."""


Rivals = Mapping[str, Mapping[tuple[str, int], str]]
"""Answers by arm, then by (question id, number of the answer from 1)."""


def judge(study: Study, name: str, rivals: Rivals | None = None, graders: Sequence[str] | None = None) -> Scorer:
    """The scorer of a judge's metric.

    `rivals` are the other arms' answers, with which a pairwise judge compares by number: the first with the first.
    `graders` names the models of the role `grader` that have passed their exam; only they are asked. By default all
    are.
    """
    rubric, criterion, masked = of_metric(name, study.suite.rubrics)

    def cases(state: TaskState, real: str) -> dict[str, JudgeCase]:
        key, mine = str(state.sample_id), state.output.completion.strip()
        if rubric.form != "pairwise":
            return {"": case_of(study, rubric, key, mine, real, masked)}
        texts = {arm: of.get((key, state.epoch), "").strip() for arm, of in (rivals or {}).items()}
        return {arm: case_of(study, rubric, key, mine, text, masked) for arm, text in texts.items() if text}

    return judging(name, rubric, criterion, cases, study.suite.models.replies, graders)


def judging(
    name: str,
    rubric: Rubric,
    criterion: str,
    cases: Cases,
    replies: Replies = "auto",
    admitted: Sequence[str] | None = None,
) -> Scorer:
    """The scorer of a judge on the cases that `cases` gives. It needs the role `grader`, one model or a panel."""

    @scorer(metrics=[mean()], name=name)
    def make() -> Scorer:
        async def score(state: TaskState, target: Target) -> Score:
            answer = state.output.completion.strip()
            if left_out := state_of(state.output, state.metadata)[1]:
                return Score.unscored(reason=left_out)
            if not harmless(answer):
                return Score.unscored(reason="empty answer")
            todo = cases(state, target.text)
            if not todo:
                return Score.unscored(reason="no other arm's answer to compare with")
            graders = [g for g in bound_graders() if admitted is None or str(g) in admitted]
            votes = await ask_panel(graders, rubric, list(todo.values()), replies)
            each = len(votes) // len(todo)
            grades = [pooled(votes[i * each : (i + 1) * each]) for i in range(len(todo))]
            numbers = {key: g[criterion] for key, g in zip(todo, grades, strict=True) if g is not None}
            about = {
                "rubric": rubric.digest,
                "version": rubric.version,
                "votes": [v.record(criterion) for v in votes],
                "against": {arm: number for arm, number in numbers.items() if arm},
            }
            why = " | ".join(dict.fromkeys(v.reading.why for v in votes))[:2000]
            if not numbers:
                return Score.unscored(reason="parse", answer=answer, explanation=why, metadata=about)
            grade = round(sum(numbers.values()) / len(numbers), 6)
            return Score(value=grade, answer=answer, explanation=why, metadata=about)

        return score

    return make()
