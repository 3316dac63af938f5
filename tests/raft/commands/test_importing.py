import json
import os
import shutil
import subprocess
import sys
import threading
from contextlib import chdir
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import Result
from places import DATA
from typer.testing import CliRunner

from raft.cli import app
from raft.people.person import exchanges, load_documents, load_interviews

FORMS = DATA / "transcripts"


def run(*arguments: object, cwd: Path) -> Result:
    with chdir(cwd):
        return CliRunner().invoke(app, ["import", *map(str, arguments)])


def test_files_of_several_forms_go_in_once(tmp_path: Path) -> None:
    files = [FORMS / name for name in ("labelled.txt", "talk.vtt", "seed.json", "ours.jsonl", "essay.txt")]
    first = run(*files, "--to", "tobias-fenn", "--called", "Tobias Fenn", cwd=tmp_path)
    folder = tmp_path / "people" / "tobias-fenn"
    assert first.exit_code == 0, first.stderr
    assert first.stdout.splitlines()[-1] == "people/tobias-fenn: 5 interviews and 1 writings added"
    assert "labelled.txt: interview, 4 exchanges: 'The Kiln Hour', 2021-05-04" in first.stdout
    assert "  target: TOBIAS FENN, T. FENN: 4 turns, 30 words" in first.stdout
    assert "  other: LENE ROY: 2 turns" in first.stdout
    assert "3 × stage directions (3 words), 1 × advertising (15 words)" in first.stdout
    assert "'Two', NO DATE; name the file YYYY-MM-DD" in first.stdout
    assert "essay.txt: writing, 32 words: 'essay', NO DATE" in first.stdout and "so a writing" in first.stdout
    assert "name: Tobias Fenn" in (folder / "person.yaml").read_text()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    again = run(*files, "--to", folder, cwd=tmp_path)
    assert again.stdout.splitlines()[-1].endswith("0 interviews and 0 writings added; 6 there already")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert len(load_documents(folder, allow_undated=True)) == 1


def test_what_the_command_is_told_is_used(tmp_path: Path) -> None:
    options = ("--target", "fenn", "--date", "2020-05-06", "--title", "Wheels", "--other", "oda", "--called", "T. Fenn")
    done = run(FORMS / "chat.jsonl", "--to", tmp_path / "fenn", *options, cwd=tmp_path)
    assert done.exit_code == 0, done.stderr
    interview = load_interviews(tmp_path / "fenn")[0]
    assert (interview.title, str(interview.date), interview.interview_id) == ("Wheels", "2020-05-06", "chat-jsonl")
    assert [t.role for t in interview.turns] == ["other", "target", "other", "target"] and not [*exchanges(interview)]
    assert "name: T. Fenn" in (tmp_path / "fenn" / "person.yaml").read_text()


