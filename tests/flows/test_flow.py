"""Whole runs of a tiny suite on the embedded models."""

import json
import pickle
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from browser import axe, launched, opened, overflow
from commands import Command, begin, command
from inspect_ai.log import list_eval_logs, read_eval_log
from places import REPOSITORY

from ratf.suite.arms import DIRECTION, DOSES, MADE, NAMED, turned
from ratf.suite.metrics import METRICS

pytestmark = pytest.mark.slow


def statistics(out: Path) -> dict[str, object]:
    """The results without what they say about time and cost."""
    results = json.loads((out / "results.json").read_text())
    return {k: v for k, v in results.items() if k not in ("times", "budget", "environment")}


SEAL = 32
"""The bytes before the pickle, by which the program knows it as its own."""


def generated(cache: Path) -> list[str]:
    """The replies that were generated and kept, by file.

    Inspect writes them in place: a file that it has opened, or that a kill has cut short, is no finished reply.
    """
    return sorted(str(p.relative_to(cache)) for p in (cache / "replies").rglob("*") if p.is_file() and whole(p))


def whole(reply: Path) -> bool:
    try:
        pickle.loads(reply.read_bytes()[SEAL:])
    except (EOFError, pickle.UnpicklingError):
        return False
    return True


def kill_when(tiny: Path, out: Path, ready: Callable[[], bool]) -> None:
    """Start a run and SIGKILL it as soon as `ready` holds."""
    run = begin("ratf.cli", "run", tiny, "--out", out)
    deadline = time.monotonic() + 600
    while not ready():
        assert run.is_alive(), "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    run.kill()
    run.join()


def said_and_kept(out: Path, cache: Path) -> tuple[str, list[bytes], list[str]]:
    """What a run says, its memories and training samples to the byte, and the names of its adapters."""
    samples = sorted((cache / "adapters").glob("*/samples.jsonl"))
    kept = [(out / "memories.json").read_bytes(), *(s.read_bytes() for s in samples)]
    return json.dumps(statistics(out)), kept, [s.parent.name for s in samples]


def test_killed_in_every_phase_it_goes_on_where_it_was_and_ends_with_the_same_bytes(
    ratf: Command, light_cache: Path, light_models: Path, tiny_at_once: Path, tmp_path: Path
) -> None:
    cache, out, tiny = light_cache, tmp_path / "out", tiny_at_once

    def adapters() -> list[Path]:
        return list((cache / "adapters").glob("[!.]*"))

    kill_when(tiny, out, lambda: any((cache / "adapters").glob(".*")))  # tuning the first adapter
    memories = (out / "memories.json").stat().st_mtime_ns
    assert adapters() == [] and not (out / "results.json").exists()

    kill_when(tiny, out, lambda: len(generated(cache)) >= 4)  # answering
    assert (out / "memories.json").stat().st_mtime_ns == memories
    tuned = {p: p.stat().st_mtime_ns for p in adapters()}
    answered = generated(cache)
    assert len(tuned) == 2

    kill_when(tiny, out, lambda: len(generated(cache)) > 16)  # scoring: 4 arms × 4 answers are done, the judge began
    graded = generated(cache)
    assert set(answered) <= set(graded)
    cut = max(graded, key=lambda p: (cache / p).stat().st_mtime_ns)  # what a kill in the middle of writing leaves
    (cache / cut).write_bytes((cache / cut).read_bytes()[:-1])
    before = {p: (cache / p).stat().st_mtime_ns for p in graded if p != cut}

    run = ratf("run", tiny, "--out", out)
    assert (out / "report.html").is_file(), run.stderr
    assert {p: p.stat().st_mtime_ns for p in adapters()} == tuned
    assert {p: (cache / p).stat().st_mtime_ns for p in before} == before, "a finished reply was generated again"
    finished = generated(cache)
    assert set(graded) <= set(finished), "what was cut short is no reply, and is asked for again"
    assert not list(out.rglob("*.part")) and not list(out.glob(".*.eval"))

    ok = [log for log in map(read_eval_log, list_eval_logs(str(out / "logs"))) if log.status == "success"]
    scored = {str((log.eval.metadata or {})["arm"]): len((log.samples or [])[0].scores or {}) for log in ok}
    assert len(ok) == 4 + 16 + 3 + 16  # arms, controls, doses, made for the exams
    # without paraphrases no metric is examined on agreement, so nothing is turned round for one
    assert {*DOSES, *MADE} - scored.keys() == set(turned(*DIRECTION))
    # the embedded judge failed its exam, so it graded nobody; nli needs a model; surprise is for arms alone
    assert {count for arm, count in scored.items() if arm in NAMED} == {len(METRICS.keys() - {"nli"})}
    assert {count for arm, count in scored.items() if arm not in (*NAMED, *MADE)} == {len(METRICS) - 2}
    sizes = {str((log.eval.metadata or {})["arm"]): len(log.samples or []) for log in ok}
    assert {n for arm, n in sizes.items() if arm not in MADE} == {4} and min(sizes.values()) >= 1
    from inspect_ai.analysis import samples_df

    frame = samples_df([log.location for log in ok])
    assert len(frame) == sum(sizes.values()) and "score_style_identity" in frame

    # two interviews are too few for an exam, and what is not admitted gives no verdict
    assert "NOT MEASURED: What it says: not measured, sentence_coverage is not admitted on this person" in run.stdout
    assert (
        ". How it sounds: not measured, style_identity is not admitted on this person" in run.stdout
        and run.returncode == 2
    )
    assert "style_identity     voice" in run.stderr and "not admitted: the AUC's lower end" in run.stderr
    assert {e["metric"]: e["admitted"] for e in statistics(out)["exam"]}["style_identity"] is False  # type: ignore[attr-defined]

    (judge,) = [e["judge"] for e in statistics(out)["exam"] if e["metric"] == "judge_stance"]  # type: ignore[attr-defined]
    assert judge["calls"] > 0 and not judge["grades"] and judge["saved_calls"] == 6 * 4
    assert "judges: the exam takes at most" in run.stderr

    again = ratf("run", tiny, "--out", out)
    assert "nothing to do" in again.stdout and again.returncode == run.returncode
    assert generated(cache) == finished, "a run with nothing to do asked a model"

    results = statistics(out)
    arms = results["arms"]
    assert isinstance(arms, dict) and len(arms) == 20
    assert all(c["n"] + c["unscored"] == 4 for arm in arms.values() for c in arm["metrics"].values())
    assert ratf("leaderboard", out, "--out", tmp_path / "site").returncode == 0
    pages_are_clean([out / "report.html", *(tmp_path / "site").rglob("*.html")], tmp_path)

    peace, afresh = tmp_path / "peace", tmp_path / "afresh"
    afresh.mkdir()
    (afresh / "models").symlink_to(light_models)  # what they make of texts is made again
    ratf("run", tiny, "--out", peace, RATF_CACHE=str(afresh), INSPECT_CACHE_DIR=str(afresh / "replies"))
    assert said_and_kept(peace, afresh) == said_and_kept(out, cache)


