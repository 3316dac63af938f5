"""What programs export: speech recognisers' JSON, chat archives, WhatsApp's text, tables.

Each reader takes what its form has for a speaker and for words. A piece without a speaker goes on with the speaker
before it where the pieces are stretches of speech, and is counted as left out where they are messages.
"""

import csv
import datetime
import html
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

from raft.errors import DataError
from raft.transcripts.dates import date_given
from raft.transcripts.labels import still_marked
from raft.transcripts.pages import decoded
from raft.transcripts.records import values
from raft.transcripts.said import Left, NoSpeakersError, Said, Transcript, words

LOOKED_FOR = (
    "results.utterances, results.channels (Deepgram); results.items, results.audio_segments (AWS); utterances with "
    "speaker and text (AssemblyAI, Gladia); monologues (Rev.ai); segments with speaker and text or body (whisperX, "
    "Podcasting 2.0); messages with author, from, user, speaker or role and content or text (Discord, Telegram, Slack, "
    "chats); chats.list (Telegram's account export); exchanges; turns"
)
"""The keys that make a JSON file a conversation, for whoever has one that is none."""

Piece = tuple[str, str]
"""Who, or empty, and the words."""

_D = r"\d{1,4}[./-]\d{1,2}[./-]\d{2,4}"
_CHAT = re.compile(
    rf"^[\u200e\u200f]?(?:\[(?P<d1>{_D}),?\s+(?P<t1>\d{{1,2}}[:.]\d\d(?:[:.]\d\d)?(?:\s?[APap]\.?\s?[Mm]\.?)?)\]|"
    rf"(?P<d2>{_D}),?\s+(?P<t2>\d{{1,2}}[:.]\d\d(?:[:.]\d\d)?(?:\s?[APap]\.?\s?[Mm]\.?)?)\s+[-–])\s+[\u200e\u200f]?(?P<rest>.*)$"
)
_FROM = re.compile(r"(?P<who>[^:\n]{1,60}?):(?:\s+(?P<text>.*)|\s*)$", re.S)
_EVENT = re.compile(
    r"[^:\n]{1,60}\b(?:changed|created|added|removed|deleted|pinned|renamed|turned (?:on|off)|joined|left)\b[^:\n]{0,60}:?",
    re.I,
)
"""What happened in a group: `Bo changed the subject to: Pots`."""
_NO_MESSAGE = re.compile(
    r"[\u200e\u200f]?(?:<[^<>]{0,40}(?:omitted|attached|ausgeschlossen|weggelassen|omis|omitid[oa]s?|omesso|omessi)[^<>]{0,60}>|"
    r"(?:image|video|audio|sticker|gif|document|contact card|photo|voice message|video note)s? omitted|.{1,80} \((?:file attached|Datei angehängt)\)|"
    r"(?:this message was deleted|you deleted this message|diese nachricht wurde gelöscht|waiting for this message.*|missed (?:voice|video|group).*call.*|null)\.?|"
    r"(?:voice|video) call.{0,40}|POLL:.*)",
    re.I | re.S,
)
_EDITED = re.compile(r"\s*[\u200e\u200f]?<(?:This message was edited|Diese Nachricht wurde bearbeitet)>", re.I)


def read_export(data: bytes, name: str) -> list[Transcript]:
    """JSON of a speech recogniser or a chat. Raises DataError naming the keys looked for when nobody speaks in it."""
    found = [t for record in _roots(values(decoded(data, name), name)) for t in _talks_of(record)]
    kept = [t for t in found if t.said]
    if not kept:
        raise NoSpeakersError(
            name, may_be_writing=False, looked_for=f"nobody speaks in it; looked for were {LOOKED_FOR}"
        )
    return kept


def export_of(found: list[Any]) -> str:
    """The program whose export the JSON values are, or nothing."""
    return next((form for record in _roots(found) if (form := _form(record))), "")


def is_chat(text: str) -> bool:
    """Whether lines begin with a day, a time and somebody's name, as WhatsApp's export has them."""
    lines = [line for line in text.split("\n")[:200] if line.strip()]
    found = [match for line in lines if (match := _CHAT.match(line))]
    return len([m for m in found if _FROM.match(m["rest"])]) > 1 and len(found) > 0.2 * len(lines)


