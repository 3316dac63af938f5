"""What a results file says about style."""

from typing import Literal

from pydantic import BaseModel


class Delta(BaseModel, extra="forbid", frozen=True):
    """How far an arm's pooled words are from the person's earlier answers; None where it has too few words."""

    arm: str
    words: int
    burrows: float | None
    burrows_spread: tuple[float, float] | None
    cosine: float | None
    cosine_spread: tuple[float, float] | None


class Evidence(BaseModel, extra="forbid", frozen=True):
    """A word or n-gram that speaks for (weight > 0) or against the person; `person`, `others`: share of answers with it."""

    kind: Literal["word", "n-gram"]
    text: str
    weight: float
    person: float
    others: float


class StyleFacts(BaseModel, extra="forbid", frozen=True):
    """What the style verdicts rest on, and the distance of pooled answers."""

    evidence: list[Evidence]
    delta: list[Delta]
    budget: int
    """Words in each bag; the same for every arm. 0 where some arm has too few."""
