"""Three paths of a first hour, typed as the documents have them: hosted models without torch, and a blog to a plan."""

import json
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from commands import Command
from hosted import Hosted
from openai_server import Brain, OpenAIServer
from places import REPOSITORY
from without_torch import core

from ratf.results.results import load
from ratf.suite.suite import EMBEDDED_ONLY


class Quick(Brain):
    """A model that replies at once: the service and its client are the real ones, what is said is not what is tested."""

    def __init__(self) -> None:
        self.service = Hosted(
            lambda messages: "A river wants its room, and mud is honest. I said so to the committee, twice."
        )

    def reply(self, path: str, body: bytes) -> tuple[int, bytes]:
        return 200, json.dumps(self.service.answer(path, json.loads(body))).encode()


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[OpenAIServer]:
    with OpenAIServer(Quick()) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-tests")
        monkeypatch.setenv("RATF_CACHE", str(tmp_path / "cache"))
        yield server


def smaller(suite: Path) -> None:
    """Fewer questions and comparisons, for a test's time."""
    settings = yaml.safe_load(suite.read_text("utf-8"))
    settings["split"]["questions"] = 6
    settings["exam"] = {"comparisons": 8}
    suite.write_text(yaml.safe_dump(settings, sort_keys=False), "utf-8")


@pytest.mark.slow
def test_hosted_models_go_from_init_to_a_page_without_torch(service: OpenAIServer, tmp_path: Path) -> None:
    begun = core(tmp_path, "ratf.cli", "init", "replica", "--hosted", "openai/gpt-x")
    assert begun.returncode == 0 and "now: ratf plan replica/hosted.yaml" in begun.stdout, begun.stderr
    suite = tmp_path / "replica" / "hosted.yaml"
    smaller(suite)

    planned = core(tmp_path, "ratf.cli", "plan", suite)
    assert planned.returncode == 0 and "cannot run here" not in planned.stderr, planned.stderr
    assert service.requests == [], "a plan asks nobody"

    ran = core(tmp_path, "ratf.cli", "run", suite)
    assert ran.returncode in (0, 1, 2) and "Traceback" not in ran.stderr, ran.stderr
    assert ran.stdout.splitlines()[-1] == "runs/hosted/report.html", ran.stderr
    assert "Dark colours" in (tmp_path / "runs/hosted/report.html").read_text("utf-8")
    results = load(tmp_path / "runs/hosted/results.json")
    assert not set(EMBEDDED_ONLY) & set(results.metrics) and {"sentence_coverage", "style_identity"} <= set(
        results.metrics
    )
    assert all(arm.errors == 0 for arm in results.arms.values())
    for arm in ("baseline", "rag_only"):
        assert results.arms[arm].metrics["sentence_coverage"].n == 6
    assert not (tmp_path / "cache" / "models").exists(), "84 MB were fetched to count tokens"


def test_what_cannot_run_here_is_told_before_anything_is_spent(service: OpenAIServer, tmp_path: Path) -> None:
    assert core(tmp_path, "ratf.cli", "init", "replica", "--hosted", "openai/gpt-x").returncode == 0
    suite = tmp_path / "replica" / "hosted.yaml"
    suite.write_text(suite.read_text("utf-8") + "metrics: [bertscore, sentence_coverage, style_identity]\n", "utf-8")
    ran = core(tmp_path, "ratf.cli", "run", suite)
    assert (
        ran.returncode == 2
        and "torch is not installed here, and the suite needs it for metrics bertscore" in ran.stderr
    )
    assert "pip install 'FOLDER[local]'" in ran.stderr and service.requests == []
    planned = core(tmp_path, "ratf.cli", "plan", suite)
    assert planned.returncode == 0 and "this cannot run here" in planned.stderr and "bertscore" in planned.stderr


def test_a_plan_names_the_package_of_a_provider_that_is_not_installed(tmp_path: Path) -> None:
    assert core(tmp_path, "ratf.cli", "init", "replica", "--hosted", "groq/llama-x").returncode == 0
    if find_spec("groq"):
        pytest.skip("groq is installed here")
    planned = core(tmp_path, "ratf.cli", "plan", "replica/hosted.yaml")
    assert planned.returncode == 0, planned.stderr
    assert "this cannot run here: replica/hosted.yaml:" in planned.stderr
    assert "groq/llama-x needs the package groq: pip install groq" in planned.stderr
    ran = core(tmp_path, "ratf.cli", "run", "replica/hosted.yaml", OPENAI_API_KEY="sk-of-the-tests")
    assert ran.returncode == 2 and "pip install groq" in ran.stderr and "Traceback" not in ran.stderr


