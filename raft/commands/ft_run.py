"""The command `raft ft:run` fine-tunes a model for a person."""

from pathlib import Path
from typing import Annotated

import typer

from raft.commands.errors import reported_errors

BASE = "local/smollm2-135m-instruct"
LOCAL_CONTEXT = 1024


def ft_run(
    name: Annotated[str, typer.Argument(help="A person's folder, or a name in people/.")],
    model: Annotated[
        str, typer.Option(help="What to tune: local/<embedded model>, local/<a model's folder> or openai/<model>.")
    ] = BASE,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Default: 1 on this machine; OpenAI chooses its own.")
    ] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Samples per step.")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="On this machine the rate; for OpenAI the multiplier.")
    ] = None,
    rank: Annotated[int, typer.Option(min=1, help="The rank of the LoRA adapter.")] = 16,
    layers: Annotated[int | None, typer.Option(min=1, help="Tune only that many of the top layers.")] = None,
    patience: Annotated[
        int, typer.Option(min=1, help="Stop when the validation loss has set no new low this many times in a row.")
    ] = 3,
    context: Annotated[int, typer.Option(min=128, help="Tokens of a local sample, history included.")] = LOCAL_CONTEXT,
    max_words: Annotated[
        int, typer.Option(min=20, help="Cut local answers to this many words, at a sentence's end.")
    ] = 120,
    seed: int = 0,
    price_per_million: Annotated[float | None, typer.Option(help="US$ per million tokens, for the estimate.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the data, say what it costs, and stop.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Cancel the OpenAI jobs that are in progress.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait if another process tunes the same model.")] = False,
) -> None:
    """Tune a model on the data of ft:gen, and print the tuned model's name. If started again, it continues where it stopped.

    Example: raft ft:run demo/marrack --layers 12 --learning-rate 0.001
    """
    with reported_errors():
        from raft.console import progress
        from raft.lock import waiting
        from raft.people.folders import folder_of
        from raft.tuning.tune import tune

        folder = folder_of(name)
        if cancel:
            _cancel(folder)
            return
        with waiting(wait):
            tuned = tune(
                folder,
                model,
                epochs=epochs,
                batch=batch,
                learning_rate=learning_rate,
                rank=rank,
                layers=layers,
                patience=patience,
                context=context,
                max_words=max_words,
                seed=seed,
                price_per_million=price_per_million,
                make_data=False,
                dry_run=dry_run,
                say=_say,
                progress=progress(),
            )
        if tuned:
            typer.echo(tuned)


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _cancel(folder: Path) -> None:
    from raft.tuning.jobs import state_file
    from raft.tuning.openai_tuner import OpenAISettings, OpenAITuner

    cancelled = OpenAITuner(OpenAISettings(), state_file(folder)).cancel()
    typer.echo("\n".join(f"cancelled {job}" for job in cancelled) or "no job is under way")
