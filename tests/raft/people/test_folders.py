from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from raft.errors import DataError
from raft.people.folders import FILES, PersonKey, folder_of, inside, same_person, work_of


def test_a_bare_name_is_looked_for_among_the_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert folder_of("jane") == Path("people/jane")
    assert folder_of("./jane") == Path("jane") and folder_of("a/jane") == Path("a/jane")
    (tmp_path / "jane").mkdir()
    assert folder_of("jane") == Path("jane"), "a folder that is there goes first"
    assert work_of(Path("people/jane")) == Path("people/jane/work")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Jane", "jane"),
        ("JANE", "jane"),
        ("jan\u00e9", "jane\u0301"),
        ("j\uff41ne", "jane"),
        ("stra\u00dfe", "STRASSE"),
    ],
)
def test_another_spelling_is_the_same_person(tmp_path: Path, one: str, other: str) -> None:
    assert same_person(tmp_path / one, tmp_path / other)
    assert not same_person(tmp_path / one, tmp_path / "pell")


def test_a_link_and_a_copy_are_the_same_person(tmp_path: Path) -> None:
    for name, said in (("jane", "a"), ("copy", "a"), ("pell", "b"), ("empty", ""), ("void", "")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "interviews.jsonl").write_text(said)
    (tmp_path / "link").symlink_to(tmp_path / "jane")
    jane = tmp_path / "jane"
    assert same_person(tmp_path / "link", jane) and same_person(tmp_path / "copy", jane)
    assert not same_person(tmp_path / "pell", jane) and not same_person(tmp_path / "empty", tmp_path / "void")


@pytest.mark.parametrize("what", ["folder", *FILES])
def test_no_link_leads_out_of_the_folder(tmp_path: Path, what: str) -> None:
    home, outside = tmp_path / "home", tmp_path / "outside"
    home.mkdir()
    outside.mkdir()
    (outside / "secret").write_text("x")
    if what == "folder":
        (home / "jane").symlink_to(outside)
    else:
        (home / "jane").mkdir()
        (home / "jane" / what).symlink_to(outside / "secret")
    with pytest.raises(DataError, match="leads out of"):
        inside(home, "jane")


def test_a_circle_of_links_is_told(tmp_path: Path) -> None:
    (tmp_path / "jane").symlink_to(tmp_path / "joan")
    (tmp_path / "joan").symlink_to(tmp_path / "jane")
    with pytest.raises(DataError, match=r"lead in a circle|leads out"):
        inside(tmp_path, "jane")


@pytest.mark.parametrize(
    "name", ["../x", "/x", "./x", "a/b", "..", ".", "", "x/", "\u202ex", "a\nb", "~", "a" * 101, "\uff0e\uff0e"]
)
def test_only_a_plain_name_is_the_key_of_a_person(name: str) -> None:
    with pytest.raises(ValidationError, match="is not the name of a person's folder"):
        TypeAdapter(PersonKey).validate_python(name)
