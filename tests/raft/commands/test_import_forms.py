"""Files of every kind, as people have them: what is imported, what is left out, and what is refused."""

import json
import re
import time
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from places import DATA
from synthetic_transcripts import SCRIPTS, STYLES, Made, make, score, squeezed
from typer.testing import CliRunner

from raft.cli import app
from raft.errors import DataError
from raft.people.person import exchanges, load_documents, load_interviews
from raft.transcripts import forms, read_transcripts, unsure
from raft.transcripts.forms import FORMS, Form
from raft.transcripts.labels import looks_like_talk
from raft.transcripts.pages import without_escapes
from raft.transcripts.said import NoSpeakersError, Said, Transcript, words

_, *CASES = [{}, *yaml.safe_load((DATA / "forms.yaml").read_text("utf-8"))]
USUAL, CASES = CASES[0]["usual"], CASES[1:]
SHARED_CASES = {
    # file: arguments, exchanges, turns of the target; None where it is refused
    "01-zoom-lower-case-host/54-zoom-lower-host.vtt": ("linden", 2, 2),
    "02-guest-in-lower-case-bold/53-changelog-hosts.md": ("linden", 3, 3),
    "05-tv-first-mention-with-title/50-cnn.txt": ("linden", 4, 4),
    "06-sec-chair-and-name/34-yellen.txt": ("linden", None, 0),
    "06-sec-chair-and-name/34-yellen.txt ": ("linden --other robert", 2, 4),
    "10-otter-teams-lex-name-and-time/06-otter.txt": ("linden", 3, 3),
    "10-otter-teams-lex-name-and-time/35-lex.txt": ("linden", 2, 2),
    "10-otter-teams-lex-name-and-time/36-teams-copied.txt": ("linden", 2, 2),
    "11-names-in-other-scripts/26-chinese.txt": ("林玛拉", 3, 3),
    "11-names-in-other-scripts/27-arabic.txt": ("ليندن", 3, 3),
    "14-congress-title-case/22-hearing.txt": ("linden", 4, 4),
    "14-congress-title-case/23-record.txt": ("linden", 3, 3),
    "15-deposition-line-numbers/24-deposition.txt": ("linden", 5, 5),
    "15-deposition-line-numbers/94-deposition-clean.txt": ("linden", 3, 3),
    "16-whatsapp/17-whatsapp-android.txt": ("linden", 2, 2),
    "18-html-transcript/43-labels.html": ("linden", 2, 2),
    "19-bracketed-diarisation-labels/13-whisperx.srt": ("SPEAKER_01", 2, 2),
    "20-rolling-captions-twice/03-live-rolling-names.vtt": ("linden", 2, 2),
    "30-colon-in-an-answer/51-rhetorical.txt": ("linden", 2, 2),
    "40-whisperx-unlabelled-segments/12-whisperx.json": ("SPEAKER_01", 2, 2),
    "42-json-exports/15-deepgram.json": ("1", 2, 2),
    "42-json-exports/20-discord.json": ("linden", 2, 2),
    "80-escaped-markdown/92-escaped.md": ("linden", 2, 2),
}
"""Files that went wrong once, where they are at hand, with what is right of them in numbers."""


def run(*arguments: object, cwd: Path) -> Result:
    with chdir(cwd):
        return CliRunner().invoke(app, ["import", *map(str, arguments)])


def named(case: dict[str, Any]) -> str:
    return f"{case['file']} {' '.join(case['arguments'])}"


@pytest.mark.parametrize("case", CASES, ids=named)
def test_a_file_of_each_kind_gives_what_is_right(tmp_path: Path, case: dict[str, Any]) -> None:
    (tmp_path / case["file"]).write_text(case["text"], encoding="utf-8")
    called = "Ina Holm" if {"holm", "ina"} & set(case["arguments"]) else "Somebody Else"
    done = run(case["file"], "--to", "p", "--called", called, *case["arguments"], cwd=tmp_path)
    people = tmp_path / "people" / "p"
    if "refused" in case:
        assert (done.exit_code, done.stdout) == (2, "") and not (tmp_path / "people").exists()
        assert case["refused"] in done.stderr
        return
    assert done.exit_code == 0, done.stderr
    if "writing" in case:
        assert [d.text for d in load_documents(people, allow_undated=True)] == [case["writing"]]
        return
    (interview,) = load_interviews(people, allow_undated=True)
    assert (str(interview.date) if interview.date else None) == case["date"]
    if "turns" in case:
        assert [[t.role, t.speaker, t.text] for t in interview.turns] == case["turns"]
    else:
        assert [[t.role, t.text] for t in interview.turns] == USUAL
        assert list(dict.fromkeys(t.speaker for t in interview.turns)) == case["speakers"]
    assert f"  left out: {case['left']}\n" in done.stdout
    whole, kept, out = map(
        int, re.findall(r"(\d+) (?:in the file|kept|left out)", done.stdout.replace(",", "").split("words: ")[-1])
    )
    assert whole == kept + out and kept == sum(words(t.text) for t in interview.turns)