def read_chat(data: bytes, name: str) -> list[Transcript]:
    """WhatsApp's text export, of Android or an iPhone: a line begins with day, time and name, or goes on with the last."""
    text = decoded(data, name)
    messages: list[tuple[str, str]] = []
    left: list[Left] = []
    days: list[str] = []
    marks = 0
    for line in text.split("\n"):
        match = _CHAT.match(line)
        if match:
            days.append(match["d1"] or match["d2"])
            sent = None if _event(match["rest"]) else _FROM.match(match["rest"])
            stamp = words(line[: match.start("rest")])
            marks += stamp + (words(sent["who"]) if sent else 0)
            messages.append(
                (sent["who"].strip("\u200e\u200f ~") if sent else "", (sent["text"] or "") if sent else match["rest"])
            )
        elif messages:
            messages[-1] = (messages[-1][0], f"{messages[-1][1]}\n{line}")
        elif line.strip():
            left.append(("words before the first message", line.strip()))
    said = []
    for who, message in messages:
        for edited in _EDITED.findall(message):
            left.append(("notes of the app", edited.strip()))
        body = _EDITED.sub("", message).strip()
        if not who or (message.startswith("\u200e") and not _NO_MESSAGE.fullmatch(body)):
            left.append(("system messages", body))
        elif _NO_MESSAGE.fullmatch(body):
            left.append(("pictures, calls and deleted messages", body))
        elif body.strip("\u200e\u200f"):
            said.append(Said(who, body.replace("\u200e", "").replace("\u200f", "")))
    if not said:
        raise NoSpeakersError(name, lines=text, looks_like="a chat's day and time begin its lines")
    day, note = _day_of(days)
    return [
        Transcript(
            said,
            left,
            date=day,
            total=words(text),
            marks=marks,
            notes=(note,) if note else (),
            unmarked=still_marked(said),
        )
    ]


def _event(line: str) -> bool:
    """Whether a chat's line tells what happened in the group; a colon then follows the event, or there is none."""
    before, colon, _ = line.partition(":")
    return bool(_EVENT.fullmatch(before)) and (not colon or len(before.split()) > 3)


def is_table(text: str) -> bool:
    """Whether the first line names columns, one of who speaks and one of what is said."""
    return _columns(text) is not None


def read_table(data: bytes, name: str) -> list[Transcript]:
    """CSV, TSV or a Markdown table with a column for the speaker and one for the words."""
    text = decoded(data, name)
    found = _columns(text)
    if found is None:
        raise DataError([f"{name}: no columns for the speaker and the words in its first line"])
    rows, who, what, timed = found
    pieces = [(row[who].strip(" *_"), row[what].strip()) for row in rows if len(row) > max(who, what)]
    odd = [" ".join(row) for row in rows if len(row) <= max(who, what)]
    return [_transcript(pieces, timed, extra=[("rows with too few columns", text) for text in odd if text.strip()])]


def _columns(text: str) -> tuple[list[list[str]], int, int, bool] | None:
    lines = [line for line in text.lstrip("\ufeff").split("\n") if line.strip()]
    first = lines[0] if lines else ""
    mark = next((m for m in ("|", "\t", ",", ";") if first.count(m) >= 1), None)
    if mark is None or len(lines) < 3:
        return None
    if mark == "|":
        table = [
            [cell.strip() for cell in line.strip().strip("|").split("|")]
            for line in lines
            if not re.fullmatch(r"[\s|:-]+", line)
        ]
    else:
        try:
            table = list(csv.reader(io.StringIO(text.lstrip("\ufeff")), delimiter=mark))
        except csv.Error:
            return None
    head = [cell.strip(' *_"').casefold() for cell in table[0]]
    who = next(
        (
            i
            for i, cell in enumerate(head)
            if cell
            in ("speaker", "speaker name", "name", "who", "author", "from", "user", "sender", "participant", "role")
        ),
        None,
    )
    what = next(
        (
            i
            for i, cell in enumerate(head)
            if cell
            in (
                "text",
                "transcript",
                "words",
                "content",
                "message",
                "utterance",
                "said",
                "caption",
                "dialogue",
                "line",
                "body",
            )
        ),
        None,
    )
    if who is None or what is None:
        return None
    timed = any(re.search(r"time|start|end|in|out", cell) for i, cell in enumerate(head) if i not in (who, what))
    return [row for row in table[1:] if any(cell.strip() for cell in row)], who, what, timed


