import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import Command

HEAVY = ["torch", "transformers", "inspect_ai", "chromadb", "scipy", "sklearn", "pandas"]


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys, ratf, ratf.cli\n"
        "try: ratf.cli.app(['--help'])\n"
        "except SystemExit: pass\n"
        f"print('LOADED', [m for m in {HEAVY} if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.endswith("LOADED []\n")


def test_models_are_listed(ratf: Command, models: Path) -> None:
    run = ratf("models")
    assert run.returncode == 0
    for line in ("local/smollm2-135m-instruct", "local/all-minilm-l6-v2"):
        assert any(
            text.startswith(line) and "Apache-2.0" in text and "here" in text for text in run.stdout.splitlines()
        )


def test_init_copies_and_never_overwrites(ratf: Command, tmp_path: Path) -> None:
    assert ratf("init", tmp_path / "demo").returncode == 0
    assert (tmp_path / "demo" / "demo.yaml").is_file() and (tmp_path / "demo" / "marrack" / "writings.jsonl").is_file()
    again = ratf("init", tmp_path / "demo")
    assert again.returncode == 2 and "there already" in again.stderr


def test_a_core_install_says_what_is_missing(tiny: Path, tmp_path: Path) -> None:
    program = f"import sys\nsys.modules['torch'] = None\nimport ratf.cli\nratf.cli.app(['run', {str(tiny)!r}])"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert run.returncode == 2 and "pip install 'FOLDER[local]'" in run.stderr


@pytest.mark.parametrize(
    ("line", "change", "says"),
    [
        (2, "{broken", "interviews.jsonl:2: not JSON"),
        (2, {"turns": None}, "interviews.jsonl:2: turns: is missing"),
        (2, {"turns": [{"speaker": "x", "role": "host", "text": "y"}]}, "'interviewer', 'target' or 'other'"),
        (3, {"date": "soon"}, "interviews.jsonl:3: date: 'soon' is not a date"),
        (3, {"date": None}, "interviews.jsonl:3: date is missing"),
        (3, {"turns": [{"speaker": "x", "role": "target", "text": ""}]}, "interviews.jsonl:3: turns[0].text: is empty"),
        (
            3,
            {"interview_id": "marrack-2010-09"},
            "interviews.jsonl:3: interview_id 'marrack-2010-09' is taken by line 1",
        ),
    ],
)
def test_bad_data_stops_before_anything_is_written(
    ratf: Command, edit_line: Callable[..., None], tiny: Path, tmp_path: Path, line: int, change: object, says: str
) -> None:
    edit_line(tiny.parent / "marrack" / "interviews.jsonl", line, change)
    run = ratf("run", tiny, "--out", tmp_path / "out")
    assert (run.returncode, run.stdout) == (2, "")
    assert says in run.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("impostors: [pell]", "impostors: [pell, nobody]", "the impostor 'nobody' has no folder"),
        ("held_out_interviews: 2", "held_out_interviews: 6", "marrack has 6 dated interviews"),
        ("seed: 3", "arms: [baseline, rag]", "no arm is called 'rag'"),
        ("seed: 3", "metrics: [bleu]", "no metric is called 'bleu'"),
        ("local/smollm2-135m-instruct", "local/gpt-9", "no embedded chat model is called 'gpt-9'"),
        ("seed: 3", "sede: 3", "tiny.yaml:9: sede: is not a known key"),
    ],
)
def test_a_bad_suite_stops_before_anything_is_written(
    ratf: Command, tiny: Path, tmp_path: Path, old: str, new: str, says: str
) -> None:
    tiny.write_text(tiny.read_text().replace(old, new))
    run = ratf("run", tiny, "--out", tmp_path / "out")
    assert (run.returncode, run.stdout) == (2, "")
    assert says in run.stderr
    assert not (tmp_path / "out").exists()
