"""Two starts of one sweep in one folder at the same time: they share the units, and say the same."""

import json
from pathlib import Path

import pytest
from commands import begin
from hosted import Hosted
from sweeps import said, sweep

from ratf.sweep.run import run_sweep


@pytest.mark.slow
def test_two_starts_at_the_same_time_share_the_work(tmp_path: Path, cache: Path, hosted: Hosted) -> None:
    path, out = sweep(tmp_path, ["ada", "bea"]), tmp_path / "both"
    files = [[str(tmp_path / f"{n}-{kind}.txt") for kind in ("out", "err")] for n in (1, 2)]
    for name in (name for pair in files for name in pair):
        Path(name).touch()
    both = [begin("ratf.cli", "run", path, "--out", out, said=pair) for pair in files]
    for process in both:
        process.join()
    heard = [Path(name).read_text("utf-8") for pair in files for name in pair]
    assert [p.exitcode for p in both] == [0, 0], heard
    assert sum("PASS: good beats plain" in text for text in heard) == 2, heard
    run_sweep(path, out=tmp_path / "one")
    assert said(out) == said(tmp_path / "one")
    results = json.loads((out / "cells" / "ada" / "results.json").read_text("utf-8"))
    assert results["verdict"] == "PASS" and not list(out.rglob("*.part"))
