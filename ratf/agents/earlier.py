"""Answers that are there already: those of a file, and those of an earlier log of Inspect's."""

import zipfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raft.errors import DataError, RaftError
from raft.text import MOST_CHARACTERS, plain
from raft.types import Exchange
from ratf.models.faults import in_short
from ratf.models.states import marked_refused
from ratf.suite.own import OwnArm
from ratf.suite.study import Study

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalSample

MOST_UNPACKED = 2 * 2**30
"""The greatest size of a log's content, in bytes."""


LONGEST = 120
"""The greatest number of characters that are told of a name in a log."""


def answered(study: Study, arm: OwnArm) -> dict[str, dict[str, Any]]:
    """Held-out question → the metadata of its sample: the answer as `answered`, or why there is none as `unanswered`."""
    if arm.log:
        found: dict[str, dict[str, Any]] = _read(study, arm)["answers"]
        return found
    if arm.name not in study.answered:
        raise RaftError(f"{arm.answers}: the file with the answers of {arm.name} is not there any more")
    said = study.answered[arm.name]
    nothing = _nothing("the file of answers has none to this question")
    return {
        e.exchange_id: {"answered": said[e.exchange_id]} if e.exchange_id in said else nothing for e in study.held_out
    }


def provenance(study: Study, arm: OwnArm) -> dict[str, str]:
    """What a log says of itself: its task, model and day, and how many questions it answers; else nothing."""
    if not arm.log:
        return {}
    about: dict[str, str] = _read(study, arm)["about"]
    return about


def _read(study: Study, arm: OwnArm) -> Any:
    return study.made(f"log-{arm.name}", lambda: _of_log(study, arm))


def _of_log(study: Study, arm: OwnArm) -> dict[str, Any]:
    """The answers in a log, and what it says of itself.

    A sample is a question's where it has its id and asks it, or else where no other sample, and no other question, has
    the same text. Raises DataError where the log cannot be read, and where it answers none of the questions.
    """
    path = study.file_of(arm)
    log = _log(path, arm)
    samples = _first(log)
    texts = Counter(_line(e.question) for e in study.held_out)
    by_text: dict[str, list[EvalSample]] = {}
    for sample in samples.values():
        by_text.setdefault(_question(sample), []).append(sample)
    found: dict[str, dict[str, Any]] = {}
    for exchange in study.held_out:
        question, of_id = _line(exchange.question), samples.get(exchange.exchange_id)
        same = by_text.get(question, [])
        if of_id and _asks(of_id, exchange):
            found[exchange.exchange_id] = _answer(of_id)
        elif len(same) == 1 and texts[question] == 1:
            found[exchange.exchange_id] = _answer(same[0])
        elif same:
            why = "the log asks this question more than once, or the suite does: which answer is meant is not known"
            found[exchange.exchange_id] = _nothing(why)
    if not found:
        raise DataError(
            [
                f"{path}: none of its {len(samples)} samples asks a question of this suite, neither by id (the suite's are "
                f"{', '.join([e.exchange_id for e in study.held_out][:3])}, …) nor by its exact text; it is the log of "
                "another suite"
            ]
        )
    answers = {
        e.exchange_id: found.get(e.exchange_id, _nothing("the log has no answer to this question"))
        for e in study.held_out
    }
    there = sum("unanswered" not in a for a in answers.values())
    task = (log.eval.metadata or {}).get("arm")
    about = {
        "task": f"{log.eval.task}{f', arm {task}' if task else ''}",
        "model": log.eval.model,
        "date": log.eval.created,
        "status": log.status,
        "answers": f"{there} of {len(answers)} questions",
    }
    return {"about": {key: plain(str(value))[:LONGEST] for key, value in about.items()}, "answers": answers}


def _log(path: Path, arm: OwnArm) -> "EvalLog":
    import hashlib

    from inspect_ai.log import read_eval_log

    try:
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != arm.sha256:
                raise DataError([f"{path}: not the log of {arm.name} that this suite was read with"])
        if path.suffix == ".eval":
            with zipfile.ZipFile(path) as archive:
                if sum(entry.file_size for entry in archive.infolist()) > MOST_UNPACKED:
                    raise DataError([f"{path}: it unpacks to more than {MOST_UNPACKED:,} bytes"])
        return read_eval_log(str(path), resolve_attachments="core", exclude_fields={"events", "store"})
    except DataError:
        raise
    except Exception as error:  # each layer under it raises errors of its own
        told = " ".join(str(error).split())[:LONGEST]
        raise DataError([f"{path}: no log that Inspect can read ({type(error).__name__}: {told})"]) from None


def _first(log: "EvalLog") -> "dict[str, EvalSample]":
    """The samples of a log by id; of several epochs, the first."""
    found: dict[str, EvalSample] = {}
    for sample in sorted(log.samples or [], key=lambda s: s.epoch):
        found.setdefault(str(sample.id), sample)
    return found


def _question(sample: "EvalSample") -> str:
    """The question of a sample: its metadata's, or what its input ends with."""
    told = (sample.metadata or {}).get("question")
    return _line(told if isinstance(told, str) else _input(sample)[-1])


def _input(sample: "EvalSample") -> list[str]:
    texts = [sample.input] if isinstance(sample.input, str) else [m.text for m in sample.input if m.role == "user"]
    return texts or [""]


def _asks(sample: "EvalSample", exchange: Exchange) -> bool:
    """Whether a sample asks a question, alone or with words around it."""
    return _question(sample) == _line(exchange.question) or _line(exchange.question) in _line(_input(sample)[-1])


def _line(text: str) -> str:
    return " ".join(text.split())


def _answer(sample: "EvalSample") -> dict[str, Any]:
    if sample.error is not None:
        return _nothing(f"in the log this question ended in an error: {in_short(sample.error.message)}")
    text = sample.output.completion
    if len(text) > MOST_CHARACTERS:
        return _nothing(f"too long: {len(text):,} characters; at most {MOST_CHARACTERS:,} are scored")
    about: dict[str, Any] = {"answered": text}
    if sample.output.choices and sample.output.stop_reason != "stop":
        about["stopped"] = sample.output.stop_reason
    return about | {"refused": True} if marked_refused(sample.output) else about


def _nothing(why: str) -> dict[str, Any]:
    return {"answered": "", "unanswered": why if why.startswith("too long") else f"empty: {why}"}
