"""Models are fine-tuned on this machine by TRL's `SFTTrainer` and peft, as the extra `ratf-eval[trl]` brings them."""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import EarlyStoppingCallback, PrinterCallback, TrainerCallback
from trl import SFTConfig, SFTTrainer

from raft.models.local import best_dtype, device
from raft.models.weights import quiet
from raft.progress import TUNING
from raft.tuning.course import Course
from raft.tuning.layers import adapter_config, tokens_of
from raft.tuning.lora import LoraTuner, adapter_digest, conversing
from raft.types import TrainingSample

RECIPE = 1
"""The version of this training; raise it when the same samples and settings come to make another adapter."""

SAVES = 10
"""The number of checkpoints of a tuning without validation samples, from the last of which it goes on."""

IGNORED = -100
"""The label of a token that is not learnt, as transformers has it."""


class TrlTuner(LoraTuner):
    """A `Tuner` by TRL. It differs from `LoraTuner` in the order of batches, the schedule and the rounding.

    The samples of a batch are packed into one row without padding, and only answers are learnt. Tuning that was
    interrupted goes on at its last checkpoint.
    """

    def _digest(self, samples: Sequence[TrainingSample], base: str, validation: Sequence[TrainingSample]) -> str:
        ours = adapter_digest(samples, base, self.settings, validation)
        return hashlib.sha256(f"trl {RECIPE}\0{ours}".encode()).hexdigest()[:12]

    def _train(
        self, samples: Sequence[TrainingSample], base: str, aside: Path, validation: Sequence[TrainingSample]
    ) -> tuple[Course, Callable[[Path], None]]:
        settings = self.settings
        torch.manual_seed(settings.seed)
        tokenizer, model = conversing(base, self._progress)
        steps = -(-len(samples) // settings.batch)
        every = max(1, steps // (settings.evaluations if validation else SAVES))
        watching: dict[str, Any] = {"eval_strategy": "steps", "eval_steps": every, "load_best_model_at_end": True}
        arguments = SFTConfig(
            output_dir=str(aside / "checkpoints"),
            num_train_epochs=settings.epochs,
            per_device_train_batch_size=settings.batch,
            per_device_eval_batch_size=settings.batch,
            learning_rate=settings.learning_rate,
            lr_scheduler_type="linear",
            warmup_steps=0.1,
            seed=settings.seed,
            bf16=best_dtype() == torch.bfloat16,
            gradient_checkpointing=device() == "cuda",  # on a CPU memory is not what is short, but time
            use_cpu=device() == "cpu",
            padding_free=True,
            max_length=None,
            dataset_kwargs={"skip_prepare_dataset": True},
            save_steps=every,
            save_total_limit=2 if validation else 1,
            logging_steps=1,
            report_to="none",
            disable_tqdm=True,
            dataloader_pin_memory=device() == "cuda",
            metric_for_best_model="eval_loss",
            **(watching if validation else {}),
        )
        config = adapter_config(model, settings.rank, settings.alpha, settings.layers)
        with ExitStack() as shown:
            advance = shown.enter_context(self._progress(TUNING, steps * settings.epochs, "steps"))
            callbacks: list[TrainerCallback] = [_Told(advance)]
            if validation:
                callbacks.append(EarlyStoppingCallback(early_stopping_patience=settings.patience))
            with quiet():
                trainer = SFTTrainer(
                    model=model,
                    args=arguments,
                    train_dataset=_dataset(tokenizer, samples),
                    eval_dataset=_dataset(tokenizer, validation) if validation else None,
                    processing_class=tokenizer,
                    peft_config=config,
                    callbacks=callbacks,
                )
                trainer.remove_callback(PrinterCallback)  # it prints where only results belong
                trainer.train(resume_from_checkpoint=any((aside / "checkpoints").glob("checkpoint-*")) or None)
        logged = trainer.state.log_history
        course = Course(
            losses=[round(entry["loss"], 6) for entry in logged if "loss" in entry],
            validation=[(entry["step"], round(entry["eval_loss"], 6)) for entry in logged if "eval_loss" in entry],
        )
        return course, lambda folder: _save(trainer.model, folder)


def _dataset(tokenizer: Any, samples: Sequence[TrainingSample]) -> Dataset:
    """Return the samples' tokens with their labels: those of the answer, and `IGNORED` for the prompt."""
    rows = []
    for ids, prompt in (tokens_of(tokenizer, s) for s in samples):
        rows.append({"input_ids": list(ids), "labels": [IGNORED] * prompt + list(ids[prompt:])})
    return Dataset.from_list(rows)


def _save(model: Any, folder: Path) -> None:
    with quiet():
        model.save_pretrained(folder)


class _Told(TrainerCallback):  # type: ignore[misc]  # transformers has no types
    """Shows the steps as they are done; where the work is stopped, the last checkpoint is gone on from."""

    def __init__(self, advance: Callable[[int], None]) -> None:
        self._advance = advance

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._advance(state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._advance(1)
