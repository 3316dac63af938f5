"""The leaderboard's pages: bytes, hostile names, links, and a look in a browser."""

import csv
import io
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import feedparser
import pytest
from boards import planted
from browser import opened
from commands import Command
from invented import invented
from playwright.sync_api import Browser

from raft.errors import RaftError
from ratf.boards.leaderboard import leaderboard
from ratf.boards.pairs import ahead, told_apart
from ratf.boards.plots import history
from ratf.boards.site import site, write_site
from ratf.boards.standing import Leaderboard, ends, number
from ratf.boards.words import width
from ratf.reporting.files import ONE_FILE
from ratf.results.comparable import run_digest
from ratf.results.results import Results, Tuned, save

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
    board = leaderboard(several, {run_digest(runs()[0]): METRICS[:1]})
    return board, site(board)


def report(path: Path) -> None:
    path.write_text(REPORT, "utf-8")


def put(several: list[Results], out: Path) -> Leaderboard:
    """Write the site of some runs, whose reports say nothing."""
    board, files = built(several)
    write_site(files, out, {run.id: report for run in board.runs})
    return board


def test_the_same_runs_give_the_same_bytes() -> None:
    assert built(runs())[1] == built(runs()[::-1])[1]


def test_every_link_of_the_site_leads_to_a_file_of_it() -> None:
    board, files = built(runs())
    there = files.keys() | {f"runs/{run.id}.html" for run in board.runs}
    for path, content in files.items():
        if path.endswith(".html"):
            for link in re.findall(r'(?:href|src)="([^"#][^"]*)"', content.decode()):
                parts = [*path.split("/")[:-1], *link.split("/")]
                while ".." in parts:
                    at = parts.index("..")
                    del parts[at - 1 : at + 1]
                assert "/".join(parts) in there, f"{path} links to {link}"


def test_pages_say_that_answers_are_synthetic_and_which_are_verified() -> None:
    _, files = built(runs())
    pages = [c.decode() for p, c in files.items() if p.endswith(".html")]
    assert all("machine" in page for page in pages)
    assert "1 run not verified, not counted:" in files["index.html"].decode()
    assert "If a <b>run</b> of a system is added, it becomes part of the system’s row" in files["index.html"].decode()
    assert "✓ verified" in files["persons/marrack.html"].decode()
    assert files["index.html"].decode().count("A board of its own") == 1, "another person needs no reason"
    assert "Over 2 persons" in files["index.html"].decode()


def test_history_breaks_where_the_judge_changed() -> None:
    board, files = built(runs())
    system = next(s for s in board.systems.values() if s.arm == "raft" and s.model == "local/smollm2")
    page = files[f"systems/{system.id}.html"].decode()
    assert "not comparable from here on, another measure: the judge" in page and 'class="break"' in page


def test_who_is_nearest_is_whoever_is_not_told_apart_from_the_first() -> None:
    board = leaderboard([planted({"raft": 0.9, "rag_only": 0.85, "baseline": 0.1})])
    said = ahead(board.boards[0].tables[0], board)
    assert said == "Nearest to the person, not told apart: rag_only and raft."
    nothing = leaderboard([planted(SKILLS, admitted=())])
    table = nothing.boards[0].tables[0]
    assert ahead(table, nothing) == "" and "Here the AUC's lower end 0.41 is not above the bar" in told_apart(
        table, nothing
    )


def test_one_system_with_a_class_is_nearer_than_nobody() -> None:
    board = leaderboard([planted({"raft": 0.9, "baseline": 0.1})])
    table = board.boards[0].tables[0]
    assert ahead(table, board).startswith("Nearest to the person")
    alone = table.model_copy(update={"rows": [table.rows[0], table.rows[1].model_copy(update={"placed": ""})]})
    assert (
        ahead(alone, board) == "" and told_apart(alone, board) == "Only one system has a class, so nothing is compared."
    )
    without = [row.model_copy(update={"placed": "", "admitted": True}) for row in table.rows]
    coverage = table.model_copy(update={"axis": "coverage", "rows": without})
    assert told_apart(coverage, board).startswith("No classes here: they need a ceiling")
    below = table.rows[0].model_copy(update={"score": -0.04, "low": -0.1, "high": 0.0})
    assert (number(below), ends(below)) == ("−0.04", "−0.10 to 0.00")


def test_both_axes_stand_side_by_side_and_what_no_metric_may_say_is_told() -> None:
    both = ("sentence_coverage", "style_identity")
    axes = {m: {"axis": axis} for m, axis in zip(both, ("coverage", "voice"), strict=True)}

    def page(admitted: Sequence[str]) -> str:
        made = planted(SKILLS, metrics=both, admitted=admitted)
        told = {m: {**facts, **axes[m]} for m, facts in made.metrics.items()}
        return built([made.model_copy(update={"metrics": told})])[1]["index.html"].decode()

    (table,) = re.findall(r'<table class="board axes".*?</table>', page(both), re.DOTALL)
    assert (
        table.index("What it says") < table.index("How it sounds")
        and "class B" in table
        and "not measured" not in table
    )
    (alone,) = re.findall(r'<table class="board axes".*?</table>', page(both[1:]), re.DOTALL)
    assert alone.count("not measured") == 1 + len(SKILLS), "a class on voice stands beside what is not known"


