"""Records are fine-tuning data in a general form: all that is known of each exchange, as one JSON object a line.

Each tuner's samples are made from these records, with prompts that fit its own context by its own count of tokens.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from raft.errors import DataError, describe
from raft.memory.mind import said_before
from raft.people.person import About, Text
from raft.prompts import MESSAGE_OVERHEAD, EarlierExchange, conversation
from raft.text import shorten
from raft.types import Exchange, Memory, Message, TrainingSample

LONGEST_ANSWER = 10_000
"""A limit, in words, that no answer reaches: with it, answers are not cut."""


MemoriesByExchange = Mapping[str, Sequence[Memory]]
RecordPart = Literal["training", "validation", "held_out"]
MemoriesShown = Literal["own", "none", "other"]


class TuningRecord(BaseModel):
    """The record of one exchange. `history` has the ids of the earlier exchanges of its interview, oldest first.

    Each exchange of the history has a record in an earlier line of the file. `date` is YYYY-MM-DD.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    exchange_id: Text
    interview_id: Text
    date: str
    split: RecordPart
    question: Text
    memories: list[Memory]
    """The memories that the question brings up."""
    shown: MemoriesShown = "own"
    """Which memories the sample shows: `own`, `none`, or, as a distraction, those of another question (`other`)."""
    other_memories: list[Memory] = []
    answer: Text
    history: list[str] = []


class Shares(BaseModel):
    """The shares, from 0 to 1, of training samples that show no memories (`none`) or another question's (`other`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    none: float = Field(0.0, ge=0, le=1)
    other: float = Field(0.0, ge=0, le=1)


def records(
    parts: Mapping[RecordPart, Sequence[Exchange]], memories: MemoriesByExchange, shares: Shares, seed: int
) -> list[TuningRecord]:
    """Return a record for each exchange of the parts. Only training samples show anything but their own memories.

    `memories` are those of each exchange, by its id; `seed` decides which samples show what.
    """
    everything = [e for exchanges in parts.values() for e in exchanges]
    before = said_before(everything)
    shown = _shown(parts.get("training", ()), shares, seed)
    made = []
    for part, exchanges in parts.items():
        for e in exchanges:
            others = _other(e, everything, memories, seed) if shown.get(e.exchange_id) == "other" else []
            kind = shown.get(e.exchange_id, "own")
            made.append(
                TuningRecord(
                    exchange_id=e.exchange_id,
                    interview_id=e.interview_id,
                    date=str(e.date),
                    split=part,
                    question=e.question,
                    memories=list(memories.get(e.exchange_id, ())),
                    shown="own" if kind == "other" and not others else kind,
                    other_memories=others,
                    answer=e.answer,
                    history=[b.exchange_id for b in before[e.exchange_id]],
                )
            )
    return made


def _shown(exchanges: Sequence[Exchange], shares: Shares, seed: int) -> dict[str, MemoriesShown]:
    """Return `none` or `other` for each exchange that does not show its own memories, by its id.

    The shares are exact up to rounding, and the choice does not depend on the order of the exchanges.
    """
    ids = sorted((e.exchange_id for e in exchanges), key=lambda i: _draw(seed, i))
    none, other = round(shares.none * len(ids)), round(shares.other * len(ids))
    return {i: "none" if n < none else "other" for n, i in enumerate(ids[: none + other])}


def _other(exchange: Exchange, exchanges: Sequence[Exchange], memories: MemoriesByExchange, seed: int) -> list[Memory]:
    """Return the memories of a question of another interview, drawn by `seed`; none where no question has any.

    Only memories that are older than this interview and are not of a passage that the exchange recalled count.
    """
    mine = {m.chunk_id for m in memories.get(exchange.exchange_id, ())}
    for e in sorted(exchanges, key=lambda e: _draw(seed, f"{exchange.exchange_id} {e.exchange_id}")):
        if e.interview_id == exchange.interview_id:
            continue
        found = [m for m in memories.get(e.exchange_id, ()) if m.date < str(exchange.date) and m.chunk_id not in mine]
        if found:
            return found
    return []


def _draw(seed: int, text: str) -> str:
    return hashlib.sha256(f"{seed} {text}".encode()).hexdigest()


def samples(
    about: About,
    chosen: Sequence[TuningRecord],
    known: Sequence[TuningRecord],
    context: int,
    answer_words: int,
    count: Callable[[str], int],
) -> tuple[list[TrainingSample], list[str]]:
    """Return the samples of the `chosen` records, and the ids of exchanges that do not fit into `context` tokens.

    A sample is a prompt and an answer, which is cut to `answer_words` words. The tokens that question, memories and
    answer leave are filled with earlier exchanges, the latest first and each whole; `known` has their records.
    """
    made, too_long = [], []
    by_id = {r.exchange_id: r for r in known}
    for record in chosen:
        answer = shorten(record.answer, answer_words)
        budget = context - count(answer) - MESSAGE_OVERHEAD
        messages = prompt(about, record, by_id, budget, answer_words, count)
        if size(messages, count) > budget:
            too_long.append(record.exchange_id)
        else:
            made.append(TrainingSample(record.exchange_id, messages, answer))
    return made, too_long


def prompt(
    about: About,
    record: TuningRecord,
    known: Mapping[str, TuningRecord],
    budget: int,
    answer_words: int,
    count: Callable[[str], int],
) -> tuple[Message, ...]:
    """Return the messages that the model reads before it answers the record's question, within `budget` tokens.

    `known` are the records of its history, by id; their answers are cut to `answer_words` words.
    """
    before = [known[i] for i in record.history]
    told = [EarlierExchange(b.question, tuple(b.memories), shorten(b.answer, answer_words)) for b in before]
    shown = {"own": record.memories, "none": [], "other": record.other_memories}[record.shown]
    return conversation(about, record.question, shown, told, budget, count)


def size(messages: Sequence[Message], count: Callable[[str], int]) -> int:
    """Return the number of tokens of the messages, with those that a chat template adds to each."""
    return sum(count(m["content"]) + MESSAGE_OVERHEAD for m in messages)


def to_jsonl(made: Sequence[TuningRecord]) -> str:
    """Return the records as JSON, one a line."""
    return "".join(json.dumps(r.model_dump(), ensure_ascii=False) + "\n" for r in made)


def read_records(path: Path) -> list[TuningRecord]:
    """Return the records of a file. Raises DataError with every problem, each as `file:line: what`."""
    if not path.is_file():
        raise DataError([f"{path}: missing; `raft ft:gen` makes it"])
    problems: list[str] = []
    found: dict[str, TuningRecord] = {}
    for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            record = TuningRecord.model_validate_json(line)
        except ValidationError as error:
            problems += [f"{path}:{number}: {text}" for text in describe(error)]
            continue
        if record.exchange_id in found:
            problems.append(f"{path}:{number}: exchange_id {record.exchange_id!r} is there twice")
        found[record.exchange_id] = record
        unknown = [i for i in record.history if i not in found]
        if unknown and not problems:
            problems.append(f"{path}:{number}: history names {', '.join(unknown)}, which no earlier line has")
    if problems:
        raise DataError(problems)
    return list(found.values())
