"""Inputs that once hung, filled the memory or were believed: each is refused in a sentence that names it."""

import shutil
import time
from pathlib import Path

import pytest
from commands import Command
from website import Answer, Site

ELSEWHERE = {"16-truncated-log-stops-the-run", "22-unknown-provider", "26-accepted-silently"}
"""Cases without a file that a command reads; tests of their own make what they describe."""


@pytest.fixture
def cases(shared: Path, tmp_path: Path) -> Path:
    """A copy of the folder of cases."""
    folder = shared.parent / "cases" / "robustness"
    if not folder.is_dir():
        pytest.skip(f"no cases in {folder}")
    return Path(shutil.copytree(folder, tmp_path / "cases"))


COMMANDS: dict[str, tuple[str, str]] = {
    "01-bundle-json-memory": ("ratf verify {case}/bomb.ratf.zip", "unpacks to more than 64 MB"),
    "03-fetch-gzip-gzip-bomb": ("raft fetch {out}/x --from {site}/page --called X", "only gzip, and that once"),
    "04-frontmatter-yaml-bomb": ("raft fetch {out}/x --from {case}/frontbomb.md --called X", "its aliases stand for"),
    "09-yaml-alias-bomb-hangs": ("ratf plan {case}/demo.yaml --data {demo}", "its aliases stand for"),
    "11-policy-duplicate-key": ("ratf check {run} --policy {case}/pol.yaml", "'critical' is there twice"),
    "12-data-recipe-writes-outside": ("ratf data {case}/r.yaml --out {out}", "is not the name of a person's folder"),
    "20-rubric-format-strings": ("ratf plan {case}/suite.yaml --data {demo}", "evil.yaml"),
    "25-person-outside-data": ("ratf plan {case}/self.yaml --data {demo}", "is not the name of a person's folder"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_what_once_broke_is_refused_in_a_sentence(
    ratf: Command, raft: Command, cases: Path, tmp_path: Path, site: Site, name: str
) -> None:
    command, says = COMMANDS[name]
    if name.startswith("03"):
        packed = (cases / name / "body.gz.gz").read_bytes()
        site.routes["/page"] = Answer(packed, headers={"Content-Encoding": "gzip, gzip"})
    if name.startswith("20"):
        text = (cases / "25-person-outside-data" / "self.yaml").read_text("utf-8").replace("./marrack", "pell")
        (cases / name / "suite.yaml").write_text(text.replace("rouge_1", "rouge_1, judge_evil"), "utf-8")
    demo = Path(__file__).parents[2] / "benchmarks"
    bundle = Path(__file__).parents[1] / "data" / "release-0.1.0" / "tiny.ratf.zip"
    shutil.unpack_archive(bundle, tmp_path / "run", "zip")
    out = tmp_path / "out"
    words = command.format(case=cases / name, out=out, site=site.url, demo=demo, run=tmp_path / "run").split()
    before, start = sorted(tmp_path.iterdir()), time.monotonic()
    found = {"ratf": ratf, "raft": raft}[words[0]](*words[1:])
    assert (found.returncode, found.stdout) == (2, ""), found.stdout + found.stderr
    assert says in found.stderr and "Traceback" not in found.stderr
    assert time.monotonic() - start < 60
    assert set(tmp_path.iterdir()) <= {*before, out}


def test_every_case_is_known(cases: Path) -> None:
    assert {p.name for p in cases.iterdir() if p.is_dir()} <= {*COMMANDS, *ELSEWHERE}
