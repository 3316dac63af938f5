"""Many people in one suite: how time and memory grow with their number, with answers from files.

`python benchmarks/many.py 10 30 100` runs suites of so many invented people, 4 arms and 60 questions each, with
two workers (`WORKERS=1` for one process), puts each on a leaderboard, and prints time, memory and the exponent of growth. Nobody is asked; the
embedded encoder finds the controls' answers.
"""

import json
import math
import os
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

import yaml

ARMS = ("close", "near", "far", "off")
"""Arms that repeat less and less of what the person says."""
HELD_OUT, EARLIER, QUESTIONS = 10, 4, 6
"""Interviews that are asked and that are older, and the questions of each: 60 are asked."""
WORDS = [
    f"{a}{b}"
    for a in ("bar", "kel", "mor", "tun", "sil", "dra", "pol", "win")
    for b in ("ton", "dle", "mer", "sk", "ley", "ra")
]
VERBS = [f"{a}{b}" for a in ("gra", "tel", "bro", "mi") for b in ("ved", "ked", "ned", "sted")]
Talk = list[tuple[str, str]]


def talks(number: int) -> list[Talk]:
    """The interviews of an invented person, oldest first, each as questions with answers of some forty words."""
    draw = random.Random(number)

    def sentence() -> str:
        return f"the {draw.choice(WORDS)} {draw.choice(VERBS)} the {draw.choice(WORDS)} and {draw.choice(WORDS)}"

    return [
        [(f"What of the {draw.choice(WORDS)} and the {draw.choice(WORDS)}?", f"Well, {sentence()} for {sentence()}. And {sentence()} as {sentence()}. So {sentence()}.") for _ in range(QUESTIONS)]
        for _ in range(HELD_OUT + EARLIER)
    ]  # fmt: skip


def write(folder: Path, people: int) -> Path:
    """People, their answers by each arm, and the suite of all of them; the next two of each are the impostors."""
    keys = [f"person-{n:03d}" for n in range(people)]
    for number, key in enumerate(keys):
        home, rows = folder / key, []
        home.mkdir()
        about = {"name": key, "introduction": key, "licence": "CC0", "consent": "invented", "fictional": True}
        (home / "person.yaml").write_text(yaml.safe_dump(about), "utf-8")
        (home / "writings.jsonl").write_text("", "utf-8")
        said: dict[str, list[str]] = {arm: [] for arm in ARMS}
        for at, talk in enumerate(talks(number)):
            name, turns = f"{key}-{at:02d}", []
            for n, (asked, answer) in enumerate(talk, 1):
                turns.append({"speaker": "A", "role": "interviewer", "text": asked})
                turns.append({"speaker": key, "role": "target", "text": answer})
                for place, arm in enumerate(ARMS):
                    words = answer.split()
                    told = " ".join([*words[: len(words) * (3 - place) // 4], "and that is all I have to say about it"])
                    if at >= EARLIER:
                        said[arm].append(json.dumps({"id": f"{name}-q{n:03d}", "answer": told}) + "\n")
            rows.append(json.dumps({"interview_id": name, "title": name, "date": f"{2000 + at}-05-01", "source": "R", "turns": turns}) + "\n")  # fmt: skip
        (home / "interviews.jsonl").write_text("".join(rows), "utf-8")
        for arm in ARMS:
            (folder / f"{key}-{arm}.jsonl").write_text("".join(said[arm]), "utf-8")
    suite = {
        "name": f"many-{people}",
        "people": keys,
        "impostors": {k: [keys[(n + 1) % people], keys[(n + 2) % people]] for n, k in enumerate(keys)},
        "split": {"held_out_interviews": HELD_OUT},
        "arms": [{"name": arm, "answers": f"{{person}}-{arm}.jsonl"} for arm in ARMS],
        "metrics": ["rouge_l"],
        "controls": ["real", "impostor_near"],
        "contamination": False,
        "primary": {"metric": "rouge_l", "better": "close", "than": "off"},
    }
    path = folder / "many.yaml"
    path.write_text(yaml.safe_dump(suite, sort_keys=False), "utf-8")
    return path


def spent() -> tuple[float, float]:
    """The processor seconds and the largest memory in GB so far, of this process and of those that have ended."""
    own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(r.ru_utime + r.ru_stime for r in (own, others)), max(own.ru_maxrss, others.ru_maxrss) / 1e6


def one(people: int, workers: int) -> dict[str, float]:
    """Run, report and board so many people, and what it took."""
    from ratf import leaderboard
    from ratf.sweep.run import run_sweep

    with tempfile.TemporaryDirectory() as name:
        path = write(Path(name), people)
        began, (cpu, _) = time.monotonic(), spent()
        outcome = run_sweep(path, out=Path(name) / "run", workers=workers)
        ran, (after, _) = time.monotonic(), spent()
        assert outcome.results is not None
        assert not outcome.results.failed, outcome.results.failed[0].error
        leaderboard([outcome.folder], Path(name) / "site")
        ended, (last, memory) = time.monotonic(), spent()
        return {"people": people, "run": ran - began, "board": ended - ran, "cpu": last - cpu, "cpu of the board": last - after, "GB": memory}  # fmt: skip


def main() -> None:
    sizes, workers = [int(n) for n in sys.argv[1:]] or [10, 100], int(os.environ.get("WORKERS", "2"))
    print(
        "| people | run and report | board | processor time | of it the board | largest process |\n|---|---|---|---|---|---|"
    )
    found = []
    for people in sizes:
        took = one(people, workers)
        found.append(took)
        print(
            f"| {people} | {took['run']:.0f} s | {took['board']:.0f} s | {took['cpu']:.0f} s | {took['cpu of the board']:.0f} s | {took['GB']:.2f} GB |",
            flush=True,
        )
    if len(found) > 1:
        grew = math.log(found[-1]["people"] / found[0]["people"])
        for what in ("run", "board", "cpu"):
            print(f"exponent of {what}: {math.log(found[-1][what] / found[0][what]) / grew:.2f}")


if __name__ == "__main__":
    main()
