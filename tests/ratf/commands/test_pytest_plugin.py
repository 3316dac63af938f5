"""The plugin in a pytest of its own, as a user's project has it."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from junitparser import JUnitXml
from places import REPOSITORY
from planted import make

from ratf.results.results import save
from ratf.suite.study import open_study

POLICY = """\
critical: [raft better than baseline on style.identity]
advisory: [baseline better than raft on style.identity]
"""


def pytest_in(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "ratf.pytest_plugin", "-p", "no:cacheprovider", *arguments]
    outer = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    alone = {**outer, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run([*command, "--junitxml", "junit.xml"], cwd=folder, capture_output=True, text=True, env=alone)


def a_project(folder: Path, drop: float) -> None:
    """A project with a finished run and a test of it."""
    style = np.linspace(0.3, 0.9, 60)
    noise = np.random.default_rng(0).normal(0, 0.05, 60)
    arms = {"raft": {"style_identity": style - drop + noise}, "baseline": {"style_identity": style}}
    folder.mkdir(exist_ok=True)
    save(make(arms, [f"i{g}" for g in range(6) for _ in range(10)]), folder / "run" / "results.json")
    (folder / "policy.yaml").write_text(POLICY, "utf-8")
    (folder / "test_replica.py").write_text(
        'def test_replica(ratf):\n    ratf.read("run").check("policy.yaml")\n', "utf-8"
    )


@pytest.mark.skipif(not hasattr(pytest, "Subtests"), reason="pytest has subtests from version 9 on")
@pytest.mark.parametrize(("drop", "code"), [(-0.2, 0), (0.2, 1)])
def test_each_rule_is_a_subtest(tmp_path: Path, drop: float, code: int) -> None:
    a_project(tmp_path, drop)
    (tmp_path / "test_others.py").write_text("def test_one(): pass\ndef test_two(): pass\n", "utf-8")
    run = pytest_in(tmp_path, "-v", "-rA")
    assert run.returncode == code, run.stdout + run.stderr
    better, other = (
        f"[{rule} on style.identity]" for rule in ("raft better than baseline", "baseline better than raft")
    )
    assert f"SUB{'FAILED' if code else 'PASSED'}{better}" in run.stdout
    assert code or f"SUBSKIPPED{other}" in run.stdout
    percentages = [int(found) for found in re.findall(r"\[ *(\d+)%\]", run.stdout)]
    assert percentages == sorted(percentages) and percentages[-1] == 100 and {33, 66} <= set(percentages)
    cases = {case.get("name"): case for case in ElementTree.parse(tmp_path / "junit.xml").iter("testcase")}
    assert cases.keys() == {"test_replica", "test_one", "test_two"}
    told = {str(p.get("name")): str(p.get("value")) for p in cases["test_replica"].iter("property")}
    assert told["ratf: errors 0"] == "PASS"
    assert told[f"ratf: {better[1:-1]}"].startswith("REGRESSION: raft is worse" if code else "PASS")
    if code:
        assert f"{better[1:-1]}: REGRESSION: raft is worse than baseline: -0." in run.stdout
        assert "Traceback" not in run.stdout


@pytest.mark.parametrize(("drop", "code"), [(-0.2, 0), (0.2, 1)])
def test_each_rule_is_reported_by_itself_before_pytest_9(tmp_path: Path, drop: float, code: int) -> None:
    a_project(tmp_path, drop)
    run = pytest_in(tmp_path, "-v", "-rA", "-p", "no:subtests")
    assert run.returncode == code, run.stdout + run.stderr
    found = {
        case.name: [type(r).__name__ for r in case.result]
        for suite in JUnitXml.fromfile(str(tmp_path / "junit.xml"))
        for case in suite
    }
    better = "test_replica[raft better than baseline on style.identity]"
    other = "test_replica[baseline better than raft on style.identity]"
    fails = ["Failure"] if code else []
    assert found == {
        better: fails, other: [] if code else ["Skipped"], "test_replica": fails,
        "test_replica[errors 0]": [], "test_replica[unscored at most 2 %]": [],
    }  # fmt: skip
    assert f"{better} {'FAILED' if code else 'PASSED'}" in run.stdout
    if code:
        assert "REGRESSION: raft is worse than baseline: -0." in run.stdout and "Traceback" not in run.stdout


@pytest.mark.slow
def test_workers_run_a_suite_once_and_report_each_rule_once(tiny: Path, tmp_path: Path) -> None:
    """Three tests in two processes want the same run; the one that gets the lock carries it out."""
    a_project(tmp_path, -0.2)
    ready = (tmp_path / "run" / "results.json").rename(tmp_path / "ready.json")
    digest = open_study(str(tiny)).digest
    ready.write_text(ready.read_text("utf-8").replace('"digest": "d"', f'"digest": "{digest}"'), "utf-8")
    (tmp_path / "conftest.py").write_text(
        "import pathlib, shutil, time\nimport ratf.runner.run\n"
        "def carry_out(study, *how):\n"
        "    with open('runs.txt', 'a') as file: file.write('run\\n')\n"
        "    time.sleep(0.5)\n"
        "    study.folder.mkdir()\n"
        "    shutil.copy('ready.json', study.folder / 'results.json')\n"
        "    return ratf.runner.run.finished(study)\n"
        "ratf.runner.run.carry_out = carry_out\n"
        "rename = pathlib.Path.replace\n"  # late, so that two that write the verdict meet
        "pathlib.Path.replace = lambda path, to: (time.sleep(0.3), rename(path, to))[1]\n",
        "utf-8",
    )
    (tmp_path / "test_replica.py").write_text(
        "import pytest\n@pytest.mark.parametrize('n', range(3))\n"
        f"def test_replica(ratf, n):\n    ratf.run({str(tiny)!r}, out='out').check('policy.yaml')\n",
        "utf-8",
    )
    run = pytest_in(tmp_path, "-p", "xdist", "-n", "2", "-v")
    assert run.returncode == 0, run.stdout + run.stderr
    assert (tmp_path / "runs.txt").read_text() == "run\n"
    (suite,) = list(JUnitXml.fromfile(str(tmp_path / "junit.xml")))
    if not hasattr(pytest, "Subtests"):
        names = [case.name for case in suite]
        assert len(names) == len(set(names)) == 3 * (1 + 4) and "test_replica[2][unscored at most 2 %]" in names
        return
    assert {case.name for case in suite} == {f"test_replica[{n}]" for n in range(3)}
    assert run.stdout.count("[unscored at most 2 %]") == 3
    assert max(int(found) for found in re.findall(r"\[ *(\d+)%\]", run.stdout)) == 100


@pytest.mark.slow
def test_the_fixture_takes_what_the_function_takes(tiny: Path, tmp_path: Path) -> None:
    """A budget stops the run and fails the test by name; a recording that is not there is bad input."""
    (tmp_path / "conftest.py").write_text(
        "import ratf.runner.run\nfrom ratf.models.budget import OverBudget\n"
        "def carry_out(study, progress, allow_leaks, judge_anyway, limits, prices, tell, give_up_after):\n"
        "    assert allow_leaks and prices['m/x'].input == 2\n"
        "    raise OverBudget(f'over budget: {limits.tokens} tokens')\n"
        "ratf.runner.run.carry_out = carry_out\n",
        "utf-8",
    )
    (tmp_path / "prices.yaml").write_text("m/x: {input: 2}\n", "utf-8")
    (tmp_path / "test_replica.py").write_text(
        "import pytest\nfrom raft.errors import RaftError\nfrom ratf.models.budget import Limits\n"
        "def test_budget(ratf):\n"
        f"    ratf.run({str(tiny)!r}, out='out', limits=Limits(tokens=7), prices='prices.yaml', allow_leaks=True)\n"
        "def test_replay(ratf):\n"
        "    with pytest.raises(RaftError, match='no recording is there'):\n"
        f"        ratf.run({str(tiny)!r}, out='again', replay='nowhere')\n",
        "utf-8",
    )
    with (tmp_path / "test_replica.py").open("a") as file:
        file.write(
            "def test_named(ratf):\n"
            f"    ratf.run({str(tiny)!r}, out='out', budget_tokens=8, prices='prices.yaml', allow_leaks=True)\n"
            "def test_unknown(ratf):\n"
            "    with pytest.raises(TypeError, match='no option budget_eur; there are: allow_leaks, .*workers'):\n"
            f"        ratf.run({str(tiny)!r}, budget_eur=1)\n"
            "def test_many(ratf):\n"
            "    with pytest.raises(RaftError, match='--workers, --shard, --only and --on are for suites'):\n"
            f"        ratf.run({str(tiny)!r}, only=['person=ada'])\n"
        )
    run = pytest_in(tmp_path)
    assert "NOT MEASURED: over budget: 7 tokens" in run.stdout and "2 failed, 3 passed" in run.stdout, run.stdout
    assert "NOT MEASURED: over budget: 8 tokens" in run.stdout
    run = pytest_in(tmp_path, "--ratf=--budget-tokens 9", "-k", "named or budget")
    assert run.stdout.count("NOT MEASURED: over budget: 9 tokens") >= 2, run.stdout
    run = pytest_in(tmp_path, "--ratf=--budget-eur 9", "-k", "named")
    assert "No such option: --budget-eur" in run.stdout and "`ratf run --help` has the options" in run.stdout
    assert not (tmp_path / "again").exists(), "a lock in the folder would be in the way of a recording"


def test_the_plugin_costs_an_ordinary_pytest_nothing() -> None:
    program = (
        "import pytest, sys\nbefore = set(sys.modules)\nimport ratf.pytest_plugin\n"
        "print(sorted(m for m in set(sys.modules) - before if not m.startswith('ratf')))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "[]\n"


def test_the_distribution_registers_it() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"ratf": "ratf.pytest_plugin"}