def test_init_adds_a_hosted_suite_to_a_folder_of_people(service: OpenAIServer, tmp_path: Path) -> None:
    people = tmp_path / "people"
    for name, source in (("jane", "marrack"), ("ada", "pell")):
        (people / name).mkdir(parents=True)
        for file in ("person.yaml", "interviews.jsonl"):
            (people / name / file).write_bytes((REPOSITORY / "benchmarks" / source / file).read_bytes())
    lonely = core(tmp_path, "ratf.cli", "init", "people", "--hosted", "openai/gpt-x")
    assert lonely.returncode == 2 and "nobody in people has writings" in lonely.stderr
    (people / "jane" / "writings.jsonl").write_bytes((REPOSITORY / "benchmarks/marrack/writings.jsonl").read_bytes())

    assert core(tmp_path, "ratf.cli", "init", "people", "--hosted", "openai/gpt-x").returncode == 0
    suite = yaml.safe_load((people / "hosted.yaml").read_text("utf-8"))
    assert (suite["person"], suite["impostors"], suite["split"]["held_out_interviews"]) == ("jane", ["ada"], 6)
    planned = core(tmp_path, "ratf.cli", "plan", people / "hosted.yaml")
    assert planned.returncode == 0 and "This run can show a difference of" in planned.stdout, planned.stderr
    again = core(tmp_path, "ratf.cli", "init", "people", "--hosted", "openai/gpt-x")
    assert again.returncode == 2 and "not overwritten" in again.stderr
    wrong = core(tmp_path, "ratf.cli", "init", "new", "--hosted", "gpt-x")
    assert wrong.returncode == 2 and "write provider/model" in wrong.stderr and not (tmp_path / "new").exists()


def transcript(source: str, name: str, folder: Path) -> list[str]:
    """The interviews of a demo person as text files with labels, under another name."""
    folder.mkdir()
    files = []
    for line in (REPOSITORY / "benchmarks" / source / "interviews.jsonl").read_text("utf-8").splitlines()[-12:]:
        talk = json.loads(line)
        said = [f"{name if t['role'] == 'target' else 'Host'}: {' '.join(t['text'].split())}" for t in talk["turns"]]
        path = folder / f"{talk['date']}-{talk['interview_id']}.txt"
        path.write_text("\n\n".join([f"# {talk['title']}", talk["date"], *said]), "utf-8")
        files.append(str(path))
    return files


def test_a_blog_becomes_a_plan_by_typing_what_the_readme_says(
    raft: Command, ratf: Command, tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ada, the impostor, has no writings: the README gives her none."""
    blog = tmp_path / "blog"
    blog.mkdir()
    for line in (REPOSITORY / "benchmarks/marrack/writings.jsonl").read_text("utf-8").splitlines():
        post = json.loads(line)
        head = f"---\ntitle: {post['title']}\ndate: {post['date']}\n---\n"
        (blog / f"{post['doc_id']}.md").write_text(head + post["text"], "utf-8")
    talks, others = (
        transcript("marrack", "Jane Doe", tmp_path / "talks"),
        transcript("pell", "Ada Lovelace", tmp_path / "others"),
    )

    def typed(command: Command, *words: str) -> str:
        done = command(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    monkeypatch.chdir(tmp_path)
    typed(raft, "fetch", "jane", "--from", "blog/", "--called", "Jane Doe")
    typed(raft, "import", *talks, "--to", "jane", "--target", "doe")
    typed(raft, "import", *others, "--to", "ada", "--target", "lovelace")
    typed(raft, "check", "jane")
    assert "clean:" in typed(raft, "leaks", "jane")
    made = typed(raft, "bench:setup", "jane")
    assert "of 6 interviews" in made and "That is few" not in made
    assert re.search(r"ratf run people/jane/work/suite.yaml --data people", made)
    plan = typed(ratf, "plan", "people/jane/work/suite.yaml", "--data", "people")
    assert plan.splitlines()[-1].startswith("This run can show a difference of")
