"""A recording: every reply of a run's models as readable JSON, one file a request, the same bytes for the same run.

A file's name is the digest of the request (model, settings, the judge's rubric, messages). The `digest` in it is that
of all its content, so that a changed reply is noticed as well. A file holds no times and no ids.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from raft.errors import DataError, RaftError
from raft.files import write_whole
from raft.formats.json_file import read_json
from raft.masking import masked

MANIFEST = "recording.json"
FORMAT = 1
PLACES, AROUND, SHOWN = 3, 4, 14
"""How a difference is shown: the number of places, of words around each, and the greatest number of words a side."""


Request = dict[str, Any]
_PAIR = re.compile(r'\[\s*("(?:[^"\\\n]|\\.)*"),\s*(-?[\d.eE+-]+)\s*\]')


def key_of(request: Request) -> str:
    """The name of a request's file without `.json`: the first 24 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()[:24]


@dataclass
class Entry:
    """A recorded request: the place of its file, who asked it, and its replies by number, counted from 0.

    A file with a single reply stands for the same reply every time.
    """

    request: Request
    place: str
    asked_for: set[str] = field(default_factory=set)
    replies: dict[int, Any] = field(default_factory=dict)

    def reply(self, number: int) -> Any | None:
        """The reply to the request when it is asked for the time `number`, counted from 0; None where there is none."""
        return self.replies.get(0 if len(self.replies) == 1 else number)

    def text(self) -> str:
        """The text of the entry's file."""
        replies = [self.replies[n] for n in sorted(self.replies)]
        alike = all(r == replies[0] for r in replies)
        made = {"for": sorted(self.asked_for), "request": self.request, "replies": replies[:1] if alike else replies}
        return _dumps({"digest": digest_of(made), **made})


def digest_of(made: Any) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of a JSON value, as of a file's content without its digest."""
    return hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()[:16]


class Recording:
    """A recording in a folder. It is empty until `load` reads the files, or `keep` adds replies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.entries: dict[str, Entry] = {}
        self._written: dict[str, str] = {}

    def keep(self, request: Request, number: int, reply: Any, asked_for: str) -> Any:
        """Write a reply to its file at once, and return it as it was written, without API keys."""
        key = key_of(request)
        entry = self.entries.setdefault(key, Entry(request, f"{_folder(str(request['model']))}/{key}.json"))
        entry.asked_for.add(asked_for)
        entry.replies[number] = _without_secrets(reply)
        self._write(key)
        return entry.replies[number]

    def also_for(self, request: Request, asked_for: str) -> None:
        """Write to a request's file who else has asked the same."""
        key = key_of(request)
        self.entries[key].asked_for.add(asked_for)
        self._write(key)

    def _write(self, key: str) -> None:
        text = self.entries[key].text()
        if self._written.get(key) != text:
            write_whole(self.folder / self.entries[key].place, text)
            self._written[key] = text

    def write_manifest(self, about: dict[str, Any], finished: bool) -> None:
        """Write the manifest: which study was recorded, and whether the run came to its end."""
        write_whole(self.folder / MANIFEST, _dumps({"format": FORMAT, **about, "finished": finished}))

    def manifest(self) -> dict[str, Any]:
        """The manifest of the recording. Raises RaftError where there is none, or where it is of another format."""
        path = self.folder / MANIFEST
        if not path.is_file():
            raise RaftError(f"{self.folder}: no recording is there; `ratf run SUITE --record {self.folder}` makes one")
        try:
            about = read_json(path)
            if about["format"] != FORMAT:
                raise RaftError(f"{path}: the recording has format {about['format']}, this version reads {FORMAT}")
        except (DataError, TypeError, KeyError):
            raise RaftError(f"{path}: not the manifest of a recording") from None
        return dict(about)

    def load(self) -> None:
        """Read and check every file. Raises DataError with every file that is not as it was recorded."""
        problems = []
        for path in sorted(self.folder.glob("*/*.json")):
            try:
                self._load(path)
            except (DataError, ValueError, TypeError, KeyError, AttributeError):
                problems.append(
                    f"{path}: not as it was recorded, so it was edited or cut short; take it back from version control, "
                    "or record the run again"
                )
        if problems:
            raise DataError(problems)

    def _load(self, path: Path) -> None:
        made = read_json(path)
        written = made.pop("digest")
        if written != digest_of(made) or path.stem != key_of(made["request"]) or not made["replies"]:
            raise ValueError
        replies = dict(enumerate(made["replies"]))
        place = path.relative_to(self.folder).as_posix()
        self.entries[path.stem] = Entry(made["request"], place, set(made["for"]), replies)

    def digest(self) -> str:
        """The digest of all requests and replies."""
        return digest_of({key: e.text() for key, e in self.entries.items()})

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


def _dumps(value: Any) -> str:
    """A value as indented JSON, a token and its log probability on one line; in ASCII where UTF-8 cannot encode it."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    try:
        text.encode()
    except UnicodeEncodeError:
        text = json.dumps(value, indent=1)
    return _PAIR.sub(r"[\1, \2]", text) + "\n"


def _folder(model: str) -> str:
    """A safe folder name for any name of a model, of at most 80 characters."""
    return re.sub(r"[^A-Za-z0-9+._-]+|^\.+|^$", "_", model)[:80]


def _without_secrets(reply: Any) -> Any:
    """The reply without the secrets in this environment's variables, because a service may have repeated one."""
    return json.loads(masked(json.dumps(reply)))
