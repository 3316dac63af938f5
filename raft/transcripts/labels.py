"""Who speaks where, in text that puts the speaker's label before the words.

`raft.transcripts.looks` says what could be a label; here the file as a whole decides which are. A label is what is used
as one throughout: again, at the start of what is said, in the same dress as the others. What is not sure is no label,
and is told as `Unmarked`.
"""

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property

import regex

from raft.text import count_words
from raft.transcripts.cast import one_person
from raft.transcripts.looks import (
    PAIRS,
    TIME_ONLY,
    Label,
    bare_name,
    initials_of,
    is_break,
    is_code,
    is_meta,
    is_no_speaker,
    is_phrase,
    is_role,
    key_of,
    look_at,
    name_words,
    style,
)
from raft.transcripts.said import Left, Said, Unmarked, words

_UP = "A-ZÀ-ÖØ-ÞŁŚŠŽŹŻČĆŃŐŰĞİА-ЯЁΑ-Ω"
_WORD = rf"(?:(?:MR|MRS|MS|DR|SEN|REP|GOV|GEN|PROF|HON|ST|JR)\.|(?![QA]\.)[{_UP}]\.|(?:Ma?c)?[{_UP}][{_UP}’'\-]*|\#?\d{{1,2}})"
_CAPS = rf"(?!\#?\d)(?=[^.:]{{0,60}}[{_UP}]){_WORD}(?: {_WORD}){{0,5}}"
_INSIDE = re.compile(
    rf"(?<=[.?!:;”\"’'\)\]—–-])\s+(?:\[\d{{1,3}}[^\w\]]{{0,2}}\]\s*)?(?P<caps>{_CAPS})(?P<dot>[.:])\s+"
)
"""Labels in capitals, and Q. and A., after a sentence: text whose lines were joined."""
_RECORD = "\0"
_AFTER = r"(?<=[.?!:;…。！？؟।”\"’'»\)\]—–-])"
_ENDS = regex.compile(r"[.?!:;…—–\-”\"’'»\)\]*_。！？؟।：]\s*$")
_ITEM = re.compile(r"\s*[-*•]\s+\S")
_STOPS = regex.compile(r"[.?!”\"\]*_…。！？؟।»]\s*$")
_DIRECTION = regex.compile(
    r"\s*(?:\((?=[^()]*\p{Lu}{3})[^()\p{Ll}]{3,80}\)|\[\[?\s*(?:Page|p\.)\s*[\w-]{1,8}\s*\]?\]|\[House page.*\])\s*"
)
_HEADING = re.compile(
    r"\s*(?:(?:(?:FURTHER\s+)?(?:RE-?)?(?:DIRECT|CROSS)[- ]?|FURTHER\s+)?EXAMINATION(?:\s+(?:BY\s+.{1,40}|\(?CONT\w*\.?\)?))?|(?:OPENING |PREPARED )?(?:STATEMENT|TESTIMONY) OF [A-Z][A-Z ,.’'\-]{3,120}|BY\s+(?:MR|MS|MRS|MISS|DR)\.?\s+[\w’'-]+(?:\s[\w’'-]+)?\s*:)\s*"
)
_FOOTER = re.compile(
    r"\s*(?:transcribed by\b.{0,80}|transcript(?:ion)? (?:provided|generated|powered|created|produced|by)\b.{0,100}|transcription ended after\b.{0,40}|"
    r"this (?:editable )?transcript was (?:computer|automatically|auto)[- ]?generated\b.{0,200}|"
    r"(?:meeting|recording|transcription) (?:started|stopped|ended)\b.{0,60}|.{0,60}\b(?:started|stopped) transcription|© ?.{0,80}|\(?\[?(?:end|end of (?:transcript|interview|recording|tape.{0,20}|audio))\]?\)?\.?|-?\s?end\s?-|###|to order .{0,80}|copyright (?:©|\(c\)|\d{4}).{0,80})\s*",
    re.I,
)
_NAME_LINE = regex.compile(
    r"\s*(?:\#{1,6}\s+|\*\*|__)?(?P<name>\p{L}[\p{L}\p{M}\p{N}'’.\-]*(?:[ ][\p{L}\p{N}][\p{L}\p{M}\p{N}'’.\-]*){0,3})(?:\*\*|__)?\s*(?<![.]{2}|[a-z]{3}\.)$"
)
_WHO_ASKS = ("Interviewer", "Interviewee", "Reporter", "Moderator", "Journalist", "Audience")
"""Labels that are nobody's words, so that they part a turn even inside a line."""
_BEGINS = regex.compile(r"[*_>\[\s]*(\p{L}[^.?!:：\n]{1,90})[:：](?=\s|\*)")
_WHOLE = regex.compile(
    r"(?P<before>\s*(?:[-–—•]\s+)?)(?P<mark>\*\*\*|\*\*|__|\*|_)(?P<text>[^*\n]{1,40}[:.：]\s[^*\n]+?)(?P=mark)\s*"
)
"""A line in bold or italics as a whole, its label with it."""
_FILED = re.compile(
    r"\s*\[(?:The )?(?:prepared |written |full )*(?:statement|testimony|article|letter|report|document|information)s? .{1,160}(?:follows?|below|appears?|referred to)[^\]]{0,60}:?\]\s*",
    re.I,
)
"""What is put into the record and was not said."""
_DOT = regex.compile(r"\s*(\p{Lu}[\p{L}.’'-]*(?: (?:of |the )?\p{Lu}[\p{L}.’'-]*){1,3})\.\s+[\p{Lu}“\"]")
_NAMELESS = regex.compile(r"\s*(?:[^\p{L}\p{N}\s]{1,6}|[\p{L} ]{2,24}\?)\s?[:：](?=\s)")
"""A label without a name: `??:` `Speaker?:` `>>:`"""
_BOLD = regex.compile(r"\s*(\*\*|__)([^*\n]{1,60}?:?)\1(?:(?<=:\1)|\s?:)(?=\s|$)")
_LETTER = regex.compile(r"\p{L}")
_ARROWS = regex.compile(r"(?:^|\s)(?:>>|≫)")
_ASKS = regex.compile(r"[?？؟]\W*$")
_BROKEN = re.compile(r"\w-$|—$")
_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}，。、！？]")
_QUESTION = regex.compile(r"\s*(?:[-–—•]\s+)?(?P<mark>\*\*\*|\*\*|__|\*|_)(?=\S)(?P<text>[^*\n]{4,}?)(?P=mark)\s*$")


