"""Every phase of a run × every fault: what is said, with which exit code, and that the results are the same afterwards.

A row is a phase or a command. A cell's fault lasts until its start has ended. All faults of a row strike one run, one
after the other, and when they are gone it is finished: its results must be those of a run that was left in peace. So
each start is also the recovery from the fault before. `CANNOT` says which cells there are not, and why.
"""

import os
import re
import resource
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from bound import bound
from faulty import Reply, failed, fine
from struck import REQUESTS, Child, Scripted, environment, said_by, suite
from typer.testing import CliRunner, Result

from ratf.cli import app

GIVE_UP = "0.05"
"""In minutes: how long a start that meets a fault waits for a service."""

SLOW = 1.0
"""In seconds: for so long the client of a hosted embedder waits for a reply here; it is two minutes outside."""


def silence() -> Reply:
    time.sleep(8)
    return fine("")


def cut() -> Reply:
    status, reply, _ = fine("")
    return status, reply, {"Content-Length": "100000"}


SERVICES: dict[str, Callable[[], Reply]] = {
    "401": lambda: failed(401, "No such key."),
    "429": lambda: failed(429, "Slow down."),
    "429 with Retry-After": lambda: (*failed(429, "Slow down.")[:2], {"Retry-After": "3600"}),
    "500": lambda: failed(500, "Broken."),
    "timeout": silence,
    "malformed JSON": lambda: (200, b'{"id": "1", "choices": [', {}),
    "empty choices": lambda: (200, {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [],
                                    "data": []}, {}),
    "closed stream": cut,
}  # fmt: skip
MACHINE = ("full disk", "read-only folder", "two processes", "SIGKILL")
COMMANDS: dict[str, list[str]] = {
    "check": ["check", "RUN", "--policy", "POLICY"],
    "report": ["report", "RUN"],
    "bundle": ["bundle", "RUN", "--out", "PLACE/run.zip"],
    "verify": ["verify", "BUNDLE", "--data", "DATA", "--record", "PLACE/verified.json"],
    "leaderboard": ["leaderboard", "RUN", "--out", "PLACE/site"],
}
"""What reads a finished run: capital words stand for its places."""

WHY = {
    "401": "401 No such key.",
    "429": "429 Slow down.",
    "429 with Retry-After": "429 Slow down.",
    "500": "500 Broken.",
    "timeout": "it took the request and did not reply",
    "malformed JSON": "the service's reply is no JSON: Expecting value",
    "empty choices": "the service's reply holds no message",
    "closed stream": "Connection error.",
}
"""What a service did, in the words of a run."""

FINAL = {"401", "malformed JSON", "empty choices"}
"""After these nobody asks again in the same start."""

KEPT = "the answers so far are kept: run again when the service replies, and the run continues where it stopped"
EMBEDDER = {
    "401": "openai/words: the service answered 401: No such key.",
    "429": "openai/words: the service answered 429: Slow down.",
    "429 with Retry-After": "openai/words: the service answered 429: Slow down.",
    "500": "openai/words: the service answered 500: Broken.",
    "timeout": "openai/words: the service took the request and did not reply in time",
    "malformed JSON": "openai/words: the service's reply cannot be read: Expecting value",
    "empty choices": "openai/words: the service's reply cannot be read: No embedding data received",
    "closed stream": "openai/words: no connection, or it was cut; check the network and OPENAI_BASE_URL",
}


def sentence(row: str, fault: str, model: str) -> str:
    """What a start says that meets a service's fault in this phase."""
    if row == "embedding":
        return f"error: {EMBEDDER[fault]}"
    if fault not in FINAL:
        return (
            f"NOT MEASURED: gave up after {GIVE_UP} minutes without one reply, the last trouble was {model}: "
            f"{WHY[fault]}"
        )
    return {
        "rephrasing": "passages could not be rephrased; the others are kept, so running it again asks only for these. The first: ",
        "answering": f"rag_only: 4 of 4 ended in an error: {WHY[fault]}",
        "examining": f"error: the judge voice could not sit its exam with {model}: {WHY[fault]}",
        "grading": f"error: {model}: {WHY[fault]}",
        "asking what is known": f"error: {model}: {WHY[fault]}",
    }[row]


CANNOT = {
    **{(command, fault): "it asks no service" for command in COMMANDS for fault in SERVICES},
    **{(command, "SIGKILL"): "each of its files is written whole or not at all" for command in COMMANDS},
    **{(command, "two processes"): "it waits for nobody: both write the same" for command in COMMANDS},
    **{("tuning", fault): "no arm here is tuned; tests/raft/tuning has these" for fault in (*SERVICES, *MACHINE)},
}
"""Cells that there are not, and why."""


