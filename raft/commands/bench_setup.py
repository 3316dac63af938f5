"""The command `raft bench:setup` makes a person's benchmark."""

from typing import Annotated

import typer

from raft.commands.errors import reported_errors
from raft.commands.ft_gen import CONTEXT


def bench_setup(
    name: Annotated[str, typer.Argument(help="A person's folder, or a name in people/.")],
    held_out: Annotated[
        int | None,
        typer.Option(
            min=1, help="The newest N interviews. Default: as in ft:gen; else a fifth, at least 6 of 12, of fewer half."
        ),
    ] = None,
    generic: Annotated[bool, typer.Option("--generic", help="Only work/benchmark.jsonl, the general form.")] = False,
    oai: Annotated[
        bool, typer.Option("--oai", help="Only OpenAI's format, from the work/benchmark.jsonl that is there.")
    ] = False,
    rephraser: Annotated[str, typer.Option(help="extractive, local/<model> or openai/<model>.")] = "extractive",
    context: Annotated[int, typer.Option(min=2048, help="Tokens of prompt and answer, history included.")] = CONTEXT,
) -> None:
    """Make the benchmark of a person's newest interviews, which fine-tuning never sees.

    Example: raft bench:setup demo/marrack --held-out 6
    """
    with reported_errors():
        from raft.console import progress
        from raft.people.folders import folder_of
        from raft.tuning.datasets import Wanted, make_openai, make_records, write_suite

        folder = folder_of(name)
        if generic or not oai:
            make_records(folder, "benchmark", Wanted(held_out, rephraser=rephraser), typer.echo, progress())
        if oai or not generic:
            make_openai(folder, "benchmark", context, typer.echo)
        write_suite(folder, typer.echo)
