"""What metrics mean, for readers who have never met them."""

import re

from ratf.results import Results

FAMILIES = {
    "style": "Does it sound like the person? Knows nothing of what is said.",
    "judge": "A language model reads the answers and grades them, as its rubric asks.",
    "semantic": "Does it mean something near? Compares texts as vectors of a language model.",
    "lexical": "Does it use the same words? Compares them one by one.",
    "length": "How long the answer is. No arm is better for it.",
    "copying": "How much is taken over word by word. No arm is better for it.",
}
"""The families in the page's order, and what each asks."""

TITLES = {
    "rouge_1": "Shared words",
    "rouge_2": "Shared word pairs",
    "rouge_l": "Shared word order",
    "embedding_cosine": "Topic likeness",
    "embedding_rank": "Rank of the right answer",
    "bertscore": "Likeness word by word",
    "style_identity": "Voice",
    "length_ratio": "Length",
    "copying": "Copying",
}
"""What the pages call the metrics; their own names stand beside them."""

GLOSSARY = {
    "rouge_1": "Of the single words in the answer and the real one, how many they share (F: the harmonic mean of both "
    "directions). 1 is all, 0 none. Two people at the same table share many words.",
    "rouge_2": "The same with pairs of neighbouring words.",
    "rouge_l": "The same with the longest sequence of words that both have in that order.",
    "embedding_cosine": "How alike two answers are to a sentence encoder: 1 is the same direction, 0 unrelated. It reads "
    "mostly the topic, and the topic is in the question.",
    "embedding_rank": "The real answers to all held-out questions are lined up by likeness to the arm's answer; 1 divided by the "
    "place of the right one.",
    "bertscore": "Each word is matched with the nearest in the other answer, by what it means there. Even unlike texts score high: only "
    "differences say something.",
    "style_identity": "The probability that this person speaks and not one of the others, by letters and small words. It knows nothing of "
    "the content: nonsense in the right voice scores high.",
    "length_ratio": "Words in the answer divided by words in the real one. Neither way is better.",
    "copying": "Share of the answer's runs of eight words that stand in memories, writings or earlier answers.",
}


def title(metric: str) -> str:
    """What the pages call a metric: `Voice`, `Content recall (judge)`."""
    if metric in TITLES:
        return TITLES[metric]
    words = metric.removeprefix("judge_").replace("_", " ")
    return words[:1].upper() + words[1:] + (" (judge)" if metric.startswith("judge_") else "")


def titled(text: str, results: Results) -> str:
    """A sentence of the run's, with titles for the names of metrics: `… on Voice, 60 paired questions`."""
    named = "|".join(map(re.escape, sorted(results.metrics, key=len, reverse=True)))
    return re.sub(rf"\bon ({named})\b", lambda found: f"on {title(found[1])}", text)


def families(results: Results) -> list[tuple[str, list[str]]]:
    """The suite's metrics by family, in the page's order."""
    return [
        (family, names)
        for family in FAMILIES
        if (names := [m for m, facts in results.metrics.items() if facts["family"] == family])
    ]


def meanings(results: Results) -> list[tuple[str, str]]:
    """Each of the run's metrics in plain words; a judge's are its rubric's."""
    return [(m, GLOSSARY.get(m) or _sentence(facts["words"])) for m, facts in results.metrics.items()]


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + ("" if words.endswith(("?", ".", "!")) else ".")
