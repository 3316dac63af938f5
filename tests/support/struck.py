"""A whole run on a scripted service that can be struck in any of its phases, here or as a process of its own."""

import hashlib
import json
import os
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from zlib import crc32

import yaml
from commands import begin
from faulty import KEY, Faulty, Reply, fine, said
from hosted import words
from places import people

from ratf.results.results import Results, load

REQUESTS = ("embedding", "rephrasing", "answering", "examining", "grading", "asking what is known")
"""The phases of a run that ask a service, in their order."""


@dataclass
class Scripted(Faulty):
    """Answers everything that a run asks; `act` is not used. `strike` is called for each request of the phase `at`.

    It returns the reply that is sent in place of the right one, or None for the right one.
    """

    folder: Path = Path()
    """The run's folder: whether the judges' exam is over is seen there."""
    at: str = ""
    strike: Callable[[], Reply | None] = lambda: None
    seen: dict[str, int] = field(default_factory=dict)
    """The number of requests of each phase."""
    silent: set[str] = field(default_factory=set)
    """The phases with a request at which nobody was telling how far the run is."""

    @property
    def name(self) -> str:
        """Of the service in models' names: Inspect keeps models, and each service has its own port."""
        return f"faulty/{self.url[17:22]}"

    def answer(self, path: str, body: dict[str, Any]) -> Reply:
        phase = self._phase(path, body)
        self.seen[phase] = self.seen.get(phase, 0) + 1
        if not any(thread.name == "progress" for thread in threading.enumerate()):
            self.silent.add(phase)
        if phase == self.at and (reply := self.strike()) is not None:
            return reply
        self.right(phase, hashlib.sha256(json.dumps(body).encode()).hexdigest())
        return self._right(phase, body)

    def right(self, phase: str, digest: str) -> None:
        """Note that a request, known by its digest, gets its right reply."""

    def _phase(self, path: str, body: dict[str, Any]) -> str:
        if path.endswith("/embeddings"):
            return "embedding"
        model = body["model"]
        if model.endswith("rephraser"):
            return "rephrasing"
        if model.endswith("judge"):
            return "grading" if (self.folder / "judges.json").exists() else "examining"
        # the base model is also asked to go on with answers, and, without the person's name, to answer
        said = json.dumps(body["messages"])
        alone = "Reply with the text alone." in said or "Tove Marrack" not in said
        return "asking what is known" if alone else "answering"

    def _right(self, phase: str, body: dict[str, Any]) -> Reply:
        if phase == "embedding":
            data = [{"object": "embedding", "index": i, "embedding": words(t)} for i, t in enumerate(body["input"])]
            return (
                200,
                {"object": "list", "model": "m", "data": data, "usage": {"prompt_tokens": 1, "total_tokens": 1}},
                {},
            )
        last = body["messages"][-1]["content"]
        if phase == "rephrasing":
            passage = re.search(r"⟦passage⟧\n(.*?)\n⟦end of", last, re.DOTALL)
            evidence = " ".join(passage[1].split()[:8]) if passage else ""
            return said(json.dumps({"useful": True, "memory": f"I wrote: {evidence}", "evidence": evidence}))
        if phase in ("examining", "grading"):
            return said('{"choice": "%s"}' % ("Yes" if crc32(last.encode()) % 2 else "No"))
        return fine(json.dumps(body["messages"], ensure_ascii=False))


def suite(folder: Path, service: Scripted) -> Path:
    """A suite file beside its people: two arms, two controls, a judge, a rephraser and an embedder, all of the service."""
    people(folder)
    name = f"openai-api/{service.name}"
    settings = {
        "name": "struck",
        "person": "marrack",
        "impostors": ["pell"],
        "split": {"held_out_interviews": 2, "questions": 4, "training_exchanges": 4},
        "memories": {"k": 1, "rephraser": f"{name}-rephraser"},
        "answers": {"context_tokens": 400, "max_words": 40, "max_tokens": 60, "history": "none"},
        "models": {"base": f"{name}-agent", "grader": f"{name}-judge", "embedder": "openai/words"},
        "metrics": ["length_ratio", "judge_voice"],
        "arms": ["baseline", "rag_only"],
        "controls": ["same_near", "impostor_near"],
        "exam": {"comparisons": 8},
        "primary": {"metric": "judge_voice", "better": "rag_only", "than": "baseline"},
        "seed": 3,
    }
    path = folder / "struck.yaml"
    path.write_text(yaml.safe_dump(settings), "utf-8")
    return path


def environment(service: Scripted, cache: Path, models: Path) -> dict[str, str]:
    """The variables by which a run finds the service and keeps its replies in `cache`, which is made."""
    cache.mkdir(parents=True)
    (cache / "models").symlink_to(models)
    return {
        "RATF_CACHE": str(cache),
        "INSPECT_CACHE_DIR": str(cache / "replies"),
        "RATF_CACHE_KEY": "of-the-tests",
        "FAULTY_BASE_URL": service.url,
        "FAULTY_API_KEY": KEY,
        "OPENAI_BASE_URL": service.url,
        "OPENAI_API_KEY": KEY,
    }


class Child:
    """A program that runs beside the tests; what it says goes through pipes, so that no limit on files is one on them."""

    def __init__(self, module: str, *arguments: object, **variables: str) -> None:
        self._ends, names = [], []
        for _ in range(2):
            reader, writer = os.pipe()
            self._ends.append(reader)
            names.append((writer, f"/proc/{os.getpid()}/fd/{writer}"))
        self.process: BaseProcess = begin(module, *arguments, said=[name for _, name in names], **variables)
        self._writers = [writer for writer, _ in names]
        self._said = ["", ""]
        self._readers = [threading.Thread(target=self._hear, args=(i,), daemon=True) for i in range(2)]
        for reader_thread in self._readers:
            reader_thread.start()

    def _hear(self, number: int) -> None:
        with os.fdopen(self._ends[number], "rb") as heard:
            self._said[number] = heard.read().decode("utf-8", "replace")

    def ended(self, seconds: float = 180) -> tuple[int, str]:
        """Its exit code, and what it said on stdout and stderr."""
        self.process.join(seconds)
        assert self.process.exitcode is not None, "it goes on and on"
        for writer in self._writers:
            os.close(writer)
        for thread in self._readers:
            thread.join(10)
        return self.process.exitcode, "".join(self._said)


def said_by(results: Path) -> Any:
    """What the results of a run say; its times and what was spent are each run's own."""
    read: Results = load(results / "results.json")
    return json.loads(read.model_dump_json(exclude={"times", "budget", "environment"}))
