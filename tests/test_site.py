"""The leaderboard's pages: bytes, hostile names, links, and a look in a browser."""

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from functools import cache
from pathlib import Path

import pytest
from boards import planted
from browser import opened
from conftest import Command
from playwright.sync_api import Browser

from raft.errors import RaftError
from ratf.leaderboard import leaderboard, run_digest
from ratf.results import Results, save
from ratf.site import ahead, site, told_apart, write_site
from ratf.standing import Leaderboard

HOSTILE = (
    "</script><script>document.title='owned'</script><img src=x onerror=alert(1)>\u202e\ufffe\x07\"'../../x" + "w" * 300
)
METRICS = ("style_identity", "embedding_cosine", "rouge_l")
REPORT = "<!doctype html><title>A run</title><p>Written by a machine."
SKILLS = {"baseline": 0.05, "rag_only": 0.2, "finetune_only": 0.55, "raft": 0.8}


def on(day: int) -> dict[str, object]:
    return {"finished": f"2026-03-0{day} 09:00 UTC", "seconds": {}, "total": 60.0}


@cache
def runs() -> list[Results]:
    """Two people, two models, three days; on the last day the judge is another."""
    made = []
    for i, (person, model) in enumerate([(p, m) for p in ("marrack", "pell") for m in ("local/smollm2", "openai/big")]):
        skills = {arm: s + 0.1 * (i % 2) for arm, s in SKILLS.items()}
        made.append(planted(skills, i, METRICS, METRICS[:2], model, person, times=on(i + 1)))
    later = {"models": {"base": "local/smollm2", "embedder": "local/e", "grader": "openai/new"}}
    for day, settings in ((6, None), (7, later)):
        made.append(planted(SKILLS, day, METRICS, METRICS[:2], "local/smollm2", settings=settings, times=on(day)))
    return made


def built(several: list[Results]) -> tuple[Leaderboard, dict[str, bytes]]:
    board = leaderboard(several, [run_digest(runs()[0])])
    return board, site(board, {run_digest(r)[:12]: REPORT for r in several})


def test_the_same_runs_give_the_same_bytes() -> None:
    assert built(runs())[1] == built(runs()[::-1])[1]


def test_every_link_of_the_site_leads_to_a_file_of_it() -> None:
    _, files = built(runs())
    for path, content in files.items():
        if path.endswith(".html") and not path.startswith("runs/"):
            for link in re.findall(r'(?:href|src)="([^"#][^"]*)"', content.decode()):
                parts = [*path.split("/")[:-1], *link.split("/")]
                while ".." in parts:
                    at = parts.index("..")
                    del parts[at - 1 : at + 1]
                assert "/".join(parts) in files, f"{path} links to {link}"


def test_pages_say_that_answers_are_synthetic_and_which_are_verified() -> None:
    _, files = built(runs())
    pages = [c.decode() for p, c in files.items() if p.endswith(".html")]
    assert all("machine" in page for page in pages)
    assert "1 of 2 verified" in files["index.html"].decode()
    assert "✓ verified" in files["persons/marrack.html"].decode()
    assert files["index.html"].decode().count("A board of its own") == 2
    assert "Over 2 persons" in files["index.html"].decode()


def test_history_breaks_where_the_judge_changed() -> None:
    board, files = built(runs())
    system = next(s for s in board.systems.values() if s.arm == "raft" and s.model == "local/smollm2")
    page = files[f"systems/{system.id}.html"].decode()
    assert "not comparable from here on, another measure: the judge" in page and 'class="break"' in page


def test_who_is_nearest_is_whoever_is_not_told_apart_from_the_first() -> None:
    board = leaderboard([planted({"raft": 0.9, "rag_only": 0.85, "baseline": 0.1})])
    said = ahead(board.boards[0].tables[0], board)
    assert "· raft" in said and "· rag_only" in said and "not told apart" in said and "baseline" not in said
    nothing = leaderboard([planted(SKILLS, admitted=())])
    table = nothing.boards[0].tables[0]
    assert ahead(table, nothing) == "" and "Here the AUC's lower end 0.41 is not above the bar" in told_apart(table)


def test_runs_of_one_day_are_told_by_their_seeds() -> None:
    index = built([planted(SKILLS, seed) for seed in (1, 2)])[1]["index.html"].decode()
    assert "2026-01-01 seed 1</a>" in index and "2026-01-01 seed 2</a>" in index


