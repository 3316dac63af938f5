"""Answers of our local models beside those of other libraries: tokens a second, memory, and whether neighbours change an answer.

    python benchmarks/answering.py [--prompts 48] [--tokens 64 180] [--rounds 3] [--threads N] [--only vllm …] [--json FILE]

Same model, same prompts of about 430 tokens. Ours is `generate` of transformers with our sampler. Each library is measured in turns with ours, so that a machine's load falls
on both, and the ratios are medians. Libraries that are not installed are told as that: `RATF_PEERS` names the python of
another environment that has them (xllamacpp, ctranslate2, openvino-genai), `RATF_VLLM` vLLM's program.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).parent
WORKER = HERE / "answering_worker.py"
OURS = "ours"
PEERS = {
    "generate_batch": "transformers continuous batching",
    "llama.cpp": "llama.cpp's server (xllamacpp), 8 slots",
    "ctranslate2": "CTranslate2, int8 weights",
    "openvino": "OpenVINO GenAI, 8-bit weights from GGUF",
    "vllm": "vLLM's server on the CPU",
}
CONTEXT = 430
NOT_INSTALLED = 3


def prompts(wanted: int) -> list[list[dict[str, str]]]:
    """Conversations of about `CONTEXT` tokens: the demo's person, with the exchanges before each question."""
    from raft.models.local import LocalModel
    from raft.people.person import load_person
    from raft.prompts import conversation, earlier_exchanges

    person, model = load_person(HERE / "marrack"), LocalModel("smollm2-135m-instruct")
    asked = []
    for at in range(len(person.exchanges) - 1, 0, -1):
        before = earlier_exchanges(person.exchanges[:at], {}, 60)
        about = person.about
        asked.append(conversation(about, person.exchanges[at].question, [], before, CONTEXT, model.count_tokens))
    return [[dict(m) for m in asked[i % len(asked)]] for i in range(wanted)]


class Worker:
    """A library in a process of its own, which stays loaded. Raises LookupError where it is not installed."""

    def __init__(self, name: str, threads: int) -> None:
        python = sys.executable if name in (OURS, "generate_batch", "vllm") else os.environ.get("RATF_PEERS")
        path = os.pathsep.join([str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
        environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1"}
        self._child = subprocess.Popen(
            [python or sys.executable, str(WORKER), name, str(threads)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        if self._read() != {"ready": True}:
            if self._child.wait() == NOT_INSTALLED:
                raise LookupError
            raise RuntimeError(f"{name} did not start")

    def ask(self, conversations: Sequence[Any], tokens: int) -> dict[str, Any]:
        """What a run took, and what was answered. Raises RuntimeError where the library fails."""
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps({"conversations": conversations, "tokens": tokens}) + "\n")
        self._child.stdin.flush()
        found = self._read()
        if "seconds" not in found:
            raise RuntimeError(found.get("error", "it ended without a word"))
        return found

    def _read(self) -> dict[str, Any]:
        assert self._child.stdout is not None
        for line in self._child.stdout:  # a library may print what it likes
            if line.startswith("{") and line.rstrip().endswith("}"):
                return dict(json.loads(line))
        return {}

    def end(self) -> None:
        """End the process."""
        assert self._child.stdin is not None
        self._child.stdin.close()
        self._child.wait()


def compare(
    name: str,
    conversations: Sequence[Any],
    lengths: Sequence[int],
    rounds: int,
    threads: int,
    tell: Callable[[str], None],
) -> list[dict[str, Any]]:
    """A row for each length: the library beside ours, in turns. Raises LookupError where it is not installed."""
    ours, theirs = Worker(OURS, threads), Worker(name, threads)
    rows = []
    try:
        for worker in (ours, theirs):
            worker.ask(conversations[:2], 8)
        alone = theirs.ask(conversations[: len(conversations) // 2], min(lengths))["texts"]
        for tokens in lengths:
            runs: dict[str, list[dict[str, Any]]] = {OURS: [], name: []}
            for _ in range(rounds):
                for who, worker in ((OURS, ours), (name, theirs)):
                    runs[who].append(worker.ask(conversations, tokens))
                    tell(f"{who}, {tokens} tokens: {runs[who][-1]['rate']:.1f} tokens/s")
            rows.append({
                "peer": PEERS[name], "tokens": tokens, "ours": _medians(runs[OURS]), "theirs": _medians(runs[name]),
                "ratio": median(a["rate"] / b["rate"] for a, b in zip(runs[OURS], runs[name], strict=True)),
                "ratio_cpu": median(a["rate_cpu"] / b["rate_cpu"] for a, b in zip(runs[OURS], runs[name], strict=True)),
                "same_again": _share(runs[name][0]["texts"], runs[name][-1]["texts"]) if rounds > 1 else None,
                "same_in_other_company": _share(alone, runs[name][0]["texts"]) if tokens == min(lengths) else None,
            })  # fmt: skip
    finally:
        ours.end()
        theirs.end()
    return rows


def _medians(runs: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    return {key: round(median(run[key] for run in runs), 2) for key in ("rate", "rate_cpu", "seconds", "peak_mb")}


def _share(few: Sequence[str], many: Sequence[str]) -> float:
    """The share of answers that are the same, letter by letter."""
    return sum(a == b for a, b in zip(few, many, strict=False)) / max(1, len(few))


def main() -> None:
    """Measure, print the table, and keep it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=int, default=48)
    parser.add_argument("--tokens", type=int, nargs="+", default=[64, 180])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--only", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--json", type=Path, default=Path("build/bench/answering-peers.json"))
    given = parser.parse_args()
    conversations = prompts(given.prompts)
    kept = json.loads(given.json.read_text("utf-8")) if given.json.is_file() else {}
    with tempfile.TemporaryDirectory() as place:
        os.environ["RATF_BENCH"] = place
        for name in given.only:
            try:
                rows = compare(
                    name, conversations, given.tokens, given.rounds, given.threads, lambda s: print(s, flush=True)
                )
            except LookupError:
                rows = [{"peer": PEERS[name], "failed": "not installed"}]
            except RuntimeError as error:
                rows = [{"peer": PEERS[name], "failed": str(error)[:300]}]
            kept[name] = [
                {"prompts": given.prompts, "rounds": given.rounds, "threads": given.threads, **r} for r in rows
            ]
            given.json.parent.mkdir(parents=True, exist_ok=True)
            given.json.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")
    print("\n".join(table(kept)))


def table(kept: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """The rows as a table of Markdown."""
    lines = ["| beside | new tokens | ours, tokens/s | theirs | ours / theirs | by processor time | memory, MB | the same in other company |"]  # fmt: skip
    lines.append("|---|--:|--:|--:|--:|--:|--:|--:|")
    for row in (row for rows in kept.values() for row in rows):
        if "failed" in row:
            lines.append(f"| {row['peer']} | {row['failed']} | | | | | | |")
            continue
        ours, theirs, same = row["ours"], row["theirs"], row["same_in_other_company"]
        memory = f"{ours['peak_mb']:.0f} / {theirs['peak_mb']:.0f}"
        lines.append(
            f"| {row['peer']} | {row['tokens']} | {ours['rate']:.1f} | {theirs['rate']:.1f} | {row['ratio']:.2f} | "
            f"{row['ratio_cpu']:.2f} | {memory} | {'' if same is None else f'{same:.0%}'} |"
        )
    return lines


if __name__ == "__main__":
    main()
