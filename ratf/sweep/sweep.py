"""A sweep: a suite file with a list of people, or with a matrix of settings, and the cells that it stands for."""

import hashlib
import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from raft.errors import DataError, Location, RaftError
from raft.formats.yaml_file import Written, read_keys
from raft.people.folders import PersonKey
from raft.people.person import About
from ratf.suite.parts import Once, SuitePart
from ratf.suite.study import Study, study_of
from ratf.suite.suite import Suite, find_suite, in_file
from ratf.sweep.resources import Resources

SEED = "seed"
"""The factor whose values are replicates: they are averaged over, and never compared."""
_PERSON = "{person}"
_NOT_CROSSED = ("name", "person", "people", "impostors", "strangers", "about", "rubrics")

Setting = dict[str, Any]
"""The values of a cell's factors, by the dotted name of the setting, as `memories.k`."""
Others = Annotated[list[PersonKey], Once] | Literal["others"]


class Crossing(SuitePart):
    """The keys of a suite file that make it a sweep."""

    people: Annotated[list[PersonKey], Once] | None = Field(None, min_length=1)
    """The people of a suite about many; each is tested against the others."""
    impostors: Others | dict[PersonKey, Others] = "others"
    """The impostors of everybody, or by person; `others` are all other people. Nobody is their own impostor."""
    strangers: Annotated[list[PersonKey], Once] = Field([])
    about: dict[PersonKey, About] = Field({})
    """Who the people are, for folders without a `person.yaml`; with `people` a list, it stands here."""
    matrix: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field({})
    """Settings, by their dotted names, each with the values that are crossed. The first value is the reference."""
    exclude: list[dict[str, Any]] = Field([])
    """Cells to leave out: those that have all of the values of one entry."""
    resources: Resources = Field({})
    """What phases need of a machine on Ray, as `tune: {gpu: 1}`. It is no part of what is run, nor of any digest."""


@dataclass(frozen=True)
class Cell:
    """One person with one setting: an ordinary suite, which runs in a folder of its own."""

    person: str
    setting: Setting
    suite: Suite

    @property
    def name(self) -> str:
        """The cell's folder under `cells/`, and its name in messages."""
        return cell_name(self.person, self.setting)

    @property
    def facts(self) -> Setting:
        """The person and the setting, which `exclude` and `--only` choose by."""
        return {"person": self.person, **self.setting}


