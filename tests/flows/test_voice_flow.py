"""A whole run in which everything that says nothing stands beside the person, and a stranger."""

import json
import shutil
from pathlib import Path

import pytest
from commands import Command

from ratf.content import content
from ratf.scores.style.answers import REASONS

pytestmark = pytest.mark.slow


NOTHING = ("yes", "dont_know", "echo", "parrot", "babble", "evidence_words", "salted")


def test_what_says_nothing_has_no_voice(ratf: Command, cache: Path, tiny_at_once: Path, tmp_path: Path) -> None:
    settings = "arms: [baseline, rag_only]\nmetrics: [style_identity, surprise, rouge_l]\n"
    settings += f"controls: [real, same_near, impostor_near, stranger_near, {', '.join(NOTHING)}]\nstrangers: [rudge]\n"
    settings += "primary: {metric: style_identity, better: rag_only, than: baseline}\n"
    shutil.copytree(content("benchmarks", "rudge"), tiny_at_once.parent / "rudge")
    tiny_at_once.write_text(tiny_at_once.read_text("utf-8") + settings, "utf-8")
    out = tmp_path / "out"
    run = ratf("run", tiny_at_once, "--out", out)
    assert run.returncode == 2 and "NOT MEASURED: style_identity is not admitted" in run.stdout
    results = json.loads((out / "results.json").read_text("utf-8"))
    voice = {
        arm: [q["answers"][arm]["scores"]["style_identity"] for q in results["questions"]] for arm in results["arms"]
    }
    for control, check in {
        "yes": "too short",
        "dont_know": "too short",
        "echo": "too short",
        "evidence_words": "too short",
        "parrot": "copied",
        "babble": "pieced together",
    }.items():
        assert {(s["value"], s["why"]) for s in voice[control]} == {(None, REASONS[check])}, control
    means = {arm: cells["metrics"]["style_identity"]["mean"] for arm, cells in results["arms"].items()}
    floor, ceiling = means["impostor_near"], means["same_near"]
    assert means["real"] > floor
    assert means["salted"] is None or (means["salted"] - floor) / (ceiling - floor) <= 0.2
    smooth = [q["answers"]["baseline"]["scores"]["surprise"] for q in results["questions"]]
    assert all(s["value"] is None and s["why"] for s in smooth), "40 words are too few to be read"
    assert results["strangers"] == {"rudge": "Bettany Rudge"} and results["voice"]["strangers"]["n"] > 0
    assert results["voice"]["refused"].keys() == REASONS.keys()
    page = (out / "report.html").read_text("utf-8")
    assert "Of the person's real answers, the checks would refuse: empty 0 %" in page and "(Bettany Rudge)" in page
    sources = {q["answers"]["parrot"]["source"] for q in results["questions"]}
    assert len(sources) == 1 and "to every question alike" in sources.pop()

    ratf("bundle", out, "--out", tmp_path / "run.zip")
    verified = ratf("verify", tmp_path / "run.zip", "--data", tiny_at_once.parent)
    (line,) = [line for line in verified.stdout.splitlines() if "metric style_identity" in line]
    assert "not made again: not fluent" in line and "differ" not in line
    assert "surprise" in verified.stdout and verified.returncode == 0, verified
