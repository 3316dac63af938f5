"""The commands in the order of the README, from a blog to an answer, with nothing on the network but loopback."""

import json
import subprocess
from pathlib import Path

import pytest
from commands import Command
from openai_server import OpenAIServer
from website import Site, Substack

from raft.tuning.jobs import tuned_model

TOPICS = ("the mill", "herons", "the old weir", "the ferry", "wet springs", "the lock", "landlords", "bridges")


def transcript(year: int) -> str:
    """A conversation of a dozen questions, as a newspaper would print it."""
    lines = [f"# A talk by the river\n\n12 May {year}\n"]
    for n in range(12):
        topic = TOPICS[(n + year) % len(TOPICS)]
        lines.append(f"**REPORTER:** What do you make of {topic} these days, question {n}?\n")
        lines.append(
            f"**JANE DOE:** Well, {topic} in {year} and I are old acquaintances, number {n} of many; I would leave most of it "
            f"alone, look twice before the committee does, and ask the water, which has seen {n + 40} such plans.\n"
        )
    return "\n".join(lines)


def say(run: subprocess.CompletedProcess[str]) -> str:
    assert run.returncode == 0, run.stdout + run.stderr
    assert "sk-of-the-tests" not in run.stdout + run.stderr
    return run.stdout


@pytest.mark.slow
def test_from_a_blog_to_an_answering_agent(
    raft: Command, site: Site, openai_server: OpenAIServer, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    blog = Substack(site, posts=6)
    for year in (2021, 2022, 2023, 2024):
        Path(f"talk-{year}.md").write_text(transcript(year), "utf-8")

    assert "6 new" in say(
        raft("fetch", "jane", "--from", site.url, "--kind", "substack", "--called", "Jane Doe", "--pause", 0)
    )
    talks = [f"talk-{year}.md" for year in (2021, 2022, 2023, 2024)]
    assert "4 interviews and 0 writings added" in say(raft("import", *talks, "--to", "jane", "--target", "jane"))
    assert "4 interviews" in say(raft("check", "jane"))
    say(raft("chunk", "jane"))
    say(raft("embed", "jane"))
    say(raft("ft:gen", "jane", "--held-out", 1))
    name = say(raft("ft:run", "jane", "--model", "openai/gpt-4o-mini-2024-07-18")).strip()
    assert name.startswith("openai/ft:gpt-4o-mini") and name == tuned_model(Path("people/jane"))
    say(raft("bench:setup", "jane", "--held-out", 1))
    held_out = [json.loads(line) for line in Path("people/jane/work/benchmark.jsonl").read_text("utf-8").splitlines()]
    assert len(held_out) == 12 and {r["date"] for r in held_out} == {"2024-05-12"}

    answered = raft("ask", "jane", "What do you make of the ferry?")
    assert say(answered).strip()
    assert "remembers (" in answered.stderr and site.url in answered.stderr
    assert len(openai_server.jobs) == 1

    # again: nothing is fetched, embedded, generated or tuned a second time
    blog.publish(7)
    assert "1 new, 6 already there" in say(raft("fetch", "jane", "--pause", 0))
    say(raft("embed", "jane"))
    say(raft("ft:run", "jane", "--model", "openai/gpt-4o-mini-2024-07-18"))
    assert len(openai_server.jobs) == 1
    made = [p for p in Path("people").rglob("*") if p.is_file() and b"sk-of-the-tests" in p.read_bytes()]
    assert made == []
