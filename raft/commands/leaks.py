"""The command `raft leaks` finds answers that also stand in other texts."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from raft.commands.errors import reported_errors

LEAKS_FOUND = 1
NOT_MEASURED = 2
SHOWN = 20


def leaks(
    name: Annotated[str, typer.Argument(help="A person's folder, or a name in people/.")],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print everything that was found as one JSON object.")
    ] = False,
    held_out: Annotated[
        int | None,
        typer.Option(min=1, help="Check only the newest N interviews, also against the earlier answers."),
    ] = None,
    at_least: Annotated[
        float, typer.Option(min=0, max=1, help="The share of an answer's 8-word runs that makes it a leak.")
    ] = 0.2,
    embed: Annotated[
        bool, typer.Option("--embed", help="Also look for the same in other words (takes minutes).")
    ] = False,
    fix: Annotated[
        bool, typer.Option("--fix", help="Move what leaks into the person's folder leaks/, say what, and look again.")
    ] = False,
) -> None:
    """List the interview answers that are also in the person's writings, or in another interview.

    Reads interviews.jsonl and writings.jsonl. Exit code 0: clean, 1: leaks were found, 2: bad input, or
    not measured: nothing was found, but not everything could be read.

    --fix moves three things: the later of two interviews that are the same, a writing in which an answer stands, and an
    answer that was given in an earlier interview, with its question. raft fetch and raft import do not add again what
    was moved. To put it back, copy its line from leaks/ into the file of the same name.

    Example: raft leaks demo/marrack
    """
    with reported_errors():
        from raft.people.folders import folder_of

        folder = folder_of(name)
        found = look(folder, held_out, at_least, embed)
        if fix:
            found = _fixed(folder, held_out, at_least, embed, found)
        typer.echo(json.dumps(found, ensure_ascii=False, indent=1) if as_json else describe(folder.name, found))
        if not found["clean"]:
            raise typer.Exit(NOT_MEASURED if found["not_measured"] else LEAKS_FOUND)


def _fixed(folder: Path, held_out: int | None, at_least: float, embed: bool, found: dict[str, Any]) -> dict[str, Any]:
    """Move out what leaks, one kind after the other, until nothing does; return what `look` finds then."""
    from raft.people.mending import LEAKS, move_out

    told: list[str] = []
    while not found["clean"] and not found["not_measured"]:
        out = move_out(folder, found)
        if not out:
            break
        told += out
        found = look(folder, held_out, at_least, embed)
    for line in told:
        typer.echo(f"moved to {folder / LEAKS}: {line}", err=True)
    return {**found, "moved": told}


def look(folder: Path, held_out: int | None, at_least: float, embed: bool) -> dict[str, Any]:
    """Return all leaks that are found in a person's folder, with the counts of what was checked, by name.

    `held_out` is the number of newest interviews to check, or None for all; `at_least` is the coverage that makes a
    leak; with `embed`, answers that say the same in other words are sought too. Raises RaftError where the folder
    cannot be read or has too few interviews.
    """
    from raft.errors import RaftError
    from raft.people import leaks as find
    from raft.people.person import exchanges, load_documents, load_interviews

    interviews = load_interviews(folder, allow_undated=True)
    documents = load_documents(folder, allow_undated=True)
    if held_out is not None and held_out >= len(interviews):
        raise RaftError(f"--held-out {held_out}: {folder} has {len(interviews)} interviews; hold out fewer than that")
    tested = interviews[-held_out:] if held_out else interviews
    cut = min((i.date for i in tested if i.date), default=None)
    earlier = (
        [i for i in interviews[: -held_out or None] if i.date is None or (cut and i.date < cut)] if held_out else []
    )
    asked = [e for i in tested for e in exchanges(i)]
    learnt = [e for i in earlier for e in exchanges(i)]
    sources = [*find.writings(documents), *find.answers(learnt)]
    answers = find.covered(asked, sources, at_least)
    repeated = find.repeated(asked, at_least)
    twins = find.twins([*earlier, *tested])
    alike = blind = None
    if embed:
        from raft.console import progress
        from raft.models.names import EMBEDDER, embedder

        encoder = embedder(EMBEDDER, progress())
        blind = find.blind([*asked, *learnt], encoder.embed)
        alike = find.alike(asked, sources, encoder.embed) if blind is None else None
    something = bool(answers or repeated or twins or alike)
    checked = sum(find.is_long(e.answer) for e in asked)
    unread = [s.name for s in [*find.writings(documents), *find.answers(asked, 0)] if not find.is_read(s.text)]
    not_measured = "" if something else _why_not(checked, len(asked), unread, blind)
    return {
        "clean": not something and not not_measured,
        "not_measured": not_measured,
        "at_least": at_least,
        "interviews": len(tested),
        "checked": checked,
        "short": len(asked) - checked,
        "unread": unread,
        "answers": [asdict(a) for a in answers],
        "repeated": [asdict(a) for a in repeated],
        "twins": [asdict(t) for t in twins],
        "alike": None if alike is None else [asdict(a) for a in alike],
        "writings": len(documents),
        "writings_not_older": sum(bool(d.date and cut and d.date >= cut) for d in documents),
        "undated": sum(d.date is None for d in documents) + sum(i.date is None for i in interviews),
    }


def _why_not(checked: int, asked: int, unread: list[str], blind: float | None) -> str:
    """Why nothing was found although not everything was looked at; empty where it was."""
    if unread:
        more = f" and {len(unread) - SHOWN} more" if len(unread) > SHOWN else ""
        return (
            f"{len(unread)} texts are not in words that can be read ({', '.join(unread[:SHOWN])}{more}); "
            "look at them: an encoding or the spaces may be lost"
        )
    if not checked:
        return f"none of {asked} answers has 20 words or more, and shorter ones are not looked at"
    if blind is not None:
        return (
            f"the embedded encoder does not tell these answers apart (median cosine {blind:.2f}; it knows English): "
            "no answer stands elsewhere word for word, but the same in other words is not found"
        )
    return ""


def describe(name: str, found: dict[str, Any]) -> str:
    """Return what `look` found as text: the worst leaks first, up to 20 of each kind, the others counted."""
    share = f"{100 * found['at_least']:.0f} %"
    later = sum(a["later"] for a in found["answers"])
    lines = [
        f"{name}: {found['checked']} answers of 20 words or more in {found['interviews']} interviews "
        f"({found['short']} shorter ones were not looked at); "
        f"{found['writings_not_older']} of {found['writings']} writings are not older than the first of them, "
        f"{found['undated']} records have no date",
        *_table(f"answers of which {share} or more stands elsewhere", found["answers"]),
        *_table("answers that were given in an earlier interview, too", found["repeated"]),
        *(f"the same interview twice: {t['one']} and {t['other']} ({t['coverage']:.2f})" for t in found["twins"]),
        *(
            f"the same in other words (cosine {a['cosine']:.2f}): {a['interview']} question {a['question']}, {a['document']}"
            for a in (found["alike"] or [])[:SHOWN]
        ),
    ]
    if found["clean"]:
        more = "" if found["alike"] is None else ", or says the same in other words"
        lines.append(f"clean: no answer stands elsewhere by {share} or more{more}, and no interview is there twice")
    elif found["not_measured"]:
        lines.append(f"not measured: {found['not_measured']}")
    else:
        lines.append(
            f"not clean: {len(found['answers'])} answers stand elsewhere ({later} in text that is not older than the "
            f"interview, which memories leave out), {len(found['repeated'])} are repeated, {len(found['twins'])} "
            "interviews are there twice. Take out one of each two, or do not score on these interviews."
        )
    return "\n".join(lines)


def _table(title: str, rows: list[dict[str, Any]]) -> list[str]:
    if not rows:
        return []
    shown = [
        f"  {a['coverage']:8.2f}  {a['longest_run']:6}  {a['interview']} question {a['question']}  ←  "
        f"{a['document']} ({a['document_date'] or 'undated'}{', later' if a['later'] else ''})"
        for a in rows[:SHOWN]
    ]
    rest = [f"  … and {len(rows) - SHOWN} more; --json lists all"] if len(rows) > SHOWN else []
    return [f"{title}:", "  coverage  in row  answer  ←  found in", *shown, *rest]
