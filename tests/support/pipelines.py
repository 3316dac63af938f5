"""Carries out what a pipeline's file says, as far as it is commands: what GitHub's and GitLab's runners do with a job."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml
from places import REPOSITORY

PIP = """\
#!/bin/sh
if [ "$1 $2" = "-m pip" ]; then shift 2; echo "$@" >> "$PIP_SAID"; exit 0; fi
exec {python} "$@"
"""
"""A `python` that is Python, except that it only writes down what pip is told to install."""


@dataclass
class Ran:
    """What a step or a job left: its exit code, and what it said."""

    code: int
    said: str
    summary: str = ""


@dataclass
class Runner:
    """A checked-out repository and the commands that a job has at hand; `environment` is what the service sets."""

    folder: Path
    environment: dict[str, str]
    steps: dict[str, Ran] = field(default_factory=dict)
    """The run steps of the last job by name, without those that were skipped."""

    def __post_init__(self) -> None:
        commands = self.folder.parent / "commands"
        commands.mkdir(exist_ok=True)
        for name, script in (
            ("ratf", f'#!/bin/sh\nexec {sys.executable} -m ratf.cli "$@"\n'),
            ("python", PIP.format(python=sys.executable)),
        ):
            (commands / name).write_text(script, "utf-8")
            (commands / name).chmod(0o755)
        outer = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "CI_", "PYTEST_"))}
        path = f"{commands}:{outer['PATH']}"
        own = {"PATH": path, "PYTHONPATH": str(REPOSITORY), "PIP_SAID": str(self.folder.parent / "pip.txt")}
        self.environment = {**outer, **own, **self.environment}

    def script(self, text: str, environment: dict[str, str], python: bool = False) -> Ran:
        file = self.folder.parent / "script"
        file.write_text(text, "utf-8")
        command = [sys.executable] if python else ["bash", "--noprofile", "--norc", "-eo", "pipefail"]
        run = subprocess.run(
            [*command, str(file)],
            cwd=self.folder,
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return Ran(run.returncode, run.stdout)

    def github(self, name: str, event: str = "pull_request", since: str = "", **changed: str) -> int:
        """Run a job of the workflow, from the step called `since` on; the exit code of the first step that fails."""
        file = yaml.load((self.folder / ".github/workflows/ratf.yml").read_text("utf-8"), yaml.BaseLoader)
        known = {
            "github.event_name": event,
            "github.repository": "jane/replica",
            "github.event.pull_request.head.repo.full_name": "jane/replica",
            "github.event.pull_request.number": "7",
            "github.token": "t0ken",
            "secrets.RATF_CACHE_KEY": "of-the-tests",
        }
        code, begun, self.steps = 0, not since, {}
        for step in file["jobs"][name]["steps"]:
            begun = begun or step.get("name") == since
            if not begun or "run" not in step or not _holds(step.get("if"), known, code):
                continue
            env = {**file["env"], **{k: _filled(v, known) for k, v in step.get("env", {}).items()}, **changed}
            files = {f"GITHUB_{k}": self.folder.parent / k for k in ("OUTPUT", "STEP_SUMMARY")}
            for path in files.values():
                path.write_text("", "utf-8")
            env |= {k: str(v) for k, v in files.items()} | {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": event}
            ran = self.script(step["run"], env, step.get("shell") == "python")
            ran.summary = files["GITHUB_STEP_SUMMARY"].read_text("utf-8")
            for line in files["GITHUB_OUTPUT"].read_text("utf-8").splitlines():
                key, _, value = line.partition("=")
                known[f"steps.{step['id']}.outputs.{key}"] = value
            self.steps[step["name"]] = ran
            code = code or ran.code
        return code

    def gitlab(self, name: str, source: str = "merge_request_event", since: int = 0, **changed: str) -> Ran:
        """Run a job of the pipeline, or of its script what comes from entry `since` on."""
        file = yaml.safe_load((self.folder / ".gitlab-ci.yml").read_text("utf-8"))
        job = file[name]
        job = {**file.get(job.get("extends"), {}), **job}
        own = {"CI_PROJECT_DIR": str(self.folder), "CI_PIPELINE_SOURCE": source}
        env = {k: str(v).replace("$CI_PROJECT_DIR", str(self.folder)) for k, v in file["variables"].items()}
        lines = [*job.get("before_script", []), *job["script"]] if not since else job["script"][since:]
        return self.script("\n".join(lines), {**own, **env, **changed})


def _filled(text: str, known: dict[str, str]) -> str:
    """The text with the values of its expressions; what nobody has set is empty."""
    return re.sub(r"\$\{\{ ([\w.\-]+) \}\}", lambda said: known.get(said[1], ""), text)


def _holds(condition: str | None, known: dict[str, str], failed: int) -> bool:
    """What GitHub makes of `if`: after a failure, only what asks for it."""
    if condition is None:
        return not failed
    plain = condition.removeprefix("${{").removesuffix("}}").strip()
    python = re.sub(r"(?<!')\b(?:github|steps)\.[\w.\-]+", lambda said: repr(known.get(said[0], "")), plain)
    python = python.replace("!cancelled()", "True").replace("&&", "and")
    return bool(eval(python)) and ("!cancelled()" in plain or not failed)


@dataclass
class Remarks:
    """GitHub's comments and GitLab's notes, on loopback."""

    url: str = ""
    there: list[dict[str, Any]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)

    def add(self, body: str, own: bool = True) -> None:
        login, author = ("github-actions[bot]", 1) if own else ("jane", 2)
        self.there.append({"id": len(self.there) + 1, "body": body, "user": {"login": login}, "author": {"id": author}})

    @contextmanager
    def running(self) -> Iterator["Remarks"]:
        remarks = self

        class Handler(BaseHTTPRequestHandler):
            def reply(self, answer: object) -> None:
                remarks.tokens.add(self.headers.get("Authorization") or self.headers["PRIVATE-TOKEN"])
                content = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def body(self) -> str:
                return str(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"])

            def do_GET(self) -> None:
                if self.path == "/user":
                    return self.reply({"id": 1})
                assert self.path.startswith(
                    ("/repos/jane/replica/issues/7/comments?", "/projects/5/merge_requests/7/notes?")
                )
                page = int(self.path.partition("&page=")[2])
                return self.reply(remarks.there[100 * (page - 1) : 100 * page])

            def do_POST(self) -> None:
                assert self.path in ("/repos/jane/replica/issues/7/comments", "/projects/5/merge_requests/7/notes")
                remarks.add(self.body())
                self.reply({})

            def do_PATCH(self) -> None:
                assert self.path.startswith(
                    ("/repos/jane/replica/issues/comments/", "/projects/5/merge_requests/7/notes/")
                )
                remarks.there[int(self.path.rpartition("/")[2]) - 1]["body"] = self.body()
                self.reply({})

            do_PUT = do_PATCH

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        yield self
        server.shutdown()
        server.server_close()
