"""`ratf` and `raft` as a user runs them, each in a process of its own that need not read the modules again.

It is forked from one that has read torch and the other libraries, which takes nine seconds, and the project, which takes
one and a half. Nothing of the project works at import.
"""

import gc
import multiprocessing
import os
import runpy
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from subprocess import CompletedProcess

LIBRARIES = [
    "acp", "bert_score", "chromadb", "fastapi", "inspect_ai", "openai", "peft", "rouge_score.rouge_scorer", "scipy.stats",
    "sklearn.linear_model", "torch", "transformers", "transformers.models.bert.modeling_bert",
    "transformers.models.llama.modeling_llama",
]  # fmt: skip
PROJECT = [
    "ratf.sweep.run", "ratf.boards.site", "ratf.runner.collect", "ratf.scores.scorers", "ratf._registry",
    "raft.memory.mind", "raft.memory.store", "raft.models.embedders", "raft.tuning.lora",
]  # fmt: skip
forking = multiprocessing.get_context("forkserver")
forking.set_forkserver_preload([*LIBRARIES, *PROJECT])

Command = Callable[..., CompletedProcess[str]]


def program(module: str, arguments: Sequence[str], environment: Mapping[str, str], said: Sequence[str]) -> None:
    """What `python -m module` does, in this process."""
    gc.freeze()  # what was read before the fork stays: the collector would go through all of it again and again
    for number, path in enumerate(said, start=1):
        file = os.open(path, os.O_WRONLY | os.O_APPEND)
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    paths = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path]
    if not set(paths) <= set(sys.path):  # another copy of the project may be there, and is to be read
        for name in [name for name in sys.modules if name.partition(".")[0] in ("raft", "ratf")]:
            del sys.modules[name]
    sys.path[:0] = paths
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def begin(
    module: str, *arguments: object, said: Sequence[str] = (os.devnull, os.devnull), **environment: str
) -> BaseProcess:
    """A module that has begun to run as a program, here and with this environment, and the files that hear it."""
    words = [str(a) for a in arguments]
    process = forking.Process(target=program, args=(module, words, {**os.environ, **environment}, said))
    process.start()
    return process


def command(module: str) -> Command:
    """Runs a module as a program; keyword arguments are environment variables."""

    def run(*arguments: object, **environment: str) -> CompletedProcess[str]:
        with tempfile.NamedTemporaryFile() as out, tempfile.NamedTemporaryFile() as err:
            process = begin(module, *arguments, said=(out.name, err.name), **environment)
            process.join()
            told = [Path(file.name).read_text("utf-8") for file in (out, err)]
        assert process.exitcode is not None
        return CompletedProcess([module, *map(str, arguments)], process.exitcode, *told)

    return run
