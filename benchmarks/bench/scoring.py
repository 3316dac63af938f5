"""Scoring: our metrics, worked out for many answers at once, beside scorers that take one answer after another."""

import json
import sys
from pathlib import Path
from typing import Any

import yaml

from benchmarks.bench.naive import Naive
from benchmarks.bench.rows import Row, Used, fresh_cache, in_turns, process, processes_in_turns, program
from raft.models.names import EMBEDDER
from raft.models.weights import model_folder
from raft.people.person import load_person
from ratf.scores.measures import OF_TEXTS, TextMeasures

PEOPLE = Path(__file__).parent.parent
METRICS = ("rouge_1", "rouge_2", "rouge_l", "embedding_cosine", "bertscore")
ARMS = 4


def pairs_of_answers(count: int) -> list[tuple[str, str]]:
    """Answers of one invented person beside those of another, each pair another one."""
    ours, theirs = (load_person(PEOPLE / name).exchanges for name in ("marrack", "pell"))
    return [
        (theirs[n % len(theirs)].answer, ours[(n + n // len(theirs)) % len(ours)].answer)
        for n in range(min(count, len(ours) * len(theirs)))
    ]


def texts(folder: Path, quick: bool) -> list[Row]:
    """Milliseconds an answer for five metrics of texts."""
    pairs = pairs_of_answers(24 if quick else 120)
    naive = Naive(model_folder(EMBEDDER.removeprefix("local/")))

    def ours() -> None:
        fresh_cache(folder)  # vectors that were kept would take no time
        measures = TextMeasures(EMBEDDER)
        measures.warm(pairs, METRICS)
        for answer, real in pairs:
            for name in METRICS:
                OF_TEXTS[name](measures, answer, real)

    ours()
    naive(pairs[:2])
    took = in_turns({"ours": ours, "naive": lambda: naive(pairs)}, 1 if quick else 3)
    per = {name: 1000 * seconds / len(pairs) for name, seconds in took.items()}
    note = f"{len(pairs)} pairs, nothing kept from before"
    what = "score one answer by ROUGE-1, -2, -L, cosine and BERTScore"
    peer = "rouge-score, bert-score and the encoder, one answer at a time"
    return [Row("Scoring", what, "ms an answer", "less", per["ours"], peer, per["naive"], note)]


def suite_of_answers(folder: Path) -> Path:
    """A suite whose four arms are files of answers: the person's answers to other questions."""
    folder.mkdir(parents=True, exist_ok=True)
    said = [e.answer for e in load_person(PEOPLE / "marrack").exchanges]
    suite: dict[str, Any] = {
        "name": "answers",
        "person": "marrack",
        "impostors": ["pell", "rudge"],
        "split": {"held_out_interviews": 6, "questions": 36},
        "arms": [{"name": f"arm-{n}", "answers": f"arm-{n}.jsonl"} for n in range(ARMS)],
        "metrics": ["rouge_l"],
        "contamination": False,
        "primary": {"metric": "rouge_l", "better": "arm-0", "than": "arm-1"},
    }
    path = folder / "answers.yaml"
    path.write_text(yaml.safe_dump(suite), "utf-8")
    from ratf.suite.study import open_study

    study = open_study(str(path), str(PEOPLE), finished=True)
    asked = study.questions()
    real = {e.exchange_id: e.answer for e in study.held_out}
    for n in range(ARMS):
        rows = [{"id": q["id"], "answer": said[(at * 7 + n * 13) % len(said)]} for at, q in enumerate(asked)]
        (folder / f"arm-{n}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), "utf-8")
    rows = [
        {"id": q["id"], "question": q["question"], "real": real[q["id"]], "answer": said[at]}
        for at, q in enumerate(asked)
    ]
    (folder / "bare.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), "utf-8")
    return path


def harness(folder: Path, quick: bool) -> list[Row]:
    """What a scored sample costs in a whole run, page included, beside Inspect alone; and a run with nothing to do."""
    suite = suite_of_answers(folder)
    made = 0

    def ratf_run(out: Path) -> Used:
        # two arms that are not told apart are no failure here
        return process([program("ratf"), "run", str(suite), "--data", str(PEOPLE), "--out", str(out)], fine=(0, 1, 2))

    def ours() -> Used:
        nonlocal made
        made += 1
        fresh_cache(folder)
        return ratf_run(folder / f"run-{made}")

    def bare() -> Used:
        nonlocal made
        made += 1
        command = [
            sys.executable,
            "-m",
            "benchmarks.bench.bare",
            str(folder / "bare.jsonl"),
            str(folder / f"bare-{made}"),
        ]
        return process([*command, str(tasks)])

    ours()
    run = folder / "run-1"
    tasks = sum(1 for _ in run.glob("**/*.eval"))
    samples = tasks * 36
    rounds = 1 if quick else 3
    took = processes_in_turns({"ours": ours, "bare": bare}, rounds)
    logs = max((p for p in folder.glob("bare-*")), key=lambda p: p.stat().st_mtime)
    again = processes_in_turns(
        {
            "ours": lambda: ratf_run(run),
            "bare": lambda: process(
                [sys.executable, "-m", "benchmarks.bench.bare", str(folder / "bare.jsonl"), str(logs), str(tasks)]
            ),
        },
        rounds + 2,
    )
    per = {name: 1000 * used.cpu / samples for name, used in took.items()}
    said = f"{tasks} logs of 36 answers; ours also makes the controls, sits the exam and writes the page"
    return [
        Row("Harness", "one scored sample of a whole run", "ms of processor time", "less", per["ours"], "Inspect's eval_set with one scorer of ROUGE-L", per["bare"], said),
        Row("Harness", "a run with nothing to do", "s", "less", again["ours"].wall, "Inspect's eval_set on finished logs", again["bare"].wall, "", "≤ 1.5 s", again["ours"].wall <= 1.5),
    ]  # fmt: skip
