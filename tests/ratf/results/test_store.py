"""A run's folder in a store: whole or not there, one of two that did the same, and errors that say what to do."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from stores import SECRET, s3

from raft.errors import DataError, RaftError
from ratf.results.store.address import is_address, local_path, scratch, told
from ratf.results.store.kept import MARK, kept, put, put_beside, take
from ratf.results.store.objects import Store


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    with s3(monkeypatch) as bucket:
        yield Store(f"{bucket}/village")


def finished(folder: Path, digest: str = "d1", said: str = "a", errors: int = 0) -> Path:
    """A folder that looks like a finished run's."""
    (folder / "logs").mkdir(parents=True, exist_ok=True)
    made = {"digest": digest, "said": said, "arms": {"good": {"errors": errors}}}
    (folder / "results.json").write_text(json.dumps(made), "utf-8")
    (folder / "report.html").write_text(f"<p>{said}", "utf-8")
    (folder / "logs/one.eval").write_bytes(said.encode() * 1000)
    (folder / "progress.json").write_text("{}", "utf-8")
    return folder


def said(folder: Path) -> str:
    return str(json.loads((folder / "results.json").read_text("utf-8"))["said"])


def test_addresses() -> None:
    assert is_address("s3://bucket/a") and is_address("memory://a")
    assert not is_address("runs/a") and not is_address("file:///runs/a") and not is_address("C:/runs")
    assert local_path("file:///runs/a") == Path("/runs/a") == local_path("/runs/a")
    assert local_path("file://localhost/runs/a") == Path("/runs/a")
    assert told("sftp://me:word@host/a?token=x") == "sftp://host/a"
    assert scratch("s3://bucket/a") != scratch("s3://bucket/b") and scratch("s3://b/a/") == scratch("s3://b/a")


@pytest.mark.parametrize(
    "address",
    [
        "s3://a-user:a-word-of-mine@bucket/a?sig=a-sign-of-mine",
        "http://a-user:a-word-of-mine@127.0.0.1:1/a?sig=a-sign-of-mine",
        "nosuch://a-user:a-word-of-mine@[bucket/a?sig=a-sign-of-mine",
        "s3://[bucket\x1b[31m/a",
    ],
)
def test_an_address_that_is_none_is_told_without_its_secrets(address: str) -> None:
    pytest.importorskip("s3fs", reason="s3fs is not installed")
    pytest.importorskip("aiohttp", reason="aiohttp is not installed")
    with pytest.raises(RaftError) as error:
        Store(address).read("whole.json")
    assert "of-mine" not in str(error.value) and "\x1b" not in str(error.value)


@pytest.mark.parametrize("name", ["a\0b", "a" * 300, "a\n\x1b[31mb", "results.json/x"])
def test_a_name_in_a_mark_that_is_none_here_is_told(name: str, tmp_path: Path) -> None:
    store = Store("memory://names")
    mark = {"format": 1, "digest": "d", "files": {name: "0" * 64}}
    (tmp_path / "results.json").write_text("{}", "utf-8")
    store._files.pipe_file("/names/a/whole.json", json.dumps(mark).encode())
    with pytest.raises(RaftError):
        take(store, "a", tmp_path)


def test_a_folder_goes_and_comes_back_without_what_only_a_further_start_needs(store: Store, tmp_path: Path) -> None:
    assert kept(store, "cells/ada") is None and take(store, "cells/ada", tmp_path / "b") is None
    assert put(store, "cells/ada", finished(tmp_path / "a"))
    mark = kept(store, "cells/ada")
    assert mark and mark.digest == "d1" and sorted(mark.files) == ["logs/one.eval", "report.html", "results.json"]
    assert take(store, "cells/ada", tmp_path / "b", "d1") == mark
    assert said(tmp_path / "b") == "a" and not (tmp_path / "b/logs").exists()
    take(store, "cells/ada", tmp_path / "b", "another study")
    assert (tmp_path / "b/logs/one.eval").read_bytes() == b"a" * 1000
    page = (store.read("cells/ada/report.html") or (b"", ""))[0].decode()
    assert f"url={mark.under}/report.html" in page and store.read(f"cells/ada/{mark.under}/report.html")
    names = store.names("cells")
    assert put(store, "cells/ada", tmp_path / "a") and store.names("cells") == names


def test_questions_that_are_to_be_asked_again_bring_their_logs_along(store: Store, tmp_path: Path) -> None:
    put(store, "", finished(tmp_path / "a", errors=1))
    take(store, "", tmp_path / "b", "d1")
    assert (tmp_path / "b/logs/one.eval").is_file()
    finished(tmp_path / "b", said="better")
    assert put(store, "", tmp_path / "b")
    take(store, "", tmp_path / "c")
    assert said(tmp_path / "c") == "better"
    assert len({name.split("/")[0] for name in store.names("")}) == 3, "the mark, the page, and one folder of files"


