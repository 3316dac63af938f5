"""Metrics as scorers that Inspect finds by name, as `ratf/rouge_l`: for any log that has targets, and for a study's samples."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import TaskState

from raft.errors import RaftError
from raft.models.names import EMBEDDER
from ratf.models.states import state_of
from ratf.suite.metrics import METRICS

OfSample = Callable[[TaskState, str], float | tuple[float, dict[str, float]] | str | None]
"""(the sample, its real answer) to a score, alone or with the numbers that it was put together from.

Where there is none it is why, or None for an answer too short.
"""

_of_study: ContextVar[OfSample | None] = ContextVar("measure", default=None)


@contextmanager
def measuring(measure: OfSample) -> Iterator[None]:
    """Let the scorers that are made in this context score with `measure`.

    `measure` may read a study, which cannot be an argument of a scorer, because logs keep those.
    """
    before = _of_study.set(measure)
    try:
        yield
    finally:
        _of_study.reset(before)


@cache
def named(name: str) -> Callable[[str], Scorer]:
    """The maker of a metric's scorer, registered with Inspect as `ratf/<name>`.

    Its argument `embedder` names an embedder. A scorer that is made by name compares each answer with its target and
    reads nothing else. Making one raises RaftError for a metric that reads more of a study.
    """

    @scorer(metrics=[mean()], name=name)
    def make(embedder: str = EMBEDDER) -> Scorer:
        measure = _of_study.get() or _alone(name, embedder)

        async def score(state: TaskState, target: Target) -> Score:
            answer = state.output.completion.strip()
            if left_out := state_of(state.output, state.metadata)[1]:
                return Score.unscored(reason=left_out)
            if not target.text.strip():
                return Score.unscored(reason="no target to compare with")
            value = measure(state, target.text)
            if value is None or isinstance(value, str):
                return Score.unscored(reason=value or "too short to score")
            score, parts = value if isinstance(value, tuple) else (value, {})
            told = {name: round(part, 6) for name, part in parts.items()}
            return Score(value=round(score, 6), answer=answer, metadata=told or None)

        return score

    return make


def _alone(name: str, embedder: str) -> OfSample:
    """A metric of an answer and its target alone. Raises RaftError for a metric that reads more of a study."""
    from ratf.scores.measures import OF_TEXTS, TextMeasures

    if name not in OF_TEXTS:
        raise RaftError(
            f"ratf/{name} reads more of a study than an answer and its target, so only `ratf run` scores it; scorers of "
            f"other logs are: {', '.join(f'ratf/{metric}' for metric in OF_TEXTS)}"
        )
    texts = TextMeasures(embedder)

    def measure(state: TaskState, real: str) -> float | tuple[float, dict[str, float]] | str | None:
        answer = state.output.completion.strip()
        texts.warm([(answer, real)], [name])
        return OF_TEXTS[name](texts, answer, real)

    return measure


def register() -> None:
    """Let Inspect find every metric by its name."""
    for name in METRICS:
        named(name)
