"""Pages of a small run that never was, byte for byte as they were last looked at.

A template that changes shows as a diff of tests/golden, to be reviewed like any other. Write the files anew with
`pytest tests/ratf/reporting/test_golden.py --golden`.
"""

import hashlib
import re
from functools import cache
from pathlib import Path

import pytest
from invented import invented, other_judge
from places import GOLDEN

from ratf.boards.leaderboard import leaderboard
from ratf.boards.site import site
from ratf.reporting.history import past
from ratf.reporting.page import render
from ratf.results.comparable import run_digest
from ratf.results.results import save
from ratf.review.packet import make_key, write_packet

LARGEST = 100_000
NAMES = ("report.html", "history.html", "packet.html", "board/index.html", "board/person.html", "board/system.html")


@cache
def board() -> dict[str, str]:
    """The site of two people on two days, by what a page is."""
    whose = (("marrack", 1), ("marrack", 2), ("pell", 3))
    runs = [invented(2, person, day=day, metrics=("style_identity", "judge_stance")) for person, day in whose]
    made = leaderboard(runs, {run_digest(runs[0]): ["style_identity"]})
    files = {path: content.decode() for path, content in site(made).items()}
    for n, run in enumerate(made.runs, 1):  # a run's name is its digest, which another field in the results changes
        files = {path: text.replace(run.id, f"run-{n}") for path, text in files.items()}
    raft = next(s.id for s in made.systems.values() if s.arm == "raft")
    paths = {"index": "index.html", "person": "persons/marrack.html", "system": f"systems/{raft}.html"}
    return {f"board/{name}.html": files[path] for name, path in paths.items()}


def page(name: str, folder: Path) -> str:
    """A page as it is made now, with its styles and scripts by their digests alone: those have files of their own."""
    if name == "report.html":
        made = render(invented(2))
    elif name == "history.html":
        runs = [invented(2, day=1), other_judge(invented(2, day=2)), invented(2, day=3)]
        for day, run in enumerate(runs, 1):
            save(run, folder / f"day-{day}" / "results.json")
        made = render(runs[2], runs=past(runs[2], folder / "day-3", [folder / "day-1", folder / "day-2"]))
        made = made[
            made.index('<section aria-labelledby="h-history"') : made.index('<section aria-labelledby="h-methods"')
        ]
    elif name == "packet.html":
        made = write_packet(make_key(invented(2), "raft"), folder / "out", folder / "keys")[0].read_text("utf-8")
    else:
        made = board()[name]
    made = re.sub(r'(<meta name="ratf-templates" content=")[0-9a-f]+', r"\1…", made)
    return re.sub(r"(<(?:style|script)>)(.*?)(</(?:style|script)>)", _digest, made, flags=re.DOTALL)


def _digest(block: re.Match[str]) -> str:
    return f"{block[1]}sha256 {hashlib.sha256(block[2].encode()).hexdigest()[:16]}{block[3]}"


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_as_it_was_looked_at(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    made, golden = page(name, tmp_path), GOLDEN / name
    assert len(made.encode()) < LARGEST, "too large to be reviewed: ask less of the run"
    if request.config.getoption("--golden"):
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(made, "utf-8")
    assert golden.is_file(), (
        f"no {golden}: write it with `pytest tests/ratf/reporting/test_golden.py --golden`, and look at it"
    )
    lines = zip(golden.read_text("utf-8").splitlines(), made.splitlines(), strict=False)
    first = next((f"line {n}:\n- {a[:300]}\n+ {b[:300]}" for n, (a, b) in enumerate(lines, 1) if a != b), "its end")
    assert golden.read_bytes() == made.encode(), (
        f"{name} is not as it was, from {first}\n"
        "if that is meant: `pytest tests/ratf/reporting/test_golden.py --golden`, and review `git diff tests/golden`"
    )
