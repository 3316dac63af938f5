"""The pytest plugin: a `ratf` fixture that runs suites and reports each rule of a policy as a subtest of the test.

What a test may write after the suite, and what `pytest --ratf=…` takes, are the options of the command `ratf run`.
"""

import inspect
import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

# pytest loads this at every start: nothing of ratf's is imported before a test asks for it
if TYPE_CHECKING:
    from ratf.gate.gate import Checked
    from ratf.gate.rules import RuleResult
    from ratf.results.results import Results
    from ratf.sweep.records import SweepResults

OF_PYTHON = ("limits", "progress", "tell")
"""What `ratf.run` takes in Python under names of its own; a test may write these as well."""


class Run:
    """A finished run, to be checked. `results` are None where only some cells of many were run."""

    def __init__(
        self,
        results: "Results | SweepResults | None",
        folder: Path,
        request: pytest.FixtureRequest,
        failed: Mapping[str, str] | None = None,
        zero_on: tuple[Any, ...] = (),
    ) -> None:
        self.results = results
        self.folder = folder
        self._request = request
        self._failed, self._zero_on = failed or {}, zero_on

    def check(self, policy: str | Path | None = None, baseline: str | Path | None = None) -> "Checked":
        """Judge the run as `ratf check` does, report each rule, and fail this test unless the verdict is PASS.

        A critical rule that does not hold is reported as failed, a rule of another tier as skipped. The test passes on a
        verdict that the option `exit_zero_on` names. Of many people or settings, the verdict is over all of them.
        """
        from raft.lock import waiting
        from ratf.commands.check import judged
        from ratf.commands.exit_codes import exit_code
        from ratf.gate.gate import save_check
        from ratf.results.folder import one_at_a_time

        if self.results is None:
            failed = "; ".join(f"{cell}: {why}" for cell, why in self._failed.items())
            why = f"cells failed: {failed}" if failed else "only some of the cells were run, and they are not joined"
            pytest.fail(f"NOT MEASURED: {why}", pytrace=False)
        _, checked = judged(self.folder, Path(policy) if policy else None, Path(baseline) if baseline else None)
        with waiting(), one_at_a_time(self.folder if self.folder.is_dir() else self.folder.parent):
            save_check(checked, self.folder)
        forgiven = exit_code(checked.verdict, False, self._zero_on) == 0
        for rule in checked.rules:
            self._report(rule, forgiven)
        if not forgiven:
            pytest.fail(f"{checked.verdict}: {checked.sentence}", pytrace=False)
        return checked

    def _report(self, rule: "RuleResult", forgiven: bool) -> None:
        told = "" if rule.verdict == "PASS" else f"{rule.verdict}: {rule.sentence}"
        fails = bool(told) and rule.tier == "critical" and not forgiven
        self._request.node.user_properties.append((f"ratf: {rule.rule}", told or "PASS"))  # JUnit has them
        subtests = _subtests(self._request)
        if subtests is not None:
            with subtests.test(msg=rule.rule):
                if fails:
                    pytest.fail(f"{rule.rule}: {told}", pytrace=False)
                if told:
                    pytest.skip(f"{rule.tier}: {told}")
            return
        item = self._request.node
        path, line, _ = item.location
        where: Any = told if fails else (path, line or 0, f"{rule.tier}: {told}") if told else None
        report = pytest.TestReport(
            nodeid=item.nodeid,
            location=(path, line, f"{item.name}[{rule.rule}]"),
            keywords={},
            outcome="failed" if fails else "skipped" if told else "passed",
            longrepr=where,
            when="call",
            ratf_rule=rule.rule,
        )
        item.ihook.pytest_runtest_logreport(report=report)


def _subtests(request: pytest.FixtureRequest) -> Any:
    """The fixture `subtests`, which pytest has from version 9 on; None in an older one."""
    try:
        return request.getfixturevalue("subtests")
    except pytest.FixtureLookupError:
        return None


