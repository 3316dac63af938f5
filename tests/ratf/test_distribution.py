"""The distribution is called otherwise than its packages: Inspect finds `ratf/…` all the same, however it is installed."""

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from places import REPOSITORY
from typer.testing import CliRunner

import raft.cli
import ratf.cli
from raft.release import DISTRIBUTION, in_the_way, release

WITHOUT_AN_OLDER_NAME = """\
import importlib.metadata as metadata
everything = metadata.MetadataPathFinder.find_distributions
metadata.MetadataPathFinder.find_distributions = staticmethod(
    lambda context: (d for d in everything(context) if d.metadata["Name"] != "ratf")
)
"""
NAMES = """\
from ratf._registry import interview
from inspect_ai._util.registry import registry_info, registry_lookup
print(registry_info(interview).name, bool(registry_lookup("task", "ratf/interview")),
      bool(registry_lookup("scorer", "ratf/rouge_l")), bool(registry_lookup("modelapi", "ratf/local")))
"""


def installed(folder: Path, name: str, version: str = "9.9", editable: bool = False) -> None:
    """Put into `folder` what pip leaves of an installed distribution."""
    about = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", "utf-8")
    (about / "RECORD").write_text("", "utf-8")
    if editable:
        told = {"url": REPOSITORY.as_uri(), "dir_info": {"editable": True}}
        (about / "direct_url.json").write_text(json.dumps(told), "utf-8")


def run(program: str, *paths: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths)), "PYTHONSAFEPATH": "1"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_inspect_finds_an_editable_install_by_the_packages_name(tmp_path: Path) -> None:
    installed(tmp_path, DISTRIBUTION, editable=True)
    assert run(WITHOUT_AN_OLDER_NAME + NAMES, tmp_path, REPOSITORY) == "ratf/interview True True True"


def test_without_the_packages_name_inspect_finds_nothing(tmp_path: Path) -> None:
    """The reason for ratf/_distribution.py; where this fails, it can go."""
    installed(tmp_path, DISTRIBUTION, editable=True)
    unnamed = "import ratf, sys\nsys.meta_path = [f for f in sys.meta_path if type(f).__name__ != '_OwnName']\n"
    assert run(WITHOUT_AN_OLDER_NAME + unnamed + NAMES, tmp_path, REPOSITORY) == "interview False False False"


def test_inspect_finds_what_a_wheel_has_put_among_the_packages(tmp_path: Path) -> None:
    place = tmp_path / "site-packages"
    installed(place, DISTRIBUTION)
    for name in ("raft", "ratf", "tasks", "benchmarks", "reports"):
        (place / name).symlink_to(REPOSITORY / name)
    assert run(WITHOUT_AN_OLDER_NAME + NAMES, place) == "ratf/interview True True True"


def test_the_distribution_answers_to_the_packages_name_and_is_listed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path, DISTRIBUTION)
    monkeypatch.syspath_prepend(tmp_path)
    assert release() == "9.9"
    listed = [d for d in importlib.metadata.distributions() if d.version == "9.9"]
    assert [d.metadata["Name"] for d in listed] == [DISTRIBUTION]


@pytest.mark.parametrize(("program", "app"), [("raft", raft.cli.app), ("ratf", ratf.cli.app)])
def test_both_programs_say_their_version(program: str, app: object) -> None:
    done = CliRunner().invoke(app, ["--version"])  # type: ignore[arg-type]
    assert (done.exit_code, done.stdout) == (0, f"{program} {release()}\n")


@pytest.mark.parametrize(("name", "package"), [("raft-ft", "raft"), ("raft", "raft"), ("ratf", "ratf")])
def test_other_peoples_packages_of_the_same_name_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, package: str
) -> None:
    before = in_the_way()
    installed(tmp_path, name, "3.1")
    monkeypatch.syspath_prepend(tmp_path)
    (told,) = [sentence for sentence in in_the_way() if sentence not in before]
    assert told.startswith(f"{name} 3.1 is installed here as well, and also has a package {package}:")
    done = CliRunner().invoke(raft.cli.app, ["check", "nobody"])
    assert f"note: {told}" in done.stderr


@pytest.mark.parametrize("app", [raft.cli.app, ratf.cli.app])
def test_help_names_no_folder_that_a_wheel_does_not_have(app: object) -> None:
    runner = CliRunner()
    overview = runner.invoke(app, ["--help"]).stdout  # type: ignore[arg-type]
    names = [c.name or "" for c in app.registered_commands]  # type: ignore[attr-defined]
    said = [overview, *(runner.invoke(app, [name, "--help"]).stdout for name in names)]  # type: ignore[arg-type]
    assert len(said) > 10 and not any("benchmarks/" in text for text in said)


@pytest.mark.parametrize(
    ("program", "app", "typed", "completed"),
    [
        ("ratf", ratf.cli.app, "ratf rep", {"report"}),
        ("ratf", ratf.cli.app, "ratf report --for", {"--format"}),
        ("ratf", ratf.cli.app, "ratf report runs/demo --format par", {"parquet"}),
        ("ratf", ratf.cli.app, "ratf packet ", {"make", "score"}),
        ("raft", raft.cli.app, "raft che", {"check"}),
    ],
)
def test_both_programs_complete_what_is_typed(program: str, app: object, typed: str, completed: set[str]) -> None:
    asked = {
        f"_{program.upper()}_COMPLETE": "complete_bash",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(typed.split(" ")) - 1),
    }
    done = CliRunner().invoke(app, [], prog_name=program, env=asked)  # type: ignore[arg-type]
    assert set(done.stdout.split()) == completed, done.output
    assert "--install-completion" in CliRunner().invoke(app, ["--help"]).stdout  # type: ignore[arg-type]