def _transcript(pieces: Iterable[Piece], speech: bool, extra: Iterable[Left] = (), **facts: Any) -> Transcript:
    """The pieces as turns. `speech`: they are stretches of speech, which go on, and no messages of their own.

    Lines that quote, with > before them, are another's words: of a message they are left out.
    """
    said: list[Said] = []
    left = [one for one in extra if one[1].strip()]
    total = sum(words(text) for _, text in left)
    for who, whole in pieces:
        total += words(whole)
        quoted = [] if speech else [line for line in whole.split("\n") if line.startswith(">")]
        left += [("lines quoted from others", line) for line in quoted]
        text = "\n".join(line for line in whole.split("\n") if not line.startswith(">")) if quoted else whole
        if not text.strip():
            continue
        if speech and said and who in ("", said[-1].speaker):
            said[-1] = Said(said[-1].speaker, f"{said[-1].text} {text.strip()}")
        elif who:
            said.append(Said(who, text.strip()))
        else:
            left.append(("segments without a speaker" if speech else "messages without a speaker", text.strip()))
    return Transcript(said, left, total=total, unmarked=still_marked(said), **facts)


def _roots(found: list[Any]) -> list[Any]:
    """The values that may be exports: a list of messages is one, a list of exports is several."""
    roots: list[Any] = []
    for value in found:
        if isinstance(value, list) and not _form(value):
            roots += [one for one in value if isinstance(one, dict)]
        else:
            roots.append(value)
    return roots


def _form(record: Any) -> str:
    if isinstance(record, list):
        some = [m for m in record[:50] if isinstance(m, dict)]
        slack = [m for m in some if m.get("type") == "message" and "ts" in m]
        return "slack" if slack and len(slack) >= 0.5 * len(some) else ""
    if not isinstance(record, dict):
        return ""
    results, segments = record.get("results"), _dicts(record, "segments")
    if isinstance(results, dict):
        if "channels" in results or any("transcript" in u for u in _dicts(results, "utterances")):
            return "deepgram"
        if "items" in results or "audio_segments" in results:
            return "aws"
    if isinstance(results, list) and any("alternatives" in r for r in results if isinstance(r, dict)):
        return (
            "speechmatics"
            if any(r.get("type") in ("word", "punctuation") for r in results if isinstance(r, dict))
            else "google"
        )
    if _dicts(record, "monologues"):
        return "revai"
    if any("body" in s for s in segments):
        return "podcasting"
    if segments and any("text" in s for s in segments):
        return "segments"
    if isinstance(record.get("chats"), dict) and isinstance(record["chats"].get("list"), list):
        return "telegram"
    messages = _dicts(record, "messages")
    if (
        messages
        and any("from_id" in m or m.get("type") == "service" for m in messages)
        and any("text" in m for m in messages)
    ):
        return "telegram"
    if messages and any(isinstance(m.get("author"), dict) for m in messages):
        return "discord"
    if messages and any("ts" in m and m.get("type") == "message" for m in messages):
        return "slack"
    if _dicts(record, "utterances") and any("text" in u for u in _dicts(record, "utterances")):
        return "assemblyai"
    if isinstance(record.get("result"), dict) or isinstance(record.get("transcription"), dict):
        inner = record.get("result") or record.get("transcription")
        return _form(inner) or (_form(inner.get("transcription")) if isinstance(inner, dict) else "")
    return ""


def _talks_of(record: Any) -> list[Transcript]:
    form = _form(record)
    if not form:
        return []
    if isinstance(record, dict) and not any(
        key in record for key in ("results", "segments", "messages", "utterances", "monologues", "chats")
    ):
        inner = record.get("result") or record.get("transcription")
        return _talks_of(
            inner
            if _form(inner) and not (isinstance(inner, dict) and "transcription" in inner)
            else inner["transcription"]
            if isinstance(inner, dict)
            else None
        )
    if form == "telegram":
        chats = record["chats"]["list"] if isinstance(record.get("chats"), dict) else [record]
        return [t for chat in chats if isinstance(chat, dict) and (t := _telegram(chat)).said]
    if form in ("slack", "discord"):
        messages = record if isinstance(record, list) else _dicts(record, "messages")
        return [_slack(messages) if form == "slack" else _discord(record, messages)]
    pieces = list(_SPEECH[form](record))
    title = _str(record.get("title")) if isinstance(record, dict) else ""
    return [
        _transcript(
            pieces, speech=True, title=title, date=date_given(record.get("date")) if record.get("date") else None
        )
    ]


