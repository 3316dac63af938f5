"""`ratf view`: a real server on loopback, asked by friends and strangers, and a run that is followed to its end."""

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from boards import planted
from playwright.sync_api import sync_playwright

from raft.errors import RaftError
from ratf.pages import view
from ratf.pages.view import inspect_view, says, server
from ratf.results import folder as watch
from ratf.results.folder import Log, Note, RunProgress, finished, look, noted
from ratf.results.results import save

PAGE = "<!doctype html>\n<html lang='en'>\n<body>\n<h1>PASS</h1>\n</body>\n</html>\n"


@contextmanager
def serving(folder: Path) -> Iterator[int]:
    made = server(folder)
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield made.server_port
    finally:
        made.shutdown()
        made.server_close()
        thread.join()


def ask(port: int, path: str, method: str = "GET", host: str | None = None) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", host or f"127.0.0.1:{port}")
    connection.endheaders()
    reply = connection.getresponse()
    found = reply.status, dict(reply.getheaders()), reply.read().decode()
    connection.close()
    return found


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    (folder / "runs").mkdir(parents=True)
    (folder / "index.html").write_text(PAGE)
    (folder / "runs" / "a b.html").write_text("a run")
    (folder / "leaderboard.json").write_text("{}")
    (folder / ".hidden").write_text("secret")
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "out.txt").symlink_to(tmp_path / "secret.txt")
    return folder


def test_a_site_is_served_as_it_is_and_never_kept(site: Path) -> None:
    with serving(site) as port:
        code, headers, body = ask(port, "/")
        assert (code, body) == (200, PAGE) and headers["Cache-Control"] == "no-store"
        assert (
            headers["Content-Type"] == "text/html; charset=utf-8"
            and "default-src 'self'" in headers["Content-Security-Policy"]
        )
        assert ask(port, "/runs/a%20b.html?x=1")[2] == "a run"
        code, headers, body = ask(port, "/", "HEAD")
        assert (code, headers["Content-Length"], body) == (200, str(len(PAGE)), "")
        assert ask(port, "/runs/")[0] == ask(port, "/run")[0] == 404


@pytest.mark.parametrize(
    "path",
    ["/../secret.txt", "/%2e%2e/secret.txt", "/runs/..%2f..%2fsecret.txt", "//etc/passwd", "/.hidden", "/out.txt",
     "/runs/%2e%2e/%2e%2e/secret.txt", "/..%5csecret.txt", "/index.html%00", "http://127.0.0.1/../secret.txt"],
)  # fmt: skip
def test_nothing_outside_the_folder_is_served(site: Path, path: str) -> None:
    with serving(site) as port:
        code, _, body = ask(port, path)
        assert code == 404 and "secret" not in body and "root:" not in body


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", ""])
def test_another_name_for_this_server_is_refused(site: Path, host: str) -> None:
    with serving(site) as port:
        code, _, body = ask(port, "/", host=host.format(port=port) or " ")
        assert code == 403 and "PASS" not in body
        assert ask(port, "/", host=f"localhost:{port}")[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_sent(site: Path, method: str) -> None:
    with serving(site) as port:
        assert ask(port, "/", method)[0] == 501


def test_only_this_machine_is_listened_to(site: Path) -> None:
    made = server(site)
    assert made.server_address[0] == "127.0.0.1"
    with pytest.raises(RaftError, match=f"port {made.server_port} cannot be had"):
        server(site, made.server_port)
    made.server_close()
    with pytest.raises(RaftError, match=r"neither a run .* nor a site"):
        server(site / "runs")


def test_progress_leaves_a_note_and_does_what_it_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "EVERY_SECONDS", 0)
    inner: list[int] = []

    @contextmanager
    def shown(what: str, total: int, unit: str) -> Iterator[object]:
        yield inner.append

    progress = noted(shown, tmp_path)  # type: ignore[arg-type]

    def note() -> tuple[str, int, str]:
        found = look(tmp_path).note
        assert found is not None and (found.total, found.unit) == (9, "answers")
        return found.what, found.done, found.state

    with progress("answering", 9, "answers") as advance:
        assert note() == ("answering", 0, "working")
        advance(4)
        assert note() == ("answering", 4, "working") and inner == [4]
    assert note() == ("answering", 9, "done")
    with pytest.raises(KeyboardInterrupt), progress("scoring", 9, "answers") as advance:
        advance(2)
        raise KeyboardInterrupt
    assert note() == ("scoring", 2, "stopped")
    (tmp_path / watch.NOTE).unlink()
    (tmp_path / watch.NOTE).mkdir()  # where nothing can be written, the run goes on
    with progress("scoring", 9, "answers") as advance:
        advance(9)
    assert inner == [4, 2, 9] and look(tmp_path).note is None


def test_how_far_a_run_is_in_words() -> None:
    def at(state: str, done: int) -> str:
        note = Note(what="answering", total=40, unit="answers", done=done, began=100, at=110, state=state)
        return says(RunProgress(False, note, {}, []), now=113)

    assert at("working", 0) == "answering, 0 of 40 answers (news of 3 s ago)"
    assert at("working", 10) == "answering, 10 of 40 answers, about 30 s to go (news of 3 s ago)"
    assert at("done", 40) == "answering: done 3 s ago; the next step is on its way"
    assert at("stopped", 10) == "stopped at answering, 10 of 40 answers, 3 s ago; `ratf run` goes on with it"
    assert says(RunProgress(False, None, {}, [])).startswith("nothing is known")


def started(folder: Path, done: int, state: str = "working") -> None:
    now = time.time()
    note = Note(what="answering <b>", total=40, unit="answers", done=done, began=now - 9, at=now, state=state)
    folder.mkdir(exist_ok=True)
    (folder / watch.NOTE).write_text(note.model_dump_json())