class Suites:
    """The object that the fixture gives: `ratf.run("suite.yaml").check("policy.yaml")`."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._request = request

    def run(
        self, suite: str | Path, data: str | Path | None = None, out: str | Path | None = None, **options: Any
    ) -> Run:
        """Run a suite as `ratf run` does, or take up its finished run. Workers of pytest-xdist wait for each other.

        `options` are the command's, by their names: `replay="recording"`, `budget_usd=2`, `workers=4`,
        `only=["person=ada"]`, and so on; `limits`, `tell` and `progress` of `ratf.run` are taken as well. What
        `pytest --ratf=…` gives comes before what a test writes. A run that stops at a limit, or because a service does
        not reply, fails the test as NOT MEASURED.

        Raises TypeError, with the names of all options, for another name.
        """
        from raft.progress import silent
        from ratf.commands.run import carry_out
        from ratf.models.budget import Limits, Stopped
        from ratf.runner.run import Outcome

        known = defaults()
        if strange := sorted(options.keys() - known.keys() - set(OF_PYTHON)):
            raise TypeError(
                f"ratf.run has no option {', '.join(strange)}; there are: {', '.join([*known, *OF_PYTHON])}"
            )
        limits: Limits | None = options.pop("limits", None)
        spelt = dict(zip(("budget_usd", "budget_tokens", "budget_minutes"), _numbers(limits), strict=True))
        before = {"wait": True, "tell": lambda line: None, "progress": silent}
        given = {**known, **before, **(spelt if limits else {}), **options, **self._typed(known)}
        zero_on = tuple(given.pop("exit_zero_on") or ())
        given.pop("distinct_exit_codes")
        try:
            outcome = carry_out(suite, data, out, **given)
        except Stopped as over:
            pytest.fail(f"NOT MEASURED: {over}", pytrace=False)
        failed = {} if isinstance(outcome, Outcome) else {name: end.error for name, end in outcome.failed.items()}
        return Run(outcome.results, outcome.folder, self._request, failed, zero_on)

    def read(self, folder: str | Path) -> Run:
        """Take up a finished run without running anything."""
        from ratf.results.folder import open_run

        return Run(open_run(Path(folder)), Path(folder), self._request)

    def _typed(self, known: Mapping[str, Any]) -> dict[str, Any]:
        """What `pytest --ratf=…` gives, read as the command reads it. Raises UsageError where the command refuses it."""
        text = self._request.config.getoption("--ratf")
        with _in_usage(text):
            from typer import Typer
            from typer.main import get_command

            from ratf.commands.run import run

            app = Typer()
            app.command()(run)
            command = get_command(app)
            context = command.make_context("ratf run", ["SUITE", *shlex.split(text)])
            return {
                k: context.params[k]
                for k in known
                if (source := context.get_parameter_source(k)) and source.name in ("COMMANDLINE", "ENVIRONMENT")
            }


@contextmanager
def _in_usage(text: str) -> Iterator[None]:
    try:
        yield
    except pytest.UsageError:
        raise
    except Exception as error:  # typer's own errors, and shlex's for a quotation mark that is not closed
        told = getattr(error, "message", "") or str(error)
        raise pytest.UsageError(f"--ratf={text!r}: {told}; `ratf run --help` has the options") from None


def _numbers(limits: Any) -> tuple[Any, Any, Any]:
    return (limits.usd, limits.tokens, limits.minutes) if limits else (None, None, None)


def defaults() -> dict[str, Any]:
    """The options of the command `ratf run` with their defaults, without the suite, the data and the run's folder."""
    from ratf.commands.run import run

    found = inspect.signature(run).parameters.values()
    return {p.name: p.default for p in found if p.name not in ("suite", "data", "out")}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds `--ratf`."""
    parser.getgroup("ratf").addoption(
        "--ratf",
        metavar="OPTIONS",
        default="",
        help="Options of `ratf run` for every suite that tests run, as --ratf='--replay recording --budget-usd 2'.",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Before pytest 9, a rule's report becomes a test of its own; in a worker of pytest-xdist it must still be called as the test is."""
    rule = getattr(report, "ratf_rule", None)
    if rule is not None and "PYTEST_XDIST_WORKER" not in os.environ:
        report.nodeid = f"{report.nodeid}[{rule}]"


@pytest.fixture
def ratf(request: pytest.FixtureRequest) -> Suites:
    """Runs suites of RATF and checks them: `ratf.run("suite.yaml").check("policy.yaml")`."""
    return Suites(request)
