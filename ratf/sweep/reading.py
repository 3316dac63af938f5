"""What is kept of each cell's results: scores without texts, one cell in memory at a time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ratf.gate.gate import why_not_measured
from ratf.results.comparable import measured
from ratf.results.results import ArmResult, Leak, Results, Scored, Spent, Verdict, load
from ratf.statistics.contrasts import Scores
from ratf.statistics.samples import averaged
from ratf.suite.arms import CEILING, FLOOR
from ratf.sweep.sweep import Cell

KEPT_CONTROLS = (FLOOR, CEILING)


@dataclass(frozen=True)
class CellScores:
    """A finished cell: its scores by arm, metric and question, and what says whether they count."""

    cell: Cell
    digest: str
    person: dict[str, Any]
    suite: dict[str, Any]
    verdict: Verdict
    sentence: str
    interviews: dict[str, str]
    """Question → its interview."""
    scores: Scores
    """Of the arms, and of floor and ceiling."""
    arms: dict[str, ArmResult]
    metrics: dict[str, dict[str, Any]]
    refused: dict[str, str]
    """Metric → why its exam did not admit it; a metric without an exam is among them, too."""
    pairs: list[tuple[str, str]]
    """The pairs of arms that the run compares."""
    trouble: list[str]
    """What keeps the cell from being measured, whatever was compared."""
    measured: dict[str, Any]
    data_digest: str
    prompts_digest: str
    leaks: list[Leak] | None
    """None where nobody looked."""
    spent: Spent | None
    fictional: bool
    environment: dict[str, str]
    times: dict[str, Any]
    impostors: dict[str, str]

    @property
    def key(self) -> str:
        """The person's key."""
        return self.cell.person


def read_cell(cell: Cell, folder: Path) -> tuple[CellScores, Results]:
    """What is kept of a cell, and all of its results. Raises RaftError where they cannot be read."""
    results = load(folder / "results.json")
    kept = [arm for arm, about in results.arms.items() if about.kind == "arm" or arm in KEPT_CONTROLS]
    scores: dict[str, dict[str, dict[str, Scored]]] = {arm: {m: {} for m in results.metrics} for arm in kept}
    for question in results.questions:
        for arm in kept:
            answer = question.answers.get(arm)
            for metric, scored in answer.scores.items() if answer else ():
                scores[arm][metric][question.id] = Scored.model_construct(
                    value=scored.value, why=scored.why if scored.value is None else "", votes=[], against={}
                )
    exams = {e.metric: e for e in results.exam}
    refused = {
        m: exams[m].reason if m in exams else "it sits no exam"
        for m in results.metrics
        if m not in exams or not exams[m].admitted
    }
    slim = CellScores(
        cell=cell,
        digest=results.digest,
        person=results.person,
        suite=results.suite,
        verdict=results.verdict,
        sentence=results.sentence,
        interviews={q.id: q.interview_id for q in results.questions},
        scores=scores,
        arms={arm: results.arms[arm] for arm in kept},
        metrics=results.metrics,
        refused=refused,
        pairs=list(dict.fromkeys((c.a, c.b) for c in results.comparisons)),
        trouble=why_not_measured(results),
        measured=measured(results),
        data_digest=results.data_digest,
        prompts_digest=results.prompts_digest,
        leaks=results.leaks.found if results.leaks else None,
        spent=results.budget,
        fictional=results.fictional,
        environment=results.environment,
        times=results.times,
        impostors=results.impostors,
    )
    return slim, results


@dataclass(frozen=True)
class Group:
    """The cells of one person and one setting, which differ in the seed alone: replicates."""

    person: str
    cells: list[CellScores]

    @property
    def first(self) -> CellScores:
        """The cell of the first seed."""
        return self.cells[0]

    def scores(self, arms: Iterable[str], metrics: Sequence[str]) -> Scores:
        """The scores averaged over the seeds, by arm, metric and question; unscored where they are with one seed."""
        return {
            arm: {
                m: {
                    q: averaged([c.scores[arm][m][q] for c in self.cells])
                    for q in self.first.interviews
                    if all(q in c.scores.get(arm, {}).get(m, {}) for c in self.cells)
                }
                for m in metrics
            }
            for arm in arms
        }

    def numbers(self, arm: str, metric: str) -> dict[str, float]:
        """An arm's scores on a metric by question, averaged over the seeds, without missing ones."""
        found = self.scores([arm], [metric])[arm][metric]
        return {q: s.value for q, s in found.items() if s.value is not None}


def grouped(cells: Iterable[CellScores], seed: str) -> Iterator[tuple[dict[str, Any], list[Group]]]:
    """Each setting without the factor `seed`, in the cells' order, with a group for each person that has it."""
    settings: list[tuple[dict[str, Any], dict[str, list[CellScores]]]] = []
    for one in cells:
        setting = {k: v for k, v in one.cell.setting.items() if k != seed}
        known = next((people for s, people in settings if s == setting), None)
        if known is None:
            known = {}
            settings.append((setting, known))
        known.setdefault(one.key, []).append(one)
    for setting, people in settings:
        yield setting, [Group(person, several) for person, several in people.items()]


def joined(person: str, question: str) -> str:
    """The name of a person's question, or interview, among those of all people."""
    return f"{person}/{question}"


def by_person(numbers: Mapping[str, float], person: str) -> dict[str, float]:
    """The same numbers by the questions' names among those of all people."""
    return {joined(person, q): v for q, v in numbers.items()}
