"""The `raft` command: the method on a person's folder, without the harness."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="An agent that answers as one person, from their writings and interviews.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@contextmanager
def told() -> Iterator[None]:
    """Turn what the user can mend into one message on stderr and exit code 2."""
    from raft.errors import RaftError

    try:
        yield
    except RaftError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    except ModuleNotFoundError as error:
        typer.echo(
            f"error: the embedded models need {error.name}; install them with: pip install 'ratf[local]'", err=True
        )
        raise typer.Exit(2) from None


@app.command()
def check(folder: Annotated[Path, typer.Argument(help="A person's folder.")]) -> None:
    """Say what is in a person's folder, or everything that is wrong with it.

    Example: raft check benchmarks/marrack
    """
    with told():
        from raft.person import load_person

        person = load_person(folder)
        typer.echo(f"{person.about.name}: {len(person.interviews)} interviews, {len(person.documents)} writings")
        left_out = ", ".join(f"{n} {reason}" for reason, n in person.left_out.items())
        typer.echo(f"{len(person.exchanges)} usable exchanges; left out: {left_out}")


@app.command()
def ask(
    folder: Annotated[Path, typer.Argument(help="A person's folder.")],
    question: Annotated[str, typer.Argument(help="What to ask.")],
    model: Annotated[
        str, typer.Option(help="An embedded model, or <model>+<adapter digest>.")
    ] = "smollm2-135m-instruct",
    on: Annotated[
        str | None, typer.Option(help="Ask on that day (YYYY-MM-DD): only older writings are remembered.")
    ] = None,
) -> None:
    """Answer a question as the person; on stderr, the memories used.

    Example: raft ask benchmarks/marrack "Do beavers help against floods?"
    """
    with told():
        from raft.errors import RaftError

        try:
            day = date.fromisoformat(on) if on else date.today()
        except ValueError:
            raise RaftError(f"--on {on!r} is not a date; write it as YYYY-MM-DD") from None
        answer = _ask(folder, question, model, day)
        typer.echo(answer)


def _ask(folder: Path, question: str, model: str, day: date) -> str:
    from raft.embedders import LocalEmbedder
    from raft.local import LocalModel, Sampling
    from raft.memories import remember, store_writings
    from raft.person import load_person
    from raft.prompts import conversation
    from raft.rephrase import extractive
    from raft.store import ChromaStore
    from raft.types import Exchange
    from raft.weights import fetch

    person = load_person(folder)
    embedder = LocalEmbedder("all-minilm-l6-v2")
    chat = LocalModel(model)
    asked = Exchange("asked", 1, day, question, "")
    with tempfile.TemporaryDirectory() as place:
        store = ChromaStore(Path(place), person.key)
        store_writings(person, store, embedder, fetch("all-minilm-l6-v2") / "tokenizer.json", 96)
        found = asyncio.run(remember([asked], {}, store, embedder, extractive(embedder), 3))
    memories = found[asked.exchange_id]
    for memory in memories:
        typer.echo(f"remembers ({memory.date}, {memory.title}, {memory.source}): {memory.text}", err=True)
    prompt = conversation(person.about, question, memories, [], 1024, chat.count_tokens)
    return chat.generate(
        [prompt], [Sampling(max_tokens=160, temperature=0.7, top_p=0.9, frequency_penalty=0.3, seed=0)]
    )[0].text


if __name__ == "__main__":
    app()
