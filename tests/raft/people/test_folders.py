from pathlib import Path

import pytest

from raft.people.folders import folder_of, work_of


def test_a_bare_name_is_looked_for_among_the_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert folder_of("jane") == Path("people/jane")
    assert folder_of("./jane") == Path("jane") and folder_of("a/jane") == Path("a/jane")
    (tmp_path / "jane").mkdir()
    assert folder_of("jane") == Path("jane"), "a folder that is there goes first"
    assert work_of(Path("people/jane")) == Path("people/jane/work")