@dataclass(frozen=True)
class _Row:
    text: str
    indent: int
    after_blank: bool


@dataclass(frozen=True)
class Split:
    """A text cut at its labels. Every word of it is in `head`, `said` or `left`, or one of the `marks`."""

    head: str
    said: list[Said]
    left: list[Left] = field(default_factory=list)
    marks: int = 0
    unmarked: tuple[Unmarked, ...] = ()
    look: str = ""


def split(lines: list[str], cues: bool = False, weak: bool = True) -> Split:
    """What stands before the first label, and who said what after it, in order.

    `cues`: the lines are subtitles, whose breaks say nothing about paragraphs. `weak`: where no label is found, names
    alone on a line, and questions in bold or italics, are read too.
    """
    left: list[Left] = []
    rows, dropped = _rows(lines, left)
    found = _cut(rows, [look_at(row.text) for row in rows], cues)
    if weak and not cues and not is_talk(found.said, found.head):
        names = _names_alone(rows)
        if names and is_talk((other := _cut(rows, names, cues)).said, other.head, strict=True):
            found = replace(other, look="alone")
        elif not found.said and (said := _questions(rows)):
            found = said
    return replace(found, left=left + found.left, marks=found.marks + dropped)


def paragraphs(lines: list[str]) -> list[str]:
    """The lines joined to paragraphs, whoever speaks."""
    rows = _plain_rows(lines)
    page = _Page(rows, cues=False)
    found: list[str] = []
    for i, row in enumerate(rows):
        if found and page.continues(i):
            found[-1] = _joined(found[-1], row.text.strip())
        else:
            found.append(row.text.strip())
    return found


def is_talk(said: list[Said], head: str, strict: bool = False) -> bool:
    """Whether labels found in a text are those of speakers: two who take turns, after a short introduction at most."""
    meant = one_person({s.speaker for s in said})
    turns = Counter(key_of(meant[s.speaker]) for s in said)
    if set(turns) == {"q", "a"} or set(turns) == {"question", "answer"}:
        return True
    count = sum(words(s.text) for s in said)
    taking = len(turns) > 1 and len(said) > 2 and max(turns.values()) > 1
    return taking and (len(said) > 3 or not strict) and words(head) <= max(150, count / (8 if strict else 4))


def looks_like_talk(text: str) -> str:
    """Why a text looks like a conversation, in words for the user; empty where it does not."""
    lines = [line for line in text.split("\n") if line.strip()]
    labels = [(label, i) for i, line in enumerate(lines) if (label := look_at(line))]
    names = Counter(
        label.key
        for label, _ in labels
        if not (is_no_speaker(label.name) or is_meta(label.name)) and (label.mark != "dot" or is_role(label.name) or label.name[:3] in ("Mr.", "Ms."))
        and not is_phrase(label.name) and (label.mark != "wrapped" or label.closed)
    )  # fmt: skip
    again = [(key, n) for key, n in names.items() if n > 1]
    if (
        len(again) > 1
        or any(n > 2 for _, n in again)
        or (again and len(names) > 1 and sum(names.values()) > 0.5 * len(lines))
    ):
        shown = ", ".join(f"{key!r} {n} times" for key, n in sorted(again, key=lambda one: -one[1])[:4])
        return f"lines begin with {shown}"
    if len(names) > 1 and sum(names.values()) >= 0.8 * len(lines) and len(lines) < 6:
        return f"its lines begin with {', '.join(map(repr, list(names)[:4]))}"
    stamped = [label for label, _ in labels if label.mark == "stamped" and not is_phrase(label.name)]
    times = [
        line for line in lines if regex.match(r"\s*[\[(]?(?:[\d./-]{6,10},?\s)?\d{1,3}:\d\d(?::\d\d)?[\])]?", line)
    ]
    if len(stamped) > 1 or len(times) > max(2, 0.2 * len(lines)):
        return f"{len(stamped) or len(times)} lines with a time, as {(stamped[0].written if stamped else times[0].strip()[:40])!r}"
    marked = [line for line in lines if (found := _QUESTION.match(line)) and _ASKS.search(found["text"])]
    if len(marked) > 1:
        return f"{len(marked)} questions in bold or italics"
    roles = Counter(label.key for label, _ in labels if is_role(label.name))
    if len(roles) > 1 or any(n > 1 for n in roles.values()):
        return f"lines begin with {', '.join(repr(key) for key in list(roles)[:4])}"
    dashes = [line for line in lines if regex.match(r"\s*(?:[—–-]\s|[—–―]{1,2}|>>|[„«»]\s?)", line)]
    asked = [line for line in dashes if _ASKS.search(line) or regex.search(r"か。\W*$", line)]
    if len(asked) > 1 and len(dashes) >= 0.4 * len(lines):
        return f"{len(dashes)} lines begin with a dash, as speakers' lines do"
    if sum(">>" in line for line in lines) > 1:
        return "'>>' marks a change of speaker"
    for n, least, share in ((2, 2, 0.5), (1, 3, 0.8)):
        starts = Counter(
            " ".join(first[:n])
            for line in lines
            if len(first := name_words(line)) > n and first[0] not in ("the", "and")
        )
        again = [(key, k) for key, k in starts.most_common(5) if k >= least and not is_phrase(key)]
        if len(again) > 1 and sum(k for _, k in again) >= share * len(lines) and len(lines) > 3:
            return f"its lines begin again and again with {', '.join(repr(key) for key, _ in again[:4])}"
    inline = Counter(
        found[1]
        for found in regex.finditer(
            rf"(?:^|{_AFTER}\s)(\p{{Lu}}[\p{{L}}\p{{M}}’'-]*(?: \p{{Lu}}[\p{{L}}\p{{M}}’'-]*){{0,2}}):\s", text
        )
        if not is_no_speaker(found[1])
    )
    again = [(key, n) for key, n in inline.items() if n > 1]
    if len(again) > 1 and sum(n for _, n in again) > 4:
        return f"{', '.join(f'{key}: {n} times' for key, n in again[:4])} inside its lines"
    return ""


