"""The human packet: a blind forced choice for readers, and what their choices say.

Readers see two answers to each question and say which is really the person's. Some pairs set the real answer beside
another person's: who cannot tell those apart cannot testify about the agent.
"""

import csv
import hashlib
import io
import random
import re
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from raft.errors import RaftError
from raft.files import write_whole
from raft.formats.json_file import parse_model, read_bytes
from raft.text import count_words, shorten
from ratf.pages.templates import environment
from ratf.results.results import Question, Results
from ratf.results.table import cell
from ratf.suite.arms import FLOOR

MIN_WORDS = 12
"""The fewest words on each side of a pair; pairs with fewer are left out, for there is nothing to tell by."""


_TYPOGRAPHY = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "\u00a0": " "})
_INVISIBLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
COLUMNS = ("packet", "item", "question", "A", "B", "choice", "reader")


class PacketItem(BaseModel):
    """One forced choice. `real` is the side of the person's own answer; it stays in the key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    item: str
    question_id: str
    interview_id: str
    question: str
    a: str
    b: str
    real: Literal["A", "B"]
    against: str
    """The arm, or the control, that gave the other answer."""


class Key(BaseModel):
    """The key that readers must not see. Its sha256, the seal, is in the packet, so that no change goes unnoticed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    suite: str
    digest: str
    person: str
    arm: str
    seed: int
    items: list[PacketItem]

    def text(self) -> str:
        """The key as it is written and sealed."""
        return self.model_dump_json(indent=1) + "\n"

    @property
    def seal(self) -> str:
        """sha256 of the key's file."""
        return hashlib.sha256(self.text().encode()).hexdigest()


def make_key(results: Results, arm: str, seed: int = 0, controls: float = 0.5) -> Key:
    """The pairs of a run: for every question the real answer beside the arm's, for a share also beside another person's.

    Both sides are cut at a sentence's end to about the same length, and share one typography. Raises RaftError when
    the run has no such arm, or no control to try the readers on.
    """
    if results.redacted:
        raise RaftError("the real answers are left out of this run; a packet needs the whole one")
    for name in (arm, FLOOR):
        if name not in results.arms:
            raise RaftError(f"the run has no answers of {name!r}; there are: {', '.join(results.arms)}")
    draw = random.Random(f"{results.digest} {seed}")
    tried = set(draw.sample(range(len(results.questions)), round(controls * len(results.questions))))
    pairs = [(q, arm) for q in results.questions] + [(q, FLOOR) for i, q in enumerate(results.questions) if i in tried]
    draw.shuffle(pairs)
    items = [item for q, against in pairs if (item := _item(q, against, draw)) is not None]
    if not items:
        raise RaftError(f"no pair of answers of the person and {arm} has {MIN_WORDS} words or more on both sides")
    numbered = [item.model_copy(update={"item": f"{i:03d}"}) for i, item in enumerate(items, start=1)]
    person = str(results.person["name"])
    return Key(suite=results.suite["name"], digest=results.digest, person=person, arm=arm, seed=seed, items=numbered)


def _item(question: Question, against: str, draw: random.Random) -> PacketItem | None:
    answer = question.answers.get(against)
    if answer is None:
        return None
    real, other = matched(question.real, answer.text)
    if min(count_words(real), count_words(other)) < MIN_WORDS or real.casefold() == other.casefold():
        return None
    side: Literal["A", "B"] = draw.choice(("A", "B"))
    a, b = (real, other) if side == "A" else (other, real)
    return PacketItem(
        item="",
        question_id=question.id,
        interview_id=question.interview_id,
        question=plain(question.question),
        a=a,
        b=b,
        real=side,
        against=against,
    )


def plain(text: str) -> str:
    """One paragraph in one typography: quotes, dashes and spacing are the transcriber's, not the speaker's."""
    return " ".join(_INVISIBLE.sub("", text.translate(_TYPOGRAPHY)).split())


def matched(one: str, other: str) -> tuple[str, str]:
    """Both texts, plain, cut at a sentence's end to about the length of the shorter one."""
    texts = (plain(one), plain(other))
    words = min(count_words(t) for t in texts)
    first = [shorten(t, words) for t in texts]
    words = min(count_words(t) for t in first)
    return shorten(first[0], max(words, MIN_WORDS)), shorten(first[1], max(words, MIN_WORDS))


