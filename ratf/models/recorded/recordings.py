"""A recording: every reply of a run's models as JSON Lines, one file a model, the same bytes for the same run.

A line is a request (model, settings, the judge's rubric, messages) with who asked it and its replies. The `digest` in it is
that of all the rest, so that a changed reply is noticed as well. A line holds no times and no ids. The lines of a finished
recording are in order of who asked and what, so that a changed prompt changes its own lines. A text's vector stands in the
text's own line, as base64 of 32-bit floats: in a file of numbers beside it, no line would say which text it is of.

While a run is recorded, a line is added for each reply, and a later line of a request stands for an earlier one. Recordings
of before, a JSON file a request in a folder a model, are read as well.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from raft.errors import DataError, RaftError
from raft.files import write_whole
from raft.formats.json_file import MAX_BYTES, parse, read_json
from raft.masking import masked

MANIFEST = "recording.json"
FORMAT, BEFORE = 2, 1
PLACES, AROUND, SHOWN = 3, 4, 14
"""How a difference is shown: the number of places, of words around each, and the greatest number of words a side."""


Request = dict[str, Any]


def key_of(request: Request) -> str:
    """The first 24 hexadecimal digits of a request's SHA-256."""
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()[:24]


@dataclass
class Entry:
    """A recorded request: the name of its file, who asked it, and its replies by number, counted from 0.

    A single reply stands for the same reply every time.
    """

    request: Request
    file: str
    line: int = 0
    """Its line in the file, where it was read from one."""
    asked_for: set[str] = field(default_factory=set)
    replies: dict[int, Any] = field(default_factory=dict)

    def reply(self, number: int) -> Any | None:
        """The reply to the request when it is asked for the time `number`, counted from 0; None where there is none."""
        return self.replies.get(0 if len(self.replies) == 1 else number)

    @property
    def place(self) -> str:
        """The file, with the line if it is known."""
        return f"{self.file}:{self.line}" if self.line else self.file

    def made(self) -> dict[str, Any]:
        """What is recorded of the request."""
        replies = [self.replies[n] for n in sorted(self.replies)]
        alike = all(r == replies[0] for r in replies)
        return {"for": sorted(self.asked_for), "request": self.request, "replies": replies[:1] if alike else replies}

    def text(self) -> str:
        """The entry's line, with its end."""
        made = self.made()
        return _dumps({**made, "digest": digest_of(made)})

    def order(self) -> tuple[str, str, str]:
        """What the lines of a file are sorted by: who asked, what, and the digest of the request."""
        said = self.request.get("messages") or [{"content": []}]
        return min(self.asked_for, default=""), "\n".join(said[-1]["content"]), key_of(self.request)


def digest_of(made: Any) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of a JSON value, as of a file's content without its digest."""
    return hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()[:16]


