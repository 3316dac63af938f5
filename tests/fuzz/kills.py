"""Kills a run at random moments of all its phases, and starts it again until it is finished.

Its results must then be those of a run that was left in peace, and no reply of a chat model that was kept before a kill
may be asked for again. Each finished run begins another, until there were enough kills. `make kills` runs it.
"""

import hashlib
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

import typer
from faulty import Reply
from struck import Child, Scripted, environment, said_by, suite

from raft.models.weights import fetch

KILLS, SEED = int(os.environ.get("RATF_KILLS", 100)), int(os.environ.get("RATF_SEED", 1))


class Counted(Scripted):
    """Knows which replies were on the disk at a kill, and which of these were asked for again all the same.

    The tokens of a reply's prompt are a number of its own, by which it is found among the replies that are kept.
    """

    asked: dict[str, int]
    kept: set[str]
    twice: list[str]
    flying: int
    again: set[str]
    repeated: frozenset[str] = frozenset()
    """What a run in peace asks more than once, as a judge's exam does: these are left out."""

    def begin(self) -> None:
        self.asked, self.kept, self.twice, self.flying = {}, set(), [], 0
        self.again = set()

    def right(self, phase: str, digest: str) -> None:
        # vectors are kept by batches, and a rephraser's replies without tokens
        if phase not in ("embedding", "rephrasing") and digest not in self.repeated:
            if digest in self.kept:
                self.twice.append(f"{phase} {digest[:8]}")
            if digest in self.asked:
                self.flying += 1
                self.again.add(digest)
            self.asked[digest] = self.number(digest)

    def number(self, digest: str) -> int:
        return 0x10000000 + int(digest[:7], 16)

    def _right(self, phase: str, body: dict[str, Any]) -> Reply:
        status, reply, headers = super()._right(phase, body)
        if phase not in ("embedding", "rephrasing") and isinstance(reply, dict):
            tokens = self.number(hashlib.sha256(json.dumps(body).encode()).hexdigest())
            reply["usage"] = {"prompt_tokens": tokens, "completion_tokens": 1, "total_tokens": tokens + 1}
        return status, reply, headers

    def look(self, replies: Path) -> None:
        """Note what is kept; a file that a kill cut short is no reply."""
        for path in replies.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                if content.endswith(b"."):  # the end of a pickle
                    found = (d for d, n in self.asked.items() if n.to_bytes(4, "little") in content)
                    self.kept.update(found)


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
        wanted, asked = said_by(peace), len(service.asked)
        service.repeated = frozenset(service.again)
        typer.echo(f"in peace: {asked} chat requests, {whole:.1f} s at work")
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
                    child.process.join()
                    service.look(out.parent / "cache" / "replies")
                    kills += 1
                    phases[doing(out)] += 1
                _, told = child.ended()
                assert not finished or (out / "report.html").is_file(), told
            assert said_by(out) == wanted, f"run {runs} says something else"
            assert service.twice == [], f"run {runs} asked again for what was kept: {service.twice}"
            flying += service.flying
            typer.echo(
                f"run {runs}: the same results; {kills} kills so far; {len(service.kept)} replies were kept at them, "
                f"0 asked again; {service.flying} in flight were",
            )
        typer.echo(
            f"{kills} kills over {runs} runs, 0 kept replies asked for again, {flying} in flight were; at: "
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
