import numpy as np
import pytest

from ratf.results.exams import Delta
from ratf.scores.style.delta import LEAST, MOST, deltas
from ratf.suite.study import open_study

WORDS = [f"w{n}" for n in range(60)]


def speak(habits: int, words: int, seed: int) -> str:
    """A text by somebody with habits of their own."""
    shares = np.random.default_rng(habits).dirichlet(np.full(len(WORDS), 2.0))
    return " ".join(np.random.default_rng(seed).choice(WORDS, size=words, p=shares))


BACKGROUND = {
    name: [speak(habits, 2000, 10 * habits + n) for n in range(5)] for name, habits in (("me", 1), ("other", 2))
}


def by_arm(arms: dict[str, list[str]], seed: int = 0) -> dict[str, Delta]:
    found, _ = deltas(arms, BACKGROUND, "me", seed)
    return {d.arm: d for d in found}


def test_the_person_is_nearer_than_another() -> None:
    found = by_arm({"mine": [speak(1, 3000, 77)], "theirs": [speak(2, 3000, 78)]})
    mine, theirs = found["mine"], found["theirs"]
    assert mine.burrows_spread and theirs.burrows_spread and mine.cosine_spread and theirs.cosine_spread
    assert mine.burrows_spread[1] < theirs.burrows_spread[0]
    assert mine.cosine_spread[1] < theirs.cosine_spread[0]


def test_every_arm_is_read_in_bags_of_the_same_size() -> None:
    text = speak(1, 6000, 5).split()
    arms = {"short": [" ".join(text[:1500])], "long": [" ".join(text)], "tiny": ["a few words"]}
    found, budget = deltas(arms, BACKGROUND, "me", 0)
    assert budget == 750
    # of the same speaker, a longer text is not nearer for being longer
    short, long, tiny = found
    assert short.burrows == pytest.approx(long.burrows, rel=0.1)
    assert (tiny.burrows, tiny.cosine, tiny.words) == (None, None, 3)
    assert deltas({"long": [speak(1, 3 * MOST, 1)]}, BACKGROUND, "me", 0)[1] == MOST
    assert deltas({"tiny": [speak(1, LEAST - 1, 1)]}, BACKGROUND, "me", 0)[1] == 0


def test_the_same_seed_gives_the_same_numbers() -> None:
    arms = {"mine": [speak(1, 3000, 77)]}
    assert by_arm(arms, 1) == by_arm(arms, 1) != by_arm(arms, 2)


def test_real_answers_of_the_demo_are_nearer_than_the_impostors() -> None:
    study = open_study("demo")
    own = {e.interview_id: "" for e in study.earlier}
    for e in study.earlier:
        own[e.interview_id] += " " + e.answer
    theirs = [" ".join(e.answer for e in study.impostors[0].exchanges)]
    background = {"marrack": list(own.values()), "pell": theirs}
    arms = {"real": [e.answer for e in study.held_out], "impostor": theirs}
    real, impostor = deltas(arms, background, "marrack", 0)[0]
    assert real.burrows is not None and impostor.burrows is not None and real.burrows < impostor.burrows
