"""The cells of a sweep become one: results, verdict, data set and page of the whole."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from raft.files import write_whole
from raft.lock import waiting
from ratf.results.folder import one_at_a_time
from ratf.results.results import STOPPED, Results, Verdict
from ratf.results.results import load as load_results
from ratf.results.results import save as save_results
from ratf.sweep.dataset import FOLDER, STANDINGS, DataSet
from ratf.sweep.factors import best, effects, seeds
from ratf.sweep.page import render
from ratf.sweep.people import Together, pooled, rows, together
from ratf.sweep.reading import CellScores, Group, grouped, read_cell
from ratf.sweep.records import CellTold, PersonRow, Spread, SweepResults, load, save
from ratf.sweep.sweep import SEED, Sweep
from ratf.sweep.working.units import NOT_RUN, Ended

NAMED = 10
"""The greatest number of failed cells that a sentence names; the rest are counted."""


def join(sweep: Sweep, ended: Mapping[str, Ended], tell: Callable[[str], None] = lambda line: None) -> SweepResults:
    """Read all cells and write what they say together: `sweep.json`, `results.json`, `scores/` and `report.html`.

    `ended` says how each cell ended, by name. With one that did not end, the whole is NOT MEASURED: its page shows what is
    there, and no `results.json` is kept, so that nothing passes that is not whole.
    """
    with waiting(), one_at_a_time(sweep.folder):
        told, read = [], []
        sets = [DataSet(sweep.folder, name) for name in (FOLDER, STANDINGS)]
        for cell in sweep.cells:
            end = ended.get(cell.name, NOT_RUN)
            if end.error:
                told.append(CellTold(name=cell.name, person=cell.person, setting=cell.setting, error=end.error))
                continue
            slim, whole = read_cell(cell, sweep.cell_folder(cell))
            if slim.digest != end.digest:
                other = "its results are those of another start, with another suite or other data"
                told.append(CellTold(name=cell.name, person=cell.person, setting=cell.setting, error=other))
                continue
            for data in sets:
                data.add(cell, whole)
            read.append(slim)
            told.append(
                CellTold(
                    name=cell.name,
                    person=cell.person,
                    setting=cell.setting,
                    digest=slim.digest,
                    verdict=slim.verdict,
                    sentence=slim.sentence,
                )
            )
        for data in sets:
            data.put()
        results, one = _whole(sweep, told, read)
        save(results, sweep.folder)
        path, stopped = sweep.folder / "results.json", sweep.folder / STOPPED
        if results.failed or one is None:
            write_whole(stopped, f"{results.verdict}: {results.sentence}\n")
            path.unlink(missing_ok=True)
        else:
            stopped.unlink(missing_ok=True)
            save_results(one, path)
        write_whole(sweep.folder / "report.html", render(results, one))
        return results


def rendered(folder: Path) -> Path:
    """Write the page of a sweep's run again, from its results, and return its path."""
    path, page = folder / "results.json", folder / "report.html"
    write_whole(page, render(load(folder), load_results(path) if path.is_file() else None))
    return page


def _whole(sweep: Sweep, told: list[CellTold], read: list[CellScores]) -> tuple[SweepResults, Results | None]:
    primary = sweep.cells[0].suite.primary
    arm, metrics, pair = primary.better, primary.metrics, (primary.better, primary.than)
    settings = list(grouped(read, SEED))
    reference = sweep.reference
    groups = next((g for s, g in settings if s == reference), [])
    of = together(groups, metrics)
    # where no exam admits anything, what the settings did is shown, and told to decide nothing
    shown = of if of.groups else Together(groups, {}, {}, of.over)
    times = _times(read)
    one = pooled(of, len(groups), times) if of.groups else None
    failed = [cell for cell in told if cell.error]
    verdict, sentence = _verdict(of, one, failed)
    people: list[PersonRow] = []
    spread: list[Spread] = []
    for metric in metrics:
        mine, its = rows(of, groups, metric, pair)
        people, spread = [*people, *mine], [*spread, its] if len(groups) > 1 else []
    arms = [a for a, about in read[0].arms.items() if about.kind == "arm"] if read else []
    lower = {m: read[0].metrics[m].get("better") == "lower" for m in metrics if m in read[0].metrics} if read else {}
    found = [best(settings, of, arm, m, lower[m]) for m in metrics if of.groups and m in lower]
    results = SweepResults(
        name=sweep.name,
        digest=sweep.digest,
        people={p: next((c.person["name"] for c in read if c.key == p), p) for p in sweep.people},
        factors=sweep.factors,
        reference=reference,
        over=of.over,
        inference=of.inference if of.groups else "Nobody counts",
        verdict=verdict,
        sentence=sentence,
        primary=primary.model_dump(mode="json"),
        cells=told,
        rows=people,
        spread=spread,
        effects=effects(settings, sweep.compared, shown, arms, metrics) if shown.groups else [],
        seeds=seeds(settings, arms, metrics),
        best=[b for b in found if b is not None],
        notes=_notes(sweep, groups, of),
        fictional=any(c.fictional for c in read),
        times=times,
    )
    return results, one


def _verdict(of: Together, one: Results | None, failed: list[CellTold]) -> tuple[Verdict, str]:
    if failed:
        named = "; ".join(f"{cell.name}: {' '.join(cell.error.split())[:200]}" for cell in failed[:NAMED])
        more = f" and {len(failed) - NAMED} more" if len(failed) > NAMED else ""
        cells = f"{len(failed)} cell{'s' if failed[1:] else ''} failed"
        return (
            "NOT MEASURED",
            f"{cells}: {named}{more}; run again, and only {'these are' if failed[1:] else 'it is'} run",
        )
    if one is None:
        why = of.uncounted or "there is no cell at the reference setting"
        return "NOT MEASURED", f"nobody counts, so no arm is compared. {why}"
    return one.verdict, f"{one.sentence}. {of.inference}"


def _times(read: list[CellScores]) -> dict[str, Any]:
    """When the last cell finished, and how long all of them took together."""
    finished = max((str(c.times.get("finished", "")) for c in read), default="")
    seconds: dict[str, float] = {}
    for cell in read:
        for phase, took in cell.times.get("seconds", {}).items():
            seconds[phase] = round(seconds.get(phase, 0.0) + took, 1)
    return {"finished": finished, "seconds": seconds, "total": round(sum(c.times["total"] for c in read), 1)}


def _notes(sweep: Sweep, groups: list[Group], of: Together) -> list[str]:
    notes = []
    if groups and not of.groups:
        notes.append("Nobody counts: the numbers are shown, and nothing follows from them.")
    many = max((len(g.cells) for g in groups), default=1)
    if many > 1:
        notes.append(f"Each score is the mean over {many} seeds; a question counts once.")
    if len(groups) > 1:
        notes.append("The mean over people is over their questions: whoever was asked more counts more.")
    if sweep.compared:
        notes.append("The verdict is about the reference setting, the first value of each factor.")
    return notes
