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