def test_a_row_names_the_seeds_of_its_runs_by_day_and_seed() -> None:
    days = {3: 1, 1: 1, 2: 2}
    index = built([planted(SKILLS, seed, times=on(day)) for seed, day in days.items()])[1]["index.html"].decode()
    (row, *_) = re.findall(r'<td data-label="runs".*?</td>', index, re.DOTALL)
    assert "3 runs" in row and re.findall(r">(\d)</a>", row) == ["1", "3", "2"]
    assert 'aria-label="1: the run of 2026-03-01, seed 1"' in row


def test_runs_that_disagree_are_shown_one_by_one_and_the_system_has_no_place() -> None:
    good, bad = {**SKILLS, "raft": 0.9}, {**SKILLS, "raft": 0.02}
    board, files = built([planted(good, 1), planted(good, 2), planted(bad, 3)])
    table = board.boards[0].tables[0]
    last = table.rows[-1]
    assert board.systems[last.system].arm == "raft" and last.disagree
    said = ahead(table, board)
    assert said.endswith("Left open: raft; its runs disagree.") and "raft" not in said.partition("Left open")[0]
    assert "not because they are the worst" in told_apart(table, board)
    row = re.findall(r'<tr class="row torn".*?</tr>', files["index.html"].decode(), re.DOTALL)[0]
    assert '<details class="each" open>' in row and row.count("<li>") == 3
    assert row.partition("its runs disagree")[0].count('class="dot"') == 3, "the runs, and not a mean that none had"
    scores = [s.score or 0 for run in board.runs for s in run.standings if s.system == last.system]
    assert f"<b>{min(scores):.2f} … {max(scores):.2f}</b>" in row and f"<b>{last.score:.2f}</b>" not in row
    assert "Its runs disagree" in files[f"systems/{last.system}.html"].decode()
    (badge,) = (c.decode() for p, c in files.items() if p.endswith(f"{last.system}.svg"))
    assert "runs disagree" in badge and f"{last.score:.2f}" not in badge


def test_weights_are_on_the_board_and_are_no_part_of_a_system() -> None:
    def run(weights: str, finished: int) -> Results:
        made = planted(SKILLS, 1, times=on(finished))
        arms = {
            n: a.model_copy(update={"model": "local/b+x" if n == "raft" else a.model}) for n, a in made.arms.items()
        }
        tuned = [Tuned(arm="raft", digest="x", weights=weights, samples=1, losses=[])]
        return made.model_copy(update={"arms": arms, "tuned": tuned})

    board, files = built([run("a1b2", 1), run("c3d4", 2)])
    (system,) = (s for s in board.systems.values() if s.arm == "raft")
    said = "Seed 1 ran with two different sets of weights: a1b2, c3d4."
    assert said in files[f"systems/{system.id}.html"].decode() and said in files["index.html"].decode()
    assert [list(r.adapters) for r in board.runs] == [[system.id]] * 2


def test_what_a_run_cost_is_told_once() -> None:
    board, files = built([planted(SKILLS, 1), planted(SKILLS, 2)])
    index = files["index.html"].decode()
    assert "2 runs: $1.30, 240,000 tokens in all" in index and index.count("120,000") == 2
    assert {r.usd for r in board.runs} == {0.6, 0.7}


def test_json_csv_and_feed_say_the_same() -> None:
    board, files = built(runs())
    assert Leaderboard.model_validate_json(files["leaderboard.json"]) == board
    rows = list(csv.DictReader(io.StringIO(files["leaderboard.csv"].decode())))
    alone, over = ([r for r in rows if r["over"] == of] for of in ("interviews", "persons"))
    assert len(alone) == sum(len(t.rows) for b in board.boards for t in b.tables)
    assert len(over) == sum(len(o.table.rows) for o in board.overall) > 0 and len(alone) + len(over) == len(rows)
    assert {r["person"] for r in over} == {" ".join(o.persons) for o in board.overall}
    feed = ET.fromstring(files["feed.xml"])
    atom = {"a": "http://www.w3.org/2005/Atom"}
    assert feed.findtext("a:entry/a:updated", "", atom) == "2026-03-07T09:00:00Z"
    assert len(feed.findall("a:entry", atom)) == 6 and feed.findtext("a:updated", "", atom) == "2026-03-07T09:00:00Z"
    found = feedparser.parse(files["feed.xml"])
    assert not found.bozo and found.version == "atom10" and len({e.id for e in found.entries}) == 6
    assert found.feed.id.startswith("urn:uuid:") and "Voice" in found.entries[0].summary
    badges = [ET.fromstring(c) for p, c in files.items() if p.endswith(".svg")]
    assert badges and all(b.get("aria-label") for b in badges)
    assert width("will") < width("Mrow") < width("Mrow Mrow")


