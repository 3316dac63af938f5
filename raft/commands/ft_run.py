"""`raft ft:run`."""

import json
from pathlib import Path
from typing import Annotated, Any

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
        int | None, typer.Option(min=1, help="Default: 1 here; what the service thinks best there.")
    ] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Samples a step.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Here: the rate. OpenAI: the multiplier.")] = None,
    rank: Annotated[int, typer.Option(min=1, help="Of the LoRA adapter.")] = 16,
    layers: Annotated[int | None, typer.Option(min=1, help="Tune only that many of the top layers.")] = None,
    patience: Annotated[
        int, typer.Option(min=1, help="Stop when the validation loss was not the lowest yet so often in a row.")
    ] = 3,
    context: Annotated[int, typer.Option(min=128, help="Tokens of a local sample, history included.")] = LOCAL_CONTEXT,
    max_words: Annotated[int, typer.Option(min=20, help="Cut local answers at a sentence's end within so many.")] = 120,
    seed: int = 0,
    price_per_million: Annotated[float | None, typer.Option(help="US$ per million tokens, for the estimate.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the data, say what it costs, and stop.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Cancel the OpenAI jobs that are under way.")] = False,
) -> None:
    """Tune a model on what ft:gen made; stdout is the tuned model's name. Killed, it goes on where it was.

    Example: raft ft:run benchmarks/marrack --layers 12 --learning-rate 0.001
    """
    with reported_errors():
        from raft.people.folders import folder_of

        folder = folder_of(name)
        provider, _, base = model.partition("/")
        if cancel:
            _cancel(folder)
        elif provider == "openai" and base:
            given = {"epochs": epochs, "batch": batch, "learning_rate_multiplier": learning_rate, "seed": seed}
            _openai(folder, base, given, price_per_million, dry_run)
        else:
            settings = {"epochs": epochs, "batch": batch, "learning_rate": learning_rate, "layers": layers}
            settings |= {"rank": rank, "alpha": 2 * rank, "patience": patience, "seed": seed}
            _tune(folder, model, {k: v for k, v in settings.items() if v is not None}, context, max_words, dry_run)


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _tune(folder: Path, model: str, settings: dict[str, Any], context: int, max_words: int, dry_run: bool) -> None:
    from raft.console import progress
    from raft.errors import RaftError
    from raft.models.tokens import token_counter
    from raft.models.weights import model_folder
    from raft.people.folders import work_of
    from raft.people.person import load_about
    from raft.tuning.jobs import Tuning, keep, locked, state_file
    from raft.tuning.records import read_records, samples, size
    from raft.tuning.tuners import tuner_kind

    kind, (provider, _, base) = tuner_kind(model), model.partition("/")
    if provider == "local":
        about_model = json.loads((model_folder(base, progress()) / "config.json").read_text("utf-8"))
        if context > (longest := about_model.get("max_position_embeddings", context)):
            raise RaftError(f"--context {context}: {base} reads at most {longest} tokens")
    about, records, count = load_about(folder), read_records(work_of(folder) / "finetune.jsonl"), token_counter(base)
    parts = {}
    for part in ("training", "validation"):
        chosen = [r for r in records if r.split == part]
        parts[part], too_long = samples(about, chosen, records, context, max_words, count)
        tokens = sum(size(s.prompt, count) + count(s.answer) for s in parts[part])
        left_out = f"; {len(too_long)} do not fit into {context}: {', '.join(too_long)}" if too_long else ""
        _say(f"{part}: {len(parts[part])} samples, {tokens} tokens{left_out}")
    if not parts["training"]:
        raise RaftError(f"{work_of(folder) / 'finetune.jsonl'} has no training sample that fits")
    if dry_run:
        return
    with locked(state_file(folder)):
        tuned = kind.make(settings, state_file(folder), progress()).tune(parts["training"], base, parts["validation"])
        keep(state_file(folder), Tuning(model, tuned.rpartition("+")[2], f"{provider}/{tuned}"))
    typer.echo(f"{provider}/{tuned}")


def _openai(folder: Path, base: str, given: dict[str, Any], price: float | None, dry_run: bool) -> None:
    from raft.errors import DataError, RaftError
    from raft.people.folders import work_of
    from raft.tuning.datasets import openai_is_current
    from raft.tuning.jobs import locked, state_file
    from raft.tuning.openai_tuner import OpenAISettings, OpenAITuner

    training = work_of(folder) / "finetune.openai.jsonl"
    validation = work_of(folder) / "finetune.openai.validation.jsonl"
    if not training.is_file():
        raise DataError([f"{training}: missing; `raft ft:gen {folder}` makes it"])
    if not openai_is_current(folder):
        raise RaftError(f"{training} is older than what it is made from; run `raft ft:gen {folder} --oai` first")
    files = training.read_bytes(), validation.read_bytes() if validation.is_file() else b""
    names = str(training), str(validation)
    tuner = OpenAITuner(OpenAISettings(**given), state_file(folder), _say, price=price)
    if dry_run:
        tuner.checked(*files, base, names)
        return
    with locked(state_file(folder)):
        tuned = tuner.tune_files(*files, base, names)
    typer.echo(f"openai/{tuned}")


def _cancel(folder: Path) -> None:
    from raft.tuning.jobs import state_file
    from raft.tuning.openai_tuner import OpenAISettings, OpenAITuner

    cancelled = OpenAITuner(OpenAISettings(), state_file(folder)).cancel()
    typer.echo("\n".join(f"cancelled {job}" for job in cancelled) or "no job is under way")
