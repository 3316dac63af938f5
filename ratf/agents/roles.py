"""The models of a run by role, and the settings with which they answer."""

import hashlib

from inspect_ai.model import CachePolicy, GenerateConfig, Model, get_model

from ratf.agents.training import model_of
from ratf.models.chat import EVERY_REQUEST, recorded_model
from ratf.models.recorded.replay import session
from ratf.models.served import CONNECTIONS
from ratf.models.service import ready
from ratf.suite.arms import ARMS, GIVEN
from ratf.suite.serving import is_served
from ratf.suite.study import Study

ANSWER_CACHE = CachePolicy(expiry=None, scopes={"generation": "1"})
"""The policy of Inspect's cache for answers: a finished answer is never generated twice.

The adapter's digest is part of the model's name, hence of the cache's key. The scope stands in every recording, so it
never changes; what changes the answers of the local provider raises that one's own version.
"""


def answer_config(study: Study, arm: str = "") -> GenerateConfig:
    """The suite's answer settings as Inspect's settings of generation, for an arm that may have a model of its own."""
    answers, own = study.suite.answers, study.suite.own_arm(arm)
    model = (own and own.model) or study.suite.models.base
    return GenerateConfig(
        max_tokens=answers.max_tokens,
        temperature=answers.temperature,
        top_p=answers.top_p,
        frequency_penalty=answers.frequency_penalty,
        seed=study.suite.seed,
        max_connections=EVERY_REQUEST if model.startswith("local/") else CONNECTIONS if is_served(model) else None,
    )


def seed_of(study: Study, epoch: int) -> int | None:
    """The seed with which a question is answered in an epoch after the first; the same seed gives the same answer.

    None for epoch 1: that answer has the seed of `answer_config`, so it is the same as in a suite that asks once.
    """
    if epoch == 1:
        return None
    drawn = hashlib.sha256(f"{study.suite.seed}\0{epoch}".encode()).digest()
    return int.from_bytes(drawn[:4]) >> 1


def grader_roles(study: Study, arm: str | None = None) -> dict[str, str | Model | list[str | Model]] | None:
    """The suite's graders as Inspect's role `grader`; None where there are none.

    `arm` is the arm whose answers they grade.

    A task that only answers needs none, and in a replay gets none, because Inspect would make them anew from the log,
    which needs keys.
    """
    listening = session()
    if not study.suite.graders or (arm is None and listening and listening.replaying):
        return None
    return {"grader": [recorded_model(name, f"grading {arm}") for name in study.suite.graders]}


def model_under_test(study: Study, arm: str, obey: bool) -> str | Model | None:
    """The model of an arm or control.

    Where `obey` is set, an untuned arm gets None, which leaves the model to `inspect eval --model`. A run of a suite
    does not set it, because its arms must answer with the suite's own models.
    """
    own = study.suite.own_arm(arm)
    if arm in GIVEN or (own and own.given):
        return "none/none"
    if own and own.solver:
        listening = session()
        # a solver's whole answer is recorded, since what else it asks is not known; a replay asks neither
        replaying = listening is not None and listening.replaying
        return recorded_model(study.suite.models.base, arm) if replaying else ready(study.suite.models.base)
    if own:
        return recorded_model(str(own.model), arm)
    if arm == "paraphrase":
        return recorded_model(str(study.suite.models.paraphraser), arm)
    if arm == "generic":
        return recorded_model(study.suite.models.base, arm)
    left_to_inspect = obey and ARMS[arm].training == "none" and str(get_model()) != "none/none"
    return None if left_to_inspect else recorded_model(model_of(study, arm), arm)