class Recording:
    """A recording in a folder. It is empty until `load` reads the files, or `keep` adds replies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.entries: dict[str, Entry] = {}
        self._written: dict[str, str] = {}
        self._of_before: list[Path] = []

    def keep(self, request: Request, number: int, reply: Any, asked_for: str) -> Any:
        """Write a reply to its model's file at once, and return it as it was written, without API keys."""
        key = key_of(request)
        entry = self.entries.setdefault(key, Entry(request, f"{_name(str(request['model']))}.jsonl"))
        entry.asked_for.add(asked_for)
        entry.replies[number] = _without_secrets(reply)
        self._add(key)
        return entry.replies[number]

    def also_for(self, request: Request, asked_for: str) -> None:
        """Write down who else has asked the same."""
        key = key_of(request)
        self.entries[key].asked_for.add(asked_for)
        self._add(key)

    def _add(self, key: str) -> None:
        text = self.entries[key].text()
        if self._written.get(key) != text:
            self.folder.mkdir(parents=True, exist_ok=True)
            with (self.folder / self.entries[key].file).open("ab") as file:
                file.write(text.encode())
            self._written[key] = text

    def settle(self) -> None:
        """Write every file anew: each request once, in order. What a kill cut short, and files of before, are then gone."""
        files: dict[str, list[Entry]] = {}
        for entry in self.entries.values():
            files.setdefault(entry.file, []).append(entry)
        for name, entries in files.items():
            write_whole(self.folder / name, "".join(e.text() for e in sorted(entries, key=Entry.order)))
        self._written = {key: e.text() for key, e in self.entries.items()}
        for path in self._of_before:
            path.unlink(missing_ok=True)
            if not any(path.parent.iterdir()):
                path.parent.rmdir()
        self._of_before = []

    def write_manifest(self, about: dict[str, Any], finished: bool) -> None:
        """Write the manifest: which study was recorded, and whether the run came to its end."""
        text = json.dumps({"format": FORMAT, **about, "finished": finished}, ensure_ascii=False, indent=1)
        write_whole(self.folder / MANIFEST, text + "\n")

    def manifest(self) -> dict[str, Any]:
        """The manifest of the recording. Raises RaftError where there is none, or where it is of another format."""
        path = self.folder / MANIFEST
        if not path.is_file():
            raise RaftError(f"{self.folder}: no recording is there; `ratf run SUITE --record {self.folder}` makes one")
        try:
            about = read_json(path)
            if about["format"] not in (FORMAT, BEFORE):
                raise RaftError(f"{path}: the recording has format {about['format']}, this version reads {FORMAT}")
        except (DataError, TypeError, KeyError):
            raise RaftError(f"{path}: not the manifest of a recording") from None
        return dict(about)

    def load(self) -> None:
        """Read and check every line. Raises DataError with every file and line that is not as it was recorded.

        In a recording that was stopped halfway, the last line of a file may be cut short: it is left out.
        """
        there = (self.folder / MANIFEST).is_file()
        finished = there and bool(self.manifest().get("finished"))
        problems = []
        self._of_before = sorted(self.folder.glob("*/*.json"))
        for path in self._of_before:
            try:
                self._keep(read_json(path), path.parent.name, path.stem, 0, again=False)
            except _DAMAGED:
                problems.append(f"{path}: {_DAMAGE}")
        for path in sorted(self.folder.glob("*.jsonl")):
            for number, line in enumerate(_lines(path), 1):
                if not line.endswith(b"\n") and not finished:
                    continue
                try:
                    self._keep(parse(line, str(path), number), path.stem, "", number, again=not finished)
                except _DAMAGED:
                    problems.append(f"{path}:{number}: {_DAMAGE}")
        if problems:
            raise DataError(problems)

    def _keep(self, made: Any, name: str, key: str, line: int, again: bool) -> None:
        """Take in what was recorded of a request. Raises one of _DAMAGED where it is not what was written."""
        written = made.pop("digest")
        found = key_of(made["request"])
        if written != digest_of(made) or key not in ("", found) or not made["replies"]:
            raise ValueError
        if not again and found in self.entries:
            raise ValueError
        if not isinstance(made["replies"], list) or not {"kind", "model"} <= set(dict(made["request"])):
            raise ValueError
        replies = dict(enumerate(made["replies"]))
        self.entries[found] = Entry(made["request"], f"{name.lower()}.jsonl", line, set(made["for"]), replies)

    def digest(self) -> str:
        """The digest of all requests and replies."""
        return digest_of({key: e.made() for key, e in self.entries.items()})

    def nearest(self, request: Request) -> Entry | None:
        """The recorded request of the same kind that has most words in common with this one."""
        words = Counter(words_of(request))

        def alike(entry: Entry) -> float:
            other = Counter(words_of(entry.request))
            return 2 * (words & other).total() / max(1, words.total() + other.total())

        same = [e for _, e in sorted(self.entries.items()) if e.request["kind"] == request["kind"]]
        return max(same, key=alike, default=None)


def words_of(request: Request) -> list[str]:
    """The words of a request, with everything that distinguishes it from others."""
    said = [f"{m['role']}: " + "\n".join(m["content"]) for m in request.get("messages", [])]
    rest = [f"{name} {value if isinstance(value, str) else json.dumps(value)}" for name, value in request.items()]
    return " ".join([*(r for r in rest if not r.startswith("messages ")), *said]).split()


def difference(recorded: Request, asked: Request) -> tuple[float, list[str]]:
    """How alike two requests are, from 0 to 1, and the first places where they differ, as [-recorded-] {+asked+}."""
    old, new = words_of(recorded), words_of(asked)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    places = [codes for codes in matcher.get_opcodes() if codes[0] != "equal"]
    lines = []
    for _, a, b, c, d in places[:PLACES]:
        removed, added = _cut(old[a:b]), _cut(new[c:d])
        parts = [*old[max(0, a - AROUND) : a], f"[-{removed}-]" * bool(removed), f"{{+{added}+}}" * bool(added)]
        lines.append("… " + " ".join(filter(None, [*parts, *old[b : b + AROUND]])) + " …")
    if len(places) > PLACES:
        lines.append(f"and in {len(places) - PLACES} more places")
    return matcher.ratio(), lines


def _cut(words: Sequence[str]) -> str:
    return " ".join(words[:SHOWN]) + (f" … ({len(words) - SHOWN} more words)" if len(words) > SHOWN else "")


_DAMAGED = (DataError, ValueError, TypeError, KeyError, AttributeError)
_DAMAGE = (
    "not as it was recorded, so it was edited or cut short; take it back from version control, or record the run again"
)


def _lines(path: Path) -> Iterator[bytes]:
    """The lines of a file with their ends; of one that is longer than anything that is read, the beginning."""
    with path.open("rb") as file:
        while line := file.readline(MAX_BYTES + 1):
            yield line


def _dumps(value: Any) -> str:
    """A value as a line of JSON with its end; in ASCII where UTF-8 cannot encode it."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        text = json.dumps(value)
    return text + "\n"


def _name(model: str) -> str:
    """A safe name of a file for any name of a model, of at most 80 characters and the same on every file system."""
    return re.sub(r"[^A-Za-z0-9+._-]+|^\.+|^$", "_", model)[:80].lower()


def _without_secrets(reply: Any) -> Any:
    """The reply without the secrets in this environment's variables, because a service may have repeated one."""
    return json.loads(masked(json.dumps(reply)))
