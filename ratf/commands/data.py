"""`ratf data`: people's folders from official sources."""

from pathlib import Path
from typing import Annotated

import typer

from raft.commands.errors import reported_errors


def data(
    recipe: Annotated[str, typer.Argument(help="fed-chairs, or a recipe's YAML file.")],
    out: Annotated[Path, typer.Option(help="The folder to put the people's folders in.")],
    base_url: Annotated[str | None, typer.Option(help="A mirror, instead of the recipe's own site.")] = None,
) -> None:
    """Make people's folders from official sources. Files are kept in the cache, and checked by SHA-256 if it is known.

    If started again, it continues where it stopped. Nothing is written until everything was fetched and read.

    Example: ratf data fed-chairs --out people && ratf run fed-chairs --data people
    """
    with reported_errors():
        from raft.console import progress
        from raft.models.weights import cache_folder
        from raft.sources.http import Web
        from ratf.suite.recipes import build, find_recipe, load_recipe

        web = Web()
        try:
            made = build(load_recipe(find_recipe(recipe)), out, cache_folder() / "pages", web.get, base_url, progress())
        finally:
            web.close()
        for one in made:
            again = one.of - one.interviews - one.writings
            there = f"; {again} there already" if again else ""
            typer.echo(f"{one.folder}: {one.interviews} interviews and {one.writings} writings added{there}")
