"""A whole run of the full grid, on a base model too small to say anything."""

import json
from pathlib import Path

import pytest
from commands import Command

from ratf.results.results import load
from ratf.suite.arms import ARMS


@pytest.mark.slow
def test_the_full_grid_runs_and_attributes(
    ratf: Command, light_cache: Path, tiny: Path, tiny_base: Path, tmp_path: Path
) -> None:
    text = tiny.read_text().replace(
        "models: {grader: local/smollm2-135m-instruct}", f"models: {{base: local/{tiny_base}}}"
    )
    text = text.replace("layers: 2, rank: 4", "rank: 2")
    tiny.write_text(f"{text}grid: full\ncontrols: [real, impostor_near]\nmetrics: [style_identity, rouge_l]\n", "utf-8")
    out = tmp_path / "out"
    run = ratf("run", tiny, "--out", out)
    assert (out / "report.html").is_file(), run.stderr
    results = load(out / "results.json")
    arms = [name for name, arm in results.arms.items() if arm.kind == "arm"]
    assert arms == list(ARMS) and not any(arm.errors for arm in results.arms.values())
    assert len(list((light_cache / "adapters").glob("[!.]*"))) == 2 and len(results.tuned) == 2, (
        "twelve arms share two adapters"
    )
    assert len({arm.model for name, arm in results.arms.items() if name in ARMS}) == 3

    shown = {arm: {q.id: q.answers[arm].memories for q in results.questions} for arm in ARMS}
    assert shown["raft"] == shown["finetune_own"] == shown["rag_only"] and not any(shown["raft_none"].values())
    assert any(shown["raft_shuffled"].values()) and shown["raft_shuffled"] == shown["rag_shuffled"]
    for question in results.questions:
        for arm in ARMS:
            assert all(m["date"] < str(question.date) for m in shown[arm][question.id])
        own = [m["text"] for m in shown["raft"][question.id]]
        assert not set(own) & {m["chunk_id"] for m in shown["raft_shuffled"][question.id]}

    assert results.attribution
    effects = {e.name: e for e in results.attribution.effects if e.metric == "rouge_l"}
    assert len(effects) == 9 and effects["content of memories"].n_questions == 4
    assert effects["content of memories"].n_interviews == 2 and effects["content of memories"].low is not None
    assert any("Shuffled memories: " in note for note in results.notes)
    assert 'id="h-attribution"' in (out / "report.html").read_text("utf-8")
    assert json.loads((out / "memories-impostor.json").read_text())
    again = ratf("run", tiny, "--out", out)
    assert "nothing to do" in again.stdout
