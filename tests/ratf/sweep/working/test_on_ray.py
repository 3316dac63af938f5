"""A sweep on Ray with two nodes, real processes: the same bytes, also where a worker is killed while it answers."""

import functools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hosted import Hosted
from stores import s3
from sweeps import said, sweep
from typer.testing import CliRunner

from ratf.cli import app
from ratf.results.store.address import scratch
from ratf.sweep.run import run_sweep

PEOPLE = ["ada", "bea"]


@pytest.fixture
def clusters(cache: Path, hosted: Hosted, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Starts clusters of so many nodes with one processor each, whose processes have our environment.

    `caches` are folders of their own for the nodes, as machines have that share none.
    """
    pytest.importorskip("ray", reason="Ray is not installed: pip install '.[ray]'")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    import ray
    from ray.cluster_utils import Cluster

    size, started = 80 * 2**20, []

    def start(nodes: int, caches: Sequence[Path] = ()) -> Any:
        own = [{"env_vars": {"RATF_CACHE": str(folder)}} for folder in caches] or [{}] * nodes
        head = {"num_cpus": 1, "object_store_memory": size, "include_dashboard": False, **own[0]}
        cluster = patiently(lambda: Cluster(initialize_head=True, head_node_args=head))
        started.append(cluster)
        for more in own[1:]:
            patiently(functools.partial(cluster.add_node, num_cpus=1, object_store_memory=size, **more))
        return cluster

    yield start
    ray.shutdown()
    for cluster in started:
        cluster.shutdown()


def patiently(start: Callable[[], Any]) -> Any:
    """What `start` returns; where a machine is busy, Ray gives a node up after half a minute, and it is tried again."""
    for _ in range(3):
        with suppress(Exception):
            return start()
    return start()


@contextmanager
def one_killed(task: str, begun: Callable[[], object], seconds: float) -> Iterator[list[int]]:
    """Kills one worker at a task of this name once the work has begun, and gives the list that then has its number."""
    killed: list[int] = []

    def kill() -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not killed:
            if pids := _tasks(task) if begun() else []:
                os.kill(pids[0], signal.SIGKILL)
                killed.append(pids[0])
            time.sleep(0.02)

    killer = threading.Thread(target=kill)
    killer.start()
    yield killed
    killer.join()


def _noted(nodes: Sequence[Path]) -> list[Path]:
    """The cells' notes of progress in the folders of the nodes."""
    return [note for folder in nodes for note in folder.glob("stores/*/cells/*/progress.json")]


@pytest.mark.slow
def test_two_nodes_say_the_same_with_the_head_restarted_and_a_worker_killed(
    tmp_path: Path, clusters: Callable[[int], Any]
) -> None:
    import ray

    path, out = sweep(tmp_path, PEOPLE), tmp_path / "ray"
    _head_is_lost_after_a_phase(path, out, clusters(1))
    ray.init(address=clusters(2).address, log_to_driver=False)
    for note in out.glob("cells/*/progress.json"):  # of the start that was lost
        note.unlink()
    told: list[str] = []
    with one_killed(": answer", lambda: _answering(out), 600) as killed:
        outcome = run_sweep(path, out=out, on="ray", tell=told.append)
    assert killed and not outcome.failed and sum("(on " in line for line in told) == 2, told
    one = run_sweep(path, out=tmp_path / "one")
    assert one.results and one.results.verdict == "PASS"
    assert said(out) == said(tmp_path / "one")


@pytest.mark.slow
def test_with_a_store_two_nodes_share_no_folder(
    tmp_path: Path, clusters: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import ray

    path = sweep(tmp_path, PEOPLE)
    one = run_sweep(path, out=tmp_path / "one")
    assert one.results and one.results.verdict == "PASS"
    nodes = [tmp_path / "north", tmp_path / "south"]
    for folder in nodes:
        folder.mkdir()
    with s3(monkeypatch) as bucket:
        place = f"{bucket}/village"
        ray.init(address=clusters(2, nodes).address, log_to_driver=False)
        told: list[str] = []
        begun = functools.partial(_noted, nodes)
        with one_killed(": cell", begun, 300) as killed:
            outcome = run_sweep(path, out=place, on="ray", tell=told.append)
        assert killed and not outcome.failed and sum("(on " in line for line in told) == 2, told
        assert said(scratch(place)) == said(tmp_path / "one")
        done = [{p.parent.name for p in folder.glob("stores/*/cells/*/logs")} for folder in nodes]
        assert done[0] | done[1] == set(PEOPLE), "each cell was done in the folder of a node"
        assert not list(scratch(place).glob("cells/*/logs")), "and none in the folder of the machine that asked"
        assert all("nothing to do" in end.said for end in run_sweep(path, out=place, on="ray").ended.values())


def _head_is_lost_after_a_phase(path: Path, out: Path, cluster: Any) -> None:
    """A run on a cluster that is lost, with whoever asked for it, as soon as one unit is done."""
    command = [
        sys.executable,
        "-c",
        "from ratf.cli import app; app()",
        "run",
        str(path),
        "--out",
        str(out),
        "--on",
        "ray",
    ]
    asking = subprocess.Popen(command, env={**os.environ, "RAY_ADDRESS": cluster.address})
    until = time.monotonic() + 600
    while not list(out.glob("cells/*/units/prepare.json")):
        assert asking.poll() is None and time.monotonic() < until, "it ended before a unit was done"
        time.sleep(0.02)
    asking.kill()
    cluster.shutdown()
    asking.wait()
    assert not (out / "results.json").exists()


def _answering(out: Path) -> bool:
    notes = out.glob("cells/*/progress.json")
    return any('"answering"' in note.read_text("utf-8", "replace") for note in notes)


def _tasks(what: str) -> list[int]:
    """The processes of Ray's that are at work on such units, of our clusters alone."""
    listed = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()[1:]]
    above = {int(pid): int(parent) for pid, parent, _ in rows}

    def ours(pid: int) -> bool:
        while pid in above:
            if pid == os.getpid():
                return True
            pid = above[pid]
        return False

    return [int(pid) for pid, _, args in rows if args.startswith("ray::") and what in args and ours(int(pid))]


def test_without_ray_nothing_of_it_is_imported_and_with_it_it_must_be_there(tmp_path: Path) -> None:
    code = "import sys, ratf.cli, ratf.sweep.run, ratf.sweep.working.processes, ratf.sweep.working.on_ray; sys.exit('ray' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    path = sweep(tmp_path, PEOPLE, interviews=3, questions=1, split={"held_out_interviews": 2})
    outcome = CliRunner().invoke(app, ["run", str(path), "--on", "elsewhere", "--out", str(tmp_path / "run")])
    assert outcome.exit_code == 2
    assert "write ray for a cluster" in outcome.output or "--on ray needs Ray" in outcome.output
    outcome = CliRunner().invoke(app, ["run", str(path), "--on", "ray", "--workers", "2"])
    assert outcome.exit_code == 2 and "give one of them" in outcome.output


@pytest.mark.parametrize(
    ("error", "asked"),
    [
        (
            ConnectionAbortedError("Initialization failure:\nTraceback:\nRuntimeError: the server for a client failed"),
            3,
        ),
        (ConnectionError("nobody listens there"), 1),
    ],
)
def test_a_cluster_that_fails_to_take_us_is_asked_again_and_then_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, asked: int
) -> None:
    calls = []

    def init(**given: object) -> None:
        calls.append(given)
        raise error

    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(is_initialized=lambda: False, init=init))
    path = sweep(tmp_path, PEOPLE, interviews=3, questions=1, split={"held_out_interviews": 2})
    outcome = CliRunner().invoke(
        app, ["run", str(path), "--on", "ray://127.0.0.1:10001", "--out", str(tmp_path / "run")]
    )
    assert outcome.exit_code == 2 and [call["address"] for call in calls] == ["ray://127.0.0.1:10001"] * asked
    last = str(error).splitlines()[-1]
    assert f"--on ray://127.0.0.1:10001: no cluster: {last}" in outcome.output and "Traceback" not in outcome.output
