"""Leaks are held-out answers and questions that also stand in what an agent learns from or remembers.

Near-duplicates are found by shingles, runs of 8 words (Broder 1997). A text's coverage is the share of its distinct
shingles that also stand in other texts: 0 where nothing was copied, 1 where everything was.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Literal

import numpy as np
import regex

from raft.text import LETTERS, LONGEST_WORD, by_script, folded, length, runs, windows
from raft.types import Chunk, Document, Exchange, Interview, Vectors

SHINGLE = 8
MIN_WORDS = 20
"""The least number of words of an answer that is checked: a shorter copy cannot be told from a stock phrase."""


COVERED = 0.2
"""The coverage from which an answer counts as a leak.

Of 2,809 answers of four real people none came above 0.14, in their writings or in their other interviews.
"""


TWINS = 0.3
"""The coverage from which two interviews count as the same one.

Two different press conferences of one person came up to 0.12, by their set phrases.
"""


COMPARED = 200
"""The number of answers that are compared with each other to see whether embeddings tell them apart."""


ALIKE = 0.9
"""The cosine from which an answer and a passage count as saying the same.

Different answers of one person came up to 0.78 with the embedded encoder.
"""


BLIND = 0.6
"""The median cosine of a person's answers above which embeddings do not tell what is said.

It was 0.12 to 0.36 for five people in English with the embedded encoder, which knows no other language: 0.83 in
Chinese, 0.88 in Hindi.
"""


WINDOW = 100
"""The number of words of a writing that are embedded together; each window overlaps the next by half."""


_WORD = regex.compile(rf"[{LETTERS}']+")
READABLE = 0.5
"""The least share of a text that is in words, not in signs, private letters or words run together, where it is read."""


Shingle = tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """A text in which an answer may also stand: a writing, or another answer. `interview` is empty for a writing."""

    name: str
    kind: Literal["writing", "answer"]
    date: date | None
    text: str
    interview: str = ""


@dataclass(frozen=True)
class CoveredAnswer:
    """An answer that also stands in other texts. `document` is the source that shares the most shingles with it."""

    interview: str
    question: int
    date: str | None
    words: int
    coverage: float
    document: str
    kind: str
    document_date: str | None
    longest_run: int
    """The length, in words, of the longest part of the answer of which every run of 8 words stands in `document`."""
    later: bool
    """Whether the document is not older than the interview; if so, recall by date never brings it up."""


@dataclass(frozen=True)
class Twins:
    """Two interviews that share text; `coverage` is the share of the smaller one's shingles that stand in the other."""

    one: str
    other: str
    coverage: float


@dataclass(frozen=True)
class AlikeAnswer:
    """An answer that says the same as a passage of `document`, because the `cosine` of their embeddings is high."""

    interview: str
    question: int
    cosine: float
    document: str
    kind: str


@dataclass(frozen=True)
class StoredQuestion:
    """A question of which the share `coverage` stands in a stored passage that it may recall.

    `passage` is the id of the passage's chunk.
    """

    interview: str
    question: int
    coverage: float
    passage: str


def words(text: str) -> list[str]:
    """Return the text's words in lower case; of a script without spaces, its characters.

    Apostrophes belong to words, and typographic ones count as plain ones.
    """
    return by_script(_WORD.findall(folded(text).lower().replace("’", "'")))


def is_long(answer: str) -> bool:
    """Tell whether an answer has the 20 words from which it is looked at."""
    return length(words(answer)) >= MIN_WORDS


def is_read(text: str) -> bool:
    """Tell whether the text is in words, so that not finding it elsewhere means something. A short text always is."""
    seen = sum(not c.isspace() for c in text)
    read = sum(len(word) for word in words(text) if len(word) <= LONGEST_WORD)
    return seen < 2 * LONGEST_WORD or read >= READABLE * seen


def shingles(text: str) -> list[Shingle]:
    """Return every run of 8 words of the text, in order; none where it has fewer words."""
    return runs(words(text), SHINGLE)


