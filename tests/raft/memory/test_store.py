import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import httpx
import numpy as np
import pytest

from raft.errors import RaftError
from raft.memory.store import ChromaStore, collection_name
from raft.types import Chunk

DAYS = [date(2020, 1, 1), date(2020, 1, 2), date(2020, 1, 3), None]
VECTORS = np.array([[1, 0], [0.8, 0.6], [1, 0], [0, 1]], dtype=np.float32)
ACROSS = np.array([[1, 0]], dtype=np.float32)


def piece(name: str, day: date | None) -> Chunk:
    return Chunk(name, "d", "t", "s", day, 3, 8, name)


PIECES = [piece(f"c{i}", d) for i, d in enumerate(DAYS)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Chroma server on loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    chroma = Path(sys.executable).parent / "chroma"
    command = [chroma, "run", "--path", tmp_path_factory.mktemp("server"), "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    while True:
        try:
            if httpx.get(f"{url}/api/v2/heartbeat").is_success:
                break
        except httpx.TransportError:
            assert process.poll() is None and time.monotonic() < deadline, "the Chroma server did not start"
            time.sleep(0.05)
    yield url
    process.terminate()
    process.wait()


@pytest.fixture(params=["folder", "server"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ChromaStore:
    place = tmp_path if request.param == "folder" else str(request.getfixturevalue("server"))
    return ChromaStore(place, collection_name(tmp_path.name, str(request.param)))


def names(store: ChromaStore, before: date | None, k: int = 5, alike: float | None = None) -> list[str]:
    return [c.chunk_id for c, _ in store.recall(ACROSS, [before], k, alike)[0]]


def test_recall_is_strictly_earlier_and_in_order(store: ChromaStore) -> None:
    assert names(store, date(2020, 1, 3)) == []
    for _ in range(2):  # adding again changes nothing
        store.add(PIECES, VECTORS)
    assert len(store) == 4 and store.ids() == {c.chunk_id: c.digest for c in PIECES}
    assert names(store, date(2020, 1, 3)) == ["c0", "c1", "c3"]
    assert names(store, date(2020, 1, 4)) == ["c0", "c2", "c1", "c3"], "ties go to the earlier id"
    assert names(store, date(2020, 1, 4), alike=0.95) == ["c0", "c1", "c3"]
    assert names(store, None) == ["c3"], "nothing dated is known to be older than an undated question"
    both = store.recall(VECTORS[[0, 3]], [date(2020, 1, 2), date(2020, 1, 4)], 1)
    assert both == [[(PIECES[0], 1.0)], [(PIECES[3], 1.0)]]
    store.remove(["c0"])
    assert names(store, date(2020, 1, 3)) == ["c1", "c3"]


def test_more_than_a_page_comes_back_whole(tmp_path: Path) -> None:
    store = ChromaStore(tmp_path, "many")
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((4100, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    chunks = [piece(f"c{i}", DAYS[0]) for i in range(len(vectors))]
    store.add(chunks, vectors)
    again = ChromaStore(tmp_path, "many")
    assert len(again.ids()) == 4100
    best = int(np.argmax(vectors.astype(np.float64) @ vectors[4099].astype(np.float64)))
    assert again.recall(vectors[4099:], [date(2021, 1, 1)], 1)[0][0][0] == chunks[best]


def test_no_server_is_told() -> None:
    with pytest.raises(RaftError, match=r"no Chroma server answers at http://127.0.0.1:9 .*chroma run"):
        ChromaStore("http://127.0.0.1:9", "person")
    with pytest.raises(RaftError, match="not the address of a Chroma server"):
        ChromaStore("localhost:8000", "person")
    with pytest.raises(RaftError, match="must hold no password") as error:
        ChromaStore("http://ada:hunter2@localhost:8000", "person")
    assert "hunter2" not in str(error.value)


def test_a_collection_is_named_by_all_its_parts() -> None:
    found = {
        collection_name(*parts)
        for parts in (["a", "b"], ["ab"], ["a-b"], ["A", "b"], ["ä", "b"], ["", "_"], ["x" * 300])
    }
    assert len(found) == 7
    assert all(3 <= len(n) <= 200 and n[0].isalnum() and n[-1].isalnum() for n in found)
    assert collection_name("powell", "local/all-minilm-l6-v2", "96").startswith("powell-local-all-minilm-l6-v2-96-")