def _deepgram(record: Any) -> Iterator[Piece]:
    results = record["results"]
    if _dicts(results, "utterances"):
        yield from ((_who(u.get("speaker")), _str(u.get("transcript"))) for u in _dicts(results, "utterances"))
        return
    channels = _dicts(results, "channels")
    if len(channels) > 1:
        spoken = sorted(
            (float(w["start"]), n, _str(w.get("punctuated_word") or w.get("word")), w.get("speaker"))
            for n, channel in enumerate(channels)
            for w in _dicts(next(iter(_dicts(channel, "alternatives")), {}), "words")
            if isinstance(w.get("start"), int | float)
        )
        yield from (
            (f"Channel {n}" if who in (None, 0) else f"Channel {n}, speaker {who}", word) for _, n, word, who in spoken
        )
        return
    for channel in channels:
        best = next(iter(_dicts(channel, "alternatives")), {})
        inner = best.get("paragraphs")
        if isinstance(inner, dict) and _dicts(inner, "paragraphs"):
            for p in _dicts(inner, "paragraphs"):
                yield _who(p.get("speaker")), " ".join(_str(s.get("text")) for s in _dicts(p, "sentences"))
        else:
            for w in _dicts(best, "words"):
                yield _who(w.get("speaker")), _str(w.get("punctuated_word") or w.get("word"))


def _aws(record: Any) -> Iterator[Piece]:
    results = record["results"]
    if _dicts(results, "audio_segments"):
        yield from (
            (_who(s.get("speaker_label")), _str(s.get("transcript"))) for s in _dicts(results, "audio_segments")
        )
        return
    labels = results.get("speaker_labels")
    at = {
        item.get("start_time"): item.get("speaker_label") or segment.get("speaker_label")
        for segment in (_dicts(labels, "segments") if isinstance(labels, dict) else [])
        for item in _dicts(segment, "items")
    }
    yield from _glued(
        (
            _who(item.get("speaker_label") or at.get(item.get("start_time"))),
            _str(next(iter(_dicts(item, "alternatives")), {}).get("content")),
            item.get("type") == "punctuation",
        )
        for item in _dicts(results, "items")
    )


def _revai(record: Any) -> Iterator[Piece]:
    for monologue in _dicts(record, "monologues"):
        who = monologue.get("speaker_name") or monologue.get("speaker")
        yield _who(who), "".join(_str(e.get("value"), strip=False) for e in _dicts(monologue, "elements"))


def _google(record: Any) -> Iterator[Piece]:
    found = [next(iter(_dicts(r, "alternatives")), {}) for r in record["results"] if isinstance(r, dict)]
    tagged = [a for a in found if any("speakerTag" in w or "speakerLabel" in w for w in _dicts(a, "words"))]
    # The last result repeats the words of all, each with its speaker.
    for alternative in tagged[-1:]:
        for w in _dicts(alternative, "words"):
            yield _who(w.get("speakerTag") or w.get("speakerLabel")), _str(w.get("word"))


def _speechmatics(record: Any) -> Iterator[Piece]:
    def parts() -> Iterator[tuple[str, str, bool]]:
        for item in record["results"]:
            best = next(iter(_dicts(item, "alternatives")), {}) if isinstance(item, dict) else {}
            if best:
                yield _who(best.get("speaker")), _str(best.get("content")), item.get("type") == "punctuation"

    yield from _glued(parts())


def _glued(parts: Iterable[tuple[str, str, bool]]) -> Iterator[Piece]:
    """Words with the punctuation that follows them, which has no speaker or the same one."""
    who, text = "", ""
    for speaker, part, sign in parts:
        if sign:
            text += part
            continue
        if text:
            yield who, text
        who, text = speaker, part
    if text:
        yield who, text


def _segments(record: Any) -> Iterator[Piece]:
    key = "segments" if _dicts(record, "segments") else "utterances"
    for one in _dicts(record, key):
        who = one.get("speaker", one.get("speaker_label", one.get("speakerName", one.get("speaker_name"))))
        text = _str(one.get("body") if "body" in one else one.get("text", one.get("transcript")))
        spoken = [(_who(w.get("speaker")), _str(w.get("word", w.get("text")))) for w in _dicts(one, "words")]
        if not _who(who) and any(by for by, _ in spoken) and sum(words(w) for _, w in spoken) == words(text):
            yield from spoken
        else:
            yield _who(who), text


_SPEECH = {
    "deepgram": _deepgram,
    "aws": _aws,
    "revai": _revai,
    "google": _google,
    "speechmatics": _speechmatics,
    "podcasting": _segments,
    "segments": _segments,
    "assemblyai": _segments,
}


def _discord(record: Any, messages: list[dict[str, Any]]) -> Transcript:
    pieces: list[Piece] = []
    extra: list[Left] = []
    for m in messages:
        text = _str(m.get("content"))
        if str(m.get("type", "Default")) not in ("Default", "Reply", "0", "19"):
            extra.append(("system messages", text))
        else:
            pieces.append((_who(m.get("author")), text))
    channel = record.get("channel") if isinstance(record, dict) else None
    title = _str(channel.get("name")) if isinstance(channel, dict) else ""
    return _transcript(pieces, False, extra, title=title, date=_first_day(m.get("timestamp") for m in messages))


