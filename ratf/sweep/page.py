"""The page of a sweep, and its Markdown: made from its results and nothing else."""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from raft.text import plain
from ratf.pages.axes import labels, padded, places
from ratf.pages.figures import Kind, Row, Rows
from ratf.pages.printed import Table
from ratf.pages.templates import environment, template_digest
from ratf.pages.text import ICONS, beyond, detectable, in_markdown, minus, p_value
from ratf.pages.words import titled
from ratf.reporting.papers.tables import tables as tables_of
from ratf.results.results import Results
from ratf.statistics.estimates import ALPHA
from ratf.statistics.verdict import OF_AXIS, signed
from ratf.suite.metrics import title
from ratf.sweep.records import Best, CellTold, FactorRow, PersonRow, Spread, SweepResults

SHOWN_PEOPLE, SHOWN_CELLS = 40, 20
"""The greatest numbers of rows that stand open; the rest are in a part to open, or counted."""


def render(results: SweepResults, whole: Results | None) -> str:
    """The page as text; the same results give the same bytes. `whole` are the results of all people together."""
    env = environment()
    env.filters |= {"plain": plain, "title": title, "p": p_value, "detectable": detectable, "setting": setting_words}
    metrics = [m for m in (results.primary["metric"], results.primary.get("second")) if m]

    def worded(said: str) -> str:
        return minus(titled(said, whole) if whole else said)

    reports = {c.name: f"cells/{quote(c.name)}/report.html" for c in results.cells if not c.error}
    return (
        env.get_template("sweep/page.html.j2")
        .render(
            s=results,
            one=whole,
            icon=ICONS[results.verdict],
            headline=[_headed(said) for said in worded(results.sentence).split(". ")],
            worded=worded,
            metrics=metrics,
            plots=[_people_plot(results, whole, m) for m in metrics] if results.rows else [],
            contrasts={m: [c for c in whole.comparisons if c.metric == m] for m in metrics} if whole else {},
            spread_words=[spread_words(s) for s in results.spread],
            out=[r for r in results.rows if r.stands_out is not None and r.stands_out <= ALPHA],
            factors=[_factor(results, f, m) for f in results.factors for m in metrics if _rows(results, f, m)],
            best_words=[best_words(b) for b in results.best],
            reports=reports,
            of_person={p: _report_of(results, p, reports) for p in results.people},
            ordered=sorted(results.cells, key=lambda c: not c.error),
            shown_cells=SHOWN_CELLS,
            shown_people=SHOWN_PEOPLE,
            told=told,
            beyond=beyond,
            template_digest=template_digest(),
        )
        .strip()
        + "\n"
    )


def _headed(said: str) -> tuple[str, str]:
    """A sentence of the verdict as the heading of its axis, empty where it has none, and the rest."""
    heading, _, rest = said.partition(": ")
    return (heading, rest) if heading in (*OF_AXIS.values(), "Not measured") else ("", said)


def told(row: Any) -> str:
    """The difference of a row with its interval, with minus signs."""
    return "n/a" if row.difference is None else minus(signed(row.difference, row.low, row.high))


def setting_words(setting: dict[str, Any]) -> str:
    """A setting in words: `memories.k 3, seed 1`."""
    return ", ".join(f"{key} {value}" for key, value in setting.items()) or "the suite's settings"


def _report_of(results: SweepResults, person: str, reports: dict[str, str]) -> str:
    """The page of a person's first cell at the reference setting; empty where there is none."""
    mine = (c for c in results.cells if c.person == person and c.name in reports)
    return next((reports[c.name] for c in mine if all(c.setting[k] == v for k, v in results.reference.items())), "")


def _people_plot(results: SweepResults, whole: Results | None, metric: str) -> dict[str, Any]:
    """A row for all people together and one for each, with places in percent of one axis around 0."""
    pair = (results.primary["better"], results.primary["than"])
    all_of = next((c for c in whole.comparisons if c.metric == metric and (c.a, c.b) == pair), None) if whole else None
    people = sorted(
        (r for r in results.rows if r.metric == metric),
        key=lambda r: (not r.counted, r.difference is None, -(r.difference or 0.0), r.person),
    )
    known: list[Any] = [*people, all_of] if all_of else [*people]
    drawn = _axis([r for r in known if r.difference is not None])
    rows = [_bar(r, drawn, r.person) for r in people if r.difference is not None]
    together = _bar(all_of, drawn, "") if all_of is not None and all_of.difference is not None else None
    return {
        "metric": metric,
        "rows": rows,
        "whole": together,
        "missing": [r for r in people if r.difference is None],
        **drawn,
    }


