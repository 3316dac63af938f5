"""Nobody's own words in what is shown of a redacted run; and nothing shown to everybody without licence and consent."""

import html
import json
import random
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from boards import planted
from commands import Command
from hypothesis import given
from hypothesis import strategies as st

from raft.errors import RaftError
from ratf.gate.gate import check
from ratf.pages.redact import RUN, Mask, redacted, words_of
from ratf.reporting import files as report_files
from ratf.reporting.files import write_report
from ratf.reporting.markdown import markdown
from ratf.reporting.page import render
from ratf.results import lazy as stored
from ratf.results.bundle import write_bundle
from ratf.results.results import Results, dumps, load, save
from ratf.results.rights import publishable, rights
from ratf.results.table import to_csv
from ratf.review.packet import make_key

VOCABULARY = (
    "river weir mill lock tide rain boat ferry gate bank silt reed heron barge flood ditch kiln oar rope sluice"
)
WORDS = VOCABULARY.split()
STATED = {"licence": "MIT, invented", "consent": "nobody to ask"}


@cache
def run() -> Results:
    """A run in which everybody's words also stand where they should not: in answers, reasons, questions, notes."""
    draw = random.Random(4)

    def words(n: int) -> str:
        return " ".join(draw.choice(WORDS) + draw.choice(["", "", "", ",", ".", "’s"]) for _ in range(n)).capitalize()

    made = planted({"baseline": 0.2, "raft": 0.7}, metrics=("style_identity", "judge_stance"))
    raw: dict[str, Any] = json.loads(made.model_dump_json())
    for question in raw["questions"]:
        memory = {
            "text": words(30),
            "title": "On weirs",
            "date": "2011-01-01",
            "source": "S",
            "doc_id": "d",
            "score": 0.5,
        }
        question["real"], question["question"] = words(40), "Is the water high today, or is it low?"
        stolen = question["real"].split()[10:20]
        question["answers"]["raft"] |= {
            "text": f"Yes, yes: {'  '.join(stolen).upper()}! And so on.",
            "memories": [memory],
        }
        question["answers"]["baseline"]["text"] = "I am a machine and say what machines say on such occasions."
        for control in ("same_near", "impostor_near"):
            question["answers"][control] |= {
                "text": words(40),
                "source": f"pell, q1 (questions alike by 0.50): {words(9)}",
            }
        judged = question["answers"]["raft"]["scores"]["judge_stance"]
        judged["why"] = f"It says “{' '.join(stolen)}”, as he did."
        judged["votes"] = [{"grader": "g", "order": "", "value": 1.0, "reason": f"{memory['text']} is the same."}]
    raw["notes"] = [f"The first real answer was: {raw['questions'][0]['real']}"]
    learnt = [["system", "You are invented."], ["user", f"Why? {words(20)}"], ["answer", words(20)]]
    example = {"exchange_id": "e", "date": "2010-01-01", "turns": learnt}
    raw["tuned"] = [{"arm": "raft", "digest": "abc", "samples": 9, "losses": [3.0, 2.0], "example": example}]
    return Results.model_validate(raw | {"person": made.person | STATED})


def said(text: str) -> set[str]:
    """Every run of RUN words of a text, each of which holds a letter."""
    words = [w.strip(".,!?:“”").casefold() for w in text.split() if re.search(r"\w", w)]
    return {" ".join(words[i : i + RUN]) for i in range(len(words) - RUN + 1)}


def theirs() -> set[str]:
    texts = [text for question in run().questions for text in words_of(run(), question)]
    assert run().tuned[0].example
    return {six for text in [*texts, run().tuned[0].example.turns[2][1]] for six in said(text)}


def shown(page: str) -> set[str]:
    return said(re.sub(r'[<>"{}\[\]]|\\n', " ", html.unescape(html.unescape(re.sub(r"</?[a-z][^>]*>", " ", page)))))


def test_no_run_of_anybodys_words_is_in_any_form_of_a_redacted_run() -> None:
    made = redacted(run())
    whole = render(run())
    assert len(theirs() & shown(whole)) > 500, "the test would not find what it looks for"
    for form in (render(made), dumps(made), to_csv(made), markdown(made, check(made))):
        assert theirs() & shown(form) == set()


def test_what_is_not_theirs_stays() -> None:
    made, whole = redacted(run()), run()
    answer = made.questions[0].answers
    assert answer["baseline"] == whole.questions[0].answers["baseline"]
    assert answer["raft"].text == "Yes, yes: [10 words left out]! And so on."
    assert answer["raft"].scores["judge_stance"].why.startswith("It says “[10 words left out]”")
    assert re.fullmatch(r"\[30 words left out, sha256 [0-9a-f]{12}\]", answer["raft"].memories[0]["text"])
    assert answer["raft"].memories[0]["title"] == "On weirs" and answer["raft"].memories[0]["score"] == 0.5
    assert made.questions[0].question == whole.questions[0].question
    assert (made.arms, made.comparisons, made.exam, made.skill) == (
        whole.arms,
        whole.comparisons,
        whole.exam,
        whole.skill,
    )
    assert redacted(made) is made and not whole.redacted


