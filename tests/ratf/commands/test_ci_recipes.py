"""The pipelines that users copy: their form, what they may do, and their commands carried out on a small suite."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from commands import Command
from junitparser import JUnitXml
from packaging.requirements import Requirement
from packaging.utils import parse_wheel_filename
from pipelines import REPOSITORY, Remarks, Runner
from typer.testing import CliRunner

from ratf.cli import app
from ratf.content import content
from ratf.gate.policy import load_policy

GITHUB, GITLAB = content("docs", "ci", "github.yml"), content("docs", "ci", "gitlab.yml")
SUPPLY, SUPPLY_GITLAB = content("docs", "ci", "supply-github.yml"), content("docs", "ci", "supply-gitlab.yml")
RELEASE = content("docs", "ci", "release-github.yml")
JUDGE = "Judge the run"
BIN = Path(sys.executable).parent
SMALLER = {
    "questions: 36": "questions: 12\n  training_exchanges: 6",
    "layers: 12 ": "layers: 1 ",
    "max_tokens: 112": "max_tokens: 8",
    "  grader: local/smollm2-135m-instruct\n": "",
    "metric: both": "metric: sentence_coverage",
    "seed: 1\n": "seed: 1\ncontamination: false\narms: [baseline, raft]\nmetrics: [sentence_coverage]\n",
}
"""What makes the demo a matter of half a minute. Its people and its exam stay; answers of 8 tokens have no voice."""


def github() -> dict[str, Any]:
    """The workflow, every value as it is written."""
    read: dict[str, Any] = yaml.load(GITHUB.read_text("utf-8"), yaml.BaseLoader)
    return read


def in_scripts(workflow: dict[str, Any]) -> list[str]:
    """Expressions inside scripts: whatever somebody wrote into a title or a branch would be run."""
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    return [said for step in steps for said in re.findall(r"\$\{\{.*?\}\}", step.get("run", ""))]


@pytest.mark.parametrize(
    ("schema", "path", "planted"),
    [
        (["vendor.github-workflows"], GITHUB, ("runs-on:", "run-on:")),
        (["custom.github-workflows-require-timeout"], GITHUB, ("    timeout-minutes: 5", "    #")),
        (["vendor.gitlab-ci", "--data-transform", "gitlab-ci"], GITLAB, ("  script:", "  scripts:")),
        (["vendor.github-workflows"], SUPPLY, ("runs-on:", "run-on:")),
        (["custom.github-workflows-require-timeout"], SUPPLY, ("    timeout-minutes: 10", "    #")),
        (["vendor.github-workflows"], RELEASE, ("runs-on:", "run-on:")),
        (["custom.github-workflows-require-timeout"], RELEASE, ("    timeout-minutes: 30", "    #")),
        (["vendor.gitlab-ci", "--data-transform", "gitlab-ci"], SUPPLY_GITLAB, ("  script:", "  scripts:")),
    ],
)
def test_the_services_schemas_accept_them(
    schema: list[str], path: Path, planted: tuple[str, str], tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", *schema]
    found = subprocess.run([*command, str(path)], capture_output=True, text=True)
    assert found.returncode == 0, found.stdout
    (tmp_path / path.name).write_text(path.read_text("utf-8").replace(*planted), "utf-8")
    assert subprocess.run([*command, str(tmp_path / path.name)], capture_output=True).returncode == 1


def test_actionlint_accepts_the_workflow() -> None:
    if not shutil.which("actionlint"):
        pytest.skip("no actionlint on PATH")
    found = subprocess.run(["actionlint", *map(str, (GITHUB, SUPPLY, RELEASE))], capture_output=True, text=True)
    assert found.returncode == 0, found.stdout


def test_zizmor_finds_nothing_that_an_attacker_could_use(tmp_path: Path) -> None:
    """Majors of GitHub's own actions are pinned well enough here; the push of the baseline needs its credentials."""
    (tmp_path / "zizmor.yml").write_text(
        'rules: {unpinned-uses: {config: {policies: {"actions/*": ref-pin}}}}\n', "utf-8"
    )
    command = [BIN / "zizmor", "--offline", "--min-severity", "medium", "--config", tmp_path / "zizmor.yml"]
    planted = tmp_path / "planted.yml"
    planted.write_text(GITHUB.read_text("utf-8").replace('"$CODE" in', '"${{ github.head_ref }}" in'), "utf-8")
    found = subprocess.run([*command, GITHUB, SUPPLY, RELEASE], capture_output=True, text=True)
    assert found.returncode == 0, found.stdout
    assert "template-injection" in subprocess.run([*command, planted], capture_output=True, text=True).stdout


