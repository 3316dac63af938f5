"""Models are fine-tuned on this machine by LoRA (Hu et al. 2021, arXiv 2106.09685), with transformers and peft."""

import gc
import hashlib
import json
import os
import random
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from pydantic import BaseModel, ConfigDict, Field

from raft.errors import RaftError
from raft.files import set_aside
from raft.lock import locked
from raft.models.digests import damage, keep_digests
from raft.models.local import best_dtype, device, harmless, load_base, render, return_freed_memory
from raft.models.weights import adapters_folder, cache_folder, quiet, weights_digest
from raft.progress import TUNING, Progress, silent
from raft.tuning.samples import to_jsonl
from raft.types import TrainingSample

RECIPE = 2
"""The version of the training; raise it when the same samples and settings come to make another adapter."""


CHECKPOINT_SECONDS = 20
TRIM_STEPS = 8
SCALED = ("final_logit_softcapping", "logit_scale", "logits_scaling")
"""The settings by which some model families change their logits; such models compute all logits themselves."""


TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


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
        digest = adapter_digest(samples, base, self.settings, validation)
        target = adapters_folder() / digest
        if target.is_dir() and not damage(target):
            return f"{base}+{digest}"
        with locked(cache_folder() / "locks" / f"{digest}.lock", f"the adapter {digest}, which is being tuned,"):
            self._tuned(samples, base, digest, target, validation)
        return f"{base}+{digest}"

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
            self._train(samples, base, digest, aside, validation)
            gc.collect()  # model and optimizer refer to each other
            return_freed_memory()
            (aside / "ready").rename(target)
            shutil.rmtree(aside)

    def _train(
        self,
        samples: Sequence[TrainingSample],
        base: str,
        digest: str,
        aside: Path,
        validation: Sequence[TrainingSample],
    ) -> None:
        settings = self.settings
        torch.manual_seed(settings.seed)
        tokenizer, model = load_base(base, best_dtype(), self._progress)
        if not tokenizer.chat_template:
            raise RaftError(
                f"{base} has no chat template, so it cannot converse; take the instruct model of its family"
            )
        model = _with_adapter(model.to(device()), settings)
        batches = _batches([_tokens(tokenizer, s) for s in samples], settings)
        watched = [_tokens(tokenizer, s) for s in validation]
        every = max(1, len(batches) // settings.epochs // settings.evaluations)
        weights = [p for p in model.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(weights, lr=settings.learning_rate, weight_decay=0.0)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, len(batches)))
        state = _Checkpoint(aside / "checkpoint.pt", model, optimizer, schedule)
        course = state.restore()
        saved = time.monotonic()
        with self._progress(TUNING, len(batches), "steps") as advance:
            advance(len(course.losses))
            for batch in batches[len(course.losses) :]:
                loss = _learn(model, batch)
                torch.nn.utils.clip_grad_norm_(weights, 1.0)
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
                course.losses.append(round(loss, 6))
                step = len(course.losses)
                if watched and (step % every == 0 or step == len(batches)):
                    course.watch(_mean_loss(model, watched), model)
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
            model.load_state_dict(course.best, strict=False)
        self._keep(model, aside, digest, base, samples, course)

    def _keep(
        self, model: Any, aside: Path, digest: str, base: str, samples: Sequence[TrainingSample], course: "_Course"
    ) -> None:
        ready = aside / "ready"
        shutil.rmtree(ready, ignore_errors=True)
        with quiet():
            model.save_pretrained(ready)
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


Tokens = tuple[list[int], int]
"""The tokens of a sample, and how many of them are its prompt."""


def _tokens(tokenizer: Any, sample: TrainingSample) -> Tokens:
    ids = tokenizer(render(tokenizer, sample.prompt), add_special_tokens=False).input_ids
    answer = tokenizer(harmless(tokenizer, sample.answer), add_special_tokens=False).input_ids
    return [*ids, *answer, tokenizer.eos_token_id], len(ids)


def _batches(tokens: list[Tokens], settings: LoraSettings) -> list[list[Tokens]]:
    """Return the batches of all epochs: samples of similar length together, the batches of an epoch in random order."""
    shuffle = random.Random(settings.seed)
    order = sorted(range(len(tokens)), key=lambda i: (len(tokens[i][0]), i))
    batches = [[tokens[i] for i in order[s : s + settings.batch]] for s in range(0, len(order), settings.batch)]
    return [batch for _ in range(settings.epochs) for batch in shuffle.sample(batches, len(batches))]