def test_of_two_that_did_the_same_one_counts_and_nothing_is_mixed(store: Store, tmp_path: Path) -> None:
    one, two = finished(tmp_path / "one", said="one"), finished(tmp_path / "two", said="two")
    first = Store.put

    def other_comes_first(self: Store, name: str, path: Path) -> None:
        """While the second puts its files, the first puts all of its own."""
        Store.put = first  # type: ignore[method-assign]
        assert put(store, "cells/ada", one)
        first(self, name, path)

    Store.put = other_comes_first  # type: ignore[method-assign]
    try:
        assert not put(store, "cells/ada", two)
    finally:
        Store.put = first  # type: ignore[method-assign]
    take(store, "cells/ada", tmp_path / "read")
    assert said(tmp_path / "read") == "one" and (tmp_path / "read/report.html").read_text("utf-8") == "<p>one"
    mark = kept(store, "cells/ada")
    assert mark and len(store.names("cells/ada")) == len(mark.files) + 2, "the other's files are gone"


def test_a_newer_run_takes_the_place_of_one_only_if_nobody_else_did(store: Store, tmp_path: Path) -> None:
    put(store, "", finished(tmp_path / "a"))
    _, version = store.read(MARK) or (b"", "")
    assert store.replace(MARK, b"x", version) and not store.replace(MARK, b"y", version)
    assert (store.read(MARK) or (b"", ""))[0] == b"x"
    assert not store.create(MARK, b"z")


KILLED = """
import os, sys
from pathlib import Path
from ratf.results.store.kept import put
from ratf.results.store.objects import Store
first, left = Store.put, [2]
def dies(self, name, path):
    if not left[0]:
        os.kill(os.getpid(), 9)
    left[0] -= 1
    first(self, name, path)
Store.put = dies
put(Store(sys.argv[1]), "cells/ada", Path(sys.argv[2]))
"""


def test_a_kill_while_files_are_put_leaves_nothing_that_counts(store: Store, tmp_path: Path) -> None:
    folder = finished(tmp_path / "a")
    ended = subprocess.run([sys.executable, "-c", KILLED, store.address, str(folder)], env=os.environ, check=False)
    assert ended.returncode == -9 and len(store.names("cells/ada")) == 2
    assert kept(store, "cells/ada") is None and take(store, "cells/ada", tmp_path / "b") is None
    finished(folder, said="later")
    assert put(store, "cells/ada", folder)
    take(store, "cells/ada", tmp_path / "b")
    mark = kept(store, "cells/ada")
    assert said(tmp_path / "b") == "later" and mark and len(store.names("cells/ada")) == len(mark.files) + 2


def test_what_lies_beside_loses_what_is_no_part_of_it_any_more(store: Store, tmp_path: Path) -> None:
    (tmp_path / "scores").mkdir()
    for name in ("sweep.json", "results.json", "scores/a", "scores/b"):
        (tmp_path / name).write_text(name, "utf-8")
    put_beside(store, tmp_path, ["sweep.json", "results.json", "scores/a", "scores/b"], "d")
    put_beside(store, tmp_path, ["sweep.json", "scores/a"], "d")
    assert store.names("") == ["scores/a", "sweep.json", MARK]
    take(store, "", tmp_path / "read")
    assert not (tmp_path / "read/scores").exists()
    take(store, "", tmp_path / "read", "another")
    assert (tmp_path / "read/scores/a").is_file()
    store.create("x", b"")
    store._files.pipe_file(f"{store.address}/sweep.json", b"another")
    with pytest.raises(RaftError, match=r"sweep\.json is not what was put there"):
        take(store, "", tmp_path / "again")
    assert not (tmp_path / "again/sweep.json").exists()


@pytest.mark.parametrize("name", ["../out", "/etc/out", "a/../../out", ".hidden", "a\\b"])
def test_a_mark_names_no_file_outside_of_the_folder(name: str, store: Store, tmp_path: Path) -> None:
    store.create(MARK, json.dumps({"format": 1, "digest": "d", "under": "", "files": {name: "0"}}).encode())
    with pytest.raises(DataError, match="not a mark of this version"):
        take(store, "", tmp_path / "a")


def test_what_is_wrong_is_a_sentence_that_says_what_to_do(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        RaftError, match=r"^s3://nowhere/a: .*; make the bucket or folder first, or name another with --out$"
    ):
        Store("s3://nowhere/a").must_take()
    with pytest.raises(RaftError, match=r"^strange://a: .*; write an address such as s3://BUCKET/FOLDER$"):
        Store("strange://a")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(f"no {SECRET} and {quote(SECRET)}\nhere")

    monkeypatch.setattr(store._files, "pipe_file", refuse)
    with pytest.raises(RaftError) as told:
        store.must_take()
    assert SECRET not in str(told.value) and "\n" not in str(told.value)
    assert "check that the credentials are right" in str(told.value) and "AWS_ACCESS_KEY_ID" in str(told.value)


def test_a_service_that_is_not_there(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(RaftError, match=r"and AWS_ENDPOINT_URL where the service is not Amazon's$"):
        Store(f"{store.address}/elsewhere").must_take()


def test_a_store_without_conditional_puts(tmp_path: Path) -> None:
    store = Store("memory://runs/plain")
    store.must_take()
    assert put(store, "cells/ada", finished(tmp_path / "a"))
    assert put(store, "cells/ada", finished(tmp_path / "a", said="newer"))
    take(store, "cells/ada", tmp_path / "b")
    mark = kept(store, "cells/ada")
    assert said(tmp_path / "b") == "newer" and mark and not any(n.endswith(".part") for n in store.names("cells/ada"))
    assert not store.create(f"cells/ada/{MARK}", b"x")
