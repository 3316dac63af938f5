import functools
import gc
import importlib
import json
import logging
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from commands import LIBRARIES, Command, command
from filelock import FileLock
from hosted import Hosted
from hypothesis import HealthCheck, settings
from openai_server import Brain, OpenAIServer
from places import REPOSITORY, people
from website import Site

from raft.models.weights import fetch, quiet

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# a busy machine makes no example wrong
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

SHARED = Path(os.environ.get("RATF_TEST_DATA", REPOSITORY.parent / "shared" / "data"))

LONGEST = [
    "memory", "flow", "fault_matrix", "ci_recipes", "judging", "replay", "same_bytes", "twins", "wheel",
    "planted_agents", "grid", "questions", "on_ray", "notebook", "adding", "voice_people", "attacks", "services",
    "first_hour", "voice_flow", "fuzz", "other_scripts", "judge_server", "answered", "store", "budget", "pipeline",
    "voice", "plan", "questions_browser", "openai_tuner", "style", "bundle", "import_forms", "hindsight", "run",
    "additions", "collect", "cli", "speaking", "damaged", "errors", "own", "leaks", "scorers", "gate", "check",
]  # fmt: skip
"""Files by what they take, the dearest first; the order of the rest does not matter."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden", action="store_true", help="write tests/golden anew, to be reviewed as a diff")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files: no worker is left alone with one at the end."""
    rank = {f"test_{name}": at for at, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))


def pytest_collection_finish() -> None:
    """Spare the garbage collector what stays until the end: statsmodels alone calls it for every correction.

    A worker needs the large libraries sooner or later; now, they are spared as well.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        for name in LIBRARIES:
            importlib.import_module(name)
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def warned() -> Iterator[None]:
    """An evaluation with Inspect raises the root logger's level, also in a fixture of a whole file: each test has it afresh."""
    root = logging.getLogger()
    root.setLevel(logging.WARNING)
    yield
    root.setLevel(logging.WARNING)


ENCODED = ("vectors", "bertscores")
"""The kinds that are kept of the embedded encoder. No test plants another in its place, and its weights are in the digest."""

READ = (*ENCODED, "fluency", "gains")
"""The kinds that are kept of all embedded models: in a process of its own, a command has the real ones."""


