"""`python -m benchmarks.bench` measures all rows and writes docs/performance.md; `--quick` takes five minutes.

`--data` names the folder with the people of benchmarks/fed-chairs.yaml, for the rows that need them; `--only` one group.
A group that fails is named on the page with what it said; the others stand.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

from benchmarks.bench.rows import Row, read_rows, write_rows

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent.parent / "docs" / "performance.md"
KEPT = HERE.parent.parent / "build" / "bench"
PEERS = ("torch", "transformers", "inspect-ai", "scikit-learn", "rouge-score", "bert-score", "statsmodels", "xllamacpp")


def measure(folder: Path, data: Path | None, quick: bool) -> dict[str, Callable[[], list[Row]]]:
    """The groups of measurements by name, in the order of the page; each imports what it measures when it is called."""

    def answering() -> list[Row]:
        from benchmarks.bench.peers import answering

        return answering(quick)

    def tuning() -> list[Row]:
        from benchmarks.bench.peers import tuning

        return tuning(quick)

    def scoring() -> list[Row]:
        from benchmarks.bench.scoring import harness, texts

        return [*texts(folder, quick), *harness(folder / "harness", quick)]

    def starts() -> list[Row]:
        from benchmarks.bench.starts import starts

        return starts(data, quick)

    def memories() -> list[Row]:
        from benchmarks.bench.recall import embedding, recall

        return [*recall(quick), *embedding(folder, quick)]

    def size() -> list[Row]:
        from benchmarks.bench.size import reports, statistics

        return [*reports(folder / "harness" / "run-1", folder / "size", quick), *statistics(quick)]

    def install() -> list[Row]:
        from benchmarks.bench.install import installs

        return installs()

    return {f.__name__: f for f in (answering, tuning, scoring, starts, memories, size, install)}


def machine() -> str:
    """The processor, its cores that may be used, what it computes local models in, the memory and the versions, in a sentence."""
    from raft.models.local import best_dtype

    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines() if Path("/proc/cpuinfo").is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    versions = ", ".join(f"{name} {found}" for name in PEERS if (found := installed(name)))
    kind = str(best_dtype()).removeprefix("torch.")
    return (
        f"{names[0] if names else platform.machine()}, {cores} cores, {memory:.0f} GB, local models in {kind}; "
        f"Python {platform.python_version()}, {versions}"
    )


def installed(name: str) -> str:
    """The version of an installed package, or nothing."""
    try:
        return version(name)
    except ModuleNotFoundError:
        return ""


def number(value: float | None) -> str:
    """Three digits that count."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table(rows: Sequence[Row]) -> list[str]:
    """The rows of one group as a table of Markdown."""
    lines = ["| what | ours | beside | theirs | ours is so many times as good |", "|---|---|---|---|---|"]
    for row in rows:
        bar = f" (aim {row.bar}: {'reached' if row.reached else 'not reached'})" if row.bar else ""
        note = f"<br>{row.note}" if row.note else ""
        ratio = f"{row.ratio:.2f}" if row.ratio else ""
        lines.append(
            f"| {row.what}{note} | {number(row.ours)} {row.unit}{bar} | {row.peer} | {number(row.theirs)} | {ratio} |"
        )
    return lines


def page(groups: dict[str, list[Row]], failed: dict[str, str], quick: bool, about: str) -> str:
    """The page with all tables."""
    command = "make bench QUICK=1" if quick else "make bench"
    lines = [
        "# What it costs",
        "",
        "Each row has our figure beside that of a tool which does the same, or nearly the same. Both were measured in turns on one",
        "machine, and a figure is the median of its turns. A ratio above 1 says that ours is better. Machines differ, and one that is",
        "shared changes from hour to hour: the ratios say more than the figures.",
        "",
        f"`{command}` made this page on {date.today().isoformat()}: {about}.",
        "It measures with one thread for each process." if os.environ.get("OMP_NUM_THREADS") == "1" else "",
    ]
    for name in dict.fromkeys(row.group for rows in groups.values() for row in rows):
        lines += ["", f"## {name}", "", *table([row for rows in groups.values() for row in rows if row.group == name])]
    for name, said in failed.items():
        lines += ["", f"**{name}** was not measured: {said}"]
    reasons = HERE / "reasons.md"
    if reasons.is_file():
        lines += ["", reasons.read_text("utf-8").strip()]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, keep the rows in build/bench, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--only", action="append", help="a group to measure; the rest is taken from the last time")
    parser.add_argument("--group", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.group:
        write_rows(KEPT / f"{given.group}.json", measure(given.folder, given.data, given.quick)[given.group]())
        return
    failed: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as place:
        names = list(measure(Path(place), given.data, given.quick))
        for name in names:
            if given.only and name not in given.only:
                continue
            print(f"{name} …", flush=True)
            # each in a process of its own, so that none has the memory or the caches of those before it
            command = [sys.executable, "-m", "benchmarks.bench", "--group", name, "--folder", place]
            command += ["--quick"] if given.quick else []
            command += ["--data", str(given.data)] if given.data else []
            done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
            if done.returncode:
                failed[name] = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1][:300]
                (KEPT / f"{name}.json").unlink(missing_ok=True)
                print(f"{name}: {failed[name]}", flush=True)
            else:
                for row in read_rows(KEPT / f"{name}.json"):
                    ratio = f", {row.ratio:.2f} times as good" if row.ratio else ""
                    print(
                        f"  {row.what}: {number(row.ours)} {row.unit}, {row.peer or 'no peer'} {number(row.theirs)}{ratio}"
                    )
        groups = {name: read_rows(path) for name in names if (path := KEPT / f"{name}.json").is_file()}
        about = machine()
    PAGE.write_text(page(groups, failed, given.quick, about), "utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