def still_marked(said: list[Said], known: tuple[Unmarked, ...] = ()) -> tuple[Unmarked, ...]:
    """What looks like a label inside somebody's words: speakers' own names with a colon, and repeated line starts."""
    names = {name for one in said for name in _spoken_as(one.speaker)}
    found: Counter[str] = Counter()
    at_start: Counter[str] = Counter()
    marked = {key_of(one.label) for one in known}
    bold = [p for one in said for p in one.text.split("\n") if (m := _QUESTION.match(p)) and _ASKS.search(m["text"])]
    if bold:
        found[f"{bold[0].strip()[:40]} (a question in bold or italics)"] = len(bold)
    full = {one.speaker for one in said if " " in one.speaker}
    known_words = {word for one in said for word in bare_name(one.speaker) if len(word) > 2} if len(said) > 1 else set()
    looks = {style(one.speaker) for one in said} - {"lower", "uncased"}
    inside = (
        regex.compile(
            r"(?:^|\s)[*_\[<(]*(\L<names>)[\])>]?[*_]*\s?[:：](?=\s|$|[*_]|\p{Han})",
            regex.I | regex.M,
            names=sorted(names),
        )
        if names
        else None
    )
    for one in said:
        for match in inside.finditer(one.text) if inside else ():
            found[match[1]] += 1
        if arrows := len(_ARROWS.findall(one.text)):
            found[">>"] += arrows
        within: Counter[str] = Counter()
        for line in one.text.split("\n"):
            if nameless := _NAMELESS.match(line):
                found[nameless.group().strip()] += 1
            if (bold := _BOLD.match(line)) and not is_no_speaker(bold[2].strip(" :")):
                at_start[bold[2].strip(" :")] += 2
            label = None if bold else look_at(line)
            if label and label.mark in ("colon", "wrapped") and not is_speech(label):
                within[label.name] += 1
            rest = line[label.end :].lstrip(' *_"“') if label else ""
            if label and label.mark not in ("dot", "bare") and not is_speech(label) and not rest[:1].islower():
                at_start[label.name] += 1
            if any(
                regex.match(rf"[*_\[(]{{0,3}}{regex.escape(name)}[*_]{{0,2}}(?:\s?[;|>)\]]|\s[—–-]\s|\s*$)", line)
                for name in full
            ):
                found[line.strip()[:40]] += 1
            if begun := _BEGINS.match(line[:120]):
                first = name_words(begun[1])[:2]
                if (
                    any(word in known_words for word in first)
                    and style(begun[1].split(",")[0]) in looks
                    and not is_phrase(begun[1].split(",")[0])
                ):
                    at_start[" ".join(begun[1].split())] += 1
        if len(within) > 1 and sum(within.values()) > 2:
            at_start += within
    singles = {k for k, n in at_start.items() if n == 1}
    for name, n in at_start.items():
        if name not in found and (
            n > 1
            or is_role(name)
            or known_words & set(name_words(name))
            or (len(singles) == 1 and style(name) == "caps" and " " in name)
        ):
            found[name] = n
    return known + tuple(Unmarked(name, n) for name, n in found.items() if key_of(name) not in marked)


def _spoken_as(speaker: str) -> set[str]:
    """The full label, and its last word where it has several: what else in a turn would be a label of the same person."""
    parts = speaker.split()
    last = parts[-1].strip(".,") if len(parts) > 1 else ""
    return {
        name
        for name in (speaker, last, parts[0] if len(parts) == 2 else "")
        if len(name) > 2 and not name.isdigit() and not is_no_speaker(name)
    }


