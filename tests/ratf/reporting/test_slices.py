"""Parts of the questions: by form, length and interview; small ones without an interval."""

import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted import make

from ratf.reporting.slices import FORMS, Slice, form_of, slices, thirds
from ratf.results.results import Results
from ratf.statistics.estimates import clustered_mean


@pytest.mark.parametrize(
    ("question", "form"),
    [
        ("What do you make of it?", "what"),
        ("Which of the two rivers is it, then?", "what"),
        ("To what extent does it matter?", "what"),
        ("You wrote a book. Thank you. How did that come about?", "how"),
        ("If the dam goes, why would anybody stay?", "why"),
        ("So, is it over?", "yes or no"),
        ("Thanks for coming. And do you know what they meant?", "yes or no"),
        ("Don’t you agree?", "yes or no"),
        ("Your colleague left last week, so would you say that you miss her? Thank you.", "yes or no"),
        ("The one in the north?", "other form"),
        ("I was wondering what you make of it.", "no question mark"),
        ("How? Tell us about the dam?", "other form"),
        ("¿Y ahora?", "other form"),
        ("", "no question mark"),
    ],
)
def test_the_form_of_a_question(question: str, form: str) -> None:
    assert form_of(question) == form


@given(st.text(st.sampled_from("what you is.,?! é-")))
def test_every_text_has_one_of_the_forms(text: str) -> None:
    assert form_of(text) in FORMS


def test_a_long_text_takes_no_long_time() -> None:
    start = time.process_time()
    for text in ("word " * 40_000, "? " * 40_000, "what " * 40_000 + "?", "-" * 200_000 + "?"):
        form_of(text)
    assert time.process_time() - start < 2


@given(st.dictionaries(st.integers(0, 200).map(str), st.integers(0, 50), min_size=1))
def test_thirds_are_in_order_and_keep_equal_numbers_together(words: dict[str, int]) -> None:
    parts = thirds(words)
    assert parts.keys() == words.keys() and len(set(parts.values())) <= 3
    by_part = {name: [words[k] for k in words if parts[k] == name] for name in parts.values()}
    ends = sorted((min(v), max(v)) for v in by_part.values())
    assert all(a[1] < b[0] for a, b in pairwise(ends))


def test_thirds_of_different_numbers_are_thirds() -> None:
    parts = list(thirds({str(n): n for n in range(1, 10)}).values())
    assert parts == ["up to 3 words"] * 3 + ["4 to 6 words"] * 3 + ["over 6 words"] * 3


def run() -> Results:
    """30 questions in 6 interviews: 20 ask how, where raft is ahead by 0.4, the others why, where it is behind by 0.2."""
    interviews = [f"i{g}" for g in range(6) for _ in range(5)]
    random = np.random.default_rng(0)
    base = random.uniform(0.3, 0.5, 30)
    how = np.arange(30) % 3 != 0
    raft = base + np.where(how, 0.4, -0.2) + random.normal(0, 0.02, 30)
    results = make({"raft": {"style_identity": raft}, "baseline": {"style_identity": base}}, interviews)
    asked = [
        q.model_copy(update={"question": "How so?" if is_how else "Why is that?"})
        for q, is_how in zip(results.questions, how, strict=True)
    ]
    return results.model_copy(update={"questions": asked})


def parts(results: Results, title: str) -> dict[str, Slice]:
    return {s.name: s for s in dict(slices(results, "style_identity"))[title]}


def test_a_part_has_the_estimate_of_its_questions_alone() -> None:
    results = run()
    found = parts(results, "How it is asked")
    assert list(found) == ["how", "why"] and (found["how"].n, found["why"].n) == (20, 10)
    assert found["how"].difference is not None and found["why"].difference is not None
    assert found["how"].difference.low is not None and found["how"].difference.low > 0.3
    assert found["why"].difference.high is not None and found["why"].difference.high < -0.1
    hows = {q.id: q.answers["raft"].scores["style_identity"].value for q in results.questions if "How" in q.question}
    assert found["how"].arms["raft"] == clustered_mean(
        [v for v in hows.values() if v is not None], [q.partition("-")[0] for q in hows]
    )


def test_topics_are_parts_where_the_data_name_them() -> None:
    results = run()
    assert "Topic" not in dict(slices(results, "style_identity"))
    topics = ["", *["weirs"] * 10, *["eels"] * 19]
    named = [q.model_copy(update={"topic": t}) for q, t in zip(results.questions, topics, strict=True)]
    found = parts(results.model_copy(update={"questions": named}), "Topic")
    assert [(name, part.n, part.small) for name, part in found.items()] == [
        ("eels", 19, False),
        ("weirs", 10, False),
        ("no topic", 1, True),
    ]


def test_small_parts_have_means_and_no_interval() -> None:
    found = parts(run(), "Interview")
    assert len(found) == 6 and all(s.small and s.n == 5 and s.interviews == 1 for s in found.values())
    for part in found.values():
        assert part.difference is not None and part.arms["raft"] is not None
        assert part.difference.low is None and part.difference.p is None and part.arms["raft"].low is None


def test_every_dimension_has_every_question_once() -> None:
    for title, found in slices(run(), "style_identity"):
        assert sum(s.n for s in found) == 30, title


def test_a_question_without_a_score_counts_in_n_and_not_in_the_mean() -> None:
    x = np.array([0.5] * 11 + [np.nan])
    results = make({"raft": {"style_identity": x}, "baseline": {"style_identity": x}}, list("abcdef") * 2)
    part = parts(results, "How it is asked")["why"]
    assert part.n == 12 and part.arms["raft"] is not None and part.arms["raft"].n == 11


def test_without_questions_there_are_no_parts() -> None:
    results = run().model_copy(update={"questions": []})
    assert all(found == [] for _, found in slices(results, "style_identity"))
