"""SRT and WebVTT: cues, joined into turns."""

import datetime
import html
import re
from collections import Counter
from io import StringIO
from itertools import pairwise

from raft.errors import DataError
from raft.transcripts.dates import only_date
from raft.transcripts.labels import Split, is_speech, split, still_marked
from raft.transcripts.looks import look_at
from raft.transcripts.pages import decoded
from raft.transcripts.said import Left, NoSpeakersError, Said, Transcript, Unmarked, words

_VOICE = re.compile(r"<v(?:\.[\w.-]+)?[ \t]{1,9}([^<>\n]{1,100})>")
_TIMES = re.compile(r"^[\d:.,]+[ \t]*-->[ \t]*[\d:.,]+.*$", re.M)
_TAG = re.compile(r"</?[^<>\n]{0,80}>|\{\\[^}\n]*\}")


def read_vtt(data: bytes, name: str) -> list[Transcript]:
    """WebVTT with `<v Name>` or `NAME:`. Raises DataError when it is malformed, NoSpeakersError when no cue names a speaker."""
    text = decoded(data, name)
    first, _, rest = text.lstrip("\n").partition("\n")
    notes = "\n".join(re.findall(r"^NOTE\b(.*(?:\n.+)*)", rest, re.M))
    title = first.removeprefix("WEBVTT").strip(" \t-–—")
    return [_transcript(_cues(text, "vtt", name), name, title, only_date(notes))]


def read_srt(data: bytes, name: str) -> list[Transcript]:
    """SubRip with `NAME:`. Raises DataError when it is malformed, NoSpeakersError when no cue names a speaker."""
    return [_transcript(_cues(decoded(data, name), "srt", name), name)]


def spoken(data: bytes, form: str, name: str) -> str:
    """What the cues say, each line once, without who says it; `form` is vtt or srt."""
    return "\n".join(_once(_cues(decoded(data, name), form, name), []))


def _cues(text: str, form: str, name: str) -> list[str]:
    import webvtt
    from webvtt.errors import MalformedCaptionError, MalformedFileError

    # The times are not needed, and a cue whose time is written wrongly (00:24:60) would be dropped in silence.
    text = _TIMES.sub("00:00:00.000 --> 00:00:01.000" if form == "vtt" else "00:00:00,000 --> 00:00:01,000", text)
    try:
        captions = webvtt.from_buffer(StringIO(text.lstrip("\n")), format=form)
        return [caption.raw_text for caption in captions]
    except (MalformedFileError, MalformedCaptionError, ValueError, IndexError) as error:
        raise DataError([f"{name}: not {form.upper()} subtitles: {error or type(error).__name__}"]) from None


def _transcript(cues: list[str], name: str, title: str = "", day: datetime.date | None = None) -> Transcript:
    left: list[Left] = []
    total = sum(words(_plain(_VOICE.sub(" ", cue))) for cue in cues)
    voices = any(_VOICE.search(cue) for cue in cues)
    cues = _once(cues, left, keep=voices)
    if voices:
        voiced = _voices(cues)
        head = " ".join(one for one in voiced if isinstance(one, str))
        found = Split(head, [one for one in voiced if isinstance(one, Said)])
    else:
        found = split([line for cue in cues for line in (*cue.split("\n"), "")], cues=True)
    if not found.said:
        text = "\n".join(_plain(cue) for cue in cues)
        raise NoSpeakersError(name, may_be_writing=False, lines=text)
    said: list[Said] = []
    for one in found.said:
        if said and said[-1].speaker == one.speaker:
            said[-1] = Said(one.speaker, f"{said[-1].text} {one.text}")
        else:
            said.append(one)
    unmarked = list(found.unmarked)
    if voices:
        bare = Counter(
            label.name
            for cue in cues
            if not _VOICE.search(cue) and (label := look_at(_plain(cue))) and not is_speech(label)
        )
        unmarked += [Unmarked(name, n) for name, n in bare.items()]
    dashes = sum(1 for one in said for part in one.text.split("\n") if re.match(r"[-–—]\s", part))
    unmarked += [Unmarked("- (a change of speaker)", dashes)] if dashes else []
    left += found.left + ([("words before the first speaker", found.head)] if found.head else [])
    return Transcript(
        said,
        left,
        title,
        day,
        total=total,
        marks=found.marks,
        unmarked=still_marked(said, tuple(unmarked)),
        form="voices" if voices else found.look,
    )


def _voices(cues: list[str]) -> list[Said | str]:
    """The voices in order, what stands before the first one as a string. A cue without a voice goes on with the last."""
    said: list[Said | str] = []
    for cue in cues:
        first, *rest = _VOICE.split(cue)
        parts = [("", first), *zip(rest[::2], rest[1::2], strict=True)]
        for voice, spoken_here in parts:
            text = " ".join(_plain(spoken_here).split())
            speaker = " ".join(html.unescape(voice).split())
            last = said[-1] if said else None
            if not text:
                continue
            if isinstance(last, Said) and speaker in ("", last.speaker):
                said[-1] = Said(last.speaker, f"{last.text} {text}")
            elif speaker:
                said.append(Said(speaker, text))
            elif isinstance(last, str):
                said[-1] = f"{last} {text}"
            else:
                said.append(text)
    return said


def _once(cues: list[str], left: list[Left], keep: bool = False) -> list[str]:
    """Each line of the cues once: rolling captions show a line below, then above, and some of them word by word.

    `keep`: tags stay, since they name the voices.
    """
    plain = [[line for line in _plain(cue).split("\n") if line.strip()] for cue in cues]
    raw = [[line for line in cue.split("\n") if _plain(line).strip()] for cue in cues] if keep else plain
    pairs = [(a, b) for a, b in pairwise(plain) if a and b]
    rolls = sum(1 for a, b in pairs if _shared(a, b)) > 0.25 * max(4, len(pairs))
    grows = sum(1 for a, b in pairs if _grown(a, b)) > 0.25 * max(4, len(pairs))
    kept: list[str] = []
    before: list[str] = []
    for shown, source in zip(plain, raw, strict=True):
        if not shown:
            continue
        again = _shared(before, shown)
        if again == len(shown) and not rolls:
            again = 0
        if again:
            left += [("lines shown again", line.strip()) for line in shown[:again]]
            new = source[again:]
        elif grows and not keep and _grown(before, shown):
            cut = len(" ".join(before).split())
            left.append(("lines shown again", " ".join(" ".join(shown).split()[:cut])))
            new = [" ".join(" ".join(shown).split()[cut:])]
            if kept and not new[0].strip():
                new = []
        else:
            new = source
        before = shown
        if new:
            if grows and not keep and again == 0 and _continues(kept, new, left):
                kept[-1] = f"{kept[-1]} {new[0]}"
            else:
                kept.append("\n".join(new))
    return kept


def _continues(kept: list[str], new: list[str], left: list[Left]) -> bool:
    return bool(kept) and len(new) == 1 and bool(left) and left[-1][0] == "lines shown again" and not look_at(new[0])


def _shared(before: list[str], shown: list[str]) -> int:
    """How many lines at the head of a cue are those that the cue before ended with."""
    first = [line.strip() for line in before]
    second = [line.strip() for line in shown]
    return next((n for n in range(min(len(first), len(second)), 0, -1) if first[-n:] == second[:n]), 0)


def _grown(before: list[str], shown: list[str]) -> bool:
    """Whether a cue is the one before and some words more."""
    first, second = " ".join(before).split(), " ".join(shown).split()
    return len(first) > 0 and len(second) > len(first) and second[: len(first)] == first


def _plain(words: str) -> str:
    return html.unescape(_TAG.sub("", words))
