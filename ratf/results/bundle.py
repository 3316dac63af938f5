"""A bundle: a run as one ZIP archive, with all that somebody else needs to check its results.

The same run always gives the same bytes. A bundle is read as untrusted input.
"""

import hashlib
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from raft.errors import RaftError
from raft.files import write_whole
from raft.formats.json_file import MAX_BYTES, parse, parse_model, within_limits
from raft.release import release
from raft.text import MOST_CHARACTERS
from ratf.results.folder import newest_logs
from ratf.results.record import Record
from ratf.results.results import Results, dumped
from ratf.results.shapes import AboutDict, GivenDict

FORMAT = "ratf bundle 1"
MANIFEST = "manifest.json"
FILES = ("results.json", "samples.jsonl", "memories.json")
"""The files that a bundle may hold beside its manifest; the first must be there.

A bundle with any other name in it is refused, so no name can lead outside of it.
"""


MOST_BYTES = 96 * 2**20
"""The greatest size in bytes of all unpacked files; each has at most `MAX_BYTES`. A larger bundle is refused."""


LONGEST_TEXT = 200_000
"""The greatest size in bytes of one text in a bundle. Longer ones would be copied whole into several places of a page."""


MOST_BESIDE = 4_000_000
"""The greatest size in bytes of results without their questions: a page has them whole, so memory for copies must be at hand."""


_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""The ways in which a file may be packed; others may ask for gigabytes of memory before the first byte is unpacked."""


_DAY = (1980, 1, 1, 0, 0, 0)


class LoggedScore(Record):
    """A score as the Inspect log has it, with the judge's explanation where a judge gave it."""

    value: Any
    explanation: str | None
    reason: str | None
    about: AboutDict


class Sample(Record):
    """An answer as the Inspect log has it, with its scores. `given` says where a control's answer is from."""

    arm: str
    question: str
    epoch: int
    answer: str
    given: GivenDict | None
    error: str | None
    scores: dict[str, LoggedScore]


@dataclass(frozen=True)
class Bundle:
    """The content of a bundle. `changed` names the files whose SHA-256 is not the one in the manifest."""

    results: Results
    samples: list[Sample] | None
    """Every answer with every score and the judges' words, as the logs have them; None where the bundle has no logs."""
    memories: bytes | None
    changed: list[str]


def write_bundle(folder: Path, results: Results, samples: list[Sample] | None, out: Path) -> None:
    """Pack a finished run into the file `out`; the same run gives the same bytes.

    Raises RaftError for a redacted run.
    """
    if results.redacted:
        raise RaftError("words are left out of this run, so nobody could work its scores out again; pack the whole one")
    files = {"results.json": (folder / "results.json").read_bytes()}
    if samples is not None:
        files["samples.jsonl"] = "".join(s.model_dump_json() + "\n" for s in samples).encode()
    if (folder / "memories.json").is_file():
        files["memories.json"] = (folder / "memories.json").read_bytes()
    manifest = {
        "format": FORMAT,
        "ratf": release(),
        "suite": results.suite["name"],
        "digests": {"suite": results.digest, "data": results.data_digest, "prompts": results.prompts_digest},
        "versions": results.environment,
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())},
    }
    aside = out.with_name(f".{out.name}.zip")
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in ((MANIFEST, (json.dumps(manifest, indent=1) + "\n").encode()), *sorted(files.items())):
                about = zipfile.ZipInfo(name, _DAY)
                about.compress_type, about.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
                archive.writestr(about, content)
        write_whole(out, aside.read_bytes())
    finally:
        aside.unlink(missing_ok=True)


def samples_of(folder: Path, results: Results) -> list[Sample] | None:
    """Every answer in the newest log of each arm, sorted by arm, question and epoch; None where there are no logs."""
    if not any((folder / "logs").rglob("*.eval")):
        return None
    from inspect_ai.log import read_eval_log

    found = []
    for arm, header in sorted(newest_logs(folder / "logs", results.digest).items()):
        for sample in read_eval_log(header.location).samples or []:
            found.append(
                Sample(
                    arm=arm,
                    question=str(sample.id),
                    epoch=sample.epoch,
                    answer=sample.output.completion,
                    given=sample.metadata.get("given"),
                    error=sample.error.message if sample.error else None,
                    scores={
                        name: LoggedScore(
                            value=s.value, explanation=s.explanation, reason=s.reason, about=s.metadata or {}
                        )
                        for name, s in (sample.scores or {}).items()
                    },
                )
            )
    found.sort(key=lambda s: (s.arm, s.question, s.epoch))
    return found or None


