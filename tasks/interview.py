"""The experiment: one arm of a suite answers the person's held-out interview questions.

inspect eval tasks/interview.py                                        # the bare model on the demo suite
inspect eval tasks/interview.py -T arm=raft                            # full RAFT (tunes first, minutes on a CPU)
inspect eval tasks/interview.py --model openai/gpt-5 -T arm=rag_only   # another model with the person's memories
"""

from inspect_ai import Task, task
from inspect_ai.solver import Solver

from ratf.agents.alone import must_run_here, told_in_a_sentence
from ratf.agents.free_running import free_running
from ratf.agents.own import answering_alone
from ratf.agents.questions import answering, given, given_name, questions
from ratf.agents.roles import answer_config, grader_roles, model_under_test
from ratf.scores.scorers import metrics_of, scored_at_once, scorers
from ratf.suite.arms import ARMS, GIVEN, WRITTEN
from ratf.suite.study import Study, current_study, open_study


def _solver(study: Study, arm: str) -> Solver:
    own = study.suite.own_arm(arm)
    if arm in GIVEN or (own and own.given):
        return given(given_name(arm))
    if own and own.solver:
        return answering_alone(study, own)
    if (own or arm in ARMS) and study.suite.answers.history == "free_running":
        return free_running(study, arm)
    return answering(study)


@task
def interview(suite: str = "demo", arm: str = "baseline", data: str | None = None, digest: str | None = None) -> Task:
    """One arm or control of a suite; `digest` names the study that is being run, where one is."""
    if digest:
        return _task(current_study(digest), arm, alone=False)
    with told_in_a_sentence():
        study = open_study(suite, data)
        must_run_here(study, arm)
        return _task(study, arm, alone=True)


def _task(study: Study, arm: str, alone: bool) -> Task:
    own, times = study.suite.own_arm(arm), study.suite.times(arm)
    asked = questions(study, arm)
    wanted = None if own else scorers(study, warm=True)
    if not alone and scored_at_once(study) and (not own or own.given):
        wanted = scorers(study, set(metrics_of(study, arm)), warm=True) or None
        real = {e.exchange_id: e.answer for e in study.held_out}
        for sample in asked if own else ():  # these answers were given before, so nobody could read it in the sample
            sample.target = real[str(sample.id)]
    is_control = arm in GIVEN or arm in WRITTEN
    return Task(
        dataset=asked,
        solver=_solver(study, arm),
        # the samples of an agent of the user's own that answers now hold no real answer; `ratf run` scores them afterwards
        scorer=wanted,
        model=model_under_test(study, arm, obey=alone),
        # nobody is asked for a control's answer, so its log names no model
        model_roles=None if own or (arm in GIVEN and not alone) else grader_roles(study),
        epochs=times if times > 1 else None,
        config=answer_config(study, arm),
        metadata={"suite": study.suite.name, "arm": arm, "digest": study.digest, "person": study.person.key},
        tags=["ratf", arm],
        display_name=f"{study.person.key} · {'control: ' if is_control else ''}{arm}",
    )
