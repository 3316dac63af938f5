"""Files of every kind, mutated at random: each is read, or refused in words; nothing else happens, and nothing hangs.

`make fuzz` goes on for `RATF_FUZZ_SECONDS` with each kind and keeps what failed in `corpus/<kind>/`, where every test
run reads it again.
"""

import hashlib
import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import archived, dumps, mutated, rebuilt, unpacked
from places import REPOSITORY
from planted import make

from raft.errors import RaftError
from raft.people.person import load_person
from ratf.boards.leaderboard import leaderboard
from ratf.boards.site import site
from ratf.gate.gate import check
from ratf.gate.policy import load_policy
from ratf.reporting.junit import junit
from ratf.reporting.markdown import markdown
from ratf.reporting.page import render
from ratf.results.bundle import read_bundle, write_bundle
from ratf.results.results import Results, load, save
from ratf.suite.rubric import read_rubric
from ratf.suite.suite import load_suite

CORPUS = Path(__file__).parent / "corpus"
SECONDS = float(os.environ.get("RATF_FUZZ_SECONDS", 0))
EXAMPLES = 200
LONGEST = 10.0
"""The greatest number of seconds that reading or refusing a file may take."""

POLICY = b"critical:\n  - raft better than baseline on rouge.1\n  - errors 0\nsupporting:\n  - tokens at most 100\n"
ABOUT = b"name: Mara Linden\nintroduction: A keeper of weirs.\nlicence: invented\n"
TALK = {
    "interview_id": "talk-1", "title": "On weirs", "date": "2020-02-03", "source": "invented",
    "turns": [
        {"speaker": "Q", "role": "interviewer", "text": "What does a weir do?", "topic": "weirs"},
        {"speaker": "Mara", "role": "target", "text": "It holds the river back, and lets it go when it has rested. " * 4},
    ],
}  # fmt: skip
WRITING = {
    "doc_id": "w1",
    "title": "Eels",
    "date": "2019-01-02",
    "source": "invented",
    "text": "Eels know the way home.",
}
PERSON = b"\0".join([ABOUT, json.dumps(TALK).encode() + b"\n", json.dumps(WRITING).encode() + b"\n"])
"""The three files of a person's folder, in the order of `raft.people.folders.FILES`."""

RESULTS = make({"raft": {"rouge_l": [0.5, 0.75]}, "baseline": {"rouge_l": [0.25, float("nan")]}}, ["i", "j"])


def packed(folder: Path) -> bytes:
    save(RESULTS, folder / "results.json")
    write_bundle(folder, RESULTS, None, folder / "a.ratf.zip")
    return (folder / "a.ratf.zip").read_bytes()


def bundles(whole: bytes) -> st.SearchStrategy[bytes]:
    """The archive with wrong bytes, or a sound archive of a file that was changed."""
    files = unpacked(whole)
    inside = [
        changed.map(lambda content, name=name: archived({**files, name: content}))  # type: ignore[misc]
        for name in files
        for changed in (mutated(files[name]), rebuilt(files[name]))
    ]
    return mutated(whole) | st.one_of(inside)


def shown_and_judged(path: Path) -> None:
    """What is read of results is also shown everywhere: without a number that is none, a tag, or a PASS of its own."""
    results = load(path)
    checked = check(results)
    gained = mean(results, "raft") > mean(RESULTS, "raft") or mean(results, "baseline") < mean(RESULTS, "baseline")
    assert checked.verdict != "PASS" or gained, "a verdict that nobody earned"
    page = render(results)
    pages = [page, markdown(results, checked), junit(checked)]
    pages += [made.decode("utf-8") for made in site(leaderboard([results])).values()]
    for one in pages:
        assert not re.search(r"[>\s](?:nan|-?inf)[<\s,]", one), "a number that is none"
    assert "\ufffd<b>" not in page and "\u202e" not in page


def mean(results: Results, arm: str) -> float:
    values = [
        q.answers[arm].scores["rouge_l"].value
        for q in results.questions
        if arm in q.answers and "rouge_l" in q.answers[arm].scores
    ]
    numbers = [v for v in values if v is not None]
    return sum(numbers) / len(numbers) if numbers else float("inf")


def read_suite(path: Path) -> None:
    load_suite(path.rename(path.with_name("demo.yaml")))


def read_a_rubric(path: Path) -> None:
    read_rubric(path.rename(path.with_name("stance.yaml")))


def read_person(path: Path) -> None:
    parts = [*path.read_bytes().split(b"\0", 2), b"", b""]
    for name, content in zip(("person.yaml", "interviews.jsonl", "writings.jsonl"), parts, strict=False):
        (path.parent / name).write_bytes(content)
    load_person(path.parent).exchanges  # noqa: B018 - worked out when it is asked for


def shipped(name: str) -> bytes:
    return (REPOSITORY / name).read_bytes()


Kind = tuple[Callable[[Path], bytes], Callable[[bytes], st.SearchStrategy[bytes]], Callable[[Path], object]]
KINDS: dict[str, Kind] = {
    "suite": (lambda _: shipped("benchmarks/demo.yaml"), mutated, read_suite),
    "policy": (lambda _: POLICY, mutated, load_policy),
    "rubric": (lambda _: shipped("ratf/judges/stance.yaml"), mutated, read_a_rubric),
    "person": (lambda _: PERSON, mutated, read_person),
    "results": (lambda _: dumps(RESULTS.model_dump(mode="json")), lambda w: mutated(w) | rebuilt(w), shown_and_judged),
    "bundle": (packed, bundles, read_bundle),
}
"""What a file of each kind begins as, how it is mutated, and what reads it."""


def refused_or_read(kind: str, content: bytes, folder: Path) -> None:
    """Read the content as a file of that kind; only RaftError may come of it, in a message of bounded length, soon."""
    for left in folder.iterdir():
        left.unlink()
    path = folder / "a.file"
    path.write_bytes(content)
    start = time.process_time()  # no clock: other processes may be at work, and nothing here waits
    try:
        KINDS[kind][2](path)
    except RaftError as error:
        said = str(error)
        assert said and len(said) < 20_000 and "Traceback" not in said
    assert time.process_time() - start < LONGEST


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_mutated_is_read_or_refused(kind: str, tmp_path: Path) -> None:
    first, strategy, _ = KINDS[kind]
    made, folder = tmp_path / "made", tmp_path / "read"
    made.mkdir()
    folder.mkdir()
    whole = first(made)
    refused_or_read(kind, whole, folder)
    until = time.monotonic() + SECONDS

    @settings(
        max_examples=500 if SECONDS else EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(strategy(whole))
    def once(content: bytes) -> None:
        try:
            refused_or_read(kind, content, folder)
        except Exception:
            if SECONDS:
                kept = CORPUS / kind / hashlib.sha256(content).hexdigest()[:12]
                kept.parent.mkdir(parents=True, exist_ok=True)
                kept.write_bytes(content)
            raise

    once()
    while time.monotonic() < until:
        once()


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*/*")), ids=lambda p: f"{p.parent.name}/{p.name}")
def test_what_once_failed_is_read_or_refused(path: Path, tmp_path: Path) -> None:
    refused_or_read(path.parent.name, path.read_bytes(), tmp_path)
