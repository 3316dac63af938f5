"""The questions of the page: what is shown, what is flagged, hostile text, sizes, and pages of their own."""

import csv
import io
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from asked import asked, scored
from hostile import HOSTILE, hostile

from raft.errors import RaftError
from ratf.reporting import files as report_files
from ratf.reporting import page as report
from ratf.reporting.files import write_report
from ratf.reporting.flags import beginning, ending, flags
from ratf.reporting.page import render
from ratf.reporting.questions import questions_shown as asked_of
from ratf.results import lazy as stored
from ratf.results.lazy import load_lazily
from ratf.results.results import load, save
from ratf.results.table import to_csv


class Tags(HTMLParser):
    """Everything that a browser would take for an element, an attribute or text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def island(page: str) -> dict[str, object]:
    found = re.findall(r'<script type="application/json" id="results">(.*?)</script>', page, re.DOTALL)
    assert len(found) == 1
    made = json.loads(found[0])
    assert isinstance(made, dict)
    return made


def test_hostile_text_stays_text_and_ends_no_script() -> None:
    page = render(hostile())
    seen = Tags(page)
    assert "img" not in seen.tags and not any(name.startswith("on") for name, _ in seen.attributes)
    assert not any((value or "").strip().lower().startswith("javascript:") for _, value in seen.attributes)
    assert seen.tags.count("script") == page.count("<script") and "<!--" not in page
    assert not re.search("[\x00\x07\u202e\u2066]", page)
    assert any(HOSTILE[-50_000:] in text for text in seen.text)
    assert str(island(page)["person"]) == HOSTILE


def test_memories_are_written_once_and_say_who_got_them() -> None:
    results = asked(2, length=0.4)
    page = render(results)
    first = results.questions[0].answers["raft"].memories[0]["text"]
    assert page.count(first[:60]) == 1
    assert "3 memories of rag_only, raft" in page
    assert '<a href="https://tove.test/0">On floods 0</a>, 2011-01-01' in page
    other = results.questions[0].answers["raft"].model_copy(update={"memories": [{"text": "Alone."}]})
    changed = results.questions[0].model_copy(update={"answers": {**results.questions[0].answers, "raft": other}})
    page = render(results.model_copy(update={"questions": [changed]}))
    assert "1 memory of raft" in page and "3 memories of rag_only<" in page and "undated" in page


def test_only_addresses_of_the_web_become_links() -> None:
    results = asked(1)
    memories = [
        {"text": "M", "title": "T", "date": "2011-01-01", "source": s} for s in ("javascript:alert(1)", "a book")
    ]
    answer = results.questions[0].answers["raft"].model_copy(update={"memories": memories})
    changed = results.questions[0].model_copy(update={"answers": {**results.questions[0].answers, "raft": answer}})
    seen = Tags(render(results.model_copy(update={"questions": [changed]})))
    assert not any("javascript" in (v or "") for k, v in seen.attributes if k == "href")
    assert any("a book" in text for text in seen.text)


def test_judges_give_their_reasons_in_both_orders() -> None:
    results = asked(1)
    votes = [
        {"grader": "openai/g", "order": "as drawn", "value": 1.0, "why": "it names the weir"},
        {"grader": "openai/g", "order": "reversed", "value": 0.0, "why": "it reads like a brochure"},
    ]
    question = scored(results.questions[0], "raft", "judge_stance", value=0.5, votes=votes, against={"baseline": 0.5})
    page = render(results.model_copy(update={"questions": [question]}))
    for words in (
        "raft, Stance (judge): 0.50",
        "as drawn",
        "reversed",
        "it names the weir",
        "like a brochure",
        "against",
    ):
        assert words in page, words
    assert flags(results.model_copy(update={"questions": [question]})) == {question.id: ["disagree"]}


def test_flags_say_what_they_mean() -> None:
    results = asked(12)
    ids = [q.id for q in results.questions]
    questions = [
        scored(
            scored(q, "raft", "style_identity", value=0.5), "baseline", "style_identity", value=0.5 + (0.02 * i - 0.1)
        )
        for i, q in enumerate(results.questions)
    ]
    for arm, value in (("raft", 0.5), ("baseline", 0.5)):
        for metric in ("embedding_cosine", "rouge_l", "rouge_1"):
            questions = [scored(q, arm, metric, value=value + 0.001 * (i % 2)) for i, q in enumerate(questions)]
    questions[0] = scored(scored(questions[0], "raft", "style_identity", value=0.9), "raft", "rouge_l", value=0.1)
    questions[1] = scored(questions[1], "finetune_only", "rouge_1", value=None, why="parse")
    now = results.model_copy(update={"questions": questions})
    found = flags(now)
    assert found[ids[0]] == ["disagree"] and found[ids[1]] == ["unscored"]
    assert sum(map(len, found.values())) == 2
    assert flags(now, fell={ids[2]})[ids[2]] == ["regressed"]
    assert "regressed (1)" in render(now, None, asked_of(now, [ids[2]])) and "regressed (0)" in render(
        now, None, asked_of(now, [])
    )
    assert "regressed (" not in render(now)


def test_a_beginning_is_short_in_letters_and_in_bytes() -> None:
    assert beginning("A  weir\n") == "A weir"
    assert beginning("word " * 50, 20) == "word word word word…"
    assert len(beginning("水" * 500).encode()) <= 123 and beginning("w" * 500) == "w" * 80 + "…"


def test_an_ending_is_short_in_letters_and_in_bytes() -> None:
    assert ending("A  weir\n") == "A weir" and ending("Thank you. " * 50 + "Why?", 20) == "…Thank you. Why?"
    assert len(ending("水" * 500).encode()) <= 147 and ending("w" * 500) == "…" + "w" * 96


def test_sixty_questions_of_four_arms_take_half_a_megabyte() -> None:
    results = asked(60)
    page = render(results)
    assert len(page.encode()) <= 500_000
    for question in results.questions:
        assert question.real in page and all(question.answers[arm].text in page for arm in ("baseline", "raft"))
    shown = re.findall(r"<li>([^<]*) <a href=#m", page)
    assert len(shown) == 180 and min(len(words.split()) for words in shown) >= 15
    assert page.count("For scale, in Voice: same_near") == 60 and "<h4>same_near</h4>" not in page
    short = render(asked(60, length=0.3))
    assert "more words" not in short and short.count("<h4>same_near</h4>") == 60


def test_a_page_that_is_longer_for_other_reasons_has_shorter_memories(monkeypatch: pytest.MonkeyPatch) -> None:
    results = asked(60)
    whole = render(results)
    monkeypatch.setattr(report, "LARGEST", len(whole.encode()) - 8_000)
    less = render(results)
    assert len(less.encode()) <= report.LARGEST
    assert all(q.answers["raft"].text in less and q.real in less for q in results.questions)
    monkeypatch.setattr(report, "LARGEST", 1_000)
    assert "cut after 10 words" in render(results), "it does what it can"


def test_the_data_is_in_the_page_without_the_texts() -> None:
    results = asked(4)
    found = island(render(results))
    assert results.questions[0].real not in json.dumps(found)
    scores = found["scores"]
    assert isinstance(scores, dict)
    value = results.questions[2].answers["raft"].scores["rouge_l"].value
    assert value is not None and scores["raft"]["rouge_l"][2] == round(value * 1000)


def test_many_questions_get_pages_and_every_line_leads_to_its_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_files, "ONE_FILE", 100)
    results = asked(230, length=0.1)
    path = write_report(results, tmp_path / "report.html")
    folder = tmp_path / "report-questions"
    assert sorted(f.name for f in folder.iterdir()) == ["0001.html", "0002.html", "0003.html", "scores.csv"]
    page = path.read_text("utf-8")
    links = re.findall(r'href="(report-questions/\d+\.html)#([^"]+)"', page)
    assert [unquote(id) for _, id in links] == [f"q-{q.id}" for q in results.questions]
    pages = {to: (tmp_path / to).read_text("utf-8") for to, _ in links}
    assert all(f'id="{unquote(id)}"' in pages[to] for to, id in links)
    assert (folder / "scores.csv").read_text("utf-8") == to_csv(results)
    assert 'rel="next" href="0002.html">Questions 101 to 200 ›' in pages["report-questions/0001.html"]
    assert "Questions 201 to 230 of 230" in pages["report-questions/0003.html"]
    assert 'rel="next"' not in pages["report-questions/0003.html"]
    for text in pages.values():
        assert "synthetic answers" in text[: text.index("<main")]
        assert text.count('href="../report.html"') == 2 and 'href="../report.html#h-rights"' in text
    write_report(asked(120, length=0.1), path)
    assert sorted(f.name for f in folder.iterdir()) == ["0001.html", "0002.html", "scores.csv"]
    write_report(asked(9), path)
    assert [f.name for f in tmp_path.iterdir()] == ["report.html"]


def test_a_report_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_files, "ONE_FILE", 100)
    path = write_report(asked(120, length=0.1), tmp_path / "report.html")
    before = {f: f.read_bytes() for f in tmp_path.rglob("*") if f.is_file()}
    broken = asked(120, seed=1, length=0.1)
    broken.questions[110].answers["raft"].memories[:] = ["no memory"]  # type: ignore[list-item]
    with pytest.raises(AttributeError):
        write_report(broken, path)
    assert {f: f.read_bytes() for f in tmp_path.rglob("*") if f.is_file()} == before
    (tmp_path / "report-questions" / "notes.txt").write_text("mine")
    with pytest.raises(RaftError, match="files that no report has"):
        write_report(asked(3), path)
    assert (tmp_path / "report-questions" / "notes.txt").read_text() == "mine"


def test_large_results_are_read_one_question_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, results = tmp_path / "results.json", asked(7, length=0.2)
    save(results, path)
    monkeypatch.setattr(stored, "LARGE", 0)
    light = load_lazily(path)
    assert isinstance(light.questions, stored.Stored) and list(light.questions) == load(path).questions
    assert light.questions[2:4] == load(path).questions[2:4] and light.arms == results.arms
    assert render(light) == render(load(path))
    save(asked(2), path)  # a new file of that name is not what was opened
    assert len(list(light.questions)) == 7
    path.write_text(json.dumps(results.model_dump(mode="json")))
    assert load_lazily(path) == load(path)


def five_thousand(path: Path, seed: int) -> Path:
    """The results of a run of so many questions: fifty of them a hundred times, under other names."""
    save(asked(50, seed=seed, length=0.15), path)
    head, rest = path.read_text("utf-8").split(' "questions": [\n', 1)
    body, tail = rest.split("\n ],\n", 1)
    with path.open("w", encoding="utf-8") as file:
        copies = (body.replace('"id": "', f'"id": "{k:03d}-') for k in range(100))
        file.write(head + ' "questions": [\n' + ",\n".join(copies) + "\n ],\n" + tail)
    assert path.stat().st_size > stored.LARGE
    return path


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with such a run, and beside it another to compare with."""
    folder = tmp_path_factory.mktemp("large")
    five_thousand(folder / "run" / "results.json", 0)
    five_thousand(folder / "then" / "results.json", 1)
    return folder


