"""The command `raft memories` shows the memories of a question."""

from typing import TYPE_CHECKING, Annotated

import typer

from raft.commands.errors import reported_errors

if TYPE_CHECKING:
    from raft.memory.mind import Recalled


def memories(
    name: Annotated[str, typer.Argument(help="A person's folder, or a name in people/.")],
    question: Annotated[str, typer.Option(help="The question.")],
    on: Annotated[
        str | None, typer.Option(help="Asked on that day (YYYY-MM-DD) [default: today]: only older writings count.")
    ] = None,
    k: Annotated[int, typer.Option(min=1, help="How many passages are recalled.")] = 3,
    rephraser: Annotated[str, typer.Option(help="extractive, local/<model> or openai/<model>.")] = "extractive",
    gate: Annotated[
        float, typer.Option(help="With extractive: the least cosine of a sentence and the question.")
    ] = 0.3,
) -> None:
    """Show the memories for a question, step by step: passages recalled, rephrased, kept or not, and why.

    Example: raft memories demo/marrack --question "Do beavers help against floods?"
    """
    with reported_errors():
        from raft.console import progress
        from raft.memory.recall import asked as asked_on
        from raft.memory.recall import mind_of
        from raft.models.waiting import result_of
        from raft.people.folders import folder_of

        asked = asked_on(question, on)
        with mind_of(folder_of(name), rephraser, k, gate, temporary=True, progress=progress()) as mind:
            considered = result_of(mind.consider([asked], {}))[asked.exchange_id]
        typer.echo(f"{len(considered)} passages from before {asked.date}")
        for number, recalled in enumerate(considered, start=1):
            _show(number, recalled)


def _show(number: int, recalled: "Recalled") -> None:
    passage, verdict = recalled.passage, recalled.verdict
    place = f"{passage.doc_id}, characters {passage.start}-{passage.end}"
    typer.echo(f"\n{number}. {recalled.similarity:.3f}  {passage.date or 'undated'}  {passage.title} ({place})")
    typer.echo(f"   passage: {' '.join(passage.text.split())}")
    typer.echo(f"   {verdict.outcome.value}: {verdict.why}")
    if verdict.text:
        typer.echo(f"   memory: {verdict.text}")
