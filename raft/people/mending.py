"""What leaks is moved out of a person's folder, into its folder `leaks`, from where it can be put back."""

import codecs
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from raft.files import write_whole

LEAKS = "leaks"
"""The name of the folder, inside a person's folder, of the records that were moved out because they leak."""


WRITINGS, INTERVIEWS, EXCHANGES = "writings.jsonl", "interviews.jsonl", "exchanges.jsonl"
IDS = {WRITINGS: "doc_id", INTERVIEWS: "interview_id"}
"""The key by which the records of a file are told apart."""


Record = dict[str, Any]


def moved(folder: Path, file: str) -> set[str]:
    """Return the ids of the records of a file that were moved out, so that they are not added again."""
    return {str(record[IDS[file]]) for _, record in _lines(folder / LEAKS / file)}


def move_out(folder: Path, found: Mapping[str, Any]) -> list[str]:
    """Move out what one kind of leak in `found` is about, and return a line for each record that was moved.

    `found` is what `raft.commands.leaks.look` returns. Of two interviews that are one, the later is moved; a writing in
    which an answer stands is moved whole; an answer that was given in another interview is moved, with its question, out
    of the interview that was looked at. A call deals with the first of these kinds that there is, because that may mend
    the next.
    """
    rows = [*found["answers"], *(found["alike"] or [])]
    in_writings = [row for row in rows if row["kind"] == "writing"]
    if found["twins"]:
        return _twins(folder, found["twins"])
    if in_writings:
        return _writings(folder, in_writings)
    return _exchanges(folder, [*rows, *found["repeated"]])


def _twins(folder: Path, pairs: Sequence[Mapping[str, Any]]) -> list[str]:
    days = {record["interview_id"]: record.get("date") or "" for _, record in _lines(folder / INTERVIEWS)}
    told: dict[str, str] = {}
    for pair in pairs:
        early, late = sorted((pair["one"], pair["other"]), key=lambda name: (days[name], name))
        if not {early, late} & told.keys():
            told[late] = f"interview {late}: the same as {early}, by {pair['coverage']:.0%}"
    _move(folder, INTERVIEWS, told)
    return list(told.values())


def _writings(folder: Path, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    holds: dict[str, list[str]] = {}
    for row in rows:
        holds.setdefault(row["document"], []).append(f"{row['interview']} question {row['question']}")
    _move(folder, WRITINGS, holds)
    return [f"writing {name}: the answer to {', '.join(asked)} stands in it" for name, asked in holds.items()]


def _exchanges(folder: Path, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    where: dict[str, dict[int, str]] = {}
    for row in rows:
        where.setdefault(row["interview"], {}).setdefault(row["question"], row["document"])
    told: list[str] = []
    whole: list[str] = []
    taken: list[Record] = []
    kept: list[bytes] = []
    for line, record in _lines(folder / INTERVIEWS):
        gone = where.get(record["interview_id"], {})
        spans = [_span(record["turns"], number) for number in gone]
        left = {n for span in spans for n in span}
        told += [
            f"{record['interview_id']} question {number}: its answer also stands in {there}"
            for number, there in gone.items()
        ]
        if len(left) == len(record["turns"]):
            whole.append(record["interview_id"])
        taken += [{**record, "turns": [record["turns"][n] for n in span]} for span in spans]
        turns = [turn for n, turn in enumerate(record["turns"]) if n not in left]
        kept.append(_line({**record, "turns": turns}) if gone and turns else line)
    _add(folder / LEAKS / EXCHANGES, map(_line, taken))
    write_whole(folder / INTERVIEWS, b"".join(kept))
    _move(folder, INTERVIEWS, whole)
    return told


def _span(turns: Sequence[Mapping[str, Any]], number: int) -> range:
    """The turns of an interview's exchange of that number, from 1, with all that is asked and said at one stretch.

    Without the rest of the stretch, an earlier question would seem to be answered by what was said to this one.
    """
    roles = [turn["role"] for turn in turns]
    asked = [n for n in range(len(roles) - 1) if (roles[n], roles[n + 1]) == ("interviewer", "target")]
    first, last = asked[number - 1], asked[number - 1] + 1
    while first > 0 and roles[first - 1] == "interviewer":
        first -= 1
    while last + 1 < len(roles) and roles[last + 1] == "target":
        last += 1
    return range(first, last + 1)


def _move(folder: Path, file: str, names: Iterable[str]) -> None:
    """Move whole records. They are kept in the other place before they are taken out here, so that a kill loses none."""
    gone, lines = set(names), _lines(folder / file)
    _add(folder / LEAKS / file, [line for line, record in lines if record[IDS[file]] in gone])
    if gone:
        write_whole(folder / file, b"".join(line for line, record in lines if record[IDS[file]] not in gone))


def _add(path: Path, lines: Iterable[bytes]) -> None:
    there = [line for line, _ in _lines(path)]
    new = [line for line in dict.fromkeys(lines) if line not in there]
    if new:
        write_whole(path, b"".join([*there, *new]))


def _line(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False).encode() + b"\n"


def _lines(path: Path) -> list[tuple[bytes, Record]]:
    """Each line of a file that was read before without a problem, as it is and as a record; none where there is no file."""
    if not path.is_file():
        return []
    lines = path.read_bytes().removeprefix(codecs.BOM_UTF8).split(b"\n")  # a text may hold other line ends
    return [(line + b"\n", json.loads(line)) for line in lines if line.strip()]