def _axis(rows: Sequence[Any]) -> dict[str, Any]:
    low, high = padded([0.0, *(v for r in rows for v in (r.difference, r.low, r.high) if v is not None)])
    ticks = [{"at": round(100 - t["at"], 1), "text": minus(t["text"])} for t in labels(low, high)]
    return {"ends": (low, high), "zero": places([0.0], low, high)[0], "ticks": ticks[::-1]}


def _bar(row: Any, drawn: dict[str, Any], name: str) -> dict[str, Any]:
    ends = (row.difference, row.difference) if row.low is None or row.high is None else (row.low, row.high)
    at, low, high = places([row.difference, *ends], *drawn["ends"])
    return {"name": name, "row": row, "at": at, "low": low, "high": high, "told": told(row)}


def _rows(results: SweepResults, factor: str, metric: str) -> list[FactorRow]:
    return [r for r in results.effects if (r.factor, r.metric) == (factor, metric)]


def _factor(results: SweepResults, factor: str, metric: str) -> dict[str, Any]:
    """A factor's table, arm by value, and the plot of the primary comparison's first arm."""
    found = _rows(results, factor, metric)
    arms = list(dict.fromkeys(r.arm for r in found))
    values = results.factors[factor]
    mine = [r for r in found if r.arm == results.primary["better"] and r.difference is not None]
    drawn = _axis(mine)
    cells = [[next((r for r in found if r.arm == a and r.value == v), None) for v in values[1:]] for a in arms]
    return {
        "factor": factor,
        "metric": metric,
        "reference": values[0],
        "values": values[1:],
        "table": list(zip(arms, cells, strict=True)),
        "bars": [_bar(r, drawn, str(r.value)) for r in mine],
        "notes": list(_notes(found, arms)),
        **drawn,
    }


def _notes(found: Sequence[FactorRow], arms: Sequence[str]) -> Iterator[str]:
    """What there is to note of a factor's values, with the arms that it is about where it is not about all."""
    noted: dict[tuple[str, str], list[str]] = {}
    for row in found:
        if row.note:
            noted.setdefault((str(row.value), row.note), []).append(row.arm)
    for (value, note), mine in noted.items():
        whose = "" if len(mine) == len(arms) else f"{', '.join(mine)} at "
        yield f"{whose}{value}: {note}"


def spread_words(spread: Spread) -> str:
    """How much people differ on a metric, in a sentence."""
    if spread.sd is None:
        return f"{title(spread.metric)}: three people with an interval are needed to say how much people differ"
    if spread.sd == 0 or (spread.p is not None and spread.p > ALPHA):
        return (
            f"{title(spread.metric)}: the {spread.people} people differ no more than so few questions of each explain "
            f"(standard deviation between people {spread.sd:.2f}, p {p_value(spread.p)})"
        )
    return (
        f"{title(spread.metric)}: people differ: the true difference varies with a standard deviation of {spread.sd:.2f} "
        f"between the {spread.people} people (p {p_value(spread.p)})"
    )


def best_words(best: Best) -> str:
    """The best setting in a sentence."""
    alike = "; ".join(setting_words(s) for s in best.not_separable[:6])
    more = f" and {len(best.not_separable) - 6} more" if len(best.not_separable) > 6 else ""
    named = f" ({alike}{more})" if alike else ""
    return f"{title(best.metric)} of {best.arm}: {setting_words(best.setting)}, mean {best.mean:.2f}; {minus(best.words)}{named}"


def figures(results: SweepResults, whole: Results | None) -> Iterator[Rows]:
    """Each plot of the page as a figure for papers: the people on each metric of the verdict, and each factor."""
    metrics = [m for m in (results.primary["metric"], results.primary.get("second")) if m]
    compared = f"{results.primary['better']} − {results.primary['than']}"
    for metric in metrics if results.rows else []:
        made = _people_plot(results, whole, metric)
        first = [_figure_row(made["whole"], "all together", "ahead")] if made["whole"] else []
        rows = [
            _figure_row(b, results.people.get(b["name"], b["name"]), "usual" if b["row"].counted else "aside")
            for b in made["rows"]
        ]
        words = f"{compared}, 95 % intervals, that of all over {results.over}"
        if first or rows:
            yield _rows_figure(f"people-{metric}", f"{title(metric)}, person by person", [*first, *rows], made, words)
    for factor in results.factors:
        for metric in metrics:
            if (made := _factor(results, factor, metric))["bars"]:
                rows = [_figure_row(b, b["name"], "usual") for b in made["bars"]]
                words = f"{results.primary['better']}: difference to {factor} {made['reference']}, 95 % intervals"
                yield _rows_figure(f"{factor}-{metric}", f"{factor}: {title(metric)}", rows, made, words)


