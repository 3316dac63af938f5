"""Every YAML file that people write is read here, within limits; each problem is reported with its line."""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError

from raft.errors import DataError, Location, describe

MAX_BYTES = 2**20
MAX_DEPTH = 40
MAX_NODES = 20_000
"""The greatest number of keys and values; PyYAML reads them in a second."""
MAX_DIGITS = 100
"""The greatest number of characters of a number; every double can be written with fewer."""
MAX_TOLD = 20
"""The greatest number of problems that are reported of one file."""

_TOO_LONG = f"longer than {MAX_BYTES:,} bytes, the most that is read of YAML"
_FRONT = re.compile(r"\s*-{3,}[ \t]*\n(.*?)(?<=\n)-{3,}[ \t]*(?:\n|$)", re.S)

Model = TypeVar("Model")
Place = Callable[[Mapping[str, Any], Location], Location]
"""From a file's value and the location of a value in its model to the location in the file."""


def read_model(
    path: Path,
    model: type[Model],
    context: Mapping[str, Any] | None = None,
    hint: str = "",
    place: Place = lambda _, location: location,
) -> Model:
    """Read a YAML file into a pydantic model, or into a type such as `dict[str, Price]`.

    `context` is passed to the model's validators. An empty file is read as an empty mapping. Raises DataError with
    every problem as `file:line: what`, and `hint` after each; where a key is unknown, the valid keys are listed.
    `place` is for a model whose values stand elsewhere in the file.
    """
    try:
        written = read_keys(path, model)
        try:
            return TypeAdapter(model).validate_python(written.value, context=context)
        except ValidationError as error:
            raise DataError(written.problems(error, model, partial(place, written.value))) from None
    except DataError as error:
        if not hint:
            raise
        raise DataError([f"{problem}; {hint}" for problem in error.problems]) from None


@dataclass(frozen=True)
class Written:
    """The keys of a YAML file with their values, and where each of them stands."""

    path: Path
    value: dict[str, Any]
    node: yaml.Node | None

    def problems(
        self, error: ValidationError, model: Any, place: Callable[[Location], Location] = lambda location: location
    ) -> list[str]:
        """Every problem of `error`, which is about values of this file, as `file:line: what`.

        `place` gives, for the location of a value in `model`, the location in the file that it was taken from.
        """
        told = zip(error.errors(), describe(error, lambda location: self._named(place(location))), strict=True)
        lines = (f"{self.path}:{self.line(place(e['loc']))}: {text}{_valid_keys(model, e)}" for e, text in told)
        return _first(lines, error.error_count(), str(self.path))

    def line(self, location: Location) -> int:
        """The line of the deepest part of a location that is in the file."""
        return _line(self.node, location)

    def _named(self, location: Location) -> Location:
        """The location with the `name` of an entry of a list in place of its number, where it has one."""
        value: Any = self.value
        named: Location = ()
        for part in location:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                value = None
            name = value.get("name") if isinstance(part, int) and isinstance(value, dict) else None
            named += (name if isinstance(name, str) and name.isprintable() else part,)
        return named


def read_keys(path: Path, model: Any = None) -> Written:
    """Read a YAML file that must hold keys with values; an empty one holds none.

    Raises DataError where it is no such file; with a pydantic `model`, its keys are named then.
    """
    raw, node = _parsed(_read(path), str(path))
    if raw is not None and not isinstance(raw, dict):
        known = model.model_fields if isinstance(model, type) and issubclass(model, BaseModel) else ()
        keys = f"; the keys are: {', '.join(known)}" if known else ""
        raise DataError([f"{path}:1: it holds {repr(raw)[:60]}, not keys with values{keys}"])
    return Written(path, {} if raw is None else raw, node)


