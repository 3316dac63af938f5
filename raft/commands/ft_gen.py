"""`raft ft:gen`."""

from typing import Annotated

import typer

from raft.told import told

CONTEXT = 4096


def ft_gen(
    name: Annotated[str, typer.Argument(help="A person's folder, or a name in people/.")],
    generic: Annotated[bool, typer.Option("--generic", help="Only work/finetune.jsonl, the general form.")] = False,
    oai: Annotated[
        bool, typer.Option("--oai", help="Only OpenAI's format, from the work/finetune.jsonl that is there.")
    ] = False,
    held_out: Annotated[
        int | None,
        typer.Option(min=1, help="Keep the newest N interviews for bench:setup. Default: as before, or a fifth."),
    ] = None,
    validation: Annotated[
        int | None,
        typer.Option(min=0, help="Of the others, the newest N are never learnt, to watch the loss. Default: a tenth."),
    ] = None,
    no_memories: Annotated[
        float, typer.Option(min=0, max=1, help="Share of training samples that show no memories.")
    ] = 0.0,
    other_memories: Annotated[
        float, typer.Option(min=0, max=1, help="Share of training samples that show another question's memories.")
    ] = 0.0,
    context: Annotated[int, typer.Option(min=512, help="Tokens of an OpenAI example, history included.")] = CONTEXT,
    rephraser: Annotated[str, typer.Option(help="extractive, local/<model> or openai/<model>.")] = "extractive",
    seed: Annotated[int, typer.Option(help="Chooses which samples show what.")] = 0,
) -> None:
    """Make fine-tuning data from a person's interviews and memories: what they were asked, remembered and answered.

    Example: raft ft:gen benchmarks/marrack --held-out 6
    """
    with told():
        from raft.console import progress
        from raft.datasets import Wanted, make_openai, make_records
        from raft.errors import RaftError
        from raft.finetune import Shares
        from raft.people import folder_of

        if no_memories + other_memories > 1:
            raise RaftError("--no-memories and --other-memories are shares of the same samples: at most 1 together")
        folder = folder_of(name)
        if generic or not oai:
            shares = Shares(none=no_memories, other=other_memories)
            wanted = Wanted(held_out, validation, shares, seed, rephraser)
            make_records(folder, "finetune", wanted, typer.echo, progress())
        if oai or not generic:
            make_openai(folder, "finetune", context, typer.echo)
