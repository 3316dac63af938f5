"""The JSON Schemas for editors: what the program reads is valid, and what it refuses is not."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from places import REPOSITORY

from raft.errors import DataError
from ratf.commands.schema import SCHEMAS, schema_of
from ratf.suite.rubric import RUBRICS
from ratf.suite.suite import load_suite
from ratf.sweep.sweep import crosses, open_sweep

MANY = {"name": "s", "people": ["marrack", "pell"], "arms": ["baseline"], "metrics": ["rouge_l"]}
ONE = {"name": "s", "person": "marrack", "impostors": ["pell"], "metrics": ["rouge_l", "style_identity"]}


def errors(kind: str, value: dict[str, Any]) -> list[str]:
    schema = json.loads(schema_of(kind))
    jsonschema.Draft202012Validator.check_schema(schema)
    plain = json.loads(json.dumps(value, default=str))
    return [e.message for e in jsonschema.Draft202012Validator(schema).iter_errors(plain)]


@pytest.mark.parametrize("path", sorted((REPOSITORY / "benchmarks").glob("*.yaml")), ids=lambda p: p.stem)
def test_every_suite_that_comes_along_is_valid(path: Path) -> None:
    assert errors("suite", yaml.safe_load(path.read_text("utf-8"))) == []


@pytest.mark.parametrize("path", sorted(RUBRICS.glob("*.yaml")), ids=lambda p: p.stem)
def test_every_judge_that_comes_along_is_valid(path: Path) -> None:
    assert errors("judge", yaml.safe_load(path.read_text("utf-8"))) == []


def test_the_policy_that_comes_along_is_valid_and_another_sentence_is_not() -> None:
    policy = yaml.safe_load((REPOSITORY / "docs" / "ci" / "policy.yaml").read_text("utf-8"))
    assert errors("policy", policy) == []
    assert errors("policy", {"critical": ["raft is nicer than baseline"]}) != []
    assert errors("policy", {"supporting": ["errors 0"]}) != [], "a policy needs a critical rule"


VALID: list[dict[str, Any]] = [
    ONE,
    {**ONE, "metrics": ["judge_of_my_own"]},
    {**ONE, "controls": ["real", True]},
    {**ONE, "models": {"knowledge_cutoff": "2024-01-01", "grader": ["openai/a", "openai/b"]}},
    {**ONE, "arms": ["baseline", {"name": "mine", "answers": "a.jsonl"}], "primary": {"metric": "both"}},
    {**ONE, "people": {"pell": {"name": "P", "introduction": "a banker"}}},
    MANY,
    {**MANY, "impostors": {"marrack": ["pell"], "pell": "others"}, "matrix": {"memories.k": [1, 3]}},
]
WRONG: list[dict[str, Any]] = [
    {**ONE, "metrix": ["rouge_l"]},
    {**ONE, "metrics": ["rouge_9"]},
    {**ONE, "arms": ["barf"]},
    {**ONE, "arms": [{"name": "mine", "answers": "a.jsonl", "model": "openai/x"}]},
    {**ONE, "memories": {"k": 0}},
    {**ONE, "rubrics": {}, "own": []},
    {"name": "s", "impostors": ["pell"]},
    {**MANY, "impostors": "everybody"},
    {**MANY, "matrix": {"memories.k": []}},
]


@pytest.mark.parametrize("suite", VALID)
def test_a_valid_suite_is_valid_for_an_editor(suite: dict[str, Any]) -> None:
    assert errors("suite", suite) == []


@pytest.mark.parametrize("suite", WRONG)
def test_a_wrong_suite_is_marked_and_is_refused_by_the_program_as_well(suite: dict[str, Any], tmp_path: Path) -> None:
    assert errors("suite", suite) != []
    path = tmp_path / "suite.yaml"
    path.write_text(yaml.safe_dump(suite), "utf-8")
    if "own" not in suite:
        with pytest.raises(DataError):
            open_sweep(path) if crosses(suite) else load_suite(path)


def test_an_editor_is_told_the_names_and_what_a_key_means() -> None:
    schema = SCHEMAS["suite"]()
    assert "raft_none" in schema["properties"]["arms"]["items"]["anyOf"][0]["enum"]
    assert "judge_stance" in schema["properties"]["metrics"]["items"]["anyOf"][0]["enum"]
    parts = [schema, *schema["$defs"].values()]
    keys = [(name, key) for part in parts for name, key in part.get("properties", {}).items()]
    assert len(keys) > 60 and [name for name, key in keys if not (key.get("description") or "$ref" in key)] == []