def _slack(messages: list[dict[str, Any]]) -> Transcript:
    names = {
        m["user"]: _who(m["user_profile"])
        for m in messages
        if isinstance(m.get("user"), str) and isinstance(m.get("user_profile"), dict)
    }
    pieces: list[Piece] = []
    extra: list[Left] = []
    for m in messages:
        text = html.unescape(
            re.sub(r"<@(\w+)(?:\|([^>]+))?>", lambda f: "@" + (f[2] or names.get(f[1], f[1])), _str(m.get("text")))
        )
        text = re.sub(
            r"<(?:(?:https?|mailto):[^|>]+\|([^>]+)|((?:https?|mailto):[^>]+))>", lambda f: f[1] or f[2], text
        )
        if m.get("subtype") not in (None, "thread_broadcast", "me_message", "file_share"):
            extra.append(("system messages", text))
        else:
            user = m.get("user")
            pieces.append(
                (
                    names.get(user, "")
                    if isinstance(user, str) and user in names
                    else _who(m.get("user_profile") or user or m.get("username")),
                    text,
                )
            )
    return _transcript(pieces, False, extra, date=_first_day(m.get("ts") for m in messages))


def _telegram(chat: dict[str, Any]) -> Transcript:
    pieces: list[Piece] = []
    extra: list[Left] = []
    messages = _dicts(chat, "messages")
    for m in messages:
        parts = m.get("text")
        text = (
            "".join(
                p if isinstance(p, str) else _str(p.get("text"), strip=False) if isinstance(p, dict) else ""
                for p in parts
            )
            if isinstance(parts, list)
            else _str(parts)
        )
        if m.get("type", "message") != "message":
            extra.append(("system messages", text))
        elif m.get("forwarded_from") or m.get("saved_from"):
            extra.append(("messages forwarded from others", text))
        else:
            pieces.append((_who(m.get("from")), text))
    return _transcript(
        pieces, False, extra, title=_str(chat.get("name")), date=_first_day(m.get("date") for m in messages)
    )


def _who(value: Any) -> str:
    """A speaker's name: a string, a number, or the best name in a record of a person."""
    if isinstance(value, dict):
        keys = ("nickname", "global_name", "display_name", "displayName", "real_name", "name", "username", "id")
        return next((text for key in keys if (text := _str(value.get(key)))), "")
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, int | float):
        return f"Speaker {int(value)}"
    text = " ".join(_str(value).split())
    return f"Speaker {text}" if text.isdigit() else text


def _dicts(record: Any, key: str) -> list[dict[str, Any]]:
    value = record.get(key) if isinstance(record, dict) else None
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _str(value: Any, strip: bool = True) -> str:
    text = value if isinstance(value, str) else ""
    text = text.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n")
    return text.strip() if strip else text


def _first_day(stamps: Iterable[Any]) -> datetime.date | None:
    for stamp in stamps:
        if isinstance(stamp, str) and re.match(r"\d{4}-\d\d-\d\d", stamp):
            return date_given(stamp[:10])
        if re.fullmatch(r"\d{9,10}(?:\.\d+)?", str(stamp)):
            return datetime.datetime.fromtimestamp(float(stamp), datetime.UTC).date()
    return None


def _day_of(days: list[str]) -> tuple[datetime.date | None, str]:
    """The day of the first message, and what to tell where day and month could stand either way."""
    parts = [[int(n) for n in re.split(r"[./-]", day)] for day in days]
    if not parts:
        return None, ""
    first = parts[0]
    if first[0] > 31:
        return _date(*first), ""
    year = first[2] + 2000 if first[2] < 100 else first[2]
    day_first = any(p[0] > 12 for p in parts)
    month_first = any(p[1] > 12 for p in parts)
    if day_first or "." in days[0]:
        return _date(year, first[1], first[0]), ""
    if month_first or first[0] == first[1]:
        return _date(year, first[0], first[1]), ""
    padded = all(len(n) > 1 for n in re.split(r"[./-]", days[0])[:2])
    day = _date(year, first[1], first[0]) if padded else _date(year, first[0], first[1])
    order = "day first, as numbers with a nought are" if padded else "month first, as numbers without a nought are"
    return day, f"{days[0]} was read as {day}, {order}; if that is wrong, cut the chat or give it with --date"


def _date(year: int, month: int, day: int) -> datetime.date | None:
    try:
        return datetime.date(year, month, day)
    except ValueError:
        return None