class _Marks(BaseHTTPRequestHandler):
    """A service that speaks the OpenAI protocol and marks `unlabelled.txt`."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        turns = [
            ("Q", "Where does the clay come"),
            ("A", "From the river bed,"),
            ("Q", "Is it good clay?"),
            ("A", "It is patient"),
        ]
        reply = json.dumps([{"speaker": who, "starts": words} for who, words in turns])
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": reply}}
        body = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *rest: object) -> None:
        pass


def test_a_model_marks_text_without_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Marks) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{server.server_port}/v1")
        done = run(FORMS / "unlabelled.txt", "--to", "fenn", "--mark-with", "openai/m", cwd=tmp_path)
        server.shutdown()
    assert done.exit_code == 0, done.stderr
    answers = [e.answer for e in exchanges(load_interviews(tmp_path / "people" / "fenn", allow_undated=True)[0])]
    assert answers == ["From the river bed, below the second bridge.", "It is patient clay. That is better than good."]


def test_a_file_as_a_writing_although_it_has_labels(tmp_path: Path) -> None:
    done = run(FORMS / "questions.txt", "--to", tmp_path / "mayor", "--as", "writing", cwd=tmp_path)
    assert done.exit_code == 0, done.stderr
    assert load_documents(tmp_path / "mayor", allow_undated=True)[0].text.startswith("[1.] Q. Mr. Mayor")


def test_a_writing_that_somebody_else_signed_is_left_out_and_named(tmp_path: Path) -> None:
    signed = {"own.md": "Mara Linden", "also.md": "M. Linden", "guest.md": "Conrad Poole"}
    for name, author in signed.items():
        (tmp_path / name).write_text(
            f"---\nauthor: {author}\ndate: 2020-05-04\n---\n\nThe weir held: {name}.\n", "utf-8"
        )
    done = run(*signed, "--to", "mara", "--as", "writing", "--called", "Mara Linden", cwd=tmp_path)
    assert done.exit_code == 0, done.stderr
    assert "left out, by somebody else: guest.md; Conrad Poole; where that is the person, take it with" in done.stdout
    kept = load_documents(tmp_path / "people" / "mara")
    assert {d.text for d in kept} == {"The weir held: own.md.", "The weir held: also.md."}
    again = run("guest.md", "--to", "mara", "--as", "writing", cwd=tmp_path)
    assert "Conrad Poole" in again.stdout and load_documents(tmp_path / "people" / "mara") == kept
    unnamed = run("guest.md", "--to", "poole", "--as", "writing", cwd=tmp_path)
    assert unnamed.exit_code == 0 and len(load_documents(tmp_path / "people" / "poole")) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            (FORMS / "chat.jsonl",),
            "chat.jsonl: several speakers could be the one who answers; name one with --target:\n",
        ),
        ((FORMS / "chat.jsonl", "--target", "powell"), "no speaker is called 'powell'"),
        ((FORMS / "unlabelled.txt", "--as", "interview"), "unlabelled.txt: no speakers' labels found"),
        ((FORMS / "seed.json", "--date", "soon"), "--date 'soon' is not a date"),
        ((FORMS / "seed.json", "nowhere.txt"), "nowhere.txt: cannot be read: No such file"),
        ((FORMS / "seed.json", "bad.json", "empty.pdf"), "2 problems in the data; nothing was written"),
        ((FORMS / "seed.json", "other/seed.json"), "two files make the interview 'seed-json'; rename one"),
        ((FORMS / "seed.json", "--mark-with", "gpt"), "'gpt' is not a model"),
    ],
)
def test_bad_input_writes_nothing(tmp_path: Path, arguments: tuple[object, ...], says: str) -> None:
    (tmp_path / "bad.json").write_text('{"participants": {}\n')
    (tmp_path / "empty.pdf").write_bytes(b"%PDF-1.4")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "seed.json").write_text((FORMS / "seed.json").read_text().replace("clay", "peat"))
    done = run(*arguments, "--to", "somebody", cwd=tmp_path)
    assert (done.exit_code, done.stdout) == (2, "")
    assert says in done.stderr
    assert not (tmp_path / "people").exists()


def test_on_a_terminal_the_command_asks(tmp_path: Path) -> None:
    ours, its = os.openpty()
    command = [sys.executable, "-m", "raft.cli", "import", str(FORMS / "chat.jsonl"), "--to", "fenn"]
    os.write(ours, b"tobias\n")
    done = subprocess.run(command, stdin=its, stdout=subprocess.PIPE, stderr=its, text=True, cwd=tmp_path, timeout=60)
    os.close(its)
    asked = os.read(ours, 4000).decode()
    os.close(ours)
    assert done.returncode == 0 and "Who answers" in asked and "Tobias Fenn: 3 turns, 8 words" in asked
    assert "target: Tobias Fenn: 3 turns" in done.stdout


def test_the_first_raft_s_documents_are_writings(tmp_path: Path) -> None:
    lines = [
        {"title": f"Post {n}", "link": f"https://x.example/{n}", "date": "2021-02-03", "content": "Clay."}
        for n in (1, 2)
    ]
    (tmp_path / "posts.jsonl").write_text("\n".join(map(json.dumps, lines)))
    done = run("posts.jsonl", "--to", "fenn", cwd=tmp_path)
    assert done.exit_code == 0, done.stderr
    found = load_documents(tmp_path / "people" / "fenn")
    assert [(d.title, d.source, str(d.date)) for d in found] == [(r["title"], r["link"], r["date"]) for r in lines]


def test_a_guessed_encoding_is_told(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_bytes("Q. Où?\nA. Là-bas.\n".encode("cp1252"))
    assert "  not UTF-8; read as Windows-1252" in run("old.txt", "--to", "fenn", cwd=tmp_path).stdout


def test_speakers_are_listed_with_their_share(tmp_path: Path) -> None:
    done = run(FORMS / "chat.jsonl", "--to", "somebody", cwd=tmp_path)
    assert "  Tobias Fenn: 3 turns, 8 words\n  Oda Marsh: 2 turns, 3 words\n" in done.stderr


def test_a_changed_file_does_not_change_what_is_there(tmp_path: Path) -> None:
    shutil.copy(FORMS / "seed.json", tmp_path)
    run("seed.json", "--to", "fenn", cwd=tmp_path)
    record = json.loads((tmp_path / "seed.json").read_text())
    record["exchanges"][0][1] = "Another answer."
    (tmp_path / "seed.json").write_text(json.dumps(record))
    done = run("seed.json", "--to", "fenn", cwd=tmp_path)
    assert "seed-json: there already with other words, date or roles; what is there was kept" in done.stdout
    assert "Another" not in (tmp_path / "people" / "fenn" / "interviews.jsonl").read_text()


def test_an_interview_without_a_date_gets_it_when_it_is_imported_again(tmp_path: Path) -> None:
    cue = "00:00:{0}0.000 --> 00:00:{0}9.000\n<v {1}>{2}\n\n"
    asked = cue.format(0, "Oda Marsh", "Why clay?") + cue.format(1, "Tobias Fenn", "It forgives a thumb.")
    (tmp_path / "talk.vtt").write_text("WEBVTT\n\n" + asked, "utf-8")
    (tmp_path / "more.vtt").write_text("WEBVTT\n\n" + asked + cue.format(2, "Oda Marsh", "And glass?"), "utf-8")
    first = run("talk.vtt", "more.vtt", "--to", "fenn", "--target", "fenn", cwd=tmp_path)
    assert first.exit_code == 0 and first.stdout.count("NO DATE; name the file YYYY-MM-DD-….vtt") == 2, first.stdout
    path = tmp_path / "people" / "fenn" / "interviews.jsonl"
    before = path.read_text("utf-8").splitlines()
    (tmp_path / "talk.vtt").rename(tmp_path / "2019-03-04-talk.vtt")
    again = run("2019-03-04-talk.vtt", "--to", "fenn", "--target", "fenn", cwd=tmp_path)
    assert "talk-vtt: there already, and now dated 2019-03-04" in again.stdout, again.stdout
    after = path.read_text("utf-8").splitlines()
    assert len(after) == 2 and after[1] == before[1]
    assert json.loads(after[0]) == {**json.loads(before[0]), "date": "2019-03-04"}


def test_a_folder_with_a_broken_file_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "people" / "fenn"
    folder.mkdir(parents=True)
    (folder / "writings.jsonl").write_text("{broken")
    done = run(FORMS / "seed.json", "--to", "fenn", cwd=tmp_path)
    assert done.exit_code == 2 and "writings.jsonl:1: not JSON" in done.stderr
    assert [path.name for path in folder.iterdir()] == ["writings.jsonl"]
