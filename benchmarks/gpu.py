"""The whole chain on a machine with a GPU: tune, have vLLM answer, four arms, page (`make gpu`, under ten minutes).

`BASE=local/FOLDER` in the environment names another base than the embedded model. Exit code 1 where there is no GPU.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml

from ratf.results.results import load
from ratf.suite.parts import TrainingSettings

HERE = Path(__file__).parent
FOLDER = Path("build/gpu")
ARMS = ["baseline", "rag_only", "finetune_only", "raft"]


def lacks() -> str:
    """What this machine lacks, in a sentence; empty where it has all."""
    gpus = shutil.which("nvidia-smi") and subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True).stdout
    if not gpus:
        return "this machine has no GPU that nvidia-smi lists, so nothing was run"
    import torch

    if not torch.cuda.is_available():
        return "this machine has a GPU, but the installed torch was built without CUDA, so nothing was run"
    if importlib.util.find_spec("vllm") is None and not os.environ.get("VLLM_BASE_URL"):
        return "vLLM is not installed (pip install vllm), so nothing was run"
    return ""


def suite() -> dict[str, Any]:
    """The demo with fewer questions, with vLLM to answer, and with TRL to tune where this version can and it is there."""
    made: dict[str, Any] = yaml.safe_load((HERE / "demo.yaml").read_text("utf-8"))
    base = os.environ.get("BASE", "local/smollm2-135m-instruct")
    trl = "tuner" in TrainingSettings.model_fields and importlib.util.find_spec("trl") is not None
    made["training"] |= {"tuner": "trl"} if trl else {}
    return made | {
        "name": "gpu",
        "split": {"held_out_interviews": 6, "questions": 24},
        "models": {"base": base, "serve": "vllm", "embedder": "local/all-minilm-l6-v2", "grader": base},
        "arms": ARMS,
        "contamination": False,
    }


def main() -> int:
    """Run the suite and check that every arm was answered by vLLM, the tuned ones by adapters of their own."""
    if lack := lacks():
        print(f"make gpu: {lack}", file=sys.stderr)
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    file, out, settings = FOLDER / "gpu.yaml", FOLDER / "run", suite()
    shutil.rmtree(out, ignore_errors=True)
    file.write_text(yaml.safe_dump(settings, sort_keys=False), "utf-8")
    command = [sys.executable, "-m", "ratf.cli", "run", str(file), "--data", str(HERE), "--out", str(out)]
    start = time.monotonic()
    # replies of earlier runs would hide whether vLLM answers
    subprocess.run(command, env={**os.environ, "INSPECT_CACHE_DIR": str(FOLDER.resolve() / f"replies-{os.getpid()}")})
    if not (out / "report.html").is_file():
        print("make gpu: the run did not end; what it said stands above", file=sys.stderr)
        return 1
    results = load(out / "results.json")
    models = {arm: results.arms[arm].model for arm in ARMS}
    errors = sum(results.arms[arm].errors for arm in ARMS)
    served = all(model.startswith("vllm/") for model in models.values()) and len(set(models.values())) == 3
    name = subprocess.run(["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"], capture_output=True, text=True)
    print(
        f"on {name.stdout.strip()}: {time.monotonic() - start:.0f} s, phases {results.times['seconds']}, models {models}"
    )
    print(f"tuned by {settings['training'].get('tuner', 'our own tuner')}; page: {out / 'report.html'}")
    if errors or not served:
        print(
            f"make gpu: {errors} answers ended in errors; served by vLLM with two adapters: {served}", file=sys.stderr
        )
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
