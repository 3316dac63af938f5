import random
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from rouge_score.rouge_scorer import RougeScorer

from raft.errors import RaftError
from raft.files import write_made
from raft.memory.rephrase import VERSION
from raft.models.weights import fetch
from raft.types import Memory
from ratf.models.chat import embedder
from ratf.scores.coverage import Beside
from ratf.scores.measures import (
    RUN_WORDS,
    Lookup,
    ReadsTokens,
    TextMeasures,
    coverage,
    known_runs,
    reciprocal_rank,
    runs,
    warm,
)
from ratf.suite.study import open_study

EditLine = Callable[[Path, int, dict[str, object] | str], None]
ENCODER = "local/all-minilm-l6-v2"
TEXT = "The river took the bank in one night, and nobody in the village had believed that it would come so far."
PARAPHRASE = "In a single night the bank went into the river; no villager had thought it could ever reach that far."


class Squares:
    """Computes squares, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []

    def __call__(self, keys: list[int]) -> list[int]:
        self.asked.append(keys)
        return [key**2 for key in keys]


def test_a_lookup_computes_each_key_once() -> None:
    squares = Squares()
    lookup: Lookup[int, int] = Lookup(squares)
    assert lookup([3, 1, 3]) == [9, 1, 9]
    assert lookup([1, 2]) == [1, 4]
    assert lookup([]) == []
    assert squares.asked == [[3, 1], [2]]


def test_a_scorer_computes_nothing_itself() -> None:
    lookup: Lookup[int, int] = Lookup(Squares())
    lookup([3])
    assert lookup.known(3) == 9
    with pytest.raises(RaftError, match="not worked out before"):
        lookup.known(4)


def test_runs_are_eight_words_without_case_and_punctuation() -> None:
    words = "One two, THREE (four) five-six seven eight: nine."
    assert runs(words) == [
        ("one", "two", "three", "four", "five", "six", "seven", "eight"),
        ("two", "three", "four", "five", "six", "seven", "eight", "nine"),
    ]
    assert runs("one two three") == []
    assert all(len(run) == RUN_WORDS for run in runs(TEXT))


def test_a_copy_shares_all_runs_and_a_paraphrase_none() -> None:
    source = set(runs("Before that. " + TEXT + " After that."))
    assert all(run in source for run in runs(TEXT.upper()))
    assert not any(run in source for run in runs(PARAPHRASE))


def test_what_the_person_wrote_and_said_before_is_known_and_what_is_held_out_is_not(
    tiny: Path, tmp_path: Path, edit_line: EditLine
) -> None:
    edit_line(tiny.parent / "marrack" / "writings.jsonl", 3, {"date": "2026-01-01"})
    study = open_study(str(tiny), out=str(tmp_path / "out"))
    known = known_runs(study)
    assert [d.date > study.cut for d in study.person.documents if d.date and study.cut] == [False, False, True]
    for document in study.person.documents:
        told = [run in known for run in runs(document.text)]
        assert all(told) if document.date and study.cut and document.date < study.cut else not any(told)
    assert all(run in known for e in study.earlier for run in runs(e.answer))
    assert not any(run in known for e in study.held_out for run in runs(e.answer))


def test_bertscore_is_that_of_the_package(models: Path) -> None:
    from bert_score import BERTScorer

    pairs = [(PARAPHRASE, TEXT), (TEXT, PARAPHRASE), ("Interest rates rose.", TEXT)]
    own = BERTScorer(model_type=str(fetch("all-minilm-l6-v2")), num_layers=6)
    _, _, f = own.score([a for a, _ in pairs], [b for _, b in pairs])
    assert TextMeasures(ENCODER).bertscores(pairs) == pytest.approx([float(x) for x in f], abs=1e-4)


def test_cosine_rank_and_bertscore_share_their_passes(models: Path) -> None:
    encoder = embedder(ENCODER)
    assert isinstance(encoder, ReadsTokens)
    answer, real = TEXT + " Indeed.", PARAPHRASE + " Indeed."
    texts = TextMeasures(ENCODER)
    texts.bertscores([(answer, real)])
    kept = [texts.vectors.known(text) for text in (answer, real)]
    assert np.allclose(kept, encoder.embed([answer, real]), atol=1e-5)


def test_memories_are_known(tiny: Path, tmp_path: Path) -> None:
    tiny.write_text(tiny.read_text("utf-8").replace("seed: 3", "seed: 77"), "utf-8")
    study = open_study(str(tiny), out=str(tmp_path / "out"))
    memory = Memory(TEXT, "d@0", "d", "Title", "source", "2010-01-01", 0.5)
    made = {"passages": {"useful": 1}, "memories": {study.held_out[0].exchange_id: [asdict(memory)]}}
    write_made(study.folder / "memories.json", f"{study.digest}-{VERSION}", made)
    assert set(runs(TEXT)) <= known_runs(study)


def test_the_true_answer_ranks_first(tiny: Path, models: Path) -> None:
    study = open_study(str(tiny))
    warm(study, [Beside(e.answer, e.answer) for e in study.held_out], ["embedding_rank"])
    assert [reciprocal_rank(study, e.exchange_id, e.answer) for e in study.held_out] == [1.0] * 4


def test_another_questions_answer_ranks_lower(tiny: Path, models: Path) -> None:
    study = open_study(str(tiny))
    first, second = study.held_out[:2]
    warm(study, [Beside(second.answer, first.answer)], ["embedding_rank"])
    assert reciprocal_rank(study, first.exchange_id, second.answer) <= 0.5


def test_a_text_that_is_said_to_everything_covers_nothing(tiny: Path, models: Path) -> None:
    study = open_study(str(tiny))
    constant = " ".join(e.answer for e in study.earlier[:4])
    own, same, asked = (
        [Beside(text or e.answer, e.answer, e.question) for e in study.held_out] for text in ("", constant, "?")
    )
    asked = [b._replace(answer=b.question) for b in asked]
    warm(study, [*own, *same, *asked], ["sentence_coverage"])

    def scores(of: list[Beside]) -> list[float]:
        found = [coverage(study, b) for b in of]
        assert all(f and f[0] == f[1]["elsewhere"] * -1 + _f(f[1]) for f in found)
        return [f[0] for f in found if f]

    assert min(scores(own)) > 0.7 and all(s < 0.05 for s in scores(asked))
    assert abs(float(np.mean(scores(same)))) < 0.02
    plain = [_f(f[1]) for b in same if (f := coverage(study, b))]
    assert np.mean(plain) > 0.05, "before what it covers elsewhere is taken off"


def _f(parts: dict[str, float]) -> float:
    both = parts["recall"] + parts["precision"]
    return 2 * parts["recall"] * parts["precision"] / both if both else 0.0


def test_ties_count_at_their_worst(tiny: Path, models: Path, edit_line: EditLine) -> None:
    said = [
        {"speaker": "W", "role": "interviewer", "text": "Why?"},
        {"speaker": "T", "role": "target", "text": f"{TEXT} {TEXT}"},
    ]
    for number in (5, 6):
        edit_line(tiny.parent / "marrack" / "interviews.jsonl", number, {"turns": said})
    study = open_study(str(tiny))
    warm(study, [Beside(e.answer, e.answer) for e in study.held_out], ["embedding_rank"])
    assert [reciprocal_rank(study, e.exchange_id, e.answer) for e in study.held_out] == [0.5, 0.5]


def test_alike_texts_are_nearer_than_others(models: Path) -> None:
    text, paraphrase, other = TextMeasures(ENCODER).vectors(
        [TEXT, PARAPHRASE, "Interest rates rose by a quarter point in June."]
    )
    assert text @ text == pytest.approx(1, abs=1e-5)
    assert text @ paraphrase > text @ other


def test_bertscore_of_the_same_text_is_1_and_of_a_paraphrase_less(models: Path) -> None:
    same, alike = TextMeasures(ENCODER).bertscores([(TEXT, TEXT), (PARAPHRASE, TEXT)])
    assert same == pytest.approx(1, abs=1e-5)
    assert alike < 0.99


def test_bertscore_cuts_long_texts_at_the_same_place(models: Path) -> None:
    long = " ".join([TEXT] * 40)
    (score,) = TextMeasures(ENCODER).bertscores([(long, long + " And then something else altogether.")])
    assert score == pytest.approx(1, abs=1e-5)


def test_rouge_is_that_of_the_package() -> None:
    """Texts of few words, so that they repeat and cross, from none to more than one number's 64 bits."""
    draw = random.Random(0)
    words = ["weirs", "weir", "the", "river", "rivers", "rose", "fast"]
    lengths = [draw.choice([0, 1, 5, 70, 200]) for _ in range(120)]
    texts = [" ".join(draw.choices(words, k=length)) for length in lengths]
    pairs = list(zip(texts[::2], texts[1::2], strict=True))
    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True)
    package = [{kind: s.fmeasure for kind, s in scorer.score(real, answer).items()} for answer, real in pairs]
    assert TextMeasures(ENCODER).rouges(pairs) == package


def test_rouge_by_hand() -> None:
    # 3 of 4 words, 1 of 3 pairs and a common sequence of 3 words: the same on both sides
    (score,) = TextMeasures(ENCODER).rouges([("the river rose fast", "the river fast flooded")])
    assert (score["rouge1"], score["rouge2"], score["rougeL"]) == pytest.approx((3 / 4, 1 / 3, 3 / 4))
