"""Titles of metrics, and sentences that use them."""

from asked import asked

from ratf.pages.words import titled
from ratf.suite.metrics import GLOSSARY, METRICS, TITLES, title


def test_every_metric_has_a_title_of_its_own_and_plain_words() -> None:
    assert TITLES.keys() == METRICS.keys() == GLOSSARY.keys()
    assert len(set(TITLES.values())) == len(TITLES)
    assert title("judge_content_recall") == "Content recall (judge)" and title("new_one") == "New one"


def test_a_sentence_names_metrics_by_title_and_nothing_else() -> None:
    results = asked(2)
    said = "raft beats baseline: +0.2 [0.1, 0.3] on style_identity, 2 questions; style_identity_arm on rouge_lx and rouge_l"
    assert titled(said, results) == said.replace("on style_identity,", "on Voice,")
    assert titled("style_identity is not admitted here", results) == "Voice is not admitted here"
