"""Bundles that take as much memory as anybody could make them take, each within every limit of what is read.

A bundle may have a million values of JSON and 64 MB in a file, texts of 200,000 bytes, 4 million bytes beside its
questions, 100 arms and 40 metrics.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mutations import archived
from planted import make

from ratf.results.bundle import FORMAT, MANIFEST
from ratf.suite.suite import Suite

Raw = dict[str, Any]
METRICS = ("rouge_l", "embedding_cosine", "facts", "length_ratio")
LONG = "\U0001f9d9" + "a<b>& " * 33_000
"""A text of nearly 200,000 bytes; its first letter makes Python keep four bytes for each."""
TEXTS = [f"{n} {LONG}" for n in range(18)]
"""As many of these as fill a run without its questions."""
WORDS = "We let the low fields have their water in August, and I would sign it again. " * 4


def base() -> Raw:
    """Results of a small run, as the file has them."""
    suite = Suite(
        name="planted", person="marrack", impostors=["pell"], arms=["baseline", "raft"],
        controls=["same_near", "impostor_near"], metrics=list(METRICS), models={"grader": "openai/g"},  # type: ignore[arg-type]
        primary={"metric": "rouge_l", "better": "raft", "than": "baseline"},  # type: ignore[arg-type]
    )  # fmt: skip
    scores = {arm: {m: [0.5, 0.75] for m in METRICS} for arm in ("raft", "baseline")}
    raw: Raw = make(scores, ["a", "b"]).model_dump(mode="json", by_alias=True)
    return {**raw, "suite": suite.model_dump(mode="json")}


def question(n: int, answers: Raw | None = None, **changes: Any) -> Raw:
    known = {"id": f"i-q{n}", "interview_id": f"i{n % 50}", "interview": "", "date": None, "question": "", "real": ""}
    return {**known, "answers": answers or {}, **changes}


def answer(**changes: Any) -> Raw:
    return {"text": "", "memories": [], "source": "", "scores": {}, **changes}


def with_arms(made: Raw, count: int, metrics: Raw | None = None) -> list[str]:
    names = [f"a{n}" for n in range(count)]
    made["arms"] |= {a: {**made["arms"]["raft"], "metrics": metrics or {}} for a in names}
    return names


def questions() -> Raw:
    return {**base(), "questions": [question(n) for n in range(105_000)]}


def answers() -> Raw:
    made = base()
    names = with_arms(made, 48)
    return {**made, "questions": [question(n, dict.fromkeys(names, answer())) for n in range(2_700)]}


def scores() -> Raw:
    given = dict.fromkeys(("raft", "baseline"), answer(scores={key: {"value": 0.5} for key in METRICS}))
    return {**base(), "questions": [question(n, given) for n in range(24_000)]}


def worded() -> Raw:
    """Answers with words, all different, which every measure reads."""

    def one(n: int) -> Raw:
        given = {
            arm: answer(text=f"{arm} {n} {WORDS}", scores={key: {"value": 0.5} for key in METRICS})
            for arm in ("raft", "baseline")
        }
        return question(n, given, question="Why?", real=f"{n} {WORDS}")

    return {**base(), "questions": [one(n) for n in range(24_000)]}


def votes() -> Raw:
    made = base()
    of = answer(scores={"rouge_l": {"value": 0.5, "votes": [{"grader": "g", "value": 0.5}] * 12_000}})
    return {**made, "questions": [question(n, {"raft": of}) for n in range(26)]}


def memories() -> Raw:
    made = base()
    of = answer(memories=[{"text": "x"}] * 40_000)
    return {**made, "questions": [question(n, {"raft": of}) for n in range(12)]}


def contrasts() -> Raw:
    made = base()
    names = with_arms(made, 90)
    found = made["contrasts"][0]
    made["contrasts"] = [{**found, "a": a, "b": b} for a in names for b in names]
    return made


def cells() -> Raw:
    made = base()
    cell = made["arms"]["raft"]["metrics"]["rouge_l"]
    made["metrics"] |= {f"m{n}": made["metrics"]["rouge_l"] for n in range(35)}
    with_arms(made, 95, {f"m{k}": cell for k in range(35)})
    return made


def interviews() -> Raw:
    made = base()
    made["held_out"]["interviews"] = [{"title": "", "date": None, "source": "", "n": 1}] * 70_000
    return made


def losses() -> Raw:
    made = base()
    made["tuned"] = [{"arm": "raft", "digest": "d", "samples": 1, "losses": [0.5] * 950_000}]
    return made


def notes() -> Raw:
    return {**base(), "notes": ["x"] * 900_000}


def exams() -> Raw:
    made = base()
    made["more_exams"] = [{**made["exam"][0], "axis": f"x{n}"} for n in range(13_000)]
    return made


def wrong() -> Raw:
    return {**base(), "questions": [{}] * 490_000}


def unknown() -> Raw:
    return {**base(), **{f"k{n}": 0 for n in range(300_000)}}


def errors() -> Raw:
    made = base()
    made["arms"]["raft"]["kinds_of_errors"] = {f"k{n}": 0 for n in range(300_000)}
    return made


def texts(put: Callable[[Raw], object]) -> Callable[[], Raw]:
    """Results in which `put` puts long texts."""

    def made() -> Raw:
        found = base()
        put(found)
        return found

    return made


def long(put: Callable[[Raw, str], object]) -> Callable[[], Raw]:
    """Results with as many questions as fill the file, with a long text in each, which `put` puts into an answer."""

    def one(n: int) -> Raw:
        of = answer(scores={"rouge_l": {"value": 0.5}})
        put(of, f"{n} {LONG}")
        return question(n, {"raft": of})

    return lambda: {**base(), "questions": [one(n) for n in range(310)]}


RESULTS: dict[str, Callable[[], Raw]] = {
    "questions": questions, "answers": answers, "scores": scores, "words": worded, "votes": votes, "memories": memories,
    "contrasts": contrasts, "cells": cells, "interviews": interviews, "losses": losses, "notes": notes, "exams": exams,
    "wrong": wrong, "unknown keys": unknown, "kinds of errors": errors,
    "long notes": texts(lambda made: made.update(notes=TEXTS)),
    "long arms": texts(lambda made: made["arms"].update(
        {f"a{n}": {**made["arms"]["raft"], "words": t} for n, t in enumerate(TEXTS)})),
    "long exams": texts(lambda made: made.update(
        more_exams=[{**made["exam"][0], "axis": f"x{n}", "reason": t} for n, t in enumerate(TEXTS)])),
    "long looks": texts(lambda made: made.update(
        second_looks=[{"name": "at the floor", "metric": f"m{n}", "holds": False, "words": t} for n, t in enumerate(TEXTS)])),
    "long errors": texts(lambda made: made["arms"]["raft"].update(kinds_of_errors=dict.fromkeys(TEXTS, 1))),
    "long memories": long(lambda of, text: of.update(memories=[{"text": text}])),
    "long sources": long(lambda of, text: of.update(memories=[{"text": "x", "source": text}])),
    "long votes": long(lambda of, text: of["scores"]["rouge_l"].update(votes=[{"grader": "g", "value": 0.5, "why": text}])),
}  # fmt: skip
"""By name, what makes the results of a bundle."""


def sample(n: int, **changes: Any) -> Raw:
    known = {"arm": "raft", "question": f"i-q{n}", "epoch": 1, "answer": "", "given": None, "error": None, "scores": {}}
    return {**known, **changes}


def logged() -> Iterator[Raw]:
    score = {"value": 0.5, "explanation": None, "reason": None, "about": {}}
    return (sample(n, scores=dict.fromkeys(METRICS, score)) for n in range(32_000))


SAMPLES: dict[str, Callable[[], Iterator[Raw]]] = {
    "samples": lambda: map(sample, range(108_000)),
    "logged scores": logged,
    "long samples": lambda: (sample(n, error=LONG) for n in range(150)),
}
"""By name, what makes the samples of a bundle, whose results are those of `questions`."""


def write(name: str, path: Path, **changes: Any) -> Path:
    """Write the bundle of that name; keyword arguments replace parts of its results."""
    results = {**RESULTS.get(name, questions)(), **changes}
    lines = [json.dumps(s, separators=(",", ":"), ensure_ascii=False) for s in SAMPLES.get(name, lambda: iter(()))()]
    files = {"results.json": json.dumps(results, separators=(",", ":"), ensure_ascii=False).encode()}
    if lines:
        files["samples.jsonl"] = "\n".join(lines).encode()
    manifest = {"format": FORMAT, "files": {n: hashlib.sha256(c).hexdigest() for n, c in files.items()}}
    path.write_bytes(archived({MANIFEST: json.dumps(manifest).encode(), **files}))
    return path
