"""SRT and WebVTT: cues, joined into turns."""

import datetime
import html
import re
from io import StringIO

from raft.errors import DataError
from raft.transcripts.dates import only_date
from raft.transcripts.labels import split
from raft.transcripts.pages import decoded
from raft.transcripts.said import Left, NoSpeakersError, Said, Transcript

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
    """What the cues say, without who says it; `form` is vtt or srt."""
    return "\n".join(_plain(cue) for cue in _without_rolling(_cues(decoded(data, name), form, name), []))


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
    cues = _without_rolling(cues, left)
    said = _voices(cues) if any(_VOICE.search(cue) for cue in cues) else []
    if not said:
        said = split([line for cue in cues for line in (*_plain(cue).split("\n"), "")], cues=True)[1]
    if not said:
        raise NoSpeakersError(name, may_be_writing=False)
    return Transcript(said, left, title, day)


def _voices(cues: list[str]) -> list[Said]:
    """The voices in order. A cue without a voice goes on with the last one."""
    said: list[Said] = []
    for cue in cues:
        first, *rest = _VOICE.split(cue)
        parts = [("", first), *zip(rest[::2], rest[1::2], strict=True)]
        for voice, words in parts:
            text = " ".join(_plain(words).split())
            speaker = " ".join(html.unescape(voice).split())
            if not text:
                continue
            if said and speaker in ("", said[-1].speaker):
                said[-1] = Said(said[-1].speaker, f"{said[-1].text} {text}")
            elif speaker:
                said.append(Said(speaker, text))
    return said


def _without_rolling(cues: list[str], left: list[Left]) -> list[str]:
    """Live captions show each line twice, first below and then above: the second time is left out."""
    kept: list[str] = []
    last = ""
    for cue in cues:
        lines = [line for line in cue.split("\n") if line.strip()]
        if len(lines) > 1 and lines[0].strip() == last:
            left.append(("lines shown again", lines.pop(0)))
        if lines:
            last = lines[-1].strip()
            kept.append("\n".join(lines))
    return kept


def _plain(words: str) -> str:
    return html.unescape(_TAG.sub("", words))
