"""Numbers, dates and names in a text, with their places: what an edit swaps and what a metric of facts compares."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from ratf.edits.rules import Rules
from ratf.edits.sentences import OPENERS, sentence_spans

Kind = Literal["number", "date", "name"]

_DIGITS = r"(?<![\w.,’'-])\d+(?:,\d{3})*(?:\.\d+)?(?![\w]|[.,]\d)"
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
_WORD = re.compile(r"[^\W\d_]+(?:[.'’&-][^\W\d_]+)*")


@dataclass(frozen=True)
class Span:
    """A fact in a text. `shape` is what it may be swapped with: another of the same kind and shape.

    `value` says what it is, whatever way it is written: a number as a number (2 as "two"), a date as its parts, a name
    in small letters without a possessive.
    """

    kind: Kind
    shape: str
    start: int
    end: int
    text: str
    value: tuple[str, ...]


def spans(text: str, rules: Rules, known: Collection[str] = ()) -> list[Span]:
    """The dates, numbers and names of a text, in its order; what is part of a date is no number or name.

    `known` are names (as `names_in` finds them) that count at the start of a sentence as well.
    """
    dates = list(_dates(text, rules))
    numbers = [s for s in _numbers(text, rules) if not _within(s, dates)]
    names = [s for s in _names(text, rules, frozenset(known)) if not _within(s, dates)]
    return sorted([*dates, *numbers, *names], key=lambda s: s.start)


def _within(span: Span, others: Iterable[Span]) -> bool:
    return any(o.start < span.end and span.start < o.end for o in others)


def names_in(texts: Iterable[str], rules: Rules) -> frozenset[str]:
    """The names that stand inside sentences of these texts, in small letters; no word that is written small as well."""
    found: set[str] = set()
    small: set[str] = set()
    for text in texts:
        found.update(s.value[0] for s in _names(text, rules, frozenset()))
        small.update(word for match in _WORD.finditer(text) for word in stems(match[0]) if word.islower())
    return frozenset(name for name in found if not small & stems(name))


def stems(word: str) -> set[str]:
    """The word, and what stands before its apostrophe."""
    return {word, re.split("['’]", word)[0]}


def pool(texts: Iterable[str], rules: Rules, known: Collection[str] = ()) -> dict[tuple[Kind, str], list[str]]:
    """For each kind and shape, the different facts of these texts as they are written there, in alphabetic order."""
    found: dict[tuple[Kind, str], set[str]] = {}
    for text in texts:
        for span in spans(text, rules, known):
            found.setdefault((span.kind, span.shape), set()).add(span.text)
    return {key: sorted(of) for key, of in sorted(found.items())}


@lru_cache
def alternatives(phrases: tuple[str, ...], cased: bool = False) -> re.Pattern[str]:
    """A pattern for whole phrases, the longest first, either apostrophe. Nothing matches where there are no phrases."""
    longest = sorted(phrases, key=lambda p: (-len(p), p))
    inner = "|".join(re.escape(p).replace("'", "['’]").replace(r"\ ", r"\s+") for p in longest) or r"(?!)"
    return re.compile(rf"(?<![\w'’-])(?:{inner})(?![\w'’-])", re.UNICODE if cased else re.UNICODE | re.IGNORECASE)


def _dates(text: str, rules: Rules) -> Iterable[Span]:
    taken: list[tuple[int, int]] = []
    month = "|".join(map(re.escape, rules.months)) or r"(?!)"
    day, year = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?(?!\w|[.,]\d)", rf"(?P<year>{_YEAR.pattern})(?![\w%]|[.,]\d)"
    shapes = (
        rf"\b(?P<month>{month})\s+{day}(?:,?\s+{year})?",
        rf"(?<![\w.,]){day}\s+(?P<month>{month})(?:,?\s+{year})?\b",
        rf"\b(?P<month>{month})(?:,?\s+{year})?\b",
        rf"\b(?P<weekday>{'|'.join(map(re.escape, rules.weekdays)) or '(?!)'})\b",
        rf"(?<![\w.,$€£-]){year}(?!\s*(?:{'|'.join(map(re.escape, rules.scales)) or '(?!)'})\b)",
    )
    for pattern in shapes:
        for match in re.finditer(pattern, text):
            if any(a < match.end() and match.start() < b for a, b in taken):
                continue
            parts = {k: v for k, v in match.groupdict().items() if v}
            taken.append((match.start(), match.end()))
            yield Span(
                "date",
                " ".join(parts),
                match.start(),
                match.end(),
                match[0],
                tuple(f"{k} {v}" for k, v in parts.items()),
            )


@lru_cache
def _number_pattern(rules: Rules) -> re.Pattern[str]:
    small = [word for word, value in rules.numbers.items() if value < 10]
    tens = [word for word, value in rules.numbers.items() if value >= 20]
    written = [rf"(?:{'|'.join(tens)})-(?:{'|'.join(small)}|one)"] if tens and small else []
    written += sorted(rules.numbers, key=lambda w: -len(w))
    inner = "|".join(written) or r"(?!)"
    scale = "|".join(rules.scales) or r"(?!)"
    return re.compile(
        rf"(?P<number>{_DIGITS}|(?<![\w’'-])(?:{inner})(?![\w’'-]))(?:\s+(?P<scale>{scale})s?\b)?", re.IGNORECASE
    )


def _numbers(text: str, rules: Rules) -> Iterable[Span]:
    for match in _number_pattern(rules).finditer(text):
        written = match["number"]
        value = number_value(written, rules)
        if value is None:
            continue
        scale = rules.scales.get((match["scale"] or "").casefold(), 1)
        start, end = match.span("number")
        yield Span(
            "number", "digits" if written[0].isdigit() else "word", start, end, written, (f"{value * scale:.12g}",)
        )


def number_value(written: str, rules: Rules) -> float | None:
    """What a number says, in digits or words; None where it is no number of this language."""
    if written[0].isdigit():
        return float(written.replace(",", ""))
    parts = written.casefold().split("-")
    values = [rules.numbers.get(part, 1 if len(parts) > 1 and i else None) for i, part in enumerate(parts)]
    return None if None in values else float(sum(v for v in values if v is not None))


def _names(text: str, rules: Rules, known: frozenset[str]) -> Iterable[Span]:
    """Runs of words with a capital; at the start of a sentence only where the name is known, or is an acronym."""
    if not rules.names.capitalised:
        return
    starts = {a for a, _ in sentence_spans(text, rules.abbreviations)}
    run: list[re.Match[str]] = []
    for match in [*_WORD.finditer(text), None]:
        goes_on = match and run and not text[run[-1].end() : match.start()].strip(" ")
        if match and goes_on and (_capital(match[0], rules) or match[0] in rules.names.inside):
            run.append(match)
            continue
        if run:
            yield from _name(text, run, rules, starts, known)
        run = [match] if match and _capital(match[0], rules) else []


def _capital(word: str, rules: Rules) -> bool:
    return word[0].isupper() and word.replace("’", "'") not in rules.names.never and word not in rules.weekdays


def _name(text: str, run: list[re.Match[str]], rules: Rules, starts: set[int], known: frozenset[str]) -> Iterable[Span]:
    while run and run[-1][0] in rules.names.inside:
        run = run[:-1]
    if (
        run
        and _opens(text, run[0].start(), starts)
        and _small(text, run[:1]) not in known
        and _small(text, run) not in known
    ):
        # a capital that any word would have there
        run = run if len(run) == 1 and _acronym(run[0][0]) else run[1:]
        while run and run[0][0] in rules.names.inside:
            run = run[1:]
    if run and not (len(run) == 1 and run[0][0].casefold() in rules.common and not _acronym(run[0][0])):
        start, value = run[0].start(), _small(text, run)
        said = text[start : run[-1].end()]
        end = run[-1].end() - (2 if said.endswith(("'s", "’s")) else 0)
        shape = "acronym" if len(run) == 1 and _acronym(run[0][0]) else "one word" if len(run) == 1 else "several words"
        yield Span("name", shape, start, end, text[start:end], (value,))


def _acronym(word: str) -> bool:
    return len(word) > 1 and word.replace(".", "").isupper()


def _small(text: str, run: list[re.Match[str]]) -> str:
    said = text[run[0].start() : run[-1].end()].casefold()
    return said[:-2] if said.endswith(("'s", "’s")) else said


def _opens(text: str, start: int, starts: set[int]) -> bool:
    """Whether it begins a sentence, or what is quoted or said after a colon or a dash."""
    return start in starts or text[:start].rstrip()[-1:] in f"{OPENERS}:"


def compared(real: list[Span], said: list[Span]) -> list[tuple[Span, str]]:
    """Each fact of a real sentence, with `agreed`, `contradicted` or `missing` in the sentence that answers to it.

    A fact is contradicted by another of its kind that the real sentence has not got; a date, by one that names the same
    part (another year, another month).
    """
    others = [o for o in said if not any(_same(o, s) for s in real)]
    return [(span, _status(span, said, others)) for span in real]


def _status(span: Span, said: list[Span], others: list[Span]) -> str:
    if any(_same(span, other) for other in said):
        return "agreed"
    return "contradicted" if any(_rivals(span, other) for other in others) else "missing"


def _same(a: Span, b: Span) -> bool:
    if a.kind != b.kind:
        return False
    if a.kind == "name":
        x, y = a.value[0].split(), b.value[0].split()
        return x[-1] == y[-1] or set(x) <= set(y) or set(y) <= set(x)
    return set(a.value) <= set(b.value) or set(b.value) <= set(a.value)


def _rivals(a: Span, b: Span) -> bool:
    """Whether both claim to say the same thing: any two numbers or names, and dates that name the same part."""
    if a.kind != "date":
        return a.kind == b.kind
    return b.kind == "date" and bool({v.split()[0] for v in a.value} & {v.split()[0] for v in b.value})