def is_speech(label: Label) -> bool:
    """Whether what looks like a label is plainly a part of what is said: `Fact:`, `What I mean is:`."""
    look = style(label.name)
    if label.mark == "wrapped" and not label.closed:
        return not regex.match(r"[\[<【]", label.written) or look in ("lower", "sentence", "mixed")
    return (
        is_no_speaker(label.name)
        or is_phrase(label.name)
        or (look in ("sentence", "mixed") and not is_role(label.name))
    )


def _plain_rows(lines: list[str]) -> list[_Row]:
    rows, blank = [], True
    for line in lines:
        if line.strip():
            rows.append(_Row(line.rstrip(), len(line) - len(line.lstrip()), blank))
        blank = not line.strip()
    return rows


def _rows(lines: list[str], left: list[Left]) -> tuple[list[_Row], int]:
    """The rows that somebody may speak, names and times on two lines made one; and the words of time stamps dropped."""
    plain = _plain_rows(lines)
    times = [len(row.text) < 60 and ":" in row.text and bool(TIME_ONLY.fullmatch(row.text)) for row in plain]
    names = [_NAME_LINE.match(row.text) if len(row.text) < 80 else None for row in plain]
    alone = Counter(key_of(m["name"]) for i, m in enumerate(names) if m and i and times[i - 1])
    rows: list[_Row] = []
    dropped, i, blank = 0, 0, False
    while i < len(plain):
        row, name = plain[i], names[i]
        if row.text.rstrip()[-1:] in "*_" and (whole := _WHOLE.fullmatch(row.text)) and look_at(whole["text"]):
            row = replace(row, text=whole["before"] + whole["text"])
        after = i + 1 < len(plain)
        follows = names[i + 1] if after and times[i] else None
        if name and after and times[i + 1] and not plain[i + 1].after_blank:
            rows.append(
                replace(
                    row, text=f"{row.text.rstrip()}  {plain[i + 1].text.strip()}", after_blank=row.after_blank or blank
                )
            )
            i, blank = i + 2, False
        elif (
            follows
            and not plain[i + 1].after_blank
            and alone[key_of(follows["name"])] > 1
            and len(alone) > 1
            and max(alone.values()) < sum(alone.values())
        ):
            rows.append(
                replace(
                    row, text=f"{plain[i + 1].text.strip()}  {row.text.strip()}", after_blank=row.after_blank or blank
                )
            )
            i, blank = i + 2, False
        else:
            if times[i]:
                dropped += words(row.text)
            elif len(row.text) > 220:
                rows.append(replace(row, after_blank=row.after_blank or blank))
                blank = False
                i += 1
                continue
            elif _DIRECTION.fullmatch(row.text):
                left.append(("stage directions", row.text.strip()))
            elif _HEADING.fullmatch(row.text):
                left.append(("headings", row.text.strip()))
            elif _FOOTER.fullmatch(row.text) and i > 2:
                left.append(("notes on the transcript", row.text.strip()))
            else:
                rows.append(replace(row, after_blank=row.after_blank or blank))
                blank = False
                i += 1
                continue
            blank = blank or row.after_blank
            i += 1
    return rows, dropped


