"""Judges a finished run, as `ratf check` does, by a policy and against a reference run if there is one; it runs nothing.

A rule is NOT MEASURED, or it has a verdict from the paired differences of its questions, clustered by interview. A rule
has failed only when the drop is significant after Holm's correction over the comparisons of its tier, so that the
policy as a whole fails by chance at most as often as one comparison would. Passing needs no correction: all critical
rules must.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from raft.errors import DataError
from raft.files import set_aside, write_whole
from raft.formats.json_file import parse_model, read_bytes
from ratf.gate.policy import TIERS, Policy, default_policy, load_policy
from ratf.gate.rules import GUARDS, JUDGES, Finding, RuleCase, RuleResult, cut_told, decided, sides
from ratf.results.comparable import differences, run_digest
from ratf.results.loading import load
from ratf.results.record import Record
from ratf.results.results import EXIT_CODES, Results, Verdict
from ratf.results.snapshot import Snapshot, load_baseline, snapshot
from ratf.statistics.estimates import FEW_CLUSTERS, holm
from ratf.statistics.verdict import not_measured
from ratf.suite.metrics import METRICS, is_own
from ratf.suite.own_metrics import facts_in


class Checked(Record):
    """The verdict on a run."""

    suite: str
    digest: str
    results: str
    """The digest of the results that were judged, so that a later run's are not taken for them."""
    against: str
    """The reference run, in words; empty where there is none."""
    verdict: Verdict
    sentence: str
    trouble: list[str]
    """The reasons why the run cannot be judged at all, whatever its rules say."""
    rules: list[RuleResult]
    notes: list[str]

    @property
    def exit_code(self) -> int:
        """0 PASS, 1 REGRESSION, 2 where nothing could be told."""
        return EXIT_CODES[self.verdict]


_WORST_FIRST: tuple[Verdict, ...] = ("REGRESSION", "NOT MEASURED", "INCONCLUSIVE")


def check(
    run: Results | Path | str,
    baseline: Snapshot | Results | Path | str | None = None,
    policy: Policy | Path | str | None = None,
    against: str = "",
) -> Checked:
    """Judge a finished run by a policy, and against a reference run where one is given; nothing is run or written.

    `run` and `baseline` are results or where they are: a run's folder, its `results.json`, a bundle; for the baseline
    also a file of `ratf baseline save`. `policy` is one or its YAML file; without one it is `default_policy`. `against`
    names the baseline in words, by default its path. The outcome has the verdict, a sentence, every rule's own verdict
    and `exit_code`. Raises DataError where a file is no policy, and RaftError where a run cannot be read.
    """
    if isinstance(policy, str | Path):
        policy = load_policy(Path(policy))
    results = run if isinstance(run, Results) else load(run)
    if isinstance(baseline, str | Path):
        against = against or str(baseline)
        baseline = load_baseline(Path(baseline))
    elif isinstance(baseline, Results):
        baseline = snapshot(baseline)
    policy = policy or default_policy(results, baseline is not None)
    case = RuleCase(results, snapshot(results), baseline, policy)
    trouble = [sentence for look in TROUBLE for sentence in look(case)]
    findings = [JUDGES[rule.kind](rule, case) for rule in policy.rules]
    verdict, sentence = settle(findings, trouble)
    silent = not_measured([*results.exam, *results.more_exams])
    sentence = f"{sentence}. {silent}" if silent else sentence
    return Checked(
        suite=results.suite["name"],
        digest=results.digest,
        results=_digest(results),
        against=against,
        verdict=verdict,
        sentence=sentence,
        trouble=trouble,
        rules=[f.result for f in findings],
        notes=list(_notes(case, findings)),
    )


def why_not_measured(results: Results) -> list[str]:
    """What keeps a run from being measured, by the rules that hold wherever no policy says otherwise.

    They are those of `check`: TROUBLE, and the guards of the default policy, which is about errors and unscored answers.
    """
    policy = default_policy(results, with_baseline=False)
    case = RuleCase(results, snapshot(results), None, policy)
    guards = [JUDGES[rule.kind](rule, case).result for rule in policy.rules if rule.kind in GUARDS]
    # the guard about errors says more of an arm that has nothing else
    trouble = [sentence for look in TROUBLE if look is not _all_errored for sentence in look(case)]
    return [*trouble, *(guard.sentence for guard in guards if guard.verdict != "PASS")]


def settle(findings: list[Finding], trouble: list[str]) -> tuple[Verdict, str]:
    """Decide the comparisons, tier by tier, and then the verdict of the whole. Changes the findings' results in place.

    Trouble and broken guards come first: what was not measured is no regression, and never a pass.
    """
    for tier in TIERS:
        family = [f for f in findings if f.gain is not None and f.rule.tier == tier]
        for finding, p in zip(family, holm([f.p for f in family]), strict=True):
            finding.result = decided(finding, p, len(family))
    critical = [f for f in findings if f.rule.tier == "critical"]
    guards = [f.result for f in critical if f.rule.kind in GUARDS]
    others = [f.result for f in critical if f.rule.kind not in GUARDS]
    shown = [f.result for f in findings if f.demoted]
    fallen = [f.result for f in findings if f.rule.tier == "supporting" and f.result.verdict == "REGRESSION"]
    broken = [r.sentence for r in guards if r.verdict != "PASS"]
    if trouble or broken:
        return "NOT MEASURED", "; ".join([*trouble, *broken])
    for verdict in _WORST_FIRST:
        found = [r.sentence for r in others if r.verdict == verdict]
        if found:
            also = ", ".join(f"{r.rule} ({r.difference or 0:+.2f})" for r in fallen)
            return verdict, "; ".join(found) + (f"; also broken: {also}" if also and verdict == "REGRESSION" else "")
    if fallen:
        return "INCONCLUSIVE", "every critical rule holds, but " + "; ".join(r.sentence for r in fallen)
    if shown and not others:
        return "INCONCLUSIVE", "no rule could decide: " + "; ".join(r.sentence for r in shown)
    if not critical:
        return "NOT MEASURED", "the policy has no critical rule"
    return "PASS", "; ".join(r.sentence for r in others or guards)


