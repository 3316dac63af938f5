"""`import ratf` and `import raft`, as a notebook uses them."""

import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from places import REPOSITORY
from planted import make

import raft
import ratf
from raft.errors import RaftError
from ratf.commands.sharing.leaderboard import leaderboard as board_command
from ratf.results.bundle import write_bundle
from ratf.results.results import Results, save

HEAVY = ["torch", "transformers", "inspect_ai", "chromadb", "scipy", "sklearn", "pandas"]
WORSE, BETTER = [0.2, 0.3, 0.25, 0.4] * 3, [0.7, 0.8, 0.75, 0.6] * 3


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a finished run that never was."""
    save(planted_results(), tmp_path / "run" / "results.json")
    return tmp_path / "run"


def planted_results(**changes: object) -> Results:
    interviews = [f"i{n}" for n in range(6) for _ in range(2)]
    about = {
        "person": "marrack",
        "impostors": ["pell"],
        "models": {"base": "local/b", "embedder": "local/e", "grader": "openai/g"},
    }
    scores = {"raft": {"style_identity": BETTER}, "baseline": {"style_identity": WORSE}}
    return make(scores, interviews, about, **changes)


def test_importing_loads_nothing_heavy() -> None:
    program = f"import sys, raft, ratf\ndir(raft), dir(ratf)\nprint([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("package", [raft, ratf])
def test_every_name_is_there_and_documented(package: object) -> None:
    names = package.__all__  # type: ignore[attr-defined]
    assert set(names) <= set(dir(package))
    for name in names:
        found = getattr(package, name)
        assert found.__name__ == name and (inspect.getdoc(found) or "").strip().endswith(".")


@pytest.mark.parametrize("package", [raft, ratf])
def test_an_unknown_name_is_an_attribute_error(package: object) -> None:
    with pytest.raises(AttributeError, match="no attribute 'opne_study'"):
        package.opne_study  # type: ignore[attr-defined] # noqa: B018


def test_a_shipped_suite_opens_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    study = ratf.open_study("demo")
    assert (study.person.key, len(study.held_out)) == ("marrack", 36)
    assert len(repr(study)) < 200 and len(repr(study.person)) < 200
    assert list(tmp_path.iterdir()) == []


def test_a_plan_reads_prices_and_an_earlier_run(tiny: Path, run: Path, tmp_path: Path) -> None:
    study = ratf.open_study(tiny, out=tmp_path / "out")
    plain = ratf.plan(study)
    assert plain.questions == 4 and plain.least.calls > 0
    (tmp_path / "prices.yaml").write_text("local/b: {input: 1}\n", "utf-8")
    assert ratf.plan(study, prices=tmp_path / "prices.yaml", earlier=str(run)).least.calls == plain.least.calls
    with pytest.raises(RaftError, match="no such file"):
        ratf.plan(study, earlier=tmp_path / "nothing")


def test_a_run_is_loaded_from_folder_file_and_bundle(run: Path, tmp_path: Path) -> None:
    write_bundle(run, planted_results(), None, tmp_path / "run.ratf")
    for place in (run, str(run), run / "results.json", tmp_path / "run.ratf"):
        assert ratf.load(place) == planted_results()
    (run / "stopped.txt").write_text("stopped at its limit", "utf-8")
    with pytest.raises(RaftError, match="stopped at its limit"):
        ratf.load(run)


def test_a_check_takes_results_folders_and_files(run: Path, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("critical:\n  - raft better than baseline on style.identity\n", "utf-8")
    save(planted_results(digest="before"), tmp_path / "before" / "results.json")
    assert ratf.check(run) == ratf.check(planted_results())
    checked = ratf.check(run, policy=policy, baseline=tmp_path / "before")
    assert (checked.verdict, checked.exit_code) == ("PASS", 0) and checked.against == str(tmp_path / "before")
    assert ratf.check(run, policy=str(policy), baseline=planted_results()).rules == checked.rules
    assert {f.name for f in run.iterdir()} == {"results.json"}, "a check wrote something"


def test_a_report_needs_a_place(run: Path, tmp_path: Path) -> None:
    assert ratf.report(run) == run / "report.html"
    assert ratf.report(planted_results(), tmp_path / "page.html").read_bytes() == (run / "report.html").read_bytes()
    assert ratf.report(run, redact=True) == run / "report.redacted.html"
    with pytest.raises(RaftError, match="the page needs a place"):
        ratf.report(planted_results())
    with pytest.raises(RaftError, match="--public wrote nothing"):
        ratf.report(run, tmp_path / "public.html", public=True)
    assert not (tmp_path / "public.html").exists()


def test_a_leaderboard_is_an_object_and_with_a_folder_a_site(run: Path, tmp_path: Path) -> None:
    board = ratf.leaderboard([run])
    assert len(board.runs) == 1 and len(board.systems) == 2
    assert ratf.leaderboard([planted_results()], tmp_path / "site") == board
    assert json.loads((tmp_path / "site" / "leaderboard.json").read_text("utf-8")) == board.model_dump(mode="json")
    (page,) = (tmp_path / "site" / "runs").glob("*.html")
    assert page.stem == board.runs[0].id
    board_command([run], tmp_path / "other")
    assert {p.name: p.read_bytes() for p in (tmp_path / "other").rglob("*.html")} == {
        p.name: p.read_bytes() for p in (tmp_path / "site").rglob("*.html")
    }


@pytest.mark.slow
def test_the_documentation_shows_what_is_there_with_its_types(tmp_path: Path) -> None:
    section = (REPOSITORY / "docs" / "python.md").read_text("utf-8")
    shown = re.findall(r"```python\n(.*?)```", section, re.DOTALL)[0]
    assert all(
        f"{package.__name__}.{name}" in shown for package in (raft, ratf) for name in package.__all__ if name.islower()
    )
    kinds = {
        "study": "ratf.Study",
        "results": "ratf.Results",
        "page": "Path",
        "reply.text": "str",
        "model": "str | None",
    }
    typed = "".join(f"\n_{i}: {kind} = {value}" for i, (value, kind) in enumerate(kinds.items()))
    (tmp_path / "shown.py").write_text(f"from pathlib import Path\n{shown}{typed}\n", "utf-8")
    (tmp_path / "wrong.py").write_text(
        "import ratf\nratf.open_stduy('demo')\nwrong: int = ratf.open_study('demo')\n", "utf-8"
    )
    options = [
        "--strict",
        f"--config-file={REPOSITORY / 'pyproject.toml'}",
        f"--cache-dir={REPOSITORY / '.mypy_cache'}",
    ]
    command = [sys.executable, "-m", "mypy", *options, "shown.py", "wrong.py"]
    environment = {**os.environ, "MYPYPATH": str(REPOSITORY)}
    told = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True).stdout.splitlines()
    assert [line.partition(": error: ")[2] for line in told if ": error: " in line and line.startswith("wrong.py")] == [
        'Module has no attribute "open_stduy"; maybe "open_study"?  [attr-defined]',
        'Incompatible types in assignment (expression has type "Study", variable has type "int")  [assignment]',
    ]
    assert not [line for line in told if line.startswith("shown.py")] and "in 1 file (checked 2" in told[-1], told
