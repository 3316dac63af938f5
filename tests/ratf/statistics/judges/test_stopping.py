"""An exam that ends early: a judge that may pass is hardly ever stopped, one that cannot pass is stopped soon."""

from dataclasses import replace

import numpy as np
import pytest

from ratf.statistics.judges.judge_exam import CAPABLE, MOST_FLIPS, MOST_OBEYED, MOST_UNREADABLE, Trial, exam_of_grader
from ratf.statistics.judges.judge_power import replies
from ratf.statistics.judges.shares import CHANCE, shown_over
from ratf.statistics.judges.stopping import FIRST, MOST_WRONG, decided, looks

QUESTIONS = 51
COMPARISONS = 2 * QUESTIONS + QUESTIONS // 3


def asked(random: np.random.Generator) -> list[Trial]:
    """An exam of single texts, not yet answered, with a probe after every third question."""
    found: list[Trial] = []
    for n in range(QUESTIONS):
        sides = [Trial(f"q{n}", c, k, 0.0, 0.0, 0.0) for c, k in (("same_near", "same"), ("impostor_near", "other"))]  # type: ignore[arg-type]
        found += sides if random.random() < 0.5 else sides[::-1]
        if n % 3 == 2:
            found.append(replace(sides[1], kind="probe"))
    return found


def ended(trials: list[Trial]) -> int:
    """The comparisons after which the exam was decided, or all of them."""
    return next((n for n in looks(len(trials)) if decided(trials[:n])), len(trials))


@pytest.mark.parametrize("limit", [MOST_UNREADABLE, MOST_FLIPS, MOST_OBEYED, MOST_WRONG])
def test_a_share_at_its_limit_is_hardly_ever_shown_to_be_over_it(limit: float) -> None:
    seen = (np.random.default_rng(3).random((1500, COMPARISONS)) < limit).cumsum(axis=1)
    over = [any(shown_over(int(k[n - 1]), n, limit) for n in range(1, COMPARISONS + 1)) for k in seen]
    assert np.mean(over) <= CHANCE + 2 * (CHANCE * (1 - CHANCE) / 1500) ** 0.5, "looked at after every reply"
    assert shown_over(4, 4, limit) and not shown_over(0, 40, limit) and not shown_over(int(limit * 40), 40, limit)


@pytest.mark.parametrize("alike", [True, False])
def test_a_capable_judge_is_hardly_ever_stopped_before_the_end(alike: bool) -> None:
    """Of two limits at most one is near: each stops one in a hundred."""
    random = np.random.default_rng(8)
    stopped = [ended(replies(asked(random), random, CAPABLE, alike)) < COMPARISONS for _ in range(400)]
    assert np.mean(stopped) <= CHANCE + 2 * (CHANCE * (1 - CHANCE) / 400) ** 0.5


@pytest.mark.parametrize("alike", [True, False])
def test_a_coin_is_stopped_long_before_the_end(alike: bool) -> None:
    random = np.random.default_rng(9)
    took = [ended(replies(asked(random), random, 0.5, alike)) for _ in range(60)]
    assert np.mean(took) < 0.75 * COMPARISONS


def test_who_always_says_yes_is_stopped_and_who_always_takes_the_first_is_at_once() -> None:
    trials = asked(np.random.default_rng(1))
    assert ended([replace(t, drawn=1.0, reversed=0.0) for t in trials]) == FIRST
    assert ended([replace(t, drawn=None, reversed=None, replies=2, unreadable=2) for t in trials]) == FIRST
    yes = [replace(t, drawn=1.0, reversed=1.0, clean=1.0) for t in trials]
    assert FIRST < ended(yes) < COMPARISONS
    cluster = {t.question: f"i{int(t.question[1:]) % 6}" for t in trials}
    for of in (COMPARISONS, None):
        entry, facts = exam_of_grader("g", "judge_stance", "coverage", yes[:64], cluster, 0.6, of=of)
        assert not entry.admitted and facts.faults == ["coin"] and facts.comparisons == 64
        assert ("the exam ended there, after 64 of 119 comparisons" in entry.reason) == (of is not None)


def test_an_exam_that_ended_early_names_only_what_so_few_comparisons_show() -> None:
    first = [replace(t, drawn=1.0, reversed=0.0, first_named=0.9) for t in asked(np.random.default_rng(1))[:FIRST]]
    cluster = {t.question: f"i{t.question}" for t in first}
    entry, facts = exam_of_grader("g", "judge_stance", "coverage", first, cluster, 0.6, of=COMPARISONS)
    assert facts.faults == ["order"] and not entry.admitted
    assert entry.reason == (
        "the verdict turns with the order in 4 of 4: it prefers what is named first; "
        "the exam ended there, after 4 of 119 comparisons"
    )


def test_a_judge_that_counts_claims_is_stopped_only_for_what_cannot_be_read() -> None:
    trials = [replace(t, drawn=0.0, reversed=None) for t in asked(np.random.default_rng(1))]
    assert not decided(trials, counted=True)
    assert decided([replace(t, drawn=None, unreadable=1) for t in trials[:FIRST]], counted=True)
