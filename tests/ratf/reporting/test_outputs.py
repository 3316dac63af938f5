"""Markdown, annotations, JUnit, JSON and its schema, CSV and Parquet: all from one result, whatever was said in it."""

import csv
import io
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pyarrow.parquet as pq
import pytest
from jsonschema import Draft202012Validator
from junitparser import JUnitXml
from planted import make

from ratf.gate.gate import Checked, check, last_check, save_check
from ratf.gate.policy import load_policy
from ratf.pages.text import in_markdown
from ratf.reporting.junit import junit
from ratf.reporting.markdown import annotations, code, markdown
from ratf.reporting.page import render
from ratf.results.results import Results, dumps, load, save, schema
from ratf.results.snapshot import snapshot
from ratf.results.table import COLUMNS, to_csv, to_parquet
from ratf.suite.metrics import METRICS

INTERVIEWS = [f"i{g}" for g in range(6) for _ in range(10)]
POLICY = """\
critical:
  - raft better than baseline on style.identity
  - raft not worse than the reference run on style.identity
supporting:
  - raft not worse than the reference run on rouge.l
advisory:
  - raft not worse than the reference run on rouge.2
"""
HOSTILE = "=1+1 </script> | `x` @nobody\x07\u202e](http://x) \x00\n::error::no\r\n%0A"


def run_of(drop: float = 0.0, **changes: Any) -> Results:
    random = np.random.default_rng(4)
    style = random.uniform(0.3, 0.9, 60)
    metrics = ["style_identity", "rouge_l", "rouge_2"]
    arms = {
        "raft": {m: style - drop + random.normal(0, 0.03, 60) for m in metrics},
        "baseline": dict.fromkeys(metrics, style - 0.3),
        "impostor_near": dict.fromkeys(metrics, style - 0.4),
    }
    arms["baseline"]["rouge_2"] = np.where(np.arange(60) == 3, np.nan, style - 0.3)
    return make(arms, INTERVIEWS, **changes)


@pytest.fixture
def checked(tmp_path: Path) -> Checked:
    """A regression on the critical and on the other rules."""
    (tmp_path / "policy.yaml").write_text(POLICY, "utf-8")
    return check(run_of(0.15), snapshot(run_of()), load_policy(tmp_path / "policy.yaml"), "before")


def test_the_verdict_comes_first_and_what_fell_is_named(checked: Checked) -> None:
    lines = markdown(run_of(0.15), checked).splitlines()
    assert lines[0] == "## ✗ REGRESSION · planted"
    assert lines[2].startswith("raft is worse than the reference run: -0.1")
    assert any(line.startswith("- raft not worse than the reference run on style.identity: `i") for line in lines)
    assert len(lines) <= 60


def test_empty_sections_are_left_out() -> None:
    results = run_of()
    said = markdown(results, check(results))
    assert said.startswith("## ✓ PASS") and "Fell most" not in said and "\n- " not in said


def test_sixty_lines_are_never_passed(tmp_path: Path) -> None:
    arms = {f"arm_{n:02d}" if n else "raft": {m: np.linspace(0, 1, 60) for m in METRICS} for n in range(40)}
    arms["baseline"] = {m: np.linspace(0, 1, 60) + 0.3 for m in METRICS}
    results = make(arms, INTERVIEWS, notes=[f"note {n}" for n in range(50)])
    (tmp_path / "policy.yaml").write_text(
        "critical:\n" + "".join(f"  - arm_{n:02d} better than baseline on rouge.l\n" for n in range(1, 40)), "utf-8"
    )
    lines = markdown(results, check(results, None, load_policy(tmp_path / "policy.yaml"))).splitlines()
    assert len(lines) <= 60
    assert any("… and 29 more rules" in line for line in lines) and any("… and 32 more arms" in line for line in lines)


def test_hostile_words_stay_words(checked: Checked) -> None:
    results = run_of(0.15, notes=[HOSTILE], settings={"name": HOSTILE})
    bad = checked.model_copy(update={"sentence": HOSTILE, "against": HOSTILE, "suite": HOSTILE, "trouble": [HOSTILE]})
    said = markdown(results, bad)
    assert "\x07" not in said and "</script" not in said and "@nobody" not in said and "](http" not in said
    assert "\n::error" not in said and len(said.splitlines()) <= 60
    for line in annotations(bad):
        assert line.startswith(("::error title=", "::warning title=")) and "\n" not in line and "\r" not in line
    JUnitXml.fromstring(junit(bad))
    assert "`" not in code(HOSTILE) and "|" not in in_markdown("a|b")


