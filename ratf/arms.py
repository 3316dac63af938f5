"""The arm table: what each agent was trained on, and what it remembers when asked."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Arm:
    """A recipe. `ft`: tuned on questions and answers; `ft+mem`: with the memories between them."""

    training: Literal["none", "ft", "ft+mem"]
    memories: Literal["none", "own"]
    words: str


ARMS = {
    "baseline": Arm("none", "none", "the bare model, told who it is"),
    "rag_only": Arm("none", "own", "the bare model with the person's memories"),
    "finetune_only": Arm("ft", "none", "fine-tuned on questions and answers"),
    "raft": Arm("ft+mem", "own", "fine-tuned with memories, and asked with them"),
}

CONTROLS = {
    "real": "the real answer",
    "same_near": "the person's own earlier answer to the nearest question",
    "impostor_near": "another person's real answer to the nearest question",
}
"""Answers that are given, not generated; `ratf/controls.py` finds them."""

FLOOR, CEILING = "impostor_near", "same_near"

CONTRASTS = [
    ("raft", "baseline"),
    ("raft", "rag_only"),
    ("raft", "finetune_only"),
    ("rag_only", "baseline"),
    ("finetune_only", "baseline"),
    ("finetune_only", "rag_only"),
]
"""Pairs of arms that are compared, the one that should be ahead first."""