def writings(documents: Iterable[Document]) -> list[Source]:
    """Return the documents as sources."""
    return [Source(d.doc_id, "writing", d.date, d.text) for d in documents]


def answers(exchanges: Iterable[Exchange], least: int = MIN_WORDS) -> list[Source]:
    """Return the answers of `least` words or more as sources; short ones, such as a sign-off, recur every time."""
    return [
        Source(e.exchange_id, "answer", e.date, e.answer, e.interview_id)
        for e in exchanges
        if length(words(e.answer)) >= least
    ]


def elsewhere(exchange: Exchange, source: Source) -> bool:
    """Return whether the source is outside the exchange's own interview."""
    return source.interview != exchange.interview_id


def older(exchange: Exchange, source: Source) -> bool:
    """Return whether the question may recall the source: it is dated before the question's interview, or undated."""
    return source.date is None or (exchange.date is not None and source.date < exchange.date)


def covered(
    exchanges: Sequence[Exchange],
    sources: Sequence[Source],
    at_least: float = COVERED,
    may: Callable[[Exchange, Source], bool] = elsewhere,
) -> list[CoveredAnswer]:
    """Return the answers of 20 words or more whose coverage is at least `at_least`, highest coverage first.

    Coverage counts all sources together that `may` admits: it is called with the exchange and a source.
    """
    found = []
    asked = [(e, shingles(e.answer)) for e in exchanges if is_long(e.answer)]
    where = _places({s for _, said in asked for s in said}, (s.text for s in sources))
    for exchange, said in asked:
        allowed = {i for s in set(said) for i in where.get(s, ()) if may(exchange, sources[i])}
        held = {s: there for s in set(said) if (there := allowed.intersection(where.get(s, ())))}
        coverage = len(held) / len(set(said))
        if held and coverage >= at_least:
            shared = Counter(i for there in held.values() for i in there)
            most = min(shared, key=lambda i: (-shared[i], sources[i].name))
            run = _longest_run(said, [most in held.get(s, ()) for s in said])
            found.append(_covered(exchange, coverage, sources[most], run))
    return sorted(found, key=lambda a: (-a.coverage, a.interview, a.question))


def repeated(exchanges: Sequence[Exchange], at_least: float = COVERED) -> list[CoveredAnswer]:
    """Return the answers that were also given in an earlier interview, highest coverage first."""

    def before(exchange: Exchange, source: Source) -> bool:
        day = (source.date or date.min, source.name) < (exchange.date or date.min, exchange.exchange_id)
        return day and elsewhere(exchange, source)

    return covered(exchanges, answers(exchanges), at_least, before)


def twins(interviews: Sequence[Interview], at_least: float = TWINS) -> list[Twins]:
    """Return the pairs of interviews with a coverage of at least `at_least`, highest first.

    Such a pair is probably one interview that was published twice under different names.
    """
    said = [{s for turn in i.turns for s in shingles(turn.text)} for i in interviews]
    where: dict[Shingle, list[int]] = {}
    for number, of_interview in enumerate(said):
        for s in of_interview:
            where.setdefault(s, []).append(number)
    shared = Counter(pair for there in where.values() if len(there) > 1 for pair in combinations(there, 2))
    found = [
        Twins(interviews[a].interview_id, interviews[b].interview_id, round(n / min(len(said[a]), len(said[b])), 3))
        for (a, b), n in shared.items()
        if n / min(len(said[a]), len(said[b])) >= at_least
    ]
    return sorted(found, key=lambda t: (-t.coverage, t.one, t.other))