def is_bundle(path: Path) -> bool:
    """Whether a path is an archive rather than a run's folder or its results."""
    return path.is_file() and zipfile.is_zipfile(path)


def read_bundle(path: Path) -> Bundle:
    """Read a bundle into memory; nothing is unpacked to disk.

    Raises RaftError where the file is no bundle or too large.
    """
    if not path.is_file():
        raise RaftError(f"{path}: no such file; `ratf bundle RUN` writes a bundle")
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            strange = sorted(set(names) - {MANIFEST, *FILES})
            if strange or len(names) != len(set(names)):
                raise RaftError(
                    f"{path}: not a bundle, it also holds {str(strange[:3])[:200] if strange else 'a file twice'}; nothing was read"
                )
            files = _unpacked(archive, path)
    except RaftError:
        raise
    except Exception as error:  # zipfile and zlib raise errors of many kinds over a damaged archive
        raise RaftError(f"{path}: not a bundle, or a damaged one: {type(error).__name__} {str(error)[:200]}") from None
    try:
        manifest = parse(files.pop(MANIFEST), f"{path}: {MANIFEST}")
        hashes = manifest["files"]
        if manifest["format"] != FORMAT or not isinstance(hashes, dict):
            raise RaftError(
                f"{path}: a bundle of another version ({str(manifest['format'])[:40]}); this reads {FORMAT}"
            )
        results = parse_model(files["results.json"], Results, f"{path}: results.json", longest=LONGEST_TEXT)
        samples = _samples(files["samples.jsonl"], f"{path}: samples.jsonl") if "samples.jsonl" in files else None
        _refuse_long(results, samples or [], path)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        first = (str(error).splitlines() or [""])[0]
        raise RaftError(
            f"{path}: a damaged bundle, or one of another version: {type(error).__name__} {first}"
        ) from None
    changed = [n for n in sorted(files.keys() | hashes.keys()) if _sha256(files.get(n)) != hashes.get(n)]
    return Bundle(results, samples, files.get("memories.json"), changed)


def _unpacked(archive: zipfile.ZipFile, path: Path) -> dict[str, bytes]:
    """The content of each file. Raises RaftError where it is too much, whatever sizes the archive claims."""
    files: dict[str, bytes] = {}
    left = MOST_BYTES
    for about in archive.infolist():
        if about.compress_type not in _PACKED:
            raise RaftError(f"{path}: {about.filename} is packed in another way than deflate; nothing was read")
        most = min(left, MAX_BYTES)
        with archive.open(about) as file:
            content = file.read(most + 1) if about.file_size <= most else b""
        if about.file_size > most or len(content) > most:
            raise RaftError(
                f"{path}: {about.filename} unpacks to more than {MAX_BYTES / 2**20:g} MB, or all files to more than "
                f"{MOST_BYTES / 2**20:g} MB, the most that is read of a bundle; nothing was read"
            )
        files[about.filename], left = content, left - len(content)
    return files


def _samples(lines: bytes, name: str) -> list[Sample]:
    within_limits(lines, name, longest=LONGEST_TEXT)  # of all lines together
    return [parse_model(x, Sample, f"{name}:{number}") for number, x in enumerate(lines.split(b"\n"), 1) if x]


def _refuse_long(results: Results, samples: list[Sample], path: Path) -> None:
    """Raise RaftError where a text is so long that working its scores out again might take hours, or a page gigabytes."""
    told = max((len(t) for q in results.questions for t in (q.id, q.interview_id, q.interview, q.question)), default=0)
    texts = [text for q in results.questions for text in (q.real, *(answer.text for answer in q.answers.values()))]
    said = max(map(len, [*texts, *(sample.answer for sample in samples)]), default=0)
    for what, length in (("an answer", said), ("a question", told)):
        if length > MOST_CHARACTERS:
            raise RaftError(f"{path}: {what} of {length:,} characters; one has at most {MOST_CHARACTERS:,}")
    rest = len(dumped(results.model_copy(update={"questions": []})))
    if rest > MOST_BESIDE:
        raise RaftError(
            f"{path}: results.json has {rest:,} bytes beside its questions; {MOST_BESIDE:,} are the most that are read"
        )


def _sha256(content: bytes | None) -> str | None:
    return None if content is None else hashlib.sha256(content).hexdigest()
