"""Models are fine-tuned on this machine by LoRA (Hu et al. 2021, arXiv 2106.09685), with transformers and peft."""

import gc
import hashlib
import json
import random
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, Field

from raft.errors import RaftError
from raft.files import set_aside
from raft.lock import locked
from raft.models.cores import return_freed_memory
from raft.models.digests import damage, keep_digests
from raft.models.local import best_dtype, device, load_base
from raft.models.weights import adapters_folder, cache_folder, weights_digest
from raft.progress import TUNING, Progress, silent
from raft.tuning.course import Checkpoint, Course
from raft.tuning.layers import Learner, Tokens, adapter_config, tokens_of
from raft.tuning.samples import to_jsonl
from raft.types import TrainingSample

RECIPE = 4
"""The version of the training; raise it when the same samples and settings come to make another adapter."""


CHECKPOINT_SECONDS = 20
TRIM_STEPS = 8


class LoraSettings(BaseModel):
    """The settings of tuning. `layers` is how many of the top layers are tuned; None tunes all of them.

    With validation samples, their loss is taken `evaluations` times an epoch; tuning stops when it was not the lowest
    so far `patience` times in a row, and the weights of the lowest are kept. `batch` is in samples.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rank: int = Field(16, ge=1)
    alpha: int = Field(32, ge=1)
    layers: int | None = Field(None, ge=1)
    learning_rate: float = Field(3e-4, gt=0)
    epochs: int = Field(1, ge=1)
    batch: int = Field(4, ge=1)
    seed: int = 0
    evaluations: int = Field(4, ge=1)
    patience: int = Field(3, ge=1)


def adapter_digest(
    samples: Sequence[TrainingSample], base: str, settings: LoraSettings, validation: Sequence[TrainingSample] = ()
) -> str:
    """Return the digest, 12 hex digits, that names an adapter by all that makes it: samples, base, settings, recipe."""
    unused = None if validation else {"evaluations", "patience"}
    parts = [str(RECIPE), base, weights_digest(base), settings.model_dump_json(exclude=unused), to_jsonl(samples)]
    if validation:
        parts.append(to_jsonl(validation))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


class LoraTuner:
    """A `Tuner` on this machine. Adapters are kept by digest; interrupted tuning goes on at its last checkpoint."""

    def __init__(self, settings: LoraSettings, progress: Progress = silent) -> None:
        self.settings = settings
        self._progress = progress

    def tune(self, samples: Sequence[TrainingSample], base: str, validation: Sequence[TrainingSample] = ()) -> str:
        """Return the name `<base>+<digest>` of the adapter, which is tuned unless it was before.

        `base` is an embedded model or the folder of one that transformers reads. The adapter's folder also has
        `training.json`, with the loss curves. Raises RaftError where the base cannot be read or has no chat template.
        """
        digest = self._digest(samples, base, validation)
        target = adapters_folder() / digest
        if target.is_dir() and not damage(target):
            return f"{base}+{digest}"
        with locked(cache_folder() / "locks" / f"{digest}.lock", f"the adapter {digest}, which is being tuned,"):
            self._tuned(samples, base, digest, target, validation)
        return f"{base}+{digest}"

    def _digest(self, samples: Sequence[TrainingSample], base: str, validation: Sequence[TrainingSample]) -> str:
        return adapter_digest(samples, base, self.settings, validation)

    def _tuned(
        self,
        samples: Sequence[TrainingSample],
        base: str,
        digest: str,
        target: Path,
        validation: Sequence[TrainingSample],
    ) -> None:
        if target.is_dir() and (wrong := damage(target)):
            set_aside(target, f"{wrong} is not as it was written")
        if not target.is_dir():  # another process may have finished it while this one waited
            aside = target.with_name(f".{digest}")
            aside.mkdir(parents=True, exist_ok=True)
            self._keep(aside / "ready", digest, base, samples, *self._train(samples, base, aside, validation))
            gc.collect()  # model and optimizer refer to each other
            return_freed_memory()
            (aside / "ready").rename(target)
            shutil.rmtree(aside)

    def _train(
        self, samples: Sequence[TrainingSample], base: str, aside: Path, validation: Sequence[TrainingSample]
    ) -> tuple[Course, Callable[[Path], None]]:
        """Tune, and return the course with what writes the adapter into a folder. `aside` keeps what a kill would lose."""
        settings = self.settings
        torch.manual_seed(settings.seed)
        tokenizer, model = conversing(base, self._progress)
        config = adapter_config(model, settings.rank, settings.alpha, settings.layers)
        learner = Learner(model.to(device()), config, again=settings.epochs > 1 or bool(validation))
        batches = _batches([tokens_of(tokenizer, s) for s in samples], settings)
        watched = [tokens_of(tokenizer, s) for s in validation]
        every = max(1, len(batches) // settings.epochs // settings.evaluations)
        weights = list(learner.exact.values())
        optimizer = torch.optim.AdamW(weights, lr=settings.learning_rate, weight_decay=0.0, fused=True)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, len(batches)))
        state = Checkpoint(aside / "checkpoint.pt", learner, optimizer, schedule)
        course = state.restore()
        saved = time.monotonic()
        with self._progress(TUNING, len(batches), "steps") as advance:
            advance(len(course.losses))
            for batch in batches[len(course.losses) :]:
                loss = learner.learn(batch)
                torch.nn.utils.clip_grad_norm_(weights, 1.0)
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
                learner.take_over()
                course.losses.append(round(loss, 6))
                step = len(course.losses)
                if watched and (step % every == 0 or step == len(batches)):
                    course.watch(learner.mean_loss(watched), learner)
                    if course.is_over(settings.patience):
                        break
                if step % TRIM_STEPS == 0:
                    return_freed_memory()
                if time.monotonic() - saved > CHECKPOINT_SECONDS:
                    state.save(course)
                    saved = time.monotonic()
                try:
                    advance(1)
                except RaftError:  # the caller's progress may stop the work by raising it
                    state.save(course)
                    raise
        if course.best:
            learner.take_over(course.best)
        return course, learner.save

    def _keep(
        self,
        ready: Path,
        digest: str,
        base: str,
        samples: Sequence[TrainingSample],
        course: Course,
        save: Callable[[Path], None],
    ) -> None:
        shutil.rmtree(ready, ignore_errors=True)
        save(ready)
        (ready / "samples.jsonl").write_text(to_jsonl(samples), "utf-8")
        facts = {
            "digest": digest,
            "base": base,
            "settings": self.settings.model_dump(),
            "samples": len(samples),
            "losses": course.losses,
            "validation": course.validation,
        }
        (ready / "training.json").write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
        keep_digests(ready)


def conversing(base: str, progress: Progress) -> tuple[Any, Any]:
    """Return the tokenizer and the model of a base. Raises RaftError where it has no chat template, or cannot be read."""
    tokenizer, model = load_base(base, best_dtype(), progress)
    if not tokenizer.chat_template:
        raise RaftError(f"{base} has no chat template, so it cannot converse; take the instruct model of its family")
    return tokenizer, model


def _batches(tokens: list[Tokens], settings: LoraSettings) -> list[list[Tokens]]:
    """Return the batches of all epochs: samples of similar length together, the batches of an epoch in random order."""
    shuffle = random.Random(settings.seed)
    order = sorted(range(len(tokens)), key=lambda i: (len(tokens[i][0]), i))
    batches = [[tokens[i] for i in order[s : s + settings.batch]] for s in range(0, len(order), settings.batch)]
    return [batch for _ in range(settings.epochs) for batch in shuffle.sample(batches, len(batches))]


def _rate(step: int, steps: int) -> float:
    """Return the factor of the learning rate at a step.

    It rises linearly to 1 over the first tenth of the steps, then falls linearly to a tenth.
    """
    warm = max(1, steps // 10)
    return (step + 1) / warm if step < warm else 1.0 - 0.9 * (step - warm) / max(1, steps - warm)
