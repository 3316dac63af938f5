"""The environment of a run: versions, and the commit of the repository that its suite is in."""

import platform
import subprocess
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from raft.release import release

PACKAGES: Sequence[str] = ("inspect-ai", "chromadb", "scikit-learn", "rouge-score")


def environment(suite: Path | None) -> dict[str, str]:
    """The versions of Python, of RATF and of PACKAGES, and the commit of the suite where it is in a repository."""
    return {
        "python": platform.python_version(),
        "ratf": release(),
        **{p: version(p) for p in PACKAGES},
        **commit_of(suite),
    }


def commit_of(suite: Path | None) -> dict[str, str]:
    """The suite's `commit`, and as `uncommitted` whether tracked files differed from it. Empty without git."""
    if suite is None:
        return {}
    head = _git(suite.resolve().parent, "rev-parse", "HEAD")
    changes = _git(suite.resolve().parent, "status", "--porcelain", "--untracked-files=no")
    if not head or changes is None:
        return {}
    return {"commit": head, "uncommitted": "yes" if changes else "no"}


def _git(folder: Path, *words: str) -> str | None:
    # a repository's own settings start no program here
    command = ["git", "-c", "core.fsmonitor=false", "--no-optional-locks", *words]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
