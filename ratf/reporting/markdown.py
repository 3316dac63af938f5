"""A checked run in at most 60 lines of Markdown, for a pull request or a GitHub step, and as GitHub's annotations."""

from collections.abc import Iterator, Sequence

from raft.text import plain
from ratf.gate.gate import Checked
from ratf.pages.text import ICONS, in_markdown, interval, p_value, value
from ratf.reporting.top.licences import agreement, by_sentence
from ratf.results.results import Cell, Results
from ratf.statistics.attribution import findings
from ratf.statistics.verdict import not_below_zero, signed

RULES, ARMS, METRICS, CONTRASTS, FALLEN, NOTES = 12, 9, 5, 5, 4, 5
"""The greatest numbers of rules, arms, metrics, comparisons, fallen rules and notes shown; hidden ones are counted."""


def markdown(results: Results, checked: Checked) -> str:
    """The Markdown of a checked run: the verdict first, and sections only where there is something to say."""
    sections = [_head, _rules, _fallen, _scores, _licences, _contrasts, _attribution, _notes]
    lines = [line for section in sections for line in section(results, checked)]
    return "\n".join(lines) + "\n"


def annotations(checked: Checked) -> Iterator[str]:
    """Workflow commands of GitHub Actions: an error for each critical rule that does not hold, a warning for the others."""
    if checked.exit_code:
        yield f"::error title={_property(f'RATF: {checked.verdict}')}::{_data(checked.sentence)}"
    for rule in checked.rules:
        if rule.verdict != "PASS":
            level = "error" if rule.tier == "critical" else "warning"
            yield f"::{level} title={_property(f'{rule.verdict}: {rule.rule}')}::{_data(rule.sentence)}"


def _head(results: Results, checked: Checked) -> Iterator[str]:
    yield f"## {ICONS[checked.verdict]} {checked.verdict} · {in_markdown(results.suite['name'])}"
    yield ""
    yield f"{in_markdown(checked.sentence)}."
    asked = len(results.questions)
    against = f" Against {in_markdown(checked.against)}." if checked.against else ""
    yield ""
    yield f"<sub>{asked} questions · suite `{code(results.digest)}` · data `{code(results.data_digest)}`.{against}</sub>"


def _rules(_: Results, checked: Checked) -> Iterator[str]:
    if checked.rules:
        yield from ("", "| rule | tier | | result |", "|---|---|---|---|")
    shown = sorted(checked.rules, key=lambda r: r.verdict == "PASS")[:RULES]
    for r in shown:
        yield f"| {in_markdown(r.rule)} | {r.tier} | {ICONS[r.verdict]} {r.verdict} | {in_markdown(r.sentence)} |"
    yield from _hidden("rules", checked.rules, shown, "| … and {} | | | |")


def _fallen(_: Results, checked: Checked) -> Iterator[str]:
    fallen = [r for r in checked.rules if r.questions and r.verdict == "REGRESSION"]
    if fallen:
        yield from ("", "**Fell most**", "")
    for r in fallen[:FALLEN]:
        yield f"- {in_markdown(r.rule)}: " + ", ".join(f"`{code(q)}`" for q in r.questions)
    yield from _hidden("rules", fallen, fallen[:FALLEN], "- … and {}")


def _shown(results: Results) -> list[str]:
    """The metrics that are shown: the one that decides, and the first of the admitted."""
    admitted = [e.metric for e in results.exam if e.admitted]
    return [m for m in dict.fromkeys([*results.primary_metrics, *admitted]) if m in results.metrics][:METRICS]


def _scores(results: Results, _: Checked) -> Iterator[str]:
    metrics = _shown(results)
    if not metrics or not results.arms:
        return
    yield from ("", f"| arm | {' | '.join(map(in_markdown, metrics))} |", "|---|" + "---|" * len(metrics))
    arms = list(results.arms.items())
    for name, arm in arms[:ARMS]:
        cells = [_cell(arm.metrics.get(m), results.metrics[m]["top"]) for m in metrics]
        yield f"| {in_markdown(name)} | {' | '.join(cells)} |"
    yield from _hidden("arms", arms, arms[:ARMS], "| … and {} |" + " |" * len(metrics))


def _cell(cell: Cell | None, top: float | None) -> str:
    return f"{value(cell)} ({interval(cell, top)})" if cell else "n/a"


def _licences(results: Results, _: Checked) -> Iterator[str]:
    """Of the metrics that the table of scores shows, what each may say, and who may speak of agreement."""
    same = by_sentence(results, _shown(results))
    told = [f"{in_markdown(', '.join(metrics))}: {in_markdown(sentence)}." for sentence, metrics in same.items()]
    told += [f"{in_markdown(said)}."] if (said := agreement(results)) else []
    if told:
        yield from ("", f"<sub>{' '.join(told)}</sub>")


def _contrasts(results: Results, _: Checked) -> Iterator[str]:
    primary = results.suite["primary"]["metric"]
    found = [c for c in results.comparisons if c.metric == primary and c.difference is not None]
    if found:
        yield from ("", f"| {in_markdown(primary)} | difference | in sd | p (Holm) | can see | n |", "|---" * 6 + "|")
    for c in found[:CONTRASTS]:
        p = p_value(c.p_holm)
        see = "n/a" if c.smallest_detectable is None else f"{c.smallest_detectable:.2g}"
        told = signed(c.difference or 0.0, c.low, c.high)
        sd = "n/a" if c.standardised is None else f"{not_below_zero(c.standardised, 2):+.2f}"
        yield f"| {c.a} − {c.b} | {told} | {sd} | {p} | {see} | {c.n_questions} in {c.n_interviews} |"
    yield from _hidden("comparisons", found, found[:CONTRASTS], "| … and {} | | | | | |")


def _attribution(results: Results, _: Checked) -> Iterator[str]:
    primary = results.suite["primary"]["metric"]
    effects = [e for e in results.attribution.effects if e.metric == primary] if results.attribution else []
    if effects:
        told = findings(effects, results.metrics[primary].get("better") == "lower")
        yield from ("", f"**What made the difference**, on {in_markdown(primary)}. {in_markdown(told)}")


def _notes(results: Results, checked: Checked) -> Iterator[str]:
    notes = [*checked.notes, *results.notes]
    if notes:
        yield ""
    yield from (f"- {in_markdown(note)}" for note in notes[:NOTES])
    yield from _hidden("notes", notes, notes[:NOTES], "- … and {}")


def _hidden(what: str, everything: Sequence[object], shown: Sequence[object], form: str) -> Iterator[str]:
    if len(everything) > len(shown):
        yield form.format(f"{len(everything) - len(shown)} more {what}")


def code(said: str) -> str:
    """Text made safe to stand between backticks, also in a table."""
    return " ".join(plain(said).split()).replace("`", "'").replace("|", "/")


def _data(said: str) -> str:
    return plain(said).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(said: str) -> str:
    return _data(said).replace(":", "%3A").replace(",", "%2C")