@dataclass
class Row:
    """One run that all faults of a row strike."""

    name: str
    place: Path
    suite: Path
    service: Scripted
    variables: dict[str, str]
    told: list[str] = field(default_factory=list)

    @property
    def out(self) -> Path:
        return self.place / "run"

    @property
    def policy(self) -> Path:
        """Rules by which an undisturbed run passes."""
        path = self.place / "policy.yaml"
        path.write_text(yaml.safe_dump({"critical": ["errors 0", "unscored at most 0 % on length_ratio"]}), "utf-8")
        return path

    @property
    def model(self) -> str:
        role = {"rephrasing": "rephraser", "examining": "judge", "grading": "judge"}.get(self.name, "agent")
        return f"openai-api/{self.service.name}-{role}"

    def command(self) -> list[str]:
        # the judge is too seldom asked here to be admitted, and shall grade
        return ["run", str(self.suite), "--out", str(self.out), "--judge-anyway"]

    def start(self, *options: str) -> Result:
        """The command, in this process."""
        self.service.folder = self.out
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.variables.items():
                patch.setenv(name, value)
            return CliRunner().invoke(app, [*self.command(), *options])

    def begin(self, module: str = "ratf.cli") -> Child:
        """The command, as a process of its own."""
        self.service.folder = self.out
        return Child(module, *self.command(), **self.variables)


@pytest.fixture(scope="module")
def service() -> Iterator[Scripted]:
    with Scripted().running() as running:
        yield running  # type: ignore[misc]


