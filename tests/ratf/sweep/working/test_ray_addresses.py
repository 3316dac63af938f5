"""A cluster that runs already: by its address `ray://HOST:PORT`, and from inside a job that was submitted to it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest
from hosted import Hosted
from sweeps import said, sweep

from ratf.sweep.run import run_sweep

pytestmark = pytest.mark.slow
RAY = [sys.executable, "-m", "ray.scripts.scripts"]
JOBS = ("aiohttp", "aiohttp_cors", "colorful", "opencensus", "prometheus_client", "smart_open", "virtualenv")
"""What Ray's job server imports besides Ray: the extra `ray[default]`."""


@dataclass(frozen=True)
class Head:
    """A cluster of one machine, by its addresses."""

    client: str
    jobs: str


@pytest.fixture
def head(
    cache: Path, hosted: Hosted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[bool], Head]]:
    """Starts `ray start --head` on loopback with two processors, with or without its job server."""
    pytest.importorskip("ray", reason="Ray is not installed: pip install '.[ray]'")
    pytest.importorskip("grpc", reason="Ray's client server is not installed: pip install 'ray[client]'")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    started: list[subprocess.Popen[bytes]] = []

    def start(jobs: bool) -> Head:
        gcs, client, dashboard = free_ports(3)
        command = [*RAY, "start", "--head", "--block", "--node-ip-address=127.0.0.1", f"--port={gcs}"]
        command += [f"--ray-client-server-port={client}", "--num-cpus=2", f"--object-store-memory={80 * 2**20}"]
        command += [f"--include-dashboard={str(jobs).lower()}", f"--dashboard-port={dashboard}", "--dashboard-host=127.0.0.1"]  # fmt: skip
        told = tmp_path / "head.txt"
        with told.open("wb") as out:
            env = os.environ | {"PYTHONUNBUFFERED": "1"}
            started.append(subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=env))
        until = time.monotonic() + 120
        # the client's port answers before there is a cluster behind it
        while "Ray runtime started" not in told.read_text() or not all(map(answers, [client, *[dashboard] * jobs])):
            assert started[-1].poll() is None and time.monotonic() < until, told.read_text()
            time.sleep(0.1)
        return Head(f"ray://127.0.0.1:{client}", f"http://127.0.0.1:{dashboard}")

    yield start
    for process in started:
        process.terminate()
        process.wait(60)


def free_ports(number: int) -> list[int]:
    """So many ports of loopback that nobody listens at."""
    several = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [one.getsockname()[1] for one in several]
    for one in several:
        one.close()
    return ports


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def says_the_same(tmp_path: Path, before: list[str], on: str) -> None:
    """A sweep that is run by this command says what one process says."""
    path, out = sweep(tmp_path, ["ada", "bea"]), tmp_path / "ray"
    command = [*before, sys.executable, "-m", "ratf.cli", "run", str(path), "--out", str(out), "--on", on]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ), timeout=500)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    heard = done.stdout + done.stderr
    assert "PASS: good beats plain" in heard and heard.count("(on ") == 2, heard
    run_sweep(path, out=tmp_path / "one")
    assert said(out) == said(tmp_path / "one")


def test_a_cluster_elsewhere_is_named_by_its_address(tmp_path: Path, head: Callable[[bool], Head]) -> None:
    says_the_same(tmp_path, [], head(False).client)


@pytest.mark.skipif(
    not all(map(find_spec, JOBS)), reason="Ray's job server is not installed: pip install 'ray[default]'"
)
def test_a_job_uses_the_cluster_that_it_was_submitted_to(tmp_path: Path, head: Callable[[bool], Head]) -> None:
    says_the_same(tmp_path, [*RAY, "job", "submit", "--address", head(True).jobs, "--"], "ray")
