"""A sweep says the same, to the byte, however its cells are spread; what was killed or failed is taken up again."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from hosted import Hosted
from sweeps import said, sweep

from ratf.sweep.run import SweepOutcome, run_sweep
from ratf.sweep.working import processes

PEOPLE = ["ada", "bea"]
MATRIX = {"seed": [1, 2]}


@pytest.mark.slow
def test_one_process_two_workers_with_one_killed_and_two_shards_say_the_same(
    tmp_path: Path, cache: Path, hosted: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "MOST_UNITS", 6)  # so that processes take the place of others
    path = sweep(tmp_path, PEOPLE, matrix=MATRIX)
    one = run_sweep(path, out=tmp_path / "one")
    assert one.results and one.results.verdict == "PASS", one.results
    assert len(one.results.cells) == 4 and not one.failed
    _two_workers_of_which_one_is_killed(path, tmp_path / "two")
    shares: list[SweepOutcome] = [run_sweep(path, out=tmp_path / "shards", shard=f"{k}/2") for k in (1, 2)]
    assert all(s.results is None for s in shares)
    assert sorted(n for s in shares for n in s.ended) == sorted(c.name for c in one.results.cells)
    told: list[str] = []
    joined = run_sweep(path, out=tmp_path / "shards", tell=told.append)
    assert sum("nothing to do" in line for line in told) == 4, "the shards' cells are not run again"
    assert joined.results and joined.results.verdict == "PASS"
    expected = said(tmp_path / "one")
    assert said(tmp_path / "two") == expected and said(tmp_path / "shards") == expected
    assert sum(name.startswith("scores/") for name in expected) == 4


def _two_workers_of_which_one_is_killed(path: Path, out: Path) -> None:
    def kill() -> None:
        """Kill the first worker as soon as it is answering."""
        until = time.monotonic() + 300
        while time.monotonic() < until:
            for note in out.glob("cells/*/*/progress.json"):
                if '"answering"' in note.read_text("utf-8", "replace") and (found := _workers()):
                    os.kill(found[0], signal.SIGKILL)
                    return
            time.sleep(0.05)

    def _workers() -> list[int]:
        import multiprocessing

        return [p.pid for p in multiprocessing.active_children() if p.name.startswith("worker") and p.pid]

    killer = threading.Thread(target=kill)
    killer.start()
    told: list[str] = []
    outcome = run_sweep(path, out=out, workers=2, tell=told.append)
    killer.join()
    assert any("ended with -9" in line for line in told), told
    assert not outcome.failed and not list((out / ".claims").glob("*"))