@pytest.fixture(scope="session")
def together(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this session share, and no other session."""
    here = tmp_path_factory.getbasetemp()
    return here.parent if "PYTEST_XDIST_WORKER" in os.environ else here


@pytest.fixture(scope="session")
def encoded(together: Path) -> Callable[..., None]:
    """Links what embedded models make of texts into a folder of what is kept: it is made once in this session."""

    def link(made: Path, kinds: Sequence[str] = READ) -> None:
        made.mkdir(exist_ok=True)
        for kind in kinds:
            (together / "encoded" / kind).mkdir(parents=True, exist_ok=True)
            (made / kind).symlink_to(together / "encoded" / kind)

    return link


@pytest.fixture(autouse=True)
def nothing_kept(
    encoded: Callable[..., None], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What other models make of texts is kept for this test alone: a planted model must not answer for a real one later."""

    @functools.cache
    def folder() -> Path:
        made = tmp_path_factory.mktemp("made")
        encoded(made, ENCODED)
        return made

    monkeypatch.setattr("raft.models.kept.made_folder", folder)


@pytest.fixture(scope="session")
def models(together: Path) -> Path:
    """The folder with the embedded models, fetched and converted by the first worker that wants them."""
    with FileLock(together / "models.lock"):
        for name in ("all-minilm-l6-v2", "smollm2-135m-instruct"):
            folder = fetch(name)
    return folder.parent


@pytest.fixture
def cache(models: Path, encoded: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of this test's own: the embedded models are there, adapters and replies are not."""
    folder = tmp_path / "cache"
    folder.mkdir()
    (folder / "models").symlink_to(models)
    encoded(folder / "made")
    monkeypatch.setenv("RATF_CACHE", str(folder))
    monkeypatch.setenv("INSPECT_CACHE_DIR", str(folder / "replies"))
    monkeypatch.setenv("RATF_CACHE_KEY", "of-the-tests")
    return folder


@pytest.fixture(scope="session")
def light_models(models: Path, tiny_base: Path, together: Path) -> Path:
    """A folder of models with the embedded ones' names: the encoder without its layers, and `tiny_base` for the other.

    Beside it, `made` keeps what they make of texts. The real ones take most of a tiny run's time.
    """
    folder = together / "light"
    with FileLock(together / "light.lock"):
        if not folder.is_dir():
            from transformers import AutoModel

            part = together / "light.part"
            for real in models.glob("smollm2-*"):
                shutil.copytree(tiny_base, part / "models" / real.name)
            for real in models.glob("all-minilm-*"):
                light = part / "models" / real.name
                shutil.copytree(real, light, ignore=shutil.ignore_patterns("digests.json", "*.safetensors"))
                with quiet():  # the file has more layers than are asked for
                    encoder = AutoModel.from_pretrained(real, num_hidden_layers=0, local_files_only=True)
                encoder.save_pretrained(light)
            (part / "made").mkdir()
            part.rename(folder)
    return folder / "models"


@pytest.fixture
def light_cache(cache: Path, light_models: Path) -> Path:
    """`cache` for a command in a process of its own whose texts do not matter: the embedded models are light ones.

    In this process, a light model would answer for a real one later.
    """
    for name, there in (("models", light_models), ("made", light_models.parent / "made")):
        path = cache / name
        path.unlink() if path.is_symlink() else shutil.rmtree(path)
        path.symlink_to(there)
    return cache


TINY_SUITE = """\
name: tiny
person: marrack
impostors: [pell]
split: {held_out_interviews: 2, questions: 4, training_exchanges: 8}
memories: {k: 2}
training: {layers: 2, rank: 4, learning_rate: 0.001}
answers: {context_tokens: 256, max_words: 40, max_tokens: 12}
models: {grader: local/smollm2-135m-instruct}
seed: 3
contamination: false
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A suite file beside small cuts of the demo's people: 4 questions of 2 interviews, 8 exchanges to learn from."""
    folder = tmp_path / "suite"
    people(folder)
    (folder / "tiny.yaml").write_text(TINY_SUITE, "utf-8")
    return folder / "tiny.yaml"


@pytest.fixture
def tiny_at_once(tiny: Path, tiny_base: Path) -> Path:
    """The tiny suite with `tiny_base` for its base model and its grader: a whole run in half the time."""
    text, base = tiny.read_text("utf-8"), f"local/{tiny_base}"
    for was, now in {
        "models: {grader: local/smollm2-135m-instruct}": f"models: {{base: {base}, grader: {base}}}",
        "layers: 2, rank: 4": "rank: 2",
    }.items():
        assert was in text
        text = text.replace(was, now)
    tiny.write_text(text, "utf-8")
    return tiny


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """Debian's chromium, one for each module that wants it."""
    from browser import launched

    with launched() as browser:
        yield browser


@pytest.fixture
def shared() -> Path:
    """Real interviews, where they are at hand."""
    if not SHARED.is_dir():
        pytest.skip(f"no data in {SHARED}; RATF_TEST_DATA names another folder")
    return SHARED


@pytest.fixture
def site() -> Iterator[Site]:
    """A site of this test's own on loopback, empty."""
    with Site().running() as site:
        yield site


@pytest.fixture
def hosted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hosted]:
    """`openai/…` models of this test's own."""
    service = Hosted()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            reply = service.answer(self.path, body)
            content = json.dumps(reply or {"error": {"message": "bad request"}}).encode()
            self.send_response(200 if reply else 400)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{server.server_port}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-of-the-test")
    yield service
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def ratf() -> Command:
    """The command as a user runs it; keyword arguments are environment variables."""
    return command("ratf.cli")


@pytest.fixture(scope="session")
def raft() -> Command:
    """The other command, likewise."""
    return command("raft.cli")


@pytest.fixture(scope="session")
def edit_line() -> Callable[[Path, int, Any], None]:
    """Change a line (from 1) of a JSONL file: keys to set (None removes one), or the line's new text."""

    def edit(path: Path, number: int, change: dict[str, object] | str) -> None:
        lines = path.read_text("utf-8").splitlines()
        if isinstance(change, str):
            lines[number - 1] = change
        else:
            record = json.loads(lines[number - 1]) | change
            lines[number - 1] = json.dumps({k: v for k, v in record.items() if v is not None}, ensure_ascii=False)
        path.write_text("\n".join(lines) + "\n", "utf-8")

    return edit


@pytest.fixture(scope="session")
def brain() -> Brain:
    """The real model behind `openai_server`, shared by all tests; started by the first that asks it something."""
    return Brain()


@pytest.fixture
def openai_server(brain: Brain, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    """OpenAI on loopback: the environment of this test, and of the commands that it runs, leads there."""
    with OpenAIServer(brain) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-tests")
        yield server


@pytest.fixture(scope="session")
def tiny_base(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model too small to say anything, which tunes in a moment: two layers of random weights."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("base")
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(next(models.glob("smollm2-*")), local_files_only=True)
    sizes = {
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "attention_dropout": 0.1,
    }
    config = LlamaConfig(vocab_size=len(tokenizer), max_position_embeddings=512, tie_word_embeddings=True, **sizes)
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
