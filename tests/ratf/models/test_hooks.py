"""What Inspect is spared while a run's tasks begin."""

import pytest
from inspect_ai._eval.task import log
from inspect_ai._util import package

from ratf.models.hooks import looked_up_once


def test_installed_packages_and_git_are_looked_up_once_for_all_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(package, "packages_distributions", lambda: asked.append("packages") or {})
    monkeypatch.setattr(log, "git_context", lambda: asked.append("git"))
    before = package.packages_distributions, log.git_context
    with pytest.raises(ZeroDivisionError), looked_up_once():
        for _ in range(3):
            package.packages_distributions(), log.git_context()
        assert asked == ["packages", "git"]
        raise ZeroDivisionError
    assert (package.packages_distributions, log.git_context) == before, "also after an error"
