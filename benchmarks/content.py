"""What can metrics of content tell apart, and whom does the exam admit?

`python benchmarks/content.py SUITE [DATA]` prints, for one person, the AUC of every order of content and its lower end,
metric by metric: minutes. `python benchmarks/content.py` prints whom 1,000 simulated exams admit.

A simulated exam draws 60 of the demo person's answers, with everything that was made of them, into 11 interviews. The
scripted reader is given the edit logs; ROUGE-1 reads the texts; the coin and the yes-sayer read nothing.
"""

import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from raft.people.person import load_person
from ratf.agents.given.controls import BOILERPLATE, NONANSWERS
from ratf.agents.given.degenerate import DONT_KNOW, YES, echo, parrot
from ratf.edits.log import Edited
from ratf.edits.made import KINDS, made_controls
from ratf.edits.rules import Rules, rules_for
from ratf.scores.content_exam import CONTENT_LADDERS, examine_agreement
from ratf.statistics.exam import Rungs, examine, paired_auc

QUESTIONS, INTERVIEWS, EXAMS, BAR = 60, 11, 1000, 0.6

Both = tuple[float, float]
"""What a reader gives for coverage and for agreement."""
Reader = Callable[[Edited, str, np.random.Generator], Both]

READERS: dict[str, Reader] = {
    "perfect reader": lambda answer, real, draw: (answer.covers, answer.agrees),
    "coin": lambda answer, real, draw: (float(draw.integers(2)), float(draw.integers(2))),
    "always yes": lambda answer, real, draw: (1.0, 1.0),
    "ROUGE-1": lambda answer, real, draw: (rouge_1(answer.text, real),) * 2,
}


@cache
def rouge_1(answer: str, real: str) -> float:
    from rouge_score.rouge_scorer import RougeScorer

    return float(RougeScorer(["rouge1"], use_stemmer=True).score(real, answer)["rouge1"].fmeasure)


def pool() -> list[tuple[str, dict[str, Edited]]]:
    """The demo person's answers, each with its controls. Its paraphrase is a rewording: the log calls it as true."""
    marrack, pell = (load_person(Path(__file__).parent / key).exchanges for key in ("marrack", "pell"))
    rules = rules_for([e.answer for e in marrack])
    assert isinstance(rules, Rules)
    alike = np.random.default_rng(0).random((len(marrack), len(marrack)), dtype=np.float32)
    np.fill_diagonal(alike, -1)
    made = made_controls(marrack, marrack, alike, rules, 1)
    found, repeated, questions = [], parrot(marrack, marrack), echo(marrack)
    for i, exchange in enumerate(marrack):
        mine = {c: of[exchange.exchange_id] for c, of in made.items() if exchange.exchange_id in of}
        if not {"half_reworded", "own_topic", "claims_50"} <= set(mine):
            continue
        others = {
            "impostor_near": pell[i % len(pell)].answer, "boilerplate": BOILERPLATE[i % len(BOILERPLATE)],
            "nonanswer": NONANSWERS[i % len(NONANSWERS)], "yes": YES, "dont_know": DONT_KNOW,
            "parrot": repeated[exchange.exchange_id], "echo": questions[exchange.exchange_id],
        }  # fmt: skip
        mine |= {c: Edited(text, (), mine["reworded"].sentences, ()) for c, text in others.items()}
        found.append((exchange.answer, mine | {"paraphrase": mine["reworded"]}))
    return found


def simulated(
    reader: Reader, answers: Sequence[tuple[str, Mapping[str, Edited]]], exams: int, seed: int = 0
) -> Counter[str]:
    """On which axes how many of so many simulated exams admit a reader."""
    admitted: Counter[str] = Counter()
    for draw in np.random.default_rng(seed).spawn(exams):
        cluster = {str(q): str(draw.integers(INTERVIEWS)) for q in range(QUESTIONS)}
        coverage: dict[str, dict[str, float | None]] = {}
        agreement: dict[str, dict[str, float | None]] = {}
        for question in cluster:
            real, mine = answers[draw.integers(len(answers))]
            for control, answer in mine.items():
                one, other = reader(answer, real, draw)
                coverage.setdefault(control, {})[question] = one
                agreement.setdefault(control, {})[question] = other
        admitted["coverage"] += examine("m", "coverage", CONTENT_LADDERS["coverage"], coverage, cluster, BAR).admitted
        admitted["agreement"] += examine_agreement("m", agreement, cluster, BAR).admitted
    return admitted


