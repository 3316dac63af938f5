import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessageAssistant,
    ModelOutput,
    ModelUsage,
    get_model,
)
from sklearn.metrics import roc_auc_score

from raft.types import Vectors
from ratf.agents.given.controls import controls
from ratf.scores.measures import Lookup, runs
from ratf.scores.scorers import scorers
from ratf.statistics.style import Spoken, StyleIdentity
from ratf.suite.study import open_study


def reply(text: str) -> ModelOutput:
    """A model's reply."""
    choice = ChatCompletionChoice(message=ChatMessageAssistant(content=text))
    return ModelOutput(model="m", choices=[choice], usage=ModelUsage())


def test_an_empty_answer_is_unscored(tiny: Path, tmp_path: Path, cache: Path) -> None:
    study = open_study(str(tiny), out=str(tmp_path / "run"))
    e = study.held_out[0]
    sample = Sample(id=e.exchange_id, input="q?", target=e.answer, metadata={"question": "q?"})
    model = get_model("mockllm/model", custom_outputs=[reply("")])
    only = {"rouge_l", "length_ratio", "style_identity", "judge_stance"}
    task = Task(
        dataset=[sample], scorer=scorers(study, only, warm=True), model_roles={"grader": get_model("mockllm/model")}
    )
    (log,) = eval(task, model=model, log_dir=str(tmp_path / "logs"), display="none")
    scores = (log.samples or [])[0].scores or {}
    assert scores.keys() == only
    assert all(math.isnan(s.as_float()) and s.reason == "empty answer" for s in scores.values())


def spoken(*, labels: dict[str, bool] | None = None) -> list[Spoken]:
    study = open_study("demo")
    people = [(study.earlier, True), (study.impostors[0].exchanges, False)]
    return [
        Spoken(e.answer, e.interview_id, labels[e.interview_id] if labels else is_person)
        for exchanges, is_person in people
        for e in exchanges
    ]


def test_style_tells_the_person_on_interviews_it_has_not_seen() -> None:
    answers = spoken()
    model = StyleIdentity(answers, seed=1)
    found = model.probabilities([(a.text, a.group) for a in answers])
    assert roc_auc_score([a.is_person for a in answers], found) > 0.9
    assert found == StyleIdentity(answers, seed=1).probabilities([(a.text, a.group) for a in answers])


def test_no_text_is_judged_by_a_model_that_saw_it() -> None:
    """With labels drawn by lot for each interview, only memory could tell: fair folds must be near chance."""
    groups = sorted({a.group for a in spoken()})
    drawn = np.random.default_rng(4).permutation(len(groups)) % 2 == 0
    answers = spoken(labels=dict(zip(groups, drawn.tolist(), strict=True)))
    model = StyleIdentity(answers, seed=1)
    labels = [a.is_person for a in answers]
    fair = roc_auc_score(labels, model.probabilities([(a.text, a.group) for a in answers]))
    assert fair < 0.75


class SameText:
    """Only equal texts are alike."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        rows = np.zeros((len(texts), 512), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            row[sum(text.encode()) % 512] = 1
        return rows


def test_controls_come_from_where_they_should(tiny: Path) -> None:
    study = open_study(str(tiny))
    found = controls(study, SameText())
    earlier, own = {e.exchange_id for e in study.earlier}, {e.exchange_id: e.answer for e in study.held_out}
    assert {g.exchange_id for g in found["same_near"].values()} <= earlier
    assert {g.person for g in found["impostor_near"].values()} == {"pell"}
    assert {q: g.text for q, g in found["real"].items()} == own


def test_a_lookup_computes_each_key_once() -> None:
    asked: list[list[int]] = []
    lookup: Lookup[int, int] = Lookup(lambda keys: asked.append(keys) or [k * k for k in keys])  # type: ignore[func-returns-value]
    assert lookup([3, 2, 3]) == [9, 4, 9] and lookup([2, 4]) == [4, 16]
    assert asked == [[3, 2], [4]]


def test_runs_of_words_ignore_case_and_punctuation() -> None:
    assert runs("One two, three four five six seven EIGHT!") == runs("one two three four five six seven eight")
    assert runs("too short") == []
