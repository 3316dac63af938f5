"""Who speaks where, in text that puts the speaker's label before the words.

`NAME:` `NAME.` `**Name:**` `Q.` `A.` `THE PRESIDENT.`, at the start of a line or, once known, after a sentence.
"""

import re
from collections import Counter
from dataclasses import dataclass

from raft.transcripts.said import Said

_UP = "A-ZÀ-ÖØ-ÞŁŚŠŽŹŻČĆŃŐŰĞİА-ЯЁΑ-Ω"
_WORD = rf"(?:(?:MR|MRS|MS|DR|SEN|REP|GOV|GEN|PROF|HON|ST|JR)\.|(?![QA]\.)[{_UP}]\.|(?:Ma?c)?[{_UP}][{_UP}’'\-]*|\#?\d{{1,2}})"
_CAPS = rf"(?!\#?\d)(?=[^.:]{{0,60}}[{_UP}]){_WORD}(?: {_WORD}){{0,5}}"
_TITLE = (
    rf"[{_UP}][\w’'.\-]*(?: (?:[{_UP}][\w’'.\-]*|de|van|von|der|den|of|the|la|le|di|da|bin|al|and|\#?\d{{1,2}})){{0,4}}"
)
_ROLES = "Q|A|Question|Answer|Interviewer|Interviewee|Reporter|Moderator|Host|Guest|Speaker|Journalist|Audience"
_TIME = r"[\[(]?\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d+)?[\])]?"
_BY = r"(?: ?\([^()\n]{1,40}\))?"
_BEFORE = rf"\s*(?:>{{1,3}}\s*)?(?:\#{{1,6}}\s+)?(?:\[\d{{1,3}}[^\w\]]{{0,2}}\]\s*)?(?:{_TIME}\s+)?(?:-\s+)?"
_START = re.compile(
    rf"{_BEFORE}(?P<mark>\*\*|__|\*|)(?:(?P<caps>{_CAPS}){_BY}(?P<dot>[.:])|(?P<title>{_TITLE}){_BY}:)(?P=mark):?(?P=mark)?"
    rf"(?:\s*{_TIME})?(?=\s|$)"
)
_BOLD = re.compile(rf"{_BEFORE}(?P<mark>\*\*|__)(?P<title>{_TITLE}){_BY}(?P=mark)(?:\s*{_TIME})?\s*:(?=\s|$)")
_BARE = re.compile(r"\s*(?P<title>[QA])(?:\s{2,}|\t)(?=\S)")
_INNER = re.compile(
    rf"(?<=[.?!:;”\"’'\)\]—–-])\s+(?:\[\d{{1,3}}[^\w\]]{{0,2}}\]\s*)?(?:(?P<caps>{_CAPS})(?P<dot>[.:])|(?P<title>{_TITLE}):)\s+"
)
_ENDS = re.compile(r"[.?!:;…—–\-”\"’'\)\]*_]\s*$")
_ITEM = re.compile(r"\s*[-*•]\s+\S")
_STOPS = re.compile(r"[.?!”\"\]*_]\s*$")


@dataclass(frozen=True)
class _Row:
    text: str
    indent: int
    after_blank: bool


@dataclass(frozen=True)
class _Label:
    name: str
    end: int
    dot: bool
    caps: bool


def split(lines: list[str], cues: bool = False) -> tuple[str, list[Said]]:
    """What stands before the first label, and who said what after it, in order.

    `cues`: the lines are subtitles, whose breaks say nothing about paragraphs.
    """
    rows = _rows(lines)
    page = _Page(rows, cues)
    known = _speakers(rows, page)
    head: list[str] = []
    turns: list[tuple[str, list[str]]] = []
    for i, row in enumerate(rows):
        label = _label(row.text) or _unmarked(row.text, known)
        starts = label is not None and _key(label.name) in known and (page.fresh(i) or known[_key(label.name)] > 1)
        if starts and label is not None:
            turns.append((_tidy(label.name), []))
        text = row.text[label.end :].strip() if starts and label is not None else row.text.strip()
        body = turns[-1][1] if turns else head
        if page.continues(i) and turns and body and not starts:
            body[-1] = _joined(body[-1], text)
        elif text:
            body.append(text)
    (_, before), *early = _inner("", head, known, "\n")
    later = [part for who, body in turns for part in _inner(who, body, known)]
    return before, [Said(name, text) for name, text in (*early, *later) if text]


def paragraphs(lines: list[str]) -> list[str]:
    """The lines joined to paragraphs, whoever speaks."""
    rows = _rows(lines)
    page = _Page(rows, cues=False)
    found: list[str] = []
    for i, row in enumerate(rows):
        if found and page.continues(i):
            found[-1] = _joined(found[-1], row.text.strip())
        else:
            found.append(row.text.strip())
    return found


def is_talk(said: list[Said], head: str) -> bool:
    """Whether labels found in a text are those of speakers: two who take turns, after a short introduction at most."""
    turns = Counter(_key(s.speaker) for s in said)
    if set(turns) == {"q", "a"} or set(turns) == {"question", "answer"}:
        return True
    words = sum(len(s.text.split()) for s in said)
    return len(turns) > 1 and len(said) > 2 and max(turns.values()) > 1 and len(head.split()) <= max(150, words / 4)


