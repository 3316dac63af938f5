"""A system's runs over time, for its page."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ratf.board_plot import ENDS, places
from ratf.leaderboard import called, changed
from ratf.standing import LINES, Board, Leaderboard, Ran, Standing, ends, number


def history(board: Leaderboard, system: str) -> Iterator[dict[str, Any]]:
    """Each metric's runs of a system on a person, oldest first, those with skill scores before those without.

    What was measured once is left out. The line breaks where something else was measured.
    """
    metrics = dict.fromkeys(s.metric for r in board.runs for s in r.standings if s.system == system)
    measured = {b.id: b for b in board.boards}
    for person in board.persons:
        for scale in ("skill", "mean"):
            for metric in metrics:
                points = [
                    (run, s)
                    for run in board.runs
                    for s in run.standings
                    if run.person == person and (s.system, s.metric, s.scale) == (system, metric, scale)
                    if s.score is not None
                ]
                if len(points) > 1:
                    yield {"person": person, "metric": metric, "scale": scale, **_line(points, measured, scale)}


def _line(points: Sequence[tuple[Ran, Standing]], boards: Mapping[str, Board], scale: str) -> dict[str, Any]:
    numbers = [v for _, s in points for v in (s.score, s.low, s.high) if v is not None]
    bottom, top = ENDS if scale == "skill" else (min(numbers), max(numbers))
    top = top if top > bottom else bottom + 1.0
    step = 100 / len(points)
    made: list[dict[str, Any]] = []
    segments: list[list[str]] = []
    breaks: list[float] = []
    for i, (run, s) in enumerate(points):
        assert s.score is not None
        x = round((i + 0.5) * step, 2)
        y, low, high = (
            round(100 - at, 2)
            for at in places([s.score if v is None else v for v in (s.score, s.low, s.high)], bottom, top)
        )
        told = ""
        if i and points[i - 1][0].board != run.board:
            told = _broken(boards[points[i - 1][0].board], boards[run.board])
            breaks.append(round(i * step, 2))
        if told or not i:
            segments.append([])
        segments[-1].append(f"{x},{y}")
        text = f"{number(s)} ({ends(s)}){f', {s.placed}' if s.placed else ''}"
        made.append({"run": run.id, "text": text, "breaks": told, "x": x, "y": y, "low": low, "high": high})
    return {
        "points": made,
        "segments": [" ".join(s) for s in segments],
        "breaks": breaks,
        "lines": [round(100 - at, 2) for at in places(LINES[::3], *ENDS)] if scale == "skill" else [],
        "ends": [] if scale == "skill" else [f"{bottom:.2f}", f"{top:.2f}"],
    }


def _broken(before: Board, after: Board) -> str:
    keys = changed(before.measured, after.measured)
    return f"not comparable from here on, another measure: {', '.join(map(called, keys))}"
