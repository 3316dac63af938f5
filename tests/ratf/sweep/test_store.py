"""A sweep in a store: machines that share nothing else do their shares, and any of them joins and reads it."""

import json
import shutil
from pathlib import Path

import pytest
from hosted import Hosted
from stores import SECRET, s3
from sweeps import said, sweep
from typer.testing import CliRunner

from ratf.cli import app
from ratf.results.store.address import scratch
from ratf.results.store.kept import kept
from ratf.results.store.objects import Store
from ratf.sweep.run import run_sweep

RUNNER = CliRunner()


def told(*words: object, code: int = 0) -> str:
    """What a command prints, which ends with this exit code."""
    outcome = RUNNER.invoke(app, [str(w) for w in words])
    assert outcome.exit_code == code, outcome.output
    return outcome.output


@pytest.mark.slow
def test_two_shards_in_a_bucket_are_joined_and_say_what_one_folder_says(
    tmp_path: Path, cache: Path, hosted: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = sweep(tmp_path, ["ada", "bea"])
    one = run_sweep(path, out=tmp_path / "one")
    assert one.results and one.results.verdict == "PASS"
    with s3(monkeypatch) as bucket:
        place = f"{bucket}/village"

        def machine(name: str) -> None:
            """From here on it is another machine, that has nothing of what was made so far."""
            monkeypatch.setenv("RATF_CACHE", str(tmp_path / name))
            (tmp_path / name).mkdir(exist_ok=True)

        machine("first")
        assert "1 of 1 cells are done, of 2 in all" in told("run", path, "--out", place, "--shard", "1/2")
        assert f"{place}: no finished run is there; `ratf run SUITE --out {place}` makes one" in told(
            "check", place, code=2
        )
        machine("second")
        assert "1 of 1 cells are done, of 2 in all" in told("run", path, "--out", place, "--shard", "2/2")
        machine("third")
        output = told("run", path, "--out", place)
        assert output.count("nothing to do") == 2 and "PASS: good beats plain" in output
        assert said(scratch(place)) == said(tmp_path / "one")
        store = Store(place)
        mark = kept(store, "")
        assert mark and {"sweep.json", "results.json", "report.html"} < mark.files.keys()
        assert sum(name.startswith("scores/suite=several/person=") for name in store.names("scores")) == 2
        assert all(SECRET.encode() not in (store.read(name) or (b"", ""))[0] for name in store.names(""))
        machine("a reader")
        assert told("check", place).startswith("PASS: good beats plain")
        assert told("report", place, "--format", "md").startswith("## ✓ PASS · several")
        assert "of 2 runs on 2 boards" in told("leaderboard", place, "--out", tmp_path / "site")
        assert not list(scratch(place).glob("cells/*/logs")), "a reader needs no logs"
        machine("second")
        assert told("run", path, "--out", place).count("nothing to do") == 2


@pytest.mark.slow
def test_one_run_in_a_store_goes_on_where_it_is_not_whole(
    tmp_path: Path, cache: Path, hosted: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    import yaml

    path = sweep(tmp_path, ["ada", "bea"])
    alone = {k: v for k, v in yaml.safe_load(path.read_text("utf-8")).items() if k != "people"}
    arms = [{**arm, "answers": arm["answers"].replace("{person}", "ada")} for arm in alone["arms"]]
    suite = tmp_path / "one.yaml"
    suite.write_text(yaml.safe_dump({**alone, "arms": arms, "person": "ada", "impostors": ["bea"]}), "utf-8")
    with s3(monkeypatch) as bucket:
        place = f"{bucket}/alone"
        assert "make the bucket or folder first" in told("run", suite, "--out", "s3://no-such-bucket/a", code=2)
        assert "PASS: good beats plain" in told("run", suite, "--out", place)
        shutil.rmtree(scratch(place))
        assert "nothing to do" in told("run", suite, "--out", place)
        assert told("check", place).startswith("PASS")
        mark = kept(Store(place), "")
        assert mark and any(name.startswith("logs/") for name in mark.files)
        found = json.loads((scratch(place) / "results.json").read_text("utf-8"))
        assert mark.digest == found["digest"]
