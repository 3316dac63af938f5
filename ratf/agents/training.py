"""Phase two of a run: the tuned models that the tuned arms answer with."""

import os
from collections.abc import Mapping
from typing import Any

from raft.errors import RaftError
from raft.formats.json_file import read_json
from raft.models.tokens import token_counter
from raft.models.weights import adapter_weights, adapters_folder
from raft.progress import TUNING, Progress, renamed, silent
from raft.text import spans
from raft.tuning.samples import training_samples
from raft.tuning.tuners import tuner_kind
from raft.types import TrainingSample
from ratf.agents.hindsight import for_training
from ratf.agents.memories import memories
from ratf.models.metered import MeteredTuner
from ratf.models.prices import is_free
from ratf.models.recorded.recordings import Request, digest_of
from ratf.models.recorded.replay import recorded_value, session
from ratf.results.results import Example, Tuned
from ratf.suite.arms import ARMS
from ratf.suite.serving import is_served
from ratf.suite.study import Study

MOST_WORDS = 60
"""The greatest number of words of each message that the page's example shows."""


MERGE_FROM_ANSWERS = 4000
"""How many answers of an adapter make merged weights worth a server of their own.

An adapter cost a third of vLLM's speed in one report (2694 to 1788 tokens a second, vllm PR 11267). Of answers of 160
tokens, 4,000 then take 2 minutes longer, which is about what merging and another start of the server take.
"""


LESSONS = {"ft": "teaching the voice, without memories", "ft+mem": "teaching the voice, with memories"}
"""What is shown of each kind of training while it is under way."""


def samples(study: Study, training: str, progress: Progress = silent) -> list[TrainingSample]:
    """The training samples of a kind of training, `ft` or `ft+mem`."""
    answers = study.suite.answers
    return training_samples(
        study.person.about,
        study.training,
        dict.fromkeys(study.before, ()) if answers.history == "none" else study.before,
        for_training(study, progress) if training == "ft+mem" else {},
        answers.context_tokens,
        answers.max_words,
        token_counter(study.suite.models.weights.removeprefix("local/"), progress),
    )


def model_of(study: Study, arm: str, progress: Progress = silent) -> str:
    """The name of the model that an arm answers with. It is tuned now, if it was not before."""
    training = ARMS[arm].training
    if training == "none":
        return study.suite.models.base

    def tune() -> dict[str, Any]:
        name = _tune(study, training, progress)
        return {"model": name, "training": _facts(name)}

    return str(recorded_value(_request(study, training), arm, tune)["model"])


def _facts(model: str) -> dict[str, Any] | None:
    """How an adapter was tuned, from its folder or in a replay from the recording, with the digest of its weights.

    None where there is no adapter.
    """
    listening = session()
    if listening and listening.replaying:
        replies = [e.reply(0) for e in listening.recording.entries.values() if e.request["kind"] == "tuned"]
        return next((r["training"] for r in replies if r and r["model"] == model), None)
    digest = model.partition("+")[2]
    path = adapters_folder() / digest / "training.json"
    if not digest or not path.is_file():
        return None
    return {**read_json(path), "weights": adapter_weights(digest)}


def _request(study: Study, training: str) -> Request:
    """The request that stands for a tuned model in a recording: all that makes it, without reading weights."""
    suite = study.suite
    parts = suite.model_dump(mode="json", include={"training", "seed"})
    parts["answers"] = suite.answers.model_dump(include={"context_tokens", "history", "max_words"})
    learnt = [[e.exchange_id, e.question, e.answer] for e in study.training]
    parts["exchanges"] = digest_of([study.person.about.model_dump(mode="json"), *learnt])
    if training == "ft+mem":
        parts["memories"] = digest_of([[k, m.text] for k, found in memories(study).items() for m in found])
        parts["hindsight_filter"] = suite.memories.hindsight_filter
    return {"kind": "tuned", "model": suite.models.base, "training_kind": training, "person": study.person.key, **parts}


def _tune(study: Study, training: str, progress: Progress) -> str:
    base = study.suite.models.base
    learnt, watched = _parts(study, samples(study, training, progress))
    provider, _, name = base.partition("/")
    settings = {**study.suite.training.model_dump(), "seed": study.suite.seed}
    told = renamed(progress, {TUNING: LESSONS[training]})
    tuner = tuner_kind(study.suite.models.weights).make(settings, study.folder / "tuned.json", told)
    if not is_free(base):
        tuner = MeteredTuner(base, tuner, study.suite.training.epochs)
    tuned = tuner.tune(learnt, name, watched)
    if is_served(base) and not os.environ.get("VLLM_BASE_URL") and to_merge(study, training):
        from raft.models.merging import merge

        merge(name, tuned.rpartition("+")[2], progress)
    return f"{provider}/{tuned}"


def to_merge(study: Study, training: str) -> bool:
    """Whether a kind of training is to answer so much that vLLM answers faster with merged weights.

    Not where a rephraser is asked between the answers, because base and merged weights would take turns on the GPU.
    """
    suite = study.suite
    if suite.answers.history == "free_running" and suite.memories.rephraser != "extractive":
        return False
    arms = sum(ARMS[arm].training == training for arm in suite.arms)
    return arms * suite.answers.samples * len(study.held_out) >= MERGE_FROM_ANSWERS


def tuned(study: Study, models: Mapping[str, str]) -> list[Tuned]:
    """How the models of these arms were tuned, for adapters tuned on this machine.

    `models` gives the model of each arm. An adapter of several arms is listed once, with the first of them.
    """
    found: dict[str, Tuned] = {}
    for arm, model in models.items():
        facts = _facts(model)
        if facts and facts["digest"] not in found:
            watched = facts.get("validation", [])
            found[facts["digest"]] = Tuned(
                arm=arm,
                digest=facts["digest"],
                weights=facts.get("weights", ""),
                samples=facts["samples"],
                losses=facts["losses"],
                validation=watched,
                example=_example(study, arm),
            )
    return list(found.values())


def _example(study: Study, arm: str) -> Example | None:
    """The training sample of the exchange in the middle, so that it is always the same; None where it has no sample."""
    middle = study.training[len(study.training) // 2]
    sample = next((s for s in samples(study, ARMS[arm].training) if s.exchange_id == middle.exchange_id), None)
    if sample is None:
        return None
    turns = [(m["role"], cut(m["content"])) for m in sample.prompt] + [("answer", cut(sample.answer))]
    return Example(exchange_id=sample.exchange_id, date=middle.date.isoformat() if middle.date else "", turns=turns)


def cut(text: str, most: int = MOST_WORDS) -> str:
    """The first `most` words of a text; the words left out are counted at its end."""
    words = spans(text)
    return text if len(words) <= most else f"{text[: words[most - 1][1]]} … ({len(words) - most} more words)"


def _parts(study: Study, made: list[TrainingSample]) -> tuple[list[TrainingSample], list[TrainingSample]]:
    """The samples to learn from, and those of the validation set: the newest interviews, whole.

    Raises RaftError where no interview would be left to learn from.
    """
    number = study.suite.training.validation_interviews
    interviews = list(dict.fromkeys(e.interview_id for e in study.training))
    if number >= len(interviews):
        raise RaftError(
            f"training.validation_interviews is {number}, but there are {len(interviews)} interviews to learn from; "
            "at least one must be learnt"
        )
    newest = set(interviews[len(interviews) - number :])
    watched = {e.exchange_id for e in study.training if e.interview_id in newest}
    return [s for s in made if s.exchange_id not in watched], [s for s in made if s.exchange_id in watched]
