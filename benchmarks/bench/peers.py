"""The rows of the two larger comparisons, which are programs of their own: engines that answer, and tuners."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.bench.rows import Row

HERE = Path(__file__).parent.parent
KEPT = HERE.parent / "build" / "bench"


def _measured(program: str, *arguments: str) -> Any:
    """What a program of this folder writes. Raises RuntimeError where it fails."""
    kept = KEPT / f"{Path(program).stem}-peers.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.unlink(missing_ok=True)
    command = [sys.executable, str(HERE / program), "--json", str(kept), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{program}: {(done.stderr.strip().splitlines() or ['no word'])[-1]}")
    return json.loads(kept.read_text("utf-8"))


def answering(quick: bool) -> list[Row]:
    """Tokens a second and memory of each engine that is installed, in turns with ours."""
    size = ["--prompts", "8", "--tokens", "64", "--rounds", "1"] if quick else ["--prompts", "32", "--rounds", "2"]
    size += [
        "--threads",
        os.environ.get("OMP_NUM_THREADS") or str(os.cpu_count()),
    ]  # what the page says of threads holds here
    found = []
    for row in (row for rows in _measured("answering.py", *size).values() for row in rows):
        if "failed" in row:
            found.append(
                Row(
                    "Answering",
                    "answers to prompts of 430 tokens",
                    "tokens/s",
                    "more",
                    None,
                    row["peer"],
                    None,
                    row["failed"],
                )
            )
            continue
        ours, theirs = row["ours"], row["theirs"]
        same = row["same_in_other_company"]
        note = "" if same is None else f"the peer's answers that stay the same in other company: {same:.0%}"
        what = f"{row['prompts']} prompts of 430 tokens, {row['tokens']} new tokens"
        found.append(Row("Answering", what, "tokens/s", "more", ours["rate"], row["peer"], theirs["rate"], note))
        found.append(
            Row(
                "Answering",
                f"{what}: memory",
                "MB at the peak",
                "less",
                ours["peak_mb"],
                row["peer"],
                theirs["peak_mb"],
            )
        )
    return found


def tuning(quick: bool) -> list[Row]:
    """Tokens a second and memory of each tuner that is installed, in turns."""
    size = ["--samples", "8", "--rounds", "1"] if quick else ["--samples", "24", "--rounds", "3"]
    made = _measured("tuning.py", *size)
    ours, *others = made["rows"]
    found = []
    for row in others:
        what = f"tune on {made['samples']} samples of the demo"
        found.append(
            Row("Tuning", what, "tokens/s", "more", ours["tokens_per_second"], row["tuner"], row["tokens_per_second"])
        )
        found.append(
            Row("Tuning", f"{what}: memory", "MB at the peak", "less", ours["peak_mb"], row["tuner"], row["peak_mb"])
        )
    if "trl" not in {row["tuner"] for row in others}:
        found.append(
            Row("Tuning", "tune with TRL", "tokens/s", "more", ours["tokens_per_second"], "trl", None, "not installed")
        )
    return found
