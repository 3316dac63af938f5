"""`raft ask`."""

import asyncio
import tempfile
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from raft.told import told


def ask(
    name: Annotated[str, typer.Argument(help="A person's folder, or a name in people/.")],
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
        from raft.people import folder_of

        try:
            day = date.fromisoformat(on) if on else date.today()
        except ValueError:
            raise RaftError(f"--on {on!r} is not a date; write it as YYYY-MM-DD") from None
        typer.echo(_ask(folder_of(name), question, model, day))


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