def test_shellcheck_accepts_every_script() -> None:
    several = [yaml.load(path.read_text("utf-8"), yaml.BaseLoader) for path in (GITHUB, SUPPLY, RELEASE)]
    steps = [step for workflow in several for job in workflow["jobs"].values() for step in job["steps"]]
    scripts = [step["run"] for step in steps if "run" in step and step.get("shell") != "python"]
    jobs = yaml.safe_load(GITLAB.read_text("utf-8")).values()
    scripts += ["\n".join(job["script"]) for job in jobs if "script" in job]
    assert len(scripts) >= 8
    for script in scripts:
        command = [BIN / "shellcheck", "--shell", "bash", "-"]
        found = subprocess.run(command, input=script, capture_output=True, text=True)
        assert found.returncode == 0, found.stdout


def test_no_text_of_a_stranger_gets_into_a_shell() -> None:
    workflow = github()
    assert in_scripts(workflow) == []
    assert set(workflow["on"]) == {"pull_request", "schedule", "workflow_dispatch"}  # not pull_request_target
    given = {v for job in workflow["jobs"].values() for step in job["steps"] for v in step.get("env", {}).values()}
    assert given == {
        "${{ steps.judge.outputs.code }}", "${{ github.token }}", "${{ github.event.pull_request.number }}",
        "${{ secrets.RATF_CACHE_KEY }}",
    }  # fmt: skip
    planted = {"jobs": {"j": {"steps": [{"run": "echo ${{ github.event.pull_request.title }}"}]}}}
    assert in_scripts(planted) == ["${{ github.event.pull_request.title }}"]


def test_each_job_may_do_what_it_must_and_no_more() -> None:
    workflow = github()
    assert workflow["permissions"] == {}
    assert {name: job["permissions"] for name, job in workflow["jobs"].items()} == {
        "measure": {"contents": "read"}, "comment": {"pull-requests": "write"}, "baseline": {"contents": "write"}
    }  # fmt: skip
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    assert all(re.fullmatch(r"actions/[\w/-]+@(v\d+|[0-9a-f]{40})", s["uses"]) for s in steps if "uses" in s)
    measure = workflow["jobs"]["measure"]["steps"]
    assert measure[0]["with"] == {"persist-credentials": "false"}
    assert int(next(s for s in measure if s.get("name") == "Run the suite")["timeout-minutes"]) < 90
    restored, saved = (
        next(s["with"] for s in measure if f"cache/{do}" in s.get("uses", "")) for do in ("restore", "save")
    )
    assert restored["path"] == saved["path"], "what is saved under other paths is never found again"


def test_what_is_installed_is_this_project_on_the_torch_that_it_is_tested_with() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    torch = list(dict.fromkeys(re.findall(r"torch==\S+", (REPOSITORY / "Makefile").read_text("utf-8"))))
    local = {Requirement(text).name: Requirement(text) for text in project["optional-dependencies"]["local"]}
    for path in (GITHUB, GITLAB):
        assert (
            re.findall(r"--index-url https://download.pytorch.org/whl/cpu (torch==\S+)", path.read_text("utf-8"))
            == torch
        )
    assert local["torch"].specifier.contains(torch[0].removeprefix("torch=="))
    lines = content("docs", "ci", "requirements.txt").read_text("utf-8").splitlines()
    (ours,) = [line for line in lines if not line.startswith("#")]
    folder, _, wheel = ours.removesuffix("[local]").rpartition("/")
    name, version, *_ = parse_wheel_filename(wheel)
    assert ours.endswith("[local]") and folder == "./wheels", "the index has another project of this name"
    assert (name, str(version)) == (project["name"], project["version"])