@dataclass(frozen=True)
class Sweep:
    """A sweep that was read and checked. `cells` are in the order of people, then of settings."""

    name: str
    path: Path
    data: Path
    folder: Path
    people: list[str]
    factors: dict[str, list[Any]]
    """Each factor of the matrix with its values; the first value of each makes the reference setting."""
    cells: list[Cell]
    resources: Resources = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The digest of what is run: the name of each cell, and its whole suite. The people's data are not part of it."""
        told = json.dumps([[c.name, c.suite.model_dump(mode="json")] for c in self.cells], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    @property
    def compared(self) -> dict[str, list[Any]]:
        """The factors that are compared, that is all but the seed."""
        return {key: values for key, values in self.factors.items() if key != SEED}

    @property
    def reference(self) -> Setting:
        """The first value of each factor that is compared."""
        return {key: values[0] for key, values in self.compared.items()}

    def cell_folder(self, cell: Cell) -> Path:
        """The folder of a cell's run."""
        return self.folder / "cells" / cell.name

    def study(self, cell: Cell) -> Study:
        """The study of a cell. Raises DataError with everything that is wrong with its people."""
        return study_of(cell.suite, self.path, self.data, self.cell_folder(cell))


def is_sweep(suite: str | Path) -> bool:
    """Whether a suite file, or the name of one that comes along, has a list of people or a matrix."""
    return crosses(read_keys(find_suite(suite)).value)


def crosses(raw: Mapping[str, Any]) -> bool:
    """Whether the keys of a suite file make it a sweep. `people` as a mapping describes the people of an ordinary suite."""
    return "matrix" in raw or isinstance(raw.get("people"), list)


def open_sweep(
    suite: str | Path, data: str | Path | None = None, out: str | Path | None = None, finished: bool = False
) -> Sweep:
    """Read a sweep and check every cell's suite. `data` and `out` are as in `open_study`; nothing is written.

    Raises DataError with everything that is wrong, each with its line, and for people who have no folder in `data`.
    """
    path = find_suite(suite)
    written = read_keys(path)
    several = isinstance(written.value.get("people"), list)
    mine: tuple[str, ...] = ("matrix", "exclude", "resources")
    mine += ("people", "impostors", "strangers", "about") if several else ()
    try:
        crossing = TypeAdapter(Crossing).validate_python({k: v for k, v in written.value.items() if k in mine})
    except ValidationError as error:
        raise DataError(written.problems(error, Crossing)) from None
    rest = {k: v for k, v in written.value.items() if k not in mine}
    _check(written, crossing, rest)
    people = crossing.people or [str(rest.get("person"))]
    cells = []
    for person in people:
        whose = _whose(crossing, person, several)
        for values in product(*crossing.matrix.values()):
            setting = dict(zip(crossing.matrix, values, strict=True))
            if any(_has({"person": person, **setting}, entry) for entry in crossing.exclude):
                continue
            cells.append(Cell(person, setting, _suite(written, {**rest, **whose}, setting, person, finished)))
    if not cells:
        raise DataError([f"{path}:{written.line(('exclude',))}: exclude leaves no cell; leave some of it out"])
    reference = {key: values[0] for key, values in crossing.matrix.items() if key != SEED}
    if not any(_has(c.setting, reference) for c in cells):
        raise DataError(
            [
                f"{path}:{written.line(('exclude',))}: exclude leaves no cell at the reference setting, which is the first "
                "value of each factor; the verdict is about it"
            ]
        )
    left = [p for p in people if any(c.person == p for c in cells)]
    home = Path(data) if data else path.parent
    name = cells[0].suite.name
    sweep = Sweep(
        name, path, home, Path(out) if out else Path("runs") / name, left, crossing.matrix, cells, crossing.resources
    )
    _check_folders(sweep, written)
    return sweep


def _check(written: Written, crossing: Crossing, rest: Mapping[str, Any]) -> None:
    """Raises DataError where keys contradict each other, or name what is not there."""
    problems = []

    def say(place: Location, what: str) -> None:
        problems.append(f"{written.path}:{written.line(place)}: {what}")

    if crossing.people is not None and "person" in rest:
        say(("person",), "person and a list of people are both there; keep one")
    if crossing.people is None and "person" not in rest and isinstance(rest.get("people"), dict):
        listed = ", ".join(map(str, rest["people"]))
        say(
            ("people",),
            f"people is a mapping and no person is named; write people: [{listed}] and call the mapping about",
        )
    if isinstance(crossing.impostors, dict):
        known = crossing.people or []
        for key in crossing.impostors.keys() - set(known):
            say(("impostors", key), f"impostors of {key}, who is not among the people: {', '.join(known)}")
        for key in set(known) - crossing.impostors.keys():
            say(
                ("impostors",), f"impostors are given by person, and none of {key}; write `{key}: others`, or name them"
            )
    keys = [k for k in Suite.model_fields if k not in _NOT_CROSSED]
    for key, values in crossing.matrix.items():
        first = key.partition(".")[0]
        if first not in keys:
            say(
                ("matrix", key),
                f"matrix: no setting of a suite is called {key!r}; it begins with one of: {', '.join(keys)}",
            )
        shown = [json.dumps(v, sort_keys=True, default=str) for v in values]
        if twice := sorted({v for v in shown if shown.count(v) > 1}):
            say(("matrix", key), f"matrix: {key} has {', '.join(twice)} twice; name each value once")
        if over := [k for k in crossing.matrix if k != key and key.startswith(f"{k}.")]:
            say(("matrix", key), f"matrix: {key} is a part of {over[0]}, which is crossed as well; keep one")
    for at, entry in enumerate(crossing.exclude):
        if not entry:
            say(("exclude", at), "exclude: an entry without a value leaves out everything")
        for key, value in entry.items():
            known_values = crossing.people if key == "person" else crossing.matrix.get(key)
            if known_values is None or value not in known_values:
                there = ["person"] * bool(crossing.people) + list(crossing.matrix)
                what = "its values are" if known_values is not None else "the keys are"
                listed = ", ".join(map(str, there if known_values is None else known_values))
                say(("exclude", at, key), f"exclude: no cell has {key}: {value}; {what}: {listed}")
    if problems:
        raise DataError(problems)


def _whose(crossing: Crossing, person: str, several: bool) -> dict[str, Any]:
    """The keys of a person's cells that say who is who; none where the suite is about one person."""
    if not several:
        return {}
    named = crossing.impostors[person] if isinstance(crossing.impostors, dict) else crossing.impostors
    others = [p for p in crossing.people or [] if p not in crossing.strangers] if named == "others" else named
    impostors = [p for p in others if p != person]
    strangers = [p for p in crossing.strangers if p != person]
    about = {k: a for k, a in crossing.about.items() if k in (person, *impostors, *strangers)}
    whose = {"person": person, "impostors": impostors, "people": about}
    return {**whose, "strangers": strangers} if strangers else whose


def _suite(written: Written, raw: Mapping[str, Any], setting: Setting, person: str, finished: bool) -> Suite:
    """The suite of a cell. Raises DataError with every problem and its line in the sweep's file."""
    made = json.loads(json.dumps(dict(raw), default=_plain))
    for key, value in setting.items():
        *path, last = key.split(".")
        inner = made
        for part in path:
            inner = inner.setdefault(part, {})
            if not isinstance(inner, dict):
                raise DataError(
                    [f"{written.path}:{written.line(('matrix', key))}: matrix: {part} in {key} has no keys of its own"]
                )
        inner[last] = value
    if isinstance(made.get("arms"), list):
        made["arms"] = [_named(arm, person) if isinstance(arm, dict) else arm for arm in made["arms"]]

    def place(of_suite: Location) -> Location:
        location = in_file(made, of_suite)
        for key in setting:
            parts = tuple(key.split("."))
            if location[: len(parts)] == parts:
                return ("matrix", key)
        return location

    try:
        context = {"folder": written.path.parent, "finished": finished}
        return Suite.model_validate(made, context=context)
    except ValidationError as error:
        about = f" (in the cell {cell_name(person, setting)})"
        raise DataError([f"{p}{about}" for p in written.problems(error, Suite, place)]) from None


def _plain(value: Any) -> Any:
    """What YAML and pydantic read, as JSON holds it."""
    return value.model_dump(mode="json") if isinstance(value, About) else str(value)


def _named(value: Any, person: str) -> Any:
    """The value with the person's key for `{person}` in every text of it."""
    if isinstance(value, dict):
        return {k: _named(v, person) for k, v in value.items()}
    if isinstance(value, list):
        return [_named(v, person) for v in value]
    return value.replace(_PERSON, person) if isinstance(value, str) else value


def _check_folders(sweep: Sweep, written: Written) -> None:
    """Raises DataError for people without a folder: a misspelt name is told before anything is run."""
    lacking = [p for p in sweep.people if not (sweep.data / p).is_dir()]
    if lacking:
        there = sorted(f.parent.name for f in sweep.data.glob("*/interviews.jsonl")) or ["nobody"]
        raise DataError(
            [
                f"{sweep.path}:{written.line(('people',))}: {', '.join(lacking)} {'have' if lacking[1:] else 'has'} no "
                f"folder in {sweep.data}; in there: {', '.join(there)}. --data names another"
            ]
        )


def cell_name(person: str, setting: Setting) -> str:
    """The name of a person's cell with a setting."""
    return "/".join([person, *([setting_name(setting)] if setting else [])])


def setting_name(setting: Mapping[str, Any]) -> str:
    """A folder's name for a setting, as `k-3_seed-1`. What a name cannot hold is told apart by a digest."""
    parts = []
    for key, value in setting.items():
        text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
        plain = re.sub(r"[^a-zA-Z0-9.]+", "-", text).strip("-.")[:40]
        whole = plain if plain == text else f"{plain}-{hashlib.sha256(text.encode()).hexdigest()[:6]}".lstrip("-")
        parts.append(f"{key.rpartition('.')[2]}-{whole}")
    name = "_".join(parts)
    return name if len(name) <= 120 else f"{name[:100]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _has(facts: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(key in facts and facts[key] == value for key, value in wanted.items())


def chosen(sweep: Sweep, only: Sequence[str]) -> list[Cell]:
    """The cells that have all values of one of `only`, as `person=powell,seed=1`; all cells where it is empty.

    A factor may be named by its last part, as `k` for `memories.k`, where no other ends so. Raises RaftError for a key or
    a value that no cell has.
    """
    if not only:
        return sweep.cells
    wanted = [dict(_chosen_by(sweep, part) for part in text.split(",")) for text in only]
    found = [cell for cell in sweep.cells if any(_has(cell.facts, one) for one in wanted)]
    if not found:
        raise RaftError(f"--only {' '.join(only)}: no cell has all of these values")
    return found


def _chosen_by(sweep: Sweep, text: str) -> tuple[str, Any]:
    name, _, said = (part.strip() for part in text.partition("="))
    keys = ["person", *sweep.factors]
    whole = [key for key in keys if key == name] or [key for key in keys if key.rpartition(".")[2] == name]
    if len(whole) != 1 or not said:
        raise RaftError(f"--only {text}: write KEY=VALUE with one of the keys {', '.join(keys)}")
    values = sweep.people if whole[0] == "person" else sweep.factors[whole[0]]
    for value in values:
        if str(value) == said or (not isinstance(value, str) and value == yaml.safe_load(said)):
            return whole[0], value
    raise RaftError(f"--only {text}: no cell has it; the values are: {', '.join(map(str, values))}")


def share(sweep: Sweep, cells: Sequence[Cell], shard: str) -> list[Cell]:
    """The K-th of N shares of the cells, from `K/N`. The lot depends on the sweep alone: it is the same on every machine.

    Raises RaftError where `shard` is not of that form.
    """
    said = re.fullmatch(r"(\d{1,6})/(\d{1,6})", shard)
    number, count = (int(said[1]), int(said[2])) if said else (0, 0)
    if not 1 <= number <= count:
        raise RaftError(f"--shard {shard}: write K/N with K from 1 to N, as 3/16")
    order = list(cells)
    random.Random(sweep.digest).shuffle(order)
    return order[number - 1 :: count]


def settings_of(sweep: Sweep) -> Iterator[tuple[Setting, list[Cell]]]:
    """Each setting without its seed, in the order of the matrix, with its cells."""
    seen: dict[str, tuple[Setting, list[Cell]]] = {}
    for cell in sweep.cells:
        setting = {k: v for k, v in cell.setting.items() if k != SEED}
        seen.setdefault(setting_name(setting), (setting, []))[1].append(cell)
    yield from seen.values()
