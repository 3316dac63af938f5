"""What a stranger's bundle may take: every bundle that is read, and every one that is refused, within a gigabyte."""

import functools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import heavy
import pytest

PEAKS = """
import importlib, json, os, sys
from ratf.cli import app
for name in sys.argv[1:]:
    importlib.import_module(name)
for line in sys.stdin:
    words, told = json.loads(line)
    if pid := os.fork():
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
        continue
    os.dup2(os.open(told, os.O_CREAT | os.O_WRONLY), 2)
    os.dup2(2, 1)
    try:
        app(words)
    finally:
        print(open("/proc/self/status").read().split("VmHWM:")[1].split()[0], file=sys.stderr)
"""
"""Forks a program for each command, which so need not read the modules of its arguments again; they count as its own memory.

The peak is the program's own in KiB: ru_maxrss also has that of the process which started it.
"""
MODULES = {"verify": ["ratf.review.verify", "ratf.scores.scorers", "torch"], "leaderboard": ["ratf.boards.site"]}
"""By command, what it reads sooner or later; each has a program of its own, so that none holds what only the other needs."""
WORST = ["questions", "scores", "cells", "memories", "votes", "wrong", "long memories", "long notes", "long samples"]


Program = Callable[[Sequence[str], Path], tuple[int, str]]


@pytest.fixture(scope="module")
def ratf() -> Iterator[Program]:
    """Runs a command in a process of its own; gives its exit code, and what it says, with its peak in the last line."""

    @functools.cache
    def program(command: str) -> subprocess.Popen[str]:
        words = [sys.executable, "-c", PEAKS, *MODULES[command]]
        return stack.enter_context(subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))

    def run(words: Sequence[str], told: Path) -> tuple[int, str]:
        started = program(words[0])
        assert started.stdin and started.stdout
        print(json.dumps([words, str(told)]), file=started.stdin, flush=True)
        return int(started.stdout.readline()), told.read_text("utf-8")

    with ExitStack() as stack:  # at its end, their input ends
        yield run


@pytest.mark.slow
@pytest.mark.parametrize("name", WORST)
def test_no_bundle_takes_more_than_a_gigabyte(name: str, ratf: Program, tmp_path: Path) -> None:
    bundle = heavy.write(name, tmp_path / "a.ratf.zip")
    assert bundle.stat().st_size < 5_000_000, "it is small where it is packed"
    for command in (["verify", str(bundle)], ["leaderboard", str(bundle), "--out", str(tmp_path / "site")]):
        code, told = ratf(command, tmp_path / command[0])
        assert "Traceback" not in told, told[-2000:]
        assert code in (0, 1, 2)
        assert int(told.split()[-1]) < 976_562, f"KiB, that is a gigabyte: {command[0]}"