@pytest.mark.parametrize("case", [c for c in CASES if "refused" not in c or "--target" in c["arguments"]], ids=named)
def test_a_conversation_is_never_a_writing_unasked(tmp_path: Path, case: dict[str, Any]) -> None:
    if "writing" in case:
        pytest.skip("one person's captions")
    (tmp_path / case["file"]).write_text(case["text"], encoding="utf-8")
    done = run(case["file"], "--to", "p", "--called", "Somebody Else", cwd=tmp_path)
    assert not (tmp_path / "people" / "p" / "writings.jsonl").exists(), done.stdout


@pytest.mark.parametrize("case", [c for c in CASES if "turns" in c or "speakers" in c], ids=named)
def test_the_words_of_the_file_are_all_kept_or_left_out(case: dict[str, Any]) -> None:
    """The words are counted here from the file itself, whatever the reader says."""
    text, kind = case["text"], Path(case["file"]).suffix
    found = read_transcripts(text.encode(), case["file"])
    in_file = words(without_escapes(text))
    if kind in (".vtt", ".srt"):
        told = [
            line
            for line in text.split("\n")
            if "-->" not in line and not re.fullmatch(r"\d*|WEBVTT.*|\w+: \w+|[\w-]+/\d+-\d", line)
        ]
        in_file = words(re.sub(r"<[^<>]*>", "", "\n".join(told)))
    if kind in (".txt", ".md", ".vtt", ".srt") and "|--" not in text and not text.startswith("["):
        assert found[0].total == in_file or kind == ".vtt"
    for one in found:
        assert one.total == one.kept + one.out > 0


@pytest.mark.parametrize("name", SHARED_CASES)
def test_files_that_went_wrong_go_right(shared: Path, tmp_path: Path, name: str) -> None:
    path = shared.parent / "cases" / name.strip()
    if not path.is_file():
        pytest.skip(f"no {path}")
    target, count, turns = SHARED_CASES[name]
    done = run(path, "--to", "p", "--called", "Mara Linden", "--target", *target.split(), cwd=tmp_path)
    if count is None:
        assert done.exit_code == 2 and "may be two people" in done.stderr and not (tmp_path / "people").exists()
        return
    assert done.exit_code == 0, done.stderr
    (interview,) = load_interviews(tmp_path / "people" / "p", allow_undated=True)
    assert len(list(exchanges(interview))) == count
    assert sum(t.role == "target" for t in interview.turns) == turns
    speakers = {t.speaker for t in interview.turns}
    assert not any(f"{who}:" in t.text or f"{who}：" in t.text for t in interview.turns for who in speakers)


def turns_of(made: Made, name: str = "x.md") -> tuple[list[tuple[str, str]], str, Transcript | None]:
    """The turns found, or why the file is refused."""
    try:
        (found,) = read_transcripts(made.text.encode(), name)
    except DataError as error:
        return [], str(error), None
    turns: list[tuple[str, str]] = []
    for one in found.said:
        if turns and turns[-1][0] == one.speaker:
            turns[-1] = (one.speaker, f"{turns[-1][1]} {one.text}")
        else:
            turns.append((one.speaker, one.text))
    return turns, unsure(found), found


def test_two_hundred_made_up_transcripts_are_read_as_they_were_made() -> None:
    right = known = found = silent = 0
    kinds = set()
    for seed in range(200):
        made = make(seed)
        kinds |= {made.script, made.style}
        turns, against, _ = turns_of(made)
        hits, there, seen = score(made, turns)
        right, known = right + hits, known + there
        if not against:
            found += seen
            silent += not hits == there == seen
    assert kinds == {*SCRIPTS, *STYLES}
    assert right / known >= 0.99 and right / found >= 0.99 and silent == 0


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(1000, 10**6), st.sampled_from(list(SCRIPTS)), st.sampled_from(STYLES), st.sampled_from(STYLES))
def test_the_style_of_the_labels_changes_nothing(seed: int, script: str, one: str, other: str) -> None:
    found = [turns_of(make(seed, script, style)) for style in (one, other)]
    if not any(against for _, against, _ in found):
        first, second = ([(who.casefold(), squeezed(text)) for who, text in turns] for turns, _, _ in found)
        assert first == second


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(1000, 10**6), st.data())
def test_a_damaged_transcript_is_refused_or_holds_no_label(seed: int, data: st.DataObject) -> None:
    """Lines are dropped, doubled, joined or swapped: words are still all told, and no turn holds another's label."""
    lines = make(seed).text.split("\n")
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 2))
        how = data.draw(st.sampled_from(["drop", "double", "join", "swap"]))
        if how == "drop":
            del lines[at]
        elif how == "double":
            lines.insert(at, lines[at])
        elif how == "join":
            lines[at : at + 2] = [f"{lines[at]} {lines[at + 1]}"]
        else:
            lines[at], lines[at + 1] = lines[at + 1], lines[at]
        if len(lines) < 3:
            return
    made = make(seed)
    turns, against, found = turns_of(Made("\n".join(lines), made.turns, made.script, made.style))
    if found is not None:
        assert found.total == found.kept + found.out
    if not against:
        speakers = {who for who, _ in turns}
        assert not any(
            re.search(rf"(?:^|\n)[*_\[]*{re.escape(who)}[*_\]]*\s?[:：]", text) for _, text in turns for who in speakers
        )


