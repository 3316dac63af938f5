"""The course of tuning, and the checkpoint from which it goes on."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from raft.files import set_aside
from raft.tuning.layers import Learner


@dataclass
class Course:
    """The course of tuning: the loss of each step, the validation loss after some steps, and the weights at its lowest.

    Losses are in nats a token; `validation` has pairs of steps and loss.
    """

    losses: list[float] = field(default_factory=list)
    validation: list[tuple[int, float]] = field(default_factory=list)
    best: dict[str, torch.Tensor] = field(default_factory=dict)

    def watch(self, loss: float, learner: Learner) -> None:
        """Note the validation loss after the steps so far and, where it is the lowest, the weights."""
        lowest = min((v for _, v in self.validation), default=float("inf"))
        self.validation.append((len(self.losses), round(loss, 6)))
        if round(loss, 6) < lowest:
            self.best = {name: p.detach().clone() for name, p in learner.exact.items()}

    def is_over(self, patience: int) -> bool:
        """Return whether the loss was not the lowest so far `patience` times in a row."""
        seen = [v for _, v in self.validation]
        return len(seen) - 1 - seen.index(min(seen)) >= patience


class Checkpoint:
    """A checkpoint of tuning, from which it goes on after a kill and ends with the same weights."""

    def __init__(self, path: Path, learner: Learner, optimizer: Any, schedule: Any) -> None:
        self.path, self.learner, self.optimizer, self.schedule = path, learner, optimizer, schedule

    def save(self, course: Course) -> None:
        """Write the checkpoint in one step: a kill leaves the one before or this one."""
        aside = self.path.with_suffix(".part")
        with aside.open("wb") as file:
            state = {
                "weights": {name: p.detach() for name, p in self.learner.exact.items()},
                "optimizer": self.optimizer.state_dict(),
                "schedule": self.schedule.state_dict(),
                "random": torch.get_rng_state(),  # a base may have dropout
            }
            torch.save({**state, **vars(course)}, file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self.path)

    def restore(self) -> Course:
        """Return the course so far, with everything as it was; a new course where there is no checkpoint to read."""
        if not self.path.is_file():
            return Course()
        try:
            saved = torch.load(self.path, weights_only=True)
        except Exception as error:  # torch, pickle and zip raise errors of their own
            set_aside(self.path, f"{type(error).__name__}: {error}"[:200])
            return Course()
        self.learner.take_over(saved["weights"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.schedule.load_state_dict(saved["schedule"])
        torch.set_rng_state(saved["random"])
        return Course(saved["losses"], saved["validation"], saved["best"])
