"""The exit codes of `ratf run` and `ratf check`, which a pipeline goes by."""

from collections.abc import Collection
from enum import StrEnum
from typing import Annotated

import typer

from raft.commands.errors import BAD_INPUT


class NotPass(StrEnum):
    """The verdicts that are no PASS, as options name them."""

    regression = "regression"
    inconclusive = "inconclusive"
    not_measured = "not-measured"


USUAL = {"PASS": 0, "REGRESSION": 1, "INCONCLUSIVE": BAD_INPUT, "NOT MEASURED": BAD_INPUT}
DISTINCT = {**USUAL, "INCONCLUSIVE": 3, "NOT MEASURED": 4}
"""A code for each verdict; then 2 means bad usage or bad input and nothing else."""


Distinct = Annotated[
    bool,
    typer.Option(
        "--distinct-exit-codes", help="End with 3 for INCONCLUSIVE and 4 for NOT MEASURED; 2 is then only bad input."
    ),
]
ZeroOn = Annotated[
    list[NotPass] | None,
    typer.Option("--exit-zero-on", help="Also end with 0 on this verdict. Can be repeated."),
]


def exit_code(verdict: str, distinct: bool, zero_on: Collection[NotPass]) -> int:
    """The exit code for a verdict, such as `NOT MEASURED`. Raises KeyError for a word that is no verdict."""
    if verdict.lower().replace(" ", "-") in zero_on:
        return 0
    return (DISTINCT if distinct else USUAL)[verdict]
