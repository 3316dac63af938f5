"""What release 0.1.0 wrote is still read: a bundle, the results in it, and a baseline of the same run."""

import json
import zipfile
from pathlib import Path

import pytest
from commands import Command
from places import DATA

from ratf.gate.gate import check
from ratf.results.bundle import read_bundle
from ratf.results.results import load
from ratf.results.snapshot import load_baseline

OLD = DATA / "release-0.1.0"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """The run's results file, taken out of the bundle."""
    with zipfile.ZipFile(OLD / "tiny.ratf.zip") as archive:
        name = next(n for n in archive.namelist() if n.endswith("results.json"))
        (tmp_path / "results.json").write_bytes(archive.read(name))
    return tmp_path / "results.json"


def test_its_results_are_read_and_checked_against_its_baseline(results: Path) -> None:
    run = load(results)
    assert run.environment["ratf"] == "0.1.0"
    checked = check(run, load_baseline(OLD / "baseline.json"), against="baseline.json")
    # a run that did not measure the same would be told so first
    assert checked.verdict == "NOT MEASURED" and checked.sentence.startswith("style_identity may not decide")


def test_its_bundle_is_read(results: Path) -> None:
    bundle = read_bundle(OLD / "tiny.ratf.zip")
    assert bundle.results == load(results)
    assert bundle.samples and {s.arm for s in bundle.samples} >= {"baseline", "raft"}


@pytest.mark.slow
def test_its_bundle_is_worked_out_again(ratf: Command) -> None:
    done = ratf("verify", OLD / "tiny.ratf.zip")
    assert not [line for line in done.stdout.splitlines() if line.startswith("differs")]
    assert "matches         statistics: verdict: worked out again, the same" in done.stdout


def test_its_page_is_made(ratf: Command, results: Path) -> None:
    done = ratf("report", results)
    assert done.returncode == 0, done.stderr
    # the page names a metric in words where the results have its key
    said = json.loads(results.read_text("utf-8"))["sentence"].split(":")[0].replace("style_identity", "Voice")
    assert said in (results.parent / "report.html").read_text("utf-8")