def pages_are_clean(pages: list[Path], folder: Path) -> None:
    """Of a real run: axe in both schemes, nothing asked for elsewhere or complained of, no scrolling sideways on a phone."""
    with launched() as browser:
        for path in pages:
            with opened(browser, path, folder, color_scheme="light") as page:
                page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
                axe(page)
                page.emulate_media(color_scheme="dark")
                axe(page, {"type": "rule", "values": ["color-contrast"]})
                page.set_viewport_size({"width": 390, "height": 844})
                assert overflow(page) == [], path


def test_a_question_answered_three_times_from_suite_to_page(
    ratf: Command, light_cache: Path, tiny: Path, tmp_path: Path
) -> None:
    """The plan counts its calls, the page splits the variance, and the bundle is worked out again."""
    text = tiny.read_text("utf-8").replace("max_tokens: 12}", "max_tokens: 12, samples: 3}")
    text = text.replace("memories: {k: 2}", "memories: {k: 2, gate: -1}")  # without one, two arms would ask the same
    text = text.replace(
        "models: {grader: local/smollm2-135m-instruct}\n",
        "metrics: [style_identity, rouge_l, length_ratio, copying]\n",
    )
    tiny.write_text(f"{text}arms: [baseline, rag_only]\nprimary: {{better: rag_only, than: baseline}}\n", "utf-8")
    plan = json.loads(ratf("plan", tiny, "--out", tmp_path / "out", "--json").stdout)
    made = ratf("run", tiny, "--out", tmp_path / "out")
    assert (tmp_path / "out" / "report.html").is_file(), made.stderr
    results = json.loads((tmp_path / "out" / "results.json").read_text("utf-8"))
    assert plan["least"]["calls"] == results["budget"]["roles"]["answers"]["calls"] == 2 * 3 * 4
    logs = [read_eval_log(log) for log in list_eval_logs(str(tmp_path / "out" / "logs"))]
    said = {str((log.eval.metadata or {})["arm"]): [s.output.completion for s in log.samples or []] for log in logs}
    assert len(said["baseline"]) == 12 and len(set(said["baseline"])) > 4, "another seed says something else"
    assert len(said["real"]) == 4
    # what a light model says has no word of the person's, but is now longer, now shorter
    variance = results["arms"]["rag_only"]["metrics"]["length_ratio"]["variance"]
    assert variance["sample"] > 0 and variance["rating"] is None
    assert all(cell["variance"] == {} for cell in results["arms"]["real"]["metrics"].values())
    ratf("bundle", tmp_path / "out", "--out", tmp_path / "run.zip")
    verified = ratf("verify", tmp_path / "run.zip", "--data", tiny.parent)
    assert "spread of the answers to one question" in verified.stdout and verified.returncode == 0, verified
    assert all(line in verified.stdout for line in ("metric rouge_l", "metric style_identity", "metric copying"))
    pages_are_clean([tmp_path / "out" / "report.html"], tmp_path)


@pytest.mark.parametrize("task", ["tasks/interview.py", "ratf/interview"])
def test_inspect_runs_the_task_by_itself(
    light_cache: Path, tmp_path: Path, task: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(REPOSITORY)
    model = ["--model", "local/smollm2-135m-instruct"] if task.endswith(".py") else []
    inspect = command("inspect_ai")
    done = inspect("eval", task, *model, "--limit", 2, "--log-dir", tmp_path, "--display", "none", "--max-tokens", 8)
    assert done.returncode == 0, done.stderr
    (info,) = list_eval_logs(str(tmp_path))
    log = read_eval_log(info)
    assert log.status == "success" and log.eval.model == "local/smollm2-135m-instruct"
    assert log.stats.model_usage["local/smollm2-135m-instruct"].output_tokens > 0
