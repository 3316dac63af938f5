"""What cannot be measured is told before anything is spent: by `raft check`, `ratf plan` and `ratf run` alike."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from planted_judges import DEMO
from typer.testing import CliRunner

import raft.cli
import ratf.cli

SUITE = """\
name: told
person: marrack
impostors: [pell]
split: {held_out_interviews: 3, questions: 6}
arms: [baseline, rag_only]
controls: [real, same_near, impostor_near]
metrics: [rouge_l, embedding_cosine]
primary: {metric: rouge_l, better: rag_only, than: baseline}
contamination: false
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    for person in ("marrack", "pell"):
        shutil.copytree(DEMO.parent / person, tmp_path / person)
    path = tmp_path / "suite.yaml"
    path.write_text(SUITE)
    return path


def every_line(path: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    lines = [json.dumps(change(json.loads(line))) for line in path.read_text("utf-8").splitlines()]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def told(suite: Path) -> list[str]:
    """What the three commands say."""
    ask, person = CliRunner().invoke, str(suite.parent / "marrack")
    plan = ask(ratf.cli.app, ["plan", str(suite)])
    run = ask(ratf.cli.app, ["run", str(suite), "--out", str(suite.parent / "run")])
    assert plan.exit_code == run.exit_code == 2 and not (suite.parent / "run" / "memories.json").exists()
    assert "Traceback" not in plan.output + run.output
    return [out.stdout + out.stderr for out in (ask(raft.cli.app, ["check", person]), plan, run)]


def test_blank_writings(suite: Path) -> None:
    every_line(suite.parent / "marrack" / "writings.jsonl", lambda r: r | {"text": "\u200b … \u2060"})
    assert all("writings.jsonl:1: text: has no word" in " ".join(said.split()) for said in told(suite))


def test_dates_in_the_far_future(suite: Path) -> None:
    every_line(suite.parent / "marrack" / "interviews.jsonl", lambda r: r | {"date": "9999-12-31"})
    assert all(
        "interviews.jsonl:1: date: 9999-12-31 is in the future" in " ".join(said.split()) for said in told(suite)
    )


def test_writings_that_are_all_newer_than_the_interviews(suite: Path) -> None:
    every_line(suite.parent / "marrack" / "writings.jsonl", lambda r: r | {"date": "2026-01-31"})
    check, plan, run = told(suite)
    assert all("writings is older than the interview of" in said for said in (check, plan, run))
    assert "The arms that need it: rag_only" in plan and plan.splitlines()[-1] == run.splitlines()[-1]


def test_no_usable_exchange(suite: Path) -> None:
    def short(record: dict[str, Any]) -> dict[str, Any]:
        return record | {"turns": [t | {"text": "Yes."} if t["role"] == "target" else t for t in record["turns"]]}

    every_line(suite.parent / "marrack" / "interviews.jsonl", short)
    check, plan, run = told(suite)
    assert "warning: " in check and "no usable exchange" in check
    assert all("usable exchanges" in said for said in (plan, run))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("models: {base: nosuch-provider/model-9000}", "Inspect has no provider 'nosuch-provider'"),
        ("models: {base: local/nosuch-model}", "no embedded chat model is called 'nosuch-model'"),
        ("models: {embedder: local/nosuch-model}", "nosuch-model"),
        ("memories: {rephraser: nosuch-provider/m}", "Inspect has no provider 'nosuch-provider'"),
    ],
)
def test_unknown_models_are_refused_with_the_suites_line(suite: Path, line: str, says: str) -> None:
    suite.write_text(f"{SUITE}{line}\n")
    _, plan, run = told(suite)
    number = len(SUITE.splitlines()) + 1
    for said in (plan, run):
        assert says in said and f"suite.yaml:{number}" in said


def test_an_unknown_metric_is_refused_with_the_suites_line(suite: Path) -> None:
    suite.write_text(SUITE.replace("[rouge_l, embedding_cosine]", "[rouge_l, rouge_9000]"))
    _, plan, run = told(suite)
    assert all("rouge_9000" in said and "suite.yaml:7" in said for said in (plan, run))


def test_a_plan_knows_inspects_providers_without_loading_it() -> None:
    """It has moved, where the list is not that of Inspect's own file."""
    import re

    from inspect_ai.model._providers import providers

    from ratf.models.known import PROVIDERS

    assert (
        set(re.findall(r'@modelapi\(\s*name="([^"]+)"', Path(str(providers.__file__)).read_text("utf-8"))) == PROVIDERS
    )
