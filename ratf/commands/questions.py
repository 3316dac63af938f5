"""`ratf questions`."""

from pathlib import Path
from typing import Annotated

import typer

from raft.commands.errors import reported_errors


def questions(
    suite: Annotated[str, typer.Argument(help="A suite file, or the name of one that comes along.")],
    data: Annotated[Path | None, typer.Option(help="The folder with the people's folders.")] = None,
) -> None:
    """Print the held-out questions, a JSON line each, for an agent that is asked elsewhere; never the real answers.

    Write its answers to a file, {"id": "…", "answer": "…"} a line, and name it in the suite: arms: [{name: mine, answers: FILE}].

    Example: ratf questions demo > questions.jsonl
    """
    with reported_errors():
        import json

        from ratf.suite.study import open_study

        for e in open_study(suite, data).held_out:
            day = e.date.isoformat() if e.date else None
            row = {"id": e.exchange_id, "question": e.question, "interview_id": e.interview_id, "date": day}
            typer.echo(json.dumps(row, ensure_ascii=False))
