"""The cards under a question: the real answer, every arm's, what arms remembered and what judges said."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from raft.text import spans
from ratf.reporting.flags import beginning
from ratf.results.results import Answer, Question, Results, Scored
from ratf.suite.arms import CEILING, FLOOR

SHOWN = ("style_identity", "embedding_cosine", "rouge_l")
"""Scores that stand under each answer, after the primary metric's; those of judges that graded come after them."""


BESIDE = (FLOOR, CEILING)
"""Controls that stand beside the arms' answers; the others would make up half of the page."""


SOURCE_LETTERS, REASON_LETTERS = 60, 1500
"""The greatest numbers of letters of a control's source, and of all judges' reasons about one question."""


ROOM = 5060
"""The bytes of a question's texts for which a page of 60 questions and 4 arms has room; see `memory_words`."""


LIMITS = (10_000, 100, 60, 50, 40, 35, 30, 25, 20, 15, 10)
"""The numbers of words to which memories may be cut, and controls' answers where there is room for any."""


@dataclass(frozen=True)
class Card:
    """An answer on the page; `more` words of it are left out, `usual` tells that all shown metrics have scored it."""

    name: str
    kind: str
    text: str
    more: int
    source: str
    scores: list[tuple[str, float]]
    unscored: list[tuple[str, str]]
    usual: bool


@dataclass(frozen=True)
class SharedMemories:
    """Memories that the same arms got."""

    arms: list[str]
    items: list[dict[str, Any]]


@dataclass(frozen=True)
class JudgeWords:
    """What judges said of one arm's answer on one metric; reasons are cut to what the page has room for."""

    arm: str
    metric: str
    value: float | None
    against: dict[str, float]
    votes: list[dict[str, Any]]


def shown_metrics(results: Results) -> list[str]:
    """The metrics whose scores stand under answers."""
    judges = [m for m, facts in results.metrics.items() if facts["family"] == "judge" and _graded(results, m)]
    wanted = dict.fromkeys([*results.primary_metrics, *SHOWN, *judges])
    return [m for m in wanted if m in results.metrics]


def silent_metrics(results: Results) -> list[str]:
    """Metrics that scored no answer of any arm: told once, not under each answer."""
    return [m for m in results.metrics if not _graded(results, m)]


def _graded(results: Results, metric: str) -> bool:
    cells = [a.metrics.get(metric) for a in results.arms.values() if a.kind == "arm"]
    return any(cell is not None and cell.n for cell in cells)


def has_controls(limit: int) -> bool:
    """Whether controls' answers are shown where memories have `limit` words; else only their scores are."""
    return limit >= LIMITS[1]


def memory_words(results: Results, questions: Sequence[Question]) -> int:
    """The words of each memory that fit on the page; questions, real answers and the arms' come first, and whole."""
    whole, controls, remembered = 0, [], []
    for question in questions:
        texts = [question.question, question.real]
        for name, answer in question.answers.items():
            if name in BESIDE:
                controls.append(answer.text)
            if name in results.arms and results.arms[name].kind == "arm":
                texts.append(answer.text)
        whole += _size(texts)
        remembered += [str(m.get("text") or "") for several in memories(question) for m in several.items]
    for limit in LIMITS:
        shortened = [*controls, *remembered] if has_controls(limit) else remembered
        if whole + _size(cut(text, limit)[0] for text in shortened) <= ROOM * len(questions):
            return limit
    return LIMITS[-1]


def _size(texts: Iterable[str]) -> int:
    return sum(len(text.encode(errors="replace")) for text in texts)


def cut(text: str, limit: int) -> tuple[str, int]:
    """The first `limit` words of a text, and how many more it has; a text up to a quarter longer is not cut."""
    most = limit * 5 // 4
    if len(text) <= most:  # a word has a letter
        return text, 0
    words = spans(text)
    if len(words) <= most:
        return text, 0
    return text[: words[limit - 1][1]], len(words) - limit


def cards(results: Results, question: Question, shown: list[str], limit: int) -> list[Card]:
    """The cards of the arms, the floor and the ceiling in the run's order; of the latter two, `limit` words each."""
    return [
        _card(results, name, answer, shown, limit)
        for name, answer in question.answers.items()
        if name in results.arms and (results.arms[name].kind == "arm" or name in BESIDE)
    ]


def _card(results: Results, name: str, answer: Answer, shown: list[str], limit: int) -> Card:
    arm = results.arms[name]
    text, more = (answer.text, 0) if arm.kind == "arm" else cut(answer.text, limit)
    scores = [(m, s.value) for m in shown if (s := answer.scores.get(m)) and s.value is not None]
    silent = [(m, s.why) for m, s in answer.scores.items() if s.value is None and _scores(arm.metrics.get(m))]
    source = beginning(re.split(r": | \(", answer.source, maxsplit=1)[0], SOURCE_LETTERS)
    return Card(name, arm.kind, text, more, source, scores, silent, len(scores) == len(shown))


def _scores(cell: Any) -> bool:
    return cell is not None and cell.n > 0


def memories(question: Question) -> list[SharedMemories]:
    """The memories of a question, each list once: arms that got the same ones share it."""
    by_arms: dict[str, list[str]] = {}
    lists: dict[str, list[dict[str, Any]]] = {}
    for name, answer in question.answers.items():
        if answer.memories:
            key = repr([[m.get(k) for k in ("text", "title", "date", "source")] for m in answer.memories])
            by_arms.setdefault(key, []).append(name)
            lists.setdefault(key, answer.memories)
    return [SharedMemories(arms, lists[key]) for key, arms in by_arms.items()]


class DocumentNumbers:
    """The documents that memories on a page are from, numbered as they are asked for."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str, str], int] = {}

    def __call__(self, memory: dict[str, Any]) -> str:
        """The id of the memory's document on the page."""
        key = tuple(str(memory.get(k) or "") for k in ("title", "date", "source"))
        return f"m{self._numbers.setdefault((key[0], key[1], key[2]), len(self._numbers) + 1)}"

    @property
    def found(self) -> list[tuple[str, str, str]]:
        """The documents as (title, date, source), in the order of their numbers."""
        return list(self._numbers)


def link(source: str) -> str:
    """The address when a source is one of the web's, else nothing: no other scheme becomes a link."""
    return source if re.match(r"https?://[^\s]+$", source, re.IGNORECASE) else ""


def said(results: Results, question: Question) -> list[JudgeWords]:
    """Judges' votes about the arms' answers, both orders of each, with their reasons."""
    found = list(_judged(results, question))
    number = sum(len(score.votes) for _, _, score in found)
    room = REASON_LETTERS // max(1, number)
    return [
        JudgeWords(arm, metric, s.value, s.against, [{**v, "why": _reason(v, room)} for v in s.votes])
        for arm, metric, s in found
    ]


def _judged(results: Results, question: Question) -> Iterator[tuple[str, str, Scored]]:
    for arm, answer in question.answers.items():
        for metric, score in answer.scores.items():
            if score.votes and arm in results.arms and results.arms[arm].kind == "arm":
                yield arm, metric, score


def _reason(vote: dict[str, Any], room: int) -> str:
    why = str(vote.get("why") or "")
    return beginning(why, max(40, room)) if why else ""
