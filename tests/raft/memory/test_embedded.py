import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from raft.cli import app
from raft.errors import DataError, RaftError
from raft.memory.embedded import embed_writings, open_store
from raft.memory.mind import EMBED_AT_ONCE

HOSTED = ["--embedder", "openai/vectors"]


def write(folder: Path, texts: dict[str, str], day: str | None = "2020-01-01") -> Path:
    folder.mkdir(exist_ok=True)
    records = [{"doc_id": i, "title": i, "date": day, "source": "s", "text": text} for i, text in texts.items()]
    with (folder / "writings.jsonl").open("a", encoding="utf-8") as file:
        file.write("".join(json.dumps(r) + "\n" for r in records))
    return folder


@pytest.fixture
def ada(tmp_path: Path, models: Path) -> Path:
    return write(tmp_path / "ada", {"bees": "Bees swarm in May. " * 30, "geese": "Geese return in March."})


def raft(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_embed_cuts_first_and_a_second_run_embeds_nothing(ada: Path, hosted: Any) -> None:
    run = raft("embed", ada, *HOSTED)
    assert run.exit_code == 0 and "embedded" in run.stdout, run.output
    assert (ada / "work" / "chunks.jsonl").is_file()
    requests = len(hosted.embedded)
    again = raft("embed", ada, *HOSTED)
    assert "nothing to embed" in again.stdout and len(hosted.embedded) == requests


def test_one_more_post_embeds_only_its_passages(ada: Path, hosted: Any) -> None:
    raft("embed", ada, *HOSTED)
    hosted.embedded.clear()
    write(ada, {"owls": "Owls call at night."})
    assert "1 documents were new or changed" in raft("chunk", ada).stdout
    assert "1 embedded, 0 removed" in raft("embed", ada, *HOSTED).stdout
    assert hosted.embedded == [["Owls call at night."]]


def test_what_is_gone_or_changed_leaves_the_store(ada: Path, hosted: Any) -> None:
    raft("embed", ada, *HOSTED)
    (ada / "writings.jsonl").unlink()
    write(ada, {"geese": "Geese return in April."})
    hosted.embedded.clear()
    assert "1 embedded" in raft("embed", ada, *HOSTED).stdout and hosted.embedded == [["Geese return in April."]]
    store, _ = open_store(ada)
    assert list(store.ids()) == ["geese@0"]


def test_undated_writings_are_left_out_and_told(ada: Path, hosted: Any) -> None:
    write(ada, {"when": "Nobody knows when."}, day=None)
    run = raft("embed", ada, *HOSTED)
    assert "left out: 1 undated documents" in run.stderr and "Nobody" not in str(hosted.embedded)
    raft("chunk", ada, "--allow-undated")
    assert "1 embedded" in raft("embed", ada, *HOSTED).stdout and hosted.embedded[-1] == ["Nobody knows when."]


def test_the_size_of_passages_stays_as_chunk_made_them(ada: Path, hosted: Any) -> None:
    raft("chunk", ada, "--tokens", 24)
    many = len((ada / "work" / "chunks.jsonl").read_text().splitlines())
    assert f"{many} passages" in raft("embed", ada, *HOSTED).stdout
    assert "0 documents" in raft("chunk", ada).stdout


def test_a_killed_embed_loses_nothing(tmp_path: Path, models: Path, hosted: Any) -> None:
    ada = write(tmp_path / "ada", {f"d{n}": f"Post number {n} is about geese." for n in range(EMBED_AT_ONCE + 300)})
    command = [sys.executable, "-m", "raft.cli", "embed", str(ada), *HOSTED]
    started: list[subprocess.Popen[bytes]] = []

    def kill() -> None:
        if len(hosted.embedded) == 3:  # the first 512 are kept by now, in two requests
            started[0].send_signal(signal.SIGKILL)

    hosted.on_embedding = kill
    started.append(subprocess.Popen(command, env=dict(os.environ), stderr=subprocess.DEVNULL))
    assert started[0].wait() == -signal.SIGKILL
    with pytest.raises(RaftError, match="not embedded yet"):
        open_store(ada)
    hosted.embedded.clear()
    run = raft("embed", ada, *HOSTED)
    assert "812 passages; 300 embedded, 0 removed" in run.stdout, run.output
    assert len({t for part in hosted.embedded for t in part}) == 300
    assert len(open_store(ada)[0].ids()) == 812


def test_a_stale_or_missing_store_is_told(ada: Path, hosted: Any) -> None:
    with pytest.raises(RaftError, match="not embedded yet; run: raft embed"):
        open_store(ada)
    embed_writings(ada, "openai/vectors")
    store, _ = open_store(ada)
    write(ada, {"owls": "Owls call at night."})
    with pytest.raises(RaftError, match="has changed since it was embedded; run: raft embed"):
        open_store(ada)
    embed_writings(ada, "openai/vectors")
    store.remove(["geese@0"])
    with pytest.raises(RaftError, match="the store holds"):
        open_store(ada)


def test_bad_writings_write_nothing(ada: Path, hosted: Any) -> None:
    with (ada / "writings.jsonl").open("a") as file:
        file.write("{broken\n")
    with pytest.raises(DataError, match=r"writings.jsonl:3: not JSON"):
        embed_writings(ada, "openai/vectors")
    assert raft("embed", ada, "--embedder", "magic").exit_code == 2
    assert not (ada / "work").exists()


def test_no_secret_is_kept(ada: Path, hosted: Any) -> None:
    raft("embed", ada, *HOSTED)
    assert not any(b"sk-secret" in p.read_bytes() for p in ada.rglob("*") if p.is_file())