def front_matter(text: str, name: str) -> tuple[dict[str, Any], str]:
    """Return the front matter of a Markdown text, the YAML between two lines of `---` at its start, and the rest.

    Returns ({}, text) where there is no front matter, or where it has no keys. Raises DataError, with `name` as the
    file and the line in `text`, where the front matter is not YAML that `read_model` would accept.
    """
    found = _FRONT.match(text)
    if not found:
        return {}, text
    facts, _ = _parsed("\n" * text.count("\n", 0, found.start(1)) + found[1], name, "the front matter is no YAML")
    return (facts, text[found.end() :]) if isinstance(facts, dict) else ({}, text)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise DataError([f"{path}: no such file"]) from None
    except OSError as error:
        raise DataError([f"{path}: cannot be read: {error.strerror or error}"]) from None
    if len(data) > MAX_BYTES:
        raise DataError([f"{path}: {_TOO_LONG}"])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError([f"{path}: not UTF-8 at byte {error.start}; save the file as UTF-8"]) from None


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, which refuses deep nesting and too many values, and reports the line of a value that it cannot construct."""

    depth = count = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.depth += 1
        self.count += 1
        if self.count > MAX_NODES:
            raise yaml.MarkedYAMLError(problem=f"more than {MAX_NODES:,} keys and values", problem_mark=self.get_mark())
        if self.depth > MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem=f"nested deeper than {MAX_DEPTH} levels", problem_mark=self.get_mark())
        made: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return made

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError, RecursionError) as error:
            raise yaml.MarkedYAMLError(problem=str(error), problem_mark=node.start_mark) from None


def _parsed(text: str, name: str, no_yaml: str = "not YAML") -> tuple[Any, yaml.Node | None]:
    """Return the value of the YAML text and its root node, both None where it is empty. Nodes know their lines.

    Raises DataError where the text is longer than `MAX_BYTES` characters, is not YAML, or holds what is refused.
    """
    if len(text) > MAX_BYTES:
        raise DataError([f"{name}: {_TOO_LONG}"])
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None, None
        refused = list(_refused(node, loader))
        if refused:
            raise DataError(_first((f"{name}:{line}: {what}" for line, what in refused), len(refused), name))
        return loader.construct_document(node), node
    except yaml.MarkedYAMLError as error:
        mark = error.context_mark or error.problem_mark
        told = " ".join(filter(None, (error.context, error.problem)))
        raise DataError([f"{name}:{mark.line + 1 if mark else 1}: {no_yaml}: {' '.join(told.split())}"]) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise DataError(
            [f"{name}:{line}: {no_yaml}: a character that YAML does not allow, U+{error.character:04X}"]
        ) from None


def _refused(root: yaml.Node, loader: _Loader) -> Iterator[tuple[int, str]]:
    """Yield the line and the problem of all that is valid YAML but is refused.

    Each node is visited once, however many aliases name it.
    """
    sizes: dict[int, int] = {}
    """The size of each node, in characters and nodes with all aliases written out; 0 while the node is visited."""

    def visit(node: yaml.Node) -> Iterator[tuple[int, str]]:
        line = node.start_mark.line + 1
        if id(node) in sizes:
            if not sizes[id(node)]:
                yield line, "an alias stands inside what it stands for; write the values out"
            return
        sizes[id(node)] = 0
        size = 1
        if isinstance(node, yaml.ScalarNode):
            size += len(node.value)
            yield from ((line, problem) for problem in _refused_number(node, loader))
        elif isinstance(node, yaml.SequenceNode):
            for item in node.value:
                yield from visit(item)
                size += sizes[id(item)]
        elif isinstance(node, yaml.MappingNode):
            yield from _repeated(node, loader)
            for pair in node.value:
                for part in pair:
                    yield from visit(part)
                    size += sizes[id(part)]
        sizes[id(node)] = size

    yield from visit(root)
    if sizes[id(root)] > 2 * MAX_BYTES:
        yield 1, f"its aliases stand for more than {2 * MAX_BYTES:,} characters; write the values out"


def _refused_number(node: yaml.ScalarNode, loader: _Loader) -> Iterator[str]:
    kind = node.tag.rpartition(":")[2]
    if kind not in ("int", "float"):
        return
    if len(node.value) > MAX_DIGITS:
        yield f"a number of {len(node.value):,} characters; one has at most {MAX_DIGITS}"
    elif kind == "float" and not math.isfinite(loader.construct_object(node)):
        yield f"{node.value} is not a finite number"


def _repeated(node: yaml.MappingNode, loader: _Loader) -> Iterator[tuple[int, str]]:
    first: dict[str, int] = {}
    for key, _ in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            yield line, "a list or a mapping is the key of another value; a key is plain text"
            continue
        plain = key.tag.rpartition(":")[2] in ("str", "merge", "value") or any(_refused_number(key, loader))
        said = key.value if plain else str(loader.construct_object(key))  # `yes` and `true` are the same key
        if said in first:
            yield line, f"{key.value[:80]!r} is there twice, first in line {first[said]}; keep one"
        first.setdefault(said, line)


def _first(problems: Iterator[str], count: int, name: str) -> list[str]:
    more = [f"{name}: and {count - MAX_TOLD:,} more problems"] if count > MAX_TOLD else []
    return [*islice(problems, MAX_TOLD), *more]


def _line(node: yaml.Node | None, location: Sequence[int | str]) -> int:
    """Return the line of the deepest part of `location` that is in the file."""
    line = 1
    for part in location:
        found = next((pair for pair in _children(node) if pair[0] == part), None)
        if found is None:
            break
        _, line, node = found
    return line


def _children(node: yaml.Node | None) -> Iterator[tuple[int | str, int, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key.value, key.start_mark.line + 1, value
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield index, value.start_mark.line + 1, value


def _valid_keys(model: Any, problem: Any) -> str:
    """Return the end of a message that lists the valid keys where the problem is an unknown key; else an empty text."""
    if problem["type"] != "extra_forbidden":
        return ""
    for part in problem["loc"][:-1]:
        fields = getattr(model, "model_fields", {})
        model = fields[part].annotation if part in fields else next(iter(get_args(model)[-1:]), None)
    known = model.model_fields if isinstance(model, type) and issubclass(model, BaseModel) else {}
    return f"; the keys are: {', '.join(known)}" if known else ""
