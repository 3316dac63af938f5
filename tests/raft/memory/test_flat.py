import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raft.memory.flat import FlatIndex
from raft.types import Vectors


def unit(rows: Vectors) -> Vectors:
    vectors: Vectors = (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)
    return vectors


def brute(days: list[int], vectors: Vectors, vector: Vectors, before: int, k: int) -> list[int]:
    exact = vectors.astype(np.float64) @ vector.astype(np.float64)
    old = [row for row in range(len(days)) if days[row] < before]
    return sorted(old, key=lambda row: (-round(float(exact[row]), 12), f"{row:05}"))[:k]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 300), st.integers(1, 12), st.integers(0, 40))
def test_it_finds_exactly_the_nearest_older_ones(seed: int, n: int, k: int, before: int) -> None:
    rng = np.random.default_rng(seed)
    few = unit(rng.standard_normal((max(1, n // 3), 16)))  # each vector about three times: ties
    vectors = few[rng.integers(0, len(few), n)]
    days = rng.integers(0, 30, n).tolist()
    index = FlatIndex([f"{row:05}" for row in range(n)], days, [str(row) for row in range(n)], vectors)
    questions, dates = unit(rng.standard_normal((40, 16))), [before, *rng.integers(0, 40, 39).tolist()]
    found = index.nearest(questions, dates, k, None)
    for near, vector, day in zip(found, questions, dates, strict=True):
        assert [row for row, _ in near] == brute(days, vectors, vector, day, k)
        assert all(days[row] < day for row, _ in near)
    assert found[7] == index.nearest(questions[7:8], dates[7:8], k, None)[0], "alone it is another answer"


def test_the_order_of_adding_does_not_matter() -> None:
    rng = np.random.default_rng(1)
    vectors, ids = unit(rng.standard_normal((500, 32))), [f"c{i:03}" for i in range(500)]
    vector = vectors[7]
    forth = FlatIndex(ids, [1] * 500, ids, vectors).nearest(vector[None], [2], 9, None)[0]
    back = FlatIndex(ids[::-1], [1] * 500, ids[::-1], vectors[::-1]).nearest(vector[None], [2], 9, None)[0]
    assert [(499 - row, cosine) for row, cosine in back] == forth and forth[0][0] == 7


def angles(*degrees: float) -> Vectors:
    radians = np.deg2rad(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


@pytest.mark.parametrize(("alike", "rows"), [(0.95, [1, 2]), (0.999999, [0, 1]), (None, [0, 1])])
def test_of_passages_that_say_the_same_the_earliest_is_found(alike: float | None, rows: list[int]) -> None:
    index = FlatIndex(["a", "b", "c"], [3, 2, 1], ["x", "y", "z"], angles(10, 20, 60))
    assert [row for row, _ in index.nearest(angles(0), [9], 2, alike)[0]] == rows


def test_the_same_text_is_found_once_even_among_many() -> None:
    degrees = [1 + i / 100 for i in range(200)] + [80.0]
    index = FlatIndex([f"{i:03}" for i in range(201)], [5] * 201, ["same"] * 200 + ["other"], angles(*degrees))
    assert [row for row, _ in index.nearest(angles(0), [9], 2, 1.1)[0]] == [0, 200]
    assert index.nearest(angles(0), [5], 2, 0.95) == [[]]
