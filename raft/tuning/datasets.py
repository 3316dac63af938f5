"""The files for tuning and for the benchmark in a person's `work` folder are each made once, with a manifest.

`finetune.jsonl` and `benchmark.jsonl` hold records (raft.tuning.records); the files in OpenAI's format are made from
them.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from raft.errors import DataError, RaftError
from raft.files import set_aside, write_whole
from raft.formats.json_file import read_json
from raft.memory.mind import said_before
from raft.memory.rephrase import VERSION
from raft.people.folders import work_of
from raft.people.person import Person, load_about, load_person
from raft.people.split import split, too_few
from raft.progress import Progress, silent
from raft.text import estimated_tokens
from raft.tuning import records as finetune
from raft.tuning.openai_format import check, openai_jsonl
from raft.tuning.records import LONGEST_ANSWER, Shares, TuningRecord, read_records
from raft.types import Exchange, Memory

RECIPE = 2
"""The version of how the files are made; raise it when the same data and settings come to make other files."""


ANSWER_ROOM = 1024
"""The number of tokens that the benchmark's prompts leave for an answer.

It is fixed, because the length of the real answer must not influence its prompt.
"""


FileKind = Literal["finetune", "benchmark"]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Wanted:
    """The settings by which records are made.

    Where `held_out` is None, it is that of the last file of this kind, else of the other kind, else the default of
    raft.people.split; where `validation` is None, it is that default.
    """

    held_out: int | None = None
    validation: int | None = None
    shares: Shares = field(default_factory=Shares)
    seed: int = 0
    rephraser: str = "extractive"


def make_records(folder: Path, kind: FileKind, wanted: Wanted, say: Say, progress: Progress = silent) -> None:
    """Make `<kind>.jsonl`, unless it is there and nothing that it is made from has changed.

    `say` is called with each line that reports what was done. Raises DataError for what is wrong with the person's
    folder, and RaftError where tuning would learn what the benchmark asks, or where the file was changed by hand.
    """
    path, manifest = work_of(folder) / f"{kind}.jsonl", _read_manifest(folder, kind)
    person = load_person(folder)
    divided = split(person, wanted.held_out or _held_out_before(folder, kind), wanted.validation)
    parts: dict[finetune.RecordPart, Any] = {"training": divided.training, "validation": divided.validation}
    if kind == "benchmark":
        parts = {"held_out": divided.held_out}
    settings = {
        "held_out_interviews": len({e.interview_id for e in divided.held_out}),
        "validation_interviews": len({e.interview_id for e in divided.validation}),
        **({"shares": wanted.shares.model_dump(), "seed": wanted.seed} if kind == "finetune" else {}),
    }
    inputs = _inputs(folder, kind, {**settings, "rephraser": wanted.rephraser})
    there = manifest.get("generic", {})
    if there.get("inputs") == inputs and _sha(path) == there["sha256"]:
        say(f"{path}: nothing to do")
        return
    if kind == "benchmark" and (few := too_few(person, divided)):
        say(few)
    _keep_apart(folder, kind, parts)
    memories = _memories(folder, person, [e for part in parts.values() for e in part], wanted.rephraser, progress)
    made = finetune.records(parts, memories, wanted.shares, wanted.seed)
    text = finetune.to_jsonl(made)
    if there and path.is_file() and _sha(path) not in (there["sha256"], _sha_of(text)):
        raise RaftError(
            f"{path} was changed by hand and would be overwritten. Use --oai to go on from it, or delete it to make it again."
        )
    write_whole(path, text)
    facts = {
        "inputs": inputs,
        "sha256": _sha_of(text),
        "settings": settings,
        **_facts(made),
        "left_out": divided.left_out,
    }
    _write_manifest(folder, kind, {**manifest, "generic": facts})
    say(f"{path}: {len(made)} exchanges of {len({r.interview_id for r in made})} interviews")


def make_openai(folder: Path, kind: FileKind, context: int, say: Say) -> None:
    """Make the files in OpenAI's format from `<kind>.jsonl`, unless they are there and it has not changed.

    `context` is the greatest number of tokens of an example. Raises DataError where `<kind>.jsonl` is missing or
    broken.
    """
    manifest, about = _read_manifest(folder, kind), load_about(folder)
    records = read_records(work_of(folder) / f"{kind}.jsonl")
    made_from = _made_from(folder, kind)
    there = manifest.get("openai", {})
    same = there.get("made_from") == made_from and there.get("context") == context
    if same and all(_sha(work_of(folder) / name) == sha for name, sha in there["files"].items()):
        say(f"{work_of(folder) / f'{kind}.openai.jsonl'}: nothing to do")
        return
    known = {r.exchange_id: r for r in records}
    facts: dict[str, Any] = {"made_from": made_from, "context": context, "files": {}, "too_long": []}
    for name, chosen in _openai_files(kind, records).items():
        if kind == "finetune":
            samples, too_long = finetune.samples(about, chosen, records, context, LONGEST_ANSWER, estimated_tokens)
            text = openai_jsonl(samples)
            facts["too_long"] += too_long
        else:
            room = context - ANSWER_ROOM
            prompts = [finetune.prompt(about, r, known, room, LONGEST_ANSWER, estimated_tokens) for r in chosen]
            text = "".join(_benchmark_line(r, p) for r, p in zip(chosen, prompts, strict=True))
        write_whole(work_of(folder) / name, text)
        facts["files"][name] = _sha_of(text)
        facts |= _told_openai(work_of(folder) / name, text, say) if kind == "finetune" else {}
    _write_manifest(folder, kind, {**manifest, "openai": facts})


def openai_is_current(folder: Path) -> bool:
    """Return whether the files for OpenAI were made from the present records, name and introduction."""
    return bool(_read_manifest(folder, "finetune").get("openai", {}).get("made_from") == _made_from(folder, "finetune"))


def write_suite(folder: Path, say: Say) -> None:
    """Write `suite.yaml`, with which `ratf run` asks the held-out questions, unless it is there.

    The people whose folders lie beside this one are its impostors; where there are none, `say` reports that, and
    nothing is written.
    """
    import yaml

    beside = sorted(p.parent.name for p in folder.resolve().parent.glob("*/interviews.jsonl"))
    impostors = [name for name in beside if name != folder.resolve().name]
    if not impostors:
        say(
            f"no suite for `ratf run`: it compares with somebody else, and {folder.name} is alone in {folder.parent}. Add the "
            "interviews of somebody who is asked alike, raft import FILE… --to NAME --target LABEL, and run this again"
        )
        return
    path = work_of(folder) / "suite.yaml"
    model = "local/smollm2-135m-instruct"
    suite = {
        "name": "".join(c if c.isascii() and c.isalnum() else "-" for c in folder.name.lower()).strip("-") or "person",
        "person": folder.resolve().name,
        "impostors": impostors,
        "split": {
            "held_out_interviews": _read_manifest(folder, "benchmark")["generic"]["settings"]["held_out_interviews"]
        },
        "models": {"base": model, "grader": model},
    }
    if not path.is_file():  # the user may have changed it
        write_whole(path, yaml.safe_dump(suite, sort_keys=False, allow_unicode=True))
    if len(impostors) == 1:
        say(
            f"{impostors[0]} is the only other person here: that an answer sounds more like {folder.name} than like "
            f"{impostors[0]} does not show that it sounds like {folder.name}. Import one or two more people, and put one of "
            "them under `strangers:` in the suite, who is then no impostor"
        )
    say(f"{path}: ratf run {path} --data {folder.parent}")


def _openai_files(kind: FileKind, records: Sequence[TuningRecord]) -> dict[str, list[TuningRecord]]:
    if kind == "benchmark":
        return {"benchmark.openai.jsonl": list(records)}
    return {
        "finetune.openai.jsonl": [r for r in records if r.split == "training"],
        "finetune.openai.validation.jsonl": [r for r in records if r.split == "validation"],
    }


def _benchmark_line(record: TuningRecord, messages: Any) -> str:
    """Return a line of the benchmark: the `messages` to answer, and apart from them the real answer (`reference`)."""
    line = {"exchange_id": record.exchange_id, "messages": list(messages), "reference": record.answer}
    return json.dumps(line, ensure_ascii=False) + "\n"


def _told_openai(path: Path, text: str, say: Say) -> dict[str, Any]:
    validation = "validation" in path.name
    found = check(text.encode(), str(path), minimum=0) if validation else check(text.encode(), str(path))
    say(f"{path}: {found.examples} examples, about {found.tokens} tokens")
    for problem in found.problems:
        say(f"OpenAI would not take it: {problem}")
    name = "validation" if validation else "training"
    return {f"{name}_examples": found.examples, f"{name}_estimated_tokens": found.tokens}


def _facts(made: Sequence[TuningRecord]) -> dict[str, Any]:
    texts = {
        "questions": [r.question for r in made],
        "memories": [m.text for r in made for m in r.memories],
        "answers": [r.answer for r in made],
    }
    of_part = {part: [r for r in made if r.split == part] for part in dict.fromkeys(r.split for r in made)}
    return {
        "exchanges": {part: len(rows) for part, rows in of_part.items()},
        "interviews": {part: list(dict.fromkeys(r.interview_id for r in rows)) for part, rows in of_part.items()},
        "dates": {part: [min(r.date for r in rows), max(r.date for r in rows)] for part, rows in of_part.items()},
        "shown": {kind: sum(r.shown == kind for r in made) for kind in ("own", "none", "other")},
        "without_memories_of_their_own": sum(not r.memories for r in made),
        "estimated_tokens": {what: sum(map(estimated_tokens, rows)) for what, rows in texts.items()},
    }


def _keep_apart(folder: Path, kind: FileKind, parts: Any) -> None:
    """Raise RaftError where an interview for tuning is not older than all interviews of the benchmark."""
    other: FileKind = "benchmark" if kind == "finetune" else "finetune"
    path = work_of(folder) / f"{other}.jsonl"
    if not path.is_file():
        return
    theirs = {r.interview_id: r.date for r in read_records(path)}
    mine = {e.interview_id: str(e.date) for part in parts.values() for e in part}
    learnt, asked = (mine, theirs) if kind == "finetune" else (theirs, mine)
    late = sorted(i for i, day in learnt.items() if asked and day >= min(asked.values()))
    if late:
        command = {"finetune": "ft:gen", "benchmark": "bench:setup"}
        number = len(asked) if kind == "benchmark" else None
        how = f" --held-out {number}" if number else ""
        raise RaftError(
            f"{', '.join(late)} would be both learnt from and, being of {min(asked.values())} or later, in the benchmark's "
            f"time.\n{path} was made with another split: make it again first, with "
            f"`raft {command[other]} {folder}{how}`" + (" and the same --held-out" if not how else "")
        )


def _held_out_before(folder: Path, kind: FileKind) -> int | None:
    """Return how many interviews were held out when this kind of file, else the other, was made; None for neither."""
    order: tuple[FileKind, FileKind] = ("finetune", "benchmark") if kind == "finetune" else ("benchmark", "finetune")
    found = [_read_manifest(folder, k).get("generic", {}).get("settings", {}).get("held_out_interviews") for k in order]
    return next((n for n in found if n), None)


def _memories(
    folder: Path, person: Person, exchanges: list[Exchange], rephraser: str, progress: Progress
) -> dict[str, tuple[Memory, ...]]:
    """Return the memories of each exchange, by its id, from the store that `raft embed` filled.

    Writings that are not embedded yet are embedded for this call alone.
    """
    from raft.memory.recall import memories_of

    before = said_before(person.exchanges)
    return memories_of(folder, exchanges, before, rephraser, temporary=True, progress=progress)


def _inputs(folder: Path, kind: FileKind, settings: dict[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps([RECIPE, kind, settings, VERSION], sort_keys=True).encode())
    for path in (folder / "interviews.jsonl", folder / "writings.jsonl", work_of(folder) / "embedded.json"):
        content = path.read_bytes() if path.is_file() else b""
        digest.update(f"\0{path.name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


def _made_from(folder: Path, kind: FileKind) -> str:
    about = load_about(folder)
    return _sha_of(f"{RECIPE}\0{about.name}\0{about.introduction}\0{_sha(work_of(folder) / f'{kind}.jsonl')}")


def _read_manifest(folder: Path, kind: FileKind) -> dict[str, Any]:
    path = work_of(folder) / f"{kind}.manifest.json"
    if not path.is_file():
        return {}
    try:
        found = read_json(path)
        if isinstance(found, dict):
            return found
        why = "it holds no JSON object"
    except DataError as error:
        why = str(error)
    set_aside(path, why)
    return {}


def _write_manifest(folder: Path, kind: FileKind, facts: dict[str, Any]) -> None:
    path = work_of(folder) / f"{kind}.manifest.json"
    write_whole(path, json.dumps(facts, ensure_ascii=False, indent=1) + "\n")


def _sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _sha_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
