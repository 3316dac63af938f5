"""A row of the table of performance, and how the two sides of one are measured in turns."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Literal, TypeVar

from raft.models.weights import cache_folder

T = TypeVar("T")


@dataclass(frozen=True)
class Row:
    """Our figure beside a peer's; `theirs` is None where there is no peer, or where it could not be measured.

    `better` says whether more or less is better; `bar` is the figure, or the ratio in words, that was aimed at.
    """

    group: str
    what: str
    unit: str
    better: Literal["more", "less"]
    ours: float | None
    peer: str = ""
    theirs: float | None = None
    note: str = ""
    bar: str = ""
    reached: bool | None = None

    @property
    def ratio(self) -> float | None:
        """How many times as good we are: above 1 where we do better than the peer."""
        if not self.ours or not self.theirs:
            return None
        return self.ours / self.theirs if self.better == "more" else self.theirs / self.ours


@dataclass(frozen=True)
class Used:
    """What a process took: seconds of wall time, seconds of processor time, and its peak of memory in MB."""

    wall: float
    cpu: float
    peak: float


LAUNCHER = """
import json, os, subprocess, sys, time
start = time.perf_counter()
child = subprocess.Popen(sys.argv[2:])
_, status, usage = os.wait4(child.pid, 0)
used = [time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6]
with open(sys.argv[1], "w") as file:
    json.dump(used, file)
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""A process between: the peak that the system tells of a child is also that of the process which started it."""


def process(command: Sequence[str], fine: Sequence[int] = (0,)) -> Used:
    """Run a command to its end and tell what it took, its children included. Raises RuntimeError where its exit code is none of `fine`."""
    with tempfile.NamedTemporaryFile("r", suffix=".json") as told:
        done = subprocess.run(
            [sys.executable, "-S", "-E", "-c", LAUNCHER, told.name, *command],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in fine:
            raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return Used(*json.load(told))


def program(name: str) -> str:
    """The path of a command of this environment."""
    return str(Path(sys.executable).with_name(name))


def fresh_cache(folder: Path) -> Path:
    """A new folder to keep things in, where the embedded models are and nothing else, for this process and its children."""
    cache = Path(tempfile.mkdtemp(dir=folder))
    models = cache_folder() / "models"
    (cache / "models").symlink_to(models.resolve())
    os.environ["RATF_CACHE"] = str(cache)
    os.environ["INSPECT_CACHE_DIR"] = str(cache / "replies")
    return cache


def taking_turns(sides: Mapping[str, Callable[[], T]], rounds: int) -> dict[str, list[T]]:
    """What each side returns in each round; they take turns, because a machine's load changes."""
    found: dict[str, list[T]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            found[name].append(side())
    return found


def in_turns(sides: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """The median seconds of each side, measured in turns."""

    def seconds(side: Callable[[], Any]) -> float:
        start = time.perf_counter()
        side()
        return time.perf_counter() - start

    took = taking_turns({name: partial(seconds, side) for name, side in sides.items()}, rounds)
    return {name: median(times) for name, times in took.items()}


def processes_in_turns(sides: Mapping[str, Callable[[], Used]], rounds: int) -> dict[str, Used]:
    """The medians of what each side takes, measured in turns."""
    return {
        name: Used(median(u.wall for u in of), median(u.cpu for u in of), median(u.peak for u in of))
        for name, of in taking_turns(sides, rounds).items()
    }


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Keep rows in a file of JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", "utf-8")


def read_rows(path: Path) -> list[Row]:
    """The rows that a file has."""
    return [Row(**row) for row in json.loads(path.read_text("utf-8"))]
