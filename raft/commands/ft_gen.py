"""The command `raft ft:gen` makes fine-tuning data."""

from typing import Annotated

import typer

from raft.commands.errors import reported_errors

CONTEXT = 4096

NO_MEMORIES = OTHER_MEMORIES = 0.15
"""The default shares of training samples that show no memories, and that show another question's memories.

They were chosen by the validation loss, in nats a token, on the demo's person (77 training and 21 validation samples).
With a question's own memories, none, or another question's, the loss was 3.937, 3.954, 3.948 at shares of 0; 3.921,
3.938, 3.935 at 0.15; and 3.922, 3.933, 3.934 at 0.3. So the shares cost nothing, and 0.3 gains no more. A second seed
at 0.15 gave 3.922, 3.937, 3.936; 0 and 0.3 had one seed each.
"""


def ft_gen(
    name: Annotated[str, typer.Argument(help="A person's folder, or a name in people/.")],
    generic: Annotated[
        bool, typer.Option("--generic", help="Write only work/finetune.jsonl, the general form.")
    ] = False,
    oai: Annotated[
        bool, typer.Option("--oai", help="Write only OpenAI's format, from the existing work/finetune.jsonl.")
    ] = False,
    held_out: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Keep the newest N interviews for bench:setup. Default: as before, or a fifth, but 6 of 12 or half of fewer.",
        ),
    ] = None,
    validation: Annotated[
        int | None,
        typer.Option(min=0, help="Keep back the newest N of the other interviews to watch the loss. Default: a tenth."),
    ] = None,
    no_memories: Annotated[
        float, typer.Option(min=0, max=1, help="Share of training samples that show no memories.")
    ] = NO_MEMORIES,
    other_memories: Annotated[
        float, typer.Option(min=0, max=1, help="Share of training samples that show another question's memories.")
    ] = OTHER_MEMORIES,
    context: Annotated[int, typer.Option(min=512, help="Tokens of an OpenAI example, history included.")] = CONTEXT,
    rephraser: Annotated[str, typer.Option(help="extractive, local/<model> or openai/<model>.")] = "extractive",
    seed: Annotated[int, typer.Option(help="Decides which samples show which memories.")] = 0,
) -> None:
    """Make fine-tuning data from a person's interviews and memories: question, memories and answer.

    Example: raft ft:gen demo/marrack --held-out 6
    """
    with reported_errors():
        from raft.console import progress
        from raft.errors import RaftError
        from raft.people.folders import folder_of
        from raft.tuning.datasets import Wanted, make_openai, make_records
        from raft.tuning.records import Shares

        if no_memories + other_memories > 1:
            raise RaftError("--no-memories and --other-memories are shares of the same samples: at most 1 together")
        folder = folder_of(name)
        if generic or not oai:
            shares = Shares(none=no_memories, other=other_memories)
            wanted = Wanted(held_out, validation, shares, seed, rephraser)
            make_records(folder, "finetune", wanted, typer.echo, progress())
        if oai or not generic:
            make_openai(folder, "finetune", context, typer.echo)
