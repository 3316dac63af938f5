"""What the commands that write figures and tables for papers share."""

from pathlib import Path

import typer


def put_all(made: dict[str, bytes], folder: Path) -> None:
    """Write files into a folder, and say where."""
    from raft.files import write_whole

    folder.mkdir(parents=True, exist_ok=True)
    for name, content in made.items():
        write_whole(folder / name, content)
        typer.echo(str(folder / name))


def note(said: str) -> None:
    """Say on stderr what there is to know of the files."""
    typer.echo(f"note: {said}", err=True)
