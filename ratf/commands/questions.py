"""`ratf questions`."""

from pathlib import Path
from typing import Annotated

import typer

from raft.commands.errors import reported_errors


def questions(
    suite: Annotated[str, typer.Argument(help="A suite file, or the name of an included suite.")],
    data: Annotated[Path | None, typer.Option(help="The folder with the people's folders.")] = None,
) -> None:
    """Print the held-out questions as JSON Lines, without the real answers, for an agent that runs elsewhere.

    `history` has what was said before in the interview; an answer that is itself asked about is null.
    Write its answers to a file, {"id": "…", "answer": "…"} a line, and name it in the suite: arms: [{name: mine, answers: FILE}].
    If the suite has many people, each line has its `person`; {person} in the name of the FILE stands for each of them.
    A line may repeat the `digest`: answers to other questions are then refused.

    Example: ratf questions demo > questions.jsonl
    """
    with reported_errors():
        import json

        from ratf.suite.study import open_study
        from ratf.sweep.sweep import is_sweep, open_sweep

        if is_sweep(suite):
            sweep = open_sweep(suite, data, finished=True)
            # another setting may ask other questions: an answers file fits those of one digest
            asked = {(s.person.key, s.questions_digest): s for s in map(sweep.study, sweep.cells)}
            for (person, digest), one in asked.items():
                for row in one.questions():
                    typer.echo(json.dumps({"person": person, **row, "digest": digest}, ensure_ascii=False))
            return
        study = open_study(suite, data, finished=True)  # the file of answers need not be there yet
        for row in study.questions():
            typer.echo(json.dumps({**row, "digest": study.questions_digest}, ensure_ascii=False))
