"""The exam of the judges before they may grade: their replies to its comparisons, and an entry for each metric."""

import math
from collections.abc import Mapping, Sequence
from itertools import groupby

from inspect_ai.model import Model, get_model
from inspect_ai.util import collect

from raft.errors import RaftError
from raft.models.waiting import result_of
from raft.progress import Progress, silent
from raft.text import count_words
from ratf.judges.asking import Vote, ask
from ratf.judges.comparisons import ControlTexts, ExamItem, items, requests
from ratf.judges.texts import JudgeCase, shown
from ratf.models.chat import recorded_model
from ratf.models.faults import in_short
from ratf.results.exams import Exam, GraderExam, JudgeFacts
from ratf.statistics.judges.judge_exam import CAPABLE, Trial, exam_of_grader
from ratf.statistics.judges.judge_power import LEAST_POWER, power
from ratf.statistics.judges.stopping import decided, looks
from ratf.suite.metrics import metric
from ratf.suite.rubric import CRITERIA, Rubric, of_metric
from ratf.suite.study import Study


def examine_judges(
    study: Study, given: ControlTexts, progress: Progress = silent, models: Mapping[str, Model] | None = None
) -> list[Exam]:
    """The exam entry of each judged metric of the suite, with the calls and tokens that its exam took.

    `models` replace graders of the suite by name. Raises RaftError where a grader cannot be asked at all.
    """
    graders = [
        (models or {}).get(name) or get_model(recorded_model(name, "the judges' exam")) for name in study.suite.graders
    ]
    judged = [name for name, facts in study.suite.facts.items() if facts.judged]
    entries = []
    for (name, masked), group in groupby(judged, key=lambda m: _judge_of(study, m)):
        rubric = study.suite.rubrics[name]
        todo = items(study, rubric, given, masked)
        calls = sum(1 for item in todo for _ in requests(rubric, item)) * len(graders)
        metrics = list(group)
        with progress(
            f"examining the judge {rubric.name}{', without names' if masked else ''}", max(1, calls), "replies"
        ) as advance:
            votes = _asked(study, rubric, metrics, todo, graders)
            advance(max(1, calls))
        entries += _entries(study, rubric, metrics, todo, graders, votes)
    return entries


def _judge_of(study: Study, name: str) -> tuple[str, bool]:
    rubric, _, masked = of_metric(name, study.suite.rubrics)
    return rubric.name, masked


def _asked(
    study: Study, rubric: Rubric, metrics: Sequence[str], todo: Sequence[ExamItem], graders: Sequence[Model]
) -> list[list[Vote]]:
    """Every grader's replies, up to where its exam was decided. Raises RaftError where one cannot be asked at all."""

    async def everybody() -> list[list[Vote]]:
        return await collect(*(_sit(study, rubric, metrics, todo, grader) for grader in graders))

    try:
        return result_of(everybody()) if todo else [[] for _ in graders]
    except Exception as error:
        first: BaseException = error
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        who = ", ".join(map(str, graders))
        raise RaftError(f"the judge {rubric.name} could not sit its exam with {who}: {in_short(str(first))}") from error


async def _sit(
    study: Study, rubric: Rubric, metrics: Sequence[str], todo: Sequence[ExamItem], grader: Model
) -> list[Vote]:
    """One grader's replies to the comparisons in order, until its exam is decided for each of the judge's metrics."""
    votes: list[Vote] = []
    named, counted = list(zip(metrics, CRITERIA[rubric.form], strict=True)), rubric.form == "claims"
    before = 0
    for upto in looks(len(todo)):
        votes += await collect(
            *(
                ask(grader, rubric, item.case, flipped, study.suite.models.replies, repeat)
                for item in todo[before:upto]
                for flipped, repeat in requests(rubric, item)
            )
        )
        if all(decided(trials(rubric, name, criterion, todo[:upto], votes), counted) for name, criterion in named):
            break
        before = upto
    return votes


def _entries(
    study: Study,
    rubric: Rubric,
    metrics: list[str],
    todo: list[ExamItem],
    graders: list[Model],
    votes: list[list[Vote]],
) -> list[Exam]:
    entries = []
    for name, criterion in zip(metrics, CRITERIA[rubric.form], strict=True):
        if not todo:
            entries.append(_not_examined(study, name, rubric))
            continue
        found = [_exam(study, rubric, name, criterion, todo, g, v) for g, v in zip(graders, votes, strict=True)]
        entry, _ = max(found, key=lambda f: (f[1].admitted, f[0].low or 0.0))
        facts = JudgeFacts(
            rubric=rubric.name,
            version=rubric.version,
            digest=rubric.digest,
            form=rubric.form,
            graders=[facts for _, facts in found],
            comparisons=len(todo),
            calls=sum(map(len, votes)),
            tokens=sum(v.tokens for of in votes for v in of),
            grades=False,
        )
        entries.append(entry.model_copy(update={"judge": facts}))
    return entries