def test_annotations_are_errors_for_critical_rules_and_warnings_for_others(checked: Checked) -> None:
    levels = [line.split(" ")[0] for line in annotations(checked)]
    assert levels == ["::error", "::error", "::warning", "::warning"]


def test_junit_has_one_case_a_rule(checked: Checked) -> None:
    xml = JUnitXml.fromstring(junit(checked))
    (suite,) = list(xml)
    found = {case.name: [type(r).__name__ for r in case.result] for case in suite}
    assert found == {
        "raft better than baseline on style.identity": [],
        "raft not worse than the reference run on style.identity": ["Failure"],
        "raft not worse than the reference run on rouge.l": ["Failure"],
        "raft not worse than the reference run on rouge.2": ["Skipped"],
        "errors 0": [],
        "unscored at most 2 %": [],
    }
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (6, 2, 0, 1)
    ElementTree.fromstring(junit(checked))


def test_what_was_not_measured_is_an_error_in_junit() -> None:
    results = run_of(exam=[])
    (suite,) = list(JUnitXml.fromstring(junit(check(results))))
    assert suite.errors == 1
    (suite,) = list(JUnitXml.fromstring(junit(check(results.model_copy(update={"questions": []})))))
    assert "the run can be judged" in [case.name for case in suite] and suite.errors >= 2


def test_results_validate_against_the_published_schema() -> None:
    published = json.loads(schema())
    Draft202012Validator.check_schema(published)
    validator = Draft202012Validator(published)
    raw = json.loads(dumps(run_of()))
    validator.validate(raw)
    assert list(validator.iter_errors({**raw, "of_the_future": 1}))
    assert list(validator.iter_errors({**raw, "verdict": "FINE"}))


def test_csv_has_every_score_and_no_formula() -> None:
    results = run_of()
    hostile = results.questions[0].answers["raft"].scores["rouge_l"].model_copy(update={"value": None, "why": HOSTILE})
    results.questions[0].answers["raft"].scores["rouge_l"] = hostile
    table = list(csv.DictReader(io.StringIO(to_csv(results))))
    assert len(table) == 60 * 3 * 3 and tuple(table[0]) == COLUMNS
    (missing,) = [r for r in table if r["arm"] == "baseline" and r["value"] == ""]
    assert (missing["metric"], missing["unscored"]) == ("rouge_2", "parse")
    assert [r["unscored"] for r in table if r["unscored"] and r["arm"] == "raft"] == ["'" + HOSTILE]
    first = results.questions[0].answers["raft"].scores["style_identity"].value
    assert float(table[0]["value"]) == first


def test_parquet_has_the_same_table(tmp_path: Path) -> None:
    results = run_of()
    (tmp_path / "scores.parquet").write_bytes(to_parquet(results))
    table = pq.read_table(tmp_path / "scores.parquet")
    assert table.column_names == list(COLUMNS) and table.num_rows == 540
    assert table["value"].null_count == 1 and str(table["value"].type) == "double"
    empty = results.model_copy(update={"questions": []})
    (tmp_path / "empty.parquet").write_bytes(to_parquet(empty))
    assert pq.read_table(tmp_path / "empty.parquet").num_rows == 0


def test_the_same_results_are_the_same_bytes_in_every_format(tmp_path: Path) -> None:
    save(run_of(), tmp_path / "results.json")
    found = [
        (render(r), markdown(r, check(r)), junit(check(r)), dumps(r), to_csv(r), to_parquet(r), schema())
        for r in (run_of(), load(tmp_path / "results.json"))
    ]
    assert found[0] == found[1]


def test_a_kept_verdict_is_used_for_its_own_results_only(checked: Checked, tmp_path: Path) -> None:
    save_check(checked, tmp_path)
    assert last_check(run_of(0.15), tmp_path) == checked
    assert last_check(run_of(), tmp_path).verdict == "PASS"
