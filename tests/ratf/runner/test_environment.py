"""The commit of a suite's repository."""

import subprocess
from pathlib import Path

import pytest

from ratf.runner.environment import commit_of, environment


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def test_the_commit_and_whether_anything_is_not_committed(tmp_path: Path) -> None:
    suite = tmp_path / "suite.yaml"
    suite.write_text("a: 1\n", "utf-8")
    git(tmp_path, "init", "-q")
    assert commit_of(suite) == {}, "there is no commit yet"
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "one")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "new").write_text("what a run makes is no change of the suite", "utf-8")
    assert commit_of(suite) == {"commit": git(tmp_path, "rev-parse", "HEAD"), "uncommitted": "no"}
    suite.write_text("a: 2\n", "utf-8")
    assert commit_of(suite)["uncommitted"] == "yes"


def test_without_repository_or_git_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit_of(tmp_path / "suite.yaml") == {} == commit_of(None)
    monkeypatch.setenv("PATH", "")
    assert "commit" not in environment(Path(__file__)) and environment(None)["ratf"]
