"""Fine-tuning on this machine: LoRA (Hu et al. 2021, arXiv 2106.09685) with transformers and peft."""

import hashlib
import json
import os
import random
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from pydantic import BaseModel, ConfigDict, Field

from raft.adapters import adapters_folder
from raft.local import best_dtype, device, load_base, quiet, return_freed_memory
from raft.progress import Progress, silent
from raft.samples import to_jsonl
from raft.types import TrainingSample
from raft.weights import find

RECIPE = 1
"""Raise it when the loop changes what it produces: adapters of another recipe are not these."""

CHECKPOINT_SECONDS = 20
TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


class LoraSettings(BaseModel):
    """How to tune. `layers`: only that many of the top layers, or all of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rank: int = Field(16, ge=1)
    alpha: int = Field(32, ge=1)
    layers: int | None = Field(None, ge=1)
    learning_rate: float = Field(3e-4, gt=0)
    epochs: int = Field(1, ge=1)
    batch: int = Field(4, ge=1)
    seed: int = 0


def adapter_digest(samples: Sequence[TrainingSample], base: str, settings: LoraSettings) -> str:
    """Names an adapter by all that makes it: samples, base weights, settings, recipe."""
    parts = [str(RECIPE), base, find(base).digest, settings.model_dump_json(), to_jsonl(samples)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


class LoraTuner:
    """A `Tuner`. Adapters are kept under their digest; an interrupted one goes on at its last checkpoint."""

    def __init__(self, settings: LoraSettings, progress: Progress = silent) -> None:
        self.settings = settings
        self._progress = progress

    def tune(self, samples: Sequence[TrainingSample], base: str) -> str:
        """`<base>+<digest>`, tuned now or before. Its folder has the adapter and `training.json` (the loss curve)."""
        digest = adapter_digest(samples, base, self.settings)
        target = adapters_folder() / digest
        if not target.is_dir():
            aside = target.with_name(f".{digest}")
            aside.mkdir(parents=True, exist_ok=True)
            self._train(samples, base, digest, aside)
            try:
                (aside / "ready").rename(target)
            except OSError:
                if not target.is_dir():  # another process may have finished the same adapter
                    raise
            shutil.rmtree(aside)
        return f"{base}+{digest}"

    def _train(self, samples: Sequence[TrainingSample], base: str, digest: str, aside: Path) -> None:
        settings = self.settings
        torch.manual_seed(settings.seed)
        tokenizer, model = load_base(base, best_dtype(), self._progress)
        model = _with_adapter(model.to(device()), settings)
        batches = _batches([_tokens(tokenizer, s) for s in samples], settings)
        weights = [p for p in model.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(weights, lr=settings.learning_rate, weight_decay=0.0)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, len(batches)))
        state = _Checkpoint(aside / "checkpoint.pt", model, optimizer, schedule)
        losses = state.restore()
        saved = time.monotonic()
        with self._progress(f"tuning {digest}", len(batches), "steps") as advance:
            advance(len(losses))
            for batch in batches[len(losses) :]:
                loss = _loss(model, batch)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(weights, 1.0)
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
                losses.append(round(float(loss.detach()), 6))
                advance(1)
                if time.monotonic() - saved > CHECKPOINT_SECONDS:
                    state.save(losses)
                    saved = time.monotonic()
        return_freed_memory()
        self._keep(model, aside, digest, base, samples, losses)

    def _keep(
        self, model: Any, aside: Path, digest: str, base: str, samples: Sequence[TrainingSample], losses: list[float]
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
            "losses": losses,
        }
        (ready / "training.json").write_text(json.dumps(facts, indent=1) + "\n", "utf-8")


Tokens = tuple[list[int], int]
"""A sample's tokens, and how many of them are its prompt."""


def _tokens(tokenizer: Any, sample: TrainingSample) -> Tokens:
    prompt = tokenizer.apply_chat_template(list(sample.prompt), tokenize=False, add_generation_prompt=True)
    ids = tokenizer(prompt, add_special_tokens=False).input_ids
    answer = tokenizer(sample.answer, add_special_tokens=False).input_ids
    return [*ids, *answer, tokenizer.eos_token_id], len(ids)


def _batches(tokens: list[Tokens], settings: LoraSettings) -> list[list[Tokens]]:
    """Every epoch's batches: samples of similar length together (little padding), batches in random order."""
    shuffle = random.Random(settings.seed)
    order = sorted(range(len(tokens)), key=lambda i: (len(tokens[i][0]), i))
    batches = [[tokens[i] for i in order[s : s + settings.batch]] for s in range(0, len(order), settings.batch)]
    return [batch for _ in range(settings.epochs) for batch in shuffle.sample(batches, len(batches))]


def _with_adapter(model: Any, settings: LoraSettings) -> Any:
    layers = model.config.num_hidden_layers
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        target_modules=TARGETS,
        layers_to_transform=list(range(layers - settings.layers, layers)) if settings.layers else None,
        task_type="CAUSAL_LM",
    )
    with quiet():
        return get_peft_model(model, config).train()


def _loss(model: Any, batch: list[Tokens]) -> torch.Tensor:
    """Mean cross-entropy of the answers' tokens.

    The vocabulary's logits are computed for those tokens alone: they are a fifth of the work and most of the memory.
    """
    width = max(len(ids) for ids, _ in batch)
    ids = torch.zeros((len(batch), width), dtype=torch.long)
    mask = torch.zeros((len(batch), width), dtype=torch.long)
    answer = torch.zeros((len(batch), width), dtype=torch.bool)
    for row, (tokens, prompt) in enumerate(batch):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        mask[row, : len(tokens)] = 1
        answer[row, prompt : len(tokens)] = True
    inner = model.get_base_model()
    ids, mask, answer = (t.to(inner.device) for t in (ids, mask, answer))
    hidden = inner.model(input_ids=ids, attention_mask=mask).last_hidden_state[:, :-1]
    logits = inner.lm_head(hidden[answer[:, 1:]]).float()
    return torch.nn.functional.cross_entropy(logits, ids[:, 1:][answer[:, 1:]])


def _rate(step: int, steps: int) -> float:
    """Linear warm-up over a tenth of the steps, then linear decay to a tenth of the rate."""
    warm = max(1, steps // 10)
    return (step + 1) / warm if step < warm else 1.0 - 0.9 * (step - warm) / max(1, steps - warm)


class _Checkpoint:
    """Where tuning was, so that it goes on there after a kill and ends with the same weights."""

    def __init__(self, path: Path, model: Any, optimizer: Any, schedule: Any) -> None:
        self.path, self.model, self.optimizer, self.schedule = path, model, optimizer, schedule

    def save(self, losses: list[float]) -> None:
        aside = self.path.with_suffix(".part")
        weights = {name: p.detach() for name, p in self.model.named_parameters() if p.requires_grad}
        with aside.open("wb") as file:
            state = {"weights": weights, "optimizer": self.optimizer.state_dict()}
            torch.save({**state, "schedule": self.schedule.state_dict(), "losses": losses}, file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self.path)

    def restore(self) -> list[float]:
        if not self.path.is_file():
            return []
        saved = torch.load(self.path, weights_only=True)
        self.model.load_state_dict(saved["weights"], strict=False)
        self.optimizer.load_state_dict(saved["optimizer"])
        self.schedule.load_state_dict(saved["schedule"])
        losses: list[float] = saved["losses"]
        return losses
