"""`ratf packet`: a run makes a packet, with and without the command's name, and `score` is a command of its own."""

import csv
from pathlib import Path

import pytest
from invented import invented
from typer.testing import CliRunner

from ratf.cli import app
from ratf.results.results import save

RUNNER = CliRunner()


def said(*words: object, code: int = 0) -> str:
    outcome = RUNNER.invoke(app, ["packet", *map(str, words)])
    assert outcome.exit_code == code, outcome.output
    return outcome.output


@pytest.mark.parametrize("first", [[], ["make"]])
def test_a_packet_is_made_and_scored(tmp_path: Path, first: list[str]) -> None:
    run, out = tmp_path / "run", tmp_path / "packet"
    save(invented(4), run / "results.json")
    assert "the key is" in said(*first, "--out", out, run, "--seed", 3), "options may come first"
    with (out / "packet.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row |= {"choice": "A", "reader": "ann"}
    with (tmp_path / "choices-ann.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    told = said("score", tmp_path / "choices-ann.csv", "--run", run)
    assert "against" in told and "readers: 1" in told
    assert said("score", tmp_path / "choices-ann.csv", "--keys", run / "packets").startswith("against")
    assert "--run names the run" in said("score", tmp_path / "choices-ann.csv", code=2)


def test_the_help_names_both_commands_and_their_options() -> None:
    assert {"make", "score"} <= set(said("--help").split())
    assert "--run" in said("score", "--help") and "--arm" not in said("score", "--help")
    assert "--arm" in said("make", "--help")
    assert "Missing option" in said("somewhere", code=2)
