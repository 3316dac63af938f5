from collections.abc import Sequence

import numpy as np
import pytest
from hosted import Hosted
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ratf.edits.rules import load_rules
from ratf.scores.coverage import Coverage, Facts, Reals, facts
from ratf.scores.measures import OF_TEXTS, TextMeasures

RULES = load_rules("english")
THINGS = ["heron", "weir", "ducks", "council", "mill"]
REAL = "The heron left in May 2019. The weir went by 2 feet. The council never asked us."


class ByThings:
    """Sentences as vectors of the things that they name, and how often each was embedded."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        self.asked += texts
        rows = [np.array([float(t in text.casefold()) for t in THINGS] + [0.01], dtype=np.float32) for text in texts]
        return [row / np.float32(np.linalg.norm(row)) for row in rows]


def cover(answer: str, real: str = REAL, question: str = "") -> Coverage:
    (found,) = Reals([(question, real)], ByThings()).covered_by(answer)
    assert found is not None
    return found


def test_both_sides_are_kept() -> None:
    all_of_it = cover("Council first, that is what I say. Then the weir. Then the heron.")
    assert all_of_it.recall == pytest.approx(1, abs=0.01) and all_of_it.precision == pytest.approx(1, abs=0.01)
    part = cover("The heron left in May 2019.")
    assert part.precision == pytest.approx(1) and part.recall == pytest.approx(6 / 17, abs=0.01)
    more = cover(REAL + " The ducks came back to the mill, every one of them.")
    assert more.recall == pytest.approx(1) and more.precision < 0.7
    assert cover("The ducks came back.").f < 0.02
    assert part.f == pytest.approx(2 * part.recall / (1 + part.recall))


def test_a_side_without_a_sentence_is_unscored() -> None:
    embed = ByThings()
    assert Reals([("", REAL)], embed).covered_by("") == [None]
    assert Reals([("", " ")], embed).covered_by(REAL) == [None]
    assert Reals([], embed).covered_by(REAL) == []
    assert facts([("", REAL)], RULES, embed) == [None]


def test_each_distinct_sentence_is_embedded_once() -> None:
    embed = ByThings()
    Reals([("So?", REAL), ("So?", f"{REAL} So?")], embed)
    assert sorted(embed.asked) == sorted({*REAL.replace(". ", ".|").split("|"), "So?"})


QUESTION = "Is it true that the heron left? And what about the ducks?"


@given(
    st.lists(st.sampled_from(THINGS), min_size=1, max_size=5), st.lists(st.sampled_from(THINGS), min_size=1, max_size=5)
)
def test_sides_swapped_swap_recall_and_precision(a: list[str], b: list[str]) -> None:
    one, other = (" ".join(f"The {thing} again." for thing in things) for things in (a, b))
    there, back = cover(one, other), cover(other, one)
    assert there.recall == pytest.approx(back.precision) and there.precision == pytest.approx(back.recall)
    assert 0 <= there.f <= 1 + 1e-6


def test_what_the_question_says_counts_for_nothing() -> None:
    assert cover(QUESTION, question=QUESTION).f == 0
    assert cover(f"{QUESTION} {QUESTION}", question=QUESTION).f == 0
    assert cover(QUESTION).f > 0.3, "without the question it would"
    assert cover(REAL, question=QUESTION).f == pytest.approx(1)
    rest = cover("The weir went by 2 feet. The council never asked us.", question=QUESTION)
    assert rest.recall == pytest.approx(1, abs=0.01), "only what the question leaves open was there to be said"
    assert rest.f > cover("The heron left. The weir went by 2 feet.", question=QUESTION).f


@given(
    *(st.lists(st.sampled_from(THINGS), min_size=1, max_size=5) for _ in range(3)),
)
def test_an_answer_is_covered_no_better_than_by_itself_and_its_question_is_worth_nothing(
    a: list[str], b: list[str], c: list[str]
) -> None:
    answer, real, question = (" ".join(f"The {thing} again." for thing in things) for things in (a, b, c))
    found = [c for t in (answer, real, question) for c in Reals([(question, real)], ByThings()).covered_by(t)]
    if found[1] is None:
        assert found == [None] * 3, "the question says everything"
        return
    assert all(f is not None and 0 <= f.f <= 1 + 1e-6 for f in found)
    assert found[1].f == pytest.approx(1) and found[2] is not None and found[2].f < 0.01


@given(st.lists(st.tuples(*[st.lists(st.sampled_from(THINGS), min_size=0, max_size=4)] * 2), min_size=1, max_size=5))
def test_an_answer_is_held_against_many_as_against_each_alone(rows: list[tuple[list[str], list[str]]]) -> None:
    asked = [tuple(" ".join(f"The {thing} again." for thing in things) for things in row) for row in rows]
    answer = "The heron again. The mill."
    together = Reals(asked, ByThings()).covered_by(answer)  # type: ignore[arg-type]
    alone = [Reals([one], ByThings()).covered_by(answer)[0] for one in asked]  # type: ignore[list-item]
    for a, b in zip(together, alone, strict=True):
        assert (a is None) == (b is None)
        if a and b:
            assert (a.recall, a.precision) == (pytest.approx(b.recall, abs=1e-6), pytest.approx(b.precision, abs=1e-6))


def test_an_answer_whose_question_says_it_all_is_unscored() -> None:
    assert Reals([(f"So is it right? {REAL}", REAL)], ByThings()).covered_by("The ducks came.") == [None]


def test_an_answer_is_covered_by_itself_in_any_order() -> None:
    turned = " ".join(reversed(REAL.replace(". ", ".|").split("|")))
    assert cover(turned).f == pytest.approx(1)


@pytest.mark.parametrize(
    ("answer", "counts", "score"),
    [
        (REAL, (2, 0, 0), 1.0),
        ("That heron was gone in May 2019. Two feet of the weir went.", (2, 0, 0), 1.0),
        ("The heron left in June 2019. The weir went by 3 feet.", (0, 2, 0), 0.0),
        ("The heron left. The weir went by 2 feet.", (1, 0, 1), 0.5),
        ("The ducks came in May 2019, all 2 of them.", (0, 0, 2), 0.0),
    ],
    ids=["itself", "reworded", "contradicted", "silent on one", "said of something else"],
)
def test_facts_are_those_of_sentences_about_the_same_thing(
    answer: str, counts: tuple[int, int, int], score: float
) -> None:
    assert facts([(answer, REAL)], RULES, ByThings()) == [Facts(*counts)]
    assert Facts(*counts).score == score


def test_without_facts_in_the_real_answer_facts_are_unscored() -> None:
    found = facts([("The heron left in 2019.", "The heron left.")], RULES, ByThings())[0]
    assert found == Facts(0, 0, 0) and found.score is None and found.contradiction is None


def test_contradicted_facts_have_a_share_of_their_own() -> None:
    assert Facts(1, 2, 1).contradiction == 0.5


def test_facts_are_scored_by_pairs_and_what_has_none_says_why(hosted: Hosted) -> None:
    texts = TextMeasures("openai/words")
    real = "We counted 40 eels in the river that spring, and Nora wrote it down."
    pairs = [
        (real, real),
        (real.replace("40", "forty"), real),
        (real.replace("40", "90"), real),
        (real, "We never counted the eels in the river, and that was a pity."),
        (real, "Der Fluss war im Sommer sehr ruhig, und niemand hat die 40 Aale gesehen."),
    ]
    texts.warm(pairs, ["facts"])
    same, as_word, other, none, foreign = (OF_TEXTS["facts"](texts, *pair) for pair in pairs)
    assert isinstance(same, tuple) and same == as_word and same[0] == 1 and same[1]["agreed"] >= 2
    assert isinstance(other, tuple) and 0 < other[0] < 1 and other[1]["contradicted"] == 1
    assert none == "the real answer has no number, date or name"
    assert isinstance(foreign, str) and "no rules for this language" in foreign
