"""A bundle: a run as one ZIP archive, with all that somebody else needs to check its results.

The same run always gives the same bytes. A bundle is read as untrusted input.
"""

import hashlib
import json
import zipfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from raft.errors import RaftError
from raft.files import write_whole
from ratf.results.folder import newest_logs
from ratf.results.record import Record
from ratf.results.results import Results

FORMAT = "ratf bundle 1"
MANIFEST = "manifest.json"
FILES = ("results.json", "samples.jsonl", "memories.json")
"""The files that a bundle may hold beside its manifest; the first must be there.

A bundle with any other name in it is refused, so no name can lead outside of it.
"""


MOST_BYTES = 512 * 2**20
"""The greatest size in bytes of an unpacked file. A bundle with a larger file is refused."""


_DAY = (1980, 1, 1, 0, 0, 0)


class LoggedScore(Record):
    """A score as the Inspect log has it, with the judge's explanation where a judge gave it."""

    value: Any
    explanation: str | None
    reason: str | None
    about: dict[str, Any]


class Sample(Record):
    """An answer as the Inspect log has it, with its scores. `given` says where a control's answer is from."""

    arm: str
    question: str
    epoch: int
    answer: str
    given: dict[str, Any] | None
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
        "ratf": version("ratf"),
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
    if not any((folder / "logs").glob("*.eval")):
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
                    f"{path}: not a bundle, it also holds {strange[:3] or 'a file twice'}; nothing was read"
                )
            files = {name: _read(archive, name, path) for name in names}
        manifest = json.loads(files.pop(MANIFEST))
        hashes = manifest["files"]
        if manifest["format"] != FORMAT or not isinstance(hashes, dict):
            raise RaftError(
                f"{path}: a bundle of another version ({str(manifest['format'])[:40]}); this reads {FORMAT}"
            )
        results = Results.model_validate_json(files["results.json"])
        lines = files["samples.jsonl"].decode().split("\n") if "samples.jsonl" in files else None
        samples = None if lines is None else [Sample.model_validate_json(line) for line in lines if line]
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise RaftError(f"{path}: not a bundle, or a damaged one: {error}") from None
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        first = (str(error).splitlines() or [""])[0]
        raise RaftError(
            f"{path}: a damaged bundle, or one of another version: {type(error).__name__} {first}"
        ) from None
    changed = [n for n in sorted(files.keys() | hashes.keys()) if _sha256(files.get(n)) != hashes.get(n)]
    return Bundle(results, samples, files.get("memories.json"), changed)


def _read(archive: zipfile.ZipFile, name: str, path: Path) -> bytes:
    """The content of one file. Raises RaftError for more than MOST_BYTES, whatever size the archive claims."""
    if archive.getinfo(name).file_size <= MOST_BYTES:
        with archive.open(name) as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) <= MOST_BYTES:
            return content
    raise RaftError(f"{path}: {name} unpacks to more than {MOST_BYTES // 2**20} MB; nothing was read")


def _sha256(content: bytes | None) -> str | None:
    return None if content is None else hashlib.sha256(content).hexdigest()
