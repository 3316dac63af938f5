"""What both programs say about themselves: their version, and what is in their way."""

import typer


def tell_version(program: str) -> None:
    """Print the program's version and stop."""
    from raft.release import release

    typer.echo(f"{program} {release()}")
    raise typer.Exit


def tell_what_is_in_the_way() -> None:
    """Say on stderr which other distribution here has a package of the same name."""
    from raft.release import in_the_way

    for sentence in in_the_way():
        typer.echo(f"note: {sentence}", err=True)