def test_hostile_names_stay_text_and_lead_nowhere() -> None:
    made = planted({"raft": 0.5, HOSTILE: 0.4}, model=HOSTILE, person="marrack")
    made = made.model_copy(update={"person": {"key": "../../" + HOSTILE, "name": HOSTILE}})
    made = made.model_copy(update={"suite": made.suite | {"name": HOSTILE, "memories": {"k": HOSTILE}}})
    board = leaderboard([made])
    files = site(board)
    assert all(re.fullmatch(r"[a-z0-9./-]+", p) and ".." not in p for p in files)
    for path, content in files.items():
        if path.endswith(("html", "svg", "xml")):
            text = content.decode()
            assert "<script>document" not in text and "<img src=x" not in text, path
            assert "\u202e" not in text and "\x07" not in text, path
        if path.endswith(("svg", "xml")):
            ET.fromstring(content)


def test_a_site_replaces_a_site_and_nothing_else(tmp_path: Path) -> None:
    put(runs()[:1], tmp_path / "site")
    (tmp_path / "site" / "old.html").write_text("old")
    board = put(runs()[:1], tmp_path / "site")
    files = {*site(board), f"runs/{board.runs[0].id}.html"}
    there = {p.relative_to(tmp_path / "site").as_posix() for p in (tmp_path / "site").rglob("*") if p.is_file()}
    assert there == files
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    with pytest.raises(RaftError, match="is no leaderboard"):
        put(runs()[:1], mine)
    assert (mine / "thesis.txt").read_text() == "years of work" and len(list(tmp_path.iterdir())) == 2


KILLED = """
import os, sys
from pathlib import Path
from ratf.boards.site import write_site
real, count = Path.rename, [int(sys.argv[2])]
def rename(self, to):
    count[0] -= 1
    return real(self, to) if count[0] else os._exit(9)
Path.rename = rename
write_site({"leaderboard.json": b"new", ".nojekyll": b""}, Path(sys.argv[1]), {})
"""


@pytest.mark.parametrize("at", [1, 2, 3, 4, 5])
def test_what_begins_with_a_dot_stays_also_after_a_kill(tmp_path: Path, at: int) -> None:
    out = tmp_path / "site"
    write_site({"leaderboard.json": b"old", ".nojekyll": b""}, out, {})
    (out / ".git").mkdir()
    (out / ".git" / "HEAD").write_text("ref")
    (out / ".gitignore").write_text("mine")
    done = subprocess.run([sys.executable, "-c", KILLED, str(out), str(at)], capture_output=True, text=True)
    assert done.returncode == (9 if at < 5 else 0), done.stderr
    write_site({"leaderboard.json": b"newest", ".nojekyll": b""}, out, {})
    assert (out / ".git" / "HEAD").read_text() == "ref" and (out / ".gitignore").read_text() == "mine"
    assert (out / "leaderboard.json").read_bytes() == b"newest" and [p.name for p in tmp_path.iterdir()] == ["site"]


def test_runs_of_one_day_are_joined_by_no_line() -> None:
    def lines(*days: int) -> int:
        board = leaderboard([planted(SKILLS, seed, times=on(day)) for seed, day in enumerate(days)])
        return sum(len(line["segments"]) for line in history(board, next(iter(board.systems))))

    assert lines(1, 1, 1) == 0 and lines(1, 2, 3) == 1 and lines(1, 2, 3, 3) == 1


def test_the_floor_has_the_persons_names() -> None:
    made = planted(SKILLS).model_copy(update={"impostors": {"pell": "Ada Pell"}})
    assert "real answers of Ada Pell to" in site(leaderboard([made]))["index.html"].decode()


def test_the_command_makes_a_site_and_says_what_differs(tmp_path: Path, ratf: Command) -> None:
    several = [planted(SKILLS), planted(SKILLS, data_digest="other")]
    for i, results in enumerate(several):
        save(results, tmp_path / str(i) / "results.json")
    done = ratf("leaderboard", tmp_path / "0", tmp_path / "1", "--out", tmp_path / "site")
    assert done.returncode == 0, done.stderr
    assert "the data's digest was" in done.stdout
    assert "4 systems of 2 runs on 2 boards; 0 runs verified" in done.stdout
    assert "synthetic" in (tmp_path / "site" / "index.html").read_text("utf-8")
    assert len(list((tmp_path / "site" / "runs").glob("*.html"))) == 2
    assert json.loads((tmp_path / "site" / "leaderboard.json").read_text())["format"] == "ratf leaderboard 1"
    done = ratf("leaderboard", tmp_path / "none", "--out", tmp_path / "other")
    assert done.returncode == 2 and "no such file" in done.stderr and not (tmp_path / "other").exists()


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("board") / "site"
    put(runs(), folder)
    return folder


