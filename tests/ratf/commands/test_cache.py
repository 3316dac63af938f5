"""`ratf cache`: sizes by kind, and removing by kind and by age."""

import os
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from raft.models.kept import kept
from ratf.cli import app
from ratf.commands.cache import KINDS


def said(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["cache", *arguments])
    assert done.exit_code == code, done.output
    return done.output


def aged(path: Path, days: float) -> None:
    then = time.time() - days * 86_400
    for one in (path, *path.rglob("*")):
        os.utime(one, (then, then))


def vectors(of: str) -> None:
    kept("vectors", [of], lambda: {"vectors": np.ones((10, 100))})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with something of every kind."""
    monkeypatch.setenv("RATF_CACHE", str(tmp_path))
    monkeypatch.setattr("raft.models.kept.made_folder", lambda: tmp_path / "made")
    vectors("old")
    aged(tmp_path / "made", 40)
    vectors("new")
    for kind in KINDS:
        if kind != "made":
            (tmp_path / kind / "one").mkdir(parents=True)
            (tmp_path / kind / "one" / "file").write_text("x" * 50_000)
    (tmp_path / "mine.txt").write_text("not ours")
    return tmp_path


def files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_each_kind_is_shown_with_its_size_and_nothing_is_removed(home: Path) -> None:
    before = files(home)
    lines = said().splitlines()
    assert [line.split()[0] for line in lines[: len(KINDS)]] == list(KINDS) and str(home) in lines[-1]
    assert any(line.startswith("made ") and " in 2 " in line for line in lines)
    assert any(line.startswith("adapters ") and "0.1 MB in 1 " in line for line in lines)
    assert files(home) == before


def test_what_was_not_used_for_so_long_is_removed_and_made_again(home: Path) -> None:
    one, two = (f for f in files(home / "made") if f.endswith(".npz"))
    assert "0.0 MB in 1 removed of 0.0 MB in 2" in said("--remove", "made", "--unused-for", "30")
    (left,) = (f for f in files(home / "made") if f.endswith(".npz"))
    assert left in (one, two) and (home / "adapters" / "one" / "file").is_file()
    vectors("old")
    assert {one, two} <= set(files(home / "made"))


def test_a_folder_that_was_read_in_part_is_in_use(home: Path) -> None:
    aged(home / "adapters", 40)
    os.utime(home / "adapters" / "one" / "file", (time.time(), time.time() - 40 * 86_400))
    said("--remove", "adapters", "--unused-for", "30")
    assert files(home / "adapters") == ["one/file"]
    aged(home / "adapters", 40)
    said("--remove", "adapters", "--unused-for", "30")
    assert not (home / "adapters" / "one").exists()


def test_to_erase_a_person_everything_goes_but_models_and_what_is_not_ours(home: Path) -> None:
    said("--remove", "all")
    assert [f for f in files(home) if not Path(f).name.startswith(".")] == ["mine.txt", "models/one/file"]
    said("--remove", "models")
    assert "models/one/file" not in files(home)


def test_days_alone_remove_nothing(home: Path) -> None:
    before = files(home)
    assert "say what with --remove: all, models" in said("--unused-for", "3", code=2)
    assert files(home) == before