def _rows(lines: list[str]) -> list[_Row]:
    rows, blank = [], True
    for line in lines:
        if line.strip():
            rows.append(_Row(line.rstrip(), len(line) - len(line.lstrip()), blank))
        blank = not line.strip()
    return rows


class _Page:
    """How the text is set: which line begins something new, and which goes on."""

    def __init__(self, rows: list[_Row], cues: bool) -> None:
        self._rows, self._cues = rows, cues
        lengths = sorted(len(row.text.strip()) for row in rows)
        self._width = lengths[int(len(lengths) * 0.9)] if lengths else 0
        self._wrapped = cues or self._width <= 140
        indents = sorted(row.indent for row in rows)
        self._margin = indents[len(indents) // 4] if indents else 0
        loose = [i for i in range(1, len(rows)) if rows[i].after_blank]
        broken = [i for i in loose if not _ENDS.search(rows[i - 1].text)]
        self._double_spaced = len(rows) > 7 and len(loose) > 0.8 * len(rows) and len(broken) > 0.4 * len(loose)

    def fresh(self, i: int) -> bool:
        """Whether a sentence may begin with line `i`."""
        row = self._rows[i]
        return (
            i == 0
            or (row.after_blank and (self._cues or not self._double_spaced))
            or row.indent > self._margin + 2
            or bool(_ENDS.search(self._rows[i - 1].text))
        )

    def continues(self, i: int) -> bool:
        """Whether line `i` belongs to the paragraph of the line before."""
        if i == 0 or not self._wrapped or _ITEM.match(self._rows[i].text):
            return False
        row, before = self._rows[i], self._rows[i - 1]
        if self._cues or not _STOPS.search(before.text):
            return True
        short = len(before.text.strip()) < 0.8 * self._width
        return not (row.indent > self._margin + 2 or (row.after_blank and not self._double_spaced) or short)


def _label(text: str) -> _Label | None:
    match = _BOLD.match(text) or _START.match(text) or _BARE.match(text)
    return _of(match) if match else None


def _unmarked(text: str, known: dict[str, int]) -> _Label | None:
    """A known label of several capitalised words whose mark was forgotten: `THE PRESIDENT Well, …`."""
    match = re.match(rf"\s*({_CAPS})(?= [{_UP}][a-z’' ])", text)
    many = match is not None and " " in match[1] and known.get(_key(match[1]), 0) > 1
    return _Label(match[1], match.end(), True, True) if match and many else None


def _of(match: re.Match[str]) -> _Label:
    found = match.groupdict()
    return _Label(found.get("caps") or found["title"], match.end(), found.get("dot") == ".", bool(found.get("caps")))


def _speakers(rows: list[_Row], page: _Page) -> dict[str, int]:
    """The labels that are speakers', with how often each was seen where a sentence may begin."""
    at_start = [(label, page.fresh(i)) for i, row in enumerate(rows) if (label := _label(row.text))]
    inside = [_of(match) for row in rows for match in _INNER.finditer(row.text)]
    fresh = Counter(_key(label.name) for label, is_fresh in at_start if is_fresh)
    anywhere = fresh + Counter(_key(label.name) for label in inside)
    titles = {key for key, n in fresh.items() if n > 1}
    known: dict[str, int] = {}
    for label in [*(label for label, _ in at_start), *inside]:
        key = _key(label.name)
        if _is_speaker(label, fresh[key], anywhere[key], bool(titles)):
            known[key] = anywhere[key]
    if "a" in known and "q" not in known:
        del known["a"]
    return known


def _is_speaker(label: _Label, fresh: int, anywhere: int, others: bool) -> bool:
    words = label.name.split()
    if re.fullmatch(_ROLES, label.name, re.I):
        return anywhere > 0
    if label.caps and (len(words) > 1 or not label.dot):
        return fresh > 0 or anywhere > 1
    return fresh > 1 or (fresh == 1 and len(words) > 1 and others and not label.dot)


def _inner(who: str, paragraphs: list[str], known: dict[str, int], glue: str = "\n\n") -> list[tuple[str, str]]:
    """The paragraphs of one speaker, cut where a known label stands after a sentence; `who` and their words come first."""
    parts: list[tuple[str, list[str]]] = [(who, [])]
    for paragraph in paragraphs:
        at = 0
        for match in _INNER.finditer(paragraph):
            if _key(_of(match).name) in known:
                parts[-1][1].append(paragraph[at : match.start()].strip())
                parts.append((_tidy(_of(match).name), []))
                at = match.end()
        parts[-1][1].append(paragraph[at:].strip())
    return [(name, glue.join(text for text in texts if text)) for name, texts in parts]


def _joined(before: str, after: str) -> str:
    glue = "" if re.search(r"\w-$|—$", before) else " "
    return before + glue + after


def _tidy(name: str) -> str:
    return " ".join(name.split())


def _key(name: str) -> str:
    return _tidy(name).casefold()
