"""Scores by metrics of the user's own: whatever their code does, only a number counts, and anything else is unscored."""

import io
import math
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from copy import deepcopy
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
from inspect_ai.model import ChatMessageAssistant, ModelName, ModelOutput
from inspect_ai.scorer import CORRECT, INCORRECT, NOANSWER, PARTIAL, Score, Scorer, Target, mean, scorer
from inspect_ai.solver import TaskState

from raft.errors import RaftError
from raft.types import Vectors
from ratf.models.faults import in_short
from ratf.models.recorded.recordings import Request
from ratf.models.recorded.replay import session
from ratf.models.states import state_of
from ratf.scores.measures import asked, text_measures
from ratf.suite.own_metrics import MOST, SAMPLE, OwnMetric, function_of, words_of
from ratf.suite.study import Study

GRADES = {CORRECT: 1.0, PARTIAL: 0.5, INCORRECT: 0.0}
"""The letters with which scorers of Inspect's grade."""

HIDDEN = "hidden/model"
"""What a scorer sees in place of the name of who answered."""

SHOWN = ("question", "interview_id", "date", "memories")
"""What of a sample's metadata a scorer sees. The rest says whether an answer is a control's, which the exam hides."""


def own_scorer(study: Study, own: OwnMetric) -> Scorer:
    """The scorer of a metric of the user's own. Raises DataError where its code is not what the suite was read with."""
    function = function_of(own, study.path.parent if study.path else Path())
    given = _by_scorer(study, own, function) if SAMPLE in own.reads else _by_function(study, own, function)

    # a scorer's arguments are written into the log, so the study is not one
    @scorer(metrics=[mean()], name=own.name)
    def scores(code: str, sha256: str) -> Scorer:
        async def score(state: TaskState, target: Target) -> Score:
            answer = state.output.completion.strip()
            if left_out := state_of(state.output, state.metadata)[1]:
                return Score.unscored(reason=left_out)
            try:
                value = number(await given(state, target), own)
            except RaftError:  # of this program: a budget that is spent, a reply that a recording lacks
                raise
            except (Exception, SystemExit) as error:
                said = in_short(words_of(error))
                what = f"{type(error).__name__}: {said}" if said else type(error).__name__
                return Score.unscored(reason=f"{own.code} raised {what}")
            if isinstance(value, str):
                return Score.unscored(reason=value)
            return Score(value=round(value, 6), answer=answer)

        return score

    return scores(own.code, own.sha256)


def number(value: Any, own: OwnMetric) -> float | str:
    """The score that a metric's code gave, or why it is none."""
    plain = (
        value.item() if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0) else value
    )
    if plain is None:
        return f"{own.code} gave no score"
    if not isinstance(plain, Real):
        return f"{own.code} gave a value of the type {type(value).__name__}, not a number"
    found = float(plain)
    if not math.isfinite(found) or abs(found) > MOST:
        return f"{own.code} gave {found:g}, which is no score"
    if own.top is not None and found > own.top + 1e-9:
        return f"{own.code} gave {found:g}, above its `top` of {own.top:g}"
    return found


_Given = Callable[[TaskState, Target], Any]


def _by_function(study: Study, own: OwnMetric, function: Callable[..., Any]) -> _Given:
    texts = text_measures(study)

    def embed(several: Sequence[str]) -> Vectors:
        """Unit vectors of the suite's embedder, one row a text."""
        rows = texts.vectors([several] if isinstance(several, str) else list(several))
        return np.stack(rows) if rows else np.zeros((0, 0), dtype=np.float32)

    whole = {"earlier": tuple(e.answer for e in study.earlier), "embed": embed}

    async def given(state: TaskState, target: Target) -> Any:
        known = {
            "answer": state.output.completion.strip(),
            "real": target.text,
            "question": asked(study, str(state.sample_id)),
            **whole,
        }
        with redirect_stdout(io.StringIO()):  # stdout has the verdict alone
            return function(**{name: known[name] for name in own.reads})

    return given


def _by_scorer(study: Study, own: OwnMetric, make: Callable[..., Any]) -> _Given:
    """By a scorer of Inspect's, which may ask models: its whole score is recorded, and a replay runs none of its code."""
    inner: Scorer | None = None

    async def given(state: TaskState, target: Target) -> Any:
        nonlocal inner
        listening, who = session(), f"{own.name}, question {state.sample_id}"
        request = _request(own, state, target)
        at, reply = listening.take(request, who) if listening else (0, None)
        if reply is None:
            inner = inner or make()
            reply = _plain(await inner(_seen(state), target))
            if listening:
                reply = listening.keep(request, at, reply, who)
        if isinstance(reply, dict):
            raise TypeError(reply["trouble"])
        return reply

    return given


def _seen(state: TaskState) -> TaskState:
    """A copy of a sample without what says whose answer it is: a control's stands in place of a model's name."""
    seen = deepcopy(state)
    seen._model = ModelName(HIDDEN)
    seen.metadata = {key: seen.metadata[key] for key in SHOWN if key in seen.metadata}
    seen.output = ModelOutput.from_content(HIDDEN, state.output.completion)
    seen.messages = [
        m.model_copy(update={"model": HIDDEN}) if isinstance(m, ChatMessageAssistant) else m for m in seen.messages
    ]
    return seen


def _plain(score: Any) -> Any:
    """A scorer's score as JSON holds it: a number, None, or what is wrong with it."""
    if not isinstance(score, Score):
        return {"trouble": f"it gave {type(score).__name__}; a scorer gives a Score"}
    value = score.value
    if value == NOANSWER or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str):
        return GRADES.get(value, {"trouble": f"its value is the text {value[:40]!r}, not a number"})
    if isinstance(value, bool | int | float):
        return float(value) if math.isfinite(value) else {"trouble": f"its value is {value:g}"}
    return {"trouble": f"its value is a {type(value).__name__}; a metric is one number"}


def _request(own: OwnMetric, state: TaskState, target: Target) -> Request:
    said = (("answer", state.output.completion), ("real", target.text))
    return {
        "kind": "score",
        "model": own.code,
        "sha256": own.sha256,
        "question": str(state.sample_id),
        "messages": [{"role": role, "content": text.split("\n")} for role, text in said],
    }