def test_json_csv_and_feed_say_the_same() -> None:
    board, files = built(runs())
    assert Leaderboard.model_validate_json(files["leaderboard.json"]) == board
    rows = list(csv.DictReader(io.StringIO(files["leaderboard.csv"].decode())))
    assert len(rows) == sum(len(t.rows) for b in board.boards for t in b.tables)
    feed = ET.fromstring(files["feed.xml"])
    atom = {"a": "http://www.w3.org/2005/Atom"}
    assert feed.findtext("a:entry/a:updated", "", atom) == "2026-03-07T09:00:00Z"
    assert len(feed.findall("a:entry", atom)) == 6 and feed.findtext("a:updated", "", atom) == "2026-03-07T09:00:00Z"
    badges = [ET.fromstring(c) for p, c in files.items() if p.endswith(".svg")]
    assert badges and all(b.get("aria-label") for b in badges)


def test_hostile_names_stay_text_and_lead_nowhere() -> None:
    made = planted({"raft": 0.5, HOSTILE: 0.4}, model=HOSTILE, person="marrack")
    made = made.model_copy(update={"person": {"key": "../../" + HOSTILE, "name": HOSTILE}})
    made = made.model_copy(update={"suite": made.suite | {"name": HOSTILE, "memories": {"k": HOSTILE}}})
    board = leaderboard([made])
    files = site(board, {})
    assert all(re.fullmatch(r"[a-z0-9./-]+", p) and ".." not in p for p in files)
    for path, content in files.items():
        if path.endswith(("html", "svg", "xml")):
            text = content.decode()
            assert "<script>document" not in text and "<img src=x" not in text, path
            assert "\u202e" not in text and "\x07" not in text, path
        if path.endswith(("svg", "xml")):
            ET.fromstring(content)


def test_a_site_replaces_a_site_and_nothing_else(tmp_path: Path) -> None:
    _, files = built(runs()[:1])
    write_site(files, tmp_path / "site")
    (tmp_path / "site" / "old.html").write_text("old")
    write_site(files, tmp_path / "site")
    there = {p.relative_to(tmp_path / "site").as_posix() for p in (tmp_path / "site").rglob("*") if p.is_file()}
    assert there == files.keys()
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    with pytest.raises(RaftError, match="is no leaderboard"):
        write_site(files, mine)
    assert (mine / "thesis.txt").read_text() == "years of work" and len(list(tmp_path.iterdir())) == 2


def test_the_command_makes_a_site_and_says_what_differs(tmp_path: Path, ratf: Command) -> None:
    several = [planted(SKILLS), planted(SKILLS, data_digest="other")]
    for i, results in enumerate(several):
        save(results, tmp_path / str(i) / "results.json")
    done = ratf("leaderboard", tmp_path / "0", tmp_path / "1", "--out", tmp_path / "site")
    assert done.returncode == 0, done.stderr
    assert "the data's digest was" in done.stdout and "on 2 boards" in done.stdout
    assert "synthetic" in (tmp_path / "site" / "index.html").read_text("utf-8")
    assert len(list((tmp_path / "site" / "runs").glob("*.html"))) == 2
    assert json.loads((tmp_path / "site" / "leaderboard.json").read_text())["format"] == "ratf leaderboard 1"
    done = ratf("leaderboard", tmp_path / "none", "--out", tmp_path / "other")
    assert done.returncode == 2 and "no such file" in done.stderr and not (tmp_path / "other").exists()


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("board") / "site"
    write_site(built(runs())[1], folder)
    return folder


def test_filters_and_order_are_in_the_address_and_move_no_class(browser: Browser, there: Path) -> None:
    index = there / "index.html"
    with opened(browser, index, there) as page, opened(browser, index, there) as again:
        table = page.locator("table.board").first

        def shown() -> dict[str, str]:
            found: list[tuple[str, str]] = table.locator("tr.row:visible").evaluate_all(
                "rows => rows.map(r => [r.querySelector('th a').textContent, r.querySelector('.class').textContent])"
            )
            return dict(found)

        before = shown()
        page.get_by_label("Find").fill("finetune")
        filtered = shown()
        assert 0 < len(filtered) < len(before) and filtered.items() <= before.items()
        assert "rows shown" in page.locator(".filters output").inner_text()
        table.get_by_role("button", name="words").press("Enter")
        assert "q=finetune" in page.url and "sort=6%3Adown" in page.url
        again.goto(page.url)
        again.reload()
        assert again.get_by_label("Find").input_value() == "finetune"
        assert again.locator("th[aria-sort=descending]").count() > 0
        page.get_by_label("Find").fill("")
        assert shown() == before
        table.get_by_role("button", name="class").click()
        assert list(shown().items()) == list(before.items()), "by class is the order it is given in"
