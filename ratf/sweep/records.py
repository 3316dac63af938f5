"""What came out of a sweep as a whole, and its file `sweep.json` in the run's folder."""

from pathlib import Path
from typing import Any, Literal

from raft.errors import RaftError
from raft.files import write_whole
from raft.formats.json_file import parse_model, read_bytes
from ratf.results.record import Record
from ratf.results.results import EXIT_CODES, Verdict

FILE = "sweep.json"
MOST_BYTES, MOST_VALUES = 128 * 2**20, 8_000_000
FORMAT = 1


class CellTold(Record):
    """One cell: a person with a setting, and how its run ended. `error` says why it did not; then there is no verdict."""

    name: str
    person: str
    setting: dict[str, Any]
    digest: str = ""
    verdict: Verdict = "NOT MEASURED"
    sentence: str = ""
    error: str = ""


class PersonRow(Record):
    """What the primary comparison says of one person on one metric, at the reference setting, over its interviews."""

    person: str
    metric: str
    counted: bool
    """Whether the person is part of the whole's intervals; else `why_not` says why."""
    why_not: str = ""
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    questions: int = 0
    interviews: int = 0
    stands_out: float | None = None
    """The p that the person's difference is that of the others together, after Holm's correction over people; None where it
    could not be tested."""


class Spread(Record):
    """How much people differ in the primary comparison on one metric, beyond what few questions explain."""

    metric: str
    people: int
    sd: float | None
    """The standard deviation between people (DerSimonian & Laird 1986); None with fewer than three people."""
    p: float | None = None
    """Of no difference between people (Cochran's Q)."""


class FactorRow(Record):
    """One value of a factor against the factor's reference value: the mean difference of an arm's scores, paired by question.

    The other factors are at all values that both have; seeds are averaged first. `low` and `high` are the ends of the 95 %
    interval, None where too few units give none.
    """

    factor: str
    value: Any
    arm: str
    metric: str
    mean: float | None
    """The arm's mean with this value, over the questions that are paired."""
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    p_holm: float | None = None
    questions: int = 0
    note: str = ""
    """What a reader must know, as that the answers are measured otherwise."""


class SeedRow(Record):
    """How far an arm's mean moves from seed to seed: the standard deviation, averaged over people and settings."""

    arm: str
    metric: str
    sd: float
    seeds: int


class Best(Record):
    """The setting with the best mean of the primary comparison's first arm, and the settings that it cannot be told from."""

    metric: str
    arm: str
    setting: dict[str, Any]
    mean: float
    not_separable: list[dict[str, Any]]
    """By the paired difference on the same questions, after Holm's correction over all settings."""
    words: str


class SweepResults(Record):
    """Everything that the page of a sweep says. Only `times` may differ between runs of the same inputs."""

    format: int = FORMAT
    name: str
    digest: str
    people: dict[str, str]
    """Each person's name, by key."""
    factors: dict[str, list[Any]]
    reference: dict[str, Any]
    over: Literal["people", "interviews"]
    """What the intervals of the whole are over."""
    inference: str
    """The same in a sentence."""
    verdict: Verdict
    sentence: str
    primary: dict[str, Any]
    cells: list[CellTold]
    rows: list[PersonRow] = []
    spread: list[Spread] = []
    effects: list[FactorRow] = []
    seeds: list[SeedRow] = []
    best: list[Best] = []
    notes: list[str] = []
    fictional: bool = False
    times: dict[str, Any] = {}

    @property
    def exit_code(self) -> int:
        """The exit code of the verdict."""
        return EXIT_CODES[self.verdict]

    @property
    def failed(self) -> list[CellTold]:
        """The cells whose run did not end."""
        return [cell for cell in self.cells if cell.error]

    def __repr__(self) -> str:
        """The sweep in one line."""
        return f"<SweepResults of {self.name}: {self.verdict}, {len(self.people)} people, {len(self.cells)} cells>"

    __str__ = __repr__


def save(results: SweepResults, folder: Path) -> None:
    """Write `sweep.json` into the run's folder, whole or not at all."""
    write_whole(folder / FILE, results.model_dump_json(indent=1) + "\n")


def is_sweep_run(folder: Path) -> bool:
    """Whether a folder is that of a sweep's run."""
    return (folder / FILE).is_file()


def refuse_sweep(run: Path, command: str) -> None:
    """Raises RaftError where a folder is a sweep's, for a command that reads the texts of one run."""
    if is_sweep_run(run):
        cells = [cell.name for cell in load(run).cells]
        raise RaftError(f"{run} is many runs; give one of them to {command}, as {run / 'cells' / cells[0]}")


def load(folder: Path) -> SweepResults:
    """What a sweep's run says as a whole. Raises DataError where `sweep.json` is not one of this version."""
    path = folder / FILE
    data = read_bytes(path, MOST_BYTES)
    return parse_model(
        data, SweepResults, f"{path}: not the results of a sweep of this version", MOST_BYTES, MOST_VALUES
    )
