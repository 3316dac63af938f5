"""The pytest plugin: a `ratf` fixture that runs suites and reports each rule of a policy as a test of its own."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

# pytest loads this at every start: nothing of ratf's is imported before a test asks for it
if TYPE_CHECKING:
    from ratf.gate.gate import Checked
    from ratf.gate.rules import RuleResult
    from ratf.results.results import Results


class Run:
    """A finished run, to be checked."""

    def __init__(self, results: "Results", folder: Path, request: pytest.FixtureRequest) -> None:
        self.results = results
        self.folder = folder
        self._request = request

    def check(self, policy: str | Path | None = None, baseline: str | Path | None = None) -> "Checked":
        """Judge the run as `ratf check` does, report each rule, and fail this test unless the verdict is PASS.

        A critical rule that does not hold is reported as failed, a rule of another tier as skipped.
        """
        from raft.lock import waiting
        from ratf.gate.gate import check, save_check
        from ratf.gate.policy import load_policy
        from ratf.results.folder import one_at_a_time
        from ratf.results.snapshot import load_baseline

        rules = load_policy(Path(policy)) if policy else None
        before = load_baseline(Path(baseline)) if baseline else None
        checked = check(self.results, before, rules, str(baseline or ""))
        with waiting(), one_at_a_time(self.folder if self.folder.is_dir() else self.folder.parent):
            save_check(checked, self.folder)
        for rule in checked.rules:
            self._report(rule)
        if checked.exit_code:
            pytest.fail(f"{checked.verdict}: {checked.sentence}", pytrace=False)
        return checked

    def _report(self, rule: "RuleResult") -> None:
        item = self._request.node
        path, line, _ = item.location
        outcome = "passed"
        told: str | tuple[str, int, str] | None = None
        if rule.verdict != "PASS" and rule.tier == "critical":
            outcome, told = "failed", f"{rule.verdict}: {rule.sentence}"
        elif rule.verdict != "PASS":
            outcome, told = "skipped", (path, line or 0, f"{rule.tier}: {rule.verdict}: {rule.sentence}")
        report = pytest.TestReport(
            nodeid=item.nodeid,
            location=(path, line, f"{item.name}[{rule.rule}]"),
            keywords={},
            outcome=outcome,  # type: ignore[arg-type]
            longrepr=told,
            when="call",
            ratf_rule=rule.rule,
        )
        item.ihook.pytest_runtest_logreport(report=report)


class Suites:
    """The object that the fixture gives: `ratf.run("suite.yaml").check("policy.yaml")`."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._request = request

    def run(self, suite: str | Path, data: str | Path | None = None, out: str | Path | None = None, **how: Any) -> Run:
        """Run a suite as `ratf run` does, or take up its finished run. Workers of pytest-xdist wait for each other.

        `how` are the keyword arguments of `ratf.runner.run.run`: `replay`, `record`, `limits`, `prices`, and so on. A run
        that stops at a limit, or because a service does not reply, fails the test as NOT MEASURED.
        """
        from ratf.models.budget import Stopped
        from ratf.runner.run import run as carry_out

        try:
            outcome = carry_out(suite, data, out, **{"wait": True, **how})
        except Stopped as over:
            pytest.fail(f"NOT MEASURED: {over}", pytrace=False)
        return Run(outcome.results, outcome.folder, self._request)

    def read(self, folder: str | Path) -> Run:
        """Take up a finished run without running anything."""
        from ratf.results.folder import open_run

        return Run(open_run(Path(folder)), Path(folder), self._request)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """A rule's report becomes a test of its own; in a worker of pytest-xdist it must still be called as the test is."""
    rule = getattr(report, "ratf_rule", None)
    if rule is not None and "PYTEST_XDIST_WORKER" not in os.environ:
        report.nodeid = f"{report.nodeid}[{rule}]"


@pytest.fixture
def ratf(request: pytest.FixtureRequest) -> Suites:
    """Runs suites of RATF and checks them: `ratf.run("suite.yaml").check("policy.yaml")`."""
    return Suites(request)