@pytest.fixture(scope="module")
def data(service: Scripted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return suite(tmp_path_factory.mktemp("struck"), service)


@pytest.fixture(scope="module")
def peace(data: Path, service: Scripted, models: Path, tmp_path_factory: pytest.TempPathFactory) -> Row:
    """A run that was left in peace."""
    place = tmp_path_factory.mktemp("peace")
    row = Row("", place, data, service, environment(service, place / "cache", models))
    service.at = ""
    done = row.start()
    assert done.exit_code == 2 and done.stdout.startswith("NOT MEASURED"), (done.stdout, done.stderr)
    return row


@pytest.fixture(scope="module")
def rows(peace: Row, models: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Row]:
    made: dict[str, Row] = {}

    def row(name: str) -> Row:
        if name not in made:
            place = tmp_path_factory.mktemp("row")
            made[name] = Row(
                name, place, peace.suite, peace.service, environment(peace.service, place / "cache", models)
            )
        return made[name]

    return row


def test_the_table_has_every_cell() -> None:
    tested = {(row, fault) for row in REQUESTS for fault in (*SERVICES, *MACHINE)}
    tested |= {(command, fault) for command in COMMANDS for fault in ("full disk", "read-only folder")}
    assert not tested & set(CANNOT) and set(WHY) == set(EMBEDDER) == set(SERVICES)
    wanted = {(row, fault) for row in (*REQUESTS, "tuning", *COMMANDS) for fault in (*SERVICES, *MACHINE)}
    assert tested | set(CANNOT) == wanted


def test_a_run_in_peace_asks_in_every_phase_and_is_never_silent(peace: Row) -> None:
    """At each request somebody tells at least every ten seconds how far the run is."""
    assert set(peace.service.seen) == set(REQUESTS)
    assert peace.service.silent == set()


@pytest.mark.parametrize("fault", SERVICES)
@pytest.mark.parametrize("name", REQUESTS)
def test_a_faulty_service(
    rows: Callable[[str], Row], peace: Row, name: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if (name, fault) == ("embedding", "timeout"):
        monkeypatch.setattr("raft.models.names.TIMEOUT_SECONDS", SLOW)
    row = rows(name)
    row.service.at, row.service.strike = name, SERVICES[fault]
    asked = row.service.seen.get(name, 0)
    done = row.start(*([] if fault in FINAL else ["--give-up-after", GIVE_UP]))
    row.service.at = ""
    told = done.stdout + done.stderr
    assert row.service.seen.get(name, 0) > asked, told
    assert done.exit_code == 2 and "Traceback" not in told, told
    assert sentence(name, fault, row.model) in told, told
    judged = CliRunner().invoke(app, ["check", str(row.out), "--policy", str(row.policy)])
    assert judged.exit_code and "PASS" not in done.stdout + judged.stdout.partition("\n")[0], judged.stdout


def test_services_struck_and_all_is_as_it_was(rows: Callable[[str], Row], peace: Row) -> None:
    """The faults that pass by themselves come once more, one after the other, and are gone within the same start."""
    for name in REQUESTS:
        row = rows(name)
        left = iter([SERVICES["429"](), SERVICES["closed stream"]()])
        row.service.at, row.service.strike = name, partial(next, left, None)
        done = row.start()
        row.service.at = ""
        assert said_by(row.out) == said_by(peace.out), (name, done.stderr)


@pytest.fixture
def reached(rows: Callable[[str], Row]) -> Callable[[str, Callable[[Child], None]], tuple[int, str]]:
    """Begin a row's run as a process, do something to it when it first asks in the phase, and wait for its end."""

    def reach(name: str, do: Callable[[Child], None], module: str = "ratf.cli") -> tuple[int, str]:
        row, there, go = rows(f"{name}, by machine"), threading.Event(), threading.Event()

        def strike() -> None:
            there.set()
            go.wait(60)

        row.service.at, row.service.strike = name, strike
        child = row.begin(module)
        assert there.wait(120), "it never came there"
        row.service.at = ""
        try:
            do(child)
        finally:
            go.set()
        return child.ended()

    return reach  # type: ignore[return-value]


@pytest.mark.slow
@pytest.mark.parametrize("name", REQUESTS)
def test_a_faulty_machine(rows: Callable[[str], Row], peace: Row, reached: Any, name: str) -> None:
    """Each start of the row meets one of the four; then it is left in peace."""
    row = rows(f"{name}, by machine")

    def second_then_kill(child: Child) -> None:
        second = row.start()
        assert second.exit_code == 2 and "is in use by process" in second.stderr, second.stderr
        assert f"process {child.process.pid} on" in second.stderr and second.stderr.count("\n") == 1
        os.kill(child.process.pid, signal.SIGKILL)

    code, told = reached(name, second_then_kill)
    assert code == -signal.SIGKILL

    code, told = reached(name, lambda child: resource.prlimit(child.process.pid, resource.RLIMIT_FSIZE, (0, 0)))
    assert code == 2 and "Traceback" not in told, told
    assert re.search("^error: .*make room there", told, re.MULTILINE), told

    code, told = reached(name, lambda child: writable(row.out, False), "bound")
    writable(row.out, True)
    assert code == 2 and "Traceback" not in told, told
    assert re.search("^error: .*it must be allowed to read and write there", told, re.MULTILINE), told

    row.start()
    assert said_by(row.out) == said_by(peace.out)


def writable(folder: Path, wanted: bool) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod((0o700 if path.is_dir() else 0o600) if wanted else (0o500 if path.is_dir() else 0o400))


@pytest.fixture(scope="module")
def read(peace: Row, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Path], list[str]]:
    """The words of a command on a copy of the finished run."""
    bundle = peace.place / "peace.zip"
    assert CliRunner().invoke(app, ["bundle", str(peace.out), "--out", str(bundle)]).exit_code == 0

    def words(command: str, place: Path) -> list[str]:
        if not (place / "run").exists():
            shutil.copytree(peace.out, place / "run")
        given = {
            "RUN": place / "run",
            "PLACE": place,
            "BUNDLE": bundle,
            "DATA": peace.suite.parent,
            "POLICY": peace.policy,
        }
        return [re.sub("^[A-Z]+", lambda m: str(given[m[0]]), w) if w[0].isupper() else w for w in COMMANDS[command]]

    return words


@contextmanager
def full_disk() -> Iterator[None]:
    """No file of this process can grow inside the `with` block."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    writable(folder, False)
    try:
        with bound():
            yield
    finally:
        writable(folder, True)


@pytest.mark.parametrize("fault", ["full disk", "read-only folder"])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_cannot_write(
    read: Callable[[str, Path], list[str]], peace: Row, tmp_path: Path, command: str, fault: str
) -> None:
    words = read(command, tmp_path)
    with full_disk() if fault == "full disk" else read_only(tmp_path):
        struck = CliRunner().invoke(app, words)
    told = struck.stdout + struck.stderr
    assert "Traceback" not in told, told
    if command == "check":
        assert struck.stdout.startswith("PASS") and struck.exit_code == 0, told
        assert struck.stderr.startswith("note: check.json could not be written"), told
    else:
        hint = "make room there" if fault == "full disk" else "it must be allowed to read and write there"
        assert struck.exit_code == 2 and re.search(f"^error: .*{hint}", struck.stderr, re.MULTILINE), told
        assert "VERIFIED" not in struck.stdout
    after, elsewhere = CliRunner().invoke(app, words), tmp_path / "elsewhere"
    elsewhere.mkdir()
    peaceful = CliRunner().invoke(app, read(command, elsewhere))
    assert after.exit_code == peaceful.exit_code
    assert after.stdout == peaceful.stdout.replace(str(elsewhere), str(tmp_path))
