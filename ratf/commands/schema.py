"""`ratf schema`: the JSON Schemas of the files that people write, for editors, and of the results."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from raft.commands.errors import reported_errors


def _suite() -> dict[str, Any]:
    from ratf.sweep.schema import suite_schema

    return suite_schema()


def _policy() -> dict[str, Any]:
    from ratf.gate.policy import policy_schema

    return policy_schema()


def _judge() -> dict[str, Any]:
    from ratf.sweep.schema import judge_schema

    return judge_schema()


def _results() -> dict[str, Any]:
    from ratf.results.results import Results

    return Results.model_json_schema()


SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {
    "suite": _suite,
    "policy": _policy,
    "judge": _judge,
    "results": _results,
}
"""The kinds of files that have a schema."""

Kind = StrEnum("Kind", [(name, name) for name in SCHEMAS])  # type: ignore[misc]
SUITE = Kind("suite")


def schema_of(kind: str) -> str:
    """The JSON Schema of a kind of file, one of SCHEMAS, as text."""
    import json

    from ratf.results.results import DIALECT

    return json.dumps({**DIALECT, **SCHEMAS[kind]()}, indent=1, ensure_ascii=False) + "\n"


def schema(
    kind: Annotated[Kind, typer.Argument(help="The kind of file.")] = SUITE,
    out: Annotated[Path | None, typer.Option(help="The file to write; by default stdout.")] = None,
) -> None:
    """Print the JSON Schema of a kind of file. An editor that knows it completes keys and marks wrong ones.

    For VS Code with its YAML extension, write the schema beside the suite, and this as the suite's first line:
    # yaml-language-server: $schema=suite.schema.json

    Example: ratf schema suite --out suite.schema.json
    """
    with reported_errors():
        from raft.files import write_whole

        text = schema_of(kind)
        if out is None:
            typer.echo(text, nl=False)
        else:
            write_whole(out, text)
            typer.echo(str(out))
