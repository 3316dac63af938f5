"""How fast is tuning, and how much memory does it need, beside a plain loop and beside TRL? (`make bench`)

Each tuner learns the same samples in as many steps, in a process of its own; the tuners take turns. `--json FILE` writes
what is printed. Tokens are all tokens of the samples, prompts included; seconds of the processor are shown as well as
those of the clock, because other programs change the latter.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

BASE = "smollm2-135m-instruct"
SETTINGS: dict[str, Any] = {"rank": 16, "layers": 12, "learning_rate": 0.001, "batch": 2, "epochs": 1}
CONTEXT_TOKENS, MAX_WORDS = 384, 100
TUNERS = ("ours", "plain loop", "trl")


class Clock:
    """The seconds from the first step to the last, of the clock and of the processor."""

    def __init__(self) -> None:
        self.began: tuple[float, float] | None = None
        self.took = (0.0, 0.0)

    @contextmanager
    def __call__(self, what: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        def advance(n: int) -> None:
            self.began = self.began or (time.monotonic(), time.process_time())

        yield advance
        if unit == "steps" and self.began:
            self.took = (time.monotonic() - self.began[0], time.process_time() - self.began[1])


def samples(number: int) -> list[Any]:
    """The last samples of the demo's person, without memories."""
    from raft.models.tokens import token_counter
    from raft.people.person import load_person
    from raft.tuning.samples import training_samples

    person = load_person(Path(__file__).parent / "marrack")
    exchanges = person.exchanges[-number:]
    before = dict.fromkeys((e.exchange_id for e in exchanges), ())
    return training_samples(person.about, exchanges, before, {}, CONTEXT_TOKENS, MAX_WORDS, token_counter(BASE))


def plain_loop(learnt: list[Any], clock: Clock) -> None:
    """The loop that one would write: padded batches, peft as it comes, the loss of transformers."""
    import torch
    from peft import get_peft_model

    from raft.models.local import best_dtype, load_base
    from raft.tuning.layers import adapter_config, tokens_of

    tokenizer, model = load_base(BASE, best_dtype())
    model = get_peft_model(model, adapter_config(model, SETTINGS["rank"], 2 * SETTINGS["rank"], SETTINGS["layers"]))
    rows = [tokens_of(tokenizer, s) for s in learnt]
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=SETTINGS["learning_rate"])
    with clock("tuning", len(rows), "steps") as advance:
        advance(0)
        for start in range(0, len(rows), SETTINGS["batch"]):
            batch = rows[start : start + SETTINGS["batch"]]
            width = max(len(ids) for ids, _ in batch)
            ids = torch.tensor([[*ids, *[tokenizer.pad_token_id] * (width - len(ids))] for ids, _ in batch])
            mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row, _ in batch])
            labels = torch.where(mask.bool(), ids, -100)
            for row, (_, prompt) in enumerate(batch):
                labels[row, :prompt] = -100
            model(input_ids=ids, attention_mask=mask, labels=labels).loss.backward()
            optimizer.step()
            optimizer.zero_grad()


def work(tuner: str, number: int) -> None:
    """Tune once in this process, and print what it took as a line of JSON."""
    from raft.models.weights import fetch
    from raft.tuning.samples import to_jsonl  # noqa: F401  (imported before the memory is looked at)
    from raft.tuning.tuners import tuner_kind

    models, learnt, clock = fetch(BASE).parent, samples(number), Clock()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["RATF_CACHE"] = folder
        (Path(folder) / "models").symlink_to(models)
        if tuner == "plain loop":
            plain_loop(learnt, clock)
        else:
            settings = {**SETTINGS, **({"tuner": "trl"} if tuner == "trl" else {})}
            tuner_kind(f"local/{BASE}").make(settings, Path(folder), clock).tune(learnt, BASE)
    from raft.models.local import load_base
    from raft.tuning.layers import tokens_of

    tokenizer, _ = load_base(BASE, "auto")
    tokens = sum(len(tokens_of(tokenizer, s)[0]) for s in learnt)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"tokens": tokens, "seconds": clock.took[0], "processor": clock.took[1], "peak_mb": peak}))


def main() -> None:
    """Let the tuners take turns, and print the medians of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--layers", type=int, default=SETTINGS["layers"], help="top layers that learn; 0 for all")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--worker", choices=TUNERS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    SETTINGS["layers"] = given.layers or None
    if given.worker:
        work(given.worker, given.samples)
        return
    there = [name for name in TUNERS if name != "trl" or find_spec("trl")]
    found: dict[str, list[dict[str, float]]] = {name: [] for name in there}
    for _ in range(given.rounds):
        for name in there:
            command = [sys.executable, __file__, "--worker", name, "--samples", str(given.samples)]
            command += ["--layers", str(given.layers)]
            run = subprocess.run(command, capture_output=True, text=True)
            if run.returncode:
                sys.exit(f"{name} failed:\n{run.stderr}")
            found[name].append(json.loads(run.stdout.splitlines()[-1]))
    rows = []
    for name, runs in found.items():
        median = {key: statistics.median(r[key] for r in runs) for key in runs[0]}
        rate, processor = median["tokens"] / median["seconds"], median["tokens"] / median["processor"]
        rows.append({"tuner": name, "tokens_per_second": rate, "tokens_per_processor_second": processor, **median})
    ours = rows[0]
    print(f"{'tuner':12} {'tokens/s':>9} {'of ours':>8} {'tokens/s of processor':>22} {'of ours':>8} {'peak MB':>8}")
    for row in rows:
        clock, processor = (row[k] / ours[k] for k in ("tokens_per_second", "tokens_per_processor_second"))
        print(
            f"{row['tuner']:12} {row['tokens_per_second']:9.0f} {clock:8.2f} {row['tokens_per_processor_second']:22.0f} "
            f"{processor:8.2f} {row['peak_mb']:8.0f}"
        )
    if "trl" not in there:
        print("trl is not installed: pip install 'ratf-eval[trl]' measures it, too")
    if given.json:
        given.json.write_text(json.dumps({"samples": given.samples, "rounds": given.rounds, "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