def _not_examined(study: Study, name: str, rubric: Rubric) -> Exam:
    why = "not examined: the suite's controls lack texts of the person's own, or of others, that this axis needs"
    numbers = {"auc": None, "low": None, "high": None, "n": 0, "interviews": 0, "unscored": 0}
    return Exam(metric=name, axis=rubric.meant, admitted=False, reason=why, bar=study.suite.exam.bar, **numbers)


def _exam(
    study: Study, rubric: Rubric, name: str, criterion: str, todo: list[ExamItem], grader: Model, votes: list[Vote]
) -> tuple[Exam, GraderExam]:
    asked = trials(rubric, name, criterion, _answered(rubric, todo, len(votes)), votes)
    cluster = {e.exchange_id: e.interview_id for e in study.held_out}
    bar, counted = study.suite.exam.bar, rubric.form == "claims"
    entry, facts = exam_of_grader(
        str(grader), name, rubric.meant, asked, cluster, bar, rubric.reads_real, counted, of=len(todo)
    )
    chance = power([_as_asked(rubric, i) for i in todo], rubric.meant, cluster, bar, rubric.reads_real, counted)
    facts = facts.model_copy(update={"power": chance})
    if not entry.admitted and chance < LEAST_POWER and len(asked) == len(todo):
        few = f"{entry.reason}; of judges that are right {CAPABLE:.0%} of the time, {len(todo)} comparisons admit {chance:.0%}"
        entry, facts = entry.model_copy(update={"reason": few}), facts.model_copy(update={"reason": few})
    return entry, facts


def _answered(rubric: Rubric, todo: Sequence[ExamItem], votes: int) -> Sequence[ExamItem]:
    """The comparisons, from the first, that so many votes answer."""
    for n, item in enumerate(todo):
        if votes <= 0:
            return todo[:n]
        votes -= sum(1 for _ in requests(rubric, item))
    return todo


def _as_asked(rubric: Rubric, item: ExamItem) -> Trial:
    """The comparison without what was replied to it."""
    keys = set(requests(rubric, item))
    back, again = (0.0 if key in keys else None for key in ((True, 0), (False, 1)))
    return Trial(item.case.key, item.control, item.kind, 0.0, 0.0, back, again, rival=item.rival)


def trials(rubric: Rubric, name: str, criterion: str, todo: Sequence[ExamItem], votes: Sequence[Vote]) -> list[Trial]:
    """A grader's trials, one a comparison in order, with grades scaled to 0..1 and turned so that 1 is the person."""
    facts, left = metric(name), iter(votes)

    def turned(vote: Vote | None) -> float | None:
        if vote is None or vote.reading.values is None:
            return None
        value = vote.reading.values[criterion] / (facts.top or 1)
        return 1 - value if facts.better == "lower" else value

    found: list[Trial] = []
    clean: dict[tuple[str, str], float | None] = {}
    for item in todo:
        mine = {key: next(left) for key in requests(rubric, item)}
        readings = [v.reading for v in mine.values()]
        leaning = [v.reading.first for (_, repeat), v in mine.items() if v.reading.first is not None and not repeat]
        trial = Trial(
            question=item.case.key,
            control=item.control,
            kind=item.kind,
            length=_length(rubric, item.case),
            drawn=turned(mine[False, 0]),
            reversed=turned(mine.get((True, 0))),
            again=turned(mine.get((False, 1))),
            first_named=sum(leaning) / len(leaning) if leaning else None,
            clean=clean.get((item.case.key, item.control)) if item.kind == "probe" else None,
            replies=len(readings),
            unreadable=sum(r.values is None for r in readings),
            refused=sum(r.values is None and r.refused for r in readings),
            raw=tuple(r.why for r in readings if r.values is None),
            rival=item.rival,
        )
        clean.setdefault((item.case.key, item.control), trial.grade)
        found.append(trial)
    return found


def _length(rubric: Rubric, case: JudgeCase) -> float:
    """The log number of words that the judge was shown, less any rival's; what was cut cannot have swayed it."""
    words, rival = (math.log(max(1, count_words(shown(rubric, case, t)))) for t in (case.answer, case.rival))
    return words - rival if case.rival else words
