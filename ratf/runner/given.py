"""The logs of answers that exist already. They are ordinary logs of Inspect's, written at once: nobody has to be asked.

Inspect's own evaluation of a sample takes several times as long as all that is left of it here, because it is made for models.
"""

import uuid
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from inspect_ai import Task
from inspect_ai import score as inspect_score
from inspect_ai.dataset import Sample
from inspect_ai.log import (
    EvalConfig,
    EvalDataset,
    EvalLog,
    EvalPlan,
    EvalPlanStep,
    EvalResults,
    EvalSample,
    EvalSpec,
    EvalStats,
    write_eval_log,
)
from inspect_ai.model import ChatMessageUser, ModelName
from inspect_ai.scorer import Target
from inspect_ai.solver import TaskState

from ratf._registry import interview
from ratf.agents.questions import give, given_name
from ratf.scores.scorers import metrics_of, scored_at_once, scorers
from ratf.suite.study import Study, being_run

NOBODY = "none/none"
"""The model in the log: none is asked."""


def write_given(study: Study, arm: str, folder: Path) -> None:
    """Write the log of an arm or control whose answers exist already into a folder of logs, with its quick scores."""
    with being_run(study):
        log = _log(interview(suite=study.suite.name, arm=arm, digest=study.digest), study, arm)
    metrics = set(metrics_of(study, arm)) if scored_at_once(study) else set()
    if log.samples and metrics:
        log = inspect_score(log, scorers(study, metrics, warm=True), copy=False, model=NOBODY, display="none")
        for sample in log.samples or []:
            sample.events = []  # they say no more than the scores do, and are most of what a log takes
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{log.eval.created.replace(':', '-').replace('+', '-')}_interview_{log.eval.task_id}.eval"
    aside = folder / f".{name}.part"
    write_eval_log(log, str(aside), format="eval")
    aside.replace(folder / name)


def _log(task: Task, study: Study, arm: str) -> EvalLog:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    samples = [_answered(sample, arm, now) for sample in task.dataset]
    asked = {"suite": study.suite.name, "arm": arm, "digest": study.digest}
    spec = EvalSpec(
        eval_id=uuid.uuid4().hex,
        run_id=uuid.uuid4().hex,
        created=now,
        task="ratf/interview",
        task_id=uuid.uuid4().hex[:22],
        task_display_name=task.display_name,
        task_registry_name="ratf/interview",
        task_args=asked,
        task_args_passed=asked,
        tags=sorted(task.tags or []),
        dataset=EvalDataset(
            name=task.dataset.name, samples=len(samples), sample_ids=[s.id for s in samples], shuffled=False
        ),
        model=NOBODY,
        config=EvalConfig(epochs=1),
        packages={"inspect_ai": version("inspect_ai")},
        metadata=task.metadata,
    )
    step = EvalPlanStep(solver="ratf/given", params={"name": given_name(arm)})
    return EvalLog(
        status="success",
        eval=spec,
        plan=EvalPlan(steps=[step]),
        results=EvalResults(total_samples=len(samples), completed_samples=len(samples)),
        stats=EvalStats(started_at=now, completed_at=now),
        samples=samples,
    )


def _answered(sample: Sample, arm: str, now: str) -> EvalSample:
    """The sample as it is in a log, with the answer that its metadata hold."""
    assert sample.id is not None and isinstance(sample.input, str)
    state = give(
        TaskState(
            model=ModelName(NOBODY),
            sample_id=sample.id,
            epoch=1,
            input=sample.input,
            messages=[ChatMessageUser(content=sample.input, source="input")],
            target=Target(sample.target),
            metadata=sample.metadata,
        ),
        given_name(arm),
    )
    return EvalSample(
        id=sample.id,
        epoch=1,
        input=sample.input,
        target=sample.target,
        messages=state.messages,
        output=state.output,
        metadata=state.metadata,
        started_at=now,
        completed_at=now,
        total_time=0.0,
        working_time=0.0,
        uuid=state.uuid,
    )
