import datetime
import hashlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from raft.errors import DataError, RaftError
from raft.people.person import exchanges, load_documents, load_interviews, load_person
from raft.sources.http import Web
from ratf.content import content
from ratf.suite.recipes import Recipe, build, find_recipe, load_recipe

TEXT = b"MAYOR ROWAN. I open.\n\nANNA QUILL. Why?\n\nMAYOR ROWAN. Because the sea is there.\n"
WALL = ("A wall is a promise to the water, and the water never promised anything in return. " * 4).strip()
PAGE = (
    f"<html><head><title>On walls</title></head><body><article><h1>On walls</h1><p>{WALL}</p></article></body></html>"
)


class Site:
    """A site on loopback that serves `files` and counts what is asked for."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.asked: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                body = site.files.get(self.path)
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *rest: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def serve() -> Iterator[Callable[[dict[str, bytes]], Site]]:
    sites: list[Site] = []

    def start(files: dict[str, bytes]) -> Site:
        sites.append(Site(files))
        return sites[-1]

    yield start
    for site in sites:
        site.server.shutdown()
        site.server.server_close()


@pytest.fixture
def web() -> Iterator[Web]:
    web = Web(pause=0, tries=1)
    yield web
    web.close()


def recipe(**of_talk: str) -> Recipe:
    about = {"name": "Ida Rowan", "introduction": "You are the mayor.", "licence": "invented", "consent": "invented"}
    return Recipe.model_validate(
        {
            "site": "https://town.example/",
            "people": {
                "rowan": {
                    "about": about,
                    "interviews": [{"date": "2019-03-09", "path": "talks/wall.txt", "title": "The wall", **of_talk}],
                    "writings": [{"date": "2018-01-02", "path": "walls.htm", "title": "Walls"}],
                }
            },
        }
    )


def test_people_are_made_once_and_sources_are_fetched_once(
    serve: Callable[[dict[str, bytes]], Site], web: Web, tmp_path: Path
) -> None:
    site = serve({"/talks/wall.txt": TEXT, "/walls.htm": PAGE.encode()})
    made = build(recipe(), tmp_path / "out", tmp_path / "cache", web.get, site.url)
    assert [(m.interviews, m.writings) for m in made] == [(1, 1)]
    person = load_person(tmp_path / "out" / "rowan")
    interview, document = person.interviews[0], person.documents[0]
    assert (person.about.name, person.about.licence) == ("Ida Rowan", "invented")
    assert (interview.interview_id, interview.title) == ("rowan-2019-03-09", "The wall")
    assert interview.source == "https://town.example/talks/wall.txt"
    assert [t.role for t in interview.turns] == ["target", "interviewer", "target"]
    assert (document.title, document.date, document.text) == ("Walls", datetime.date(2018, 1, 2), WALL)
    before = {path.name: path.read_bytes() for path in (tmp_path / "out" / "rowan").iterdir()}
    assert [
        (m.interviews, m.writings) for m in build(recipe(), tmp_path / "out", tmp_path / "cache", web.get, site.url)
    ] == [(0, 0)]
    assert {path.name: path.read_bytes() for path in (tmp_path / "out" / "rowan").iterdir()} == before
    assert sorted(site.asked) == ["/talks/wall.txt", "/walls.htm"]


def test_after_a_failure_only_what_is_missing_is_fetched(
    serve: Callable[[dict[str, bytes]], Site], web: Web, tmp_path: Path
) -> None:
    site = serve({"/talks/wall.txt": TEXT})
    with pytest.raises(DataError, match=r"walls\.htm: 404"):
        build(recipe(), tmp_path / "out", tmp_path / "cache", web.get, site.url)
    assert not (tmp_path / "out").exists()
    site.files["/walls.htm"] = PAGE.encode()
    build(recipe(), tmp_path / "out", tmp_path / "cache", web.get, site.url)
    assert site.asked == ["/talks/wall.txt", "/walls.htm", "/walls.htm"]


def test_a_wrong_sha256_names_the_file_and_writes_nothing(
    serve: Callable[[dict[str, bytes]], Site], web: Web, tmp_path: Path
) -> None:
    site = serve({"/talks/wall.txt": TEXT, "/walls.htm": PAGE.encode()})
    right = recipe(sha256=hashlib.sha256(TEXT).hexdigest())
    with pytest.raises(DataError, match=r"talks/wall\.txt: sha256 is [0-9a-f]{64}, not 0{64}"):
        build(recipe(sha256="0" * 64), tmp_path / "out", tmp_path / "cache", web.get, site.url)
    assert not (tmp_path / "out").exists()
    build(right, tmp_path / "out", tmp_path / "cache", web.get, site.url)
    kept = next((tmp_path / "cache").rglob("wall.txt"))
    kept.write_bytes(b"changed")
    with pytest.raises(DataError, match=rf"delete {kept} to fetch it again"):
        build(right, tmp_path / "out", tmp_path / "cache", web.get, site.url)


def test_a_path_cannot_leave_the_cache(web: Web, tmp_path: Path) -> None:
    outside = recipe().model_copy(deep=True)
    outside.people["rowan"].interviews[0].path = "../../../etc/passwd"
    with pytest.raises(DataError, match="must stay inside the site"):
        build(outside, tmp_path / "out", tmp_path / "cache", web.get, "http://127.0.0.1:9")


def test_recipes_are_found_by_name_and_checked(tmp_path: Path) -> None:
    with pytest.raises(RaftError, match="one that comes along: fed-chairs"):
        find_recipe("nobody")
    bad = tmp_path / "bad.yaml"
    bad.write_text("site: x\npeople: {a: {about: {name: A, introduction: B}, interviews: [{path: p}], writings: []}}\n")
    with pytest.raises(DataError, match=r"bad\.yaml:2: people\.a\.interviews\[0\]\.date: is missing"):
        load_recipe(bad)


def test_the_chairs_are_who_the_suite_says() -> None:
    chairs = load_recipe(find_recipe("fed-chairs"))
    suite = yaml.safe_load(content("benchmarks", "fed-chairs.yaml").read_text("utf-8"))
    assert {k: p.about.model_dump(exclude_defaults=True) for k, p in chairs.people.items()} == suite["people"]
    counts = {k: (len(p.interviews), len(p.writings)) for k, p in chairs.people.items()}
    assert counts == {"powell": (35, 62), "bernanke": (12, 104), "yellen": (16, 14)}


RAW = {
    "mediacenter/files/FOMCpresconf20180613.pdf": "fed-powell-presser-2018-06-13.pdf",
    "mediacenter/files/FOMCpresconf20110427.pdf": "fed-bernanke-presser-2011-04-27.pdf",
    "newsevents/speech/powell20220826a.htm": "fed-powell-speech-2022-08-26.modern.html",
    "boarddocs/speeches/2003/20031024/default.htm": "fed-bernanke-speech-2003-10-24.old-tables.html",
}


def test_the_real_sources_give_the_known_people(
    shared: Path, serve: Callable[[dict[str, bytes]], Site], ratf: Callable[..., object], tmp_path: Path
) -> None:
    site = serve({f"/{path}": (shared / "raw" / name).read_bytes() for path, name in RAW.items()})
    whole = yaml.safe_load(find_recipe("fed-chairs").read_text("utf-8"))
    del whole["people"]["yellen"]
    for person in whole["people"].values():
        for kind in ("interviews", "writings"):
            person[kind] = [source for source in person[kind] if source["path"] in RAW]
    (tmp_path / "few.yaml").write_text(yaml.safe_dump(whole))
    done = ratf(
        "data", tmp_path / "few.yaml", "--out", tmp_path / "out", "--base-url", site.url, RATF_CACHE=str(tmp_path)
    )
    assert done.returncode == 0, done.stderr  # type: ignore[attr-defined]
    same = count = 0
    for key in ("powell", "bernanke"):
        interview, document = load_interviews(tmp_path / "out" / key)[0], load_documents(tmp_path / "out" / key)[0]
        known = next(i for i in load_interviews(shared / key) if i.date == interview.date)
        pairs = list(zip(exchanges(known), exchanges(interview), strict=True))
        # The known answers keep two footnotes and one stage direction: at most those many words more, none other.
        same += sum(a.question.split() == b.question.split() and close(a.answer, b.answer) for a, b in pairs)
        count += len(pairs)
        writing = next(d for d in load_documents(shared / key) if d.source == document.source)
        assert document.text.split() == writing.text.split()
        assert (document.title, document.date) == (writing.title, writing.date)
    assert count == 45 and same >= 0.98 * count


def close(known: str, found: str) -> bool:
    """Whether `found` is `known` without at most 30 words, and has none of its own, apart from marks glued to words."""
    rest = iter(known.replace(" [", "[").split())
    inside = all(any(word == k or k.startswith(f"{word.rstrip('.')}[") for k in rest) for word in found.split())
    return inside and len(known.split()) - len(found.split()) <= 30


def test_a_path_out_of_the_site_is_told_with_its_line(tmp_path: Path) -> None:
    about = "    about: {name: Mara Linden, introduction: You keep weirs.}\n    interviews: []\n"
    (tmp_path / "r.yaml").write_text(
        f"site: https://example.org\npeople:\n  linden:\n{about}    writings:\n      - {{date: 2020-01-02, path: /../../a}}\n"
    )
    with pytest.raises(DataError, match=r"r.yaml:7: .*stay inside the site"):
        load_recipe(tmp_path / "r.yaml")
