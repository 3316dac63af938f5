"""What a suite asks for and is not there is told before anything is spent."""

from pathlib import Path

import pytest

from raft.errors import DataError
from ratf.models.known import must_be_known
from ratf.suite.study import open_study


def test_a_tuner_that_is_not_installed_is_told_with_its_line(
    tiny_at_once: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_at_once.write_text(tiny_at_once.read_text().replace("training: {", "training: {tuner: trl, "))
    study = open_study(tiny_at_once)
    monkeypatch.setattr("raft.tuning.tuners.find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"tiny\.yaml:6: the tuner trl needs trl and datasets: pip install"):
        must_be_known(study, to_run=True)
    must_be_known(study, to_run=False)


def test_a_missing_key_is_told_in_plain_words_with_the_line_that_names_the_model(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "AZUREAI_OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    text = tiny.read_text("utf-8").replace("grader: local/smollm2-135m-instruct", "grader: openai/gpt-x")
    tiny.write_text(f"# openai/gpt-x grades; a comment is not where it is named\n{text}", "utf-8")
    with pytest.raises(DataError) as told:
        must_be_known(open_study(tiny), to_run=True)
    assert f"{tiny}:9: openai/gpt-x: " in str(told.value) and "OPENAI_API_KEY" in str(told.value)
    assert "[bold]" not in str(told.value) and "ERROR:" not in str(told.value)
