"""One suite in one process, with two workers, and on a Ray cluster of two nodes of this machine: time, memory, same results.

    python benchmarks/two_nodes.py SUITE [--data FOLDER] [--out FOLDER] [--only one|workers|ray …]

Each way begins with nothing but the embedded models: no reply, adapter or vector is at hand. Memory is the greatest that one
process held. Ray's own processes are counted apart.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.bench.rows import fresh_cache, program

WAYS = ("one", "workers", "ray")
OWN = ("raylet", "gcs_server", "dashboard", "log_monitor", "agent.py", "monitor.py")
"""Words in the command lines of Ray's own processes."""


@contextmanager
def watched(peaks: dict[str, float]) -> Iterator[None]:
    """Keep the greatest memory of one worker, and of Ray's own processes together, in MB, while the block runs."""
    over = threading.Event()

    def watch() -> None:
        me = psutil.Process()
        while not over.wait(1):
            rays = 0.0
            for child in me.children(recursive=True):
                try:
                    held, line = child.memory_info().rss / 1e6, " ".join(child.cmdline())
                except psutil.Error:
                    continue
                if any(word in line for word in OWN):
                    rays += held
                else:
                    peaks["worker"] = max(peaks.get("worker", 0.0), held)
            peaks["ray"] = max(peaks.get("ray", 0.0), rays)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def two_nodes() -> Iterator[str]:
    """A cluster of two nodes with a core each, by its address."""
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    cluster.add_node(num_cpus=1, object_store_memory=80 * 2**20)
    try:
        yield str(cluster.address)
    finally:
        cluster.shutdown()


def digest(folder: Path) -> str:
    """The digest of all scores of a run, which must be the same whoever did the work."""
    found = hashlib.sha256()
    for path in sorted((folder / "scores").rglob("*.parquet")):
        found.update(path.read_bytes())
    return found.hexdigest()[:16]


def main() -> None:
    """Run the suite in each way, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path, default=Path("build/two-nodes"))
    parser.add_argument("--only", nargs="+", choices=WAYS, default=list(WAYS))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    # before any cache is made anew: Ray's workers take the environment of their node
    os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_AUTH_MODE="disabled")
    models = os.environ.get("RATF_CACHE")
    rows = []
    for way in given.only:
        os.environ.pop("RATF_CACHE", None)
        if models:
            os.environ["RATF_CACHE"] = models
        fresh_cache(given.out.resolve())
        command = [program("ratf"), "run", str(given.suite), "--out", str(given.out / way)]
        command += ["--data", str(given.data)] if given.data else []
        command += {"one": [], "workers": ["--workers", "2"], "ray": ["--on", "ray"]}[way]
        # two workers have a core each, one process has both
        os.environ.pop("OMP_NUM_THREADS", None)
        if way != "one":
            os.environ["OMP_NUM_THREADS"] = "1"
        peaks: dict[str, float] = {}
        with watched(peaks):
            if way == "ray":
                with two_nodes() as address:
                    took, said = _timed(command, {**os.environ, "RAY_ADDRESS": address})
            else:
                took, said = _timed(command, dict(os.environ))
        row = {
            "way": way,
            "seconds": round(took, 1),
            **{k: round(v) for k, v in peaks.items()},
            "scores": digest(given.out / way),
        }
        print(json.dumps(row), said, flush=True)
        rows.append(row)
    (given.out / "rows.json").write_text(json.dumps(rows, indent=1), "utf-8")


def _timed(command: list[str], environment: dict[str, str]) -> tuple[float, str]:
    """The seconds of a run, and its verdict. Raises SystemExit where it ends in an error."""
    start = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    took = time.perf_counter() - start
    if not done.stdout:
        sys.exit(done.stderr)
    return took, done.stdout.splitlines()[0]


if __name__ == "__main__":
    main()
