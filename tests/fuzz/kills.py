"""Kills a run at random moments of all its phases, and starts it again until it is finished.

Its results must then be those of a run that was left in peace, and no reply of a chat model that was kept before a kill
may be asked for again. Each finished run begins another, until there were enough kills. `make kills` runs it.
"""

import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

import typer
from struck import Child, Scripted, environment, said_by, suite

from raft.models.weights import fetch

KILLS, SEED = int(os.environ.get("RATF_KILLS", 100)), int(os.environ.get("RATF_SEED", 1))
SETTLED = 1.0
"""In seconds: a reply that was sent so long before a kill has been kept; what came later was in flight."""


class Counted(Scripted):
    """Knows when each reply was sent last, and which were asked for again although they were kept."""

    sent: dict[str, float]
    killed: float
    twice: list[str]
    flying: int

    def begin(self) -> None:
        self.sent, self.killed, self.twice, self.flying = {}, 0.0, [], 0

    def right(self, phase: str, digest: str) -> None:
        before = self.sent.get(digest)
        if before is not None and phase != "embedding":  # vectors are kept by batches
            if before < self.killed - SETTLED:
                self.twice.append(f"{phase} {digest[:8]}")
            else:
                self.flying += 1
        self.sent[digest] = time.monotonic()


def main() -> None:
    lot, kills, runs, phases = random.Random(SEED), 0, 0, Counter[str]()
    models = fetch("all-minilm-l6-v2").parent
    with tempfile.TemporaryDirectory() as folder, Counted().running() as service:
        place = Path(folder)
        path = suite(place / "data", service)

        def start(name: str) -> tuple[Child, Path]:
            service.folder = place / name / "run"
            if name not in made:
                made[name] = environment(service, place / name / "cache", models)
                service.begin()
            command = ["run", path, "--out", service.folder, "--judge-anyway"]
            return Child("ratf.cli", *command, **made[name]), service.folder

        made: dict[str, dict[str, str]] = {}
        child, peace = start("peace")
        began = at_work(child, peace)
        _, told = child.ended()
        whole = time.monotonic() - began
        assert (peace / "report.html").is_file(), told
        wanted, asked = said_by(peace), len(service.sent)
        typer.echo(f"in peace: {asked} requests, {whole:.1f} s at work")
        flying = 0
        while kills < KILLS:
            runs += 1
            finished = False
            while not finished:
                child, out = start(f"run {runs}")
                at_work(child, out)
                until = whole * lot.random() ** 2 if kills < KILLS else 600  # most starts are shorter than a whole run
                child.process.join(until)
                finished = child.process.exitcode is not None
                if not finished:
                    os.kill(child.process.pid or 0, signal.SIGKILL)
                    service.killed, kills = time.monotonic(), kills + 1
                    phases[doing(out)] += 1
                _, told = child.ended()
                assert not finished or (out / "report.html").is_file(), told
            assert said_by(out) == wanted, f"run {runs} says something else"
            assert service.twice == [], f"run {runs} asked again for what was kept: {service.twice}"
            flying += service.flying
            typer.echo(
                f"run {runs}: the same results; {kills} kills so far, {service.flying} in flight asked again",
            )
        typer.echo(
            f"{kills} kills over {runs} runs, 0 kept replies asked for twice, {flying} in flight asked again; at: "
            + ", ".join(f"{name} {count}" for name, count in phases.most_common())
        )


def at_work(child: Child, out: Path) -> float:
    """Wait until a run has its folder, or has ended, and return when that was."""
    holder, held = out.with_name(f".{out.name}.lock.by"), ""
    while child.process.exitcode is None and f"process {child.process.pid} " not in held:
        time.sleep(0.02)
        with suppress(FileNotFoundError):
            held = holder.read_text("utf-8")
    return time.monotonic()


def doing(out: Path) -> str:
    """What a run was at, by the last file that it made."""
    marks = {"report.html": "the end", "results.json": "page", "judges.json": "grading or later", "logs": "answering",
             "controls.json": "controls", "memories.json": "controls"}  # fmt: skip
    return next((what for name, what in marks.items() if (out / name).exists()), "preparing")


if __name__ == "__main__":
    main()
