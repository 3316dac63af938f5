"""A lock is held by one process, says by which, and ends with it."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from raft.errors import RaftError
from raft.lock import locked, waiting

HOLD = "import sys, time; from pathlib import Path; from raft.lock import locked\nwith locked(Path(sys.argv[1]), 'x'): print('has it', flush=True); time.sleep(60)"


def other(path: Path) -> "subprocess.Popen[str]":
    """Another process, which holds the lock by now."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "has it\n"
    return process


def test_the_second_process_says_who_has_it_since_when(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.lock"
    process = other(path)
    try:
        with pytest.raises(RaftError) as caught, locked(path, "the folder"):
            pass
    finally:
        process.kill()
        process.wait()
    said = str(caught.value)
    assert said.startswith(f"the folder is in use by process {process.pid} on {socket.gethostname()} since 20")
    assert "UTC; wait for it with --wait" in said


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_process_leaves_no_lock(tmp_path: Path, how: signal.Signals) -> None:
    path = tmp_path / "a.lock"
    process = other(path)
    os.kill(process.pid, how)
    process.wait()
    mine = pytest.raises(RaftError, match=f"process {os.getpid()} on")
    with locked(path, "the folder"), mine, locked(path, "the folder"):
        pass
    with locked(path, "the folder"):
        pass


def test_who_waits_gets_it_when_it_is_free(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.lock"
    process = other(path)
    threading.Timer(1, process.kill).start()
    start = time.monotonic()
    with waiting(), locked(path, "the folder"):
        assert 0.5 < time.monotonic() - start < 30
    assert f"the folder is in use by process {process.pid}" in caplog.text
    process.wait()


def test_where_nothing_can_be_written_there_is_no_lock() -> None:
    with locked(Path("/proc/none/a.lock"), "the folder"):
        pass