def test_a_run_is_followed_to_its_report(tmp_path: Path) -> None:
    run = tmp_path / "run"
    started(run, 10)
    (run / "times.json").write_text(json.dumps({"digest": "d", "made": {"prepare": 12.2}}))
    with serving(run) as port:
        code, _, body = ask(port, "/")
        assert code == 200 and "answering &lt;b&gt;, 10 of 40 answers" in body and "prepare 12 s" in body
        assert 'http-equiv="refresh"' in body and f"inspect view --log-dir {run}/logs" in body
        save(planted({"raft": 0.5}), run / "results.json")
        assert ask(port, "/")[0] == 200, "the page is not there yet"
        (run / "report.html").write_text(PAGE)
        code, headers, _ = ask(port, "/")
        assert (code, headers["Location"]) == (302, "/report.html")
        assert '<a href="/run">' in ask(port, "/report.html")[2] and "/run" not in (run / "report.html").read_text()
        assert ">the run is finished<" in ask(port, "/run")[2] and "refresh" not in ask(port, "/run")[2]
        os.utime(run / "report.html", (1, 1))
        started(run, 3)
        assert not finished(run) and ask(port, "/")[0] == 200, "the same folder was started again"


def test_a_browser_goes_on_to_the_report_by_itself(tmp_path: Path) -> None:
    if (chromium := shutil.which("chromium")) is None:
        pytest.skip("no chromium on this machine")
    run = tmp_path / "run"
    started(run, 10)
    with serving(run) as port, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 390, "height": 800})
        trouble: list[str] = []
        page.on("console", lambda m: trouble.append(m.text))
        page.goto(f"http://127.0.0.1:{port}/")
        assert "10 of 40" in page.inner_text("h1")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        started(run, 30)
        page.get_by_role("heading", name="30 of 40").wait_for(timeout=15_000)
        assert page.locator("progress").get_attribute("value") == "30"
        save(planted({"raft": 0.5}), run / "results.json")
        (run / "report.html").write_text(PAGE)
        page.wait_for_url("**/report.html", timeout=15_000)
        assert page.inner_text("h1") == "PASS" and trouble == []
        browser.close()


def test_logs_of_a_run_lead_into_inspect_view_while_it_is_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tmp_path / "run"
    (run / "logs").mkdir(parents=True)
    with zipfile.ZipFile(run / "logs" / "1_interview_x.eval", "w") as log:
        for n in (1, 2):
            log.writestr(f"samples/i-q00{n}_epoch_1.json", "{}")
    (run / "logs" / "2_interview_y.eval").write_bytes(b"being written")
    monkeypatch.setattr(watch, "_head", lambda path: ("raft", "started"))
    assert look(run).logs == [Log("raft", "1_interview_x.eval", "started", [("i-q001", 1), ("i-q002", 1)])]
    shown = {"log_dir": (run / "logs").as_uri()}

    class Viewer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(shown).encode())

        def log_message(self, *_: object) -> None:
            pass

    viewer = ThreadingHTTPServer(("127.0.0.1", 0), Viewer)
    threading.Thread(target=viewer.serve_forever, args=(0.02,), daemon=True).start()
    home = f"http://127.0.0.1:{viewer.server_port}"
    monkeypatch.setattr(view, "INSPECT", home)
    with serving(run) as port:
        assert f'href="{home}/#/logs/1_interview_x.eval/samples/sample/i-q001/1"' in ask(port, "/run")[2]
        shown["log_dir"] = tmp_path.as_uri()
        assert inspect_view(run / "logs").base == f"{home}/#/logs/run/logs/"
        shown["log_dir"] = (tmp_path / "other").as_uri()
        assert "is up, but shows other logs" in ask(port, "/run")[2]
        shown.clear()
        assert not inspect_view(run / "logs").up
    viewer.shutdown()
    viewer.server_close()
    assert not inspect_view(run / "logs").up


def test_a_log_of_inspect_is_read_while_it_grows(tmp_path: Path) -> None:
    from inspect_ai import Task, eval
    from inspect_ai.dataset import Sample
    from inspect_ai.solver import Generate, TaskState, solver

    seen: list[Log] = []

    @solver
    def looking():  # type: ignore[no-untyped-def]
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            seen.extend(watch.logs(tmp_path / "logs"))
            return state

        return solve

    asked = [Sample(id=f"i-q00{n}", input="Why?") for n in range(3)]
    task = Task(dataset=asked, solver=looking(), metadata={"arm": "raft"}, name="interview")
    eval(
        task, model="mockllm/model", log_dir=str(tmp_path / "logs"), display="none", max_samples=1, log_buffer=1,
        log_realtime=False,
    )  # fmt: skip
    samples = [(f"i-q00{n}", 1) for n in range(3)]
    assert [(log.arm, log.status) for log in seen[-1:]] == [("raft", "started")] and seen[-1].samples == samples[:2]
    (whole,) = watch.logs(tmp_path / "logs")
    assert (whole.arm, whole.status, whole.samples) == ("raft", "success", samples)


def test_the_command_says_where_and_ends_with_ctrl_c(site: Path) -> None:
    command = [sys.executable, "-m", "ratf.cli", "view", str(site), "--no-open"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # tests that run in the background would hand down that it is ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        try:
            assert process.stdout
            said = process.stdout.readline()
            address = said.split(" at ")[1].split()[0]
            port = int(address.rstrip("/").rpartition(":")[2])
            assert ask(port, "/")[2] == PAGE
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
        finally:
            process.kill()