WEIGHED = """
import sys, time
from ratf.cli import app
try:
    app(sys.argv[1:])
finally:
    peak = open("/proc/self/status").read().split("VmHWM:")[1].split()[0]
    print(peak, time.process_time(), file=sys.stderr)
"""
"""The peak of the program itself: ru_maxrss also has that of the process which started it. Its own time: others may be busy."""


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--redact", "--baseline", "then")], ids=["plain", "redacted and compared"])
def test_five_thousand_questions_are_written_in_time_and_memory(large: Path, options: tuple[str, ...]) -> None:
    command = [sys.executable, "-c", WEIGHED, "report", "run", *options, "--out", "made/report.html"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=large)
    assert done.stdout == "made/report.html\n"
    peak, seconds = done.stderr.split()[-2:]
    assert int(peak) < 488_000, "KiB, that is 500 MB"
    assert float(seconds) < 60
    page, folder = large / "made" / "report.html", large / "made" / "report-questions"
    assert page.stat().st_size < 2_000_000
    assert len(list(folder.glob("*.html"))) == 50
    rows = csv.reader(io.StringIO((folder / "scores.csv").read_text("utf-8")))
    assert sum(1 for _ in rows) == 1 + 5000 * 6 * 5
    assert ("got worse on" in page.read_text("utf-8")) == ("--baseline" in options)
    assert ("words left out, sha256" in (folder / "0050.html").read_text("utf-8")) == ("--redact" in options)
