"""What both programs say about themselves: their version, and what is in their way."""

from typing import Any

import typer


def version_option(program: str) -> Any:
    """The option `--version` of a program: it prints the version and stops."""

    def tell(value: bool) -> None:
        from raft.release import release

        if value:
            typer.echo(f"{program} {release()}")
            raise typer.Exit

    return typer.Option("--version", callback=tell, is_eager=True, help="Print the version.")


def tell_what_is_in_the_way() -> None:
    """Say on stderr which other distribution here has a package of the same name."""
    from raft.release import in_the_way

    for sentence in in_the_way():
        typer.echo(f"note: {sentence}", err=True)