def stored(exchanges: Sequence[Exchange], passages: Sequence[Chunk], at_least: float = 0.5) -> list[StoredQuestion]:
    """Return the questions with a coverage of at least `at_least` by one stored passage that they may recall.

    A question of fewer than 8 words is returned where a passage is that question and nothing else.
    """
    asked = [(e, set(shingles(e.question)) or {tuple(words(e.question))}) for e in exchanges]
    sources = [Source(p.chunk_id, "writing", p.date, p.text) for p in passages]
    where = _places({s for _, said in asked for s in said}, (s.text for s in sources))
    for number, source in enumerate(sources):
        if length(whole := tuple(words(source.text))) < SHINGLE:
            where.setdefault(whole, []).append(number)
    found = []
    for exchange, said in asked:
        shared = Counter(i for s in said for i in where.get(s, ()) if older(exchange, sources[i]))
        most = min(shared, key=lambda i: (-shared[i], i), default=None)
        if most is not None and (coverage := shared[most] / len(said)) >= at_least:
            found.append(
                StoredQuestion(exchange.interview_id, exchange.number, round(coverage, 3), passages[most].chunk_id)
            )
    return found


def alike(
    exchanges: Sequence[Exchange],
    sources: Sequence[Source],
    embed: Callable[[Sequence[str]], Vectors],
    at_least: float = ALIKE,
    may: Callable[[Exchange, Source], bool] = elsewhere,
) -> list[AlikeAnswer]:
    """Return the answers whose cosine with a passage of a source is at least `at_least`, nearest first.

    Embeddings find what says the same in other words. Answers of fewer than 20 words are left out. `embed` returns unit
    vectors of shape (texts, d), and `may`, called with the exchange and a source, whether that source counts.
    """
    asked = [e for e in exchanges if is_long(e.answer)]
    pieces = [(source, piece) for source in sources for piece in _windows(source)]
    if not asked or not pieces:
        return []
    near = embed([e.answer for e in asked]) @ embed([piece for _, piece in pieces]).T
    found = []
    for exchange, row in zip(asked, near, strict=True):
        places = [i for i in np.argsort(-row, kind="stable") if row[i] >= at_least and may(exchange, pieces[i][0])]
        if places:
            source = pieces[places[0]][0]
            cosine = round(float(row[places[0]]), 3)
            found.append(AlikeAnswer(exchange.interview_id, exchange.number, cosine, source.name, source.kind))
    return sorted(found, key=lambda a: (-a.cosine, a.interview, a.question))


def blind(exchanges: Sequence[Exchange], embed: Callable[[Sequence[str]], Vectors]) -> float | None:
    """Return the median cosine of the answers, where it is too high for `alike` to mean anything; None where it is not."""
    asked = [e for e in exchanges if is_long(e.answer)][:COMPARED]
    if len(asked) < 2:
        return None
    vectors = embed([e.answer for e in asked])
    middle = float(np.median((vectors @ vectors.T)[np.triu_indices(len(asked), 1)]))
    return round(middle, 2) if middle > BLIND else None


def _windows(source: Source) -> list[str]:
    """Return the passages of a source to embed: an answer is one, a writing is cut into overlapping windows."""
    if source.kind == "answer":
        return [source.text]
    return windows(source.text, WINDOW, WINDOW // 2)


def _places(wanted: set[Shingle], texts: Iterable[str]) -> dict[Shingle, list[int]]:
    """Return, for each wanted shingle that occurs, the indices of the texts in which it stands, in ascending order."""
    where: dict[Shingle, list[int]] = {}
    for number, text in enumerate(texts):
        for s in wanted.intersection(shingles(text)):
            where.setdefault(s, []).append(number)
    return where


def _longest_run(said: Sequence[Shingle], there: Sequence[bool]) -> int:
    """Words in a row of which every shingle is there."""
    longest = start = 0
    for at, is_there in enumerate([*there, False]):
        if not is_there:
            if start < at:
                longest = max(longest, length([*(s[0] for s in said[start : at - 1]), *said[at - 1]]))
            start = at + 1
    return longest


def _covered(exchange: Exchange, coverage: float, source: Source, run: int) -> CoveredAnswer:
    return CoveredAnswer(
        interview=exchange.interview_id,
        question=exchange.number,
        date=exchange.date.isoformat() if exchange.date else None,
        words=length(words(exchange.answer)),
        coverage=round(coverage, 3),
        document=source.name,
        kind=source.kind,
        document_date=source.date.isoformat() if source.date else None,
        longest_run=run,
        later=source.date is not None and exchange.date is not None and source.date >= exchange.date,
    )
