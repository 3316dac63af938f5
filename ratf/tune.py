"""Phase two: the models that the tuned arms answer with."""

from raft.progress import Progress, silent
from raft.samples import training_samples
from raft.tokens import token_counter
from raft.types import TrainingSample
from ratf.arms import ARMS
from ratf.hindsight import for_training
from ratf.study import Study


def samples(study: Study, training: str, progress: Progress = silent) -> list[TrainingSample]:
    """What `training` (`ft` or `ft+mem`) learns from."""
    answers = study.suite.answers
    return training_samples(
        study.person.about,
        study.training,
        dict.fromkeys(study.before, ()) if answers.history == "none" else study.before,
        for_training(study, progress) if training == "ft+mem" else {},
        answers.context_tokens,
        answers.max_words,
        token_counter(study.suite.models.base.removeprefix("local/"), progress),
    )


def model_of(study: Study, arm: str, progress: Progress = silent) -> str:
    """The name of the model that an arm answers with; tuned now, when it was not before."""
    training = ARMS[arm].training
    base = study.suite.models.base
    if training == "none":
        return base
    from raft.lora import LoraSettings, LoraTuner

    settings = LoraSettings(**study.suite.training.model_dump(), seed=study.suite.seed)
    tuner = LoraTuner(settings, progress)
    return f"local/{tuner.tune(samples(study, training, progress), base.removeprefix('local/'))}"
