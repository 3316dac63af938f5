import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from places import REPOSITORY
from typer.testing import CliRunner, Result
from website import Answer, Site, Substack, as_html, prose

from raft.cli import app


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fetch(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["fetch", *arguments, "--pause", "0"])


def kept(folder: Path | str = "people/jane") -> list[dict[str, str]]:
    path = Path(folder, "writings.jsonl")
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.is_file() else []


def test_a_new_person_from_a_blog_and_again(site: Site) -> None:
    blog = Substack(site, posts=3)
    blog.publish(4, audience="only_paid")
    result = fetch("jane", "--from", site.url, "--kind", "substack", "--called", "Jane Doe")
    assert result.exit_code == 0, result.output
    assert f"{site.url} (substack): 3 new, 0 already there, 1 left out" in result.output
    assert "for subscribers only: 1" in result.output
    assert "name: Jane Doe" in Path("people/jane/person.yaml").read_text("utf-8")
    before = Path("people/jane/writings.jsonl").read_bytes()
    blog.publish(5)
    again = fetch("jane")
    assert "1 new, 3 already there, 1 left out" in again.output
    assert Path("people/jane/writings.jsonl").read_bytes().startswith(before)
    assert site.count("/api/v1/posts/post-1") == 1
    assert "0 new, 4 already there" in fetch("jane").output


def test_several_sources_are_remembered_with_their_kinds(site: Site) -> None:
    Path("notes").mkdir()
    Path("notes/2024-03-05-a.md").write_text("# A\n\nWords.", "utf-8")
    page = site.put("/eels", f"<html><title>On eels</title>{as_html(prose(1))}")
    result = fetch("our/jane", "--from", "notes", "--from", page)
    assert result.exit_code == 0, result.output
    assert "without a date: 1 (eels-" in result.output
    recorded = json.loads(Path("our/jane/work/sources.json").read_text("utf-8"))
    assert recorded == [{"from": "notes", "kind": "file"}, {"from": page, "kind": "page"}]
    assert site.count("/eels") == 1
    again = fetch("our/jane")
    assert again.output.count("0 new, 1 already there") == 2
    assert site.count("/eels") == 1


def test_files_at_an_address(site: Site) -> None:
    from a_pdf import a_pdf

    link = site.put("/2024-03-05-eels.pdf", a_pdf(["Words about eels."]), "application/octet-stream")
    notes = site.put("/download", "Words about moss.", "text/plain")
    assert fetch("jane", "--from", link, "--from", notes).output.count("(file): 1 new") == 2
    eels, moss = kept()
    assert (eels["date"], eels["source"], eels["text"]) == ("2024-03-05", link, "Words about eels.")
    assert (moss["date"], moss["text"]) == (None, "Words about moss.")


def test_one_source_that_fails_does_not_keep_the_others_out(site: Site) -> None:
    page = site.put("/eels", as_html(prose(1)))
    result = fetch("jane", "--from", f"{site.url}/gone", "--from", page, "--kind", "page")
    assert result.exit_code == 2
    assert "/gone: 404" in result.output and "1 new" in result.output
    assert len(kept()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("jane",), "raft fetch jane --from"),
        (("jane", "--from", "nowhere.md"), "no such file"),
        (("jane", "--from", "bad.jsonl"), "bad.jsonl:2"),
        (("jane", "--from", "bad.jsonl", "--kind", "blog"), "there are substack, feed, page, file"),
        (("jane", "--from", "http://[broken"), "no address"),
    ],
)
def test_bad_input_is_told_and_writes_nothing(here: Path, arguments: tuple[str, ...], message: str) -> None:
    Path("bad.jsonl").write_text('{"title": "T", "text": "Words."}\n{', "utf-8")
    result = fetch(*arguments)
    assert (result.exit_code, message in result.output) == (2, True), result.output
    assert not Path("people").exists()


def test_a_broken_folder_is_told_before_anything_is_fetched(site: Site) -> None:
    Substack(site, posts=1)
    Path("people/jane").mkdir(parents=True)
    Path("people/jane/writings.jsonl").write_text("{", "utf-8")
    result = fetch("jane", "--from", site.url, "--kind", "substack")
    assert result.exit_code == 2 and "writings.jsonl:1" in result.output
    assert not site.requests


def test_when_the_site_goes_down_what_came_is_kept_and_told(site: Site) -> None:
    Substack(site, posts=9)
    for n in range(1, 7):
        site.routes[f"/api/v1/posts/post-{n}"] = Answer(status=429, headers={"Retry-After": "7200"})
    result = fetch("jane", "--from", site.url, "--kind", "substack")
    assert result.exit_code == 2
    assert "3 new" in result.output and "come back in 7200 s" in result.output
    assert len(kept()) == 3
    assert sum("/posts/" in request for request in site.requests) == 4


@pytest.mark.parametrize("at", [10, 4])
def test_killed_it_loses_nothing_and_fetches_no_finished_post_again(site: Site, here: Path, at: int) -> None:
    blog = Substack(site, posts=12)
    reached, go_on = threading.Event(), threading.Event()

    def stop_there(path: str, query: dict[str, str]) -> Answer:
        reached.set()
        go_on.wait(20)
        return blog._post(path, query)

    site.routes[f"/api/v1/posts/post-{at}"] = stop_there
    command = [
        sys.executable,
        "-m",
        "raft.cli",
        "fetch",
        "jane",
        "--from",
        site.url,
        "--kind",
        "substack",
        "--pause",
        "0",
    ]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment)
    assert reached.wait(60)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    go_on.set()
    finished = [w["title"] for w in kept()]
    assert finished == [f"Letter {n}" for n in range(12, at, -1)]
    result = fetch("jane")
    assert result.exit_code == 0, result.output
    assert [w["title"] for w in kept()] == [f"Letter {n}" for n in range(12, 0, -1)]
    assert [site.count(f"/api/v1/posts/post-{n}") for n in range(1, 13)] == [2 if n == at else 1 for n in range(1, 13)]