def test_the_page_says_that_it_is_redacted_and_synthetic() -> None:
    page, whole = render(redacted(run())), render(run())
    top = page[: page.index("<main")]
    assert "Redacted." in top and "Conrad Pell are left out" in top and "synthetic answers" in top
    assert "Redacted." not in whole and "synthetic answers" in whole


def test_every_page_of_many_questions_is_redacted_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_files, "ONE_FILE", 10)
    write_report(publishable(redacted(run())), tmp_path / "report.html")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(path.name for path in files) == ["0001.html", "report.html", "scores.csv"]
    for path in files:
        text = path.read_text("utf-8")
        assert theirs() & shown(text) == set(), path
        top = text[: text.index("<main")] if path.suffix == ".html" else "Redacted. synthetic answers"
        assert "Redacted." in top and "synthetic answers" in top


def test_a_large_run_is_redacted_alike_without_being_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(run(), tmp_path / "results.json")
    monkeypatch.setattr(stored, "LARGE", 0)
    light = redacted(stored.load_lazily(tmp_path / "results.json"))
    assert isinstance(light.questions, stored.Stored)
    assert light.model_copy(update={"questions": list(light.questions)}) == redacted(run())


@given(st.lists(st.sampled_from(WORDS), max_size=40), st.lists(st.sampled_from(WORDS), max_size=40), st.data())
def test_a_mask_leaves_no_run_and_nothing_else_out(own: list[str], other: list[str], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(other)))
    mixed = other[:at] + own[:12] + other[at:]
    spaces = data.draw(st.lists(st.sampled_from([" ", ", ", "\n", " — "]), min_size=len(mixed), max_size=len(mixed)))
    text = "".join(word + space for word, space in zip(mixed, spaces, strict=True))
    masked = Mask([" ".join(own)]).masked(text)
    kept = re.sub(r"\[\d+ words left out\]", " | ", masked)
    assert not said(" ".join(own)) & {run for part in kept.split("|") for run in said(part)}
    hidden = sum(int(n) for n in re.findall(r"\[(\d+) words left out\]", masked))
    assert hidden + len(re.findall(r"\w+", kept)) == len(mixed)
    if not said(" ".join(own)) & said(text):
        assert masked == text


@pytest.mark.parametrize("redact", [True, False])
def test_public_asks_for_licence_and_consent_of_everybody_whose_words_are_shown(redact: bool) -> None:
    results = redacted(run()) if redact else run()
    if redact:
        assert publishable(results) == results.model_copy(update={"rights": rights(results)})
    else:
        with pytest.raises(RaftError, match=r"pell/person.yaml: licence and consent are not stated(.|\n)*--data"):
            publishable(results)
    silent = results.model_copy(update={"person": results.person | {"licence": " "}})
    with pytest.raises(RaftError, match=r"marrack/person.yaml: licence is not stated"):
        publishable(silent)


def test_what_is_stated_can_be_in_the_suite_in_the_results_or_in_the_folders(tmp_path: Path) -> None:
    in_suite = run().model_copy(update={"suite": run().suite | {"people": {"pell": STATED}}})
    assert rights(in_suite)["pell"].licence == STATED["licence"]
    kept = run().model_copy(update={"rights": {"pell": rights(in_suite)["pell"]}})
    assert publishable(kept).rights["pell"].consent == STATED["consent"]
    (tmp_path / "pell").mkdir()
    (tmp_path / "pell" / "person.yaml").write_text("name: P\nintroduction: i\nlicence: CC0\nconsent: asked\n")
    page = render(publishable(run(), tmp_path))
    assert "CC0" in page and "asked" in page and "not stated" not in page and "not stated" in render(run())


def test_the_commands(tmp_path: Path, ratf: Command) -> None:
    save(run(), tmp_path / "run" / "results.json")
    done = ratf("report", tmp_path / "run", "--public")
    assert done.returncode == 2 and "pell/person.yaml" in done.stderr and "--redact" in done.stderr
    assert [p.name for p in (tmp_path / "run").iterdir()] == ["results.json"]
    done = ratf("bundle", tmp_path / "run", "--public")
    assert done.returncode == 2 and not (tmp_path / "run.ratf.zip").exists()
    done = ratf("report", tmp_path / "run", "--redact", "--public")
    assert done.returncode == 0 and done.stdout.strip().endswith("report.redacted.html"), done.stderr
    save(redacted(run()), tmp_path / "shared" / "results.json")
    assert load(tmp_path / "shared" / "results.json") == redacted(run())
    done = ratf("leaderboard", tmp_path / "run", "--redact", "--public", "--out", tmp_path / "site")
    assert done.returncode == 0, done.stderr
    for path in (tmp_path / "site").rglob("*"):
        assert path.is_dir() or theirs() & shown(path.read_text("utf-8")) == set(), path


def test_what_needs_the_words_refuses_a_redacted_run(tmp_path: Path) -> None:
    made = redacted(run())
    with pytest.raises(RaftError, match="left out of this run"):
        make_key(made, "raft")
    with pytest.raises(RaftError, match="left out of this run"):
        write_bundle(tmp_path, made, None, tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()
