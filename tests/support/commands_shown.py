"""Whether a command that a document shows is one: read by the command line's own parser, and never run."""

import re
from enum import Enum
from functools import cache
from typing import Any

import typer
from places import REPOSITORY
from typer.main import get_command

from raft.cli import app as raft_app
from ratf.cli import app as ratf_app

APPS: dict[str, typer.Typer] = {"ratf": ratf_app, "raft": raft_app}
OF_OTHERS = ("cd", "export", "git", "grep", "inspect", "mkdir", "pip", "python3", "ray", "source", ".")
"""The first words of commands that are not the project's own."""


@cache
def _program(name: str) -> Any:
    return get_command(APPS[name])


def wrong_with(words: list[str], whole: bool = True) -> str:
    """The reason why a command cannot be typed so; empty if it can. Of a part of one, not `whole`, nothing need be there."""
    if not words:
        return ""
    first = words[0]
    if first == "make":
        targets = re.findall(r"(?m)^([\w-]+):(?!=)", (REPOSITORY / "Makefile").read_text("utf-8"))
        return next((f"no target {w}" for w in words[1:] if "=" not in w and w not in targets), "")
    if first == "python" and len(words) > 1 and words[1].endswith(".py"):
        scripts = (REPOSITORY / words[1], REPOSITORY / "docs" / words[1].removeprefix("agents/"))
        return "" if any(path.is_file() for path in scripts) else f"no script {words[1]}"
    if first == "ray" and "--" in words:  # a job of Ray's
        return wrong_with(words[words.index("--") + 1 :], whole)
    if first not in APPS:
        return "" if first in (*OF_OTHERS, "python", "duckdb") else f"{first} is unknown to the tests"
    command, rest = _program(first), words[1:]
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        if rest[0] in command.commands:
            command, rest = command.commands[rest[0]], rest[1:]
        elif command is not _program(first) and "make" in command.commands:  # which can be left out
            command = command.commands["make"]
        else:
            return f"no command {rest[0]}"
    context = command.context_class(command, info_name=command.name)
    try:
        given, _, _ = command.make_parser(context).parse_args(args=[word for word in rest if word != "…"])
    except Exception as error:
        return "" if not whole and "requires an argument" in str(error) else str(error)
    for parameter in command.params:
        value = given.get(parameter.name)
        if whole and parameter.required and not value and not {"--help", "-h", "--version"} & set(rest):
            return f"{parameter.name} is missing"
        kind = parameter.type_descriptor.annotation
        if value and isinstance(kind, type) and issubclass(kind, Enum):
            valid = [choice.value for choice in kind]
            if wrong := [v for v in ([value] if isinstance(value, str) else value) if v not in valid]:
                return f"{parameter.name} {wrong[0]} is none of {', '.join(valid)}"
    return ""
