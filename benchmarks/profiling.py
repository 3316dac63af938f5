"""Where the time of a run goes: its phases, and the ten functions that take most of it. `make profile` prints both."""

import cProfile
import os
import pstats
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

SHOWN = 10
"""So many functions are printed."""

HERE = Path(__file__).parent.parent


def profiled(work: Callable[[], object]) -> pstats.Stats:
    """What every function took while `work` ran, in seconds of the processor, in all threads that it started."""
    clock = time.thread_time
    profiles = [cProfile.Profile(clock)]
    run = threading.Thread.run

    def watched(thread: threading.Thread) -> None:
        profiles.append(cProfile.Profile(clock))
        profiles[-1].runcall(run, thread)

    threading.Thread.run = watched  # type: ignore[method-assign]
    try:
        profiles[0].runcall(work)
    finally:
        threading.Thread.run = run  # type: ignore[method-assign]
    return pstats.Stats(*profiles)


def dearest(stats: pstats.Stats, shown: int = SHOWN) -> str:
    """In Markdown: the functions that took most by themselves, without what they called."""
    rows = sorted(stats.stats.items(), key=lambda row: -row[1][2])[:shown]  # type: ignore[attr-defined]
    lines = ["| function | calls | its own seconds | with what it calls |", "|---|---|---|---|"]
    for (path, line, name), (_, calls, own, whole, _) in rows:
        lines.append(f"| {_where(path, line)} {name} | {calls:,} | {own:.1f} | {whole:.1f} |")
    return "\n".join(lines)


def _where(path: str, line: int) -> str:
    """The place of a function, from the folder that says most: the project's or the installed package's."""
    if path == "~":
        return "built in"
    parts = Path(path).parts
    if "site-packages" in parts:
        return f"{'/'.join(parts[parts.index('site-packages') + 1 :])}:{line}"
    return f"{Path(path).relative_to(HERE) if Path(path).is_relative_to(HERE) else Path(path).name}:{line}"


def phases(seconds: dict[str, float]) -> str:
    """In Markdown: the seconds of each phase, on the wall."""
    lines = ["| phase | seconds |", "|---|---|", *(f"| {name} | {of:.1f} |" for name, of in seconds.items())]
    return "\n".join([*lines, f"| in all | {sum(seconds.values()):.1f} |"])


def main() -> None:
    """Run the suite that is named, by default the demo, in a folder of its own, with replies of its own."""
    suite = sys.argv[1] if len(sys.argv) > 1 else str(HERE / "benchmarks" / "demo.yaml")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["INSPECT_CACHE_DIR"] = f"{folder}/replies"
        from ratf.runner.run import carry_out
        from ratf.suite.study import open_study

        told = []
        stats = profiled(lambda: told.append(carry_out(open_study(suite, None, Path(folder) / "run"))))
        print(phases(told[0].times["seconds"]), dearest(stats), sep="\n\n")


if __name__ == "__main__":
    main()
