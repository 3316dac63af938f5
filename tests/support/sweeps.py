"""A sweep that asks no model: invented people, and arms whose answers are files."""

import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import yaml
from planted import make

from ratf.results.results import save
from ratf.sweep.sweep import Sweep, open_sweep
from ratf.sweep.working.units import Ended

WORDS = [
    "river",
    "mill",
    "dam",
    "flood",
    "stone",
    "bridge",
    "ferry",
    "salt",
    "harvest",
    "winter",
    "letter",
    "debt",
    "wheel",
    "rope",
    "lamp",
    "field",
    "barn",
    "oar",
    "vat",
    "kiln",
    "loom",
    "ditch",
]
VERBS = [
    "took",
    "held",
    "broke",
    "found",
    "sold",
    "kept",
    "lost",
    "built",
    "washed",
    "carried",
    "buried",
    "paid",
    "moved",
    "let",
    "feared",
    "wanted",
]
SETTINGS: dict[str, Any] = {
    "name": "several",
    "split": {"held_out_interviews": 3},
    "arms": [
        {"name": "good", "answers": "answers/{person}-good.jsonl"},
        {"name": "plain", "answers": "answers/{person}-plain.jsonl"},
    ],
    "metrics": ["rouge_l"],
    "controls": ["real", "impostor_near"],
    "models": {"base": "local/smollm2-135m-instruct", "embedder": "openai/words"},
    "contamination": False,
    "primary": {"metric": "rouge_l", "better": "good", "than": "plain"},
}


