"""YAML files, read with the line of everything that is wrong with them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from raft.errors import DataError


def read_yaml(path: Path) -> tuple[Any, yaml.Node | None]:
    """What the file says, and its nodes, which know their lines.

    Raises DataError when it is not UTF-8, not YAML, or says the same key twice, of which one would silently not count.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except UnicodeDecodeError as error:
        raise DataError([f"{path}: not UTF-8 at byte {error.start}; save the file as UTF-8"]) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise DataError([f"{path}: not YAML: {' '.join(str(error).split())}"]) from None
    problems = [
        f"{path}:{line}: {key!r} is there twice, first in line {first}; keep one"
        for key, line, first in _repeated(node)
    ]
    if problems:
        raise DataError(problems)
    return content, node


def _repeated(node: yaml.Node | None) -> Iterator[tuple[str, int, int]]:
    if isinstance(node, yaml.MappingNode):
        first: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if first.setdefault(str(key.value), line) != line:
                yield str(key.value), line, first[str(key.value)]
            yield from _repeated(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated(item)
