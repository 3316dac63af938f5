"""What is shown while a suite is answered: only the answers that are waited for are counted."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import read_eval_log
from small_suite import characters, small

from ratf.results.folder import newest_logs
from ratf.runner.run import run
from ratf.suite.arms import ARMS
from ratf.suite.study import open_study


def test_only_answers_that_a_model_gives_are_counted(
    tmp_path: Path, hosted: Any, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Controls have their answers already: counted, they made the time left look ten times as long."""
    characters(tmp_path)
    study = small(tmp_path)
    shown: list[tuple[str, int, str]] = []
    counted: dict[str, int] = {}

    @contextmanager
    def progress(what: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        shown.append((what, total, unit))
        counted[what] = 0

        def advance(n: int) -> None:
            counted[what] += n

        yield advance

    assert study.path is not None
    run(study.path, study.person.folder.parent, tmp_path / "run", progress=progress)
    assert ("answering", 2 * 18, "answers") in shown and counted["answering"] == 2 * 18
    assert "examining the judge stance" in counted

    # controls carry their own names in Inspect's viewer, and no model that was never asked for them
    logs = newest_logs(tmp_path / "run" / "logs", open_study(study.path, study.person.folder.parent).digest)
    for name, log in logs.items():
        assert log.eval.task_display_name == f"marrack · {'control: ' if name not in ARMS else ''}{name}"
        assert (log.eval.model == "none/none") == (name not in ARMS)
        assert (not log.eval.model_roles) == (name not in ARMS)
    whole = read_eval_log(logs["real"].location)
    assert {s.output.model for s in whole.samples or []} == {"control: real"}
    assert all(not s.model_usage for s in whole.samples or [])