def _empty(case: RuleCase) -> Iterator[str]:
    if not case.results.questions:
        yield "the suite asked no question"


def _missing_arms(case: RuleCase) -> Iterator[str]:
    suite = case.results.suite
    asked = [*suite.get("arms", []), *(arm["name"] for arm in suite.get("own", []))]
    missing = [arm for arm in asked if arm not in case.results.arms]
    if missing:
        yield f"the run has no answers of the suite's arms {', '.join(missing)}"


def _unanswered(case: RuleCase) -> Iterator[str]:
    asked = case.results.held_out.get("questions", len(case.results.questions))
    for arm, rows in case.run.scores.items():
        if len(rows) < asked:
            yield f"{arm} answered {len(rows)} of {asked} questions: the run was not finished"


def _asked_less_often(case: RuleCase) -> Iterator[str]:
    wanted = case.results.suite.get("answers", {}).get("samples", 1)
    given = {a["name"] for a in case.results.suite.get("own", []) if a.get("answers") or a.get("log")}
    for arm in case.run.scores.keys() - given:
        if any(cell.answers < wanted for cell in case.results.arms[arm].metrics.values()):
            yield f"{arm} answered some questions fewer than {wanted} times: the run was not finished"


def _all_errored(case: RuleCase) -> Iterator[str]:
    for arm, rows in case.run.scores.items():
        if rows and case.results.arms[arm].errors >= len(rows):
            yield f"all {len(rows)} answers of {arm} ended in an error"


def _over_budget(case: RuleCase) -> Iterator[str]:
    if case.results.budget and case.results.budget.over:
        yield f"the run went over its budget: {case.results.budget.over}"


def _turned(case: RuleCase) -> Iterator[str]:
    for name, facts in case.results.metrics.items():
        known = METRICS.get(name) or (facts_in(case.results.suite, name) if is_own(name) else None)
        if facts["better"] and known and facts["better"] != known.better:
            better = known.better or "neither way"
            yield f"the results say that {facts['better']} is better on {name}, which it is not: {better} is"


def _not_comparable(case: RuleCase) -> Iterator[str]:
    if case.baseline:
        found = differences(case.run, case.baseline, case.policy.may_differ)
        if found:
            yield "the reference run did not measure the same thing: " + "; ".join(found)


TROUBLE: list[Callable[[RuleCase], Iterator[str]]] = [
    _empty,
    _missing_arms,
    _unanswered,
    _asked_less_often,
    _all_errored,
    _over_budget,
    _turned,
    _not_comparable,
]


def _notes(case: RuleCase, findings: list[Finding]) -> Iterator[str]:
    """The notes that a reader should know beside the verdict."""
    if case.results.replayed:
        yield f"Replayed: no model was asked; the replies are from {case.results.replayed}."
    yield from (f"{told}." for told in cut_told(case.results))
    interviews = {f.result.n_interviews for f in findings if f.gain is not None}
    if interviews and min(interviews) < FEW_CLUSTERS:
        few = min(interviews)
        yield (
            f"Only {few} interviews: intervals from fewer than {FEW_CLUSTERS} are shaky, and their sign-flips could never be "
            f"significant (smallest p: {2 / 2**few:.2g})."
        )
    if case.baseline:
        now, then = set(case.run.interviews), set(case.baseline.interviews)
        for where, only in (("this run", now - then), ("the reference run", then - now)):
            if only:
                yield f"{len(only)} questions are in {where} only: {_named(only)}."
    for finding in (f for f in findings if f.gain is not None):
        ours, theirs = sides(finding.rule, case)
        if alone := ours.keys() ^ theirs.keys():
            yield f"{finding.rule.text}: {len(alone)} questions have a score on one side only: {_named(alone)}."


def _named(names: Iterable[str]) -> str:
    several = sorted(names)
    return ", ".join(several[:10]) + (f" and {len(several) - 10} more" if len(several) > 10 else "")


def save_check(checked: Checked, folder: Path) -> None:
    """Keep a verdict beside the results that it is about."""
    path = folder if folder.is_dir() else folder.parent
    write_whole(path / "check.json", checked.model_dump_json(indent=1) + "\n")


def last_check(results: Results, folder: Path) -> Checked:
    """The verdict that was kept for exactly these results; without one, that of the default policy."""
    return kept_check(results, folder) or check(results)


def kept_check(results: Results, folder: Path) -> Checked | None:
    """The verdict that `ratf check` kept for exactly these results; None where there is none.

    A file that holds no verdict of this version is set aside.
    """
    path = (folder if folder.is_dir() else folder.parent) / "check.json"
    if not path.is_file():
        return None
    try:
        kept = parse_model(read_bytes(path), Checked, "not a verdict of this version")
    except DataError as error:
        set_aside(path, str(error))
        return None
    return kept if kept.results == _digest(results) else None


def _digest(results: Results) -> str:
    return run_digest(results)[:16]