def write_packet(key: Key, folder: Path, keys: Path) -> tuple[Path, Path]:
    """Write `packet.html` and `packet.csv` into `folder`, and the key into `keys`, which readers never get.

    The paths of the page and of the key are returned.
    """
    from ratf.review.packet import render

    kept = keys / f"{key.seal[:12]}.json"
    write_whole(kept, key.text())
    write_whole(folder / "packet.csv", as_csv(key))
    write_whole(folder / "packet.html", render(key))
    return folder / "packet.html", kept


def as_csv(key: Key) -> str:
    """The packet as a table with an empty `choice`; no cell begins like a formula."""
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    table.writerow(COLUMNS)
    for i in key.items:
        table.writerow([key.seal[:12], i.item, *map(cell, (i.question, i.a, i.b)), "", ""])
    return file.getvalue()


def load_key(keys: Path, packet: str) -> Key:
    """The key of a packet. Raises RaftError when it is not there, or is not the one that was sealed."""
    path = keys / f"{packet}.json"
    if not path.is_file():
        there = ", ".join(sorted(p.stem for p in keys.glob("*.json"))) or "none"
        raise RaftError(f"no key of packet {packet!r} in {keys}; there are: {there}. --keys names another folder.")
    text = read_bytes(path)
    if hashlib.sha256(text).hexdigest()[:12] != packet:
        raise RaftError(f"{path} is not the key that packet {packet} was sealed with: somebody changed it")
    return parse_model(text, Key, str(path))


def read_choices(path: Path) -> tuple[str, str, dict[str, str]]:
    """The packet, the reader, and the choice A or B by item, of a file sent back; items without a choice are left out.

    The reader is the file's `reader` column, or the file's name. Raises DataError with every problem of the file.
    """
    from raft.errors import DataError

    problems: list[str] = []
    choices: dict[str, str] = {}
    packets: set[str] = set()
    readers: set[str] = set()
    text = path.read_bytes().decode("utf-8-sig", errors="replace")
    lines = csv.reader(io.StringIO(text))
    try:
        deque(lines, maxlen=0)
    except csv.Error as error:
        raise DataError([f"{path}:{lines.line_num}: no table: {error}; send back the packet's own table"]) from None
    rows = csv.DictReader(io.StringIO(text))
    missing = {"packet", "item", "choice"} - set(rows.fieldnames or [])
    if missing:
        raise DataError([f"{path}:1: no column {', '.join(sorted(missing))}; send back the packet's own table"])
    for row in rows:
        where, choice = f"{path}:{rows.line_num}", (row["choice"] or "").strip().upper()
        item = (row["item"] or "").strip().zfill(3)
        packets.add((row["packet"] or "").strip())
        readers.add((row.get("reader") or "").strip())
        if choice not in ("", "A", "B"):
            problems.append(f"{where}: choice is {row['choice']!r}; write A, B, or nothing")
        elif item in choices:
            problems.append(f"{where}: item {item} is there twice; keep one line of it")
        elif choice:
            choices[item] = choice
    readers.discard("")
    if len(packets) != 1:
        problems.append(f"{path}: lines of {len(packets)} packets; a file holds one packet's")
    if len(readers) > 1:
        problems.append(
            f"{path}: lines of {len(readers)} readers ({', '.join(sorted(readers))}); a file is one reader's"
        )
    if problems:
        raise DataError(problems)
    return packets.pop(), readers.pop() if readers else path.stem, choices


def known_items(key: Key, choices: Sequence[tuple[Path, dict[str, str]]]) -> None:
    """Check that the packet has every item of each file. Raises DataError that names those it has not."""
    from raft.errors import DataError

    items = {i.item for i in key.items}
    problems = [f"{path}: the packet has no item {i}" for path, c in choices for i in sorted(c.keys() - items)]
    if problems:
        raise DataError(problems)


def render(key: Key) -> str:
    """The packet's page, one file that asks nothing of the network; the key's seal is in it, the key is not.

    The same key gives the same bytes.
    """
    return (
        environment()
        .get_template("review/packet.html.j2")
        .render(
            person=key.person,
            seal=key.seal,
            packet=key.seal[:12],
            columns=COLUMNS,
            table=as_csv(key),
            items=[{"item": i.item, "question": i.question, "sides": {"A": i.a, "B": i.b}} for i in key.items],
        )
    )
