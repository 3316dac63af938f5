"""A whole run in which a parrot and a yes-sayer stand beside the person."""

import json
from pathlib import Path

import pytest
from commands import Command

from ratf.scores.answers import REASONS

pytestmark = pytest.mark.slow


def test_a_parrot_and_a_yes_sayer_have_no_voice(ratf: Command, cache: Path, tiny: Path, tmp_path: Path) -> None:
    settings = "arms: [baseline, rag_only]\nmetrics: [style_identity, rouge_l]\n"
    settings += "controls: [real, same_near, impostor_near, yes, parrot, salted]\n"
    settings += "primary: {metric: style_identity, better: rag_only, than: baseline}\n"
    tiny.write_text(tiny.read_text("utf-8") + settings, "utf-8")
    out = tmp_path / "out"
    run = ratf("run", tiny, "--out", out)
    assert run.returncode == 2 and "NOT MEASURED: style_identity is not admitted" in run.stdout
    results = json.loads((out / "results.json").read_text("utf-8"))
    voice = {
        arm: [q["answers"][arm]["scores"]["style_identity"] for q in results["questions"]] for arm in results["arms"]
    }
    assert {s["why"] for s in voice["yes"]} == {REASONS["too short"]}
    assert {s["why"] for s in voice["parrot"]} == {REASONS["copied"]}
    assert all(s["value"] is None for s in (*voice["yes"], *voice["parrot"]))
    floor = results["arms"]["impostor_near"]["metrics"]["style_identity"]
    salted = [s["value"] for s in voice["salted"] if s["value"] is not None]
    assert all(value <= max(0.1, floor["high"]) for value in salted)
    assert results["arms"]["real"]["metrics"]["style_identity"]["mean"] > floor["mean"]
    assert results["voice"]["refused"].keys() == REASONS.keys()
    page = (out / "report.html").read_text("utf-8")
    assert "Of the person's real answers they would refuse: empty 0 %" in page
    sources = {q["answers"]["parrot"]["source"] for q in results["questions"]}
    assert len(sources) == 1 and "to every question alike" in sources.pop()

    ratf("bundle", out, "--out", tmp_path / "run.zip")
    verified = ratf("verify", tmp_path / "run.zip", "--data", tiny.parent)
    (line,) = [line for line in verified.stdout.splitlines() if "metric style_identity" in line]
    assert "not made again: not fluent" in line and "differ" not in line
    assert verified.returncode == 0, verified
