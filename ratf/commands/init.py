"""`ratf init`."""

import shutil
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from raft.commands.errors import reported_errors


class Pipeline(StrEnum):
    """Whose pipelines there is a recipe for."""

    github = "github"
    gitlab = "gitlab"


PLACES = {Pipeline.github: ".github/workflows/ratf.yml", Pipeline.gitlab: ".gitlab-ci.yml"}
"""Where each looks for its pipelines, from a repository's root."""


def init(
    folder: Annotated[Path, typer.Argument(help="A folder that is not there yet.")],
    ci: Annotated[
        Pipeline | None,
        typer.Option(help="Also a pipeline, its policy and requirements: the folder is then a repository's root."),
    ] = None,
) -> None:
    """Copy the demo suite, its three people and the task file into a folder, to change and to run.

    Example: ratf init demo && ratf run demo/demo.yaml
    """
    with reported_errors():
        from raft.errors import RaftError
        from ratf.content import content

        if folder.exists():
            raise RaftError(f"{folder} is there already; name a folder that is not")
        aside = folder.with_name(f".{folder.name}.part")
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        for name in ("marrack", "pell", "rudge", "calloway"):
            shutil.copytree(content("benchmarks", name), aside / name)
        shutil.copy(content("benchmarks", "demo.yaml"), aside / "demo.yaml")
        shutil.copy(content("tasks", "interview.py"), aside / "interview.py")
        if ci:
            (aside / PLACES[ci]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(content("docs", "ci", f"{ci}.yml"), aside / PLACES[ci])
            for name in ("policy.yaml", "requirements.txt"):
                shutil.copy(content("docs", "ci", name), aside / name)
        aside.rename(folder)
        typer.echo(f"{folder} is ready; now: ratf run {folder / 'demo.yaml'}")
