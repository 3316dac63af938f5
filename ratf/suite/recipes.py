"""Recipes for benchmarks: a recipe says how to make people's folders from the pages of an official site."""

import datetime
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urljoin, urlsplit

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict

from raft.errors import DataError, RaftError
from raft.files import write_whole
from raft.formats.yaml_file import read_model
from raft.people.additions import add_documents, add_interviews
from raft.people.folders import PersonKey, inside
from raft.people.person import About, load_about
from raft.progress import Progress, silent
from raft.types import Document, Interview
from ratf.content import content

if TYPE_CHECKING:
    from raft.sources.http import Page


def _in_site(path: str) -> str:
    if ".." in path.split("/"):
        raise ValueError("a path of the recipe must stay inside the site")
    return path


class _Source(BaseModel):
    model_config = ConfigDict(extra="forbid")

    date: datetime.date
    path: Annotated[str, AfterValidator(_in_site)]
    title: str = ""
    sha256: str | None = None


class _Person(BaseModel):
    model_config = ConfigDict(extra="forbid")

    about: About
    interviews: list[_Source]
    writings: list[_Source]


class Recipe(BaseModel):
    """A recipe: which files of a site make the folder of which person."""

    model_config = ConfigDict(extra="forbid")

    site: str
    people: dict[PersonKey, _Person]


@dataclass(frozen=True)
class Made:
    """What `build` added to a person's folder: `interviews` and `writings`, of the `of` files in the recipe."""

    folder: Path
    interviews: int
    writings: int
    of: int


def find_recipe(name: str) -> Path:
    """The file of a recipe, given by its path or by the name of one shipped with RATF.

    Raises RaftError, which lists the shipped ones, where there is no such file.
    """
    shipped = content("benchmarks", "sources", f"{name}.yaml")
    path = Path(name) if name.endswith(".yaml") else shipped
    if not path.is_file():
        there = ", ".join(sorted(p.stem for p in content("benchmarks", "sources").glob("*.yaml")))
        raise RaftError(f"{path}: no such recipe; name a YAML file, or an included recipe: {there}")
    return path


def load_recipe(path: Path) -> Recipe:
    """Read a recipe. Raises DataError with every problem in it."""
    return read_model(path, Recipe)


def build(
    recipe: Recipe,
    out: Path,
    cache: Path,
    get: "Callable[[str], Page]",
    base_url: str | None = None,
    progress: Progress = silent,
) -> list[Made]:
    """Fetch what is not in `cache` yet, read it, and write the people's folders inside `out`.

    `base_url` is a mirror to fetch from in place of the recipe's site; the records still name the site as their source.
    Raises DataError with every file that could not be fetched or read, or that differs from its sha256. The fetched
    files then stay in `cache` for the next time, and no person's folder is touched.
    """
    folders = {key: inside(out, key) for key in recipe.people}
    problems: list[str] = []
    texts: dict[str, bytes] = {}
    sources = [s for person in recipe.people.values() for s in (*person.interviews, *person.writings)]
    with progress("fetching sources", len(sources), "files") as advance:
        for source in sources:
            try:
                texts[source.path] = _fetched(source, cache, get, base_url or recipe.site)
            except RaftError as error:
                problems.append(str(error))
            advance(1)
    made = [
        (key, person, *_records(key, person, recipe.site, texts, problems)) for key, person in recipe.people.items()
    ]
    if problems:
        raise DataError(problems)
    return [_written(folders[key], person, interviews, documents) for key, person, interviews, documents in made]


def _fetched(source: _Source, cache: Path, get: "Callable[[str], Page]", site: str) -> bytes:
    url = urljoin(site.rstrip("/") + "/", source.path)
    kept = cache / urlsplit(url).netloc.replace(":", "-") / source.path.strip("/")
    if not kept.resolve().is_relative_to(cache.resolve()):
        raise RaftError(f"{source.path}: a path of the recipe must stay inside the site")
    data = kept.read_bytes() if kept.is_file() else get(url).content
    digest = hashlib.sha256(data).hexdigest()
    if source.sha256 and digest != source.sha256:
        place = f"; delete {kept} to fetch it again" if kept.is_file() else ""
        raise RaftError(
            f"{url}: sha256 is {digest}, not {source.sha256} as in the recipe{place}. It is not the file that the "
            "recipe was made for: if the new one is right, note its sha256 in a recipe of your own"
        )
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        aside = kept.with_name(f".{kept.name}.part")
        aside.write_bytes(data)
        aside.replace(kept)
    return data


def _records(
    key: str, person: _Person, site: str, texts: dict[str, bytes], problems: list[str]
) -> tuple[list[Interview], list[Document]]:
    """The interviews and writings in the person's fetched files. What cannot be read is added to `problems`."""
    interviews, documents = [], []
    for source in (*person.interviews, *person.writings):
        data, url = texts.get(source.path), urljoin(site, source.path)
        try:
            if data is not None and source in person.interviews:
                interviews.append(_interview(key, person.about.name, source, url, data))
            elif data is not None:
                documents.append(_document(source, url, data))
        except RaftError as error:
            problems.append(f"{source.path}: {error}")
    return interviews, documents


def _interview(key: str, called: str, source: _Source, url: str, data: bytes) -> Interview:
    from raft.transcripts import read_transcripts, to_interview
    from raft.transcripts.cast import who_answers

    transcript = read_transcripts(data, Path(source.path).name)[0]
    interview = to_interview(transcript, who_answers(transcript, source.path, None, called)).interview
    return replace(
        interview,
        interview_id=f"{key}-{source.date}",
        title=source.title or interview.title,
        date=source.date,
        source=url,
    )


def _document(source: _Source, url: str, data: bytes) -> Document:
    from raft.sources.pages import read_page

    page = read_page(data, url, "text/html")
    return replace(page, title=source.title or page.title, date=source.date)


def _written(folder: Path, person: _Person, interviews: list[Interview], documents: list[Document]) -> Made:
    about = {k: v for k, v in person.about.model_dump(mode="json").items() if v}
    if not (folder / "person.yaml").is_file():
        write_whole(folder / "person.yaml", yaml.safe_dump(about, allow_unicode=True, sort_keys=False))
    load_about(folder)
    return Made(
        folder, add_interviews(folder, interviews), add_documents(folder, documents), len(interviews) + len(documents)
    )
