"""The sentences of an answer beside those of the real one: which says what which says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ratf.edits.sentences import sentences

Vector = NDArray[np.float32]
Embed = Callable[[Sequence[str]], Sequence[Vector]]
"""Texts to unit vectors: a `Lookup`, or an embedder's `embed`."""


Split = Callable[[str], list[str]]


@dataclass(frozen=True)
class Aligned:
    """The sentences of both sides, and the cosine of each (real, said) pair."""

    real: list[str]
    said: list[str]
    cosines: NDArray[np.float32]

    @property
    def best_said(self) -> NDArray[np.float32]:
        """How near the nearest sentence of the answer is to each real one."""
        return np.asarray(self.cosines.max(axis=1))

    @property
    def best_real(self) -> NDArray[np.float32]:
        """How near the nearest real sentence is to each of the answer's."""
        return np.asarray(self.cosines.max(axis=0))


def aligned(pairs: Sequence[tuple[str, str]], embed: Embed, split: Split = sentences) -> list[Aligned | None]:
    """For each (answer, real answer), both sides' sentences with their cosines; None where a side has none.

    Each distinct sentence is embedded once, all in one call.
    """
    parts = [(split(answer), split(real)) for answer, real in pairs]
    distinct = list(dict.fromkeys(s for sides in parts for side in sides for s in side))
    vectors = dict(zip(distinct, embed(distinct), strict=True)) if distinct else {}

    def cosines(real: list[str], said: list[str]) -> NDArray[np.float32]:
        return np.stack([vectors[s] for s in real]) @ np.stack([vectors[s] for s in said]).T

    return [Aligned(real, said, cosines(real, said)) if real and said else None for said, real in parts]