ORDERS = {
    "topic: own answer on the topic > on another": ("same_near", "same_far"),
    "coverage: half, reworded > own answers on the topic": ("half_reworded", "own_topic"),
    "coverage: half, reworded > own answer to the nearest question": ("half_reworded", "same_near"),
    "coverage: half, reworded > an impostor's": ("half_reworded", "impostor_near"),
    **{f"coverage: {a} % > {b} % of the sentences": (f"claims_{a}", f"claims_{b}")
       for a, b in ((25, 0), (50, 25), (75, 50), (100, 75))},
    **{f"{kind}, as many words reworded > turned": (f"even_{kind}", f"edit_{kind}") for kind in KINDS},
    **{f"{kind}, hard: all reworded > turned": ("reworded", f"edit_{kind}") for kind in KINDS},
}  # fmt: skip


METRICS = ("rouge_1", "rouge_2", "rouge_l", "bertscore", "embedding_cosine", "sentence_coverage", "facts")


def measured(suite: str, data: str | None) -> tuple[dict[str, Rungs], dict[str, str]]:
    """Every metric's score of every control, and each question's interview."""
    from ratf.agents.given.controls import given_answers
    from ratf.scores.coverage import Beside
    from ratf.scores.measures import OF_TEXTS, coverage, text_measures, warm
    from ratf.suite.study import open_study

    study = open_study(suite, data)
    wanted = {control for order in ORDERS.values() for control in order}
    asked = {e.exchange_id: e for e in study.held_out}
    beside = {
        (control, q): Beside(given.text, asked[q].answer, asked[q].question)
        for control, of in given_answers(study).items()
        if control in wanted
        for q, given in of.items()
    }
    texts = text_measures(study)
    warm(study, list(beside.values()), METRICS)
    scores: dict[str, dict[str, dict[str, float | None]]] = {m: {} for m in METRICS}
    for metric in METRICS:
        for (control, question), read in beside.items():
            value = OF_TEXTS[metric](texts, read.answer, read.real) if metric in OF_TEXTS else coverage(study, read)
            number = value[0] if isinstance(value, tuple) else value
            scores[metric].setdefault(control, {})[question] = number if isinstance(number, float) else None
    return dict(scores), {e.exchange_id: e.interview_id for e in study.held_out}


def table(scores: Mapping[str, Rungs], cluster: Mapping[str, str]) -> str:
    """The AUC of every order and, behind it, its lower end."""
    lines = ["| | n |" + " | ".join(scores) + " |", "|---|---|" + "---|" * len(scores)]
    for words, (higher, lower) in ORDERS.items():
        found = [paired_auc(of, [higher], [lower], cluster) for of in scores.values()]
        cells = ["" if f is None else f"{f.auc:.2f}" + (f" ({f.low:.2f})" if f.low is not None else "") for f in found]
        lines.append(f"| {words} | {max((f.n for f in found if f), default=0)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    if len(sys.argv) > 1:
        print(table(*measured(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)))
        return
    answers = pool()
    print(
        f"{EXAMS} exams of {QUESTIONS} questions in {INTERVIEWS} interviews, from {len(answers)} answers. Admitted for:"
    )
    for name, reader in READERS.items():
        found = simulated(reader, answers, EXAMS)
        print(f"{name}: coverage {found['coverage'] / EXAMS:.1%}, agreement {found['agreement'] / EXAMS:.1%}")


if __name__ == "__main__":
    main()
