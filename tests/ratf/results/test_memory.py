"""What a stranger's bundle may take: every bundle that is read, and every one that is refused, within a gigabyte."""

import subprocess
import sys
from pathlib import Path

import heavy
import pytest

PEAK = """
import sys
from ratf.cli import app
try:
    app(sys.argv[1:])
finally:
    print(open("/proc/self/status").read().split("VmHWM:")[1].split()[0], file=sys.stderr)
"""
"""The peak of the program itself in KiB: ru_maxrss also has that of the process which started it."""
WORST = ["questions", "scores", "cells", "memories", "votes", "wrong", "long memories", "long notes", "long samples"]


@pytest.mark.slow
@pytest.mark.parametrize("name", WORST)
def test_no_bundle_takes_more_than_a_gigabyte(name: str, tmp_path: Path) -> None:
    bundle = heavy.write(name, tmp_path / "a.ratf.zip")
    assert bundle.stat().st_size < 5_000_000, "it is small where it is packed"
    for command in (["verify", str(bundle)], ["leaderboard", str(bundle), "--out", str(tmp_path / "site")]):
        done = subprocess.run([sys.executable, "-c", PEAK, *command], capture_output=True, text=True, cwd=tmp_path)
        assert "Traceback" not in done.stderr, done.stderr[-2000:]
        assert done.returncode in (0, 1, 2)
        assert int(done.stderr.split()[-1]) < 976_562, f"KiB, that is a gigabyte: {command[0]}"
