"""Files of every kind, mutated at random: each is read, or refused in words; nothing else happens, and nothing hangs.

`make fuzz` goes on for `RATF_FUZZ_SECONDS` with each kind and keeps what failed in `corpus/<kind>/`, where every test
run reads it again.
"""

import hashlib
import json
import os
import sys
import time
import zipfile
from collections.abc import Callable
from copy import deepcopy
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from places import REPOSITORY
from planted import make

from raft.errors import RaftError
from raft.people.person import load_person
from ratf.gate.policy import load_policy
from ratf.results.bundle import read_bundle, write_bundle
from ratf.results.results import load, save
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

NASTY: list[Any] = [
    None, True, -1, 0, 10**40, 10**5000, 1e308, float("nan"), float("inf"), "", " ", "x" * 30_000, "\ud800", "\u202e<b>",
    "../x", "/etc/passwd", "NaN", "1e308", "2024-13-45", "{real:>9999999}", [], {}, [[[[[]]]]], {"a": {"b": {}}}, ["x"] * 2000,
]  # fmt: skip
TOKENS = [
    b"&a [*a]", b"*a", b"&a ", b"<<: *a\n", b"{", b"[", b"[" * 500, b'{"a":' * 500, b"9" * 5000, b"1e999", b".inf", b"NaN",
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\\ud800", b"!!python/object/apply:os.system [x]", b"? ", b"---\n",
    b"...\n", b"\t", b"\r", b"\n", b"# ", b"'", b'"', b": ", b"- ", b"0x1F", b"1_0", b"1:30:00", b"yes", b"~", b"|\n", b"%",
    b"2024-02-30", b"\xe2\x80\xa8", b",", b"}", b"]", b"\0\0\0",
]  # fmt: skip


def dumps(value: Any) -> bytes:
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        return json.dumps(value).encode()
    finally:
        sys.set_int_max_str_digits(before)


@st.composite
def mutated(draw: st.DrawFn, whole: bytes) -> bytes:
    """The bytes after one to four cuts, repeats, insertions, replaced lines and flipped bits."""
    content = whole
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        to = min(len(content), at + draw(st.integers(0, 60)))
        token = draw(st.sampled_from(TOKENS))
        how = draw(st.sampled_from(["cut", "repeat", "insert", "swap", "value", "flip", "end"]))
        if how == "cut":
            content = content[:at] + content[to:]
        elif how == "repeat":
            content = content[:to] + content[at:to] * draw(st.integers(1, 30)) + content[to:]
        elif how == "insert":
            content = content[:at] + token + content[at:]
        elif how == "swap":
            content = content[:at] + token + content[to:]
        elif how == "value":  # the rest of the line after a colon
            colon = content.find(b":", at)
            end = content.find(b"\n", colon)
            content = content[: colon + 1] + b" " + token + (content[end:] if end > colon else b"")
        elif how == "flip" and at < len(content):
            content = content[:at] + bytes([content[at] ^ (1 << draw(st.integers(0, 7)))]) + content[at + 1 :]
        elif how == "end":
            content = content[:at]
    return content


@st.composite
def rebuilt(draw: st.DrawFn, whole: bytes) -> bytes:
    """The JSON with one to three of its values replaced, taken out, repeated or given another key."""
    value = json.loads(whole)
    for _ in range(draw(st.integers(1, 3))):
        parent: Any = None
        key: Any = None
        at: Any = value
        while isinstance(at, dict | list) and at and (parent is None or draw(st.integers(0, 4))):
            parent, key = at, draw(st.sampled_from(list(at) if isinstance(at, dict) else list(range(len(at)))))
            at = parent[key]
        if parent is None:
            continue
        how = draw(st.sampled_from(["replace", "replace", "remove", "rename", "wrap"]))
        if how == "remove":
            parent.pop(key)
        elif how == "wrap":
            parent[key] = [at, at]
        elif how == "rename" and isinstance(parent, dict):
            parent["of_the_future"] = parent.pop(key)
        else:
            parent[key] = deepcopy(draw(st.sampled_from(NASTY)))  # what is drawn must not be changed by the next step
    return dumps(value)


def packed(folder: Path) -> bytes:
    save(RESULTS, folder / "results.json")
    write_bundle(folder, RESULTS, None, folder / "a.ratf.zip")
    return (folder / "a.ratf.zip").read_bytes()


def unpacked(bundle: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(bundle)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def archived(files: dict[str, bytes]) -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def bundles(whole: bytes) -> st.SearchStrategy[bytes]:
    """The archive with wrong bytes, or a sound archive of a file that was changed."""
    files = unpacked(whole)
    inside = [
        changed.map(lambda content, name=name: archived({**files, name: content}))  # type: ignore[misc]
        for name in files
        for changed in (mutated(files[name]), rebuilt(files[name]))
    ]
    return mutated(whole) | st.one_of(inside)


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
    "results": (lambda _: dumps(RESULTS.model_dump(mode="json")), lambda w: mutated(w) | rebuilt(w), load),
    "bundle": (packed, bundles, read_bundle),
}
"""What a file of each kind begins as, how it is mutated, and what reads it."""


def refused_or_read(kind: str, content: bytes, folder: Path) -> None:
    """Read the content as a file of that kind; only RaftError may come of it, in a message of bounded length, soon."""
    for left in folder.iterdir():
        left.unlink()
    path = folder / "a.file"
    path.write_bytes(content)
    start = time.monotonic()
    try:
        KINDS[kind][2](path)
    except RaftError as error:
        said = str(error)
        assert said and len(said) < 20_000 and "Traceback" not in said
    assert time.monotonic() - start < LONGEST


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