@pytest.mark.parametrize("kind", ["md", "txt", "vtt"])
def test_three_hours_are_read_in_two_seconds(kind: str) -> None:
    made = [make(seed, "latin", "bold" if kind == "md" else "colon") for seed in range(60)]
    text = "\n\n".join(one.text for one in made)
    while words(text) < 30_000:  # 170 words a minute
        text += "\n\n" + text
    if kind == "vtt":
        cues = (f"00:00:01.000 --> 00:00:02.000\n{line}\n\n" for line in text.split("\n") if line.strip())
        text = "WEBVTT\n\n" + "".join(cues)
    start = time.process_time()
    read_transcripts(text.encode(), f"long.{kind}")
    assert time.process_time() - start < 2


def test_a_new_form_is_an_entry_and_a_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_stars(data: bytes, name: str) -> list[Transcript]:
        pairs = [line.split(" ★ ") for line in data.decode().splitlines()]
        said = [Said(who, text) for who, text in pairs]
        return [Transcript(said, total=words(data.decode()), marks=sum(words(who) for who, _ in pairs))]

    entry = Form("stars", lambda source: " ★ " in source.text, read_stars, "Name ★ words")
    monkeypatch.setattr(forms, "FORMS", [entry, *FORMS])
    (tmp_path / "a.txt").write_text("Bo ★ Why?\nIna ★ So.\nBo ★ And?\nIna ★ Thus.\n", encoding="utf-8")
    done = run("a.txt", "--to", "p", "--target", "ina", cwd=tmp_path)
    assert done.exit_code == 0, done.stderr
    assert "2 exchanges" in done.stdout and "words: 8 in the file = 4 kept + 4 left out" in done.stdout
    refused = run("a.txt", "--to", "q", "--target", "nobody", cwd=tmp_path)
    assert refused.exit_code == 2


TALK = "Bo Katz: Why?\n\nIna Holm: Clay.\n\nBo Katz: And?\n\nIna Holm: Fire.\n"


def test_explain_and_dry_run_write_nothing(tmp_path: Path) -> None:
    (tmp_path / "talk.txt").write_text(TALK, encoding="utf-8")
    explained = run("--explain", "talk.txt", cwd=tmp_path)
    assert explained.exit_code == 0, explained.stderr
    assert "talk.txt: text" in explained.stdout and "a name and a colon" in explained.stdout
    assert re.search(r"Bo Katz +2 turns +2 words", explained.stdout)
    dry = run("talk.txt", "--to", "p", "--target", "ina", "--dry-run", cwd=tmp_path)
    assert dry.exit_code == 0 and "2 exchanges" in dry.stdout and "nothing was written" in dry.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["talk.txt"]
    lost = run("talk.txt", cwd=tmp_path)
    assert lost.exit_code == 2 and "--to" in lost.stderr


def test_what_cannot_be_read_is_shown_with_the_forms_that_can(tmp_path: Path) -> None:
    (tmp_path / "essay.txt").write_text("Clay is slow.\n\nIt waits for nobody.\n", encoding="utf-8")
    done = run("essay.txt", "--to", "p", "--target", "ina", cwd=tmp_path)
    assert done.exit_code == 2 and not (tmp_path / "people").exists()
    assert "    | Clay is slow." in done.stderr and "WhatsApp" in done.stderr and "Name  00:03" in done.stderr
    assert run("essay.txt", "--to", "p", cwd=tmp_path).exit_code == 0


def test_labels_inside_turns_are_listed_and_can_be_allowed(tmp_path: Path) -> None:
    text = TALK + "\nBo Katz; Is it wet?\n\nIna Holm: Yes.\n"
    (tmp_path / "talk.txt").write_text(text, encoding="utf-8")
    refused = run("talk.txt", "--to", "p", "--target", "ina", cwd=tmp_path)
    assert refused.exit_code == 2 and "'Bo Katz; Is it wet?' × 1 (line 9)" in refused.stderr
    allowed = run("talk.txt", "--to", "p", "--target", "ina", "--allow-unmarked", cwd=tmp_path)
    assert allowed.exit_code == 0 and "'Bo Katz; Is it wet?' × 1" in allowed.stdout


def test_the_lists_of_files_name_every_ending(tmp_path: Path) -> None:
    (tmp_path / "talk.docx").write_bytes(b"Clay.")
    done = run("talk.docx", "--to", "p", "--as", "writing", cwd=tmp_path)
    assert done.exit_code == 2 and all(end in done.stderr for end in (".json", ".vtt", ".srt"))
    (tmp_path / "x.json").write_text(json.dumps({"rows": [1]}))
    assert "results.utterances" in run("x.json", "--to", "p", cwd=tmp_path).stderr


def test_real_writings_do_not_look_like_conversations(shared: Path) -> None:
    for person in ("powell", "bernanke", "yellen", "jfk", "sjors"):
        for document in load_documents(shared / person):
            assert not looks_like_talk(document.text), document.title
            with pytest.raises(NoSpeakersError):
                read_transcripts(document.text.encode(), "x.txt")
