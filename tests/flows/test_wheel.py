"""The wheel: built from the source distribution, put elsewhere, and run without this checkout."""

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from commands import command as forked
from places import REPOSITORY

pytestmark = pytest.mark.slow
NAMES = """\
import ratf
print(ratf.__file__)
study = ratf.open_study("demo")
print(study.person.key, len(study.held_out))
from ratf._registry import interview
from inspect_ai._util.registry import registry_info, registry_lookup
print(registry_info(interview).name, bool(registry_lookup("task", "ratf/interview")),
      bool(registry_lookup("scorer", "ratf/rouge_l")), bool(registry_lookup("modelapi", "ratf/local")))
"""


def test_the_wheel_works_in_an_empty_folder(
    light_cache: Path, tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tmp_path / "dist"), str(REPOSITORY)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path / "site-packages")
    assert {n.partition("/")[0] for n in names if ".dist-info/" not in n} == {"raft", "ratf"}
    empty = tmp_path / "empty"
    empty.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site-packages"), "PYTHONSAFEPATH": "1"}

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        run = [sys.executable, "-m", "ratf.cli", *arguments]
        return subprocess.run(run, cwd=empty, env=environment, capture_output=True, text=True)

    named = subprocess.run([sys.executable, "-c", NAMES], cwd=empty, env=environment, capture_output=True, text=True)
    where, read, known = named.stdout.splitlines()
    assert where.startswith(str(tmp_path / "site-packages"))
    assert (read, known) == ("marrack 36", "ratf/interview True True True"), named.stderr
    assert list(empty.iterdir()) == []
    assert {"raft/py.typed", "ratf/py.typed"} <= set(names)
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert command("--version").stdout == f"ratf {version}\n"
    assert command("init", "demo", "--ci", "github").returncode == 0
    assert (empty / "demo" / ".github" / "workflows" / "ratf.yml").is_file()
    suite = empty / "demo" / "demo.yaml"
    small = suite.read_text().replace("questions: 36", "questions: 6\n  training_exchanges: 6")
    small = small.replace("layers: 12 ", "layers: 1 ").replace("max_tokens: 112", "max_tokens: 8")
    for role in ("base", "grader"):
        small = small.replace(f"{role}: local/smollm2-135m-instruct", f"{role}: local/{tiny_base}")
    suite.write_text(f"{small}exam: {{comparisons: 8}}\narms: [baseline, raft]\ncontamination: false\n")
    monkeypatch.chdir(empty)
    # forked with the libraries read already; the project is read anew, from the wheel
    run = forked("ratf.cli")("run", "demo/demo.yaml", PYTHONPATH=environment["PYTHONPATH"])
    assert (empty / "runs" / "demo" / "report.html").is_file(), run.stderr
    assert run.stdout.splitlines()[-1] == "runs/demo/report.html"
