"""The command `raft fetch` adds writings to a person's folder."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from raft.commands.errors import reported_errors

if TYPE_CHECKING:
    from raft.people.additions import Writings
    from raft.sources.visit import Visit

EXAMPLES = 3
"""The greatest number of places that are named for each reason why something was left out."""


def fetch(
    name: Annotated[str, typer.Argument(help="A person's folder, or a name in people/; a new one is made.")],
    source: Annotated[
        list[str] | None,
        typer.Option("--from", help="A blog, feed, page, file or folder; without it, the sources of the last time."),
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="substack, feed, page or file; without it, recognised from the source.")
    ] = None,
    called: Annotated[str | None, typer.Option(help="The person's name, for a new folder.")] = None,
    by: Annotated[
        list[str] | None,
        typer.Option("--by", help="Another name that the person signs with. Can be repeated."),
    ] = None,
    pause: Annotated[float, typer.Option(min=0, help="Seconds between two requests to the same site.")] = 1.0,
) -> None:
    """Add a person's writings from their blog, feeds, pages or files. If run again, it adds only what is new.

    Texts that others have signed are left out, and so are other people's posts and tweets inside a text. Each is listed.

    Example: raft fetch jane --from https://jane.substack.com --called "Jane Doe"
    """
    with reported_errors():
        from raft.errors import RaftError
        from raft.people.folders import folder_of
        from raft.sources import READERS

        folder = folder_of(name)
        if kind is not None and kind not in READERS:
            raise RaftError(f"--kind {kind!r} is unknown; there are {', '.join(READERS)}")
        asked = [(one, kind) for one in source] if source else _recorded(folder, name, kind)
        problems = _fetch_all(folder, asked, called, pause, by or [])
        if problems:
            raise RaftError("\n".join(problems))


def _fetch_all(
    folder: Path, asked: Sequence[tuple[str, str | None]], called: str | None, pause: float, by: Sequence[str] = ()
) -> list[str]:
    """Fetch from one source after the other and print a summary of each; return the messages of those that failed."""
    from raft.console import progress
    from raft.errors import RaftError
    from raft.people.additions import Writings
    from raft.sources.bylines import Owner
    from raft.sources.http import Web
    from raft.sources.visit import Visit

    writings = Writings(folder)
    web = Web(pause)
    problems: list[str] = []
    try:
        for source, kind in asked:
            visit = Visit(web, writings.known, progress(), Owner(names_of(folder, called, by)))
            try:
                _take(folder, source, kind, called, visit, by, writings)
            except RaftError as error:
                problems.append(str(error))
                if not visit.new:
                    continue
            typer.echo(_summary(source, visit))
    finally:
        web.close()
    return problems


def _take(
    folder: Path,
    source: str,
    kind: str | None,
    called: str | None,
    visit: "Visit",
    by: Sequence[str],
    writings: "Writings",
) -> None:
    """Add the source's new documents to the folder: those from the web one by one, those of files all together.

    Raises RaftError where the source cannot be read; of files, nothing is added then.
    """
    from raft.people.person import introduce
    from raft.sources import READERS, kind_of

    kind = kind or kind_of(source, visit)
    found = READERS[kind](source, visit)
    visit.kind = kind
    for documents in [list(found)] if kind == "file" else ([document] for document in found):
        if documents and not visit.new:
            introduce(folder, called or next(iter(visit.owner.names), None))
            _record(folder, source, kind, by)
        visit.new += writings.add(documents)
        visit.undated += [document.doc_id for document in documents if document.date is None]
    if visit.already:
        _record(folder, source, kind, by)


def names_of(folder: Path, called: str | None, by: Sequence[str] = ()) -> tuple[str, ...]:
    """Every name that the person is known by; none for a new person who was given none."""
    from raft.people.person import load_about

    name = load_about(folder).name if (folder / "person.yaml").is_file() else called
    return tuple(dict.fromkeys(filter(None, (name, *_signatures(folder), *by))))


def _recorded(folder: Path, name: str, kind: str | None) -> list[tuple[str, str]]:
    from raft.errors import RaftError

    sources = {one: its_kind for one, its_kind in _sources(folder).items() if kind in (None, its_kind)}
    if not sources:
        raise RaftError(f"{folder}: nothing was fetched yet; say from where: raft fetch {name} --from https://…")
    return list(sources.items())


def _sources(folder: Path) -> dict[str, str]:
    from raft.errors import DataError
    from raft.formats.json_file import read_json
    from raft.people.folders import work_of

    path = work_of(folder) / "sources.json"
    if not path.is_file():
        return {}
    try:
        return {str(one["from"]): str(one["kind"]) for one in read_json(path)}
    except (DataError, TypeError, KeyError):
        raise DataError(
            [f'{path}: not a list of {{"from": …, "kind": …}}; mend it, or remove it and use --from']
        ) from None


def _signatures(folder: Path) -> list[str]:
    """The names that were given with --by before."""
    from raft.people.folders import work_of

    path = work_of(folder) / "sources.json"
    records = json.loads(path.read_text("utf-8")) if _sources(folder) else []
    return [str(name) for one in records for name in one.get("by", [])]


def _record(folder: Path, source: str, kind: str, names: Sequence[str] = ()) -> None:
    from raft.files import write_whole
    from raft.people.folders import work_of

    sources, by = _sources(folder), sorted({*_signatures(folder), *names})
    if sources.get(source) != kind or by != sorted(set(_signatures(folder))):
        more = {"by": by} if by else {}
        records = [{"from": one, "kind": its_kind, **more} for one, its_kind in (sources | {source: kind}).items()]
        write_whole(work_of(folder) / "sources.json", json.dumps(records, ensure_ascii=False, indent=1) + "\n")


def _summary(source: str, visit: "Visit") -> str:
    from raft.sources.bylines import SomebodyElse

    counts = f"{visit.new} new, {visit.already} already there, {len(visit.left_out)} left out"
    lines = [f"{source} ({visit.kind}): {counts}"]
    for reason in dict.fromkeys(reason for reason, _ in visit.left_out):
        places = [place for why, place in visit.left_out if why == reason]
        is_others = reason == str(SomebodyElse(()))
        lines.append(f"  left out, {reason}: {_some(places, len(places) if is_others else EXAMPLES)}")
        if is_others:
            lines.append("    where one of these names is the person's, take it with --by NAME")
    for what in dict.fromkeys(what for what, _ in visit.owner.told):
        lines.append(f"  {what}: {_some([place for said, place in visit.owner.told if said == what])}")
    if visit.undated:
        lines.append(f"  without a date: {_some(visit.undated)}; refused as memories until writings.jsonl gives it one")
    return "\n".join(lines + [f"  {note}" for note in visit.notes])


def _some(places: list[str], shown: int = EXAMPLES) -> str:
    more = f" and {len(places) - shown} more" if len(places) > shown else ""
    return f"{len(places)} ({', '.join(places[:shown])}{more})"
