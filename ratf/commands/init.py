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


DEMO_PEOPLE, DEMO_STRANGERS = ("marrack", "pell", "rudge", "calloway"), ("calloway",)
DEMO, HOSTED = "demo.yaml", "hosted.yaml"


def init(
    folder: Annotated[Path, typer.Argument(help="A folder that does not exist yet; with --hosted, it may exist.")],
    ci: Annotated[
        Pipeline | None,
        typer.Option(
            help="Also write a pipeline, its policy and requirements; the folder becomes a repository's root."
        ),
    ] = None,
    hosted: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL", help="Write a suite on this hosted model instead, such as openai/gpt-…; no torch."
        ),
    ] = None,
    person: Annotated[
        str | None,
        typer.Option(help="With --hosted: the person who is tested; by default the one with the most answers."),
    ] = None,
) -> None:
    """Copy the demo into a folder, to change and to run: suite, people, task. With --hosted, write a suite on a hosted model.

    With --hosted, the suite asks only hosted models: the model answers with and without memories, and grades. In a folder
    of people, the suite is about them. A folder without people gets those of the demo.

    Example: ratf init demo && ratf run demo/demo.yaml
    """
    with reported_errors():
        from raft.errors import RaftError

        if person and not hosted:
            raise RaftError("--person is for --hosted: the demo's suite is about its own people")
        if folder.exists() and not hosted:
            raise RaftError(
                f"{folder} is there already; name a folder that is not, or add a suite to it with --hosted MODEL"
            )
        suite = DEMO
        if hosted:
            suite = HOSTED
            _add_hosted(folder, hosted, person, ci)
        else:
            aside = folder.with_name(f".{folder.name}.part")
            shutil.rmtree(aside, ignore_errors=True)
            aside.mkdir(parents=True)
            _copy_people(aside)
            _copy("benchmarks", DEMO, aside / DEMO)
            _copy("tasks", "interview.py", aside / "interview.py")
            if ci:
                _add_pipeline(aside, ci)
            aside.rename(folder)
        typer.echo(f"{folder} is ready; now: ratf {'plan' if hosted else 'run'} {folder / suite}")


def _copy(part: str, name: str, to: Path) -> None:
    from ratf.content import content

    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(content(part, *name.split("/")), to)


def _copy_people(folder: Path) -> None:
    from ratf.content import content

    for name in DEMO_PEOPLE:
        shutil.copytree(content("benchmarks", name), folder / name)


def _add_pipeline(folder: Path, ci: Pipeline) -> None:
    _copy("docs/ci", f"{ci}.yml", folder / PLACES[ci])
    for name in ("policy.yaml", "requirements.txt"):
        _copy("docs/ci", name, folder / name)


def _add_hosted(folder: Path, model: str, person: str | None, ci: Pipeline | None) -> None:
    """Write the suite on a hosted model, and with `ci` its pipeline. Raises RaftError for a file that is there already."""
    from raft.errors import RaftError
    from ratf.content import content
    from ratf.suite.hosted import hosted_pipeline, hosted_suite

    wanted = [
        folder / HOSTED,
        *([folder / PLACES[ci], folder / "policy.yaml", folder / "requirements.txt"] if ci else []),
    ]
    there = [path for path in wanted if path.exists()]
    if there:
        raise RaftError(f"{there[0]} is there already and is not overwritten; move it away, or change it by hand")
    if folder.exists() and not folder.is_dir():
        raise RaftError(f"{folder} is a file; name a folder")
    new = not any(folder.glob("*/interviews.jsonl"))
    text = hosted_suite(*((content("benchmarks"), model, person, DEMO_STRANGERS) if new else (folder, model, person)))
    folder.mkdir(parents=True, exist_ok=True)
    if new:
        _copy_people(folder)
    (folder / HOSTED).write_text(text, "utf-8")
    if ci:
        _add_pipeline(folder, ci)
        for name in (PLACES[ci], "policy.yaml", "requirements.txt"):
            path = folder / name
            path.write_text(hosted_pipeline(path.read_text("utf-8"), model), "utf-8")
