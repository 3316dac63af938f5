"""The meanings of metrics, for readers who have never met them."""

import re

from ratf.results.results import Results
from ratf.suite.metrics import GLOSSARY, title

FAMILIES = {
    "style": "Does it sound like the person? This ignores what is said.",
    "judge": "A language model reads the answers and grades them, as its rubric asks.",
    "semantic": "Does it mean something similar? This compares texts as vectors of a language model.",
    "lexical": "Does it use the same words? This compares them one by one.",
    "own": "What the suite's own code measures. RATF knows no more of it than its description and its exam.",
    "length": "How long is the answer? Neither more nor less is better.",
    "copying": "How much is copied word for word? Neither more nor less is better.",
}
"""The families in the page's order, and what each asks."""


def titled(text: str, results: Results) -> str:
    """A sentence of the run's, with titles for the names of metrics: `… on Voice, 60 paired questions`."""
    named = "|".join(map(re.escape, sorted(results.metrics, key=len, reverse=True)))
    return re.sub(rf"(?<=\bon )({named})\b|\b({named})(?= is not admitted)", lambda found: title(found[0]), text)


def families(results: Results) -> list[tuple[str, list[str]]]:
    """The suite's metrics by family, in the page's order."""
    return [
        (family, names)
        for family in FAMILIES
        if (names := [m for m, facts in results.metrics.items() if facts["family"] == family])
    ]


def meanings(results: Results) -> list[tuple[str, str]]:
    """Each of the run's metrics with its meaning in plain words; a judge's are its rubric's."""
    return [(m, GLOSSARY.get(m) or _sentence(facts["words"])) for m, facts in results.metrics.items()]


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + ("" if words.endswith(("?", ".", "!")) else ".")
