"""A sweep on Ray with two nodes, real processes: the same bytes, also where a worker is killed while it answers."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hosted import Hosted
from sweeps import said, sweep
from typer.testing import CliRunner

from raft.errors import RaftError
from ratf.cli import app
from ratf.sweep.resources import needs
from ratf.sweep.run import run_sweep

PEOPLE = ["ada", "bea"]


@pytest.fixture
def two_nodes(cache: Path, hosted: Hosted, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A cluster of two nodes with one processor each, which this process is connected to; its processes have our environment."""
    pytest.importorskip("ray", reason="Ray is not installed: pip install '.[ray]'")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    import ray
    from ray.cluster_utils import Cluster

    size = 80 * 2**20
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": size, "include_dashboard": False}
    )
    cluster.add_node(num_cpus=1, object_store_memory=size)
    ray.init(address=cluster.address, log_to_driver=False)
    yield cluster.address
    ray.shutdown()
    cluster.shutdown()


@pytest.mark.slow
def test_two_nodes_say_the_same_with_a_worker_killed(tmp_path: Path, two_nodes: str) -> None:
    path = sweep(tmp_path, PEOPLE)
    killed: list[int] = []

    def kill() -> None:
        until = time.monotonic() + 300
        while time.monotonic() < until and not killed:
            if any(
                '"answering"' in note.read_text("utf-8", "replace")
                for note in (tmp_path / "ray").glob("cells/*/progress.json")
            ):
                for pid in _tasks():
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)
                    return
            time.sleep(0.05)

    killer = threading.Thread(target=kill)
    killer.start()
    told: list[str] = []
    outcome = run_sweep(path, out=tmp_path / "ray", on="ray", tell=told.append)
    killer.join()
    assert killed and not outcome.failed and sum("(on " in line for line in told) == 2, told
    one = run_sweep(path, out=tmp_path / "one")
    assert one.results and one.results.verdict == "PASS"
    assert said(tmp_path / "ray") == said(tmp_path / "one")


def _tasks() -> list[int]:
    """The processes of Ray's that are at work on a cell, of this cluster alone."""
    listed = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()[1:]]
    above = {int(pid): int(parent) for pid, parent, _ in rows}

    def ours(pid: int) -> bool:
        while pid in above:
            if pid == os.getpid():
                return True
            pid = above[pid]
        return False

    return [int(pid) for pid, _, args in rows if args.startswith("ray::_one") and ours(int(pid))]


def test_what_a_cell_needs_is_read_or_refused() -> None:
    assert (
        needs("") == {"cpu": 1.0}
        and needs("gpu=1") == {"cpu": 1.0, "gpu": 1.0}
        and needs("cpu=2, gpu=0.5")["gpu"] == 0.5
    )
    for wrong in ("tpu=1", "gpu", "cpu=many", "gpu=-1"):
        with pytest.raises(RaftError, match="write cpu=N"):
            needs(wrong)


def test_without_ray_nothing_of_it_is_imported_and_with_it_it_must_be_there(tmp_path: Path) -> None:
    code = "import sys, ratf.cli, ratf.sweep.run, ratf.sweep.working.on_ray; sys.exit('ray' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    path = sweep(tmp_path, PEOPLE, interviews=3, questions=1, split={"held_out_interviews": 2})
    outcome = CliRunner().invoke(app, ["run", str(path), "--on", "elsewhere", "--out", str(tmp_path / "run")])
    assert outcome.exit_code == 2
    assert "write ray for a cluster" in outcome.output or "--on ray needs Ray" in outcome.output
    outcome = CliRunner().invoke(app, ["run", str(path), "--on", "ray", "--workers", "2"])
    assert outcome.exit_code == 2 and "give one of them" in outcome.output