def test_versions_are_looked_up_every_week_and_a_release_has_its_list_of_parts() -> None:
    weekly, release = (yaml.load(path.read_text("utf-8"), yaml.BaseLoader) for path in (SUPPLY, RELEASE))
    assert weekly["permissions"] == {} and "schedule" in weekly["on"]
    assert all(job["permissions"] == {"contents": "read"} for job in weekly["jobs"].values())
    asked = {step.get("run", "") for job in weekly["jobs"].values() for step in job["steps"]}
    built = {step.get("run", "") for step in release["jobs"]["build"]["steps"]}
    assert "make audit" in asked and {"make audit", "make release"} <= built
    other = yaml.safe_load(SUPPLY_GITLAB.read_text("utf-8"))
    assert {job: other[job]["script"] for job in ("audit", "release")} == {
        "audit": ["make audit"],
        "release": ["make release"],
    }
    told = subprocess.run(
        ["make", "-n", "audit", "release"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout
    assert "pip-audit --requirement constraints.txt" in told and "python -m build" in told
    assert re.search(r"cyclonedx-py requirements constraints.txt .*--output-file dist/ratf.cdx.json", told)


def test_a_release_is_published_without_a_password_and_each_job_may_do_what_it_must() -> None:
    workflow: dict[str, Any] = yaml.load(RELEASE.read_text("utf-8"), yaml.BaseLoader)
    assert workflow["permissions"] == {} and workflow["on"] == {"push": {"tags": ["v*"]}} and in_scripts(workflow) == []
    assert {name: job["permissions"] for name, job in workflow["jobs"].items()} == {
        "build": {"contents": "read"},
        "attest": {"attestations": "write", "id-token": "write"},
        "publish": {"id-token": "write"},
    }
    assert "secrets" not in RELEASE.read_text("utf-8") and workflow["jobs"]["publish"]["environment"]["name"] == "pypi"
    assert set(workflow["jobs"]["publish"]["needs"]) == {"build", "attest"}
    used = [step["uses"] for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step]
    others = [name for name in used if not name.startswith("actions/")]
    assert len(others) == 1 and re.fullmatch(r"pypa/gh-action-pypi-publish@[0-9a-f]{40}", others[0])


@pytest.mark.parametrize(
    ("tag", "changelog", "code"),
    [
        ("v{}", "## {}\n", 0),
        ("v{}", "## {} (2026-12-01)\n", 0),
        ("v9.9.9", "## {}\n", 1),
        ("v{}", "## {} (unreleased)\n", 1),
    ],
)
def test_a_tag_that_is_not_the_version_is_not_released(tag: str, changelog: str, code: int, tmp_path: Path) -> None:
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    (tmp_path / "CHANGELOG.md").write_text(f"# Changelog\n\n{changelog.format(version)}", "utf-8")
    steps = yaml.load(RELEASE.read_text("utf-8"), yaml.BaseLoader)["jobs"]["build"]["steps"]
    (script,) = [step["run"] for step in steps if step.get("name", "").startswith("The tag")]
    environment = {"PATH": f"{BIN}:/usr/bin:/bin", "GITHUB_REF_NAME": tag.format(version)}
    done = subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == code, done.stdout + done.stderr


@pytest.mark.parametrize(("service", "place"), [("github", ".github/workflows/ratf.yml"), ("gitlab", ".gitlab-ci.yml")])
def test_init_lays_out_a_repository(ratf: Command, tmp_path: Path, service: str, place: str) -> None:
    assert ratf("init", tmp_path / "new", "--ci", service).returncode == 0
    assert (tmp_path / "new" / place).read_bytes() == content("docs", "ci", f"{service}.yml").read_bytes()
    for name in ("demo.yaml", "requirements.txt"):
        assert (tmp_path / "new" / name).is_file()
    assert load_policy(tmp_path / "new" / "policy.yaml").rules
    bad = ratf("init", tmp_path / "other", "--ci", "jenkins")
    assert bad.returncode == 2 and not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("service", "place", "schema"),
    [
        ("github", ".github/workflows/ratf.yml", ["vendor.github-workflows"]),
        ("gitlab", ".gitlab-ci.yml", ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"]),
    ],
)
def test_the_hosted_variant_needs_no_torch_and_is_accepted(
    tmp_path: Path, service: str, place: str, schema: list[str]
) -> None:
    """Each line that it takes from the recipe for local models is still there to be taken."""
    command = ["init", str(tmp_path / "new"), "--ci", service, "--hosted", "anthropic/claude-x"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    folder = tmp_path / "new"
    recipe, wanted = (folder / place).read_text("utf-8"), (folder / "requirements.txt").read_text("utf-8")
    assert not any(word in recipe for word in ("torch", "demo.yaml", "ratf-models", "Embedded"))
    assert "SUITE: hosted.yaml" in recipe and "torch" not in wanted and "[local]" not in wanted
    assert wanted.splitlines()[-1].endswith("-py3-none-any.whl")
    assert wanted.splitlines()[-2] == "anthropic  # asks anthropic/… models"
    if service == "github":
        steps = yaml.load(recipe, yaml.BaseLoader)["jobs"]["measure"]["steps"]
        run = next(s for s in steps if s.get("name") == "Run the suite")
        keys = ("RATF_CACHE_KEY", "ANTHROPIC_API_KEY", "OPENAI_API_KEY")
        assert run["env"] == {key: f"${{{{ secrets.{key} }}}}" for key in keys}
    rules = load_policy(folder / "policy.yaml").rules
    assert {r.arm for r in rules if r.arm} == {"rag_only"}
    checked = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", *schema, str(folder / place)]
    found = subprocess.run(checked, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout
    again = CliRunner().invoke(app, command)
    assert again.exit_code == 2 and "not overwritten" in again.stderr


@pytest.fixture
def remarks() -> Iterator[Remarks]:
    with Remarks().running() as remarks:
        yield remarks


def test_one_comment_is_made_and_then_changed(remarks: Remarks, tmp_path: Path) -> None:
    folder = tmp_path / "repository"
    (folder / ".github/workflows").mkdir(parents=True)
    shutil.copy(GITHUB, folder / ".github/workflows/ratf.yml")
    shutil.copy(GITLAB, folder / ".gitlab-ci.yml")
    mine = {"CI_PROJECT_ID": "5", "CI_MERGE_REQUEST_IID": "7", "CI_API_V4_URL": remarks.url, "RATF_TOKEN": "t0ken"}
    his = {"GITHUB_API_URL": remarks.url, "GITHUB_REPOSITORY": "jane/replica", "GITHUB_WORKFLOW": "ratf"}
    runner = Runner(folder, mine | his)
    for service, mark in (
        (lambda: runner.github("comment"), "<!-- ratf: ratf -->"),
        (lambda: runner.gitlab("ratf-note").code, "<!-- ratf: demo.yaml -->"),
    ):
        remarks.there.clear()
        for n in range(150):
            remarks.add(f"{mark} of somebody" if n == 3 else f"word {n}", own=n % 2 == 0)
        (folder / "comment.md").write_text("## ✓ PASS", "utf-8")
        assert service() == 0, runner.steps
        (folder / "comment.md").write_text("## ✗ REGRESSION " + "é" * 70_000, "utf-8")
        assert service() == 0 and len(remarks.there) == 151
        body = remarks.there[-1]["body"]
        assert body.startswith(f"{mark}\n## ✗ REGRESSION") and 60_000 < len(body) <= 65_536
        assert remarks.there[3]["body"] == f"{mark} of somebody"
    assert remarks.tokens == {"Bearer t0ken", "t0ken"}


@pytest.fixture(scope="module")
def runner(light_models: Path, ratf: Command, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """A new repository as `ratf init --ci` lays it out, with the demo made smaller, measured once, by hand."""
    above = tmp_path_factory.mktemp("ci")
    folder, cache = above / "repository", above / "cache"
    assert ratf("init", folder, "--ci", "github").returncode == 0
    shutil.copy(GITLAB, folder / ".gitlab-ci.yml")
    suite = (folder / "demo.yaml").read_text("utf-8")
    for was, now in SMALLER.items():
        assert was in suite
        suite = suite.replace(was, now)
    (folder / "demo.yaml").write_text(suite, "utf-8")
    policy = (folder / "policy.yaml").read_text("utf-8").replace(" or style.identity, worse on neither", "")
    (folder / "policy.yaml").write_text(re.sub(".*style.identity.*\n", "", policy), "utf-8")
    cache.mkdir()
    (cache / "models").symlink_to(light_models)
    (folder / ".ratf").symlink_to(cache)  # where GitLab's recipe keeps what is cached
    (folder / ".gitignore").write_text("/runs/\n/.ratf\n", "utf-8")
    git = {"GIT_CONFIG_GLOBAL": "/dev/null", "GITHUB_RUN_ID": "1", "GITHUB_RUN_ATTEMPT": "1"}
    where = {"GITHUB_SERVER_URL": "https://example.org", "GITHUB_REPOSITORY": "jane/replica"}
    runner = Runner(folder, {"RATF_CACHE": str(cache), "OMP_NUM_THREADS": "1", **git, **where})
    begun = runner.script(
        "git init -q --bare ../origin.git; git init -q; git remote add origin ../origin.git\n"
        "git add -A; git -c user.name=Jane -c user.email=j@example.org commit -qm Start",
        {},
    )
    assert begun.code == 0, begun.said
    assert runner.github("measure", "workflow_dispatch") == 0, runner.steps
    return runner


def raised(runner: Runner, by: float) -> None:
    """Commit a baseline in which `raft` was better than it is now."""
    baseline = json.loads((runner.folder / "next/baseline.json").read_text("utf-8"))
    for scores in baseline["scores"]["raft"].values():
        scores["sentence_coverage"] += by
    text = json.dumps(baseline) if by else (runner.folder / "next/baseline.json").read_text("utf-8")
    (runner.folder / "baseline.json").write_text(text, "utf-8")


@pytest.mark.slow
def test_by_hand_a_branch_with_the_first_baseline_is_pushed(runner: Runner) -> None:
    runner.script("rm -f baseline.json; git checkout -q -", {})
    assert runner.github("baseline", "workflow_dispatch") == 0, runner.steps
    (step,) = runner.steps.values()
    assert "https://example.org/jane/replica/compare/ratf-baseline-1-1?expand=1" in step.summary
    pushed = runner.script("git --git-dir ../origin.git show ratf-baseline-1-1:baseline.json", {})
    assert pushed.said == (runner.folder / "next/baseline.json").read_text("utf-8")
    assert runner.github("baseline", "workflow_dispatch", GITHUB_RUN_ATTEMPT="2") == 0
    assert "the same as before" in next(iter(runner.steps.values())).summary


@pytest.mark.slow
def test_a_pull_request_that_changes_nothing_passes_without_anything_made_anew(runner: Runner) -> None:
    raised(runner, 0)
    pip = runner.folder.parent / "pip.txt"
    pip.unlink()
    assert runner.github("measure") == 0, runner.steps
    torch, rest = pip.read_text("utf-8").splitlines()
    assert torch.endswith("torch==2.13.0") and rest == "install --requirement requirements.txt"
    assert list(runner.steps) == ["Install", "Run the suite", JUDGE, "Gate"]
    assert "tuning" not in runner.steps["Run the suite"].said and "embedding" not in runner.steps["Run the suite"].said
    (cases,) = JUnitXml.fromfile(str(runner.folder / "junit.xml"))
    rules = load_policy(runner.folder / "policy.yaml").rules
    assert [case.name for case in cases] == [rule.text for rule in rules]
    judged = runner.steps[JUDGE]
    assert judged.summary.startswith("## ✓ PASS · demo\n") and len(judged.summary) < 65_536
    assert (runner.folder / "comment.md").read_text("utf-8") == judged.summary
    assert "\n::warning title=INCONCLUSIVE%3A raft better than baseline" in judged.said and "::error" not in judged.said
    assert runner.steps["Gate"].said == "PASS: every critical rule of policy.yaml holds.\n"


@pytest.mark.slow
def test_a_pull_request_that_makes_it_worse_fails_with_1(runner: Runner) -> None:
    raised(runner, 0.15)
    assert runner.github("measure", since=JUDGE) == 1
    judged = runner.steps[JUDGE]
    assert judged.code == 0 and judged.summary.startswith(
        "## ✗ REGRESSION · demo\n\nraft is worse than the reference run: -0.15"
    )
    assert "\n::error title=RATF%3A REGRESSION::" in judged.said
    assert runner.steps["Gate"].said.startswith(
        "::error title=RATF::REGRESSION: a critical rule of policy.yaml is broken."
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"RUN": "nowhere"}, "nowhere: no such file; `ratf run` writes it"),
        ({"BASELINE": "nowhere.json"}, "nowhere.json: no such baseline"),
        (
            {"POLICY": "requirements.txt"},
            "not keys with values",
        ),
        ({"PATH": "/usr/bin:/bin"}, "ratf: command not found"),
    ],
)
def test_what_was_not_measured_fails_with_2_and_says_why(runner: Runner, changed: dict[str, str], says: str) -> None:
    raised(runner, 0)
    assert runner.github("measure", since=JUDGE, **changed) == 2
    comment = (runner.folder / "comment.md").read_text("utf-8")
    assert comment == runner.steps[JUDGE].summary and comment.startswith(
        "## ∅ NOT MEASURED\n\nThe run could not be judged:\n\n    "
    )
    assert says in comment
    assert "::error title=RATF::NOT MEASURED: nothing was shown either way" in runner.steps["Gate"].said


@pytest.mark.slow
def test_a_run_that_does_not_finish_is_never_judged_by_an_older_ones_results(runner: Runner) -> None:
    raised(runner, 0)
    assert (runner.folder / "runs/ci/results.json").is_file()
    assert runner.github("measure", SUITE="nowhere.yaml") == 2
    assert "the run was stopped halfway" in (runner.folder / "comment.md").read_text("utf-8")


@pytest.mark.slow
def test_gitlab_says_the_same(runner: Runner) -> None:
    raised(runner, 0)
    good = runner.gitlab("ratf")
    assert good.code == 0 and "PASS: every critical rule of policy.yaml holds." in good.said, good.said
    assert (runner.folder / "comment.md").read_text("utf-8").startswith(
        "## ✓ PASS · demo\n"
    ) and "tuning" not in good.said
    raised(runner, 0.15)
    bad = runner.gitlab("ratf", since=1)
    assert bad.code == 1 and "REGRESSION: a critical rule of policy.yaml is broken.\n" in bad.said
    assert JUnitXml.fromfile(str(runner.folder / "junit.xml")).failures >= 1
    none = runner.gitlab("ratf", SUITE="nowhere.yaml")
    assert none.code == 2 and "NOT MEASURED: nothing was shown either way" in none.said
    assert "nowhere.yaml: no such suite file" in none.said
