import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tiny_nli import save_model

from raft.errors import DataError, RaftError
from ratf.scores.measures import Lookup
from ratf.scores.nli import Agreement, CrossEncoder, Labelled, agreements
from ratf.suite.inference import labels
from ratf.suite.suite import Suite, load_suite

THREE = {0: "CONTRADICTION", 1: "neutral", 2: "entailment"}


def embed(texts: Sequence[str]) -> list[NDArray[np.float32]]:
    rows = [np.array([float("weir" in t), float("heron" in t), 0.1], dtype=np.float32) for t in texts]
    return [row / np.float32(np.linalg.norm(row)) for row in rows]


class Words:
    """Says that a sentence follows from the same one, and contradicts it with a `not`."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def __call__(self, pairs: Sequence[tuple[str, str]]) -> list[Labelled | None]:
        self.asked += pairs
        return [None if "endless" in a + b else self.one(a, b) for a, b in pairs]

    def one(self, premise: str, hypothesis: str) -> Labelled:
        a, b = (t.replace(" not", "") for t in (premise, hypothesis))
        same = premise == hypothesis
        return (0.9 if same else 0.1, 0.8 if a == b and not same else 0.0)


REAL = "The weir went. The heron left."


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (REAL, (0.9, 0.9)),
        ("The heron left. The weir went.", (0.9, 0.9)),
        ("The weir went. The heron not left.", (0.1, 0.1)),
        ("The weir went.", (0.5, 0.9)),
        ("It rained.", (0.1, 0.1)),
    ],
    ids=["itself", "in another order", "one turned round", "half of it", "something else"],
)
def test_agreement_is_read_sentence_by_sentence_and_both_ways(answer: str, expected: tuple[float, float]) -> None:
    found = agreements([(answer, REAL)], Words(), embed)[0]
    assert found is not None
    assert (found.recall, found.precision) == pytest.approx(expected)
    assert found.score == pytest.approx(sum(expected) / 2)


def test_what_has_no_sentence_or_is_too_long_is_unscored() -> None:
    assert agreements([("", REAL), (REAL, ""), ("An endless weir.", REAL)], Words(), embed) == [None, None, None]


def test_each_pair_is_asked_once_and_of_the_nearest_only() -> None:
    judge = Words()
    kept: Lookup[tuple[str, str], Labelled | None] = Lookup(judge)
    first = agreements([(REAL, REAL), (REAL, REAL)], kept, embed, nearest=1)
    assert first == [Agreement(0.9, 0.9)] * 2
    assert sorted(judge.asked) == sorted((s, s) for s in ("The weir went.", "The heron left."))
    agreements([(REAL, REAL)], kept, embed, nearest=1)
    assert len(judge.asked) == 2


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (THREE, (2, 0)),
        ({0: "entailment", 1: "neutral", 2: "contradiction"}, (0, 2)),
        ({0: "entailment", 1: "not_entailment"}, (0, None)),
        ({0: "Contradicts", 1: "Entails"}, (1, 0)),
    ],
)
def test_the_order_of_labels_is_read(names: dict[int, str], expected: tuple[int, int | None]) -> None:
    assert labels(names, "here") == expected


@pytest.mark.parametrize(
    "names",
    [
        {0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"},
        {0: "entailment"},
        {0: "entailment", 1: "entails"},
        {0: "entailment", 1: "neutral", 2: "other"},
        {0: "entailment", 1: "neutral", 2: "not_entailment"},
        {0: "positive", 1: "negative"},
    ],
)
def test_labels_that_leave_the_order_unclear_are_refused(names: dict[int, str]) -> None:
    with pytest.raises(RaftError, match=r"unclear.*\n.*id2label in its config\.json"):
        labels(names, "local/somewhere")


def test_a_model_in_a_folder_reads_pairs_by_its_own_labels(tmp_path: Path) -> None:
    pairs = [("the weir went .", "the weir not went ."), ("it rained .", "the heron left ."), ("it .", "it rained .")]
    one = CrossEncoder(save_model(tmp_path / "one", THREE))
    found = one(pairs)
    assert all(f is not None and 0 < f[0] < 1 and 0 < f[1] < 1 and sum(f) < 1 for f in found)
    assert len(set(found)) == 3
    # the same weights under other names: entailment and contradiction have changed places
    swapped = CrossEncoder(save_model(tmp_path / "other", {0: "entailment", 1: "neutral", 2: "contradiction"}))(pairs)
    for a, b in zip(found, swapped, strict=True):
        assert a is not None and b is not None and a == pytest.approx((b[1], b[0]))
    # a batch is padded, and the padding says nothing
    assert one(pairs[2:])[0] == pytest.approx(found[2], abs=1e-5)
    assert one([]) == []


def test_a_pair_that_is_too_long_is_not_cut_but_unscored(tmp_path: Path) -> None:
    model = CrossEncoder(save_model(tmp_path / "model", THREE))
    long = "the weir went . " * 10
    first, second = model([(long, "it rained ."), ("it rained .", "it rained .")])
    assert first is None and second is not None
    assert agreements([(f"{long.replace('. ', '')}.", "it rained.")], model, embed) == [None]


def test_a_model_without_names_for_its_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RaftError, match="LABEL_0, LABEL_1, LABEL_2"):
        CrossEncoder(save_model(tmp_path / "model", {i: f"LABEL_{i}" for i in range(3)}))([("it .", "it .")])


@pytest.mark.parametrize("name", ["openai/gpt", "folder", "local/"])
def test_only_folders_are_models_of_inference(name: str) -> None:
    with pytest.raises(RaftError, match="write local/FOLDER"):
        CrossEncoder(name)([("it .", "it .")])


def test_a_folder_without_a_model_is_said() -> None:
    with pytest.raises(RaftError, match="no model there"):
        CrossEncoder("local/nowhere")([("it .", "it .")])


def test_a_suite_is_refused_before_anything_is_spent_where_the_model_is_none(tiny: Path, tmp_path: Path) -> None:
    good = save_model(tmp_path / "good", THREE)
    unclear = save_model(tmp_path / "unclear", {i: f"LABEL_{i}" for i in range(3)})
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.json").write_text('{"architectures": ["BertModel"]}', "utf-8")
    before = tiny.read_text("utf-8")

    def with_nli(name: str, finished: bool = False) -> Suite:
        text = before.replace("{grader:", f"{{nli: {name}, grader:") + "metrics: [style_identity, nli]\n"
        tiny.write_text(text if name else text.replace("nli: , ", ""), "utf-8")
        return load_suite(tiny, finished)

    assert with_nli(good).facts["nli"].axis == "agreement"
    for name, told in (
        (f"local/{tmp_path}/nowhere", "no model there"),
        (unclear, "unclear"),
        (f"local/{tmp_path}/other", "BertModel; a model of inference is a sequence classifier"),
        ("openai/gpt", "write local/FOLDER"),
        ("", "models.nli must name"),
    ):
        with pytest.raises(DataError, match=re.escape(told)):
            with_nli(name)
    assert with_nli(f"local/{tmp_path}/nowhere", finished=True).models.nli, "a finished run's model may be elsewhere"
    tiny.write_text(before, "utf-8")
    assert "nli" not in load_suite(tiny).metrics and "nli" not in load_suite(tiny).model_dump()["models"]