class _Page:
    """How the text is set: which line begins something new, and which goes on."""

    def __init__(self, rows: list[_Row], cues: bool, labels: list[Label | None] | None = None) -> None:
        self._rows, self._cues = rows, cues
        self.labels = labels or [None] * len(rows)
        lengths = sorted(len(row.text.strip()) for row in rows)
        self._width = lengths[int(len(lengths) * 0.9)] if lengths else 0
        self._wrapped = cues or self._width <= 140
        indents = sorted(row.indent for row in rows)
        self._margin = indents[len(indents) // 4] if indents else 0
        loose = [i for i in range(1, len(rows)) if rows[i].after_blank]
        broken = [i for i in loose if not _ENDS.search(rows[i - 1].text)]
        self._double_spaced = len(rows) > 7 and len(loose) > 0.8 * len(rows) and len(broken) > 0.4 * len(loose)

    @cached_property
    def _units(self) -> bool:
        """Whether most lines begin with a label, so that each line is somebody's and none is wrapped."""
        seen = Counter(label.key for label in self.labels if label)
        return sum(1 for label in self.labels if label and seen[label.key] > 1) >= 0.4 * max(1, len(self._rows))

    @cached_property
    def _indented(self) -> bool:
        """Whether labels with a full stop stand indented and wrapped lines do not, as in the records of Congress."""
        indents = [
            row.indent
            for row, label in zip(self._rows, self.labels, strict=True)
            if label and label.mark == "dot" and not is_role(label.name)
        ]
        flush = sum(1 for row in self._rows if row.indent == 0)
        return len(indents) > 2 and sum(1 for n in indents if n) > 0.6 * len(indents) and flush > 0

    def fresh(self, i: int) -> bool:
        """Whether a sentence may begin with line `i`."""
        row, label = self._rows[i], self.labels[i]
        if label and label.mark == "dot" and self._indented and not row.indent:
            return False
        return (
            i == 0
            or (row.after_blank and (self._cues or not self._double_spaced))
            or row.indent > self._margin + 2
            or bool(_ENDS.search(self._rows[i - 1].text))
            or self._units
            or (label is not None and label.mark in ("wrapped", "stamped"))
        )

    def block(self, i: int) -> bool:
        """Whether something is parted from the line before by more than a line's end."""
        return i == 0 or self._rows[i].after_blank or self._units or (self._dense and self.fresh(i))

    @cached_property
    def _dense(self) -> bool:
        """Whether hardly a line stands after an empty one, so that empty lines part nothing."""
        return sum(row.after_blank for row in self._rows) < 0.3 * len(self._rows)

    def continues(self, i: int) -> bool:
        """Whether line `i` belongs to the paragraph of the line before."""
        if i == 0 or not self._wrapped or _ITEM.match(self._rows[i].text):
            return False
        row, before = self._rows[i], self._rows[i - 1]
        if self._cues or not _STOPS.search(before.text):
            return True
        short = len(before.text.strip()) < 0.8 * self._width
        return not (row.indent > self._margin + 2 or (row.after_blank and not self._double_spaced) or short)


def _cut(rows: list[_Row], labels: list[Label | None], cues: bool) -> Split:
    page = _Page(rows, cues, labels)
    stamped = _is_stamped(labels)
    labels = _without_facts(rows, labels)
    known, doubted = _speakers(rows, labels, page, stamped, cues)
    inner = _inner_form(known)
    head: list[str] = []
    turns: list[tuple[str, list[str]]] = []
    marks = 0
    looks: Counter[str] = Counter()
    for i, row in enumerate(rows):
        label = labels[i] or _forgotten(row.text, known)
        starts = label is not None and _starts(label, known, page.fresh(i), stamped)
        if starts and label is not None:
            turns.append((label.name, []))
            marks += words(row.text[: label.end])
            looks[label.mark] += 1
        if turns and not starts and _FILED.fullmatch(row.text):
            turns.append((_RECORD, []))
        text = row.text[label.end :].strip() if starts and label is not None else row.text.strip()
        body = turns[-1][1] if turns else head
        if page.continues(i) and turns and body and not starts:
            body[-1] = _joined(body[-1], text)
        elif text:
            body.append(text)
    cut: list[str] = []
    (_, before), *early = _inner("", head, inner, cut, "\n")
    later = [part for who, body in turns for part in _inner(who, body, inner, cut)]
    marks += sum(map(words, cut))
    said, left = [], []
    for name, text in (*early, *later):
        if is_break(name) or name == _RECORD:
            left.append(("breaks" if name != _RECORD else "put into the record", text))
        elif text:
            said.append(Said(name, text))
    return Split(
        before,
        said,
        [one for one in left if one[1]],
        marks,
        tuple(doubted),
        looks.most_common(1)[0][0] if looks else "",
    )


@dataclass(frozen=True)
class _Known:
    name: str
    count: int
    dotted: bool
    look: str


def _without_facts(rows: list[_Row], labels: list[Label | None]) -> list[Label | None]:
    """The labels without those of a head that lists facts, as `Interviewer: Bo Katz` over `Date: 4 May`."""
    facts = 0
    for row, label in zip(rows, labels, strict=True):
        rest = row.text[label.end :].split() if label else []
        if not (label and is_meta(label.name) and 0 < len(rest) <= 12 and not _ENDS.search(row.text.rstrip("*_)"))):
            break
        facts += 1
    none: list[Label | None] = [None] * facts
    return none + labels[facts:] if facts > 1 else labels


def _is_stamped(labels: list[Label | None]) -> bool:
    """Whether names with a time are how this file labels: names with a colon are then speech, or a title."""
    marks = Counter(label.mark for label in labels if label and not is_phrase(label.name))
    return marks["stamped"] > 2 and marks["stamped"] > 0.6 * sum(marks.values())


def _starts(label: Label, known: dict[str, _Known], fresh: bool, stamped: bool) -> bool:
    if label.key not in known or (stamped and label.mark != "stamped"):
        return False
    return fresh or (known[label.key].count > 1 and _strong(label))


def _strong(label: Label) -> bool:
    return label.mark != "colon" or style(label.name) == "caps"


def _forgotten(text: str, known: dict[str, _Known]) -> Label | None:
    """A known label of several capitalised words whose mark was forgotten: `THE PRESIDENT Well, …`."""
    match = re.match(rf"\s*({_CAPS})(?= [{_UP}][a-z’' ])", text)
    many = match is not None and " " in match[1] and key_of(match[1]) in known and known[key_of(match[1])].count > 1
    return Label(" ".join(match[1].split()), "dot", match.end(), match[1], True) if match and many else None


def _speakers(
    rows: list[_Row], labels: list[Label | None], page: _Page, stamped: bool, cues: bool
) -> tuple[dict[str, _Known], list[Unmarked]]:
    """The labels that are speakers', and those that may be and were not taken."""
    at = [(i, label) for i, label in enumerate(labels) if label]
    fresh = Counter(label.key for i, label in at if page.fresh(i))
    firsts: dict[str, Label] = {}
    for _, label in sorted(at, key=lambda one: one[1].mark == "colon"):
        firsts.setdefault(label.key, label)
    inside = [m for row in rows for m in _INSIDE.finditer(row.text)]
    anywhere = fresh + Counter(key_of(m["caps"]) for m in inside)
    for m in inside:
        firsts.setdefault(
            key_of(m["caps"]),
            Label(" ".join(m["caps"].split()), "dot" if m["dot"] == "." else "colon", 0, m["caps"], m["dot"] == "."),
        )
    file = _File(rows, at, page, fresh, anywhere, firsts, stamped)
    known = {
        key: _Known(label.name, anywhere[key], label.dotted or label.mark == "dot", style(label.name))
        for key, label in firsts.items()
        if file.speaks(key)
    }
    if "a" in known and not {"q", "b", "f"} & set(known):
        del known["a"]
    lines: dict[str, list[int]] = {}
    for i, label in at:
        taken = _starts(label, known, page.fresh(i), stamped) or (stamped and i < file.first)
        in_line = i > 0 and label.mark == "colon" and not _ENDS.search(rows[i - 1].text) and not rows[i].after_blank
        broken = taken and not stamped and not cues and in_line and file.goes_on(i, label)
        missed = not taken and (label.key in known or (page.fresh(i) and file.doubtful(label)))
        if broken or missed:
            lines.setdefault(label.name, []).append(i)
    if file.dots:
        for name, n in Counter(
            m[1] for i, row in enumerate(rows) if page.fresh(i) and (m := _DOT.match(row.text))
        ).items():
            if n > 1 and key_of(name) not in known and not is_phrase(name):
                lines[name] = [0] * n
    return known, [Unmarked(name, len(at)) for name, at in lines.items()]


class _File:
    """What the whole file says about its labels."""

    def __init__(
        self,
        rows: list[_Row],
        at: list[tuple[int, Label]],
        page: _Page,
        fresh: Counter[str],
        anywhere: Counter[str],
        firsts: dict[str, Label],
        stamped: bool,
    ) -> None:
        self._fresh, self._anywhere, self._firsts = fresh, anywhere, firsts
        again = {
            key
            for key, n in anywhere.items()
            if n > 1 and not is_no_speaker(firsts[key].name) and not is_phrase(firsts[key].name)
        }
        firm = [
            key for key in fresh if style(firsts[key].name) in ("caps", "title") and not is_no_speaker(firsts[key].name)
        ]
        full = {key: set(bare_name(firsts[key].name)) for key in firm if firsts[key].mark in ("colon", "wrapped")}
        again |= {key for key, own in full.items() if any(own < other or other < own for other in full.values())}
        self._names = {key for key in again if not is_role(firsts[key].name)}
        self._again = again
        looks = Counter[str]()
        marks = Counter[str]()
        self._coloned = {label.key for _, label in at if label.mark == "wrapped" and label.closed}
        self._stamped = sum(1 for _, label in at if label.mark == "stamped" and not is_phrase(label.name))
        for key in again:
            looks[style(firsts[key].name)] += anywhere[key]
            marks[firsts[key].mark] += anywhere[key]
        self._look = looks.most_common(1)[0][0] if looks else ""
        self.dots = marks["dot"] >= 0.5 * sum(marks.values()) and marks["dot"] > 0
        self.first = next(
            (
                i
                for i, label in at
                if label.key in again and not is_meta(label.name) and (not stamped or label.mark == "stamped")
            ),
            0,
        )
        self._places: dict[str, list[int]] = {}
        for i, label in at:
            self._places.setdefault(label.key, []).append(i)
        self._rows, self._labels = rows, page.labels
        blocks = [i for i in range(self.first, len(rows)) if page.block(i)]
        open_ = [i for i in blocks if not (mine := page.labels[i]) or is_no_speaker(mine.name)]
        self._tight = len(open_) <= 0.1 * len(blocks)
        spoken = " ".join(row.text[label.end if label else 0 :] for row, label in zip(rows, page.labels, strict=True))
        self._lower = set(regex.findall(r"(?<![\p{L}\p{M}])\p{Ll}[\p{L}\p{M}'’]*(?![\p{L}\p{M}'’:：])", spoken))
        used = [(i, label) for i, label in at if label.key in again]
        self._timed = sum(label.timed for _, label in used) > 0.8 * len(used) > 0
        begins = [c for i, label in used if (c := self._begins(i, label)) and c.lower() != c.upper()]
        self._upper = sum(c.isupper() for c in begins) >= 0.75 * len(begins) > 0
        self._parts = (
            {word for key in self._names for word in name_words(firsts[key].name)} if len(self._names) > 1 else set()
        )

    def _begins(self, i: int, label: Label) -> str:
        under = self._rows[i + 1].text if i + 1 < len(self._rows) else ""
        found = _LETTER.search(self._rows[i].text, label.end) or _LETTER.search(under)
        return found[0] if found else ""

    def goes_on(self, i: int, label: Label) -> bool:
        """Whether what follows a label begins in lower case where it does not elsewhere."""
        return self._upper and self._begins(i, label).islower()

    def _other_dress(self, key: str) -> bool:
        """Whether a label lacks the time that the others have."""
        labels = [label for i in self._places.get(key, []) if (label := self._labels[i])]
        return self._timed and bool(labels) and not any(label.timed for label in labels)

    def _goes_on(self, key: str) -> bool:
        """Whether the words after a label begin in lower case where those of the others do not: it is in a sentence."""
        labels = [(i, label) for i in self._places.get(key, []) if (label := self._labels[i])]
        return self._upper and bool(labels) and all(self._begins(i, label).islower() for i, label in labels)

    def _is_short(self, key: str) -> bool:
        return self._firsts[key].mark != "colon" or key in ("q", "a")

    def _said_too(self, name: str) -> bool:
        """Whether all words of a label are spoken in the file, in lower case: it is a word then, and hardly a name."""
        found = name_words(name)
        return bool(found) and all(word in self._lower for word in found)

    def _in_head(self, key: str) -> bool:
        """Whether a word such as Date or Interviewer stands in the head, with no more than a fact after it."""
        label, places = self._firsts[key], self._places.get(key, [])
        if not (is_meta(label.name) and len(places) == 1 and places[0] <= self.first):
            return False
        return label.mark in ("colon", "wrapped") and count_words(self._rows[places[0]].text[label.end :]) <= 12

    def speaks(self, key: str) -> bool:
        label = self._firsts[key]
        name, fresh, anywhere = label.name, self._fresh[key], self._anywhere[key]
        count = len(name.split())
        look = style(name)
        if is_break(name):
            return (
                bool(self._again)
                and (label.mark == "wrapped" or look == self._look)
                and (label.mark != "wrapped" or key in self._coloned)
            )
        if self._in_head(key) or (is_no_speaker(name) and label.mark != "stamped"):
            return False
        if label.mark == "stamped":
            return self._stamped > 1 and not is_phrase(name) and (look not in ("sentence", "mixed") or is_role(name))
        if (self._other_dress(key) or (self._goes_on(key) and look != "lower")) and not self._is_short(key):
            return False
        if key in ("q", "a", "b") or label.mark == "bare":
            return anywhere > 0
        if len(key) == 1 and label.mark == "dot":
            return fresh > 1 and any(
                self._fresh[a] > 1 and self._fresh[b] > 1 for a, b in PAIRS.items() if key in (a, b)
            )
        if is_role(name):
            pairs = {"question", "answer"} | {"frage", "antwort"}
            if key in pairs and len(self._names) > 1:
                alike = look == self._look and (look == "caps" or self._tight)
                return alike and fresh > 0 and not {"question", "answer"} <= set(self._fresh)
            return fresh > 0 if is_code(name) or key not in pairs else anywhere > 0
        if label.mark == "wrapped":
            return self._wrapped(key, label, fresh, look)
        if label.mark == "dot" or label.dotted:
            return self._dotted(label, fresh, anywhere, count, look)
        return self._colon(key, label, fresh, anywhere, count, look)

    def _wrapped(self, key: str, label: Label, fresh: int, look: str) -> bool:
        if key in self._coloned:
            return (fresh > 1 or len(self._coloned) > 1) and not (is_phrase(label.name) and fresh < 2)
        others = {k for k in self._again if self._firsts[k].mark == "wrapped" and k not in self._coloned}
        if regex.match(r"\s*[\[<【]", label.written):
            return fresh > 1 and len(others) > 1 and look in ("title", "caps", "uncased")
        return fresh > 1 and len(others) > 1

    def _dotted(self, label: Label, fresh: int, anywhere: int, count: int, look: str) -> bool:
        if not self.dots:
            return False
        if look != "caps" and label.mark == "dot":
            return fresh > 0
        if count > 1:
            place = self._places.get(label.key, [0])[0]
            rest = self._rows[place].text[label.end :]
            shouted = anywhere < 2 and (style(rest) == "caps" or not _LETTER.search(rest))
            return (fresh > 0 or anywhere > 1) and not shouted and not (is_phrase(label.name) and anywhere < 2)
        return fresh > 1

    def _colon(self, key: str, label: Label, fresh: int, anywhere: int, count: int, look: str) -> bool:
        name = label.name
        if not fresh and anywhere < 2:
            return False
        others = bool(self._again - {key}) or len(self._again) > 0
        same = look == self._look
        part = count == 1 and key in self._parts
        if look == "caps":
            if is_phrase(name) and fresh < 2:
                return False
            if fresh == 0:
                return anywhere > 1
            return (
                fresh > 1 or (others and (same or part) and self._plain_rest(label)) or (not self._again and count < 5)
            )
        if look == "title":
            if fresh > 1:
                return count > 1 or part or self._tight or (same and not self._said_too(name) and self._singles(key))
            named = any(key_of(short) in self._again for short in initials_of(name))
            return others and fresh == 1 and ((count > 1 and (same or named)) or part)
        if look == "lower":
            return fresh > 1 and not is_phrase(name) and (self._tight or not self._said_too(name))
        if look == "uncased":
            return fresh > 1 and not is_phrase(name)
        return fresh > 1 and self._tight and not is_phrase(name) and count < 4

    def _plain_rest(self, label: Label) -> bool:
        rest = self._rows[self._places[label.key][0]].text[label.end :]
        return style(rest) != "caps"

    def _singles(self, key: str) -> bool:
        """Whether names of one word are the rule here."""
        ones = [k for k in self._names if " " not in k]
        return len(ones) > 1 and len(ones) >= 0.5 * len(self._names)

    def doubtful(self, label: Label) -> bool:
        """Whether a label that was not taken may be somebody's all the same."""
        key, name = label.key, label.name
        if self._in_head(key) or is_no_speaker(name) or (not self._again and not self._fresh[key] > 1):
            return False
        if self._places[key][0] < self.first and self._fresh[key] < 2:
            return False
        look, fresh = style(name), self._fresh[key]
        if label.mark == "colon" and (is_phrase(name) or (self._goes_on(key) and look != "lower")):
            return False
        if label.mark == "dot":
            return (self.dots and look == "caps" and not is_phrase(name) and fresh > 1) or (
                label.name in ("Q", "A") and fresh > 1
            )
        if label.mark == "wrapped" and key not in self._coloned:
            return fresh > 1 and bool(regex.match(r"\s*[\[<【]", label.written)) and look != "lower"
        if label.mark == "stamped":
            return False
        if fresh > 1:
            return True
        if look == "lower" and self._look != "lower" and not is_phrase(name) and len(name.split()) < 3:
            return not self._said_too(name) or label.mark == "wrapped"
        if is_phrase(name) or look in ("sentence", "mixed") or (look == "lower" and self._look != "lower"):
            return label.mark == "wrapped"
        if self._said_too(name) and look != "caps":
            return False
        return (
            is_role(name)
            or look in ("title", "caps")
            or (look == "uncased" and len(name) < 12)
            or (look == "lower" and not self._said_too(name))
        )


def _inner_form(known: dict[str, _Known]) -> "regex.Pattern[str]":
    """What a known label looks like after a sentence: exactly as at the line starts."""
    names = [one for key, one in known.items() if one.look == "caps" or key in ("q", "a") or " " in one.name]
    names = [one for one in names if not (is_role(one.name) and one.look != "caps") or is_code(one.name)]
    names += [_Known(one, 1, False, "title") for one in _WHO_ASKS]
    forms = [rf"(?P<name>\L<{kind}>){sign}" for kind, sign in (("dotted", "[.:]"), ("all", "[:：]"))]
    dotted = [one.name for one in names if one.dotted or one.look == "caps"]
    return regex.compile(
        rf"{_AFTER}\s+(?:\[\d{{1,3}}[^\w\]]{{0,2}}\]\s*)?(?:>>\s*)?(?:{'|'.join(forms)})(?=\s)\s*",
        ignore_unused=True,
        dotted=dotted or ["\0"],
        all=[one.name for one in names],
    )


def _inner(
    who: str, texts: list[str], form: "regex.Pattern[str]", cut: list[str], glue: str = "\n\n"
) -> list[tuple[str, str]]:
    """The paragraphs of one speaker, cut where a known label stands after a sentence; `who` and their words come first.

    The labels go to `cut`.
    """
    parts: list[tuple[str, list[str]]] = [(who, [])]
    for paragraph in texts:
        at = 0
        for match in form.finditer(paragraph):
            parts[-1][1].append(paragraph[at : match.start()].strip())
            parts.append((" ".join(match["name"].split()), []))
            cut.append(match.group())
            at = match.end()
        parts[-1][1].append(paragraph[at:].strip())
    return [(name, glue.join(text for text in body if text)) for name, body in parts]


def _names_alone(rows: list[_Row]) -> list[Label | None]:
    """Names alone on a line, used again, with what they say under them; empty where that is not how the file is set."""
    found = [
        m if (m := _NAME_LINE.match(row.text)) and not is_no_speaker(m["name"]) and not is_phrase(m["name"]) else None
        for row in rows
    ]
    follows = [i + 1 < len(rows) and not found[i + 1] for i in range(len(rows))]
    seen = Counter(key_of(m["name"]) for m, ok in zip(found, follows, strict=True) if m and ok)
    again = {key for key, n in seen.items() if n > 1}
    labels: list[Label | None] = [
        Label(" ".join(m["name"].split()), "wrapped", m.end(), m["name"] + ":")
        if m and ok and key_of(m["name"]) in again and style(m["name"]) in ("title", "caps", "uncased")
        else None
        for m, ok in zip(found, follows, strict=True)
    ]
    first = next((i for i, label in enumerate(labels) if label), 0)
    blocks = [i for i in range(first, len(rows)) if rows[i].after_blank and not (i and labels[i - 1])]
    covered = sum(1 for i in blocks if labels[i])
    return labels if len(again) > 1 and covered >= 0.5 * max(1, len(blocks)) else []


def _questions(rows: list[_Row]) -> Split | None:
    """Questions in bold or italics with plain answers between them."""
    page = _Page(rows, cues=False)
    found = [_QUESTION.match(row.text) for row in rows]
    marks = [i for i, m in enumerate(found) if m]
    asked = [i for i in marks if _ASKS.search(found[i]["text"])]
    if len(asked) < 2 or len(asked) < 0.6 * len([i for i in marks if i >= asked[0]]):
        return None
    head: list[str] = []
    turns: list[tuple[str, list[str]]] = []
    for i, row in enumerate(rows):
        match = found[i]
        if match and i >= asked[0]:
            if turns and turns[-1][0] == "Q":
                turns[-1][1].append(match["text"].strip())
            else:
                turns.append(("Q", [match["text"].strip()]))
            continue
        body = turns[-1][1] if turns else head
        if turns and turns[-1][0] == "Q":
            turns.append(("A", [row.text.strip()]))
        elif turns and body and page.continues(i):
            body[-1] = _joined(body[-1], row.text.strip())
        else:
            body.append(row.text.strip())
    if len(turns) < 4:
        return None
    return Split("\n".join(head), [Said(who, "\n\n".join(texts)) for who, texts in turns], look="questions")


def _joined(before: str, after: str) -> str:
    glue = (
        ""
        if _BROKEN.search(before, max(0, len(before) - 3)) or (_UNSPACED.search(before[-1:]) and _UNSPACED.match(after))
        else " "
    )
    return before + glue + after
