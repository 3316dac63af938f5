"""The forms of files that are read, a line each: what gives it away, who reads it, how it looks, and what is cleaned off.

A new form is one reader, `(data, file name) -> transcripts`, and its line in `FORMS`. The first form whose sign is there
reads the file.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from raft.errors import DataError
from raft.transcripts.documents import read_html, read_pdf, read_text
from raft.transcripts.exports import export_of, is_chat, is_table, read_chat, read_export, read_table
from raft.transcripts.pages import decoded
from raft.transcripts.records import kind_of_values, read_exchanges, read_interviews, read_messages, values
from raft.transcripts.said import Transcript
from raft.transcripts.subtitles import read_srt, read_vtt

Reader = Callable[[bytes, str], list[Transcript]]


class Source:
    """A file as the signs look at it: decoded and parsed once, when first asked for."""

    def __init__(self, data: bytes, name: str) -> None:
        self.data, self.name = data, name

    @cached_property
    def text(self) -> str:
        """The file's text. Raises DataError when it has none."""
        return decoded(self.data, self.name).lstrip()

    @cached_property
    def values(self) -> list[Any]:
        """The JSON values in it; none where it is no JSON. Raises DataError for JSON that is broken."""
        if not re.match(r"[{[]", self.text):
            return []
        try:
            return values(self.text, self.name)
        except DataError:
            if re.match(r"\{|\[\s*[{[](?!\[)", self.text) and not re.match(r"\[\[?\s*\w", self.text):
                raise  # data that is broken; [Music] begins a text
            return []


@dataclass(frozen=True)
class Form:
    """One form of files."""

    name: str
    sign: Callable[[Source], bool]
    reader: Reader
    looks: str
    """What gives it away, and an example, for people."""
    cleaned: str = ""
    """What is left out of it beside stage directions, time stamps and advertising, which always are."""


_CUE = re.compile(r"\s*(?:\d+\s*\n)?\s*\d{1,2}:\d\d:\d\d[,.]\d{1,3}\s*-->")


def _export(*programs: str) -> Callable[[Source], bool]:
    return lambda source: export_of(source.values) in programs


def _records(kind: str) -> Callable[[Source], bool]:
    return lambda source: kind_of_values(source.values) == kind


FORMS: list[Form] = [
    Form("pdf", lambda s: s.data.lstrip()[:5] == b"%PDF-", read_pdf, "%PDF-; then as text", "running heads, page and line numbers, footnotes"),
    Form("vtt", lambda s: s.text.startswith("WEBVTT"), read_vtt, "WEBVTT; <v Name> or Name: in the cues", "tags, lines shown again"),
    Form("srt", lambda s: bool(_CUE.match(s.text)), read_srt, "00:00:01,000 --> 00:00:02,000; Name: or [SPEAKER_00]: in the cues", "tags, lines shown again"),
    Form("html", lambda s: bool(re.match(r"<(?:!doctype|html|\?xml|!--|body|article|div|p)\b", s.text, re.I)), read_html, "<html>; paragraphs that begin with Name:", "menus, scripts, sharing links"),
    Form("speech", _export("deepgram", "aws", "assemblyai", "revai", "google", "speechmatics", "podcasting", "segments"), read_export,
         "JSON of Deepgram, AWS Transcribe, AssemblyAI, Rev.ai, Google, Speechmatics, whisperX, Podcasting 2.0", "segments before the first speaker"),
    Form("archive", _export("discord", "slack", "telegram"), read_export, "JSON of Discord, Slack, Telegram (a chat or an account)", "joins and calls, messages forwarded from others"),
    Form("exchanges", _records("exchanges"), read_exchanges, '{"participants": {"q", "a"}, "exchanges": [[question, answer], …]}', "exchanges with one side only"),
    Form("interviews", _records("interviews"), read_interviews, '{"interview_id", "turns": [{"speaker", "role", "text"}, …]}: our own interviews.jsonl'),
    Form("messages", _records("messages"), read_messages, '{"role": "user", "content": "…"} or {"speaker", "text"}, a list or one a line', "system messages"),
    Form("chat", lambda s: is_chat(s.text), read_chat, "WhatsApp's text: 5/4/21, 09:12 - Name: … or [04.05.21, 09:12:33] Name: …", "system lines, pictures, calls, edit marks"),
    Form("table", lambda s: is_table(s.text), read_table, "CSV, TSV or a Markdown table whose first line names columns: speaker, text", "other columns"),
    Form("text", lambda s: not s.values, read_text, "text or Markdown with labels before the words", "heads, page and line numbers, footnotes, Break and Jingle"),
]  # fmt: skip
"""The forms, in the order in which they are tried."""


def form_of(source: Source) -> Form | None:
    """The first form whose sign the file has. Raises DataError for what is no text, or broken JSON."""
    return next((form for form in FORMS if form.sign(source)), None)


def listed() -> str:
    """The forms and the looks of labels, a line each, for messages."""
    from raft.transcripts.looks import LOOKS

    lines = [f"    {form.name}: {form.looks}" for form in FORMS]
    return "\n".join([*lines, *(f"      {what}: {example}" for what, example in LOOKS.values())])
