"""Pickles that somebody planted in the cache of replies do not run, and are not believed."""

import pickle
from pathlib import Path

import pytest
from faulty import Faulty
from inspect_ai.model import ModelOutput

from ratf.models.reply_cache import Sealed, sealed_replies
from ratf.runner.run import carry_out
from ratf.suite.study import Study


class Trap:
    """Writes a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


def test_planted_pickles_do_not_run_and_are_told(study: Study, faulty: Faulty, cache: Path, tmp_path: Path) -> None:
    first = carry_out(study, allow_leaks=True)
    entries = [path for path in (cache / "replies").rglob("*") if path.is_file()]
    assert len(entries) == 24
    sprung, trap = tmp_path / "sprung", pickle.dumps((None, Trap(tmp_path / "sprung")))
    for number, path in enumerate(entries):
        if number < 5:
            path.write_bytes(trap)
        elif number < 10:
            path.write_bytes(path.read_bytes()[:32] + trap)  # another's seal
        elif number < 12:
            path.write_bytes(pickle.dumps((None, ModelOutput.from_content("m", "What I never said."))))
    (cache / "replies" / "generate" / "of-nobody").write_bytes(trap)
    told: list[str] = []
    asked, study.folder = len(faulty.asked), tmp_path / "again"
    again = carry_out(study, allow_leaks=True, tell=told.append)
    assert not sprung.exists()
    assert len(faulty.asked) - asked == 12 and [line for line in told if line.startswith("ignored 12 replies in ")]
    assert again.questions == first.questions, "sealed replies are taken, the others are asked again"


def test_a_seal_is_of_one_user_one_file_and_these_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, theirs = Sealed(b"mine"), Sealed(b"theirs")
    path = tmp_path / "model" / "key"
    path.parent.mkdir()
    with path.open("wb") as file:
        mine.dump({"said": 1}, file)
    with path.open("rb") as file:
        assert mine.load(file) == {"said": 1}
    with path.open("rb") as file, pytest.raises(ValueError, match="not sealed"):
        theirs.load(file)
    other = path.with_name("another")
    other.write_bytes(path.read_bytes())
    with other.open("rb") as file, pytest.raises(ValueError, match="not sealed"):
        mine.load(file)
    path.write_bytes(path.read_bytes()[:-2] + b"9.")
    with path.open("rb") as file, pytest.raises(ValueError, match="not sealed"):
        mine.load(file)
    assert mine.ignored == 2


def test_the_secret_is_made_once_and_is_the_users_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from inspect_ai.model import _cache

    monkeypatch.delenv("RATF_CACHE_KEY", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    keys = []
    for _ in range(2):
        with sealed_replies() as sealed:
            assert _cache.pickle is sealed
            keys.append(sealed._key)
        assert _cache.pickle is pickle, "Inspect has moved: its cache does not call a module `pickle` any more"
    assert keys[0] == keys[1] and len(keys[0]) == 32
    (kept,) = (tmp_path / "ratf").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
