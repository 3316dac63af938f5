"""A checked run as JUnit XML: one case a rule."""

import re
from typing import Any

from ratf.gate.gate import Checked
from ratf.gate.rules import RuleResult

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(checked: Checked) -> str:
    """The JUnit XML of a checked run: a regression is a failure, what was not measured an error.

    What does not count is skipped with its reason. Where the run can't be judged at all, one more case says why.
    """
    from junitparser import Error, JUnitXml, TestCase, TestSuite

    suite = TestSuite(f"ratf.{_clean(checked.suite)}")
    suite.add_property("digest", checked.digest)
    suite.add_property("verdict", checked.verdict)
    if checked.against:
        suite.add_property("against", _clean(checked.against))
    for rule in checked.rules:
        case = TestCase(_clean(rule.rule), classname=f"ratf.{_clean(checked.suite)}.{rule.tier}")
        if rule.verdict != "PASS":
            case.result = [_result(rule)]
        suite.add_testcase(case)
    if checked.trouble:
        case = TestCase("the run can be judged", classname=f"ratf.{_clean(checked.suite)}")
        case.result = [Error(_clean("; ".join(checked.trouble)), checked.verdict)]
        suite.add_testcase(case)
    xml = JUnitXml("ratf")
    xml.add_testsuite(suite)
    xml.update_statistics()
    written = xml.tostring()
    return (written.decode("utf-8") if isinstance(written, bytes) else str(written)) + "\n"


def _result(rule: RuleResult) -> Any:
    from junitparser import Error, Failure, Skipped

    told = _clean(rule.sentence)
    if rule.verdict == "REGRESSION" and rule.tier != "advisory":
        return Failure(told, rule.verdict)
    if rule.tier == "critical":
        return Error(told, rule.verdict)
    return Skipped(f"{rule.tier}: {rule.verdict}: {told}", rule.verdict)


def _clean(text: str) -> str:
    return _NOT_XML.sub("", text)