def _figure_row(bar: dict[str, Any], name: str, kind: Kind) -> Row:
    return Row(name, bar["at"], bar["low"], bar["high"], bar["told"], kind)


def _rows_figure(name: str, head: str, rows: Sequence[Row], made: dict[str, Any], words: str) -> Rows:
    ticks = [(t["at"], t["text"]) for t in made["ticks"]]
    return Rows(name, head, rows, ticks, [(made["zero"], "no difference")], words)


def tables(results: SweepResults, whole: Results | None) -> Iterator[Table]:
    """The tables of all people together, and one of the people."""
    if whole:
        yield from tables_of(whole, unit=results.over)
    rows = sorted(results.rows, key=lambda r: (r.metric, r.person))
    yield Table(
        name="people",
        caption=f"{results.primary['better']} − {results.primary['than']}, person by person",
        head=["person", "on", "difference", "p of standing out (Holm)", "questions", "interviews"],
        rows=[
            [results.people.get(r.person, r.person) + ("" if r.counted else " (not counted)"), title(r.metric), told(r),
             p_value(r.stands_out), str(r.questions), str(r.interviews)]
            for r in rows
        ],
        note="95 % intervals over each person's interviews.",
        columns={
            **dict.fromkeys(("suite", "sweep", "person", "metric", "a", "b"), "string"), "counted": "bool",
            **dict.fromkeys(("difference", "low", "high", "stands_out"), "double"), "questions": "int64",
            "interviews": "int64", "why_not": "string",
        },
        values=[
            (results.name, results.digest, r.person, r.metric, results.primary["better"], results.primary["than"],
             r.counted, r.difference, r.low, r.high, r.stands_out, r.questions, r.interviews, r.why_not)
            for r in rows
        ],
    )  # fmt: skip


def markdown(results: SweepResults) -> str:
    """The sweep in at most 60 lines of Markdown, failed cells first."""
    lines = [
        f"## {ICONS[results.verdict]} {results.verdict} · {in_markdown(results.name)}",
        "",
        f"{in_markdown(minus(results.sentence))}.",
    ]
    done = len(results.cells) - len(results.failed)
    lines += [
        "",
        f"<sub>{len(results.people)} people · {done} of {len(results.cells)} cells · sweep `{results.digest}`.</sub>",
    ]
    metric = results.primary["metric"]
    shown = sorted((r for r in results.rows if r.metric == metric), key=lambda r: (r.stands_out or 1.0, r.person))
    if shown:
        lines += ["", f"| {in_markdown(title(metric))} | difference | questions | |", "|---|---|---|---|"]
        lines += [_person_line(results, r) for r in shown[:15]]
        lines += [f"| … and {len(shown) - 15} more | | | |"] if len(shown) > 15 else []
    factors = [r for r in results.effects if r.metric == metric and r.arm == results.primary["better"]]
    if factors:
        lines += [
            "",
            f"| {in_markdown(results.primary['better'])}, by setting | difference to the reference | p (Holm) |",
            "|---|---|---|",
        ]
        lines += [
            f"| {in_markdown(r.factor)} {in_markdown(str(r.value))} | {told(r)} | {p_value(r.p_holm)} |"
            for r in factors[:12]
        ]
        lines += [f"| … and {len(factors) - 12} more | | |"] if len(factors) > 12 else []
    said = [*map(spread_words, results.spread), *map(best_words, results.best), *results.notes]
    lines += ["", *(f"- {in_markdown(one)}" for one in said[:8])] if said else []
    return "\n".join(lines) + "\n"


def _person_line(results: SweepResults, row: PersonRow) -> str:
    out = f"stands out, p {p_value(row.stands_out)}" if row.stands_out is not None and row.stands_out <= ALPHA else ""
    why = in_markdown(row.why_not) if not row.counted else out
    return f"| {in_markdown(results.people.get(row.person, row.person))} | {told(row)} | {row.questions} | {why} |"


def cell_line(cell: CellTold) -> str:
    """A cell in a line of the command's output."""
    return f"{cell.name}: {f'failed: {cell.error}' if cell.error else f'{cell.verdict}: {cell.sentence}'}"
