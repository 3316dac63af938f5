"""A worker that was lost leaves nothing behind that still runs."""

import multiprocessing
import os
import signal
import subprocess
import time
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path

import psutil
from sweeps import sweep

from ratf.sweep.sweep import open_sweep
from ratf.sweep.working.processes import TRIES, _hear, _Worker
from ratf.sweep.working.units import Board


def work(pipe: Connection) -> None:
    """What a worker does, as far as it matters here: it starts a server, and waits."""
    os.setpgid(0, 0)
    pipe.send(subprocess.Popen(["sleep", "600"]).pid)
    pipe.recv()


def test_the_server_of_a_worker_that_is_killed_is_stopped(tmp_path: Path) -> None:
    board = Board(open_sweep(sweep(tmp_path, ["ada", "bea"], questions=1)).cells[:1])
    unit = board.take()
    assert unit
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=work, args=(theirs,))
    process.start()
    theirs.close()
    server = ours.recv()
    worker, told = _Worker(process, ours, at=unit), list[str]()
    assert process.pid
    os.kill(process.pid, signal.SIGKILL)
    assert ours.poll(20)
    _hear(worker, board, "start", Counter({unit.name: TRIES - 2}), told.append)
    assert "ended with -9" in told[0] and board.take() == unit
    until = time.monotonic() + 20
    while psutil.pid_exists(server) and psutil.Process(server).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < until
        time.sleep(0.05)
