"""The human packet: made blind, sent back, scored with simulated readers."""

import csv
import json
import random
import re
from pathlib import Path

import pytest
from browser import opened, overflow
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser

from raft.errors import DataError, RaftError
from ratf.results.results import Answer, Question, Results
from ratf.review.choices import calibrate, score_choices
from ratf.review.packet import MIN_WORDS, Key, as_csv, load_key, make_key, matched, plain, read_choices, write_packet

WORDS = [
    "river",
    "weir",
    "flood",
    "bank",
    "keeper",
    "trout",
    "gravel",
    "meadow",
    "sluice",
    "winter",
    "council",
    "money",
    "fence",
    "cattle",
    "spring",
]


def sentences(draw: random.Random, count: int) -> str:
    return " ".join(" ".join(draw.choices(WORDS, k=9)).capitalize() + "." for _ in range(count))


def results(questions: int = 48, interviews: int = 12) -> Results:
    draw = random.Random(1)
    made = []
    for n in range(questions):
        answers = {
            arm: Answer(text=sentences(draw, draw.randint(2, 9)), memories=[], source="", scores={})
            for arm in ("raft", "impostor_near")
        }
        made.append(
            Question.model_construct(
                id=f"i{n % interviews}-q{n}",
                interview_id=f"i{n % interviews}",
                question="=Why “so”?",
                real=sentences(draw, draw.randint(2, 9)),
                answers=answers,
            )
        )
    return Results.model_construct(
        suite={"name": "s", "primary": {"better": "raft"}},
        digest="d",
        person={"name": "Pat <b>Doe</b>"},
        arms={"raft": None, "impostor_near": None},  # type: ignore[dict-item]
        metrics={},
        questions=made,
    )


def reader(key: Key, seed: int, sees_impostor: float, sees_agent: float) -> dict[str, str]:
    """Somebody who is right in those shares of the pairs."""
    draw = random.Random(seed)
    right = {"raft": sees_agent, "impostor_near": sees_impostor}
    other = {"A": "B", "B": "A"}
    return {i.item: i.real if draw.random() < right[i.against] else other[i.real] for i in key.items}


def outcome(sees_impostor: float, sees_agent: float, readers: int = 5, questions: int = 48) -> str:
    key = make_key(results(questions), "raft")
    choices = {f"r{n}": reader(key, n, sees_impostor, sees_agent) for n in range(readers)}
    return score_choices(key, choices).sentence


def test_readers_who_cannot_tell_people_apart_say_nothing() -> None:
    assert outcome(0.5, 0.9).startswith("NOT MEASURED: the readers do not tell")


def test_an_agent_is_told_apart_or_a_caricature_or_passes() -> None:
    assert outcome(0.9, 0.8).startswith("TOLD APART")
    assert outcome(0.9, 0.2).startswith("CARICATURE")
    assert outcome(0.9, 0.5, readers=12, questions=120).startswith("PASSES")
    assert outcome(0.9, 0.55, readers=1).startswith("INCONCLUSIVE")


def test_a_packet_is_blind_matched_and_sealed(tmp_path: Path) -> None:
    key = make_key(results(), "raft", seed=3)
    assert key == make_key(results(), "raft", seed=3) != make_key(results(), "raft", seed=4)
    assert {i.against for i in key.items} == {"raft", "impostor_near"}
    assert 0.3 < sum(i.real == "A" for i in key.items) / len(key.items) < 0.7
    for i in key.items:
        lengths = sorted(len(t.split()) for t in (i.a, i.b))
        assert lengths[1] - lengths[0] <= 9, "cut at a sentence's end, to about the same length"
    page, kept = write_packet(key, tmp_path / "out", tmp_path / "keys")
    style = re.compile("<style>.*</style>", re.DOTALL)
    sent = style.sub("", page.read_text()) + (tmp_path / "out" / "packet.csv").read_text()
    assert "raft" not in sent and "impostor" not in sent and key.seal in sent
    assert "<b>Doe" not in page.read_text()
    assert [p.name for p in (tmp_path / "out").iterdir() if p.suffix == ".json"] == []
    kept.write_text(kept.read_text().replace('"real": "A"', '"real": "B"', 1))
    with pytest.raises(RaftError, match="somebody changed it"):
        load_key(tmp_path / "keys", key.seal[:12])


def test_no_cell_begins_like_a_formula() -> None:
    rows = list(csv.DictReader(as_csv(make_key(results(), "raft")).splitlines()))
    assert {row["question"] for row in rows} == {'\'=Why "so"?'}


def test_what_readers_send_back_is_checked(tmp_path: Path) -> None:
    file = tmp_path / "anna.csv"
    file.write_text("packet,item,choice,reader\nabc,1,a,\nabc,002,C,\nabc,001,B,\n")
    with pytest.raises(DataError) as error:
        read_choices(file)
    assert [p.partition(": ")[0] for p in error.value.problems] == [f"{file}:3", f"{file}:4"]
    file.write_text("packet,item,choice\nabc,1,a\nabc,2,\n")
    assert read_choices(file) == ("abc", "anna", {"001": "A"})
    file.write_text("item,choice\n1,a\n")
    with pytest.raises(DataError, match="no column packet"):
        read_choices(file)


def test_a_judge_is_held_against_the_readers() -> None:
    key = make_key(results(), "raft")
    choices = {f"r{n}": reader(key, n, 0.95, 0.95) for n in range(4)}
    truth = {i.question_id: True for i in key.items}
    good = calibrate(key, choices, "judge_forced_choice", truth)
    assert good is not None and good.agreement > 0.9 and good.alt is not None and good.alt.passed
    bad = calibrate(key, choices, "judge_forced_choice", dict.fromkeys(truth, False))
    assert bad is not None and bad.agreement < 0.1 and bad.alt is not None and not bad.alt.passed
    assert calibrate(key, choices, "judge_forced_choice", {}) is None


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=300), st.text(max_size=300))
def test_texts_are_cut_and_never_added_to(one: str, other: str) -> None:
    for before, after in zip((one, other), matched(one, other), strict=True):
        assert plain(before).startswith(after)
        assert len(after.split()) <= max(MIN_WORDS, min(len(plain(one).split()), len(plain(other).split())))


def test_the_page_gives_back_the_choices_that_were_made(browser: Browser, tmp_path: Path) -> None:
    key = make_key(results(8, 4), "raft")
    page_file, _ = write_packet(key, tmp_path / "out", tmp_path / "keys")
    with opened(browser, page_file, width=390, height=844) as page:
        for i in key.items:
            page.locator(f"input[name='{i.item}'][value='{i.real}']").check()
        page.fill("#reader", "Anna B.")
        with page.expect_download() as download:
            page.get_by_role("button").click()
        download.value.save_as(tmp_path / "anna.csv")
        assert overflow(page) == []
    packet, name, choices = read_choices(tmp_path / "anna.csv")
    assert (packet, name) == (key.seal[:12], "Anna B.")
    assert choices == {i.item: i.real for i in key.items}
    assert json.loads((tmp_path / "keys" / f"{packet}.json").read_text())["arm"] == "raft"