def test_a_report_with_many_questions_comes_with_the_pages_that_it_links_to(
    browser: Browser, tmp_path: Path, ratf: Command
) -> None:
    made = invented(ONE_FILE + 1, metrics=("style_identity",))
    save(made, tmp_path / "run" / "results.json")
    done = ratf("leaderboard", tmp_path / "run", "--out", tmp_path / "site", "--redact")
    assert done.returncode == 0, done.stderr
    index, last = tmp_path / "site" / "index.html", made.questions[-1]
    with opened(browser, index, tmp_path / "site") as page:
        page.locator("td[data-label=runs] a").first.click()
        page.locator("details.part > summary", has_text="Questions").first.click()
        page.locator(f"a[href$='#q-{last.id}']").first.click()
        assert page.url.startswith((tmp_path / "site" / "runs").as_uri()) and "-questions/" in page.url
        question = page.locator(f"[id='q-{last.id}']")
        assert question.is_visible() and last.real not in page.content(), "it is redacted, too"
        assert f"({ONE_FILE + 1})" in page.content()
        page.go_back()
    assert not list(tmp_path.rglob("*.part")) and not list(tmp_path.rglob(".*-questions*"))


def test_a_report_that_may_not_be_shown_leaves_the_site_as_it_was(tmp_path: Path) -> None:
    put(runs()[:1], tmp_path / "site")
    board, files = built(runs()[1:2])

    def fails(path: Path) -> None:
        path.write_text("half", "utf-8")
        raise RaftError("no licence")

    with pytest.raises(RaftError, match="no licence"):
        write_site(files, tmp_path / "site", {board.runs[0].id: fails})
    assert [p.name for p in tmp_path.iterdir()] == ["site"]
    assert (
        Leaderboard.model_validate_json((tmp_path / "site" / "leaderboard.json").read_bytes()) == built(runs()[:1])[0]
    )


def test_filters_and_order_are_in_the_address_and_move_no_class(browser: Browser, there: Path) -> None:
    index = there / "index.html"
    with opened(browser, index, there) as page, opened(browser, index, there) as again:
        table = page.locator("table.board:has(.class)").first

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
        assert "q=finetune" in page.url and "sort=words%3Adown" in page.url
        again.goto(page.url)
        again.reload()
        assert again.get_by_label("Find").input_value() == "finetune"
        assert again.locator("th[aria-sort=descending]").count() > 0
        page.get_by_label("Find").fill("")
        assert shown() == before
        table.get_by_role("button", name="class").click()
        assert list(shown().items()) == list(before.items()), "by class is the order it is given in"


def test_the_tables_fit_their_page(browser: Browser, there: Path) -> None:
    with opened(browser, there / "index.html", there) as page:
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
        wide = page.locator("table.board").evaluate_all(
            "tables => tables.map(t => t.getBoundingClientRect().right - t.closest('section').getBoundingClientRect().right)"
        )
        assert wide and max(wide) <= 0.5


def test_filters_open_what_they_find_and_follow_the_address(browser: Browser, there: Path) -> None:
    with opened(browser, there / "index.html", there) as page:
        fold = page.locator("details.more:has(table.board)").first
        assert not fold.evaluate("d => d.open")
        shown = page.locator("tr.row:visible")
        page.get_by_label("Find").press_sequentially("rag")
        assert fold.evaluate("d => d.open") and 0 < shown.count() == page.locator("tr.row:not([hidden])").count()
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        assert page.get_by_label("verified only").is_checked() and page.url.endswith("#q=rag&verified=1")
        page.keyboard.press("Space")
        page.evaluate("location.hash = '#q=nobody'")
        page.wait_for_function("document.querySelectorAll('tr.row:not([hidden])').length === 0")
        assert page.get_by_label("Find").input_value() == "nobody" and shown.count() == 0
        assert page.locator("table.board:visible").count() == 0, "an empty table"
        assert page.get_by_text("No system matches.").is_visible()
        assert page.locator(".ahead:visible, h3:visible").count() == 0, "a headline of nothing"
        page.get_by_role("button", name="Show all").click()
        assert page.locator("table.board:visible").count() > 0 and not page.locator(".nothing").is_visible()
        page.get_by_label("Find").fill("")
        assert page.locator("table.board:visible").count() > 0 and not fold.evaluate("d => d.open")
        page.get_by_label("admitted metrics only").check()
        assert not fold.is_visible(), "there is none in it"
