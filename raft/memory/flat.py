"""Exact nearest neighbours among the passages dated before a day, by one matrix in memory, ordered by date.

Chroma's own index is approximate, and slow with a filter: among 100,000 random unit vectors, on two busy cores, it took
260 to 450 ms a question and missed most of the three nearest. Reading the part of this matrix that is old enough takes
8 ms for one question and 3 ms each for many on idle cores, 15 to 40 ms on busy ones, and misses nothing
(`make bench`).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from raft.types import Vectors

ROUNDING = 1e-4
"""A bound above the float32 error of a cosine: rows this close to the selection are ranked again in float64."""


WINDOW = 4
TOGETHER = 32


class FlatIndex:
    """An index of unit vectors, each with a day number, an id and a text; `vectors` is float32 of shape (rows, d)."""

    def __init__(self, ids: Sequence[str], days: Sequence[int], texts: Sequence[str], vectors: Vectors) -> None:
        order = sorted(range(len(ids)), key=lambda row: (days[row], ids[row]))
        self._rows = order
        self._ids = [ids[row] for row in order]
        self._texts = [texts[row] for row in order]
        self._days: NDArray[np.int64] = np.asarray(days, dtype=np.int64)[order]
        self._vectors: Vectors = np.ascontiguousarray(vectors[order], dtype=np.float32)

    def nearest(
        self, vectors: Vectors, before: Sequence[int], k: int, alike: float | None
    ) -> list[list[tuple[int, float]]]:
        """Return, for each question, the row numbers and cosines of the `k` nearest rows of a day before its own.

        `vectors` has shape (questions, d), and `before` has each question's day number. Rows are numbered as they were
        given to the index. Ties go to the earlier id. With `alike`, of rows with the same text, or with that cosine or
        more between them, only the oldest is returned. The matrix is read once for up to 32 questions.
        """
        reaches = np.searchsorted(self._days, np.asarray(before, dtype=np.int64))
        found = []
        for start in range(0, len(vectors), TOGETHER):
            part, reach = vectors[start : start + TOGETHER].astype(np.float32), reaches[start : start + TOGETHER]
            near = part @ self._vectors[: reach.max()].T
            found += [self._of(near[i, :r], part[i], k, alike) for i, r in enumerate(reach.tolist())]
        return found

    def _of(self, near: Vectors, vector: Vectors, k: int, alike: float | None) -> list[tuple[int, float]]:
        window = min(len(near), WINDOW * k)
        while True:
            ranked = self._best(near, vector, window)
            found = self._collapsed(ranked, alike) if alike is not None else ranked
            if len(found) >= k or window == len(near):
                return [(self._rows[row], cosine) for row, cosine in found[:k]]
            window = min(len(near), window * WINDOW)

    def _best(self, near: Vectors, vector: Vectors, n: int) -> list[tuple[int, float]]:
        """Return the `n` rows of the highest exact cosine, with it; ties go to the earlier id."""
        if n == 0:
            return []
        least = np.partition(near, len(near) - n)[len(near) - n]
        rows = np.flatnonzero(near >= least - ROUNDING)
        # Each row is summed by itself: in a matrix product the order of summation may depend on the other rows.
        exact = (self._vectors[rows].astype(np.float64) * vector.astype(np.float64)).sum(axis=1)
        ranked = zip(rows.tolist(), exact.tolist(), strict=True)
        return sorted(ranked, key=lambda pair: (-pair[1], self._ids[pair[0]]))[:n]

    def _collapsed(self, ranked: list[tuple[int, float]], alike: float) -> list[tuple[int, float]]:
        """Return one row for each group of rows that say the same: the oldest, and of one day the nearest."""
        heads: list[int] = []
        shown: list[tuple[int, float]] = []
        for row, cosine in ranked:
            group = self._group(row, heads, alike)
            if group is None:
                heads.append(row)
                shown.append((row, cosine))
            elif self._days[row] < self._days[shown[group][0]]:
                shown[group] = (row, cosine)
        return sorted(shown, key=lambda pair: (-pair[1], self._ids[pair[0]]))

    def _group(self, row: int, heads: list[int], alike: float) -> int | None:
        """Return the index in `heads` of the first row that says the same as `row`; None where none does."""
        if not heads:
            return None
        cosines = self._vectors[heads] @ self._vectors[row]
        same = [c >= alike or self._texts[h] == self._texts[row] for h, c in zip(heads, cosines, strict=True)]
        return same.index(True) if True in same else None