def person(folder: Path, key: str, number: int, interviews: int = 5, questions: int = 4) -> None:
    """An invented person's folder, with answers that are this person's own."""
    home = folder / key
    home.mkdir(parents=True)
    about = {
        "name": key.title(),
        "introduction": f"{key.title()} keeps ledger {number}.",
        "licence": "CC0",
        "consent": "invented",
        "fictional": True,
    }
    (home / "person.yaml").write_text(yaml.safe_dump(about), "utf-8")
    rows = []
    for i in range(interviews):
        turns = []
        for q in range(questions):
            turns.append({"speaker": "Asker", "role": "interviewer", "text": _asked(number, i, q)})
            turns.append({"speaker": key.title(), "role": "target", "text": answer(number, i, q)})
        rows.append(
            {
                "interview_id": f"{key}-talk-{i}",
                "title": f"Talk {i}",
                "date": f"20{10 + i}-03-0{1 + i}",
                "source": "Radio",
                "turns": turns,
            }
        )
    (home / "interviews.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), "utf-8")
    (home / "writings.jsonl").write_text("", "utf-8")


def _asked(number: int, interview: int, question: int) -> str:
    draw = random.Random(f"asked {number} {interview} {question}")
    return f"What do you say of the {draw.choice(WORDS)} that {draw.choice(VERBS)} the {draw.choice(WORDS)}?"


def answer(number: int, interview: int, question: int) -> str:
    """Some thirty words that only this person says in answer to this question."""
    draw = random.Random(f"{number} {interview} {question}")
    told = [f"{draw.choice(WORDS)} {draw.choice(VERBS)} the {draw.choice(WORDS)}" for _ in range(8)]
    return f"The {', the '.join(told[:4])}. And the {', the '.join(told[4:])}."


def sweep(folder: Path, people: Sequence[str], interviews: int = 5, questions: int = 4, **more: Any) -> Path:
    """People, answers of two arms in files, and the sweep's file; `good` says half of what the person says."""
    for number, key in enumerate(people):
        person(folder, key, number, interviews, questions)
    (folder / "answers").mkdir()
    path = folder / "several.yaml"
    path.write_text(yaml.safe_dump({**SETTINGS, "people": list(people), **more}, sort_keys=False), "utf-8")
    asked = open_sweep(path, finished=True)
    for key in asked.people:
        study = asked.study(next(c for c in asked.cells if c.person == key))
        for arm in ("good", "plain"):
            rows = [
                {"id": e.exchange_id, "answer": _said(arm, e.answer, at)}
                for at, e in enumerate(study.held_out, asked.people.index(key))
            ]
            text = "".join(json.dumps(row) + "\n" for row in rows)
            (folder / "answers" / f"{key}-{arm}.jsonl").write_text(text, "utf-8")
    return path


def _said(arm: str, real: str, at: int) -> str:
    words = real.split()
    if arm == "plain":
        return f"I would rather not say anything about that, and question {at} is a hard one to answer in any case."
    return " ".join([*words[: 8 + at % 7], "and so it goes on and on"])


SEVEN = ["ada", "bea", "cyd", "dot", "eve", "fay", "gil"]
Score = Callable[[str, dict[str, Any], str, int], float]


def ahead(by: float = 0.2, out: str = "") -> Score:
    """`rag_only` is ahead by so much; of the person `out` it is far behind."""

    def score(person: str, setting: dict[str, Any], arm: str, question: int) -> float:
        seed = crc32(f"{person}{arm}{question}{setting.get('seed', 0)}".encode())
        wave = float(np.random.default_rng(seed).normal(0, 0.03))
        gain = {"impostor_near": -0.2, "baseline": 0.0, "rag_only": -0.4 if person == out else by}[arm]
        k = setting.get("memories.k", 1) if arm == "rag_only" else 1
        return round(0.5 + gain + wave + 0.05 * (k == 3), 6)

    return score


def planted(
    folder: Path,
    people: Sequence[str],
    score: Score,
    matrix: Mapping[str, list[Any]] | None = None,
    refused: Sequence[str] = (),
    questions: int = 8,
    **more: Any,
) -> Sweep:
    """A sweep whose cells never ran: their results are there, with `score(person, setting, arm, question)`.

    Two questions are of one interview. `refused` are people on whom the exam admits nothing.
    """
    for number, key in enumerate(people):
        if not (folder / key).is_dir():
            person(folder, key, number, interviews=3, questions=1)
    path = folder / "planted.yaml"
    arms = ["baseline", "rag_only"]
    made = {**SETTINGS, "name": "planted", "arms": arms, "people": list(people), **more}
    made["primary"] = {"metric": "rouge_l", "better": "rag_only", "than": "baseline"}
    path.write_text(yaml.safe_dump({**made, **({"matrix": dict(matrix)} if matrix else {})}, sort_keys=False), "utf-8")
    sweep = open_sweep(path, out=folder / "run")
    for cell in sweep.cells:
        own = {
            arm: {"rouge_l": [score(cell.person, cell.setting, arm, q) for q in range(questions)]}
            for arm in (*arms, "impostor_near")
        }
        suite = cell.suite.model_dump(mode="json")
        results = make(own, [f"talk-{q // 2}" for q in range(questions)], suite)
        exam = [
            e.model_copy(
                update={"admitted": cell.person not in refused, "reason": "the lower end is not above the bar"}
            )
            for e in results.exam
        ]
        facts = {m: {**about, "axis": "coverage"} for m, about in results.metrics.items()}
        about = {"key": cell.person, "name": cell.person.title()}
        save(
            results.model_copy(update={"person": about, "exam": exam, "metrics": facts, "digest": cell.name}),
            sweep.cell_folder(cell) / "results.json",
        )
    return sweep


def done(sweep: Sweep, failed: Mapping[str, str] | None = None) -> dict[str, Ended]:
    """How the cells of a planted sweep ended: with their results, but for those that `failed` says why."""
    return {c.name: Ended("start", digest=c.name, error=(failed or {}).get(c.name, "")) for c in sweep.cells}


def said(folder: Path) -> dict[str, Any]:
    """Everything that a sweep's folder says, without times and hosts, and without what stands for them."""
    files = [*sorted(folder.glob("cells/**/results.json")), *sorted(folder.glob("*.json"))]
    found: dict[str, Any] = {}
    for path in files:
        made = json.loads(path.read_text("utf-8"))
        for key in ("times", "budget", "environment"):
            made.pop(key, None)
        found[str(path.relative_to(folder))] = json.dumps(made)
    page = (folder / "report.html").read_text("utf-8")
    found["report.html"] = re.sub(r'<span class="when">.*?</span>', "", page)
    for path in sorted(folder.glob("scores/**/*.parquet")):
        found[str(path.relative_to(folder))] = path.read_bytes()
    return found
