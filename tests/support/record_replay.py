"""Record the suite in `data/replay/` again: `python tests/support/record_replay.py`, from the repository.

Its chat and embeddings are the embedded language model's, behind the OpenAI-protocol server of the tests on loopback.
Needed when a prompt, a judge or the suite has changed; the texts are a small model's on invented people.
"""

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from openai_server import Brain, OpenAIServer
from places import DATA

HERE = DATA / "replay"
SUITE, RECORDING, EXPECTED = HERE / "suite.yaml", HERE / "recording", HERE / "expected.json"
OPTIONS = ["--judge-anyway", "--allow-leaks"]
"""The model is too small to judge, and its vectors of any two texts are so alike that all seems to be leaked."""


def scores(results: dict[str, Any]) -> dict[str, Any]:
    """What a replay must give again, of a `results.json`: every answer with its scores, the exam, the verdict."""
    questions = {
        q["id"]: {
            arm: {"text": a["text"], **{m: s["value"] for m, s in a["scores"].items()}}
            for arm, a in q["answers"].items()
        }
        for q in results["questions"]
    }
    exam = {e["metric"]: [e["auc"], e["reason"]] for e in results["exam"]}
    signs = {s["name"]: s["difference"] for s in results["contamination"]["signs"]}
    return {"verdict": results["verdict"], "exam": exam, "contamination": signs, "questions": questions}


def main() -> None:
    """Run the suite as `ratf run --record` does."""
    from ratf.cli import app

    shutil.rmtree(RECORDING, ignore_errors=True)
    with OpenAIServer(Brain()) as server, tempfile.TemporaryDirectory() as place:
        for name in ("OPENAI", "LOOPBACK"):
            os.environ |= {f"{name}_BASE_URL": server.url, f"{name}_API_KEY": "sk-of-the-tests"}
        os.environ["INSPECT_CACHE_DIR"] = f"{place}/replies"
        out = Path(place) / "run"
        options = ["--out", str(out), "--record", str(RECORDING), *OPTIONS]
        app(["run", str(SUITE), *options], standalone_mode=False)
        found = scores(json.loads((out / "results.json").read_text("utf-8")))
    EXPECTED.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
