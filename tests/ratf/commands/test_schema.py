"""`ratf schema`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ratf.cli import app
from ratf.commands.schema import SCHEMAS


@pytest.mark.parametrize("kind", list(SCHEMAS))
def test_a_schema_is_printed_or_written(kind: str, tmp_path: Path) -> None:
    printed = CliRunner().invoke(app, ["schema", kind])
    assert printed.exit_code == 0 and json.loads(printed.output)["$schema"].startswith("https://json-schema.org/")
    written = CliRunner().invoke(app, ["schema", kind, "--out", str(tmp_path / "s.json")])
    assert written.exit_code == 0 and (tmp_path / "s.json").read_text("utf-8") == printed.output


def test_the_schema_of_a_suite_is_the_default_and_another_kind_is_refused() -> None:
    assert '"A suite of RATF"' in CliRunner().invoke(app, ["schema"]).output
    refused = CliRunner().invoke(app, ["schema", "poem"])
    assert refused.exit_code == 2
