"""The deterministic metrics as Inspect scorers, one scalar each, and the suite's list of scorers."""

from collections.abc import Callable

from inspect_ai.scorer import Scorer
from inspect_ai.solver import TaskState

from ratf.judges.scorers import Rivals, judge
from ratf.scores import measures
from ratf.scores.content_exam import read_by
from ratf.scores.coverage import Beside
from ratf.scores.named import measuring, named
from ratf.scores.own import own_scorer
from ratf.scores.style.speaking import SURPRISE, VOICE, answered, judged, warm_voice
from ratf.statistics.judges.judge_exam import Admission
from ratf.suite.arms import CEILING, FLOOR, MADE
from ratf.suite.metrics import Metric, is_judged
from ratf.suite.study import Study

Measure = Callable[[Study, TaskState, str], float | measures.Parts | str | None]
"""(the study, the sample, its real answer) to a score; where there is none, why, or None for an answer too short."""


def _answer(state: TaskState) -> str:
    return state.output.completion.strip()


def _of_texts(measure: measures.OfTexts) -> Measure:
    return lambda study, state, real: measure(measures.text_measures(study), _answer(state), real)


def _coverage(study: Study, state: TaskState, real: str) -> measures.Parts | None:
    return measures.coverage(study, _beside(study, state, real))


def _beside(study: Study, state: TaskState, real: str) -> Beside:
    return Beside(_answer(state), real, measures.asked(study, str(state.sample_id)))


def _rank(study: Study, state: TaskState, real: str) -> float:
    return measures.reciprocal_rank(study, str(state.sample_id), _answer(state))


def _voice(study: Study, state: TaskState, real: str) -> float | str:
    return judged(study, answered(str(state.sample_id), _answer(state), state.metadata)).voice


def _surprise(study: Study, state: TaskState, real: str) -> float | str:
    return judged(study, answered(str(state.sample_id), _answer(state), state.metadata)).surprise


def _copying(study: Study, state: TaskState, real: str) -> float | None:
    # free-running, what it remembered is known only to the sample
    return measures.copied(study, _answer(state), [m["text"] for m in state.metadata.get("memories", [])])


def _nli(study: Study, state: TaskState, real: str) -> measures.Parts | str:
    return measures.nli(study, _answer(state), real)


MEASURES: dict[str, Measure] = {
    **{name: _of_texts(measure) for name, measure in measures.OF_TEXTS.items()},
    "embedding_rank": _rank,
    "sentence_coverage": _coverage,
    "nli": _nli,
    VOICE: _voice,
    SURPRISE: _surprise,
    "copying": _copying,
}


QUICK = frozenset({"rouge_1", "rouge_2", "rouge_l", "length_ratio"})
"""The metrics that read two texts and nothing else, and gain nothing where many answers are worked out at once."""


def scored_at_once(study: Study) -> bool:
    """Whether each answer is scored when it comes. Else the logs are read, scored and written again once all answers are there."""
    return QUICK.issuperset(study.suite.metrics)


def metrics_of(study: Study, arm: str) -> list[str]:
    """What an arm or control is scored on. A judge is paid for arms, floor and ceiling; the rest it saw in its exam.
    Surprise is for arms alone: reading what people said would take minutes, and says nothing that their norms don't."""

    def scored(name: str, facts: Metric) -> bool:
        if arm in MADE:
            return not facts.judged and arm in read_by({facts.axis, *facts.also})
        if arm in study.suite.all_arms:
            return True
        if not facts.judged:
            return name != SURPRISE
        # arms are compared with each other, controls are not arms
        return arm in (FLOOR, CEILING) and facts.criterion != "won"

    return [name for name, facts in study.suite.facts.items() if scored(name, facts)]


def scorers(
    study: Study,
    only: set[str] | None = None,
    rivals: Rivals | None = None,
    admission: Admission | None = None,
    warm: bool = False,
) -> list[Scorer]:
    """The scorers of a study's metrics, or of those in `only`.

    A pairwise judge compares with the answers in `rivals`. `admission` says which graders may grade; without it, all.
    A scorer looks up what `measures.warm` has worked out for many answers at once. With `warm`, each answer is worked
    out when it comes, as `inspect eval` needs it.
    """
    names = [m for m in study.suite.metrics if only is None or m in only]
    return [
        judge(study, n, rivals, admission.graders(n) if admission else None)
        if is_judged(n)
        else own_scorer(study, own)
        if (own := study.suite.own_metric(n))
        else _scorer(n, study, warm)
        for n in names
    ]


def _scorer(name: str, study: Study, warm: bool) -> Scorer:
    measure = MEASURES[name]

    def of_sample(state: TaskState, real: str) -> float | measures.Parts | str | None:
        if warm and name in (VOICE, SURPRISE):
            warm_voice(study, [answered(str(state.sample_id), _answer(state), state.metadata)])
        elif warm:
            measures.warm(study, [_beside(study, state, real)], [name])
        return measure(study, state, real)

    with measuring(of_sample):
        return named(name)(study.suite.models.embedder)
