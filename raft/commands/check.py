"""The command `raft check` checks a person's folder."""

from typing import Annotated

import typer

from raft.commands.errors import reported_errors


def check(name: Annotated[str, typer.Argument(help="A person's folder, or a name in people/.")]) -> None:
    """Say what is in a person's folder, or everything that is wrong with it.

    Example: raft check demo/marrack
    """
    with reported_errors():
        from raft.people.doubts import doubts
        from raft.people.folders import folder_of
        from raft.people.person import load_person
        from raft.text import ends_sentence

        person = load_person(folder_of(name))
        typer.echo(f"{person.about.name}: {len(person.interviews)} interviews, {len(person.documents)} writings")
        left_out = ", ".join(f"{n} {reason}" for reason, n in person.left_out.items())
        if not ends_sentence(person.about.introduction):
            typer.echo(
                "warning: person.yaml: the introduction does not end as a sentence; prompts begin with "
                f"'{person.about.introduced}'"
            )
        for doubt in doubts(person):
            typer.echo(f"warning: {doubt}")
        typer.echo(f"{len(person.exchanges)} usable exchanges; left out: {left_out}")
