"""A single wrong byte of weights is told, and they are not used."""

import os
import time
from pathlib import Path

import pytest

from raft.errors import RaftError
from raft.models.digests import DIGESTS, damage, keep_digests, must_be_whole


def flip(path: Path, at: int = -1) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_a_flipped_byte_a_missing_file_and_flipped_digests_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"w" * 1000)
    (tmp_path / "config.json").write_text("{}")
    must_be_whole(tmp_path, "fetch it", adopt=False)
    assert not (tmp_path / DIGESTS).exists(), "nothing is taken on trust unless asked"
    must_be_whole(tmp_path, "fetch it", adopt=True)
    assert damage(tmp_path) == ""
    flip(tmp_path / "a.safetensors", 500)
    (tmp_path / "config.json").unlink()
    with pytest.raises(RaftError, match=r"a\.safetensors, config\.json: not as it was written.*not used; fetch it"):
        must_be_whole(tmp_path, "fetch it", adopt=True)
    flip(tmp_path / "a.safetensors", 500)
    keep_digests(tmp_path)
    assert damage(tmp_path) == ""
    flip(tmp_path / DIGESTS, 0)
    assert damage(tmp_path) == DIGESTS


def test_300_mb_are_looked_at_in_about_a_second(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(os.urandom(1 << 20) * 300)
    keep_digests(tmp_path)
    start = time.process_time()
    assert damage(tmp_path) == ""
    assert time.process_time() - start < 3, "a second, but for a slow machine"