def _with_adapter(model: Any, settings: LoraSettings) -> Any:
    layers = model.config.num_hidden_layers
    named = {name.rpartition(".")[2] for name, _ in model.named_modules()}
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        target_modules=TARGETS if named.issuperset(TARGETS) else "all-linear",
        layers_to_transform=list(range(layers - settings.layers, layers)) if settings.layers else None,
        task_type="CAUSAL_LM",
    )
    with quiet():
        return get_peft_model(model, config).train()


def _learn(model: Any, batch: list[Tokens]) -> float:
    """Add the gradients of the batch's mean loss to the parameters, and return that loss, in nats a token.

    Samples are taken one at a time: without padding that is as fast on a CPU, and needs the memory of one sample.
    """
    size = _answer_tokens(batch)
    mean = 0.0
    for sample in batch:
        loss = _loss(model, sample) / size
        loss.backward()
        mean += float(loss.detach())
    return mean


def _answer_tokens(samples: list[Tokens]) -> int:
    return sum(len(ids) - prompt for ids, prompt in samples)


def _loss(model: Any, sample: Tokens) -> torch.Tensor:
    """Return the summed cross-entropy of the tokens of the sample's answer, in nats.

    Logits are computed for those tokens alone: those of all tokens would be a fifth of the work and most of the memory.
    """
    inner = model.get_base_model()
    tokens, prompt = sample
    ids = torch.tensor([tokens], device=inner.device)
    if any(getattr(inner.config, name, None) for name in SCALED):
        logits = inner(input_ids=ids).logits[0, prompt - 1 : -1]
    else:
        hidden = inner.base_model(input_ids=ids).last_hidden_state[0, prompt - 1 : -1]
        logits = inner.get_output_embeddings()(hidden)
    return torch.nn.functional.cross_entropy(logits.float(), ids[0, prompt:], reduction="sum")


def _rate(step: int, steps: int) -> float:
    """Return the factor of the learning rate at a step.

    It rises linearly to 1 over the first tenth of the steps, then falls linearly to a tenth.
    """
    warm = max(1, steps // 10)
    return (step + 1) / warm if step < warm else 1.0 - 0.9 * (step - warm) / max(1, steps - warm)


def _mean_loss(model: Any, samples: list[Tokens]) -> float:
    """Return the mean loss over all tokens of all answers, in nats a token."""
    model.eval()
    with torch.inference_mode():
        total = sum(float(_loss(model, sample)) for sample in samples)
    model.train()
    return total / _answer_tokens(samples)


@dataclass
class _Course:
    """The course of tuning: the loss of each step, the validation loss after some steps, and the weights at its lowest.

    Losses are in nats a token; `validation` has pairs of steps and loss.
    """

    losses: list[float] = field(default_factory=list)
    validation: list[tuple[int, float]] = field(default_factory=list)
    best: dict[str, torch.Tensor] = field(default_factory=dict)

    def watch(self, loss: float, model: Any) -> None:
        lowest = min((v for _, v in self.validation), default=float("inf"))
        self.validation.append((len(self.losses), round(loss, 6)))
        if round(loss, 6) < lowest:
            self.best = {name: p.detach().clone() for name, p in _tuned(model)}

    def is_over(self, patience: int) -> bool:
        seen = [v for _, v in self.validation]
        return len(seen) - 1 - seen.index(min(seen)) >= patience


def _tuned(model: Any) -> Iterator[tuple[str, torch.Tensor]]:
    return ((name, p) for name, p in model.named_parameters() if p.requires_grad)


class _Checkpoint:
    """A checkpoint of tuning, from which it goes on after a kill and ends with the same weights."""

    def __init__(self, path: Path, model: Any, optimizer: Any, schedule: Any) -> None:
        self.path, self.model, self.optimizer, self.schedule = path, model, optimizer, schedule

    def save(self, course: _Course) -> None:
        aside = self.path.with_suffix(".part")
        weights = {name: p.detach() for name, p in _tuned(self.model)}
        with aside.open("wb") as file:
            state = {"weights": weights, "optimizer": self.optimizer.state_dict()}
            state |= {
                "schedule": self.schedule.state_dict(),
                "random": torch.get_rng_state(),
            }  # a base may have dropout
            torch.save({**state, **vars(course)}, file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self.path)

    def restore(self) -> _Course:
        if not self.path.is_file():
            return _Course()
        try:
            saved = torch.load(self.path, weights_only=True)
        except Exception as error:  # torch, pickle and zip raise errors of their own
            set_aside(self.path, f"{type(error).__name__}: {error}"[:200])
            return _Course()
        self.model.load_state_dict(saved["weights"], strict=False)
        self.optimizer.load_state_dict(saved["optimizer"])
        self.schedule.load_state_dict(saved["schedule"])
        torch.set_rng_state(saved["random"])
        return _Course(saved["losses"], saved["validation"], saved["best"])
